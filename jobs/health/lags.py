"""How soon after their publication articles are seen, as a distribution. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from jobs.catalog.tallies import span_of
from jobs.health.quality import split_lags

if TYPE_CHECKING:
    from datetime import datetime

    from jobs.catalog.health import SourceTally


@dataclass(frozen=True, slots=True)
class LagStep:
    """Articles that were first seen so long after their publication; steps grow alike."""

    minutes: float
    until_minutes: float
    """Exclusive."""
    articles: int
    """Of all the weeks that are counted."""
    lately: int
    """Of these, those of the last seven days."""


def list_lags(tally: SourceTally, now: datetime) -> tuple[LagStep, ...]:
    """Return all steps from the first to the last one that has an article; none where there is none."""
    lately, before = split_lags(tally, now)
    last = max([*lately, *before], default=-1)
    return tuple(_make_step(step, lately[step] + before[step], lately[step]) for step in range(last + 1))


def _make_step(step: int, articles: int, lately: int) -> LagStep:
    minutes, until = span_of(step)
    return LagStep(round(minutes, 1), round(until, 1), articles, lately)
