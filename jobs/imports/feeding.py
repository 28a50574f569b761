"""The files of an import → descriptors for its child: a file of this machine as it is, all others through a pipe.

Whatever network or credentials it takes to have them is here, in the parent.
"""

from __future__ import annotations

import os
import tempfile
import threading
from contextlib import suppress
from typing import TYPE_CHECKING

from config.errors import ArchiveError
from crawler.imports.wacz import MAGIC
from crawler.warc.frames import is_zstd
from jobs.imports.places import HEAD_BYTES

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from jobs.imports.inputs import Input
    from jobs.imports.places import Place


def read_head(given: Input) -> bytes:
    """Return the beginning of a file. Raises StoreError, FetchError, OSError."""
    head = b""
    for data in given.stream(0)[1]:
        head += data
        if len(head) >= HEAD_BYTES:
            break
    return head[:HEAD_BYTES]


def is_zip(head: bytes) -> bool:
    """Whether a file that begins with *head* is one."""
    return head.startswith(MAGIC)


class Supply:
    """One file, open for the child. The descriptor is to be closed here once it is sent."""

    def __init__(self, given: Input, head: bytes, place: Place, scratch: Path) -> None:
        """Open it; a WACZ that is elsewhere is first copied into an unnamed file below *scratch*.

        Raises StoreError, FetchError, OSError.
        """
        self.failure: Exception | None = None
        """Why a pipe ended before the file did."""
        self._pump: threading.Thread | None = None
        raw = 0 if is_zstd(head) else place.position.raw
        if given.path is not None or is_zip(head):
            self.descriptor = _open_local(given, scratch)
            self.begins_at = 0 if is_zip(head) else os.lseek(self.descriptor, raw, os.SEEK_SET)
            return
        self.begins_at, pieces = given.stream(raw)
        self.descriptor, sink = os.pipe()
        self._pump = threading.Thread(target=self._fill, args=(sink, pieces), name="import", daemon=True)
        self._pump.start()

    def finish(self, seconds: float) -> None:
        """Wait for the pipe's thread, whose reader is through."""
        if self._pump is not None:
            self._pump.join(seconds)

    def _fill(self, sink: int, pieces: Iterator[bytes]) -> None:
        try:
            for data in pieces:
                rest = memoryview(data)
                while rest:
                    rest = rest[os.write(sink, rest) :]
        except BrokenPipeError:
            pass  # the child has enough
        except (ArchiveError, OSError) as error:
            self.failure = error
        finally:
            with suppress(OSError):
                os.close(sink)


def _open_local(given: Input, scratch: Path) -> int:
    if given.path is not None:
        return os.open(given.path, os.O_RDONLY | os.O_CLOEXEC)
    with tempfile.TemporaryFile(dir=scratch) as copy:
        for data in given.stream(0)[1]:
            copy.write(data)
        copy.flush()
        return os.open(f"/proc/self/fd/{copy.fileno()}", os.O_RDONLY | os.O_CLOEXEC)
