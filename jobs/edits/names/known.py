"""The names that an article tells, and its words, each with whether a sentence begins there."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from jobs.edits.states import State

WORD = re.compile(r"[^\W\d_]+(?:[-'’.][^\W\d_]+)*\.?")
_PLAIN = re.compile(r"[^\W\d_]+")
_STOPS = '.!?:…“„«"»”–—•|'
_OPENINGS = "'‘’( "
_MARGIN = 20
_LISTED = ("authors", "tags", "agencies")
_MOST_LISTED = 2_000
"""Of one field: more are no list of what an article is about."""
_MOST_CHARS = 200_000
"""Of a state's lines, from its beginning."""


@dataclass(frozen=True, slots=True)
class Names:
    """Words that are names in an article, as far as it tells."""

    language: str
    listed: frozenset[str]
    """Of authors, tags and agencies, in lower case."""
    seen: frozenset[str]
    """With a capital in the middle of a sentence."""


@dataclass(frozen=True, slots=True)
class Word:
    """A word of a line."""

    text: str
    """Without a full stop behind it."""
    line: str
    start: int
    begins: bool
    """Whether a sentence begins there."""


def find_names(states: Iterable[State]) -> Names:
    """Return the names that *states* of one article tell."""
    listed: set[str] = set()
    seen: set[str] = set()
    language = ""
    for state in states:
        language = state.language or language
        for name in _LISTED:
            texts = islice(state.list_strings(name), _MOST_LISTED)
            listed.update(word.casefold() for text in texts for word in _PLAIN.findall(text[:_MOST_CHARS]))
        room = _MOST_CHARS
        for line in (*state.lines, state.lead or ""):
            if not room:
                break
            words = list_words(line, 0, min(len(line), room))
            seen.update(word.text for word in words if word.text[0].isupper() and not word.begins)
            room = max(0, room - len(line))
    return Names(language, frozenset(listed), frozenset(seen))


def list_words(line: str, start: int, end: int) -> Iterator[Word]:
    """Yield the words of *line* from *start* to *end*."""
    for found in WORD.finditer(line, start, end):
        yield Word(found[0].rstrip("."), line, found.start(), begins_sentence(line, found.start()))


def begins_sentence(line: str, at: int) -> bool:
    """Whether a sentence begins at *at*: at the line's beginning, behind a stop or behind an opening mark."""
    head = line[max(0, at - _MARGIN) : at].rstrip(_OPENINGS)
    return head[-1] in _STOPS if head else at <= _MARGIN
