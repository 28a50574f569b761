"""What counted captures mean: which brought a text, which failed, which were refused; over how many runs. Pure."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import exp, lgamma, log
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Mapping

    from jobs.catalog.health import RunTally, SourceTally

USABLE = frozenset({"article", "live", "video", "gallery", "infograph"})
REFUSED = {
    "challenge": "a robot check",
    "consent": "a form of consent",
    "robots": "robots.txt",
    "http 401": "status 401",
    "http 403": "status 403",
    "http 451": "status 451 (legal reasons)",
}
"""What comes where a publisher does not want us → in words."""
NEUTRAL = frozenset({"same", "unread", "noarchive", "outside", "soft-404", "http 404", "http 410"}) | {
    f"http {status}" for status in range(300, 400)
}
"""Neither a text nor a failure."""
UNREADABLE = {
    "error": "no text",
    "truncated": "cut by a pay wall",
    "listing": "listings",
    "other": "another class",
}
"""Pages that were served, and no text came of → in words."""
FAILURES = {
    "dns": "the host name has no address",
    "certificate": "the certificate is not trusted",
    "tls": "no TLS connection",
    "time": "no answer in time",
    "connection": "no connection",
    "unreadable": "robots.txt cannot be had",
    "no answer": "no answer",
}
"""Why there was no answer → in words."""
WINDOW = timedelta(days=3)
"""What is older than that, before the newest run, says nothing of how things are."""
_MOST_TRIALS = 200


@dataclass(frozen=True, slots=True)
class Window:
    """The newest runs of a source together, and all that was before."""

    now: Counter[str]
    before: Counter[str]
    since: datetime
    """When the oldest of these runs began."""
    runs: int


def look_back(tally: SourceTally, enough: Callable[[Counter[str]], bool]) -> Window | None:
    """Return the newest runs, as many as are *enough*; `None` if even all of the last three days are not."""
    counts: Counter[str] = Counter()
    for number, run in enumerate(tally.runs, 1):
        if tally.runs[0].began - run.began > WINDOW:
            return None
        counts.update(run.counts)
        if enough(counts):
            before: Counter[str] = Counter()
            for day in tally.days.values():
                before.update(day)
            before.subtract(counts)
            return Window(counts, before, run.began, number)
    return None


def take(counts: Mapping[str, int], group: str) -> Counter[str]:
    """Return outcome → number of the captures of *group* (`page`, `listing`, `robots`)."""
    prefix = f"{group} "
    return Counter({name.removeprefix(prefix): number for name, number in counts.items() if name.startswith(prefix)})


def add_up(outcomes: Mapping[str, int], names: Container[str]) -> int:
    """Return how many of *outcomes* are among *names*."""
    return sum(number for name, number in outcomes.items() if name in names)


def count_telling(outcomes: Mapping[str, int]) -> int:
    """Return how many of *outcomes* are usable, refused or failed."""
    return sum(number for name, number in outcomes.items() if name not in NEUTRAL)


def explain(outcome: str) -> str:
    """Return *outcome* in words."""
    told = REFUSED.get(outcome) or UNREADABLE.get(outcome) or FAILURES.get(outcome)
    return told or outcome.replace("http", "status")


def find_tail(found: int, trials: int, share: float) -> float:
    """Return the chance of *found* or fewer in *trials*, each with a chance of *share* between 0 and 1; of 200 at most.

    Captures of one site are no independent trials: more of them would seem to prove more than they do.
    """
    if trials > _MOST_TRIALS:
        found, trials = found * _MOST_TRIALS // trials, _MOST_TRIALS
    return sum(
        exp(
            lgamma(trials + 1) - lgamma(k + 1) - lgamma(trials - k + 1) + k * log(share) + (trials - k) * log(1 - share)
        )
        for k in range(found + 1)
    )


def newest(runs: tuple[RunTally, ...], holds: Callable[[Counter[str]], bool | None]) -> tuple[int, datetime | None]:
    """Return how many of the newest runs *holds* is true of without a break, and when the first of these began.

    Runs that say nothing (`None`) are passed over.
    """
    number, since = 0, None
    for run in runs:
        told = holds(run.counts)
        if told is False:
            break
        if told:
            number, since = number + 1, run.began
    return number, since
