"""Counts side by side → bars, of which a part may be set off, and a line of what was expected."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

WIDTH, HEIGHT = 480, 150
_TOP, _BOTTOM, _LEFT = 10, 18, 34
_LEAST = 1.5
"""What little is, is seen."""
_ROOM = HEIGHT - _TOP - _BOTTOM


@dataclass(frozen=True, slots=True)
class Bar:
    """One count."""

    label: str
    x: float
    y: float
    width: float
    height: float
    part_y: float
    part_height: float
    """Of the part, which stands at the foot of the bar; 0: there is none."""


@dataclass(frozen=True, slots=True)
class Bars:
    """Shapes of a chart, `width` × `height` units."""

    width: int
    height: int
    foot: int
    """y of the line on which the bars stand."""
    left: int
    bars: tuple[Bar, ...]
    line: str
    """Path of what was expected, in steps; empty: nothing was."""
    ticks: tuple[tuple[float, str], ...]
    """x and text, below."""
    most: str
    """Of the highest: what the top of the chart stands for."""
    top: int
    """y of that."""
    label: str


def draw_bars(
    counts: Sequence[int],
    labels: Sequence[str],
    label: str,
    *,
    parts: Sequence[int] = (),
    expected: Sequence[float | None] = (),
    ticks: Mapping[int, str] | None = None,
) -> Bars:
    """Return bars of *counts*, each with the text of *labels* that says all of it.

    *parts*: how much of each count is set off. *expected*: what each count should have been. *ticks*: text for some.
    """
    most = max([*counts, *(one for one in expected if one is not None), 1])
    step = (WIDTH - _LEFT) / max(1, len(counts))
    foot = HEIGHT - _BOTTOM

    def rise(value: float) -> float:
        return 0.0 if value <= 0 else round(max(_LEAST, _ROOM * value / most), 1)

    bars = []
    for number, count in enumerate(counts):
        height, part = rise(count), rise(min(parts[number], count)) if parts else 0.0
        x = round(_LEFT + number * step + step * 0.1, 1)
        bars.append(Bar(labels[number], x, foot - height, round(step * 0.8, 1), height, foot - part, part))
    return Bars(
        width=WIDTH,
        height=HEIGHT,
        foot=foot,
        left=_LEFT,
        bars=tuple(one for one in bars if one.height),
        line=_draw_line([None if one is None else foot - rise(one) for one in expected], step),
        ticks=tuple((round(_LEFT + number * step + step / 2, 1), text) for number, text in (ticks or {}).items()),
        most=f"{most:,.0f}",
        top=_TOP,
        label=label,
    )


def _draw_line(heights: Sequence[float | None], step: float) -> str:
    path, drawn = [], False
    for number, y in enumerate(heights):
        if y is not None:
            x = round(_LEFT + number * step, 1)
            path.append(f"V{y:g}" if drawn else f"M{x:g} {y:g}")
            path.append(f"h{step:.2f}")
        drawn = y is not None
    return "".join(path)
