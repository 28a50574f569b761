"""What the main thread does while a crawl and its uploads go on: watches stop, lease, disk and child; never the store.

The child is told by words over its standard input whether it may fetch, and until when.
"""

from __future__ import annotations

import contextlib
import math
import os
import signal
import subprocess
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from config.errors import StoreUnavailable
from crawler.leash import Word, boot_clock
from crawler.progress import CrawlProgress
from crawler.rows import RunRow, decode_row
from jobs.runs.pressure import Pressure
from jobs.runs.progress import Phase
from jobs.runs.readying import CHILD_MODULE, start_child, take_child
from jobs.spool_use import measure_spool

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from config.settings import Settings
    from jobs.archive.lease import Lease
    from jobs.runs.progress import Reporter
    from jobs.runs.uploading import Uploader
    from jobs.spool_use import SpoolUse

POLL_SECONDS = 0.2
CHILD_STOP_SECONDS = 10.0
LAST_SEGMENT_SECONDS = 1.0
LATE_SECONDS = 6.0
"""So long after its time to fetch is over may a child be at closing its segment before it is told to stop."""


@dataclass(frozen=True, slots=True)
class RunTimes:
    """Until when a run may do what, by the boot clock."""

    fetch_until: float = math.inf
    done_by: float = math.inf
    """When uploads end, whatever still waits."""


class CrawlProcess:
    """The crawl's child process: `python -m MODULE ASSIGNMENT`, or one that was begun ahead and waits for that."""

    def __init__(self, assignment: Path, environment: Mapping[str, str], *, module: str) -> None:
        ready = take_child(assignment, environment) if module == CHILD_MODULE else None
        self._process = ready or start_child(module, str(assignment), environment)
        self._told: Word | None = None
        self._asked: float | None = None
        self._last_line = b""
        self.progress: CrawlProgress | None = None
        """What the child said last of how far it is, if it was asked to."""
        self._listener = threading.Thread(target=self._listen, daemon=True)
        self._listener.start()
        if self._process.stdin is not None:
            os.set_blocking(self._process.stdin.fileno(), False)

    @property
    def returncode(self) -> int:
        """Of a child that has ended."""
        return self._process.returncode

    @property
    def ended_unbegun(self) -> bool:
        """Whether the child did as it was asked before it could do so in good order: it had fetched nothing yet."""
        return self._asked is not None and self._process.returncode == -signal.SIGTERM

    def has_ended(self) -> bool:
        """Wait a little for the child to end; tell whether it has."""
        self._listener.join(POLL_SECONDS)  # ends with the child's pipe: to wait for the child itself is a busy loop
        if not self._listener.is_alive():
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(POLL_SECONDS)
        return self._process.poll() is not None

    def say(self, word: Word) -> None:
        """Tell the child, if it is news and the pipe takes it; a child that hangs must not hold up its parent."""
        if word == self._told or self._process.stdin is None:
            return
        try:
            os.write(self._process.stdin.fileno(), word.encode())  # whole or not at all: it is shorter than PIPE_BUF
        except (BlockingIOError, BrokenPipeError):
            return
        self._told = word

    def stop(self) -> None:
        """Ask the child to end in good order; after some seconds of further calls, make it end."""
        if self._asked is None:
            self._process.terminate()
            self._asked = time.monotonic()
        elif time.monotonic() - self._asked > CHILD_STOP_SECONDS:
            self._process.kill()

    def end(self) -> None:
        """Leave no crawl behind, whatever went wrong here."""
        if self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(CHILD_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self._process.kill()
                while not self.has_ended():
                    pass
        self.read_row()

    def read_row(self) -> RunRow | None:
        """Return the run row that an ended child has written, or `None`."""
        while self._listener.is_alive():  # a signal that comes just before a wait without end is seen only after it
            self._listener.join(POLL_SECONDS)
        for stream in (self._process.stdout, self._process.stdin):
            if stream is not None:
                stream.close()
        row = decode_row(self._last_line) if self._last_line else None
        return row if isinstance(row, RunRow) else None

    def _listen(self) -> None:
        """Keep the last line, reading all as it comes: a row that fills the pipe must not hold the child up."""
        if self._process.stdout is not None:
            for line in self._process.stdout:
                progress = CrawlProgress.decode(line)
                if progress is None:
                    self._last_line = line
                else:
                    self.progress = progress


class Supervisor:
    """Follows one run. Every loop here looks several times a second at all that may end or pause it."""

    def __init__(
        self,
        uploader: Uploader,
        spool: Path,
        settings: Settings,
        *,
        times: RunTimes | None = None,
        stop: threading.Event | None = None,
        leases: Sequence[Lease] = (),
        reporter: Reporter | None = None,
    ) -> None:
        self._uploader = uploader
        self._reporter = reporter
        self._spool = spool
        self._settings = settings
        self._times = times or RunTimes()
        self._stop = stop
        self._leases = leases
        self._pressure = Pressure(max_bytes=settings.spool_max_bytes, min_free_bytes=settings.spool_min_free_bytes)
        self._stopped_at: float | None = None
        self._full_since: float | None = None
        self.disk_full: str | None = None
        """Why the run was ended for want of room, if it was."""

    @property
    def may_fetch(self) -> bool:
        """Whether there is time left to fetch anything."""
        return boot_clock() < self._times.fetch_until

    def catch_up(self) -> None:
        """Wait until what earlier runs left is in the store, or until nothing may be fetched any more.

        Raises what the store, or this disk, has against it.
        """
        while not self._uploader.caught_up.wait(POLL_SECONDS):
            self._look_around()
            self._report(Phase.CATCHING_UP)
            if self._is_grace_over():
                raise StoreUnavailable(f"{self._spool}: stopped while what earlier runs left was being uploaded")
            if not self.may_fetch:
                return  # `finish_uploads` waits for it as long as it may
        self._uploader.require_sound()
        if self._uploader.trouble is not None:
            raise self._uploader.trouble

    def next_word(self) -> Word:
        """Return what the child is to be told now."""
        return Word(self._pressure.paused, min((lease.valid_until for lease in self._leases), default=None))

    def follow(self, child: CrawlProcess) -> None:
        """Return when *child* has ended."""
        while not child.has_ended():
            self._look_around()
            self._uploader.require_sound()
            use = self._watch_disk()
            self._report(Phase.CRAWLING if child.progress else Phase.STARTING, child.progress, use)
            child.say(self.next_word())
            late = boot_clock() >= self._times.fetch_until + LATE_SECONDS
            if self._stopped_at is not None or self.disk_full or late:
                child.stop()

    def finish_uploads(self) -> None:
        """Return when all is in the store, or patience is over: then `uploader.trouble` says why, or nothing does."""
        self._uploader.finish()
        while not self._uploader.over.wait(POLL_SECONDS):
            self._look_around()
            self._report(Phase.FINISHING)
            if self._is_grace_over() or boot_clock() >= self._times.done_by:
                self._uploader.abandon()
                self._uploader.over.wait(LAST_SEGMENT_SECONDS)
                break
        self._uploader.require_sound()

    def _look_around(self) -> None:
        for lease in self._leases:
            lease.poll()
        if self._stopped_at is None and self._stop is not None and self._stop.is_set():
            self._stopped_at = time.monotonic()

    def _is_grace_over(self) -> bool:
        return self._stopped_at is not None and time.monotonic() - self._stopped_at > self._settings.grace_seconds

    def _report(self, phase: Phase, progress: CrawlProgress | None = None, use: SpoolUse | None = None) -> None:
        if self._reporter is not None:
            try:
                found = use or measure_spool(self._spool)
            except OSError:
                return  # who puts something there will say so
            self._reporter.tell(phase, progress, spool_bytes=found.size_bytes, paused=self._pressure.paused)

    def _watch_disk(self) -> SpoolUse:
        """Pause for want of room; give up where no upload can make any. Return what was found."""
        use = measure_spool(self._spool)
        self._pressure.update(use)
        if not self._pressure.disk_is_full or (use.segments and not isinstance(self._uploader.trouble, OSError)):
            self._full_since = None
            return use
        now = time.monotonic()
        if self._full_since is None:
            self._full_since = now
        elif now - self._full_since >= self._settings.spool_wait_seconds:
            self.disk_full = f"the disk is full: {self._pressure.reason}"
        return use
