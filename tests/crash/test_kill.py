"""kill -9 at seeded moments of crawl and upload: the next run finishes what is left, and nothing committed is lost."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.crawls import wait_until
from tests.histories import check_archive, read_commits, read_histories

if TYPE_CHECKING:
    from tests.installation import Ofrecord
    from tests.site.server import Site

SOURCE = "almayadeen-english"
VICTIMS = ("parent", "child", "both")
SEED = 20231106
BATCH_SEEDS = range(SEED + 1, SEED + 7)
"""Each has an archive of its own, and can be run again alone: `-m soak -k 20231107`."""


def kill_at_moments(ofrecord: Ofrecord, archive_dir: Path, *, moments: int, seed: int) -> None:
    """Kill *moments* crawls of one archive, each followed by one that must put everything right.

    The victims take turns. A moment that comes after the crawl's end counts for nothing, and another is drawn.
    """
    chance = random.Random(seed)
    ofrecord("init")
    started = time.monotonic()
    ofrecord("crawl", SOURCE)
    usual_seconds = time.monotonic() - started
    died = dict.fromkeys((*VICTIMS, "none"), 0)
    while sum(died[victim] for victim in VICTIMS) < moments:
        assert died["none"] <= 2 * moments, (seed, died)
        before = read_commits(archive_dir)[SOURCE]
        victim = min(VICTIMS, key=lambda name: died[name])
        seconds = chance.uniform(0.1, 1.0) * usual_seconds
        process = ofrecord.start("crawl", SOURCE, "--recheck", "all", "--json")
        try:
            killed = kill_after(process, victim, seconds)
        finally:
            process.communicate(timeout=60)
        died[victim if killed else "none"] += 1
        told = f"seed {seed}, after {died}: {victim} killed after {seconds:.2f} s"
        ofrecord("crawl", SOURCE, "--recheck", "all")
        after = read_commits(archive_dir)[SOURCE]
        assert [stored.digest for stored in after[: len(before)]] == [stored.digest for stored in before], told
        segments = [stored.commit.segment for stored in after]
        assert len(set(segments)) == len(segments), told
        check_all(archive_dir, told)


def check_all(archive_dir: Path, told: str) -> None:
    """Assert that the whole archive is sound, and that no page seems to have changed."""
    report = check_archive(archive_dir)
    assert not report.damaged, (told, [str(finding) for finding in report.findings])
    for history in read_histories(archive_dir).values():
        # a page whose worker was stopped with the run is kept raw, without a text: bad, and no more than that
        verdicts = [verdict for verdict, _, _ in history if verdict != "bad"]
        assert {page_class for verdict, _, page_class in history if verdict == "bad"} <= {"error"}, (told, history)
        assert verdicts == ["new", *["unchanged"] * (len(verdicts) - 1)][: len(verdicts)], (told, history)


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
def test_six_kills_lose_nothing_that_was_committed(ofrecord: Ofrecord, archive_dir: Path) -> None:
    kill_at_moments(ofrecord, archive_dir, moments=6, seed=SEED)


@pytest.mark.soak
@pytest.mark.parametrize("seed", BATCH_SEEDS)
def test_fifty_kills_lose_nothing_that_was_committed(ofrecord: Ofrecord, archive_dir: Path, seed: int) -> None:
    kill_at_moments(ofrecord, archive_dir, moments=50, seed=seed)


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_stop_signal_commits_what_was_captured(
    ofrecord: Ofrecord, site: Site, archive_dir: Path, number: signal.Signals
) -> None:
    ofrecord("init")
    process = ofrecord.start("crawl", SOURCE, "--json")
    wait_until(lambda: site.count_requests().total() > 2)
    process.send_signal(number)
    started = time.monotonic()
    _, errors = process.communicate(timeout=60)
    assert time.monotonic() - started < 30
    assert process.returncode in {0, 130}, errors
    assert "Traceback" not in errors
    assert read_commits(archive_dir)[SOURCE]
    report = check_archive(archive_dir)
    assert not report.damaged
    assert not report.uncommitted


@pytest.mark.slow
@pytest.mark.parametrize("seconds", [0.0, 0.2, 0.6])
def test_a_stop_signal_while_the_crawl_s_process_starts_is_no_failure(
    ofrecord: Ofrecord, archive_dir: Path, seconds: float
) -> None:
    ofrecord("init")
    process = ofrecord.start("crawl", SOURCE, "--json")
    state = archive_dir.parent / "state"
    wait_until(lambda: any(state.glob("*/spool/*/plan.json")))  # the child is there before, and waits for this
    time.sleep(seconds)
    process.send_signal(signal.SIGTERM)
    out, errors = process.communicate(timeout=60)
    assert process.returncode in {0, 130}, errors
    assert json.loads(out)["reason"] == "stopped"
    assert "ended with" not in errors
    assert not check_archive(archive_dir).damaged
