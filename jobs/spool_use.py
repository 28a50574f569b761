"""How much waits in a spool for the archive, since when, and how much room its disk has."""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from crawler.ids import read_stamp

if TYPE_CHECKING:
    from pathlib import Path

WAITING = ("open", "closed", "sealed")
"""Folders of a spool whose segments are still to be committed."""


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
    since: datetime | None = None
    """When the oldest of them was begun, as its id tells."""


def measure_spool(spool: Path) -> SpoolUse:
    """Look at the spool, in which others may be moving things. Raises OSError."""
    segments = size_bytes = 0
    begun: list[datetime] = []
    for name in WAITING:
        for folder in _list_entries(spool / name):
            files = _list_entries(folder)
            if not files:
                continue
            segments += 1
            size_bytes += sum(_size_of(file) for file in files)
            stamp = read_stamp(folder.name)
            begun += [] if stamp is None else [stamp]
    disk = os.statvfs(spool)
    return SpoolUse(
        segments, size_bytes, disk.f_bavail * disk.f_frsize, disk.f_blocks * disk.f_frsize, min(begun, default=None)
    )


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
