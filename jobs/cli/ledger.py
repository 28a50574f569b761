"""The ledger of one source as commands read it: committed rows, this machine's journal, and the runs themselves."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING

from config.errors import ConfigError
from config.units import parse_schedule
from jobs.archive.identity import list_sources
from jobs.context import require_source
from jobs.ledger import JOURNAL_FILE, Journal, Outcome, SlotRun, Stretch, list_marks, resolve_slots
from jobs.ledger.slots import make_slots

if TYPE_CHECKING:
    from collections.abc import Sequence

    from crawler.rows import SlotRow
    from jobs.catalog.slots import StoredRun
    from jobs.context import OpenArchive
    from jobs.ledger import Slots

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


def read_ledger(archive: OpenArchive, source: str, *, since: datetime, now: datetime) -> SourceLedger:
    """Return the ledger of *source* from *since* to *now*, as far as the catalog knows it."""
    rows = archive.catalog.list_slot_rows(source, since=since)
    pending = Journal.open(archive.spool(source)).pending()
    runs = archive.catalog.list_runs(source, since=since - _EARLIER)
    stretches = resolve_slots(
        rows,
        [SlotRun(run.slot, run.run, run.started) for run in runs if run.slot is not None],
        find_calendar=find_calendar,
        since=since,
        until=now,
        pending=pending,
        open_since=now - timedelta(seconds=archive.settings.max_run_seconds),
    )
    found = list(stretches)
    named = {one.run for one in found}
    kept = {run.run: run for run in runs if run.run in named or run.started >= since}
    return SourceLedger(source, list_marks([*rows, *pending]), found, kept)


def choose_ledgers(archive: OpenArchive, names: Sequence[str]) -> list[str]:
    """Return *names*, or all sources of which this archive or this machine knows anything; brings the catalog up.

    Raises ConfigError, ArchiveError.
    """
    committed = list_sources(archive.store)
    noted = {path.parent.name for path in archive.state.glob(f"spool/*/{JOURNAL_FILE}")}
    known = sorted({*committed, *noted})
    for name in names:
        require_source(name, known)
    for name in names or known:
        if name in committed:
            archive.refresh(name)
    return list(dict.fromkeys(names)) or known


def count_outcomes(stretches: Sequence[Stretch]) -> dict[str, int]:
    """Return outcome → number of slots, `open` among them, in the order of the outcomes."""
    counts = dict.fromkeys([*(one.value for one in Outcome if not one.is_mark), "open"], 0)
    for one in stretches:
        counts[one.outcome or "open"] += one.slots
    return counts


@cache
def find_calendar(schedule: str) -> Slots | None:
    """Return the slots of *schedule*, which may come from a bucket; `None`: this version cannot read it."""
    try:
        return make_slots(parse_schedule(schedule))
    except (ConfigError, OverflowError, ValueError):
        return None
