"""How many new articles a source has at each hour of the week, learned from when its articles were first seen. Pure."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import pairwise
from statistics import median
from typing import TYPE_CHECKING

from jobs.catalog.tallies import DAY, EPOCH

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Iterator, Mapping

HOUR = timedelta(hours=1)
WEEK_HOURS = 168
LEAST_DAYS = 14
"""So long a source is looked at before its rates are believed: each day of the week twice."""
LEAST_ARTICLES = 10
RECENT_DAYS = 14
_MONDAY = 4
"""1970-01-05 was one."""
_SPIKE = 3.0
"""A day counts for as many times the middle day at most: an import or a sitemap of old articles is no habit."""
_SPIKE_ARTICLES = 5
HOLIDAYS, HOLIDAY_RATE = 1 / 30, 1 / 5
"""So many days are holidays that nobody told us of, with so much of the usual rate."""
HABIT = 3
"""What was seen so often in eight weeks is a habit: one outage of ours, or of theirs, is none."""
_WAIT = timedelta(hours=6)
"""Shorter waits are not looked at."""
_STEADIEST, _BURSTIEST = 20.0, 1.0
"""Bounds of `Rates.steadiness`."""


@dataclass(frozen=True, slots=True)
class Rates:
    """What was learned of a source."""

    hours: tuple[float, ...]
    """Expected new articles in each hour of the week in UTC, from Monday 00:00 on."""
    steadiness: float
    """Shape of the gamma distribution that days' rates are drawn from: 1 is bursty, 20 as good as even."""
    recent: float
    """How the last two weeks were to what was learned, 1 at most: a lull of weeks is no silence."""
    usual: float = 0.0
    """The third greatest weight of the waits for new articles that were seen: where all come at once, it is high."""

    @property
    def per_week(self) -> float:
        """Expected new articles in a week, as things are lately."""
        return self.recent * sum(self.hours)

    def weigh(self, start: datetime, end: datetime) -> float:
        """Return how unlikely it is that nothing comes between *start* and *end*: minus the logarithm of its chance."""
        return sum(_weigh_day(expected, self.steadiness) for expected in self.expect(start, end))

    def expect(self, start: datetime, end: datetime) -> Iterator[float]:
        """Yield the expected new articles between *start* and *end*, day by day of UTC."""
        at = start
        while at < end:
            day = (at - EPOCH) // DAY
            midnight = EPOCH + (day + 1) * DAY
            whole = midnight <= end and midnight - at == DAY
            yield self.recent * (_expect_day(self.hours, day) if whole else self._sum(at, min(end, midnight)))
            at = midnight

    def _sum(self, start: datetime, end: datetime) -> float:
        total, at = 0.0, start
        while at < end:
            hour = (at - EPOCH) // HOUR
            then = min(end, EPOCH + (hour + 1) * HOUR)
            total += self.hours[(hour - _MONDAY * 24) % WEEK_HOURS] * ((then - at) / HOUR)
            at = then
        return total


def learn_rates(days: Mapping[int, Counter[str]], began: datetime, until: datetime) -> Rates | None:
    """Return what whole days from the one after *began* until the one of *until* tell; `None` if these are too few.

    *days*: as `jobs.catalog.health` counts them. An hour's rate is drawn from itself and the two beside it, and towards
    the source's mean with the weight of one article: an hour of which little is known has the rate of all.
    """
    first, last = (began - EPOCH) // DAY + 1, (until - EPOCH) // DAY - 1
    first = max(first, min((day for day in days if first <= day <= last), default=last + 1))
    span = range(first, last + 1)
    if len(span) < LEAST_DAYS:
        return None
    counts = {day: _list_hours(days.get(day)) for day in span}
    _flatten_spikes(counts)
    total = sum(map(sum, counts.values()))
    if total < LEAST_ARTICLES:
        return None
    hours = _smooth(counts, total / (24 * len(span)))
    expected = {day: _expect_day(hours, day) for day in span}
    recent = span[-RECENT_DAYS:]
    found = sum(sum(counts[day]) for day in recent) + 1
    rates = Rates(
        hours,
        _find_steadiness([(sum(counts[day]), expected[day]) for day in span]),
        min(1.0, found / (sum(expected[day] for day in recent) + 1)),
    )
    weights = sorted((rates.weigh(*wait) for wait in _list_waits(counts, days)), reverse=True)
    return replace(rates, usual=weights[HABIT - 1]) if len(weights) >= HABIT else rates


def _list_hours(counts: Counter[str] | None) -> list[float]:
    return [0.0] * 24 if counts is None else [float(counts[f"new {hour}"]) for hour in range(24)]


def _list_waits(
    counts: Mapping[int, list[float]], days: Mapping[int, Counter[str]]
) -> Iterator[tuple[datetime, datetime]]:
    """Yield the waits of some hours between new articles, those left out in which whole days were not looked at."""
    seen = [day * 24 + hour for day in sorted(counts) for hour in range(24) if counts[day][hour]]
    for before, after in pairwise(seen):
        if (after - before) * HOUR > _WAIT and all(day in days for day in range(before // 24, after // 24)):
            yield EPOCH + before * HOUR + HOUR / 2, EPOCH + after * HOUR + HOUR / 2


def _weigh_day(expected: float, shape: float) -> float:
    usual = (1 - HOLIDAYS) * (1 + expected / shape) ** -shape
    holiday = HOLIDAYS * (1 + HOLIDAY_RATE * expected / shape) ** -shape
    return -math.log(usual + holiday)


def _flatten_spikes(counts: dict[int, list[float]]) -> None:
    totals = [sum(hours) for hours in counts.values()]
    most = _SPIKE * median([total for total in totals if total] or [0.0]) + _SPIKE_ARTICLES
    for hours in counts.values():
        total = sum(hours)
        if total > most:
            hours[:] = [one * most / total for one in hours]


def _smooth(counts: Mapping[int, list[float]], mean: float) -> tuple[float, ...]:
    seen, times = [0.0] * WEEK_HOURS, [0] * WEEK_HOURS
    for day, hours in counts.items():
        start = (day - _MONDAY) % 7 * 24
        for hour, number in enumerate(hours):
            seen[start + hour] += number
            times[start + hour] += 1

    def around(values: list[float] | list[int], hour: int) -> float:
        return values[hour - 1] + values[hour] + values[(hour + 1) % WEEK_HOURS]

    return tuple((around(seen, hour) + 1) / (around(times, hour) + 1 / mean) for hour in range(WEEK_HOURS))


def _expect_day(hours: tuple[float, ...], day: int) -> float:
    start = (day - _MONDAY) % 7 * 24
    return sum(hours[start : start + 24])


def _find_steadiness(days: list[tuple[float, float]]) -> float:
    """Return the shape by the method of moments: a day's variance is its expectation μ and μ² over the shape."""
    excess = sum((found - expected) ** 2 - expected for found, expected in days)
    scale = sum(expected**2 for _, expected in days)
    if excess <= 0 or not math.isfinite(scale / excess):
        return _STEADIEST
    return min(_STEADIEST, max(_BURSTIEST, scale / excess))
