"""Where a rebuild keeps what it derived, and what of it must go where captures were redacted: FORMAT.md § 12."""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog

if TYPE_CHECKING:
    from pathlib import Path

    from jobs.catalog import Catalog

log = structlog.get_logger()

FOLDER = "rebuild"
"""Of the state folder."""
PARTS = "parts"
STRETCH = 500
"""Numbers of captures that one part is of: however many of them are left to do, its bounds stay."""
ENDING = ".part"


def name_part(segment: str, stretch: int) -> str:
    """Return what the part of a stretch of a segment is called: the same on each machine."""
    return f"{segment}-{stretch:06d}{ENDING}"


def discard_parts(folder: Path, source: str, catalog: Catalog) -> int:
    """Remove the parts of *source* below *folder* whose stretch has a redacted capture; return how many went.

    They are made anew, without it. A draft that a killed process left goes with them. Raises OSError.
    """
    if not folder.is_dir():
        return 0
    names = {name_part(segment, n // STRETCH) for segment, n in catalog.list_redacted_places(source)}
    if not names:
        return 0
    gone = [path for path in folder.glob("*/*") if path.name in names or path.name.startswith(".")]
    for path in gone:
        path.unlink(missing_ok=True)
    if gone:
        log.info("removed_parts", path=str(folder), parts=len(gone), reason="redaction")
    return len(gone)
