"""A count for each day → a small chart, as one path of steps, so that many of them weigh little."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

STEP, HEIGHT = 4, 24
_LEAST = 1
"""What little is, is seen."""


@dataclass(frozen=True, slots=True)
class Sparkline:
    """Shapes of a chart, `width` × `height` units."""

    width: int
    height: int
    path: str
    """Of the area below the counts, as SVG has it."""
    label: str
    """The chart in words."""


def draw_sparkline(counts: Sequence[int], label: str) -> Sparkline:
    """Return the chart of *counts*, one a day, the oldest first; the greatest is as high as the chart."""
    most = max(counts, default=0)
    steps = [f"V{HEIGHT - _scale(count, most)}h{STEP}" for count in counts]
    path = f"M0 {HEIGHT}{''.join(steps)}V{HEIGHT}z"
    return Sparkline(width=STEP * max(1, len(counts)), height=HEIGHT, path=path, label=label)


def _scale(count: int, most: int) -> int:
    return max(_LEAST, round(HEIGHT * count / most)) if count > 0 else 0
