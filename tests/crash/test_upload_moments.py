"""kill -9 at exact moments of an upload to a real S3 server, seen from the wire: the next run finishes it, once."""

from __future__ import annotations

import os
import re
import secrets
import signal
import threading
from typing import TYPE_CHECKING

import pytest

from config.settings import Settings
from jobs.archive.identity import read_info
from jobs.runs.spool import list_segments
from jobs.store import open_store
from tests.crash.test_kill import find_children
from tests.crawls import Answer, Site, page, serve_site
from tests.histories import check_archive, read_commits, read_histories
from tests.installation import Ofrecord, install
from tests.proxy import Proxy

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.seaweed import S3Server

pytestmark = [pytest.mark.s3, pytest.mark.slow]

PAGES = 3
SEGMENT, COMMIT = r"/segments/gazette/", r"/log/gazette/0"


@pytest.fixture
def site() -> Iterator[Site]:
    with serve_site() as site:
        paths = [f"/2026/{number}" for number in range(PAGES)]
        site.announce(*paths)
        site.answers.update({path: Answer(page(f"Page {path}")) for path in paths})
        yield site


class Trap:
    """Kills a process and its children when a block of one kind comes by the proxy; the block is passed on or not."""

    def __init__(self, proxy: Proxy, path: str, *, passed_on: bool) -> None:
        self.victim = 0
        self.sprung = threading.Event()
        self._proxy = proxy
        self._path = path
        self._passed_on = passed_on

    def __call__(self, block: bytes) -> bytes:
        last = self._proxy.seen[-1]
        if self.victim and not self.sprung.is_set() and last.method == "PUT" and re.search(self._path, last.path):
            targets = [self.victim, *find_children(self.victim)]
            for target in targets:
                os.kill(target, signal.SIGKILL)
            self.sprung.set()
            if not self._passed_on:
                raise OSError("the connection ends here")
        return block


def within_the_upload(proxy: Proxy) -> Trap:
    proxy.up = trap = Trap(proxy, SEGMENT, passed_on=False)
    return trap


def after_the_upload(proxy: Proxy) -> Trap:
    proxy.down = trap = Trap(proxy, SEGMENT, passed_on=True)
    return trap


def before_the_commit(proxy: Proxy) -> Trap:
    proxy.up = trap = Trap(proxy, COMMIT, passed_on=False)
    return trap


def with_the_commit_on_its_way(proxy: Proxy) -> Trap:
    proxy.up = trap = Trap(proxy, COMMIT, passed_on=True)
    return trap


def after_the_commit(proxy: Proxy) -> Trap:
    proxy.down = trap = Trap(proxy, COMMIT, passed_on=True)
    return trap


@pytest.mark.parametrize(
    "set_trap",
    [within_the_upload, after_the_upload, before_the_commit, with_the_commit_on_its_way, after_the_commit],
)
def test_a_death_at_that_moment_costs_nothing(
    set_trap: Callable[[Proxy], Trap], site: Site, s3_environment: S3Server, tmp_path: Path
) -> None:
    source = {
        "home": f"{site.root}/",
        "discover": [{"feed": f"{site.root}/rss.xml"}],
        "articles": {"include": ["/2026/"]},
    }
    local = install(tmp_path, source)
    place = f"s3://{s3_environment.bucket}/{secrets.token_hex(4)}/news"
    settings = Settings(s3_endpoint_url=s3_environment.endpoint_url, s3_path_style=True)
    with Proxy(s3_environment.endpoint_url) as proxy:
        environment = {
            **s3_environment.environment(),
            "OFRECORD_ARCHIVE": place,
            "OFRECORD_S3_ENDPOINT_URL": proxy.url,
            "OFRECORD_S3_PATH_STYLE": "true",
        }
        ofrecord = Ofrecord(local.config, local.home, environment)
        ofrecord("init")
        trap = set_trap(proxy)
        process = ofrecord.start("crawl", "gazette")
        trap.victim = process.pid
        _, errors = process.communicate(timeout=60)
        assert trap.sprung.is_set(), errors
        assert process.returncode == -signal.SIGKILL
        spool = tmp_path / "state" / read_info(open_store(place, settings)).archive / "spool" / "gazette"
        assert len(list_segments(spool / "sealed")) == 1  # nothing is taken away before its commit is known
        proxy.clear()
        again = ofrecord("crawl", "gazette", "--recheck", "all", "--json").json()
    assert (again["exit_code"], again["spool_segments"]) == (0, 0)
    commits = read_commits(place, settings)["gazette"]
    assert len(commits) == len({stored.commit.segment for stored in commits}) == 2
    histories = read_histories(place, settings)
    assert [[verdict for verdict, _, _ in history] for history in histories.values()] == [["new", "unchanged"]] * PAGES
    report = check_archive(place, settings)
    assert not report.damaged, [str(finding) for finding in report.findings]
    assert not report.uncommitted
