"""The watch beside the daemon: looks after runs and at ticks, holds nobody up, gives the heartbeat while all works."""

from __future__ import annotations

import time
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from structlog.testing import capture_logs

from config.addresses import SecretAddress
from config.errors import StoreUnavailable
from config.settings import Settings
from jobs.alerts.watch import HealthWatch, watch_archive
from jobs.catalog import Catalog
from jobs.context import CATALOG_FILE
from jobs.health import Reason, SourceHealth, State
from jobs.runs.ending import RunEnded
from jobs.store.memory import MemoryStore
from tests.crawls import wait_until
from tests.sinks import WebSink, serve_web

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

NOW = datetime(2026, 11, 2, 12, tzinfo=UTC)
ENDED = RunEnded("gazette", NOW, NOW, 12.5, 0, {})


class Health:
    """What is read: one source, or an error."""

    def __init__(self) -> None:
        self.state = State.OK
        self.error: Exception | None = None
        self.looks = 0

    def __call__(self, now: datetime) -> list[SourceHealth]:
        self.looks += 1
        if self.error is not None:
            raise self.error
        reasons = () if self.state is State.OK else (Reason("kind", "it is bad", self.state),)
        return [SourceHealth("gazette", self.state, reasons, now)]


@pytest.fixture
def web() -> Iterator[WebSink]:
    with serve_web() as sink:
        yield sink


@contextmanager
def watch(health: Health, web: WebSink, *, look_seconds: float = 0.05) -> Iterator[HealthWatch]:
    settings = Settings(
        alerts=[SecretAddress(web.address)],
        heartbeat_url=SecretAddress(f"{web.root}/well"),
        heartbeat_fail_url=SecretAddress(f"{web.root}/unwell"),
        alerts_settle_seconds=0,
    )
    with HealthWatch(health, MemoryStore(), settings, place="/srv/news", look_seconds=look_seconds) as watching:
        yield watching


def test_tick_looks_tells_and_gives_the_heartbeat(web: WebSink) -> None:
    health = Health()
    with watch(health, web) as watching:
        watching.tick(NOW)
        wait_until(lambda: web.gets == ["/well"])
        health.state = State.SILENT
        watching.tick(NOW)
        wait_until(lambda: web.gets == ["/well", "/well"])
        assert web.titles == ["ofrecord: gazette is silent"]
        health.state = State.OK
        watching.run_ended(ENDED)
        wait_until(lambda: len(web.posts) == 2)
    assert web.titles[1] == "ofrecord: gazette is well again"


def test_without_ticks_there_is_no_heartbeat(web: WebSink) -> None:
    health = Health()
    with watch(health, web):
        time.sleep(0.5)
    assert (web.gets, health.looks) == ([], 0)


def test_many_ticks_and_runs_are_few_looks(web: WebSink) -> None:
    health = Health()
    with watch(health, web, look_seconds=60) as watching:
        for _ in range(200):
            watching.tick(NOW)
            watching.run_ended(ENDED)
        wait_until(lambda: len(web.gets) == 1)
        assert health.looks == 1


def test_look_that_fails_is_logged_and_said_by_the_heartbeat_and_the_next_one_works(web: WebSink) -> None:
    health = Health()
    with capture_logs() as logs, watch(health, web) as watching:
        health.error = StoreUnavailable("the bucket is away")
        watching.tick(NOW)
        wait_until(lambda: web.gets == ["/unwell"])
        health.error = ZeroDivisionError("a fault of ours")
        watching.tick(NOW)
        wait_until(lambda: web.gets == ["/unwell"] * 2)
        health.error = None
        watching.tick(NOW)
        wait_until(lambda: web.gets[2:] == ["/well"])
    assert [line["event"] for line in logs] == ["failed_look"] * 2


def test_alert_that_does_not_go_withholds_the_heartbeat(web: WebSink) -> None:
    health = Health()
    health.state = State.FAILING
    with serve_web() as other:
        other.status = 503
        settings = Settings(
            alerts=[SecretAddress(other.address)],
            heartbeat_url=SecretAddress(f"{web.root}/well"),
            heartbeat_fail_url=SecretAddress(f"{web.root}/unwell"),
        )
        with HealthWatch(health, MemoryStore(), settings, place="x", look_seconds=0.05) as watching:
            watching.tick(NOW)
            wait_until(lambda: web.gets == ["/unwell"])
            other.status = 200
            watching.tick(NOW)
            wait_until(lambda: web.gets[1:] == ["/well"])


def test_server_that_hangs_holds_neither_ticks_nor_the_end_up(web: WebSink) -> None:
    web.seconds = 120
    health = Health()
    health.state = State.BLOCKED
    with capture_logs() as logs, watch(health, web) as watching:
        began = time.monotonic()
        watching.tick(NOW)
        wait_until(lambda: health.looks == 1)
        for _ in range(100):
            watching.tick(NOW)
            watching.run_ended(ENDED)
        assert time.monotonic() - began < 5
        watching.close(1)
        assert time.monotonic() - began < 12
    assert "failed_alert" in [line["event"] for line in logs]


def test_end_looks_once_more_if_a_run_has_ended_since(web: WebSink) -> None:
    health = Health()
    with watch(health, web, look_seconds=600) as watching:
        watching.tick(NOW)
        wait_until(lambda: web.gets == ["/well"])
        health.state = State.FAILING
        watching.run_ended(ENDED)
    assert web.titles == ["ofrecord: gazette is failing"]


def test_runs_that_leave_nothing_in_the_archive_are_told_too(web: WebSink) -> None:
    refused = RunEnded("gazette", NOW, NOW, 1.0, 12, {"error": "s3://news: <b>access denied</b>"})
    with watch(Health(), web) as watching:
        watching.run_ended(refused)
        wait_until(lambda: web.gets == ["/well"])
        watching.run_ended(refused)
        wait_until(lambda: web.titles == ["ofrecord: gazette is failing"])
        assert "code 12: s3[:]//news: ‹b›access denied‹/b› [runs_end_badly]" in web.posts[0]["message"]
        watching.run_ended(ENDED)
        wait_until(lambda: web.titles[1:] == ["ofrecord: gazette is well again"])


def test_archive_is_watched_where_there_is_somebody_to_tell(tmp_path: Path, web: WebSink) -> None:
    assert watch_archive(Settings(), tmp_path, list) is None
    settings = Settings(heartbeat_url=SecretAddress(f"{web.root}/well"))
    with Catalog.open(tmp_path / CATALOG_FILE):
        watching = watch_archive(settings, tmp_path, list)
        assert watching is not None
        with watching:
            watching.tick(NOW)
            wait_until(lambda: web.gets == ["/well"])
