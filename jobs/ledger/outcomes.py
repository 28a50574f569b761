"""What a slot row may say, what of it is no ledger's, and how rows of consecutive slots become one. Pure."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

from jobs.ledger.calendars import EPOCH

if TYPE_CHECKING:
    from crawler.rows import SlotRow
    from jobs.ledger.calendars import Slots

LATE_SECONDS = 600
"""A run that began more than that after its slot was late."""
MAX_SLOTS = 1_000_000
"""Of a stretch."""
MAX_SCHEDULE_CHARS = 200
MAX_REASON_CHARS = 2_000


class Outcome(StrEnum):
    """What became of a slot, the best first; and the two marks that say which slots are expected."""

    DONE = "done"
    """A run was begun in time, and ended by itself or by a signal."""
    LATE = "late"
    """So it was, but more than ten minutes after the slot."""
    FAILED = "failed"
    """A run was begun, and died or brought nothing that can be used."""
    SKIPPED = "skipped"
    """The run before was still going."""
    MISSED = "missed"
    """Nobody was there to begin a run."""
    SCHEDULED = "scheduled"
    """From here on (exclusive) slots are expected by the schedule that the row names."""
    UNSCHEDULED = "unscheduled"
    """From here on none are."""

    @property
    def is_mark(self) -> bool:
        """Whether it says what is expected, not what became of it."""
        return self in {Outcome.SCHEDULED, Outcome.UNSCHEDULED}

    @property
    def rank(self) -> int:
        """Where several are told of a slot, the one with the least rank counts."""
        return _RANKED.index(self)


_RANKED = tuple(Outcome)
TELLING = {outcome.value: outcome for outcome in Outcome if not outcome.is_mark}
"""The words that say what became of a slot."""


def is_late(slot: datetime, started: datetime) -> bool:
    """Whether a run that *started* then was late for its *slot*."""
    return started - slot > timedelta(seconds=LATE_SECONDS)


def find_fault(row: SlotRow) -> str | None:
    """Return why no ledger can have *row*, which anybody may have written; `None`: it can."""
    through = row.through or row.slot
    seconds = (through - row.slot).total_seconds()
    if row.slot < EPOCH or seconds < 0:
        return f"a slot from {row.slot.isoformat()} through {through.isoformat()}, expected 1970 or later, in order"
    most = min(MAX_SLOTS, int(seconds) + 1)
    if not (1 if through == row.slot else 2) <= row.slots <= most:
        return f"{row.slots} slots from {row.slot.isoformat()} through {through.isoformat()}, expected {most} at most"
    if len(row.reason or "") > MAX_REASON_CHARS or len(row.schedule or "") > MAX_SCHEDULE_CHARS:
        return f"a reason or schedule of more than {MAX_REASON_CHARS} or {MAX_SCHEDULE_CHARS} characters"
    if row.outcome == Outcome.SCHEDULED and not row.schedule:
        return "a mark that names no schedule"
    return None


def extend_stretch(last: SlotRow, row: SlotRow, slots: Slots) -> SlotRow | None:
    """Return one row for both, where *row* is of the next slot and says the same of it as *last*; else `None`."""
    if (last.outcome, last.reason) != (row.outcome, row.reason) or last.outcome not in TELLING:
        return None
    if last.run is not None or row.run is not None:
        return None
    end, number = last.through or last.slot, last.slots + row.slots
    if row.slot <= end or number > MAX_SLOTS or slots.count(end, row.slot) != 1:
        return None
    return replace(last, through=row.through or row.slot, slots=number)
