"""How often a source that is well is called silent, and how soon one is that fell silent: made-up sources over years.

`python -m tests.benchmarks.silence [YEARS]`; 20 years of each take a minute or two. Seeded: the same table each time.
"""

from __future__ import annotations

import math
import random
import sys
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from jobs.catalog.health import HISTORY_DAYS
from jobs.catalog.tallies import DAY, EPOCH
from jobs.health.rates import HOUR, learn_rates
from jobs.health.silence import find_silence

if TYPE_CHECKING:
    from collections.abc import Mapping

    from jobs.health.rates import Rates

MONDAY = datetime(2026, 1, 5, tzinfo=UTC)
YEAR = 364
LEAST = timedelta(hours=6)
INTERVAL = timedelta(hours=1)
MOST_HOURS = 24 * 150
_HOURS = (
    *(0.2, 0.15, 0.1, 0.1, 0.2, 0.6, 1.2, 1.6, 1.8, 1.9, 1.8, 1.7),
    *(1.7, 1.7, 1.7, 1.8, 1.8, 1.7, 1.4, 1.1, 0.8, 0.6, 0.4, 0.25),
)
QUIET = {0: 0.15, 90: 0.2, 93: 0.2, 120: 0.3, 150: 0.3, 357: 0.2, 358: 0.1, 359: 0.15} | dict.fromkeys(
    range(360, 364), 0.4
)
"""Holidays on which little is written: day of the year → share of a usual day."""
CLOSED = dict.fromkeys((0, 90, 93, 120, *range(355, 364)), 0.0)
"""Holidays on which nothing is."""


@dataclass(frozen=True, slots=True)
class Newsroom:
    """A made-up source."""

    name: str
    per_day: float
    weekend: float = 0.6
    """A day of it, to a weekday."""
    steadiness: float = 6.0
    """Of days; 2 is bursty."""
    holidays: Mapping[int, float] = field(default_factory=lambda: QUIET)
    mondays: bool = False
    """Whether all of a week comes on Monday at nine."""


NEWSROOMS = (
    Newsroom("300 a day", 300),
    Newsroom("300 a day, bursty", 300, steadiness=3),
    Newsroom("300 a day, quiet weekends", 300, weekend=0.08),
    Newsroom("300 a day, nothing on holidays", 300, holidays=CLOSED),
    Newsroom("40 a day, none at weekends", 40, weekend=0),
    Newsroom("20 a day", 20),
    Newsroom("20 a day, nothing on holidays", 20, holidays=CLOSED),
    Newsroom("3 a day", 3),
    Newsroom("1 a day, nothing on holidays", 1, holidays=CLOSED),
    Newsroom("2 a week", 2 / 7, holidays={}),
    Newsroom("2 a week, 3 weeks off", 2 / 7, holidays=dict.fromkeys(range(200, 221), 0.0)),
    Newsroom("15 each Monday", 15 / 7, holidays={}, mondays=True),
)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of years of one source."""

    alarms_a_year: float
    delays: tuple[float, ...]
    """Hours until an end at some moment is noticed, sorted; the time since the last article is not in them."""

    def delay(self, share: float) -> float:
        """Return the hours within which that share of ends was noticed."""
        return self.delays[round(share * (len(self.delays) - 1))]


def simulate(newsroom: Newsroom, *, years: int, seed: int) -> Outcome:
    """Live through *years* of *newsroom*, looked at every hour."""
    chance = random.Random(f"{seed} {newsroom.name}")
    days: dict[int, Counter[str]] = {}
    rates: Rates | None = None
    last: datetime | None = None
    alarms, delays = 0, []
    for number in range(years * YEAR):
        midnight = MONDAY + number * DAY
        counts: Counter[str] = Counter()
        ends_at = chance.randrange(24) if number % 9 == 0 else None
        for hour, articles in enumerate(_write_day(newsroom, number, chance)):
            at = midnight + hour * HOUR
            if hour == ends_at and rates is not None and last is not None:
                delays.append(_find_delay(rates, last, at))
            if not articles:
                continue
            if rates is not None and last is not None and at - last > LEAST:
                alarms += find_silence(rates, last, at, least=LEAST, interval=INTERVAL).found
            counts[f"new {hour}"], last = articles, at + HOUR / 2
        day = (midnight - EPOCH) // DAY
        days[day] = counts
        days.pop(day - HISTORY_DAYS, None)
        if last is not None and number % 3 == 0:
            rates = learn_rates(days, MONDAY - DAY, last) or rates
    return Outcome(alarms / years, tuple(sorted(delays)))


def _write_day(newsroom: Newsroom, number: int, chance: random.Random) -> list[int]:
    if newsroom.mondays:
        return [round(newsroom.per_day * 7) if number % 7 == 0 and hour == 9 else 0 for hour in range(24)]
    factor = chance.gammavariate(newsroom.steadiness, 1 / newsroom.steadiness)
    factor *= newsroom.holidays.get(number % YEAR, 1.0) * (newsroom.weekend if number % 7 > 4 else 1.0)
    mean = newsroom.per_day * factor * 7 / (5 + 2 * newsroom.weekend) / sum(_HOURS)
    return [_draw(mean * share, chance) for share in _HOURS]


def _draw(mean: float, chance: random.Random) -> int:
    """Return a Poisson-distributed number."""
    if mean > 30:
        return max(0, round(chance.gauss(mean, math.sqrt(mean))))
    number, product, limit = 0, chance.random(), math.exp(-mean)
    while product > limit:
        number += 1
        product *= chance.random()
    return number


def _find_delay(rates: Rates, last: datetime, end: datetime) -> float:
    low, high = 0, MOST_HOURS
    while low < high:  # evidence only grows
        middle = (low + high) // 2
        if find_silence(rates, last, end + middle * HOUR, least=LEAST, interval=INTERVAL).found:
            high = middle
        else:
            low = middle + 1
    return float(low)


def main(years: int) -> None:
    """Write the table."""
    print(f"{'source':<32} {'false alarms a year':>20} {'noticed after, middle':>22} {'19 of 20 within':>16}")  # noqa: T201
    for newsroom in NEWSROOMS:
        outcome = simulate(newsroom, years=years, seed=7)
        middle, most = (_show_hours(outcome.delay(share)) for share in (0.5, 0.95))
        print(f"{newsroom.name:<32} {outcome.alarms_a_year:>20.2f} {middle:>22} {most:>16}", flush=True)  # noqa: T201


def _show_hours(hours: float) -> str:
    return f"{hours:.0f} h" if hours < 72 else f"{hours / 24:.0f} days"


if __name__ == "__main__":
    main(int(sys.argv[1]) if sys.argv[1:] else 20)
