"""The missed-run ledger: what became of each slot of a source's schedule, told in `slot` rows of the log.

Pure, but for the journal, which keeps on this disk what no commit has yet.
"""

from jobs.ledger.calendars import FindCalendar, Slots
from jobs.ledger.journal import Journal
from jobs.ledger.outcomes import LATE_SECONDS, Outcome, extend_stretch, find_fault, is_late
from jobs.ledger.resolving import SlotRun, Stretch, find_schedule, resolve_slots

__all__ = [
    "LATE_SECONDS",
    "FindCalendar",
    "Journal",
    "Outcome",
    "SlotRun",
    "Slots",
    "Stretch",
    "extend_stretch",
    "find_fault",
    "find_schedule",
    "is_late",
    "resolve_slots",
]
