"""Where an export goes: a file, a folder or standard output. What has a name is there as a whole, or not at all."""

from __future__ import annotations

import io
import os
import secrets
import shutil
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from config.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterator

STDOUT = "-"


@contextmanager
def open_file(to: str) -> Iterator[IO[bytes]]:
    """Lend what writes the file *to*, which takes its name when the block ends well; `-`: standard output.

    What was there by that name is replaced. Raises ConfigError where it cannot be, OSError.
    """
    if to == STDOUT:
        with io.BufferedWriter(_Outlet(sys.stdout.buffer), 1 << 16) as outlet:
            yield outlet
        return
    path = Path(to)
    if path.is_dir():
        raise ConfigError(f"--to {to}: found a folder, expected a file's name")
    draft = _name_draft(path)
    try:
        with draft.open("xb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise


@contextmanager
def open_folder(to: str) -> Iterator[Path]:
    """Lend a folder that becomes *to* when the block ends well. Raises ConfigError unless that is free or empty."""
    path = Path(to)
    if path.exists() and not (path.is_dir() and next(path.iterdir(), None) is None):
        raise ConfigError(f"--to {to}: is there and not empty; name a folder that is not there yet")
    draft = _name_draft(path)
    draft.mkdir()
    try:
        yield draft
        draft.rename(path)  # takes the place of an empty one
    except BaseException:
        shutil.rmtree(draft, ignore_errors=True)
        raise


def require_writable(path: Path) -> Path:
    """Return the folder that *path* is to be in. Raises ConfigError unless it is there and can be written."""
    folder = path.absolute().parent
    if not folder.is_dir():
        raise ConfigError(f"--to {path}: no folder {folder}")
    if not os.access(folder, os.W_OK | os.X_OK):
        raise ConfigError(f"--to {path}: nothing can be written in {folder}")
    return folder


def _name_draft(path: Path) -> Path:
    return require_writable(path) / f".ofrecord-{secrets.token_hex(8)}.partial"


class _Outlet(io.RawIOBase):
    """Standard output: can be written to, not sought in, and stays open. With `>>` what is before is not ours."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:  # noqa: ANN401 - any buffer
        written = self._stream.write(data)
        self._stream.flush()
        return written
