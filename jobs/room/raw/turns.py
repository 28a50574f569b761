"""How many captures are read at a time, and for how long one may be put together: hostile ones are large and slow."""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from jobs.room.endpoints import TookTooLong

if TYPE_CHECKING:
    from collections.abc import Iterator

_AT_ONCE = threading.BoundedSemaphore(3)
"""Each may take 100 MB for a moment, and half the room's threads stay free."""
_WAIT_SECONDS = 10.0
GATHER_SECONDS = 10.0
"""For all sheets of a page: each of a hundred may take a worker two seconds."""


@contextmanager
def take_turn() -> Iterator[None]:
    """Wait until a capture may be read. Raises TookTooLong."""
    if not _AT_ONCE.acquire(timeout=_WAIT_SECONDS):
        raise TookTooLong("other captures are being read just now: try again in a moment")
    try:
        yield
    finally:
        _AT_ONCE.release()


class Patience:
    """Time that is left for what a page can be shown without."""

    def __init__(self) -> None:
        self._until = time.monotonic() + GATHER_SECONDS

    def is_over(self) -> bool:
        """Whether no more is to be begun."""
        return time.monotonic() > self._until
