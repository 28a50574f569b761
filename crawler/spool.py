"""Files and folders of segments on local disk: a file that can be cut back, the lock, the move that lasts.

<spool>/open/<segment>/    being written: records.warc.gz, rows.jsonl, and lock, which its writer holds
<spool>/closed/<segment>/  whole, and never changed again by the crawler
"""

from __future__ import annotations

import errno
import fcntl
import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

WARC_FILE = "records.warc.gz"
ROWS_FILE = "rows.jsonl"
LOCK_FILE = "lock"
FULL = frozenset({errno.ENOSPC, errno.EDQUOT})
"""What the system says when there is no room on a disk."""
BROKEN = frozenset({errno.EIO, errno.EROFS})
"""What it says of one that fails, or that it has stopped writing to."""


class Tail:
    """A file that grows at its end and can be cut back to an earlier length."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        self.size_bytes = os.fstat(self._handle).st_size

    def append(self, data: bytes) -> None:
        """Write all of *data*, or raise OSError with some of it written: then `cut` back."""
        rest = memoryview(data)
        while rest:
            written = os.pwrite(self._handle, rest, self.size_bytes)
            self.size_bytes += written
            rest = rest[written:]

    def end_at(self, offset: int, data: bytes) -> None:
        """Write *data* at *offset* over what may be there, then take off what lies after it."""
        self.size_bytes = offset
        self.append(data)
        self.cut(self.size_bytes)

    def cut(self, size_bytes: int) -> None:
        """Take off what lies after *size_bytes*."""
        os.ftruncate(self._handle, size_bytes)
        self.size_bytes = size_bytes

    def sync(self) -> None:
        """Wait until the disk has it all."""
        os.fsync(self._handle)

    def close(self) -> None:
        """Give the file back. Safe to repeat."""
        if self._handle >= 0:
            os.close(self._handle)
            self._handle = -1


def lock_folder(folder: Path) -> int | None:
    """Return a handle that holds the lock of segment *folder*, or `None` if another holds it or the folder is gone."""
    path = folder / LOCK_FILE
    try:
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if os.path.samestat(os.fstat(handle), path.stat()):
            return handle
    except (BlockingIOError, FileNotFoundError):
        pass
    os.close(handle)
    return None


def is_given_up(folder: Path) -> bool:
    """Whether something was written to the open segment *folder* and its writer is dead, or has let go of it.

    Never takes the lock from a writer: that has it before it writes anything.
    """
    if not (folder / ROWS_FILE).exists():
        return False
    try:
        handle = os.open(folder / LOCK_FILE, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return folder.exists()  # a copy without the lock; else it was just closed
    try:
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    finally:
        os.close(handle)
    return True


def move_to_closed(folder: Path) -> Path:
    """Move segment *folder* from `open/` to `closed/` so that a power cut cannot undo it; return its new place."""
    target = folder.parent.parent / "closed" / folder.name
    target.parent.mkdir(exist_ok=True)
    sync_folder(folder)
    folder.rename(target)
    sync_folder(target.parent)
    sync_folder(folder.parent)
    return target


def sync_folder(folder: Path) -> None:
    """Make the names in *folder* last."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
