"""A changed line → its hunks: what was taken out, what came in its place, and where in both lines."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from jobs.diff import Change

if TYPE_CHECKING:
    from collections.abc import Iterator

    from jobs.diff import Line

CONTEXT_CHARS = 120
"""What is looked at on either side of a hunk, so that many hunks in a long line take no time of their product."""


@dataclass(frozen=True, slots=True)
class Part:
    """A hunk's place in one of the two lines."""

    line: str
    start: int
    end: int

    @property
    def text(self) -> str:
        """The words; may be empty."""
        return self.line[self.start : self.end]

    @property
    def head(self) -> str:
        """What stands right before."""
        return self.line[max(0, self.start - CONTEXT_CHARS) : self.start]

    @property
    def tail(self) -> str:
        """What follows."""
        return self.line[self.end : self.end + CONTEXT_CHARS]


@dataclass(frozen=True, slots=True)
class Hunk:
    """Words that changed."""

    old: Part
    new: Part

    @property
    def before(self) -> str:
        """What was taken out, without white space round it; may be empty."""
        return self.old.text.strip()

    @property
    def after(self) -> str:
        """What came in; may be empty."""
        return self.new.text.strip()


def list_hunks(line: Line) -> Iterator[Hunk]:
    """Yield the hunks of a changed *line*, in order."""
    before, after = line.before or "", line.after or ""
    i = j = start = new_start = 0
    for words in line.words:
        if words.change is Change.SAME:
            if (start, new_start) != (i, j):
                yield Hunk(Part(before, start, i), Part(after, new_start, j))
            i += len(words.text)
            j += len(words.text)
            start, new_start = i, j
        elif words.change is Change.REMOVED:
            i += len(words.text)
        else:
            j += len(words.text)
    if (start, new_start) != (i, j):
        yield Hunk(Part(before, start, i), Part(after, new_start, j))
