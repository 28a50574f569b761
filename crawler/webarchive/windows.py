"""Stretches of time that an archive is asked for one after the other, the newest first, and which are done. Pure.

A list of a whole site is ordered by page; windows make of it one that is nearly ordered by time, in pieces of a size
that an archive gives in one answer.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

FIRST_SECOND = 820_454_400
"""1996-01-01: no web archive goes back further."""
_DAY = 86_400
_WIDTH = 30 * _DAY
_HELD = 4
_MOST = 20 * 366 * _DAY


@dataclass(frozen=True, slots=True)
class Window:
    """Whole seconds since 1970: from *begin* until just before *end*."""

    begin: int
    end: int


@dataclass(slots=True)
class Windows:
    """What of a stretch of time is done and what is next."""

    begin: int
    end: int
    done: list[tuple[int, int]] = field(default_factory=list)
    """Disjoint stretches, the oldest first; they may lie anywhere."""
    width: int = _WIDTH
    _held: int = 0
    """Windows that are still to come before these may grow again: else each second one would be too much."""

    def next(self) -> Window | None:
        """Return the newest stretch that is not done, as far as one answer may hold it; `None` if there is none."""
        end, least = self.end, self.begin
        for begin, until in reversed(_join(self.done)):
            if until < end:
                least = max(least, until)
                break
            if begin < end:
                end = min(end, begin)
        if end <= least:
            return None
        return Window(max(least, end - self.width), end)

    def narrow(self, window: Window) -> bool:
        """Take half of *window* next, which was too much for one answer; tell whether that can be."""
        if window.end - window.begin <= 1:
            return False
        self.width = (window.end - window.begin) // 2
        self._held = _HELD
        return True

    def finish(self, window: Window, *, found: int, usual: int) -> None:
        """Go on before *window*, in which *found* copies were listed, of *usual* that an answer may well hold."""
        self.done[:] = _join([*self.done, (window.begin, window.end)])
        self._held = max(0, self._held - 1)
        if self._held:
            return
        if found <= usual // 8:
            self.width = min(self.width * 4, _MOST)
        elif found <= usual // 3:
            self.width = min(self.width * 2, _MOST)


def _join(stretches: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return *stretches* in order, those that touch as one."""
    joined: list[tuple[int, int]] = []
    for begin, end in sorted(stretches):
        if joined and begin <= joined[-1][1]:
            joined[-1] = joined[-1][0], max(joined[-1][1], end)
        else:
            joined.append((begin, end))
    return joined
