"""A run by schedule begins a little after its slot, never later for that it waited its turn."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from config.sources import Source
from jobs.schedule.jitter import find_wait

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


def make_source(schedule: str | None, name: str = "gazette") -> Source:
    return Source.model_validate(
        {
            "id": name,
            "name": "Gazette",
            "home": "https://gazette.example/",
            "discover": [{"feed": "https://gazette.example/feed"}],
            "articles": {"include": ["."]},
            "schedule": schedule,
            "network": "private",
        }
    )


@pytest.mark.parametrize(
    ("schedule", "most", "bound"),
    [("every 30 minutes", 10.0, 10.0), ("every 20 seconds", 10.0, 2.0), ("cron 0 12 * * *", 600.0, 600.0)],
)
def test_the_wait_is_spread_and_within_its_bound(schedule: str, most: float, bound: float) -> None:
    waits = [find_wait(make_source(schedule, f"gazette-{n}"), NOON, NOON, most) for n in range(400)]
    assert 0 <= min(waits) < 0.05 * bound
    assert 0.95 * bound < max(waits) < bound
    assert 0.45 * bound < sum(waits) / len(waits) < 0.55 * bound


def test_it_is_another_one_at_each_slot_and_the_same_whenever_it_is_asked() -> None:
    source = make_source("every 1 hour")
    waits = [find_wait(source, NOON + timedelta(hours=n), NOON + timedelta(hours=n), 10.0) for n in range(20)]
    assert len(set(waits)) == 20
    assert find_wait(source, NOON, NOON + timedelta(seconds=waits[0] / 2), 10.0) == pytest.approx(waits[0] / 2)


def test_who_waited_longer_already_waits_no_more() -> None:
    source = make_source("every 1 hour")
    assert find_wait(source, NOON, NOON + timedelta(seconds=11), 10.0) == 0
    assert find_wait(source, NOON, NOON - timedelta(hours=1), 10.0) == 0  # the clock stepped back
    assert find_wait(source, NOON, NOON, 0.0) == 0
    assert find_wait(make_source(None), NOON, NOON, 10.0) == 0
