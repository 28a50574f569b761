"""Which answers are not yet in a closed segment: an import that is killed goes on from the first of them. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Container

    from crawler.imports.flows import Position


class Holdings:
    """Answers of one file, from when they are read until the segment that they went into is closed."""

    def __init__(self) -> None:
        self._number = 0
        self._in_work: dict[int, Position] = {}
        self._kept: dict[str, tuple[int, Position]] = {}
        """Open segment → the first answer in it."""

    def begin(self, position: Position) -> int:
        """Take in an answer that was read at *position*; return the number by which it is known here."""
        self._number += 1
        self._in_work[self._number] = position
        return self._number

    def end(self, number: int, segment: str | None) -> None:
        """Let go of an answer: it went into *segment*, or nowhere."""
        position = self._in_work.pop(number)
        if segment is not None:
            self._kept[segment] = min(self._kept.get(segment, (number, position)), (number, position), key=_by_number)

    def find_first(self, still_open: Container[str]) -> Position | None:
        """Return where the first answer lies that is in work, or in a segment *still_open*; `None` if there is none."""
        self._kept = {segment: first for segment, first in self._kept.items() if segment in still_open}
        found = [*self._in_work.items(), *self._kept.values()]
        return min(found, key=_by_number)[1] if found else None


def _by_number(pair: tuple[int, Position]) -> int:
    return pair[0]
