"""One killable process that reads pages, and our end of its socket: start, jobs with a deadline, and how it ended."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from config.errors import ExtractError
from crawler.allowance import OVERDRAWN
from crawler.workers.channel import Channel, ChannelClosed
from crawler.workers.main import OUT_OF_MEMORY

if TYPE_CHECKING:
    from crawler.workers.channel import Frame

START_SECONDS = 60.0
"""A worker that has not loaded its parsers by then is taken for broken."""
_PASSED_ENVIRONMENT = (
    *("PATH", "LANG", "LC_ALL", "LD_LIBRARY_PATH", "VIRTUAL_ENV"),
    *("PYTHONWARNINGS", "PYTHONDONTWRITEBYTECODE", "PYTHONPYCACHEPREFIX"),
)


class WorkerProcess:
    """One process and our end of its socket."""

    def __init__(self, *, deadline_seconds: float, memory_bytes: int) -> None:
        self.pages = 0
        self._ready = self._killed = False
        self._granted_seconds = 0.0
        self._deadline_seconds = deadline_seconds
        self._channel: Channel | None = None
        self._socket, theirs = socket.socketpair()
        root = str(Path(__file__).resolve().parent.parent.parent)
        environment = {name: os.environ[name] for name in _PASSED_ENVIRONMENT if name in os.environ}
        with theirs, ExitStack() as undo:
            undo.callback(self._socket.close)
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-m", "crawler.workers.main", str(deadline_seconds), str(memory_bytes)],
                stdin=theirs.fileno(),
                stdout=subprocess.DEVNULL,
                start_new_session=True,  # a person's Ctrl-C is for the parent, who ends us
                env=environment | {"PYTHONPATH": root},
            )
            undo.pop_all()

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def is_ready(self) -> bool:
        return self._ready

    async def wait_ready(self) -> None:
        """Wait until it has loaded its parsers. Raises ExtractError."""
        if self._ready:
            return
        if self._channel is None:
            self._channel = await self._connect()
        try:
            await self._channel.receive(max_body=0, seconds=START_SECONDS)
        except ChannelClosed as error:
            raise ExtractError(self._describe_end()) from error
        except TimeoutError as error:
            raise ExtractError(f"the worker did not start within {START_SECONDS:.0f} s") from error
        self._ready = True

    async def _connect(self) -> Channel:
        self._require_alive()
        channel = await Channel.open(self._socket)
        try:
            self._require_alive()
        except ExtractError:
            channel.abort()
            raise
        return channel

    def _require_alive(self) -> None:
        if self._killed:
            raise ExtractError("the worker was stopped")

    async def ask(self, frame: bytes, *, max_body: int, cpu_seconds: float) -> Frame:
        """Send one job, which grants *cpu_seconds*, and return both parts of the frame that answers it.

        Raises ExtractError if the process ends, TimeoutError after its deadline.
        """
        if self._channel is None:
            raise ExtractError("the worker was not waited for")
        self.pages += 1
        self._granted_seconds = cpu_seconds
        try:
            return await self._channel.ask(frame, max_body=max_body, seconds=self._deadline_seconds)
        except ChannelClosed as error:
            raise ExtractError(self._describe_end()) from error

    def kill(self) -> None:
        """End the process at once and take it off the process table. Safe to repeat, with or without a loop."""
        if self._killed:
            return
        self._killed = True
        self._process.kill()
        self._process.wait()
        if self._channel is not None:
            self._channel.abort()
        self._socket.close()

    def _describe_end(self) -> str:
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(1)
        code = self._process.returncode
        if code is None:
            return "the worker ended (it closed its socket)"
        if code == OUT_OF_MEMORY:
            return "the worker ended (out of memory)"
        if code == -OVERDRAWN:
            return f"time-out: more than {self._granted_seconds:g} s of CPU time"
        end = f"signal: {signal.strsignal(-code) or -code}" if code < 0 else f"exit code {code}"
        return f"the worker ended ({end})"
