"""The missed-run ledger: what became of each slot of a source's schedule, told in `slot` rows of the log.

Pure, but for the journal, which keeps on this disk what no commit has yet.
"""

from jobs.ledger.calendars import FindCalendar, Slots
from jobs.ledger.gaps import Gap, find_gaps, list_spans, read_published
from jobs.ledger.journal import JOURNAL_FILE, Journal
from jobs.ledger.outcomes import LATE_SECONDS, Outcome, extend_stretch, find_fault, is_late
from jobs.ledger.resolving import SlotRun, Stretch, find_schedule, list_marks, resolve_slots

__all__ = [
    "JOURNAL_FILE",
    "LATE_SECONDS",
    "FindCalendar",
    "Gap",
    "Journal",
    "Outcome",
    "SlotRun",
    "Slots",
    "Stretch",
    "extend_stretch",
    "find_fault",
    "find_gaps",
    "find_schedule",
    "is_late",
    "list_marks",
    "list_spans",
    "read_published",
    "resolve_slots",
]
