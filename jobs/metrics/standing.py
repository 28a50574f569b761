"""How the daemon itself stands: whether its loop turns, whether it is ready. What the probes ask."""

from __future__ import annotations

import math
import threading
import time
from typing import TYPE_CHECKING, NamedTuple

from config.units import count

if TYPE_CHECKING:
    from collections.abc import Callable

STALLED_SECONDS = 180.0
"""A loop that has not turned for that long hangs: it is to turn at least once a minute."""


class Answer(NamedTuple):
    """What a probe is told."""

    good: bool
    text: str
    """One line for people."""


class Standing:
    """Written by the daemon's thread, read by the server's."""

    def __init__(
        self, *, stalled_seconds: float = STALLED_SECONDS, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """*clock*: seconds; one that stands still while the machine sleeps, for the loop does as well."""
        self._stalled_seconds = stalled_seconds
        self._clock = clock
        self._lock = threading.Lock()
        self._turned: float | None = None
        self._turned_at = math.nan
        self._sources: int | None = None
        self._draining = False
        self._store_trouble: str | None = None

    def turn(self) -> None:
        """Note that the loop turns."""
        with self._lock:
            self._turned, self._turned_at = self._clock(), time.time()

    def load(self, sources: int) -> None:
        """Note that the schedule is loaded, with so many sources."""
        self._sources = sources

    def drain(self) -> None:
        """Note that the daemon was asked to end."""
        self._draining = True

    def note_store(self, trouble: str | None) -> None:
        """Note how the last run found the store; `None`: it answered."""
        self._store_trouble = trouble

    @property
    def sources(self) -> int:
        """Sources that have a schedule; 0 before it is loaded."""
        return self._sources or 0

    @property
    def draining(self) -> bool:
        """Whether the daemon was asked to end."""
        return self._draining

    @property
    def turned_at(self) -> float:
        """When the loop last turned, in seconds since 1970; not a number before it did."""
        with self._lock:
            return self._turned_at

    def is_alive(self) -> Answer:
        """Say whether the loop turns; also while the daemon drains, or it would be killed for that."""
        with self._lock:
            turned = self._turned
        if turned is None:
            return Answer(good=False, text="it is starting: the loop has not turned yet")
        seconds = self._clock() - turned
        text = f"the loop turned {seconds:.0f} s ago"
        if seconds > self._stalled_seconds:
            return Answer(good=False, text=f"{text}, at most {self._stalled_seconds:.0f} s are right: it hangs")
        return Answer(good=True, text=text)

    def is_ready(self) -> Answer:
        """Say whether runs begin and their results get into the store."""
        alive = self.is_alive()
        if not alive.good:
            return alive
        if self._draining:
            return Answer(good=False, text="it was asked to end")
        if self._sources is None:
            return Answer(good=False, text="the schedule is not loaded yet")
        if self._store_trouble is not None:
            return Answer(good=False, text=self._store_trouble)
        return Answer(
            good=True, text=f"{count(self._sources, 'source')} {'has' if self._sources == 1 else 'have'} a schedule"
        )
