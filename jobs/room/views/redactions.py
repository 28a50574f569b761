"""What is said of captures that were taken out of the archive: that, when and why; and nothing of what they were."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from jobs.room.endpoints import Told

if TYPE_CHECKING:
    from collections.abc import Sequence

    from jobs.catalog import StoredCapture
    from jobs.room.desk import Desk

_MARK = "redacted: "
"""What the reason of such a capture begins with: FORMAT.md § 5."""


class RedactionTold(Told):
    """A redaction, as a capture that went by it tells."""

    reason: str
    at: datetime | None
    """When it was committed; `null`: not known here."""
    commit: int | None
    """Its number in the source's log."""


def find_redaction(desk: Desk, capture: StoredCapture) -> RedactionTold | None:
    """Return by what *capture* was taken out; `None`: it was not."""
    if capture.payload_length is not None or not capture.class_reason.startswith(_MARK):
        return None
    found = desk.catalog.find_redaction(capture.segment)
    seq, at = found or (None, None)
    return RedactionTold(reason=capture.class_reason.removeprefix(_MARK), at=at, commit=seq)


def find_latest(desk: Desk, captures: Sequence[StoredCapture]) -> RedactionTold | None:
    """Return by what the latest of *captures* that was taken out went; `None`: none was."""
    found = (find_redaction(desk, one) for one in reversed(captures))
    return next((one for one in found if one is not None), None)
