"""The benchmark of the room runs over a small library, and finds in it what it asks for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.benchmarks.room import LIMITS, MOST_MB, describe, find_p95, measure

if TYPE_CHECKING:
    from pathlib import Path


def test_all_kinds_of_pages_of_a_small_library_are_measured(tmp_path: Path) -> None:
    cost = measure(400, tmp_path, requests=12, load_seconds=1)
    assert cost.texts > 400
    assert {kind: len(took) for kind, took in cost.pages.items()} == dict.fromkeys(LIMITS, 12)
    assert cost.rate > 0
    assert 0 < cost.server_mb < MOST_MB
    table = describe(cost)
    assert "400 articles" in table
    assert all(kind in table for kind in LIMITS)


def test_the_time_that_95_of_100_do_not_exceed() -> None:
    assert find_p95(range(1, 101)) == 95
    assert find_p95([3.0]) == 3.0
    assert find_p95([1.0, 2.0]) == 2.0
