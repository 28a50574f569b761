"""A share for each day → a small chart of it, with gaps where there is none."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

STEP, HEIGHT = 4, 40


@dataclass(frozen=True, slots=True)
class ShareChart:
    """Shapes of a chart, `width` × `height` units; its whole height is all."""

    width: int
    height: int
    area: str
    """Path of what lies below the shares, as SVG has it."""
    line: str
    """Path of the shares themselves."""
    label: str


def draw_shares(shares: Sequence[float | None], label: str) -> ShareChart:
    """Return the chart of *shares* (0 to 1), one a day, the oldest first; `None`: there is nothing to take one of."""
    heights = [None if one is None else round(HEIGHT * (1 - min(1.0, max(0.0, one))), 1) for one in shares]
    areas = [f"M{x} {HEIGHT}{''.join(f'V{y:g}h{STEP}' for y in run)}V{HEIGHT}z" for x, run in _list_runs(heights)]
    lines = [f"M{x} {run[0]:g}{''.join(f'V{y:g}h{STEP}' for y in run)}" for x, run in _list_runs(heights)]
    return ShareChart(STEP * max(1, len(shares)), HEIGHT, "".join(areas), "".join(lines), label)


def _list_runs(heights: Sequence[float | None]) -> Iterator[tuple[int, list[float]]]:
    """Yield where each stretch without a gap begins, and its heights."""
    for there, group in groupby(enumerate(heights), lambda pair: pair[1] is not None):
        found = list(group)
        if there:
            yield found[0][0] * STEP, [y for _, y in found if y is not None]
