"""Whose turn it is, where not all that are due can be asked: rows of articles that are behind → one order of them."""

from __future__ import annotations

from dataclasses import dataclass
from heapq import heappop, heappush
from itertools import count
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_Rank = tuple[tuple[int, ...], str, int]
"""What comes first; the URL; the row that it stands in."""
OLDEST_EACH = 4
"""Every fourth turn is that of who waits longest, whatever it has missed: so everyone's comes."""


@dataclass(frozen=True, slots=True)
class Turn:
    """An article that is due. Instants in microseconds."""

    url: str
    due: int
    missed: int
    """How far it is behind its plan."""
    kind: int
    site: str


def interleave(rows: Iterable[Iterator[Turn]]) -> Iterator[Turn]:
    """Yield all turns of *rows*: those that missed most first, every fourth the one that is due longest.

    Each row has them by time, the oldest first, which is also the one that missed most. Whatever comes later is due
    later: so of n that are due as long or longer, the last one is had after 4 n turns, however many come meanwhile.
    """
    by_missed: list[_Rank] = []
    by_due: list[_Rank] = []
    heads: list[tuple[Turn, Iterator[Turn]] | None] = []

    def advance(row: int, turns: Iterator[Turn]) -> None:
        turn = next(turns, None)
        heads[row] = None if turn is None else (turn, turns)
        if turn is not None:
            heappush(by_missed, ((-turn.missed, turn.due), turn.url, row))
            heappush(by_due, ((turn.due,), turn.url, row))

    for row, turns in enumerate(rows):
        heads.append(None)
        advance(row, turns)
    for number in count(1):
        head = None
        heap = by_missed if number % OLDEST_EACH else by_due
        while heap and head is None:
            _, url, row = heappop(heap)
            found = heads[row]
            head = found if found is not None and found[0].url == url else None  # else the other heap had it
        if head is None:
            return
        yield head[0]
        advance(row, head[1])


def take_round(rows: list[Iterator[Turn]]) -> Iterator[Turn]:
    """Yield the turns of *rows*, one of each in their order, until there are no more."""
    while rows:
        left = []
        for turns in rows:
            if (turn := next(turns, None)) is not None:
                yield turn
                left.append(turns)
        rows = left
