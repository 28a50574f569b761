"""The web process's side of the keeper: starts it, hears what it says, starts it again when it dies."""

from __future__ import annotations

import contextlib
import errno
import json
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Self

import structlog

from config.errors import ArchiveError, ArchiveMissing, ConfigError, DamageFound, ExitCode, StoreError
from crawler.rows import format_time
from jobs.room.keeper import encode_assignment

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from types import TracebackType

    from config.settings import Settings
    from config.sources import Source

log = structlog.get_logger()

_FIRST_PAUSE_SECONDS = 1.0
_LONGEST_PAUSE_SECONDS = 60.0
_END_SECONDS = 5.0
_DOUBT_SECONDS = 30.0
"""Between two doubts: a reader may come back sooner than all is made anew."""


class Upkeep:
    """A keeper that is at work; leave the block to end it."""

    def __init__(
        self, settings: Settings, sources: Mapping[str, Source], *, tell: Callable[[str], None] | None = None
    ) -> None:
        """Nothing is started yet. *sources*: as configured. *tell*: told how far the first look is."""
        self._assignment = encode_assignment(settings, sources)
        self._late_seconds = 3 * settings.room_refresh_seconds + _LONGEST_PAUSE_SECONDS
        self._tell = tell
        self._process: subprocess.Popen[bytes] | None = None
        self._lock = threading.Lock()
        self._over = threading.Event()
        self._looked = threading.Event()
        self._failed: str | None = None
        self._code = ExitCode.FAILED
        self._doubted_at: float | None = None
        self._thread = threading.Thread(target=self._run, name="upkeep", daemon=True)
        self.trouble: dict[str, str] = {}
        """Of the last look: source → what went wrong; "" is the store as a whole."""
        self.looked_at: float | None = None
        """When the last look ended, in seconds since 1970."""

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._over.set()
        with self._lock:
            process = self._process
        if process is not None:
            process.kill()  # its writes are transactions
        self._thread.join(_END_SECONDS)

    def wait(self, stop: threading.Event) -> bool:
        """Return whether the first look is over; False if *stop* came before. Raises ArchiveError, OSError."""
        while not stop.is_set():
            if self._looked.wait(0.1):
                return True
            if self._failed is not None:
                raise _to_error(self._failed, self._code)
        return False

    def doubt(self) -> None:
        """Have the keeper look whether catalog and index are there and whole: a reader could not read them."""
        now = time.monotonic()
        with self._lock:
            if self._doubted_at is not None and now - self._doubted_at < _DOUBT_SECONDS:
                return
            self._doubted_at = now
            process = self._process
        if process is not None and process.stdin is not None:
            with contextlib.suppress(OSError, ValueError):  # it has ended: the next one opens them anew
                process.stdin.write(b"\n")
                process.stdin.flush()

    def tell_standing(self) -> dict[str, Any]:
        """Return what anybody may know: `ok`, or `late` where the last look is old or not all came of it."""
        old = self.looked_at is None or time.time() - self.looked_at > self._late_seconds
        late = old or self.trouble or self._failed
        at = None if self.looked_at is None else format_time(datetime.fromtimestamp(self.looked_at, UTC))
        return {"status": "late" if late else "ok", "looked_at": at}

    def _run(self) -> None:
        pause = _FIRST_PAUSE_SECONDS
        while not self._over.is_set():
            began = time.monotonic()
            code = self._follow()
            if self._over.is_set():
                return
            log.error("failed_keeper", exit_code=code, reason=self._failed)
            self._code = self._code if self._failed else ExitCode.FAILED
            self._failed = self._failed or f"the keeper of catalog and index ended with {code}; see the log"
            pause = _FIRST_PAUSE_SECONDS if time.monotonic() - began > _LONGEST_PAUSE_SECONDS else pause * 2
            self._over.wait(min(pause, _LONGEST_PAUSE_SECONDS))

    def _follow(self) -> int:
        """Start a keeper, hear it until it ends; return its exit code."""
        with self._lock:
            if self._over.is_set():
                return 0
            self._process = process = subprocess.Popen(
                [sys.executable, "-P", "-m", "jobs.room.keeper"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                start_new_session=True,  # a Ctrl-C is for us
            )
        if process.stdin is None or process.stdout is None:
            raise RuntimeError("no pipes")
        with process:
            with contextlib.suppress(BrokenPipeError):
                process.stdin.write(self._assignment)
                process.stdin.flush()
            for line in process.stdout:
                self._hear(json.loads(line))
            return process.wait()

    def _hear(self, told: dict[str, Any]) -> None:
        if "step" in told:
            if self._tell is not None and not self._looked.is_set():
                self._tell(told["step"])
        elif "failed" in told:
            self._failed, self._code = told["failed"], ExitCode(told["exit_code"])
        else:
            if told["trouble"] and told["trouble"] != self.trouble:
                log.warning("failed_look", trouble=told["trouble"])
            self.trouble, self._failed = told["trouble"], None
            self.looked_at = time.time()
            self._looked.set()


def _to_error(message: str, code: ExitCode) -> Exception:
    if code == ExitCode.DISK_FULL:
        return OSError(errno.ENOSPC, message)
    for kind in (ConfigError, ArchiveMissing, DamageFound, StoreError):
        if kind.exit_code == code:
            return kind(message)
    return ArchiveError(message)
