"""Names in German, where every noun has a capital: by what stands before and behind them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jobs.edits.hunks import CONTEXT_CHARS
from jobs.edits.names.known import WORD, begins_sentence
from jobs.edits.vocabulary.titles import PARTICLES, read_titles

if TYPE_CHECKING:
    from jobs.edits.names.known import Word

_OF = frozenset({"van", "von"})
_PLACE_WORDS = frozenset({"in", "aus", "nach"})
_NOUN_ENDS = (
    *("ung", "heit", "keit", "schaft", "tät", "ion", "nis", "tum"),
    *("en", "er", "mus", "enz", "anz", "ur", "ie", "ik"),
)


def is_german_name(word: Word) -> bool:
    """Whether *word*, which has a capital, stands as names do."""
    return _follows_name(word) or _precedes_name(word)


def _follows_name(word: Word) -> bool:
    head = word.line[max(0, word.start - CONTEXT_CHARS) : word.start]
    before = WORD.findall(head)
    if len(before) > 1 and before[-1] in PARTICLES and before[-2].casefold() in _OF:
        return True
    last = before[-1] if before and head.endswith(before[-1] + " ") else ""
    if last.casefold().rstrip(".") in read_titles("de"):
        return True
    first = not last or len(before) == 1 or begins_sentence(head, len(head) - len(last) - 1)
    if last[:1].isupper() and not first:
        return True
    return last.casefold() in _PLACE_WORDS and not word.text.endswith(_NOUN_ENDS)


def _precedes_name(word: Word) -> bool:
    if word.line[max(0, word.start - 2) : word.start].rstrip()[-1:].isdigit():
        return False  # 30 Zentimeter Neuschnee
    end = word.start + len(word.text)
    after = WORD.match(word.line, end + 1) if word.line[end : end + 1] == " " else None
    return after is not None and after[0][0].isupper() and after[0].casefold() not in read_titles("de")
