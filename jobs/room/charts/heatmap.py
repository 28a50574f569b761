"""What became of each day → a calendar of a year: weeks from left to right, Monday on top.

What a day was is told by its shape, too: a cross, a corner, a dot.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

from jobs.citation import MONTHS

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

DAYS = 371
"""Of a calendar at most: 53 weeks."""
_STEP, _SIZE = 13, 11
_LEFT, _TOP = 30, 16
_WEEKDAYS = {0: "Mon", 2: "Wed", 4: "Fri"}


class DayKind(StrEnum):
    """What a day was, by its slots."""

    WHOLE = "whole"
    """All slots had a run, or the run before was still going."""
    PART = "part"
    """Some had none that was of use."""
    MISSED = "missed"
    """None had."""
    OPEN = "open"
    """There are slots, and nothing is told of any yet."""
    BESIDE = "beside"
    """No slot was expected; there were runs."""
    NONE = "none"
    """Neither slots nor runs."""


_MARKS = {
    DayKind.PART: "M{right} {top}v11h-11z",
    DayKind.MISSED: "M{inner} {upper}l6 6m0-6l-6 6",
    DayKind.BESIDE: "M{inner} {middle}a3 3 0 1 0 6 0a3 3 0 1 0-6 0z",
    DayKind.OPEN: "M{inner} {middle}h6",
}


@dataclass(frozen=True, slots=True)
class DayCell:
    """A day of which there is something to tell."""

    day: date
    kind: DayKind
    label: str
    square: str
    """Path of the whole cell, as SVG has it."""
    mark: str
    """Path of what tells its kind beside its colour; empty: nothing."""


@dataclass(frozen=True, slots=True)
class Heatmap:
    """Shapes of a calendar, `width` × `height` units."""

    width: int
    height: int
    cells: tuple[DayCell, ...]
    """In order of time."""
    empty: str
    """Path of all days of which there is nothing to tell."""
    months: tuple[tuple[int, str], ...]
    """x and name, where a month begins."""
    weekdays: tuple[tuple[int, str], ...]
    """y and name."""
    label: str


def draw_heatmap(days: Mapping[date, tuple[DayKind, str]], first: date, last: date, label: str) -> Heatmap:
    """Return the calendar from *first* to *last*, at most DAYS. *days*: kind, and it in words; others are empty."""
    first = max(first, last - timedelta(days=DAYS - 1))
    monday = first - timedelta(days=first.weekday())
    cells: list[DayCell] = []
    empty: list[str] = []
    months: list[tuple[int, str]] = []
    for number in range((last - first).days + 1):
        day = first + timedelta(days=number)
        x, y = _LEFT + (day - monday).days // 7 * _STEP, _TOP + day.weekday() * _STEP
        square = f"M{x} {y}h{_SIZE}v{_SIZE}h-{_SIZE}z"
        if day.day == 1:
            months.append((x, MONTHS[day.month - 1][:3]))
        kind, told = days.get(day, (DayKind.NONE, ""))
        if kind is DayKind.NONE:
            empty.append(square)
        else:
            cells.append(DayCell(day, kind, told, square, _draw_mark(kind, x, y)))
    weeks = (last - monday).days // 7 + 1
    return Heatmap(
        width=_LEFT + weeks * _STEP,
        height=_TOP + 7 * _STEP,
        cells=tuple(cells),
        empty="".join(empty),
        months=tuple(months),
        weekdays=tuple((_TOP + row * _STEP + 9, name) for row, name in _WEEKDAYS.items()),
        label=label,
    )


def _draw_mark(kind: DayKind, x: int, y: int) -> str:
    middle, inner = _SIZE // 2, 3
    return _MARKS.get(kind, "").format(
        right=x + _SIZE, top=y, inner=x + inner - 0.5, upper=y + inner - 0.5, middle=y + middle + 0.5
    )
