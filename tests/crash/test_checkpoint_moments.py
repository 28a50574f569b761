"""kill -9 while a checkpoint or a pack is on its way to a real S3 server: nothing is lost, the next run makes it."""

from __future__ import annotations

import signal
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from jobs.archive.identity import read_info
from jobs.catalog import Catalog
from jobs.context import OpenArchive
from jobs.store import open_store
from jobs.verify import verify_archive
from tests.archives import make_archive
from tests.crash.test_upload_moments import Trap
from tests.crawls import Site, serve_site
from tests.days import run_day
from tests.histories import read_commits
from tests.installation import install_on_s3
from tests.machines import Look, Machine
from tests.proxy import Proxy

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from config.settings import Settings
    from tests.seaweed import S3Server

pytestmark = [pytest.mark.s3, pytest.mark.slow]


@pytest.fixture
def site() -> Iterator[Site]:
    with serve_site() as site:
        site.publish(1)
        yield site


@pytest.fixture
def place(s3_environment: S3Server) -> Settings:
    return make_archive(s3_environment)


def crawl_into_trap(
    site: Site, settings: Settings, server: S3Server, folder: Path, path: str, *, passed_on: bool
) -> int:
    """Crawl once, to be killed when what *path* names goes by, then twice more; return the number of commits."""
    with Proxy(server.endpoint_url) as proxy:
        source = site.describe_source()
        ofrecord = install_on_s3(folder, source, server, str(settings.archive), endpoint_url=proxy.url)
        trap = Trap(proxy, path, passed_on=passed_on)
        if passed_on:
            proxy.down = trap
        else:
            proxy.up = trap
        process = ofrecord.start("crawl", "gazette", "--recheck", "none")
        trap.victim = process.pid
        _, errors = process.communicate(timeout=60)
        assert trap.sprung.is_set(), errors
        assert process.returncode == -signal.SIGKILL
        proxy.clear()
        for _ in range(2):
            again = ofrecord("crawl", "gazette", "--recheck", "none", "--json").json()
            assert (again["exit_code"], again["spool_segments"]) == (0, 0)
    return len(read_commits(str(settings.archive), settings)["gazette"])


def check_restored(settings: Settings, folder: Path) -> None:
    """Assert that what checkpoints say is what the log says."""
    store = open_store(str(settings.archive), settings)
    dumps = []
    for name, checkpoints in (("restored", True), ("folded", False)):
        with Catalog.open(folder / f"{name}.sqlite") as catalog:
            OpenArchive(store, read_info(store), settings, folder, catalog).refresh(checkpoints=checkpoints)
            dumps.append(catalog.dump())
    assert dumps[0] == dumps[1]


@pytest.mark.parametrize("passed_on", [False, True])
def test_a_death_in_the_middle_of_a_checkpoint_costs_nothing(
    site: Site, place: Settings, s3_environment: S3Server, tmp_path: Path, *, passed_on: bool
) -> None:
    run_day(place, ["gazette"], runs=10)
    commits = crawl_into_trap(site, place, s3_environment, tmp_path, r"/checkpoint/gazette/", passed_on=passed_on)
    assert commits == 13
    last = read_commits(str(place.archive), place)["gazette"][-1].commit
    assert last.checkpoint is not None
    assert last.checkpoint["seq"] >= 10
    report = verify_archive(open_store(str(place.archive), place), full=True)
    assert not report.damaged, [str(finding) for finding in report.findings]
    assert not report.uncommitted
    check_restored(place, tmp_path)


@pytest.mark.soak
@pytest.mark.parametrize("passed_on", [False, True])
def test_a_death_in_the_middle_of_a_pack_costs_nothing(
    site: Site, place: Settings, s3_environment: S3Server, tmp_path: Path, *, passed_on: bool
) -> None:
    store = open_store(str(place.archive), place)
    with Catalog.open(tmp_path / "writer.sqlite") as catalog:
        machine = Machine(store, read_info(store), catalog)
        begun = datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=30 * 1_000)
        for number in range(1_000):
            opened = begun + timedelta(minutes=30 * number)
            machine.commit([Look(f"page-{number % 40}", f"text {number}")], number=number, opened=opened)
    commits = crawl_into_trap(site, place, s3_environment, tmp_path, r"/log/gazette/pack-", passed_on=passed_on)
    assert commits == 1_003
    report = verify_archive(store, full=False)
    assert not report.damaged, [str(finding) for finding in report.findings]
    check_restored(place, tmp_path)
