"""Figures beside what they must be: one table, a line each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

_HEAD = ("figure", "ours", "trafilatura", "must", "aim", "")


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure, and what is asked of it."""

    name: str
    ours: float
    peer: float | None = None
    """trafilatura's, of the same run."""
    must: float | None = None
    """`None`: nothing is asked of it."""
    aim: float | None = None
    form: str = ".1f"
    unit: str = ""
    compared: bool = False
    """Whether *must* and *aim* are of the difference to trafilatura's."""
    most: bool = False
    """Whether the figure must be that at most, not at least."""

    @property
    def judged(self) -> float:
        """What is held against *must*: as it is shown, so that the line cannot contradict itself."""
        value = self.ours - self.peer if self.compared and self.peer is not None else self.ours
        return float(format(value, self.form))

    @property
    def verdict(self) -> str:
        """`ok` or `missed`; empty where nothing is asked."""
        if self.must is None:
            return ""
        if not self._reaches(self.must):
            return "missed"
        return "ok, aim" if self.aim is not None and self._reaches(self.aim) else "ok"

    def cells(self) -> tuple[str, ...]:
        """Return the texts of the line."""
        ours = self._show(self.ours)
        if self.compared:
            ours += f" ({self.judged:+{self.form}})"
        bounds = [self._bound(value) for value in (self.must, self.aim)]
        return self.name, ours, "" if self.peer is None else self._show(self.peer), *bounds, self.verdict

    def _reaches(self, bound: float) -> bool:
        return self.judged <= bound if self.most else self.judged >= bound

    def _show(self, value: float) -> str:
        return f"{value:{self.form}}{self.unit}"

    def _bound(self, value: float | None) -> str:
        if value is None:
            return ""
        return f"{'≤' if self.most else '≥'} {value:{'+' if self.compared else ''}{self.form}}{self.unit}"


def show_table(figures: Sequence[Figure]) -> str:
    """Return the table, with a count of what was missed as its last line."""
    rows = [_HEAD, *(figure.cells() for figure in figures)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(_HEAD))]
    lines = [
        "  ".join(
            cell.rjust(width) if 0 < at < 5 else cell.ljust(width)
            for at, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]
    asked = [figure for figure in figures if figure.must is not None]
    missed = sum(1 for figure in asked if figure.verdict == "missed")
    return "\n".join([*lines, f"{len(asked) - missed} of {len(asked)} figures are what they must be"])
