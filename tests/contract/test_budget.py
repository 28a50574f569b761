"""What a day costs in requests, counted on a real S3 server: 48 runs of a source, each a job without state."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from jobs.heads.keeper import HeadKeeper
from jobs.store import open_store
from jobs.verify import verify_archive
from tests.archives import make_archive
from tests.benchmarks.day import run_days
from tests.days import MIDNIGHT, Day, run_day
from tests.histories import read_histories
from tests.signed import FIRST, rotate

if TYPE_CHECKING:
    from pathlib import Path

    from config.settings import Settings
    from tests.seaweed import S3Server

MOST_PUTS, MOST_AT_START, FEED_PUTS = 150, 20, 4

pytestmark = [pytest.mark.s3, pytest.mark.slow]


def check_day(settings: Settings, day: Day, sources: list[str]) -> None:
    assert day.runs == 48 * len(sources)
    assert day.puts / len(sources) <= MOST_PUTS, day
    assert day.changed
    assert day.feed_puts <= FEED_PUTS * day.changed, day
    assert day.most_at_start <= MOST_AT_START, day
    report = verify_archive(open_store(str(settings.archive), settings), full=True, sources=sources[:20])
    assert not report.damaged, [str(finding) for finding in report.findings]
    assert not report.uncommitted


def test_a_day_of_two_sources_stays_within_its_budget(s3_environment: S3Server) -> None:
    settings = make_archive(s3_environment)
    sources = ["gazette", "herald"]
    check_day(settings, run_day(settings, sources), sources)
    histories = read_histories(str(settings.archive), settings)
    assert len(histories) > 40
    told = json.loads(open_store(str(settings.archive), settings).get("feeds/all.json"))["items"]
    revised = sum(verdict == "revised" for history in histories.values() for verdict, _, _ in history)
    assert len(told) == revised
    assert all(item["_ofrecord"]["kinds"] for item in told)  # though no run had the earlier texts
    verdicts = {verdict for history in histories.values() for verdict, _, _ in history}
    assert verdicts == {"new", "unchanged", "revised"}


def test_a_signed_day_and_its_head_stay_within_the_budget(s3_environment: S3Server, tmp_path: Path) -> None:
    (tmp_path / "key").write_bytes(FIRST.encode_private())
    settings = make_archive(s3_environment).override(signing_key_file=tmp_path / "key", state_dir=tmp_path / "state")
    store = open_store(str(settings.archive), settings)
    rotate(store, FIRST)
    day = run_day(settings, ["gazette"], runs=24)
    clock = [0.0]
    keeper = HeadKeeper(settings, clock=lambda: clock[0], now=lambda: MIDNIGHT + timedelta(seconds=clock[0]))
    for minute in range(24 * 60):
        clock[0] = minute * 60.0
        if clock[0] >= keeper._next:
            keeper.look()
    heads = len(list(store.list("heads/")))
    assert heads == 1
    assert day.puts + heads <= MOST_PUTS / 2
    assert day.most_at_start <= MOST_AT_START
    report = verify_archive(store, full=False, trusted=[FIRST.public.key_id])
    assert not report.damaged, [str(finding) for finding in report.findings]
    assert report.signatures.counts == {"signed": report.counts.commits}


@pytest.mark.soak
def test_a_day_of_five_hundred_sources_stays_within_its_budget(s3_environment: S3Server) -> None:
    settings = make_archive(s3_environment)
    sources = [f"source-{number:03}" for number in range(500)]
    check_day(settings, run_days(settings, sources, processes=2), sources)
