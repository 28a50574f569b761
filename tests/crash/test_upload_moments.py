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
from jobs.runs.spool import list_segments
from tests.crash.test_kill import find_children
from tests.crawls import Site, serve_site
from tests.histories import check_archive, read_commits, read_histories
from tests.installation import install_on_s3
from tests.proxy import Proxy
from tests.states import state_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.seaweed import S3Server

pytestmark = [pytest.mark.s3, pytest.mark.slow]

PAGES = 3
SEGMENT, COMMIT = r"/segments/gazette/", r"/log/gazette/0"


@pytest.fixture
def site() -> Iterator[Site]:
    with serve_site() as site:
        site.publish(PAGES)
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


TRAPS = {
    "within the upload": (SEGMENT, "up", False),
    "after the upload": (SEGMENT, "down", True),
    "before the commit": (COMMIT, "up", False),
    "with the commit on its way": (COMMIT, "up", True),
    "after the commit": (COMMIT, "down", True),
}


@pytest.mark.parametrize("name", TRAPS)
def test_a_death_at_that_moment_costs_nothing(name: str, site: Site, s3_environment: S3Server, tmp_path: Path) -> None:
    place = f"s3://{s3_environment.bucket}/{secrets.token_hex(4)}/news"
    settings = Settings(s3_endpoint_url=s3_environment.endpoint_url, s3_path_style=True)
    with Proxy(s3_environment.endpoint_url) as proxy:
        ofrecord = install_on_s3(tmp_path, site.describe_source(), s3_environment, place, endpoint_url=proxy.url)
        path, way, passed_on = TRAPS[name]
        trap = Trap(proxy, path, passed_on=passed_on)
        setattr(proxy, way, trap)
        process = ofrecord.start("crawl", "gazette")
        trap.victim = process.pid
        _, errors = process.communicate(timeout=60)
        assert trap.sprung.is_set(), errors
        assert process.returncode == -signal.SIGKILL
        reached = settings.model_copy(update={"s3_endpoint_url": proxy.url})
        spool = state_of(place, tmp_path / "state", reached) / "spool" / "gazette"
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
