"""Lines in any order → the same lines sorted by their bytes, of any number, in constant memory."""

from __future__ import annotations

import heapq
import tempfile
from typing import IO, TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path
    from types import TracebackType

_HELD_BYTES = 8 * 1024 * 1024
"""Of lines in memory, before they go to disk."""
_LINE_BYTES = 90
"""What a line takes in memory beside its text."""
_MAX_RUNS = 64
"""Files that are open at a time."""


class SortedLines:
    """Lines, each without a newline, to be had sorted. A context manager: its files go with it."""

    def __init__(self, scratch: Path | None = None, *, held_bytes: int = _HELD_BYTES) -> None:
        """*scratch*: a folder for what is more than *held_bytes*."""
        self._scratch = scratch
        self._limit = held_bytes
        self._lines: list[bytes] = []
        self._held = 0
        self._runs: list[IO[bytes]] = []
        self.size_bytes = 0
        """Of all lines, each with its newline."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for run in self._runs:
            run.close()

    def add(self, line: bytes) -> None:
        """Take *line* in. Raises OSError where the disk is full."""
        self._lines.append(line + b"\n")
        self.size_bytes += len(line) + 1
        self._held += len(line) + _LINE_BYTES
        if self._held > self._limit:
            self._lines.sort()
            self._put_run(self._lines)
            self._lines, self._held = [], 0
            if len(self._runs) == _MAX_RUNS:
                runs, self._runs = self._runs, []
                self._put_run(_merge(runs))
                for run in runs:
                    run.close()

    def merge(self) -> Iterator[bytes]:
        """Yield all lines in order, each with its newline."""
        self._lines.sort()
        yield from heapq.merge(_merge(self._runs), self._lines)

    def _put_run(self, lines: Iterable[bytes]) -> None:
        run = tempfile.TemporaryFile(dir=self._scratch)  # noqa: SIM115 - closed with all others
        self._runs.append(run)
        run.writelines(lines)


def _merge(runs: list[IO[bytes]]) -> Iterator[bytes]:
    for run in runs:
        run.seek(0)
    return heapq.merge(*runs)
