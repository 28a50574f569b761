"""Uploads beside the crawl: a thread that brings closed segments to the store, and tries again where it is in trouble.

It alone touches store and catalog while the crawl runs, so a store that hangs holds up nobody else.
"""

from __future__ import annotations

import contextvars
import random
import threading
import time
from contextlib import closing
from typing import TYPE_CHECKING

import structlog

from config.errors import ArchiveError

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

log = structlog.get_logger()

FIRST_SECONDS, LONGEST_SECONDS = 1.0, 60.0
"""Between two tries, as long as the trouble may pass."""
REFUSED_SECONDS = 60.0
"""Between two tries where it will not pass by itself: a person may be putting it right."""
IDLE_SECONDS = 0.2


class Patience:
    """How long a store in trouble is left alone: twice as long each time, by chance a little less."""

    def __init__(self, chance: Callable[[], float] = random.random) -> None:
        self._chance = chance
        self._next = FIRST_SECONDS

    def note_failure(self, error: Exception) -> float:
        """Return the seconds until the next try."""
        if not may_pass(error):
            return REFUSED_SECONDS
        self._next = min(2 * self._next, LONGEST_SECONDS)
        return self._next * (1 - self._chance() / 2)

    def reset(self) -> None:
        """Begin with short times again."""
        self._next = FIRST_SECONDS


def may_pass(error: Exception) -> bool:
    """Whether the trouble may end with nobody's help: a store that cannot be reached, a disk that is full."""
    return isinstance(error, OSError) or (isinstance(error, ArchiveError) and error.retryable)


class Uploader(threading.Thread):
    """Brings segments until `finish` was called and none is left, or until patience with the store is over.

    *bring*: yields for each segment whether it was committed. *has_work*: whether a segment waits.
    """

    def __init__(
        self,
        bring: Callable[[], Generator[bool, None, None]],
        has_work: Callable[[], bool],
        *,
        grace_seconds: float,
        patience: Patience | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(name="uploader", daemon=True)
        self._bring = bring
        self._has_work = has_work
        self._grace_seconds = grace_seconds
        self._patience = patience or Patience()
        self._clock = clock
        self._context = contextvars.copy_context()
        self._wake = threading.Event()
        self._abandoned = threading.Event()
        self._told: set[str] = set()
        self._next_try = clock()
        self._deadline: float | None = None
        """When trouble ends it. Set by `finish`."""
        self._last_try_due = False
        self.committed = 0
        self.trouble: ArchiveError | OSError | None = None
        """Of the last try, if it failed."""
        self.caught_up = threading.Event()
        """Set after the first try, whatever came of it."""
        self.over = threading.Event()
        self.crash: BaseException | None = None
        """A fault of ours that ended the thread."""

    @property
    def is_stuck(self) -> bool:
        """Whether it is, as far as anyone can tell, waiting for the store, or the store refused."""
        return self.trouble is not None or (self.ident is not None and not self.over.is_set())

    def finish(self) -> None:
        """Bring what is left, then end; in trouble, for the grace time at most. Safe to repeat."""
        if self._deadline is None:
            self._last_try_due = True
            self._deadline = self._clock() + self._grace_seconds
            self._wake.set()

    def abandon(self) -> None:
        """End after the segment that is under way."""
        self._abandoned.set()
        self._wake.set()

    def require_sound(self) -> None:
        """Raise what ended the thread, if it was a fault of ours."""
        if self.crash is not None:
            raise self.crash

    def run(self) -> None:
        """Take steps until it is over."""
        try:
            self._context.run(self._work)
        except BaseException as error:  # noqa: BLE001 - the main thread raises it
            self.crash = error
        finally:
            self.caught_up.set()
            self.over.set()

    def _work(self) -> None:
        while not self._abandoned.is_set() and self.step():
            self._wake.wait(IDLE_SECONDS)
            self._wake.clear()

    def step(self) -> bool:
        """Try if it is time to; return whether there is more to do, now or later."""
        now, deadline = self._clock(), self._deadline
        if self._last_try_due and (self.trouble is None or may_pass(self.trouble)):
            self._patience.reset()
            self._next_try = now
        ending, self._last_try_due = self._last_try_due, False
        # In trouble at the end, whatever `has_work` says: a segment that its writer's death left open is no work to it.
        due = ending or not self.caught_up.is_set() or (deadline is not None and self.trouble is not None)
        if now >= self._next_try and (due or self._has_work()):
            self._try()
        if deadline is None:
            return True
        return self.trouble is not None and may_pass(self.trouble) and self._next_try <= deadline

    def _try(self) -> None:
        try:
            with closing(self._bring()) as segments:
                for committed in segments:
                    self.committed += committed
                    if self._abandoned.is_set():
                        break
        except (ArchiveError, OSError) as error:
            self._next_try = self._clock() + self._patience.note_failure(error)
            self.trouble = error
            if str(error) not in self._told:
                self._told.add(str(error))
                log.warning("failed_upload", error=str(error))
        else:
            self.trouble = None
            self._patience.reset()
            self._told.clear()
        self.caught_up.set()
