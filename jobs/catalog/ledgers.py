"""The ledger of one source as it is read: committed rows, this machine's journal, and the runs themselves."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from functools import cache
from typing import TYPE_CHECKING

from config.errors import ConfigError
from config.units import parse_schedule
from jobs.ledger import Journal, Outcome, SlotRun, Stretch, list_marks, resolve_slots
from jobs.ledger.slots import make_slots

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import date
    from pathlib import Path

    from crawler.rows import SlotRow
    from jobs.catalog import Catalog
    from jobs.catalog.slots import StoredRun
    from jobs.ledger import Slots

OPEN = "open"
"""Counted as this: slots of which nothing is told yet."""
RUN = frozenset({Outcome.DONE, Outcome.LATE})
"""Outcomes of slots that had a run."""
_EARLIER = timedelta(days=1)
"""A run for a slot may have begun so much before it by this clock, which may have been set back."""


@dataclass(frozen=True, slots=True)
class SourceLedger:
    """What is known of a source's slots and runs from some time on."""

    source: str
    marks: list[SlotRow]
    """All of them, in order of time."""
    stretches: list[Stretch]
    runs: dict[str, StoredRun]
    """Those that `stretches` name, and all others that began since, by id, in order of time."""


def read_ledger(
    catalog: Catalog,
    source: str,
    *,
    spool: Path,
    since: datetime,
    now: datetime,
    run_seconds: float,
    until: datetime | None = None,
    by_day: bool = False,
) -> SourceLedger:
    """Return the ledger of *source* from *since* to *until* (default: *now*), as far as the catalog knows it.

    *spool*: the source's own folder in the local state, which has its journal. *run_seconds*: a run may take so long.
    *by_day*: no stretch goes on over midnight (UTC).
    """
    end = now if until is None else min(until, now)
    rows = catalog.list_slot_rows(source, since=since)
    pending = Journal.open(spool).pending()
    runs = catalog.list_runs(source, since=since - _EARLIER)
    stretches = resolve_slots(
        rows,
        [SlotRun(run.slot, run.run, run.started) for run in runs if run.slot is not None],
        find_calendar=find_calendar,
        since=since,
        until=end,
        pending=pending,
        open_since=now - timedelta(seconds=run_seconds),
        cuts=_list_midnights(since, end) if by_day else (),
    )
    found = list(stretches)
    named = {one.run for one in found}
    kept = {run.run: run for run in runs if run.run in named or since <= run.started <= end}
    return SourceLedger(source, list_marks([*rows, *pending]), found, kept)


def count_outcomes(stretches: Sequence[Stretch]) -> dict[str, int]:
    """Return outcome → number of slots, `open` among them, in the order of the outcomes."""
    counts = dict.fromkeys([*(one.value for one in Outcome if not one.is_mark), OPEN], 0)
    for one in stretches:
        counts[one.outcome or OPEN] += one.slots
    return counts


def count_days(stretches: Iterable[Stretch]) -> dict[date, Counter[str]]:
    """Return day (UTC) → outcome → number of slots, of *stretches* that were read by day."""
    days: dict[date, Counter[str]] = {}
    for one in stretches:
        days.setdefault(one.slot.date(), Counter())[one.outcome or OPEN] += one.slots
    return days


def _list_midnights(since: datetime, until: datetime) -> Iterator[datetime]:
    at = datetime.combine(since.astimezone(UTC), time(), UTC) + timedelta(days=1)
    while at <= until:
        yield at
        at += timedelta(days=1)


@cache
def find_calendar(schedule: str) -> Slots | None:
    """Return the slots of *schedule*, which may come from a bucket; `None`: this version cannot read it."""
    try:
        return make_slots(parse_schedule(schedule))
    except (ConfigError, OverflowError, ValueError):
        return None
