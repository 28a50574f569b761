"""What the daemon noted of slots → the assignment of the next run, which commits it with its own rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog

from crawler.rows import encode_row
from jobs.ledger import Journal

if TYPE_CHECKING:
    from jobs.context import OpenArchive

log = structlog.get_logger()

MAX_ROWS = 1_000
"""That one run takes along; what is beyond goes with the next."""


def take_pending(archive: OpenArchive, source: str) -> tuple[str, ...]:
    """Return, as lines of JSON, what this machine's journal of *source* has and no commit; forget what one has.

    Raises nothing: no run fails for its ledger.
    """
    journal = Journal.open(archive.spool(source))
    try:
        pending = journal.pending()
        if pending:
            journal.settle(archive.catalog.list_slot_rows(source, since=min(row.slot for row in pending)))
            pending = journal.pending()
    except OSError as error:
        log.warning("failed_ledger", source=source, error=str(error))
        return ()
    return tuple(encode_row(row).decode() for row in pending[:MAX_ROWS])
