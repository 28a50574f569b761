"""What stands at one place of alike URLs → an expression for it: a word, an alternation, or the form that all share."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from config.rules import ArticlePatterns
from crawler.survey.shapes import Kind, kind_of

if TYPE_CHECKING:
    from collections.abc import Sequence

ANY = "[^/?]+"
MAX_WORDS = 40
"""In one alternation; more is no list that anybody reads."""
_FEW = 4
"""So many values are needed before what they share is no accident."""
_MAX_TIGHTNESS = 4

_SPECIAL = re.compile(r"[\\.+*?()\[\]{}|^$]")
_DATED_TITLE = re.compile(r"(?:19|20)\d\d([-_.]?)\d\d(?:\1\d\d)?[-_.]\S*", re.ASCII)
_NUMBER_FIRST = re.compile(r"([^\d/]{0,20}?)(\d+)([-_,.~])\S+", re.ASCII)
_DIGITS = "0123456789"
_MARKS = ("-a", "-i", "-n", "-id", "-", "_", ",", ".", "~")
"""Between a title and its number."""
_HEX_LAST = re.compile(r"\S+?([-_])([0-9a-f]{8,40})")
_LETTERS_FIRST = re.compile(r"([A-Za-z]{1,12}[-_.~:]?)(\d+)", re.ASCII)
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_ALPHABETS = (r"[0-9a-f]", r"[0-9a-z]", r"[0-9A-Za-z]")

Role = Literal["fixed", "category", "varied", "number"]


@dataclass(frozen=True, slots=True)
class Place:
    """One part of the path, or one value of the query, of alike URLs."""

    role: Role
    """`fixed`: one word; `category`: few different words; `varied`: titles and ids; `number`: dates as well."""
    values: Counter[str]
    options: tuple[str, ...]
    """Expressions, the one to begin with first; each later one lets in less."""

    @property
    def words(self) -> set[str]:
        """The values that are seen here."""
        return set(self.values)


def escape(text: str) -> str:
    """Return *text* as an expression that is as easy to read as can be: letters of all scripts stay."""
    return _SPECIAL.sub(r"\\\g<0>", text)


def is_sound(expression: str) -> bool:
    """Whether a source's file may hold *expression*: RE2 takes it, and it is not too long."""
    try:
        ArticlePatterns(include=[expression])
    except ValueError:
        return False
    return True


def alternate(words: Sequence[str] | set[str]) -> str:
    """Return an expression for any of *words*, in order of the alphabet; one alone stands by itself."""
    escaped = [escape(word) for word in sorted(words)]
    return escaped[0] if len(escaped) == 1 else f"(?:{'|'.join(escaped)})"


def read_place(texts: Sequence[str], kinds: set[Kind], *, last: bool, stop: str = "/?") -> Place:
    """Return what the values *texts* at one place have in common.

    *kinds*: theirs; numbers and texts never stand at one place here. *last*: whether this is where the title or the id
    of an article stands if nothing says otherwise. *stop*: characters that end a value.
    """
    values = Counter(texts)
    if (numeric := _describe_number(texts, kinds)) is not None:
        return Place("number", values, (numeric,))
    wordy = sum(kind_of(text) is Kind.WORD for text in values) * 2 > len(values)
    if len(values) == 1 and (len(texts) >= 3 if last else wordy or len(texts) >= 3):
        return Place("fixed", values, (escape(texts[0]),))
    if not last and wordy:
        narrow = (alternate(set(values)),) if len(values) <= MAX_WORDS else ()
        return Place("category", values, (f"[^{stop}]+", *narrow))
    return Place("varied", values, tuple(_list_forms(list(values), stop, kinds)))


def _describe_number(texts: Sequence[str], kinds: set[Kind]) -> str | None:
    digits = all(text.isascii() and text.isdigit() for text in texts)
    if kinds == {Kind.YEAR}:
        return r"\d{4}"
    if kinds <= {Kind.MONTH, Kind.DAY}:
        if digits:
            return r"\d{2}" if all(len(text) == 2 for text in texts) else r"\d{1,2}"
        return "[a-z]{3}" if all(len(text) == 3 and text.islower() for text in texts) else "[A-Za-z]{3,9}"
    if kinds == {Kind.DATE}:
        return _describe_dates(texts, digits=digits)
    return count_digits(texts) if digits else None


def _describe_dates(texts: Sequence[str], *, digits: bool) -> str:
    if digits:
        return r"\d{8}" if all(len(text) == 8 for text in texts) else count_digits(texts)
    mark = escape(next(mark for mark in "-_." if mark in texts[0]))
    parts = {len(re.split(r"[-_.]", text)) for text in texts}
    return rf"\d{{4}}{mark}\d{{2}}" + (
        rf"{mark}\d{{2}}" if parts == {3} else rf"(?:{mark}\d{{2}})?" if 3 in parts else ""
    )


def count_digits(numbers: Sequence[str]) -> str:
    """Return an expression for ids like *numbers*: long ones stay long, whatever is published next."""
    shortest = min(map(len, numbers))
    return r"\d{4,}" if shortest >= 5 else r"\d+"


def _list_forms(texts: list[str], stop: str, kinds: set[Kind]) -> list[str]:
    """Return expressions for titles and ids, the one to begin with first, then what asks for more words."""
    anything = f"[^{stop}]+" if any("." in text for text in texts) or len(texts) < _FEW else f"[^{stop}.]+"
    form = _find_form(texts, anything) if len(texts) >= _FEW else None
    if form is not None:
        return [form]
    forms = [anything]
    mark = Counter(character for text in texts for character in text if character in "-_+").most_common(1)
    if mark and kinds != {Kind.CODE}:
        separator = escape(mark[0][0])
        dotless = "." if anything.endswith(".]+") else ""
        for hyphens in range(1, _MAX_TIGHTNESS + 1):
            word = f"[^{stop}{dotless}{mark[0][0]}]+{separator}"
            forms.append((word if hyphens == 1 else f"(?:{word}){{{hyphens}}}") + anything)
    return forms


def _find_form(texts: list[str], anything: str) -> str | None:
    """Return what all *texts* share that no accident explains: an id within, before or after the title."""
    if all(_UUID.fullmatch(text) for text in texts):
        return "[0-9a-f-]{36}"
    if all(map(_DATED_TITLE.fullmatch, texts)):
        marks = {match[1] for text in texts if (match := _DATED_TITLE.fullmatch(text))}
        if len(marks) == 1:
            return rf"\d{{4}}{escape(marks.pop())}\d{{2}}" + anything
    return _find_plain_code(texts) or _find_number(texts, anything) or _find_hex_end(texts, anything)


def _find_plain_code(texts: list[str]) -> str | None:
    """Return the form of ids without a title: a letter and a number, or letters and digits of one length."""
    named = [match for text in texts if (match := _LETTERS_FIRST.fullmatch(text))]
    if len(named) == len(texts) and len({match[1] for match in named}) == 1:
        return escape(named[0][1]) + count_digits([match[2] for match in named])
    if not all(text.isalnum() and text.isascii() for text in texts):
        return None
    if not sum(any(character.isdigit() for character in text) for text in texts) * 10 >= len(texts) * 8:
        return None
    lengths = {len(text) for text in texts}
    for alphabet in _ALPHABETS:
        if all(re.fullmatch(f"{alphabet}+", text) for text in texts):
            return alphabet + (f"{{{min(lengths)}}}" if len(lengths) == 1 else f"{{{max(1, min(lengths) - 2)},}}")
    return None


def _find_number(texts: list[str], anything: str) -> str | None:
    first = [match for text in texts if (match := _NUMBER_FIRST.fullmatch(text))]
    if (
        len(first) == len(texts)
        and len({(match[1], match[3]) for match in first}) == 1
        and _are_ids([match[2] for match in first])
    ):
        return escape(first[0][1]) + count_digits([match[2] for match in first]) + escape(first[0][3]) + anything
    last = [text[len(text.rstrip(_DIGITS)) :] for text in texts]
    titles = [text.rstrip(_DIGITS) for text in texts]
    if not all(last) or not _are_ids(last):
        return None
    mark = next((mark for mark in _MARKS if all(title.endswith(mark) and title != mark for title in titles)), "")
    if not mark and not all(map(str.isalnum, (title[-1:] for title in titles))):
        return None
    return (anything if mark else anything.removesuffix("+") + "*") + escape(mark) + count_digits(last)


def _are_ids(numbers: list[str]) -> bool:
    """Tell whether these numbers name articles: they are many, and no years of things that happened."""
    different = set(numbers)
    return len(different) * 2 > len(numbers) and not all(kind_of(number) is Kind.YEAR for number in different)


def _find_hex_end(texts: list[str], anything: str) -> str | None:
    found = [match for text in texts if (match := _HEX_LAST.fullmatch(text))]
    if len(found) < len(texts) or len({(match[1], len(match[2])) for match in found}) > 1:
        return None
    if not any(character.isdigit() for match in found for character in match[2]):
        return None
    return f"{anything}{found[0][1]}[0-9a-f]{{{len(found[0][2])}}}"
