"""A log file of bounded size that many processes write at once: each line is one append, and whole.

No process waits for another. When the file is full, whoever holds its lock moves it aside (`.1`, `.2`, … are the older
ones); who has it open still may add a line to it there, and writes the next one to the new file.
"""

from __future__ import annotations

import contextlib
import fcntl
import logging
import os
import stat
import sys
from itertools import pairwise
from typing import TYPE_CHECKING, TextIO

from config.errors import ConfigError

if TYPE_CHECKING:
    from pathlib import Path

_MODE = 0o640


class LineHandler(logging.StreamHandler[TextIO]):
    """Writes lines to a stream; what it does not take is lost, for a full disk must not end a crawl.

    Past the stream's own buffer, which would try again at the process's end and make that end a failure.
    """

    def emit(self, record: logging.LogRecord) -> None:
        """Write the line of *record*, at once where the stream is a file, a pipe or a terminal."""
        try:
            descriptor = self.stream.fileno()
        except (OSError, ValueError, AttributeError):
            super().emit(record)
            return
        try:
            line = f"{self.format(record)}\n".encode("utf-8", "backslashreplace")
        except Exception:  # noqa: BLE001 - as logging's own handlers do
            self.handleError(record)
            return
        with contextlib.suppress(OSError):
            rest = memoryview(line)
            while rest:
                rest = rest[os.write(descriptor, rest) :]

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - logging's own name
        """Say that a line could not be made; logging itself would show its words, secrets and all."""
        _tell_unshowable(self, record)


class LogFile(logging.Handler):
    """Appends lines to the file at *path* until it has *max_bytes*, and keeps *kept* older files beside it.

    *instead*: gets the lines that the file does not take.
    """

    def __init__(self, path: Path, *, max_bytes: int, kept: int, instead: logging.Handler) -> None:
        super().__init__()
        self._path = path
        self._older = [path.with_name(f"{path.name}.{number + 1}") for number in range(kept)]
        self._max_bytes = max_bytes
        self._instead = instead
        self._descriptor: int | None = None
        self._identity: tuple[int, int] | None = None
        self._torn = False

    def emit(self, record: logging.LogRecord) -> None:
        """Write the line of *record*."""
        try:
            line = f"{self.format(record)}\n".encode("utf-8", "backslashreplace")
        except Exception:  # noqa: BLE001 - as logging's own handlers do
            self.handleError(record)
            return
        try:
            self._append(line)
        except OSError:
            self._close()
            self._instead.handle(record)

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - logging's own name
        """Say that a line could not be made."""
        _tell_unshowable(self, record)

    def close(self) -> None:
        """Close the file."""
        self._close()
        super().close()

    def _append(self, line: bytes) -> None:
        size_bytes = self._open()
        if size_bytes and size_bytes + len(line) > self._max_bytes:
            self._move_aside()
            self._open()
        if self._descriptor is None:
            return
        rest = memoryview(b"\n" + line if self._torn else line)
        begun = False
        try:
            while rest:  # more than once only where the disk has no room for all of it
                rest = rest[os.write(self._descriptor, rest) :]
                begun = True
        except OSError:
            self._torn = self._torn or begun
            raise
        self._torn = False

    def _open(self) -> int:
        """Open what stands at the path now, unless it is open; return its size, or 0 if it is no regular file."""
        try:
            found = self._path.stat()
        except FileNotFoundError:
            found = None
        if self._descriptor is None or found is None or self._identity != (found.st_dev, found.st_ino):
            self._close()
            self._descriptor = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, _MODE)
            found = os.fstat(self._descriptor)
            self._identity = (found.st_dev, found.st_ino)
        return found.st_size if stat.S_ISREG(found.st_mode) else 0

    def _move_aside(self) -> None:
        """Number the file and those before it on, unless another process does so or has done so."""
        if self._descriptor is None:
            return
        with contextlib.suppress(OSError):  # no locks or no right to the folder: better a long file than no line
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            try:
                found = self._path.stat()
                if self._identity == (found.st_dev, found.st_ino):
                    for younger, older in reversed(list(pairwise([self._path, *self._older]))):
                        with contextlib.suppress(FileNotFoundError):
                            younger.replace(older)
            finally:
                fcntl.flock(self._descriptor, fcntl.LOCK_UN)

    def _close(self) -> None:
        if self._descriptor is not None:
            with contextlib.suppress(OSError):
                os.close(self._descriptor)
        self._descriptor = self._identity = None


def _tell_unshowable(handler: logging.Handler, record: logging.LogRecord) -> None:
    error = sys.exc_info()[1]
    if record.args and not isinstance(error, OSError):
        record.args = record.exc_info = None
        record.msg = f"a line that cannot be shown ({type(error).__name__})"
        handler.emit(record)


def prepare_log_file(path: Path) -> Path:
    """Return *path*, absolute, once a line can be written there; its folder is made. Raises ConfigError."""
    whole = path.expanduser().absolute()
    try:
        whole.parent.mkdir(parents=True, exist_ok=True)
        os.close(os.open(whole, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, _MODE))
    except OSError as error:
        raise ConfigError(f"log_file: {whole} cannot be written: {error.strerror}; name another, or none") from error
    return whole
