"""Two machines crawl one source: never both at once, and what the slower one had fetched is kept, late."""

from __future__ import annotations

import os
import signal
import time
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest

from tests.crash.test_kill import find_children
from tests.crawls import Site, serve_site, wait_until
from tests.daemon_process import change_source
from tests.histories import check_archive, read_commits, read_histories
from tests.installation import Ofrecord, install

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.slow

PAGES = 30


@pytest.fixture
def site() -> Iterator[Site]:
    with serve_site() as site:
        site.publish(PAGES)
        yield site


@pytest.fixture
def machines(site: Site, tmp_path: Path) -> tuple[Ofrecord, Ofrecord]:
    """Two machines with one archive, the same source, and nothing else in common."""
    first = install(tmp_path, site.describe_source(delay_seconds=0.3), segment_seconds=1, lease_seconds=30)
    return first, Ofrecord(first.config, first.home, {"OFRECORD_STATE_DIR": str(tmp_path / "elsewhere")})


def test_the_second_is_told_who_crawls_and_until_when(
    site: Site, machines: tuple[Ofrecord, Ofrecord], tmp_path: Path
) -> None:
    first, second = machines
    process = first.start("crawl", "gazette", "--json")
    wait_until(lambda: len(site.requests) > 3)
    refused = second("crawl", "gazette", code=11)
    assert f"gazette: is being crawled by {os.uname().nodename} process {process.pid}" in refused.stderr
    assert "Z if not renewed (by the store's clock, now " in refused.stderr
    assert "wait, or stop that run" in refused.stderr
    out, errors = process.communicate(timeout=60)
    assert process.returncode == 0, errors
    assert out
    change_source(second, politeness={"delay_seconds": 0})
    after = second("crawl", "gazette", "--recheck", "all", "--json").json()  # the last commit gave the lease up
    assert after["unchanged"] == PAGES
    epochs = [stored.commit.epoch for stored in read_commits(tmp_path / "archive")["gazette"]]
    assert sorted(set(epochs)) == [1, 2]
    assert len(list((tmp_path / "archive" / "lease" / "gazette").iterdir())) == 2  # one put a run


@pytest.mark.soak
def test_a_machine_that_slept_stops_and_its_commits_come_late(
    site: Site, machines: tuple[Ofrecord, Ofrecord], tmp_path: Path
) -> None:
    first, second = machines
    process = first.start("crawl", "gazette", "--json")
    wait_until(lambda: len(site.requests) > 8)
    (child,) = find_children(process.pid)
    try:
        os.killpg(process.pid, signal.SIGSTOP)
        os.killpg(child, signal.SIGSTOP)
        fetched = len(site.requests)
        time.sleep(34)
        taken = second("crawl", "gazette", "--json").json()
        assert taken["exit_code"] == 0
        seen = len(site.requests)
        assert PAGES - fetched < taken["new"] <= PAGES  # all but those that the first had committed by then
        assert seen >= fetched + taken["new"]
    finally:
        os.killpg(child, signal.SIGCONT)
        os.killpg(process.pid, signal.SIGCONT)
        out, errors = process.communicate(timeout=60)
    assert process.returncode == 11, errors
    assert '"reason": "lease"' in out
    assert len(site.requests) - seen <= 1  # at most the one that was under way
    commits = [stored.commit for stored in read_commits(tmp_path / "archive")["gazette"]]
    late = [one.seq for before, one in pairwise(commits) if one.epoch < before.epoch]
    assert late
    report = check_archive(tmp_path / "archive")
    assert not report.damaged, [str(finding) for finding in report.findings]
    assert any("late: of lease epoch 1" in str(finding) for finding in report.findings)
    for history in read_histories(tmp_path / "archive").values():
        told = [verdict for verdict, _, _ in history if verdict != "bad"]
        assert told in (["new"], ["new", "unchanged"])
