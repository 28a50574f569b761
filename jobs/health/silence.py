"""Whether a source is silent: nothing new for longer than is plausible at these hours of the week. Pure.

A day's articles are taken for Poisson-distributed about a rate that is itself drawn anew each day (gamma), so that
quiet days happen as often as they did, and one day in thirty for a holiday with a fifth of that rate. Silence is told
where such a wait is less likely than one in ten thousand and than once in ten years of such a source, outweighs what
was seen three times in eight weeks, and is longer than `health_silent_seconds` and three slots. What comes of that in
years of made-up sources (`python -m tests.benchmarks.silence`) stands in CONTRIBUTING.md § Decisions.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jobs.health.rates import Rates

CHANCE = 1e-4
"""Less likely than that, beside …"""
YEARS = 10.0
"""… once in so many years: each article is a new chance of a long wait."""
MORE = 1.25
"""So much must a wait outweigh what was seen three times in eight weeks."""
SLOTS = 3
_WEEKS = 52.0


@dataclass(frozen=True, slots=True)
class Silence:
    """A source that said nothing."""

    since: datetime
    """When it last said something."""
    until: datetime
    """When it was last looked at."""
    expected: float
    """New articles in that time."""
    found: bool
    """Whether it is longer than is plausible."""


def find_silence(
    rates: Rates, last_new: datetime, last_look: datetime, *, least: timedelta, interval: timedelta
) -> Silence:
    """Judge the time from the newest article to the last look that would have found a newer one.

    *least*: no shorter time is silence. *interval*: between two looks.
    """
    rarely = math.log(max(1.0, YEARS * _WEEKS * rates.per_week))
    needed = max(-math.log(CHANCE), rarely, MORE * rates.usual)
    long_enough = last_look - last_new >= max(least, SLOTS * interval)
    found = long_enough and rates.weigh(last_new, last_look) >= needed
    return Silence(last_new, last_look, sum(rates.expect(last_new, last_look)), found)
