"""A changed line → its hunks: what was taken out, what came in its place, and where in both lines."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from jobs.diff import Change

if TYPE_CHECKING:
    from collections.abc import Iterator

    from jobs.diff import Line


@dataclass(frozen=True, slots=True)
class Hunk:
    """Words that changed."""

    line: str
    """The earlier line."""
    new_line: str
    start: int
    end: int
    new_start: int
    new_end: int

    @property
    def before(self) -> str:
        """What was taken out; may be empty."""
        return self.line[self.start : self.end]

    @property
    def after(self) -> str:
        """What came in; may be empty."""
        return self.new_line[self.new_start : self.new_end]


def list_hunks(line: Line) -> Iterator[Hunk]:
    """Yield the hunks of a changed *line*, in order."""
    before, after = line.before or "", line.after or ""
    i = j = start = new_start = 0
    for words in line.words:
        if words.change is Change.SAME:
            if (start, new_start) != (i, j):
                yield Hunk(before, after, start, i, new_start, j)
            i += len(words.text)
            j += len(words.text)
            start, new_start = i, j
        elif words.change is Change.REMOVED:
            i += len(words.text)
        else:
            j += len(words.text)
    if (start, new_start) != (i, j):
        yield Hunk(before, after, start, i, new_start, j)
