"""What a daemon must know of a source's slots when it begins, and where it notes what became of them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from jobs.catalog import Catalog
from jobs.context import CATALOG_FILE
from jobs.ledger import Journal, Outcome, find_fault, find_schedule

if TYPE_CHECKING:
    from collections.abc import Iterable

    from crawler.rows import SlotRow
    from jobs.ledger.slots import ScheduleSlots

_RECENT = timedelta(days=7)
"""Before the last run: what is older says nothing of which slots are still to be run."""


@dataclass(frozen=True, slots=True)
class Standing:
    """How a source stands in the ledger."""

    schedule: str | None = None
    """That holds by the last mark; `None`: none ever did, or not any more."""
    decided: datetime | None = None
    """The last slot, not in the future, of which something is known, or when its schedule began; `None`: neither."""
    ahead: frozenset[datetime] = frozenset()
    """Slots in the future that were run: the wall clock was set back since."""
    crawled: bool = False
    """Whether there ever was a run of it."""


class Book(Protocol):
    """The ledger, as the daemon uses it."""

    def read(self, source: str, now: datetime) -> Standing:
        """Return how *source* stands. Raises ArchiveError, OSError."""

    def note(self, source: str, row: SlotRow, slots: ScheduleSlots | None = None) -> None:
        """Note *row*; *slots* are those of its schedule. Raises OSError."""


@dataclass(frozen=True, slots=True)
class ArchiveBook:
    """The ledger in the catalog and the journals of one local state."""

    state: Path
    """As OpenArchive has it."""

    def read(self, source: str, now: datetime) -> Standing:
        """See Book."""
        with Catalog.open(self.state / CATALOG_FILE, read_only=True) as catalog:
            last = catalog.last_started(source)
            since = None if last is None else last - _RECENT
            rows = [*catalog.list_slot_rows(source, since=since), *self._journal(source).pending()]
            runs = [run.slot for run in catalog.list_slot_runs(source, since=since)]
        return judge_standing(rows, runs, now, crawled=last is not None)

    def note(self, source: str, row: SlotRow, slots: ScheduleSlots | None = None) -> None:
        """See Book."""
        self._journal(source).note(row, slots)

    def _journal(self, source: str) -> Journal:
        return Journal.open(self.state / "spool" / source)


def judge_standing(
    rows: Iterable[SlotRow], runs: Iterable[datetime], now: datetime, *, crawled: bool = False
) -> Standing:
    """Return how a source stands by the ledger's *rows* and the slots of its *runs*."""
    rows = [row for row in rows if find_fault(row) is None]
    slots, schedule = set(runs), find_schedule(rows)
    if schedule is None and any(row.outcome == Outcome.UNSCHEDULED for row in rows):
        return Standing(crawled=crawled or bool(slots))
    known = {row.through or row.slot for row in rows if row.outcome != Outcome.UNSCHEDULED} | slots
    known |= {row.slot for row in rows if (row.through or row.slot) > now}
    ran = slots | {row.slot for row in rows if row.outcome in {Outcome.DONE, Outcome.LATE, Outcome.FAILED}}
    return Standing(
        schedule=schedule,
        decided=max((slot for slot in known if slot <= now), default=None),
        ahead=frozenset(slot for slot in ran if slot > now),
        crawled=crawled or bool(slots),
    )
