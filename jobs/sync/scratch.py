"""A folder for objects on their way: bounded in bytes, gone afterwards, and swept where a death left one behind."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import tempfile
import threading
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

PREFIX = "ofrecord-sync-"
_LOCK = "lock"


class Room:
    """Lets so many bytes of files be there at once; a longer one waits until it is alone."""

    def __init__(self, limit_bytes: int) -> None:
        self._limit = limit_bytes
        self._used = 0
        self._changed = threading.Condition()

    @contextlib.contextmanager
    def take(self, size_bytes: int) -> Iterator[None]:
        """Hold room for *size_bytes* for the length of the block."""
        with self._changed:
            self._changed.wait_for(lambda: not self._used or self._used + size_bytes <= self._limit)
            self._used += size_bytes
        try:
            yield
        finally:
            with self._changed:
                self._used -= size_bytes
                self._changed.notify_all()


@contextlib.contextmanager
def open_scratch() -> Iterator[Path]:
    """Yield a new folder below TMPDIR, locked as long as this process lives; removes those of dead ones first."""
    _sweep(Path(tempfile.gettempdir()))
    with tempfile.TemporaryDirectory(prefix=PREFIX) as name:
        folder = Path(name)
        unlocked = folder / "new"
        with unlocked.open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            unlocked.rename(folder / _LOCK)  # so that a lock file is never seen unlocked while we live
            yield folder


def _sweep(parent: Path) -> None:
    for folder in parent.glob(f"{PREFIX}*"):
        with contextlib.suppress(OSError):
            if folder.is_symlink() or folder.stat().st_uid != os.getuid():
                continue
            with (folder / _LOCK).open("r+") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(folder)
