"""Leases on real stores, with real clocks and real processes: in memory, on disk, in a bucket of a real S3 server."""

from __future__ import annotations

import os
import secrets
import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from config.errors import RunLocked
from config.settings import Settings
from jobs.archive.lease import Lease, acquire_lease, list_old_leases, read_boottime
from jobs.archive.lease_records import lease_key
from jobs.store import open_store
from jobs.store.clock import check_clock
from jobs.store.s3 import S3Store
from tests.holder import start_holders

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from jobs.store import ObjectStore
    from tests.seaweed import S3Server

RACERS = 8
ROUNDS = 5
SHORT = 3.0
"""Seconds of a lease that a test waits for the end of."""


@pytest.fixture(params=["local", pytest.param("s3", marks=pytest.mark.s3)])
def shared(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[str, str]:
    """Return place and endpoint of a store that several processes can open."""
    if request.param == "local":
        (tmp_path / "archive").mkdir()
        return str(tmp_path / "archive"), ""
    server: S3Server = request.getfixturevalue("s3_environment")
    return f"s3://{server.bucket}/tests/{secrets.token_hex(6)}", server.endpoint_url


@pytest.fixture(params=["memory", "local", pytest.param("s3", marks=pytest.mark.s3)])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[ObjectStore]:
    place, endpoint = "memory:", None
    if request.param == "local":
        (tmp_path / "archive").mkdir()
        place = str(tmp_path / "archive")
    if request.param == "s3":
        server: S3Server = request.getfixturevalue("s3_environment")
        place, endpoint = f"s3://{server.bucket}/tests/{secrets.token_hex(6)}", server.endpoint_url
    made = open_store(place, Settings(s3_endpoint_url=endpoint, s3_path_style=True))
    yield made
    made.close()


def acquire(store: ObjectStore, *, seconds: float = 600, log_epoch: int = 0, released: tuple[int, ...] = ()) -> Lease:
    return acquire_lease(
        store, "gazette", run="r", seconds=seconds, log_epoch=log_epoch, is_released=released.__contains__
    )


def test_one_after_the_other(store: ObjectStore) -> None:
    first = acquire(store)
    assert first.is_valid()
    assert 585 < first.valid_until - read_boottime() <= 590
    with pytest.raises(RunLocked, match=first.holder):
        acquire(store)
    first.end()
    second = acquire(store, log_epoch=1, released=(1,))
    second.release()
    third = acquire(store, log_epoch=1)
    assert [lease.epoch for lease in (first, second, third)] == [1, 2, 3]
    assert [lease.is_valid() for lease in (first, second, third)] == [False, False, True]
    keys = [lease_key("gazette", *numbers) for numbers in ((1, 0), (2, 0), (2, 1), (3, 0))]
    assert [one.key for one in store.list("lease/")] == keys
    assert list_old_leases(store, "gazette") == ()


@pytest.mark.slow
@pytest.mark.parametrize("store", ["local", pytest.param("s3", marks=pytest.mark.s3)], indirect=True)
def test_renewals_keep_others_out(store: ObjectStore) -> None:
    lease = acquire(store, seconds=SHORT)
    until = read_boottime() + SHORT + 4
    while read_boottime() < until:
        lease.poll()
        assert lease.is_valid()
        with pytest.raises(RunLocked):
            acquire(store)
        time.sleep(0.1)
    beats = [one.key for one in store.list("lease/")]
    assert 4 <= len(beats) <= 6, beats
    lease.release()
    for thread in threading.enumerate():
        if thread.name == "lease-gazette":
            thread.join(20)
    assert acquire(store).epoch == 2


def test_threads_that_race(store: ObjectStore) -> None:
    for epoch in range(1, ROUNDS + 1):
        ready = threading.Barrier(RACERS)

        def race(ready: threading.Barrier = ready) -> Lease | None:
            ready.wait(20)
            try:
                return acquire(store)
            except RunLocked:
                return None

        with ThreadPoolExecutor(RACERS) as pool:
            won = [lease for lease in [each.result() for each in [pool.submit(race) for _ in range(RACERS)]] if lease]
        assert [lease.epoch for lease in won] == [epoch]
        won[0].release()


def test_requests_in_a_bucket(s3_environment: S3Server) -> None:
    place = f"s3://{s3_environment.bucket}/tests/{secrets.token_hex(6)}"
    store = open_store(place, Settings(s3_endpoint_url=s3_environment.endpoint_url, s3_path_style=True))
    assert isinstance(store, S3Store)
    list(store.list("log/"))  # as a run does before: from then on the clock costs nothing
    for epoch in (1, 2, 3):
        before = store.requests.copy()
        acquire(store, log_epoch=epoch - 1, released=(epoch - 1,)).end()
        asked = store.requests - before
        del asked["HeadObject"]  # the store's own check of what it put
        assert asked == {"ListObjectsV2": 1, "PutObject": 1}
    before = store.requests.copy()
    with pytest.raises(RunLocked):
        acquire(store, log_epoch=3)
    assert store.requests - before == {"ListObjectsV2": 1, "GetObject": 1}
    store.close()


def test_the_clocks_of_real_stores(store: ObjectStore) -> None:
    skew = check_clock(store)
    assert skew is not None
    assert abs(skew) < 30


@pytest.mark.slow
def test_processes_that_race(shared: tuple[str, str]) -> None:
    with start_holders(*shared, "gazette", count=RACERS) as holders:
        for holder in holders:
            holder.ask("look")
        for epoch in range(1, ROUNDS + 1):
            for holder in holders:
                holder.tell("acquire", 600)
            answers = [holder.hear() for holder in holders]
            won = [holder for holder, answer in zip(holders, answers, strict=True) if answer.get("valid")]
            assert [answer["epoch"] for answer in answers if answer.get("valid")] == [epoch]
            winner = next(answer["holder"] for answer in answers if answer.get("valid"))
            assert all(winner in answer["locked"] for answer in answers if "locked" in answer)
            assert won[0].ask("release")["valid"] is False


@pytest.mark.slow
def test_a_process_that_was_stopped_has_lost(shared: tuple[str, str]) -> None:
    with start_holders(*shared, "gazette", count=2) as (first, second):
        held = first.ask("acquire", SHORT)
        assert held["valid"], held
        os.kill(first.process.pid, signal.SIGSTOP)
        taken = second.ask("acquire", 600)
        assert f"is being crawled by {held['holder']}" in taken["locked"]
        first.tell("look")
        first.tell("renew")
        deadline = time.monotonic() + 60
        while "locked" in taken:
            assert time.monotonic() < deadline
            time.sleep(0.2)
            taken = second.ask("acquire", 600)
        assert taken["epoch"] == held["epoch"] + 1
        assert taken["before"] > held["until"]
        os.kill(first.process.pid, signal.SIGCONT)
        looked, renewed = first.hear(), first.hear()
        assert looked["before"] > taken["after"]
        assert (looked["valid"], renewed["valid"], renewed["lost"]) == (False, False, True)
        assert second.ask("renew")["valid"]


@pytest.mark.slow
def test_a_process_that_was_stopped_in_time_goes_on(shared: tuple[str, str]) -> None:
    with start_holders(*shared, "gazette", count=2) as (first, second):
        held = first.ask("acquire", 30)
        os.kill(first.process.pid, signal.SIGSTOP)
        assert "locked" in second.ask("acquire", 600)
        os.kill(first.process.pid, signal.SIGCONT)
        assert first.ask("look") | {"before": 0, "after": 0} == held | {"before": 0, "after": 0}
