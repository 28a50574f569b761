"""The clocks that a daemon lives by, in one object, so that a test can put others in; and what the wall clock did."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from crawler.leash import boot_clock

if TYPE_CHECKING:
    from collections.abc import Callable

STEP = timedelta(seconds=1)
"""What the wall clock gains or loses by less between two looks is no step: time servers move it by bits."""


def wall_clock() -> datetime:
    """Return the time of day, in UTC."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Clock:
    """What the time is."""

    now: Callable[[], datetime] = wall_clock
    """Aware; may be set by anybody at any time."""
    boot: Callable[[], float] = boot_clock
    """Seconds, those that the machine slept among them; nobody sets it."""


@dataclass(slots=True)
class StepWatch:
    """Tells a clock that was set from time that has passed, a sleep of the machine included."""

    clock: Clock
    _offset: timedelta = field(init=False)

    def __post_init__(self) -> None:
        self._offset = self._measure()

    def look(self) -> timedelta | None:
        """Return by how much the wall clock was set since the last look, below 0 for back; `None`: it was not."""
        before, self._offset = self._offset, self._measure()
        step = self._offset - before
        return step if abs(step) >= STEP else None

    def _measure(self) -> timedelta:
        now = self.clock.now() - datetime(1970, 1, 1, tzinfo=UTC)
        return now - timedelta(seconds=self.clock.boot())
