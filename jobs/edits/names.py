"""Whether a hunk names somebody or something otherwise. Where a script has no capitals, only beside what tells names."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from crawler.extract.times.months import read_month
from jobs.edits.spelling import is_form, is_respelled
from jobs.edits.vocabulary import (
    begins_with_han_kind,
    begins_with_han_role,
    ends_in_han_role,
    is_arabic_given_name,
    is_han_name,
    is_han_surname,
    read_days,
    read_titles,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from jobs.edits.hunks import Hunk
    from jobs.edits.kinds import State

_WORD = re.compile(r"[^\W\d_]+(?:[-'’.][^\W\d_]+)*\.?")
_PLAIN = re.compile(r"[^\W\d_]+")
_SENTENCE = '.!?:…“„«"»”–—•|'
_MOST_WORDS = 5
_TITLE_CASE = 0.6
_PARTICLES = frozenset(
    "фон ван де да ди аль de del de la las los el da das do dos di du des van von der den ter ten zu zur bin al ibn and y und e i".split()
)
_GERMAN_PARTICLES = frozenset({"van", "von"})
_PLACE_WORDS = frozenset({"in", "aus", "nach"})
_NOUN_ENDS = (
    "ung",
    "heit",
    "keit",
    "schaft",
    "tät",
    "ion",
    "nis",
    "tum",
    "en",
    "er",
    "mus",
    "enz",
    "anz",
    "ur",
    "ie",
    "ik",
)
_HAN = re.compile("[\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]+")
_HAN_SAYS = re.compile(
    "^(?:表示|称|稱|说|說|指出|告诉|告訴|认为|認為|强调|強調|透露|介绍|介紹|回应|回應|宣布|承认|承認|在|于|於|和|与|與|的|，|、|。|：|是|将|將)"
)
_HAN_BEFORE = re.compile(
    "(?:名叫|名为|名為|叫做|叫|在|位于|位於|前往|来自|來自|抵达|抵達|到|与|與|和|由|据|據|对|對|向|、|，|“|「|《|^)$"
)
_HAN_FOREIGN = re.compile("[·・][\u3400-\u9fff]{1,4}$")
_HAN_WORK = re.compile("[《〈][^》〉]*$")
_ARABIC = re.compile("[\u0621-\u064a\u066e-\u06d3]+")


@dataclass(frozen=True, slots=True)
class Names:
    """Words that are names in an article, as far as it tells."""

    language: str
    listed: frozenset[str]
    """Of authors and tags, in lower case."""
    seen: frozenset[str]
    """With a capital in the middle of a sentence."""


def find_names(states: Iterable[State]) -> Names:
    """Return the names that *states* of one article tell."""
    listed: set[str] = set()
    seen: set[str] = set()
    language = ""
    for state in states:
        language = state.language or language
        for value in (state.fields.get("authors"), state.fields.get("tags"), state.fields.get("agencies")):
            listed.update(word.casefold() for text in _texts(value) for word in _PLAIN.findall(text))
        for line in (*state.lines, state.lead or ""):
            seen.update(word for word, begins in _list_words(line, 0, len(line)) if word[0].isupper() and not begins)
    return Names(language, frozenset(listed), frozenset(seen))


def changes_name(hunk: Hunk, names: Names) -> bool:
    """Whether *hunk* changes a name."""
    text = hunk.before + hunk.after
    if _HAN.search(text):
        return _changes_han_name(hunk)
    if _ARABIC.search(text):
        return _changes_arabic_name(hunk, names)
    return _changes_cased_name(hunk, names)


def is_work_title(hunk: Hunk) -> bool:
    """Whether *hunk*, all that stands between quotation marks, is more like the title of a work than like speech."""
    head = hunk.new_line[: hunk.new_start].rstrip('"“„«「‘ ')
    short = max(len(hunk.before.split()), len(hunk.after.split())) <= _MOST_WORDS
    upper = hunk.before[:1].isupper() and hunk.after[:1].isupper()
    return short and upper and bool(head) and head[-1].isalnum() and hunk.after[-1:] not in ".!?,…"


def is_han(text: str) -> bool:
    """Whether *text* is of Han letters alone."""
    return _HAN.fullmatch(text) is not None


def _changes_cased_name(hunk: Hunk, names: Names) -> bool:
    old, new = (_list_words(*part) for part in _parts(hunk))
    if not (old or new) or max(len(old), len(new)) > _MOST_WORDS:
        return False
    old_names = [word for word, begins in old if _is_name(word, names, begins=begins, hunk=hunk)]
    new_names = [word for word, begins in new if _is_name(word, names, begins=begins, hunk=hunk)]
    gone, come = set(old_names) - set(new_names), set(new_names) - set(old_names)
    if not gone and not come:
        return _changes_particle(hunk, old or new)
    if not old or not new:  # something was said more fully, or less so
        return all(word in (old_names or new_names) or word.casefold() in _PARTICLES for word, _ in old or new)
    if gone and come:
        return not all(any(_is_inflected(one, other) for other in come) for one in gone)
    return False


def _changes_particle(hunk: Hunk, words: list[tuple[str, bool]]) -> bool:
    """Whether *words*, which came or went between two names, are such as join them (*de la*, *von*)."""
    if (hunk.before.strip() and hunk.after.strip()) or not all(word.casefold() in _PARTICLES for word, _ in words):
        return False
    line, start, end = max(_parts(hunk), key=lambda part: part[2] - part[1])
    before, after = _WORD.findall(line[:start])[-1:], _WORD.match(line[end:].lstrip())
    return bool(before and before[0][0].isupper() and after is not None and after[0][0].isupper())


def _is_inflected(one: str, other: str) -> bool:
    return is_form(one, other) and not is_respelled(one, other)


def _is_name(word: str, names: Names, *, begins: bool, hunk: Hunk) -> bool:
    plain = word.rstrip(".")
    folded = plain.casefold()
    if not plain[:1].isupper() or folded in read_days(names.language) or read_month(folded):
        return False
    if folded in names.listed:
        return True
    if folded in read_titles(names.language):
        return False
    if names.language == "de":
        return _is_german_name(plain, hunk)
    if _is_title_case(hunk):
        return plain in names.seen
    return not begins or plain in names.seen or _stands_by_name(word, hunk)


def _is_german_name(word: str, hunk: Hunk) -> bool:
    """Whether *word* stands as names do; every noun has a capital in German."""
    for line, start, end in _parts(hunk):
        for found in re.finditer(rf"(?<!\w){re.escape(word)}(?!\w)", line[start:end]):
            at = start + found.start()
            before = _WORD.findall(line[:at])
            if len(before) > 1 and before[-1] in _PARTICLES and before[-2].casefold() in _GERMAN_PARTICLES:
                return True
            last = before[-1] if before and line[:at].endswith(before[-1] + " ") else ""
            after = _WORD.match(line, at + len(word) + 1) if line[at + len(word) : at + len(word) + 1] == " " else None
            if last.casefold().rstrip(".") in read_titles("de"):
                return True
            first = len(before) < 2 or _begins_sentence(line, line[:at].rindex(last)) if last else True
            if last[:1].isupper() and not first:
                return True
            if after is not None and after[0][0].isupper() and after[0].casefold() not in read_titles("de"):
                return True
            if last.casefold() in _PLACE_WORDS and not word.endswith(_NOUN_ENDS):
                return True
    return False


def _stands_by_name(word: str, hunk: Hunk) -> bool:
    """Whether a word with a capital follows: at a sentence's beginning it tells a name."""
    for line, start, end in _parts(hunk):
        at = line.find(word, start, end)
        if at >= 0:
            following = (
                _WORD.match(line, at + len(word) + 1) if line[at + len(word) : at + len(word) + 1] == " " else None
            )
            return following is not None and following[0][0].isupper()
    return False


def _is_title_case(hunk: Hunk) -> bool:
    words = [word for word in _WORD.findall(hunk.new_line) if len(word) > 3]
    return len(words) > 2 and sum(word[0].isupper() for word in words) >= _TITLE_CASE * len(words)


def _changes_arabic_name(hunk: Hunk, names: Names) -> bool:
    old, new = (_ARABIC.findall(part) for part in (hunk.before, hunk.after))
    if not old or not new or max(len(old), len(new)) > 3:  # noqa: PLR2004 - a name, a father's, a family's
        return False
    if any(word in names.listed for word in (*old, *new)):
        return True
    if len(old) > 1 and len(new) > 1 and is_arabic_given_name(old[0]) and is_arabic_given_name(new[0]):
        return True
    before = _ARABIC.findall(hunk.line[: hunk.start])[-3:]
    titles = read_titles("ar")
    return any(word in titles or word[1:] in titles for word in before) or any(map(is_arabic_given_name, before[-1:]))


def _changes_han_name(hunk: Hunk) -> bool:
    old, new = hunk.before.strip(), hunk.after.strip()
    if not all(_HAN.fullmatch(one) for one in (old, new) if one) or max(len(old), len(new)) > 6:  # noqa: PLR2004 - letters
        return False
    head, tail = hunk.new_line[: hunk.new_start], hunk.new_line[hunk.new_end :]
    if _HAN_FOREIGN.search(head) or (_HAN_WORK.search(head) and tail[:1] in {"》", "〉"}):
        return True
    if not old or not new:
        return False
    if len(old) > 1 and len(new) > 1:
        if begins_with_han_kind(tail):
            return True
        if is_han_name(old) and is_han_name(new):
            return bool(
                _HAN_BEFORE.search(head)
                or ends_in_han_role(head)
                or _HAN_SAYS.match(tail)
                or begins_with_han_role(tail)
            )
    return _changes_part_of_han_name(head, new, tail)


def _changes_part_of_han_name(head: str, new: str, tail: str) -> bool:
    """Whether *new* stands where a given name does, behind a family name: after a post, or before what people do."""
    for back in (1, 2):
        if len(head) < back or not is_han_surname(head[-back]) or back + len(new) > 3:  # noqa: PLR2004 - a full name
            continue
        rest = 3 - back - len(new)
        says = any(_HAN_SAYS.match(tail[skip:]) or begins_with_han_role(tail[skip:]) for skip in range(rest + 1))
        if says or ends_in_han_role(head[:-back]):
            return True
    return False


def _parts(hunk: Hunk) -> tuple[tuple[str, int, int], tuple[str, int, int]]:
    return (hunk.line, hunk.start, hunk.end), (hunk.new_line, hunk.new_start, hunk.new_end)


def _list_words(line: str, start: int, end: int) -> list[tuple[str, bool]]:
    """Return the words from *start* to *end*, each with whether a sentence begins there."""
    return [(found[0].rstrip("."), _begins_sentence(line, found.start())) for found in _WORD.finditer(line, start, end)]


def _begins_sentence(line: str, at: int) -> bool:
    head = line[:at].rstrip("'‘’( ")
    return not head or head[-1] in _SENTENCE


def _texts(value: Any) -> list[str]:
    return [text for text in value if isinstance(text, str)] if isinstance(value, (list, tuple)) else []
