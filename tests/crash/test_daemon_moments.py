"""kill -9 of the daemon, or of one of its runs' processes, at seeded moments: the next start finishes what was left."""

from __future__ import annotations

import os
import random
import signal
import time
from collections import Counter
from datetime import datetime
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest

from crawler.family import Family, read_process, read_processes
from tests.crawls import serve_site, wait_until
from tests.daemon_process import DaemonProcess, change_source, wait_for_death
from tests.histories import check_archive, read_commits
from tests.installation import install

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.crawls import Site
    from tests.installation import Ofrecord

SEED = 20261127
VICTIMS = ("daemon", "run", "child", "all")
SOURCES = ("gazette", "herald")


@pytest.fixture
def site() -> Iterator[Site]:
    with serve_site() as site:
        site.publish(12)
        for path, answer in site.answers.items():
            if path.startswith("/2026/"):
                answer.seconds = 0.1
        yield site


def kill_at_moments(folder: Path, site: Site, *, moments: int, seed: int) -> None:
    """Start a daemon *moments* times, and kill it or what it started; see what the next one makes of that."""
    chance = random.Random(seed)
    politeness = {"politeness": {"delay_seconds": 0, "concurrent_requests": 1}}
    source = {**site.describe_source(), **politeness, "schedule": "every 2 seconds", "recheck": ["1 second"]}
    ofrecord = install(folder, source, grace_seconds=10, lease_seconds=30)
    change_source(ofrecord, "herald")
    died: Counter[str] = Counter()
    while died.total() < moments:
        victim = VICTIMS[died.total() % len(VICTIMS)]
        seconds = chance.uniform(0.0, 3.0)
        told = f"seed {seed}, after {dict(died)}: {victim} killed {seconds:.2f} s after its runs began"
        before = read_commits(folder / "archive")
        daemon = DaemonProcess(ofrecord, folder / f"daemon-{died.total()}.log")
        left: set[int] = set()
        try:
            daemon.wait_for("scheduled_source", len(SOURCES))
            wait_until(lambda daemon=daemon: bool(daemon.run_pids()))  # type: ignore[misc]
            time.sleep(seconds)
            left = kill(daemon, victim)
            died[victim] += 1
            if daemon.process.poll() is None:
                count = len(daemon.events("finished_run"))
                daemon.wait_for("finished_run", count + 1)  # it goes on with the next slot
                daemon.stop()
        finally:
            left |= left_over(daemon)
            daemon.kill()
        for pid in left:
            wait_for_death(pid)
        commits = read_commits(folder / "archive")
        for name, known in before.items():
            assert [one.digest for one in commits[name][: len(known)]] == [one.digest for one in known], told
        report = check_archive(folder / "archive")
        assert not report.damaged, (told, [str(finding) for finding in report.findings])
    finish(ofrecord, folder)


def left_over(daemon: DaemonProcess) -> set[int]:
    """Return the processes of the daemon's runs."""
    processes = read_processes()
    return {one.pid for pid in daemon.run_pids() for one in Family(pid).find(processes)}


def kill(daemon: DaemonProcess, victim: str) -> set[int]:
    """Kill one process or all of them; return those of runs, which are to be over soon if the daemon was killed."""
    runs = daemon.run_pids()
    left = left_over(daemon)
    children = sorted(left - set(runs))
    targets = {
        "daemon": [daemon.process.pid],
        "run": runs[:1],
        "child": children[:1],
        "all": [daemon.process.pid, *left],
    }[victim]
    for pid in targets:
        if read_process(pid) is not None:
            os.kill(pid, signal.SIGKILL)
    if victim in {"daemon", "all"}:
        daemon.process.wait()
        return left
    return set()


def finish(ofrecord: Ofrecord, folder: Path) -> None:
    """Let a last daemon do what is left; then the spools are empty, and each slot is told of once."""
    daemon = DaemonProcess(ofrecord, folder / "last.log")
    try:
        wait_until(lambda: {event["source"] for event in daemon.events("finished_run")} == set(SOURCES), 60)
        daemon.stop()
    finally:
        daemon.kill()
    ofrecord("crawl", *SOURCES)
    assert not list((folder / "state").rglob("*.warc.gz"))
    report = check_archive(folder / "archive")
    assert not report.damaged
    assert not report.uncommitted
    for source in SOURCES:
        rows = [row for row in ofrecord("runs", source, "--json").rows() if row.get("slot")]
        ends = sorted(
            tuple(datetime.fromisoformat(row.get(key) or row["slot"]) for key in ("slot", "through")) for row in rows
        )
        assert all(one[1] < other[0] for one, other in pairwise(ends)), rows
        articles = ofrecord("list", "--source", source, "--json").rows()
        assert len(articles) == 12


@pytest.mark.slow
def test_each_victim_s_kill_once(tmp_path: Path, site: Site) -> None:
    kill_at_moments(tmp_path, site, moments=len(VICTIMS), seed=SEED)


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(SEED + 1, SEED + 6))
def test_a_hundred_kills_of_a_daemon_and_its_runs(tmp_path: Path, site: Site, seed: int) -> None:
    kill_at_moments(tmp_path, site, moments=20, seed=seed)
