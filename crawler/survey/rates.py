"""When articles were published → how many there are a day, and how often to look."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from crawler.survey.proposed import Reasoned
from crawler.survey.shapes import DATED_KINDS, read_parts

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from crawler.survey.facts import AnnouncedLink

_MIN_TIMED = 5
"""So many times are needed before they say how many articles there are a day."""
_DAY = 86_400
_WINDOW = 30 * _DAY
_LEAST = 3 * 3_600
_INTERVALS = ((48.0, "every 15 minutes"), (12.0, "every 30 minutes"), (2.0, "every 1 hour"), (0.3, "every 3 hours"))
_SLOWEST = "every 12 hours"
_SECONDS = {
    "every 15 minutes": 900,
    "every 30 minutes": 1_800,
    "every 1 hour": 3_600,
    "every 3 hours": 10_800,
    _SLOWEST: 43_200,
}


def time_of(link: AnnouncedLink) -> datetime | None:
    """Return when what *link* leads to was published: as announced, or the day in its URL."""
    if link.published is not None:
        return link.published
    parts = read_parts(link.url)
    if parts is None:
        return None
    numbers = [text for text, kind in zip(parts.segments, parts.kinds, strict=True) if kind in DATED_KINDS]
    digits = (
        "".join(numbers[0].split("-"))
        if len(numbers) == 1
        else "".join(f"{int(n):02d}" if n.isdigit() else "" for n in numbers)
    )
    try:
        return datetime.strptime(digits, "%Y%m%d").replace(tzinfo=UTC) if len(digits) == 8 else None
    except ValueError:
        return None


def measure_rate(times: Iterable[datetime]) -> float | None:
    """Return articles a day, from the times of those that one document announces; `None` if they do not tell."""
    ordered = sorted(times)
    if len(ordered) < _MIN_TIMED:
        return None
    newest = ordered[-1]
    recent = [time for time in ordered if (newest - time).total_seconds() <= _WINDOW]
    span = (newest - recent[0]).total_seconds()
    if len(recent) < _MIN_TIMED or span < _LEAST:
        return None
    return (len(recent) - 1) / (span / _DAY)


def sum_up_rates(listings: Sequence[Sequence[datetime]], times: Sequence[datetime]) -> float | None:
    """Return articles a day of a whole site.

    *listings*: of each its times; *times*: of all articles. A document tells of as long a time as its entries span, and
    others may tell of more articles in that time.
    """
    best: float | None = None
    ordered = sorted(times)
    for own in listings:
        rate = measure_rate(own)
        if rate is None:
            continue
        newest = ordered[-1]
        since = max(min(own), newest - timedelta(seconds=_WINDOW))
        days = (newest - since).total_seconds() / _DAY
        found = sum(time >= since for time in ordered)
        if days * _DAY >= _LEAST and (best is None or (found - 1) / days > best):
            best = (found - 1) / days
    return best


def propose_schedule(per_day: float | None, spans: Iterable[float]) -> Reasoned:
    """Return how often to look, for so many articles a day.

    *spans*: seconds between the newest and the oldest entry of each feed that is kept: what it drops unseen is lost.
    """
    if per_day is None:
        return Reasoned("every 1 hour", "how many articles there are a day is not told")
    chosen = next((name for least, name in _INTERVALS if per_day >= least), _SLOWEST)
    why = f"about {per_day:.3g} articles a day"
    shortest = min((span for span in spans if span > 0), default=None)
    if shortest is not None and _SECONDS[chosen] > shortest / 3:
        fitting = [name for _, name in reversed(_INTERVALS) if _SECONDS[name] <= shortest / 3]
        faster = fitting[0] if fitting else "every 15 minutes"
        if _SECONDS[faster] < _SECONDS[chosen]:
            return Reasoned(faster, f"{why}, and a feed holds those of {shortest / 3_600:.3g} hours only")
    return Reasoned(chosen, why)
