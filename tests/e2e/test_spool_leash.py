"""The real child of a crawl on its leash: what it does when its parent says pause, and when its parent says nothing."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from array import array
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from fcntl import ioctl
from itertools import pairwise
from termios import FIONREAD
from typing import TYPE_CHECKING, Any

import pytest

from config.errors import ExitCode
from config.settings import Settings
from config.sources import Source
from crawler.ids import new_id
from crawler.leash import Word, boot_clock
from crawler.model import CrawlPlan
from crawler.process import LAPSE_TICKS, LEASH_SECONDS
from crawler.rows import RunRow, decode_row
from jobs.catalog import Catalog
from jobs.runs.child import encode_assignment
from tests.crawls import Site, serve_site, wait_until
from tests.installation import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PAGES = 60


@pytest.fixture
def site() -> Iterator[Site]:
    with serve_site() as site:
        site.publish(PAGES)
        yield site


@dataclass
class Child:
    process: subprocess.Popen[bytes]
    spool: Path

    def say(self, word: Word) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(word.encode())
        self.process.stdin.flush()

    def has_read(self) -> bool:
        """Return whether nothing that was said lies in the pipe."""
        assert self.process.stdin is not None
        left = array("i", [-1])
        ioctl(self.process.stdin, FIONREAD, left)
        return left[0] == 0

    def finish(self) -> RunRow:
        """Wait for the end, the pipe still open: only a parent that dies closes it."""
        self.process.wait(60)
        assert self.process.stdout is not None
        assert self.process.stderr is not None
        log = self.process.stderr.read().decode()
        assert self.process.returncode == 0, log
        assert "Traceback" not in log, log
        row = decode_row(self.process.stdout.read())
        assert isinstance(row, RunRow)
        return row


@contextmanager
def start_child(site: Site, folder: Path, word: Word, **settings: Any) -> Iterator[Child]:
    source = Source.model_validate(
        {
            "id": "gazette",
            "name": "Gazette",
            "home": f"{site.root}/",
            "discover": [{"feed": f"{site.root}/rss.xml"}],
            "articles": {"include": ["/2026/"]},
            "network": "private",
            "politeness": {"delay_seconds": 0.1},
        }
    )
    spool = folder / "spool"
    spool.mkdir()
    run = new_id("gazette", datetime.now(UTC))
    plan = CrawlPlan(run=run, source="gazette", archive="0" * 32, trigger="crawl", spool=str(spool))
    with Catalog.open(folder / "catalog.sqlite"):
        pass  # it is there, and empty
    (folder / "plan.json").write_text(
        encode_assignment(
            plan,
            source,
            Settings(workers=1, **settings),
            catalog=folder / "catalog.sqlite",
            logging={"json": True, "level": "info"},
            word=word,
        )
    )
    process = subprocess.Popen(
        [sys.executable, "-m", "jobs.runs.child", str(folder / "plan.json")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=ROOT,
    )
    try:
        yield Child(process, spool)
    finally:
        process.kill()
        process.communicate()


def test_a_child_whose_parent_was_killed_closes_its_segment_and_ends_quietly(site: Site, tmp_path: Path) -> None:
    with start_child(site, tmp_path, Word()) as child:
        wait_until(lambda: len(site.requests) > 10)
        process, log = child.process, child.process.stderr
        assert log is not None
        for stream in (process.stdout, process.stdin):  # as the kernel does for a parent that dies
            assert stream is not None
            stream.close()
        process.stdout = process.stdin = None
        process.wait(30)
        told = log.read().decode()
        assert process.returncode == ExitCode.INTERRUPTED, told
        assert "Traceback" not in told
        assert "Exception ignored" not in told
        assert not list((child.spool / "open").iterdir())
        assert len(list((child.spool / "closed").iterdir())) == 1


def test_a_pause_holds_every_request_back_and_loses_none(site: Site, tmp_path: Path) -> None:
    with start_child(site, tmp_path, Word()) as child:
        wait_until(lambda: len(site.requests) > 10)
        child.say(Word(paused=True))
        time.sleep(0.5)
        count = len(site.requests)
        assert count < PAGES
        # what it has is closed, so that it can be taken away while nothing comes after it
        wait_until(lambda: (child.spool / "closed").is_dir() and any((child.spool / "closed").iterdir()))
        time.sleep(0.5)
        assert len(site.requests) == count
        resumed = time.monotonic()
        child.say(Word())
        row = child.finish()
    assert row.reason == "finished"
    assert row.counts["articles"] == PAGES
    assert row.counts["errors"] == row.counts["links"] == 0
    late = [instant for instant in site.times if instant > resumed]
    assert len(late) == PAGES + 2 - count
    gaps = [later - earlier for earlier, later in pairwise(late)]
    assert sorted(gaps)[len(gaps) // 10] > 0.05  # politeness holds after a pause as well as before it


def test_robots_and_feeds_wait_like_pages_do(site: Site, tmp_path: Path) -> None:
    with start_child(site, tmp_path, Word(paused=True)) as child:
        time.sleep(4)
        assert site.requests == []
        child.say(Word())
        wait_until(lambda: len(site.requests) > 3)
        child.say(Word(paused=True))
        child.process.send_signal(signal.SIGTERM)  # a stop is not held up by a pause
        stopped = time.monotonic()
        assert child.finish().reason == "stopped"
        assert time.monotonic() - stopped < 5


def test_a_child_whose_parent_stands_still_stops_fetching_in_time_and_ends(site: Site, tmp_path: Path) -> None:
    with start_child(site, tmp_path, Word(valid_until=boot_clock() + 60)) as child:
        wait_until(lambda: len(site.requests) > 5)
        until = boot_clock() + 1.5
        ends = time.monotonic() + 1.5
        child.say(Word(valid_until=until))
        row = child.finish()
        assert time.monotonic() - ends >= LAPSE_TICKS * LEASH_SECONDS * 0.9
    assert row.reason == "lease"
    assert max(site.times) < ends + 0.05
    assert 5 < row.counts["articles"] < PAGES
    assert row.counts["links"] == PAGES - row.counts["articles"]  # written down for the next run
    assert row.counts["errors"] == 0


def test_a_renewal_that_comes_late_lets_it_go_on(site: Site, tmp_path: Path) -> None:
    with start_child(site, tmp_path, Word(valid_until=boot_clock() + 60)) as child:
        wait_until(lambda: len(site.requests) > 5)
        child.say(Word(valid_until=boot_clock() - 1))
        time.sleep(1.5)
        count = len(site.requests)
        assert count < PAGES
        child.say(Word(valid_until=boot_clock() + 60))
        row = child.finish()
    assert row.reason == "finished"
    assert row.counts["articles"] == PAGES
    assert row.counts["errors"] == 0


def test_a_child_that_slept_with_its_parent_sends_nothing_when_it_wakes_alone(site: Site, tmp_path: Path) -> None:
    with start_child(site, tmp_path, Word(valid_until=boot_clock() + 60)) as child:
        wait_until(lambda: len(site.requests) > 5)
        until = boot_clock() + 3
        child.say(Word(valid_until=until))
        wait_until(child.has_read)
        heard = len(site.requests)  # it obeys in a thread of its own: some requests later it has had its turn
        wait_until(lambda: len(site.requests) > heard + 2)
        child.process.send_signal(signal.SIGSTOP)
        time.sleep(until - boot_clock() + 0.2)
        count = len(site.requests)
        child.process.send_signal(signal.SIGCONT)
        time.sleep(1.0)
        assert len(site.requests) == count
        assert child.finish().reason == "lease"


@pytest.mark.parametrize("closing", [b"", b'{"paused": tr\n'])
def test_a_parent_that_dies_or_talks_nonsense_ends_the_run(site: Site, tmp_path: Path, closing: bytes) -> None:
    with start_child(site, tmp_path, Word()) as child:
        wait_until(lambda: len(site.requests) > 5)
        assert child.process.stdin is not None
        os.write(child.process.stdin.fileno(), closing)
        if not closing:
            child.process.stdin.close()
            child.process.stdin = None
        started = time.monotonic()
        child.process.wait(30)
        assert time.monotonic() - started < 6
        assert any((child.spool / "closed").iterdir())
