"""Words that deny, and such as only look so. Data, and its look-ups."""

from __future__ import annotations

from jobs.edits.vocabulary.rows import read_rows

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
HAN_NEGATIONS = "不没沒未无無非勿莫别"
"""Each letter denies by itself."""
_NOT_DENYING = """
不过 不過 不仅 不僅 不但 不少 不同 不断 不斷 不久 不管 不论 不論 不得不 不满 不安 不幸 不错 差不多 了不起 对不起 未来
未來 无论 無論 无线 無線 非常 非洲 除非 并非洲 别人 特别 区别 级别 分别 性别 个别 告别 莫斯科 莫名 无人机 無人機 无锡
未婚 无疑
"""
HAN_NO_NEGATIONS = _NOT_DENYING.split()
"""Words with such a letter that deny nothing."""

_WORDS = {language: frozenset(words) for language, words in read_rows(_TABLE).items()}
_NONE: frozenset[str] = frozenset()


def read_negations(language: str) -> frozenset[str]:
    """Return the words of *language* that deny, in lower case; none if it is not known."""
    return _WORDS.get(language, _NONE)
