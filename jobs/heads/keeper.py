"""Heads beside the daemon: one each `heads_seconds`, and what second places did not take again. In its own thread."""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Self

import structlog

from config.errors import ArchiveError
from jobs.context import open_archive
from jobs.heads.writing import keep_heads

if TYPE_CHECKING:
    from collections.abc import Callable

    from config.settings import Settings
    from jobs.heads.writing import HeadReport
    from jobs.runs.ending import RunEnded

log = structlog.get_logger()

RETRY_SECONDS = 900.0
_LEAST_SECONDS = 60.0
_CLOSE_SECONDS = 5.0


class HeadKeeper:
    """A RunObserver that writes a head when one is due: at the first tick, and when the newest is `heads_seconds` old.

    However many runs there are, it puts one head in that time at most.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        tell: Callable[[dict[str, str]], None] | None = None,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """*tell*: told after each round what failed, by place."""
        self._settings = settings
        self._tell = tell
        self._clock, self._now = clock, now
        self._next = clock()
        self._wanted, self._stopping = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._keep, name="head-keeper", daemon=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def run_started(self, source: str, slot: datetime | None) -> None:
        """Nothing to write down yet."""

    def run_ended(self, ended: RunEnded) -> None:
        """It is in the next head."""

    def slot_passed(self, source: str, slot: datetime, outcome: str) -> None:
        """It is in no log yet."""

    def tick(self, now: datetime) -> None:
        """Write a head if one is due."""
        del now
        if self._clock() < self._next:
            return
        if self._thread.ident is None:
            self._thread.start()
        self._wanted.set()

    def close(self, seconds: float = _CLOSE_SECONDS) -> None:
        """End; what is under way goes on for *seconds* at most, and is repeated by the next start."""
        self._stopping.set()
        self._wanted.set()
        if self._thread.ident is not None:
            self._thread.join(seconds)

    def look(self) -> HeadReport | None:
        """Do one round now; `None`: it failed, and was told."""
        report, failed = None, {}
        try:
            with open_archive(self._settings) as archive:
                report = keep_heads(archive, fresh={}, now=self._now())
            failed = report.failed
        except (ArchiveError, OSError) as error:
            log.warning("failed_head", reason=str(error))
            failed = {"the archive": str(error)}
        except Exception as error:  # whatever it is, the daemon goes on
            log.exception("failed_head", reason=f"{type(error).__name__}: {error}")
            failed = {"the archive": str(error)}
        self._next = self._clock() + (RETRY_SECONDS if failed else self._wait(report))
        if self._tell is not None:
            self._tell(failed)
        return report

    def _wait(self, report: HeadReport | None) -> float:
        """Return the seconds until the next head is due; where nothing has grown, a quarter of the time."""
        span = self._settings.heads_seconds
        if report is None or report.created is None:
            return min(span, RETRY_SECONDS)
        left = span - (self._now() - report.created).total_seconds()
        return max(_LEAST_SECONDS, min(span, left if left > 0 else span / 4))

    def _keep(self) -> None:
        while not self._stopping.is_set():
            self._wanted.wait()
            self._wanted.clear()
            if not self._stopping.is_set() and self._clock() >= self._next:
                self.look()
