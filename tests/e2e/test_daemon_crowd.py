"""Five hundred sources on one daemon for a simulated day or two, each crawl a real process, if a tiny one."""

from __future__ import annotations

import gc
import resource
from collections import Counter
from datetime import timedelta
from pathlib import Path

import pytest

from jobs.ledger import Outcome
from tests.daemons import HOUR, NOON, Simulation

SOURCES = 500
DAYS = [1, pytest.param(2, marks=pytest.mark.soak)]
_PAGE_BYTES = resource.getpagesize()


def read_rss() -> int:
    gc.collect()
    return int(Path("/proc/self/statm").read_text().split()[1]) * _PAGE_BYTES


@pytest.mark.slow
@pytest.mark.parametrize("days", DAYS)
def test_five_hundred_sources_for_days(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, days: int) -> None:
    hours = 24 * days
    simulation = Simulation(tmp_path, monkeypatch, daemon_concurrent_runs=8)
    every = {0: "every 2 hours", 1: "every 4 hours", 2: "cron 0 */3 * * *", 3: "cron 30 6,18 * * * Europe/Berlin"}
    schedules = {f"source-{number:03}": every[number % 4] for number in range(SOURCES)}
    simulation.book.crawled.update(schedules)
    simulation.start(schedules)
    figures = []
    for hour in range(0, hours + 1, 8):
        simulation.pass_until(NOON + hour * HOUR + 5 * timedelta(minutes=1))
        figures.append(read_rss())
    print(f"{len(simulation.crawls)} runs; RSS in MB: {[round(one / 1e6, 1) for one in figures]}")  # noqa: T201
    begun = Counter((crawl.source, crawl.slot) for crawl in simulation.crawls)
    assert set(begun.values()) == {1}
    late = max((crawl.began - crawl.slot).total_seconds() for crawl in simulation.crawls if crawl.slot)
    print(f"the last of a moment began {late:.1f} s after its slot")  # noqa: T201
    assert late < 60
    until = NOON + hours * HOUR
    for source in schedules:
        told = simulation.book.tell(source, NOON, until)
        assert set(told.values()) == {Outcome.DONE}, source
        assert {(source, slot) for slot in told} == {key for key in begun if key[0] == source}
    # what the test itself keeps of each run is some 600 bytes
    assert figures[-1] - figures[1] < 30e6
    simulation.close()
