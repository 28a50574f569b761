"""One run as a process of its own: started, watched, ended with all that it started, and asked what came of it.

It is owned by a pipe: its standard input brings what it is to do and stays open; when it ends, nobody owns the run any
more, and it ends in good order. So a daemon that is killed leaves no run that goes on for ever.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import structlog

from config.errors import ExitCode
from crawler.family import Family, read_processes
from jobs.runs.ending import RunEnded

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from crawler.family import Process
    from jobs.schedule.limits import RunLimits

log = structlog.get_logger()

ORPHAN_SECONDS = 15.0
"""So long may what a run leaves behind take to see that its parent is dead and to close its segment."""
_MAX_REPORT_BYTES = 16 * 1024**2
_POLL_SECONDS = 0.1
_LAST_WORDS_SECONDS = 1.0
_KILLS = 50


@dataclass(frozen=True, slots=True)
class Launch:
    """How a run is started."""

    command: Sequence[str]
    assignment: bytes = b""
    """Written to its standard input, which stays open."""


class RunProcess:
    """A run of one source that is going. All its methods belong to the event loop's thread."""

    def __init__(self, source: str, slot: datetime | None, started: datetime, limits: RunLimits) -> None:
        self.source = source
        self.slot = slot
        self.started = started
        self.limits = limits
        self._process: subprocess.Popen[bytes] | None = None
        self._family: Family | None = None
        self._began = self._now()
        self._asked: float | None = None
        self._killed: str | None = None
        self._must_die = False

    async def carry_out(self, launch: Launch) -> RunEnded:
        """Start what *launch* says and return when it and all that it started are over. Raises OSError."""
        process = self._start(launch.command)
        self._family = Family(process.pid)
        if self._must_die or self._asked is not None:  # before it was started
            self._family.kill()
        loop, printed = asyncio.get_running_loop(), _Printed()
        reading, _ = await loop.connect_read_pipe(lambda: printed, process.stdout)
        telling, _ = await loop.connect_write_pipe(asyncio.BaseProtocol, process.stdin)
        try:
            telling.write(launch.assignment)  # what the pipe does not take is sent as the run reads
            code = await wait_for_end(process)
            await self._leave_nobody(self._family)
            with suppress(TimeoutError):
                await asyncio.wait_for(printed.over.wait(), _LAST_WORDS_SECONDS)
        finally:
            reading.close()
            if not telling.is_closing():  # which it does by itself where the run reads no more
                telling.abort()
        return self._end(code, printed.last_line())

    def _start(self, command: Sequence[str]) -> subprocess.Popen[bytes]:
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True)
        return self._process

    def give_up(self) -> RunEnded:
        """Return how a run ended that could not be started or followed; nothing of it is left."""
        if self._family is not None:
            self._family.kill()
        return self._end(ExitCode.FAILED, b"")

    def check(self, processes: dict[int, Process]) -> None:
        """Hold the run to its limits. *processes*: all there are now."""
        if self._family is None:
            return
        memory = sum(one.rss_bytes for one in self._family.find(processes))
        now = self._now()
        if self._asked is None:
            excess = self.limits.find_excess(now - self._began, memory)
            if excess is not None:
                seconds = round(now - self._began, 3)
                log.error("killed_run", source=self.source, reason=excess, memory_bytes=memory, seconds=seconds)
                self.stop(excess)
        elif now - self._asked > self.limits.patience(self._killed or "stop"):
            self.kill()

    def stop(self, reason: str) -> None:
        """Ask the run to end in good order, because of `time`, `memory` or `stop`."""
        if self._asked is None:
            self._asked, self._killed = self._now(), reason
            self._signal(signal.SIGTERM)

    def kill(self) -> None:
        """Make all its processes end now."""
        self._killed = self._killed or "stop"
        self._must_die = True
        if self._family is not None:
            self._family.kill()

    async def _leave_nobody(self, family: Family) -> None:
        """Wait for what the run's process left behind; kill what does not end."""
        deadline = self._now() + ORPHAN_SECONDS
        for _ in range(_KILLS + int(ORPHAN_SECONDS / _POLL_SECONDS)):
            if not family.find(read_processes()):
                return
            if self._must_die or self._now() > deadline:
                family.kill()
            await asyncio.sleep(_POLL_SECONDS)
        log.error("failed_run", source=self.source, error="some of its processes cannot be killed")

    def _signal(self, number: signal.Signals) -> None:
        if self._process is not None:
            with suppress(ProcessLookupError):
                self._process.send_signal(number)

    def _end(self, code: int, line: bytes) -> RunEnded:
        seconds = round(self._now() - self._began, 3)
        report = _read_report(line)
        return RunEnded(self.source, self.slot, self.started, seconds, code, report, self._killed)

    @staticmethod
    def _now() -> float:
        return asyncio.get_running_loop().time()


class _Printed(asyncio.Protocol):
    """Keeps the end of what a process prints."""

    def __init__(self) -> None:
        self.over = asyncio.Event()
        self._kept = bytearray()

    def data_received(self, data: bytes) -> None:
        self._kept += data
        if len(self._kept) > 2 * _MAX_REPORT_BYTES:
            del self._kept[:-_MAX_REPORT_BYTES]

    def eof_received(self) -> None:
        self.over.set()

    def connection_lost(self, exc: Exception | None) -> None:
        del exc
        self.over.set()

    def last_line(self) -> bytes:
        return bytes(self._kept).rstrip(b"\n").rpartition(b"\n")[2]


async def wait_for_end(process: subprocess.Popen[bytes]) -> int:
    """Return the exit code of *process* when it is over.

    Not asyncio's own: that waits for the pipes as well, which a grandchild may hold open for ever.
    """
    try:
        file = os.pidfd_open(process.pid)
    except OSError:  # a kernel before 5.3
        while process.poll() is None:  # noqa: ASYNC110 - there is nobody to tell
            await asyncio.sleep(_POLL_SECONDS)
        return process.returncode
    loop, over = asyncio.get_running_loop(), asyncio.Event()
    loop.add_reader(file, over.set)
    try:
        await over.wait()
    finally:
        loop.remove_reader(file)
        os.close(file)
    return process.wait()


def _read_report(line: bytes) -> dict[str, Any] | None:
    try:
        found = json.loads(line)
    except ValueError:
        return None
    return found if isinstance(found, dict) else None
