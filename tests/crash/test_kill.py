"""kill -9 at seeded moments of crawl and upload: the next run finishes what is left, and nothing committed is lost."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.histories import check_archive, read_commits, read_histories

if TYPE_CHECKING:
    from tests.installation import Ofrecord

SOURCE = "almayadeen-english"
VICTIMS = ("parent", "child", "both")
SEED = 20231106


def kill_at_moments(ofrecord: Ofrecord, archive_dir: Path, *, moments: int, seed: int) -> dict[str, int]:
    """Kill *moments* crawls, each followed by one that must put everything right; return how many died where.

    A moment that comes after the crawl's end counts for nothing, and another is drawn.
    """
    chance = random.Random(seed)
    ofrecord("init")
    started = time.monotonic()
    ofrecord("crawl", SOURCE)
    usual_seconds = time.monotonic() - started
    died = dict.fromkeys((*VICTIMS, "none"), 0)
    while sum(died[victim] for victim in VICTIMS) < moments:
        assert died["none"] <= 2 * moments, died
        before = read_commits(archive_dir)[SOURCE]
        victim = chance.choice(VICTIMS)
        process = ofrecord.start("crawl", SOURCE, "--recheck", "all", "--json")
        try:
            killed = kill_after(process, victim, chance.uniform(0.1, 1.0) * usual_seconds)
        finally:
            process.communicate(timeout=60)
        died[victim if killed else "none"] += 1
        ofrecord("crawl", SOURCE, "--recheck", "all")
        after = read_commits(archive_dir)[SOURCE]
        assert [stored.digest for stored in after[: len(before)]] == [stored.digest for stored in before]
        segments = [stored.commit.segment for stored in after]
        assert len(set(segments)) == len(segments)
        report = check_archive(archive_dir)
        assert not report.damaged, [str(finding) for finding in report.findings]
        for history in read_histories(archive_dir).values():
            # a page whose worker was stopped with the run is kept raw, without a text: bad, and no more than that
            told = [verdict for verdict, _, _ in history if verdict != "bad"]
            assert {page_class for verdict, _, page_class in history if verdict == "bad"} <= {"error"}, history
            assert told == ["new", *["unchanged"] * (len(told) - 1)][: len(told)], history
    return died


def kill_after(process: subprocess.Popen[str], victim: str, seconds: float) -> bool:
    """Kill the command, its crawl's process, or both after *seconds*; return whether something was there to kill."""
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        pass
    else:
        return False
    children = find_children(process.pid)
    targets = {"parent": [process.pid], "child": children, "both": [process.pid, *children]}[victim]
    for pid in targets:
        os.kill(pid, signal.SIGKILL)
    return bool(targets)


def find_children(pid: int) -> list[int]:
    """Return the processes that *pid* started, from /proc."""
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


@pytest.mark.slow
def test_twenty_kills_lose_nothing_that_was_committed(ofrecord: Ofrecord, archive_dir: Path) -> None:
    died = kill_at_moments(ofrecord, archive_dir, moments=20, seed=SEED)
    assert all(died[victim] for victim in VICTIMS), died


@pytest.mark.soak
def test_three_hundred_kills_lose_nothing_that_was_committed(ofrecord: Ofrecord, archive_dir: Path) -> None:
    died = kill_at_moments(ofrecord, archive_dir, moments=300, seed=SEED + 1)
    assert all(died[victim] for victim in VICTIMS), died


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_stop_signal_commits_what_was_captured(ofrecord: Ofrecord, archive_dir: Path, number: signal.Signals) -> None:
    ofrecord("init")
    process = ofrecord.start("crawl", SOURCE, "--json")
    time.sleep(2.5)
    process.send_signal(number)
    started = time.monotonic()
    _, errors = process.communicate(timeout=60)
    assert time.monotonic() - started < 30
    assert process.returncode in {0, 130}, errors
    assert "Traceback" not in errors
    report = check_archive(archive_dir)
    assert not report.damaged
    assert not report.uncommitted
