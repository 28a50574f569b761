"""How far a long command is, as one line on a terminal that is written over; elsewhere nothing."""

from __future__ import annotations

import os
import select
import shutil
import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, TextIO

from config.logs import ERASE_LINE, can_redraw

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from jobs.verify import Progress, Step

_EVERY_SECONDS = 0.25
_UNITS = ((1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB"))
_PLAIN = str.maketrans({"·": "|", "×": "x", "…": "."})
"""For terminals that are no UTF-8."""


class ProgressLine:
    """The line: written at most four times a second, without colour, no wider than the terminal.

    Log lines of any process may come between: they begin by taking it away, and it comes back with the next step.
    """

    def __init__(self, stream: TextIO, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._stream = stream
        self._clock = clock
        self._next = 0.0
        self._shown = False
        self._gone = False

    def show(self, describe: Callable[[int], str]) -> None:
        """Write what *describe* returns for a number of columns, if it is time to and the terminal takes it."""
        now = self._clock()
        if now < self._next or self._gone or not self._is_ready():
            return
        self._next = now + _EVERY_SECONDS
        columns = find_columns(self._stream) - 1  # in the last one some terminals begin a new line
        self._write("\r" + describe(columns)[:columns] + ERASE_LINE)
        self._shown = True

    def clear(self) -> None:
        """Take the line away."""
        if self._shown:
            self._write("\r" + ERASE_LINE)
        self._shown = False

    def _write(self, text: str) -> None:
        try:
            text.encode(self._stream.encoding or "ascii")
        except (UnicodeEncodeError, LookupError):
            text = text.translate(_PLAIN)
        try:
            self._stream.write(text)
            self._stream.flush()
        except OSError:  # the terminal was closed: no reason to end what goes on
            self._gone = True

    def _is_ready(self) -> bool:
        """Whether it would be seen at once: a terminal that was stopped (Ctrl-S) holds up whoever writes to it.

        Nor is it written by a command in the background: it would come between what a person types.
        """
        descriptor = self._stream.fileno()
        try:
            if os.tcgetpgrp(descriptor) != os.getpgrp():
                return False
        except OSError:
            pass  # not the terminal that this process belongs to
        return bool(select.select([], [descriptor], [], 0)[1])


def find_columns(stream: TextIO) -> int:
    """Return how wide the terminal behind *stream* is now."""
    try:
        return os.get_terminal_size(stream.fileno()).columns or shutil.get_terminal_size().columns
    except OSError:
        return shutil.get_terminal_size().columns


@contextmanager
def show_line(*, wanted: bool) -> Iterator[ProgressLine | None]:
    """Yield a line on stderr, taken away at the end; `None` if that is not *wanted* or stderr is no such terminal."""
    if not wanted or not can_redraw(sys.stderr):
        yield None
        return
    line = ProgressLine(sys.stderr)
    try:
        yield line
    finally:
        line.clear()


@contextmanager
def show_progress(*, wanted: bool) -> Iterator[Progress | None]:
    """Yield what is to be told of each step of a check or a copy; `None` as `show_line`."""
    with show_line(wanted=wanted) as line:
        if line is None:
            yield None
            return
        started = time.monotonic()
        yield lambda step: line.show(lambda _: describe_step(step, seconds=time.monotonic() - started))


@contextmanager
def show_sources(*, wanted: bool) -> Iterator[Callable[[str, int, int], None] | None]:
    """Yield what is to be told which source a command has come to; `None` as `show_line`."""
    with show_line(wanted=wanted) as line:
        if line is None:
            yield None
            return
        yield lambda source, number, of: line.show(lambda _: f"{source} · source {number} of {of}")


def describe_step(step: Step, *, seconds: float) -> str:
    """Return *step*, after so many seconds, in one line."""
    read = step.bytes - step.bytes_resumed
    rate = read / seconds / 1_000_000 if seconds > 0 else 0.0
    left = "" if step.bytes_total is None or not read else show_left((step.bytes_total - step.bytes) * seconds / read)
    damage = "no damage" if not step.damages else f"{step.damages} × damage"
    return (
        f"{step.source}: {step.files}/{step.files_known} files · {show_size(step.bytes)}/{show_size(step.bytes_known)}"
        f" · {rate:.1f} MB/s{left} · {damage}"
    )


def show_left(seconds: float) -> str:
    """Return how long it will take, for people, as far as it can be told."""
    if seconds < 1:
        return ""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    said = f"{hours} h {minutes:02d} min" if hours else f"{minutes} min" if minutes else f"{rest} s"
    return f" · {said} left"


def show_size(size_bytes: int) -> str:
    """Return a size for people."""
    for unit, name in _UNITS:
        if size_bytes >= unit:
            return f"{size_bytes / unit:.1f} {name}"
    return f"{size_bytes} B"
