"""Schedules and notes as the tests of the ledger need them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from config.units import parse_schedule
from crawler.rows import SlotRow

if TYPE_CHECKING:
    from collections.abc import Iterator

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
NIGHT = datetime(2026, 11, 22, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class IntervalSlots:
    """The slots of `every …`."""

    step: timedelta

    def latest(self, after: datetime, now: datetime) -> datetime | None:
        found = EPOCH + (now - EPOCH) // self.step * self.step
        return found if found > after else None

    def between(self, after: datetime, until: datetime) -> Iterator[datetime]:
        slot = EPOCH + ((after - EPOCH) // self.step + 1) * self.step
        while slot <= until:
            yield slot
            slot += self.step

    def count(self, after: datetime, until: datetime) -> int:
        return max(0, (until - EPOCH) // self.step - (after - EPOCH) // self.step)


def find_calendar(schedule: str) -> IntervalSlots | None:
    try:
        seconds = parse_schedule(schedule).interval_seconds
    except ValueError:
        return None
    return IntervalSlots(timedelta(seconds=seconds)) if seconds else None


HALF_HOURS = IntervalSlots(timedelta(minutes=30))


def at(hour: float, minute: float = 0) -> datetime:
    return NIGHT + timedelta(hours=hour, minutes=minute)


def mark(hour: float, schedule: str | None = "every 30 minutes") -> SlotRow:
    return SlotRow(at(hour), "scheduled" if schedule else "unscheduled", schedule=schedule)


def note(hour: float, outcome: str = "missed", through: float | None = None, slots: int = 1, **rest: str) -> SlotRow:
    end = None if through is None else at(through)
    return SlotRow(at(hour), outcome, through=end, slots=slots, **rest)  # type: ignore[arg-type]  # texts only
