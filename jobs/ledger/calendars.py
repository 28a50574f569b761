"""The slots of a schedule, as the ledger asks for them, and those of a stretch whose schedule nobody knows."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Protocol

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class Slots(Protocol):
    """The slots of one schedule, all in UTC. *after* is exclusive, *now* and *until* are inclusive."""

    def latest(self, after: datetime, now: datetime) -> datetime | None:
        """Return the last slot later than *after* and not later than *now*; `None` if there is none."""

    def between(self, after: datetime, until: datetime) -> Iterator[datetime]:
        """Yield the slots later than *after* and not later than *until*, in order."""

    def count(self, after: datetime, until: datetime) -> int:
        """Return how many those are."""


FindCalendar = Callable[[str], Slots | None]
"""Schedule, as a source's file has it → its slots; `None`: this version cannot read it."""


@dataclass(frozen=True, slots=True)
class EvenSlots:
    """So many instants from the first to the last, as even as microseconds allow."""

    first: datetime
    last: datetime
    number: int
    """At least 2."""

    def latest(self, after: datetime, now: datetime) -> datetime | None:
        """See Slots."""
        found = self._count_to(now) - 1
        return self._at(found) if found >= self._count_to(after) else None

    def between(self, after: datetime, until: datetime) -> Iterator[datetime]:
        """See Slots."""
        for k in range(self._count_to(after), self._count_to(until)):
            yield self._at(k)

    def count(self, after: datetime, until: datetime) -> int:
        """See Slots."""
        return max(0, self._count_to(until) - self._count_to(after))

    def _at(self, k: int) -> datetime:
        return self.first + timedelta(microseconds=to_number(self.last - self.first) * k // (self.number - 1))

    def _count_to(self, until: datetime) -> int:
        passed = to_number(until - self.first)
        if passed < 0:
            return 0
        return min(self.number, -(-(passed + 1) * (self.number - 1) // to_number(self.last - self.first)))


def to_number(span: timedelta) -> int:
    """Return *span* in whole microseconds."""
    return span // _MICROSECOND
