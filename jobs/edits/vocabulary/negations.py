"""Words that deny, and such as only look so. Data, and its look-ups."""

from __future__ import annotations

import re

from jobs.edits.vocabulary.rows import read_phrases, read_rows

_TABLE = """
en not no never none nobody nothing neither nor nowhere without cannot
de nicht kein keine keinen keinem keiner keines nie niemals niemand niemanden niemandem nichts weder ohne nirgends
es no nunca jamás ni ningún ninguno ninguna nadie nada sin tampoco
fr ne pas jamais ni aucun aucune personne rien sans non nul nulle
it non no mai né nessun nessuno nessuna niente nulla senza
pt não nunca jamais nem nenhum nenhuma ninguém nada sem
nl niet geen nooit niemand niets noch zonder
ru не ни нет никогда никто никого никому ничего ничто нельзя без нигде
uk не ні немає ніколи ніхто нікого нічого без
pl nie nigdy nikt nikogo nic żaden żadna żadne bez ani
sv inte ej icke aldrig ingen inget inga ingenting utan
da ikke ej aldrig ingen intet ingenting uden
no ikke ei aldri ingen intet ingenting uten
tr değil yok hiç asla hiçbir olmadan
ar لا لم لن ليس ليست ليسوا لسنا لست غير دون بدون بلا عدم ولا ولم ولن وليس فلا فلم فلن
fa نه نیست نیستند هرگز بدون هیچ
he לא אין בלי ללא אף
id tidak bukan tanpa belum jangan tak
"""
_PHRASES = """
en no doubt
en not least
en not only
en not just
en not to mention
en nothing but
en no sooner
de nicht zuletzt
de nicht nur
de nicht mehr als
de nichts als
de ohne weiteres
es no obstante
es no solo
es no sólo
es sin embargo
es sin duda
es nada menos
fr non seulement
fr sans doute
fr rien de moins
it non solo
it senza dubbio
pt não só
pt não apenas
pt sem dúvida
nl niet alleen
ru не только
ru не раз
ru тем не менее
ru ни много ни мало
uk не тільки
ar لا يزال
ar لا تزال
ar لا يزالون
ar لا زال
ar لا زالت
ar لا بد
ar لا سيما
ar لا شك
"""
"""Phrases that deny nothing, whatever their words are."""
HAN_NEGATIONS = "不没沒未无無非勿莫别"
"""Each letter denies by itself."""
_NOT_DENYING = """
不过 不過 不仅 不僅 不但 不少 不同(?!意) 不断 不斷 不久 不管 不论 不論 不得不 不满 不安 不幸 不错 差不多 了不起
对不起 未来 未來 无论 無論 无线 無線 非常 非洲 除非 别人 特别 区别 级别 分别 性别 个别 告别 莫斯科 莫名 无人机
無人機 无锡 未婚 无疑
"""
"""Words with such a letter that deny nothing, as regular expressions."""

_WORDS = {language: frozenset(words) for language, words in read_rows(_TABLE).items()}
_NONE: frozenset[str] = frozenset()
_HAN_PLAIN = re.compile("|".join(sorted(_NOT_DENYING.split(), key=len, reverse=True)))
_PLAIN = {
    language: re.compile(rf"(?<!\w)[وف]?(?:{'|'.join(phrases)})(?!\w)", re.IGNORECASE)
    for language, phrases in read_phrases(_PHRASES).items()
}


def read_negations(language: str) -> frozenset[str]:
    """Return the words of *language* that deny, in lower case; none if it is not known."""
    return _WORDS.get(language, _NONE)


def blank_phrases(text: str, language: str) -> str:
    """Return *text*, as long as it was, without the phrases that deny nothing though a word of theirs would."""
    plain = _HAN_PLAIN if language in {"zh", "ja"} else _PLAIN.get(language)
    return plain.sub(lambda found: " " * len(found[0]), text) if plain else text
