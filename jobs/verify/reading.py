"""Brings the files of commits to this disk and has them read, several at once, in whatever processes there are.

Asked for in the order of the log and handed out in it; a bounded number of bytes lies on the disk at a time.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections import deque
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import ExitStack
from dataclasses import dataclass
from multiprocessing.connection import wait
from typing import TYPE_CHECKING, Self

from config.errors import StoreError
from crawler.waits import wait_for
from jobs.archive.ranges import COMPACTED
from jobs.verify.walking import walk_file

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from concurrent.futures import Future
    from pathlib import Path
    from types import TracebackType

    from jobs.archive.commit import Commit, CommittedFile, RowsPlace
    from jobs.store import ObjectStore
    from jobs.verify.plan import Plan
    from jobs.verify.walking import WalkedFile

WARC_ENDING = ".warc.gz"
PARALLEL_BYTES = 32 * 1024 * 1024
"""A process starts in half a second: not for less than that."""
SCRATCH_BYTES = 256 * 1024 * 1024
"""Of files that lie on the disk and wait to be read or to be taken; a single longer one takes what it has."""
_WAITING = 4
"""Files of each process that are fetched ahead of it."""


@dataclass(frozen=True, slots=True)
class ReadFile:
    """A file as it was read, or why it could not be."""

    path: Path
    """The local copy, as long as it is this commit's turn."""
    walked: WalkedFile | None = None
    error: StoreError | OSError | None = None


class FileReader:
    """Reads files; with one worker in this thread, when their turn comes, else ahead of it in processes."""

    def __init__(self, store: ObjectStore, folder: Path, plan: Plan) -> None:
        self._store = store
        self._folder = folder
        self._workers = plan.workers
        self._stack = ExitStack()
        self._threads: ThreadPoolExecutor | None = None
        self._processes: ProcessPoolExecutor | None = None
        self._asked_bytes = 0
        self._number = 0

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End the processes."""
        self._stack.close()

    def announce(self, size_bytes: int) -> None:
        """Say that files of so many bytes will be asked for: processes are started if that is worth it."""
        self._asked_bytes += size_bytes
        if self._workers < 2 or self._threads is not None or self._asked_bytes < PARALLEL_BYTES:
            return
        context = multiprocessing.get_context("spawn")  # a fork would copy locks that other threads hold
        self._processes = ProcessPoolExecutor(self._workers, context, initializer=_prepare)
        self._stack.callback(self._processes.shutdown, cancel_futures=True)
        self._threads = ThreadPoolExecutor(self._workers * _WAITING, thread_name_prefix="verify")
        self._stack.callback(self._threads.shutdown, cancel_futures=True)

    def read(
        self, wanted: Iterable[tuple[Commit, list[CommittedFile]]]
    ) -> Iterator[tuple[Commit, dict[str, ReadFile]]]:
        """Yield each commit with its files as they were read; local copies go when the next is asked for."""
        queue: deque[tuple[Commit, list[_Reading]]] = deque()
        waiting_bytes = 0
        for commit, files in wanted:
            asked = [self._ask(commit, file) for file in files]
            waiting_bytes += sum(one.file.size_bytes for one in asked)
            queue.append((commit, asked))
            while queue and self._is_enough(len(queue), waiting_bytes):
                waiting_bytes -= sum(one.file.size_bytes for one in queue[0][1])
                yield from self._hand_out(*queue.popleft())
        while queue:
            yield from self._hand_out(*queue.popleft())

    def _is_enough(self, commits: int, size_bytes: int) -> bool:
        return self._threads is None or commits > self._workers * _WAITING or size_bytes > SCRATCH_BYTES

    def _ask(self, commit: Commit, file: CommittedFile) -> _Reading:
        self._number += 1
        reading = _Reading(self._folder / str(self._number), file, commit.rows)
        if self._threads is not None:
            reading.future = self._threads.submit(self._read, reading)
        return reading

    def _hand_out(self, commit: Commit, asked: list[_Reading]) -> Iterator[tuple[Commit, dict[str, ReadFile]]]:
        try:
            yield (
                commit,
                {one.file.key: self._read(one) if one.future is None else wait_for(one.future) for one in asked},
            )
        finally:
            for one in asked:
                one.path.unlink(missing_ok=True)

    def _read(self, one: _Reading) -> ReadFile:
        key = one.file.key
        try:
            self._store.fetch(key, one.path)
        except (StoreError, OSError) as error:
            return ReadFile(one.path, error=error)
        words = (one.path, key, one.rows)
        warc = key.endswith((WARC_ENDING, COMPACTED))
        if self._processes is not None:
            try:
                return ReadFile(one.path, self._processes.submit(walk_file, *words, warc=warc).result())
            except BrokenProcessPool:
                pass  # one was killed, for want of memory perhaps: slower is better than not at all
        return ReadFile(one.path, walk_file(*words, warc=warc))


@dataclass(slots=True)
class _Reading:
    """A file that was asked for."""

    path: Path
    file: CommittedFile
    rows: RowsPlace | None
    future: Future[ReadFile] | None = None


def _prepare() -> None:
    """Leave a Ctrl-C to the process that started this one, and end with it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_end_with, args=(parent.sentinel,), daemon=True).start()


def _end_with(sentinel: int) -> None:
    wait([sentinel])
    os._exit(1)
