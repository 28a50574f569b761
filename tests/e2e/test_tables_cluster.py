"""The roll-up as tasks of a real Dask cluster of two worker processes: the same files as in one process."""

from __future__ import annotations

import os
import secrets
import signal
from datetime import timedelta
from typing import TYPE_CHECKING

import dask
import pytest
from distributed import LocalCluster

from config.errors import ConfigError
from config.settings import Settings
from jobs.cli import main
from jobs.cluster import StorePlace
from jobs.store import open_store
from jobs.store.local import LocalStore
from jobs.tables import check_tables
from jobs.tables.cluster import open_cluster
from tests.rollups import DAY_1, Newsstand, Seen, link_to

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from jobs.catalog import StoredSegment
    from jobs.tables.cluster import ClusterRunner
    from jobs.tables.days import DayTask, MadeDay, SegmentDays
    from tests.seaweed import S3Server

DAYS = 24


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[LocalCluster]:
    with (
        dask.config.set({"temporary_directory": str(tmp_path / "dask")}),
        LocalCluster(
            n_workers=2, threads_per_worker=1, host="127.0.0.1", dashboard_address=None, silence_logs=50
        ) as running,
    ):
        yield running


@pytest.fixture
def stand(tmp_path: Path) -> Newsstand:
    (tmp_path / "archive").mkdir()
    (tmp_path / "work").mkdir()
    stand = Newsstand(LocalStore(tmp_path / "archive"), tmp_path / "work")
    for number in range(DAYS):
        at = DAY_1 + timedelta(days=number)
        for source in ("gazette", "herald"):
            pages = [Seen("/a", f"Words {number}.", at=at), Seen(f"/{number}", at=at + timedelta(hours=13))]
            stand.crawl(*pages, source=source, links=(link_to("/x", at, source=source),))
    return stand


class KillsOneWorker:
    """Does the work on a cluster of which a worker is killed at its task, once the first results are there."""

    def __init__(self, runner: ClusterRunner, pids: list[int]) -> None:
        self._runner = runner
        self._pids = pids
        self.killed: list[int] = []

    def scan(self, segments: Iterable[StoredSegment]) -> Iterator[SegmentDays]:
        return self._runner.scan(segments)

    def make(self, tasks: Iterable[DayTask]) -> Iterator[MadeDay]:
        for number, made in enumerate(self._runner.make(tasks)):
            if number == 2:
                pid = self._pids.pop()
                os.kill(pid, signal.SIGKILL)
                self.killed.append(pid)
            yield made


def build_in_one_process(stand: Newsstand) -> dict[str, str]:
    """Return what one process makes; the tables are gone again afterwards."""
    stand.build()
    contents = stand.contents()
    for item in list(stand.store.list("tables/")):
        stand.store.delete(item.key)
    return contents


def test_a_cluster_makes_the_same_files_though_a_worker_is_killed(cluster: LocalCluster, stand: Newsstand) -> None:
    expected = build_in_one_process(stand)
    settings = Settings(archive=stand.store.url)

    with open_cluster(cluster.scheduler_address, settings) as runner:
        pids = [nanny.pid for nanny in cluster.workers.values()]
        killer = KillsOneWorker(runner, pids)
        report = stand.build(killer)

    assert len(killer.killed) == 1
    assert (report.wrote, len(report.days)) == (True, DAYS + 1)
    assert stand.contents() == expected
    assert len(expected) == 4 * DAYS + 3


def test_the_command_takes_a_scheduler(cluster: LocalCluster, stand: Newsstand, tmp_path: Path) -> None:
    expected = build_in_one_process(stand)

    code = main(
        [
            *("tables", "build", "--json", "--archive", stand.store.url, "--state", str(tmp_path / "state")),
            *("--cluster", cluster.scheduler_address),
        ]
    )

    assert code == 0
    assert stand.contents() == expected


def test_workers_have_the_store_s_credentials_of_their_own(
    s3_environment: S3Server, cluster: LocalCluster, tmp_path: Path
) -> None:
    place = f"s3://{s3_environment.bucket}/{secrets.token_hex(4)}"
    settings = Settings(archive=place, s3_endpoint_url=s3_environment.endpoint_url, s3_path_style=True)
    stand = Newsstand(open_store(place, settings), tmp_path)
    for number in range(3):
        stand.crawl(Seen("/a", f"Words {number}.", at=DAY_1 + timedelta(days=number)))

    with open_cluster(cluster.scheduler_address, settings) as runner:
        assert stand.build(runner).files == 9

    assert not any(
        secret in repr(StorePlace.of(settings)) for secret in (s3_environment.access_key, s3_environment.secret_key)
    )
    faults: list[str] = []
    check_tables(stand.store, lambda key, _: faults.append(key), full=True)
    assert faults == []


def test_no_secret_goes_to_the_scheduler(tmp_path: Path) -> None:
    proxy, endpoint = "http://me:password@127.0.0.1:1/", "http://127.0.0.1:1"
    settings = Settings(archive=str(tmp_path), proxy=proxy, s3_endpoint_url=endpoint, s3_profile="me")

    place = StorePlace.of(settings)

    assert "password" not in repr(place)
    assert "s3_profile" not in place.settings
    assert place.settings["s3_endpoint_url"] == "http://127.0.0.1:1"
    with pytest.raises(ConfigError, match="password"):
        StorePlace.of(Settings(archive="s3://b/p", s3_endpoint_url="http://me:secret@127.0.0.1:1"))
    with pytest.raises(ConfigError, match="memory"):
        StorePlace.of(Settings(archive="memory:"))


@pytest.mark.parametrize(
    "address", ["local", "127.0.0.1:8786", "http://127.0.0.1:8786", "tcp://127.0.0.1", "tcp://h:0"]
)
def test_only_a_scheduler_s_address_is_taken(address: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code = main(["tables", "build", "--archive", str(tmp_path), "--cluster", address])

    assert code == 2
    assert "expected the scheduler's address" in capsys.readouterr().err
