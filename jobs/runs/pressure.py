"""How much waits in a spool and how much room its disk has, and whether fetching should pause for it."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

import structlog

if TYPE_CHECKING:
    from pathlib import Path

log = structlog.get_logger()

WAITING = ("open", "closed", "sealed")
"""Folders of a spool whose segments are still to be committed."""
RESUME_BELOW = 0.8
"""Of `spool_max_bytes`."""
RESUME_FREE = 1.25
"""Of `spool_min_free_bytes`."""
SMALL_DISK_PART = 20


@dataclass(frozen=True, slots=True)
class SpoolUse:
    """What one look at a spool found."""

    segments: int
    """Not yet committed: open, closed and sealed ones of this source."""
    size_bytes: int
    """Of their files."""
    free_bytes: int
    """On their disk."""
    disk_bytes: int


def measure_spool(spool: Path) -> SpoolUse:
    """Look at the spool, in which others may be moving things. Raises OSError."""
    segments = size_bytes = 0
    for name in WAITING:
        for folder in _list_entries(spool / name):
            files = _list_entries(folder)
            segments += bool(files)
            size_bytes += sum(_size_of(file) for file in files)
    disk = os.statvfs(spool)
    return SpoolUse(segments, size_bytes, disk.f_bavail * disk.f_frsize, disk.f_blocks * disk.f_frsize)


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


def _list_entries(folder: Path | os.DirEntry[str]) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return list(entries)
    except (FileNotFoundError, NotADirectoryError):
        return []


def _size_of(entry: os.DirEntry[str]) -> int:
    try:
        return entry.stat(follow_symlinks=False).st_size
    except FileNotFoundError:
        return 0
