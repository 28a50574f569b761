"""Slots stand in the calendar, not in the daemon's start."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from config.sources import Source
from jobs.schedule import EpochTrigger, find_slot, make_trigger

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


def make_source(schedule: str) -> Source:
    return Source.model_validate(
        {
            "id": "gazette",
            "name": "Gazette",
            "home": "https://gazette.example/",
            "discover": [{"feed": "https://gazette.example/feed"}],
            "articles": {"include": ["."]},
            "schedule": schedule,
        }
    )


@pytest.mark.parametrize("late", [0.0, 0.5, 16.0, 1799.9])
def test_slots_are_multiples_since_the_epoch_whatever_was_run_between(late: float) -> None:
    trigger = make_trigger(make_source("every 30 minutes"))
    fired = NOON + timedelta(seconds=late)
    assert trigger.get_next_fire_time(fired, fired) == NOON + timedelta(minutes=30)


def test_the_first_slot_may_be_now() -> None:
    assert EpochTrigger(1800).get_next_fire_time(None, NOON) == NOON
    assert EpochTrigger(1800).get_next_fire_time(NOON, NOON) == NOON + timedelta(minutes=30)


def test_slots_missed_meanwhile_are_passed_over() -> None:
    trigger = EpochTrigger(60)
    assert trigger.get_next_fire_time(NOON, NOON + timedelta(hours=5, seconds=1)) == NOON + timedelta(
        hours=5, minutes=1
    )


@pytest.mark.parametrize(
    ("schedule", "after", "now", "slot"),
    [
        ("every 30 minutes", NOON, NOON + timedelta(minutes=29), None),
        ("every 30 minutes", NOON, NOON + timedelta(minutes=61), NOON + timedelta(minutes=60)),
        ("every 30 minutes", NOON - timedelta(seconds=1), NOON, NOON),
        ("cron */15 * * * *", NOON, NOON + timedelta(minutes=14), None),
        ("cron */15 * * * *", NOON, NOON + timedelta(minutes=47), NOON + timedelta(minutes=45)),
        ("cron 0 6 * * mon", NOON, NOON + timedelta(days=1), NOON + timedelta(hours=18)),
    ],
)
def test_the_last_slot_since(schedule: str, after: datetime, now: datetime, slot: datetime | None) -> None:
    assert find_slot(make_trigger(make_source(schedule)), after, now) == slot
