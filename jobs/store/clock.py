"""Clock sanity: our time against the store's. A run with a wrong clock would date its captures wrongly, for good."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from config.errors import ClockWrong

if TYPE_CHECKING:
    from collections.abc import Callable

    from jobs.store import ObjectStore

MAX_SKEW_SECONDS = 60.0


def read_utc() -> datetime:
    """Return this machine's time, aware UTC."""
    return datetime.now(UTC)


def measure_skew(store: ObjectStore, *, clock: Callable[[], datetime] = read_utc) -> float | None:
    """Return our clock minus the store's in seconds, or `None` if the store tells no time. Raises StoreError."""
    theirs = store.read_clock()
    return None if theirs is None else round((clock() - theirs).total_seconds(), 3)


def check_clock(store: ObjectStore, *, clock: Callable[[], datetime] = read_utc) -> float | None:
    """Return our clock minus the store's in seconds, or `None` if the store tells no time.

    Raises ClockWrong above MAX_SKEW_SECONDS, and StoreError. Time that the question took is held against neither.
    """
    before = clock()
    theirs = store.read_clock()
    after = clock()
    if theirs is None:
        return None
    ahead, behind = (before - theirs).total_seconds(), (theirs - after).total_seconds()
    if max(ahead, behind) > MAX_SKEW_SECONDS:
        raise ClockWrong(
            f"{store.url}: found this machine's clock at {after:%Y-%m-%dT%H:%M:%SZ} and the store's at "
            f"{theirs:%Y-%m-%dT%H:%M:%SZ}, {max(ahead, behind):.0f} seconds apart, expected at most "
            f"{MAX_SKEW_SECONDS:.0f}; set this machine's clock (NTP), or the store's if that is the wrong one"
        )
    return round((after - theirs).total_seconds(), 3)
