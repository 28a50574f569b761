"""Whether fetching is to pause for what waits in the spool, or for want of room on its disk."""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog

if TYPE_CHECKING:
    from jobs.spool_use import SpoolUse

log = structlog.get_logger()

RESUME_BELOW = 0.8
"""Of `spool_max_bytes`."""
RESUME_FREE = 1.25
"""Of `spool_min_free_bytes`."""
SMALL_DISK_PART = 20


class Pressure:
    """Whether fetching is paused, and why. Goes on a good way below the limit, so that it does not flutter."""

    def __init__(self, *, max_bytes: int, min_free_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._min_free_bytes = min_free_bytes
        self.reason: str | None = None
        self.disk_is_full = False
        """Whether it is the disk that is short of room, not the spool that is long."""

    @property
    def paused(self) -> bool:
        """Whether no request may begin."""
        return self.reason is not None

    def update(self, use: SpoolUse) -> None:
        """Take in what was found."""
        before = self.reason
        max_bytes = self._max_bytes * (RESUME_BELOW if before else 1)
        min_free = min(self._min_free_bytes, use.disk_bytes // SMALL_DISK_PART) * (RESUME_FREE if before else 1)
        self.disk_is_full = use.free_bytes < min_free
        if self.disk_is_full:
            self.reason = f"{use.free_bytes} bytes are free on the disk (setting spool_min_free_bytes)"
        elif use.size_bytes > max_bytes:
            self.reason = f"{use.size_bytes} bytes wait to be uploaded (setting spool_max_bytes)"
        else:
            self.reason = None
        if self.paused and before is None:
            log.warning("paused_fetching", reason=self.reason, segments=use.segments)
        elif before is not None and not self.paused:
            log.info("resumed_fetching", reason="there is room again", segments=use.segments)
