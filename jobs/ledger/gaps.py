"""The times in which nobody looked, and whether an article was published in one. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING, Any

from jobs.ledger.outcomes import Outcome

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from jobs.ledger.resolving import Stretch

Span = tuple[datetime, datetime]
_UNSEEN = {Outcome.MISSED, Outcome.FAILED}
_SLACK = timedelta(days=1)
"""So much may announced times be out: they have wrong zones, or are dates without a time."""
_DATE_CHARS = len("2026-11-22")


@dataclass(frozen=True, slots=True)
class Gap:
    """Consecutive slots of which none had a run that was of use."""

    stretches: tuple[Stretch, ...]
    after: datetime
    """The slot before, or the gap's own first one."""
    until: datetime
    """When the next run began, or now."""

    @property
    def slots(self) -> int:
        """How many there are."""
        return sum(one.slots for one in self.stretches)


def find_gaps(stretches: Iterable[Stretch], started: Mapping[str, datetime], now: datetime) -> list[Gap]:
    """Return the gaps among *stretches*, in order. *started*: when the runs that they name began."""
    gaps: list[Gap] = []
    before: datetime | None = None
    unseen: list[Stretch] = []
    for one in stretches:
        if one.outcome in _UNSEEN:
            unseen.append(one)
            continue
        if unseen:
            gaps.append(_make_gap(unseen, before, started.get(one.run or "", one.slot)))
            unseen = []
        before = one.through
    if unseen:
        gaps.append(_make_gap(unseen, before, now))
    return gaps


def list_spans(gaps: Iterable[Gap]) -> tuple[Span, ...]:
    """Return the times within which what fills *gaps* may say that it was published: few, in order, none touching."""
    spans: list[Span] = []
    for begin, end in sorted((gap.after - _SLACK, gap.until + _SLACK) for gap in gaps):
        if spans and begin <= spans[-1][1]:
            spans[-1] = spans[-1][0], max(end, spans[-1][1])
        else:
            spans.append((begin, end))
    return tuple(spans)


def _make_gap(stretches: list[Stretch], before: datetime | None, until: datetime) -> Gap:
    return Gap(tuple(stretches), before or stretches[0].slot, max(until, stretches[-1].through))


def read_published(fields: Mapping[str, Any]) -> Span | None:
    """Return when a text says that it was published, from and until: an instant, or the day of a date alone (UTC).

    *fields*: of a snapshot row. `None`: it does not say, or in no form that is known here.
    """
    told = fields.get("published")
    value = told.get("value") if isinstance(told, dict) else None
    if not isinstance(value, str):
        return None
    try:
        found = datetime.fromisoformat(value)
        if len(value) == _DATE_CHARS:
            day = datetime.combine(found, time(), UTC)
            return day, day + timedelta(days=1)
        return (found.astimezone(UTC),) * 2 if found.tzinfo else None
    except (ValueError, OverflowError):
        return None
