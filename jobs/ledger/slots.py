"""A schedule → its slots: the UTC instants at which a source should be crawled. Pure; it never asks for the time.

Intervals stand on whole multiples since the epoch. Cron's fields are read on the clock of a zone: of a local time that
there is not, since the clock jumped over it, the slot is the moment of the jump; of one that there is twice, it is the
first. So each local time gives at most one slot, and slots that fall on one moment are one.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from itertools import pairwise
from typing import TYPE_CHECKING, Protocol
from zoneinfo import ZoneInfo

from config.units import read_cron_field
from jobs.ledger.calendars import EPOCH, Slots

if TYPE_CHECKING:
    from collections.abc import Iterator

    from config.units import Schedule

_TICK = timedelta(microseconds=1)
_DAY = timedelta(days=1)
_FAR_DAYS = 3_000
"""No cron schedule that was let through has two slots farther apart: the 29th of February at the turn of 2100."""


class ScheduleSlots(Slots, Protocol):
    """The slots of a schedule that goes on."""

    def following(self, after: datetime) -> datetime:
        """Return the first slot later than *after*."""


def make_slots(schedule: Schedule) -> ScheduleSlots:
    """Return the slots of *schedule*."""
    if schedule.interval_seconds is not None:
        return IntervalSlots(timedelta(seconds=schedule.interval_seconds))
    return CronSlots.of(schedule)


@dataclass(frozen=True, slots=True)
class IntervalSlots:
    """Whole multiples of an interval since the epoch."""

    interval: timedelta

    def latest(self, after: datetime, now: datetime) -> datetime | None:
        """See Slots."""
        slot = EPOCH + self._number(now) * self.interval
        return slot if slot > after else None

    def following(self, after: datetime) -> datetime:
        """See Slots."""
        return EPOCH + (self._number(after) + 1) * self.interval

    def between(self, after: datetime, until: datetime) -> Iterator[datetime]:
        """See Slots."""
        for number in range(self._number(after) + 1, self._number(until) + 1):
            yield EPOCH + number * self.interval

    def count(self, after: datetime, until: datetime) -> int:
        """See Slots."""
        return max(0, self._number(until) - self._number(after))

    def _number(self, moment: datetime) -> int:
        return (moment - EPOCH) // self.interval


@dataclass(frozen=True, slots=True)
class CronSlots:
    """Slots of cron's five fields, all of which must fit, on the clock of *zone*."""

    times: tuple[timedelta, ...]
    """Of a day, since its midnight, as the clock shows it; in order."""
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]
    zone: tzinfo = UTC

    @classmethod
    def of(cls, schedule: Schedule) -> CronSlots:
        """Return the slots of a *schedule* that has cron fields."""
        if schedule.cron is None:
            raise ValueError("found no cron fields, expected five")
        fields = [read_cron_field(number, value) for number, value in enumerate(schedule.cron.split())]
        minutes, hours, days, months, weekdays = fields
        times = tuple(timedelta(hours=hour, minutes=minute) for hour in sorted(hours) for minute in sorted(minutes))
        return cls(times, days, months, weekdays, ZoneInfo(schedule.zone) if schedule.zone else UTC)

    def latest(self, after: datetime, now: datetime) -> datetime | None:
        """See Slots."""
        day = self._local_day(now) + _DAY  # a day's slot may lie before its midnight, where midnight was jumped over
        first = self._local_day(after) - _DAY
        while day >= first:
            for slot in reversed(self._of_day(day)):
                if slot <= now:
                    return slot if slot > after else None
            day -= _DAY
        return None

    def following(self, after: datetime) -> datetime:
        """See Slots."""
        first = self._local_day(after) - _DAY
        for number in range(_FAR_DAYS):
            for slot in self._of_day(first + number * _DAY):
                if slot > after:
                    return slot
        raise ValueError(f"found no slot in {_FAR_DAYS} days after {after}, expected one")

    def between(self, after: datetime, until: datetime) -> Iterator[datetime]:
        """See Slots."""
        day, last = self._local_day(after) - _DAY, self._local_day(until) + _DAY
        while day <= last:
            for slot in self._of_day(day):
                if after < slot <= until:
                    after = slot
                    yield slot
            day += _DAY

    def count(self, after: datetime, until: datetime) -> int:
        """See Slots."""
        return sum(1 for _ in self.between(after, until))

    def _local_day(self, moment: datetime) -> date:
        return moment.astimezone(self.zone).date()

    def _of_day(self, day: date) -> list[datetime]:
        """Return the slots of a local *day*, in order, each once."""
        if day.day not in self.days or day.month not in self.months or day.isoweekday() not in self.weekdays:
            return []
        midnight = datetime.combine(day, time())
        start, end = (midnight + number * _DAY for number in (0, 1))
        offset = _offset(start, self.zone)
        if self.zone is UTC or (offset == _offset(end, self.zone) and exists(start, self.zone)):
            base = (midnight - offset).replace(tzinfo=UTC)
            return [base + since for since in self.times]
        found = [resolve(midnight + since, self.zone) for since in self.times]
        return found[:1] + [slot for before, slot in pairwise(found) if slot > before]


def resolve(local: datetime, zone: tzinfo) -> datetime:
    """Return the instant of a *local* time (naive): the first if there are two, that of the jump if there is none."""
    if exists(local, zone):
        return local.replace(tzinfo=zone).astimezone(UTC)
    # with fold 0 a time that there is not is counted by the offset before the jump, with 1 by the one after it
    late, early = (local.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1))
    before = early.astimezone(zone).utcoffset()
    while late - early > _TICK:
        middle = early + (late - early) // 2
        if middle.astimezone(zone).utcoffset() == before:
            early = middle
        else:
            late = middle
    return late


def exists(local: datetime, zone: tzinfo) -> bool:
    """Whether the clock of *zone* ever shows *local* (naive)."""
    there = local.replace(tzinfo=zone).astimezone(UTC)
    return there.astimezone(zone).replace(tzinfo=None, fold=0) == local


def _offset(local: datetime, zone: tzinfo) -> timedelta:
    return local.replace(tzinfo=zone).utcoffset() or timedelta()
