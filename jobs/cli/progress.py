"""How far a long check is, as one line on a terminal that is written over; elsewhere nothing."""

from __future__ import annotations

import os
import shutil
import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from collections.abc import Iterator

    from jobs.verify import Progress, Step

_EVERY_SECONDS = 0.1
_UNITS = ((1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB"))


class ProgressLine:
    """The line: written at most ten times a second, without colour, no wider than the terminal."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._started = time.monotonic()
        self._shown = 0.0
        self._width = 0

    def show(self, step: Step) -> None:
        """Say how far the check is."""
        now = time.monotonic()
        if now - self._shown < _EVERY_SECONDS:
            return
        self._shown = now
        text = describe_step(step, seconds=now - self._started)[: shutil.get_terminal_size().columns - 1]
        self._stream.write("\r" + text.ljust(self._width))
        self._stream.flush()
        self._width = len(text)

    def clear(self) -> None:
        """Take the line away."""
        if self._width:
            self._stream.write("\r" + " " * self._width + "\r")
            self._stream.flush()
        self._width = 0


@contextmanager
def show_progress(*, wanted: bool) -> Iterator[Progress | None]:
    """Yield what is to be told of each step; `None` if that is not *wanted* or stderr is no terminal."""
    if not wanted or not sys.stderr.isatty() or os.environ.get("TERM") == "dumb":
        yield None
        return
    line = ProgressLine(sys.stderr)
    try:
        yield line.show
    finally:
        line.clear()


def describe_step(step: Step, *, seconds: float) -> str:
    """Return *step*, after so many seconds, in one line."""
    rate = step.bytes / seconds / 1_000_000 if seconds > 0 else 0.0
    damage = "no damage" if not step.damages else f"{step.damages} × damage"
    return (
        f"{step.source}: {step.files}/{step.files_known} files · {show_size(step.bytes)}/{show_size(step.bytes_known)}"
        f" · {rate:.1f} MB/s · {damage}"
    )


def show_size(size_bytes: int) -> str:
    """Return a size for people."""
    for unit, name in _UNITS:
        if size_bytes >= unit:
            return f"{size_bytes / unit:.1f} {name}"
    return f"{size_bytes} B"
