"""Tells observers what the daemon does, in a thread of its own: a mail server that hangs must hold up no run."""

from __future__ import annotations

import queue
import threading
import time
from typing import TYPE_CHECKING

import structlog

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from jobs.runs.ending import RunEnded, RunObserver

log = structlog.get_logger()

MAX_WAITING = 10_000
"""What observers that hang have not heard yet; more is dropped, and said."""


class Observing:
    """Passes on what happens, in order; never blocks and never raises."""

    def __init__(self, observers: Sequence[RunObserver]) -> None:
        self._observers = tuple(observers)
        self._news: queue.Queue[Callable[[RunObserver], None] | None] = queue.Queue(MAX_WAITING)
        self._thread = threading.Thread(target=self._tell, name="observers", daemon=True)
        if self._observers:
            self._thread.start()

    def run_started(self, source: str, slot: datetime | None) -> None:
        """See RunObserver."""
        self._put(lambda observer: observer.run_started(source, slot))

    def run_ended(self, ended: RunEnded) -> None:
        """See RunObserver."""
        self._put(lambda observer: observer.run_ended(ended))

    def slot_passed(self, source: str, slot: datetime, outcome: str) -> None:
        """See RunObserver."""
        self._put(lambda observer: observer.slot_passed(source, slot, outcome))

    def tick(self, now: datetime) -> None:
        """See RunObserver. Left out as long as earlier news wait."""
        if self._news.empty():
            self._put(lambda observer: observer.tick(now))

    def close(self, seconds: float) -> None:
        """Wait until all is told, *seconds* at most."""
        if not self._observers:
            return
        deadline = time.monotonic() + seconds
        try:
            self._news.put(None, timeout=max(0.0, seconds))
        except queue.Full:
            return
        self._thread.join(max(0.0, deadline - time.monotonic()))

    def _put(self, news: Callable[[RunObserver], None]) -> None:
        if not self._observers:
            return
        try:
            self._news.put_nowait(news)
        except queue.Full:
            log.error("failed_observer", reason="it hangs; what it was to be told is dropped")  # noqa: TRY400 - no bug

    def _tell(self) -> None:
        while (news := self._news.get()) is not None:
            for observer in self._observers:
                try:
                    news(observer)
                except Exception:
                    log.exception("failed_observer", observer=type(observer).__name__)
