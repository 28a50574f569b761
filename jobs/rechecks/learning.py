"""Counts of articles and edits → how closely a section's articles are looked at, by their age.

Of an age with λ edits, looks that lie in proportion to √λ find edits soonest for the same number of requests. λ of few
articles is drawn towards what the section shows at all ages, what the source shows at that age, and what is usual.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import accumulate
from typing import TYPE_CHECKING

from jobs.rechecks.policy import STEPS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from jobs.rechecks.policy import RecheckPolicy

USUAL = 0.005
"""Of two hundred articles one gets another text between two of the default ages: so much is assumed where nothing is
known, and others are compared with it. Of all eight ages together that makes 4 %."""
WEIGHT = 5.0
"""Edits that must be expected before what was counted weighs as much as what was assumed."""
_MOST = 2
"""Ages lie at most four times closer, or wider: two to the power of this."""
LOOK = STEPS * 2**_MOST
"""Weights are whole numbers: so many, added up over the steps, make a look. A step of usual weight has a fourth."""


@dataclass(slots=True)
class Counts:
    """What was seen of a section."""

    articles: list[int]
    """By the step to which their last look came."""
    edits: list[int]
    """By step; of an article one at most in each."""

    def by_age(self) -> tuple[list[float], list[int]]:
        """Return for each age how many articles were followed up to it from the age before, and their edits."""
        beyond = list(accumulate(reversed(self.articles[1:])))[::-1]
        ages = range(0, len(beyond), STEPS)
        return [sum(beyond[at : at + STEPS]) / STEPS for at in ages], [sum(self.edits[at : at + STEPS]) for at in ages]


@dataclass(frozen=True, slots=True)
class Plan:
    """The steps at which a section's articles are looked at."""

    sums: tuple[int, ...]
    """Step → weights of all steps before it; `LOOK` make one look."""

    def find_next(self, step: int) -> int:
        """Return the step at which an article is due whose last look came to *step*, which is not the last one."""
        last = len(self.sums) - 1
        looks = self.sums[step] // LOOK
        return next((at for at in range(step + 1, last) if self.sums[at] // LOOK > looks), last)

    def count_missed(self, step: int, now: int) -> int:
        """Return how many looks, `LOOK` each, an article is behind that was looked at at *step* and is at *now*."""
        return self.sums[now] - self.sums[step]


def make_plan(weights: Sequence[int]) -> Plan:
    """Return the plan for a section of those weights, one for each age: what `LOOK` is divided by."""
    steps = [weight for weight in weights for _ in range(STEPS)]
    return Plan((0, *accumulate(steps)))


def find_plans(counts: Mapping[int, Counts], policy: RecheckPolicy) -> tuple[dict[int, Plan], Plan]:
    """Return a plan for each section of a source, and that of sections of which nothing is known."""
    ages = policy.last // STEPS
    if not policy.adapts:
        plan = make_plan([STEPS] * ages)
        return dict.fromkeys(counts, plan), plan
    seen = {section: one.by_age() for section, one in counts.items()}
    usual = [
        _draw(sum(edits[age] for _, edits in seen.values()), sum(number[age] for number, _ in seen.values()), USUAL)
        for age in range(ages)
    ]
    plans = {}
    for section, (articles, edits) in seen.items():
        expected = sum(number * rate for number, rate in zip(articles, usual, strict=True))
        ratio = (sum(edits) + WEIGHT) / (expected + WEIGHT)
        rates = [_draw(e, n, rate * ratio) for e, n, rate in zip(edits, articles, usual, strict=True)]
        plans[section] = make_plan([weigh(rate) for rate in rates])
    return plans, make_plan([weigh(rate) for rate in usual])


def weigh(rate: float) -> int:
    """Return the weight of a step at an age with *rate* edits an article: 1, 2, 4 (as usual), 8 or 16."""
    power = round(math.log2(rate / USUAL) / 2)
    return int(STEPS * 2.0 ** max(-_MOST, min(_MOST, power)))


def _draw(edits: float, articles: float, towards: float) -> float:
    return (edits + WEIGHT) / (articles + WEIGHT / towards)
