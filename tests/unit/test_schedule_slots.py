"""Slots stand in the calendar, not in the daemon's start: intervals since the epoch, cron on the clock of a zone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from apscheduler.triggers.cron import CronTrigger
from hypothesis import given, settings
from hypothesis import strategies as st

from config.units import parse_schedule
from jobs.ledger.slots import ScheduleSlots, make_slots
from jobs.schedule.timer import SlotTrigger
from tests.daemons import NOON

MINUTE = timedelta(minutes=1)


def read(text: str) -> ScheduleSlots:
    return make_slots(parse_schedule(text))


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def list_slots(text: str, after: str, until: str) -> list[str]:
    return [slot.strftime("%d %H:%M") for slot in read(text).between(utc(after), utc(until))]


@pytest.mark.parametrize("late", [0.0, 0.5, 16.0, 1799.9])
def test_slots_are_multiples_since_the_epoch_whatever_was_run_between(late: float) -> None:
    trigger = SlotTrigger(read("every 30 minutes"))
    fired = NOON + timedelta(seconds=late)
    assert trigger.get_next_fire_time(fired, fired) == NOON + 30 * MINUTE


def test_the_first_slot_may_be_now() -> None:
    trigger = SlotTrigger(read("every 30 minutes"))
    assert trigger.get_next_fire_time(None, NOON) == NOON
    assert trigger.get_next_fire_time(NOON, NOON) == NOON + 30 * MINUTE


def test_slots_missed_meanwhile_are_passed_over() -> None:
    fired = SlotTrigger(read("every 1 minute")).get_next_fire_time(NOON, NOON + timedelta(hours=5, seconds=1))
    assert fired == NOON + timedelta(hours=5, minutes=1)


@pytest.mark.parametrize(
    ("schedule", "after", "now", "slot"),
    [
        ("every 30 minutes", NOON, NOON + 29 * MINUTE, None),
        ("every 30 minutes", NOON, NOON + 61 * MINUTE, NOON + 60 * MINUTE),
        ("every 30 minutes", NOON - timedelta(seconds=1), NOON, NOON),
        ("cron */15 * * * *", NOON, NOON + 14 * MINUTE, None),
        ("cron */15 * * * *", NOON, NOON + 47 * MINUTE, NOON + 45 * MINUTE),
        ("cron 0 6 * * mon", NOON, NOON + timedelta(days=1), NOON + timedelta(hours=18)),
        ("cron 0 6 * * mon", NOON, NOON + timedelta(hours=18), NOON + timedelta(hours=18)),
        ("cron 0 0 29 2 *", NOON, utc("2030-01-01"), utc("2028-02-29")),
    ],
)
def test_the_last_slot_since(schedule: str, after: datetime, now: datetime, slot: datetime | None) -> None:
    assert read(schedule).latest(after, now) == slot


def test_the_rarest_slot_is_found() -> None:
    assert read("cron 0 0 29 2 *").following(utc("2096-02-29")) == utc("2104-02-29")


def test_a_local_time_that_the_clock_jumps_over_is_the_moment_of_the_jump() -> None:
    # Berlin, 2026-03-29: 02:00 → 03:00, which is 01:00 UTC
    assert list_slots("cron 30 2 * * * Europe/Berlin", "2026-03-27", "2026-03-30T12:00") == [
        "27 01:30",
        "28 01:30",
        "29 01:00",
        "30 00:30",
    ]
    assert list_slots("cron 0,30 2,3 * * * Europe/Berlin", "2026-03-29", "2026-03-29T06:00") == ["29 01:00", "29 01:30"]


def test_a_local_time_that_comes_twice_is_one_slot_the_first() -> None:
    # Berlin, 2026-10-25: 03:00 → 02:00, which is 01:00 UTC
    assert list_slots("cron 30 2 * * * Europe/Berlin", "2026-10-24", "2026-10-26T12:00") == [
        "24 00:30",
        "25 00:30",
        "26 01:30",
    ]
    assert list_slots("cron 30 * * * * Europe/Berlin", "2026-10-24T23:00", "2026-10-25T03:00") == [
        "24 23:30",
        "25 00:30",
        "25 02:30",
    ]


def test_a_midnight_that_there_is_not() -> None:
    # Beirut, 2026-03-29: 00:00 → 01:00, which is 28 March 22:00 UTC; 2026-10-25: 00:00 → 23:00 of the day before
    assert list_slots("cron 0,59 0 * * * Asia/Beirut", "2026-03-28T12:00", "2026-03-30T12:00") == [
        "28 22:00",
        "29 21:00",
        "29 21:59",
    ]
    assert list_slots("cron 30 23 * * * Asia/Beirut", "2026-10-23T12:00", "2026-10-26T00:00") == [
        "23 20:30",
        "24 20:30",
        "25 21:30",
    ]


def test_a_day_that_there_is_not_is_one_moment() -> None:
    # Apia had no 30 December 2011: the clock went from the 29th, 24:00 at UTC-10, to the 31st, 0:00 at UTC+14
    assert list_slots("cron 0 12 * * * Pacific/Apia", "2011-12-28T23:00", "2012-01-01T23:00") == [
        "29 22:00",
        "30 10:00",
        "30 22:00",
        "31 22:00",
        "01 22:00",
    ]


_minutes = st.sampled_from(["*", "*/7", "0", "30", "5-20/5", "0,30,59"])
_hours = st.sampled_from(["*", "2", "0-3", "*/6", "23", "1,2,3"])
_days = st.sampled_from(["*", "*", "*", "1", "29-31", "*/5"])
_weekdays = st.sampled_from(["*", "*", "sun", "mon-fri"])
_zones = st.sampled_from(
    ["", "Europe/Berlin", "Asia/Beirut", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata"]
)
_moments = st.integers(0, 3 * 365 * 86_400).map(lambda seconds: utc("2025-01-01") + timedelta(seconds=seconds))
_crons = st.builds("cron {} {} {} * {} {}".format, _minutes, _hours, _days, _weekdays, _zones)
_schedules = _crons.map(str.strip) | st.integers(1, 5_000).map("every {} minutes".format)


@given(_schedules, _moments, st.floats(0, 4 * 86_400))
@settings(deadline=None)
def test_all_questions_have_one_answer(schedule: str, after: datetime, seconds: float) -> None:
    slots, begin = read(schedule), after
    until = begin + timedelta(seconds=seconds)
    found = list(slots.between(begin, until))
    assert found == sorted(set(found))
    assert all(begin < slot <= until for slot in found)
    assert slots.count(begin, until) == len(found)
    assert slots.latest(begin, until) == (found[-1] if found else None)
    following = slots.following(begin)
    assert following == found[0] if found else following > until


@given(_crons, _moments)
@settings(deadline=None)
def test_each_local_time_of_an_ordinary_day_is_a_slot_where_cron_s_is(schedule: str, after: datetime) -> None:
    zone_name = next(iter(schedule.split()[6:]), "UTC")
    zone, begin = ZoneInfo(zone_name), after
    ends = [(begin + timedelta(days=days)).astimezone(zone).utcoffset() for days in (-2, 4)]
    if ends[0] != ends[1]:
        return  # the clock jumps: theirs and ours differ by policy
    theirs = CronTrigger.from_crontab(" ".join(schedule.split()[1:6]), timezone=zone)
    expected: list[datetime] = []
    at = theirs.get_next_fire_time(None, begin + timedelta(microseconds=1))
    while at is not None and at <= begin + timedelta(days=2) and len(expected) < 50:
        expected.append(at.astimezone(UTC))
        at = theirs.get_next_fire_time(at, at + timedelta(microseconds=1))
    found = list(read(schedule.strip()).between(begin, begin + timedelta(days=2)))
    assert found[: len(expected)] == expected
