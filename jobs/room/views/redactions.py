"""What is said of captures that were taken out of the archive: that, when and why; and nothing of what they were."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from jobs.room.endpoints import Told
from jobs.withdrawal import Withdrawals

if TYPE_CHECKING:
    from collections.abc import Sequence

    from jobs.catalog import StoredCapture
    from jobs.room.desk import Desk
    from jobs.withdrawal import Withdrawal


class RedactionTold(Told):
    """A redaction, as a capture that went by it tells."""

    reason: str
    at: datetime | None
    """When it was committed; `null`: not known here."""
    commit: int | None
    """Its number in the source's log."""


def find_redaction(desk: Desk, capture: StoredCapture) -> RedactionTold | None:
    """Return by what *capture* was taken out; `None`: it was not."""
    return _tell(Withdrawals(desk.catalog, desk.store).find(capture))


def find_latest(desk: Desk, captures: Sequence[StoredCapture]) -> RedactionTold | None:
    """Return by what the latest of *captures* that was taken out went; `None`: none was."""
    return _tell(Withdrawals(desk.catalog, desk.store).find_latest(captures))


def _tell(found: Withdrawal | None) -> RedactionTold | None:
    return None if found is None else RedactionTold(reason=found.reason, at=found.at, commit=found.commit)
