"""The daemon itself on a small site: slots, signals, files that change and break, runs that die."""

from __future__ import annotations

import os
import signal
import time
from collections import Counter
from datetime import datetime
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest

from crawler.family import read_processes
from tests.crawls import serve_site, wait_until
from tests.daemon_process import change_source, run_daemon, wait_for_death
from tests.histories import check_archive
from tests.installation import install

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.crawls import Site
    from tests.installation import Ofrecord


@pytest.fixture
def site() -> Iterator[Site]:
    with serve_site() as site:
        site.publish(3)
        yield site


@pytest.fixture
def ofrecord(site: Site, tmp_path: Path) -> Ofrecord:
    return install(tmp_path, {**site.describe_source(), "schedule": "every 3 seconds"}, grace_seconds=10)


def make_slow(site: Site, seconds: float = 600) -> None:
    """Have each page take so long that a run is still at it when the test is done."""
    for path, answer in site.answers.items():
        if path.startswith("/2026/"):
            answer.seconds = seconds


def tell_slots(ofrecord: Ofrecord) -> list[dict[str, Any]]:
    return ofrecord("runs", "gazette", "--json").rows()


def check_told_once(ofrecord: Ofrecord) -> Counter[str]:
    """Assert that the ledger tells of each slot once; return how many there are of each outcome."""
    rows, counts = [row for row in tell_slots(ofrecord) if row.get("slot")], Counter[str]()
    ends = sorted(
        tuple(datetime.fromisoformat(row.get(key) or row["slot"]) for key in ("slot", "through")) for row in rows
    )
    assert all(one[1] < other[0] for one, other in pairwise(ends)), rows
    for row in rows:
        counts[row["outcome"] or "open"] += row.get("slots", 1)
    return counts


def test_runs_come_at_their_slots_and_end_in_good_order(ofrecord: Ofrecord, tmp_path: Path) -> None:
    with run_daemon(ofrecord, tmp_path) as daemon:
        finished = daemon.wait_for("finished_run", 3)
        assert daemon.stop() < 30
    assert finished[0]["new"] == 3
    runs = [row for row in tell_slots(ofrecord) if row.get("run")]
    slots = [datetime.fromisoformat(row["slot"]) for row in runs if row.get("slot")]
    assert len(slots) >= 2
    assert all(slot.timestamp() % 3 == 0 for slot in slots)
    assert set(check_told_once(ofrecord)) <= {"done", "skipped", "missed", "open"}
    assert not check_archive(tmp_path / "archive").damaged


def test_sighup_takes_in_what_changed_and_refuses_what_is_broken(
    ofrecord: Ofrecord, site: Site, tmp_path: Path
) -> None:
    change_source(ofrecord, schedule="every 1 hour")
    with run_daemon(ofrecord, tmp_path) as daemon:
        daemon.wait_for("finished_run")
        wait_until(lambda: not daemon.run_pids())  # it says so before it is over
        site.publish(6)  # so that there is something to wait for, whether known pages are due yet or not
        make_slow(site)
        change_source(ofrecord, "herald")
        change_source(ofrecord, schedule="every 2 seconds", recheck=["1 second"])
        daemon.signal(signal.SIGHUP)
        (reloaded,) = daemon.wait_for("reloaded_sources")
        assert {name: reloaded[name] for name in ("added", "removed", "rescheduled")} == {
            "added": 1,
            "removed": 0,
            "rescheduled": 1,
        }
        assert daemon.events("rescheduled_source")[0]["before"] == "every 1 hour"
        wait_until(lambda: len(daemon.run_pids()) == 2)  # the herald at once, the gazette at its next slot
        running = set(daemon.run_pids())

        (ofrecord.config / "sources" / "herald.yaml").write_text("name: Herald\nschedule: each hour\n")
        daemon.signal(signal.SIGHUP)
        (failed,) = daemon.wait_for("failed_reload")
        assert "herald.yaml:2: schedule" in failed["error"]
        assert set(daemon.run_pids()) == running
        # what runs from now on is still what the daemon knows, though the files are broken
        for pid in running:
            os.kill(pid, signal.SIGTERM)
        wait_until(lambda: len(set(daemon.run_pids()) - running) >= 1, 60)

        (ofrecord.config / "sources" / "herald.yaml").unlink()
        with (ofrecord.config / "settings.yaml").open("a") as file:
            file.write("daemon_concurrent_runs: 2\nlog_files: 9\nheads_seconds: 2 days\n")
        daemon.signal(signal.SIGHUP)
        daemon.wait_for("reloaded_sources", 2)
        assert daemon.events("unscheduled_source")[0]["source"] == "herald"
        assert daemon.events("changed_settings")[0]["settings"] == ["daemon_concurrent_runs"]
        assert daemon.events("ignored_settings")[0]["settings"] == ["heads_seconds", "log_files"]
        assert daemon.stop() < 30
    assert "no schedule" in str(ofrecord("runs", "herald"))
    change_source(ofrecord, "courier", schedule="every 1 hour")
    change_source(ofrecord, retired=True)  # while no daemon runs
    with run_daemon(ofrecord, tmp_path) as daemon:
        wait_until(lambda: "no schedule" in str(ofrecord("runs", "gazette")))
        daemon.wait_for("scheduled_source", 3)
        daemon.stop()
    assert not check_archive(tmp_path / "archive").damaged


@pytest.mark.parametrize(("victim", "code"), [("run", -9), ("child", 1)])
def test_a_run_that_dies_harms_nobody(ofrecord: Ofrecord, site: Site, tmp_path: Path, victim: str, code: int) -> None:
    with run_daemon(ofrecord, tmp_path) as daemon:
        daemon.wait_for("finished_run")
        make_slow(site, 5)
        change_source(ofrecord, recheck=["1 second"])
        daemon.signal(signal.SIGHUP)
        daemon.wait_for("reloaded_sources")
        asked = site.paths["/2026/0"]
        wait_until(lambda: site.paths["/2026/0"] > asked)  # five seconds of a run are left
        (pid,) = daemon.run_pids()
        pid = pid if victim == "run" else next(one.pid for one in read_processes().values() if one.parent == pid)
        os.kill(pid, signal.SIGKILL)
        (failed,) = daemon.wait_for("failed_run")
        assert (failed["exit_code"], failed["killed"]) == (code, None)
        make_slow(site, 0)
        daemon.wait_for("finished_run", len(daemon.events("finished_run")) + 1)
        assert daemon.stop() < 30
    # the child of a run that is dead closes what it has, and the next run commits that: then the run stands for itself
    assert check_told_once(ofrecord)["failed"] == (1 if victim == "child" else 0)
    assert not check_archive(tmp_path / "archive").damaged


def test_a_run_that_finds_no_archive_is_told_in_the_log_alone(ofrecord: Ofrecord, tmp_path: Path) -> None:
    with run_daemon(ofrecord, tmp_path) as daemon:
        daemon.wait_for("finished_run")
        (tmp_path / "archive").rename(tmp_path / "elsewhere")
        told = daemon.wait_for("failed_run")
        (tmp_path / "elsewhere").rename(tmp_path / "archive")
        daemon.wait_for("finished_run", 2)
        daemon.stop()
    assert all("no archive here" in event["error"] for event in told if event["exit_code"] == 10)
    assert any(event["exit_code"] == 10 for event in told)
    lines = (tmp_path / "daemon.log").read_text("utf-8").splitlines()
    assert [line for line in lines if not line.startswith("{")] == []  # who reads it by a program can


def test_a_second_signal_ends_at_once(ofrecord: Ofrecord, site: Site, tmp_path: Path) -> None:
    make_slow(site)
    with run_daemon(ofrecord, tmp_path) as daemon:
        daemon.wait_for("started_run")
        (pid,) = daemon.run_pids()
        os.kill(pid, signal.SIGSTOP)  # it cannot end in good order
        daemon.signal(signal.SIGTERM)
        time.sleep(0.5)
        assert daemon.process.poll() is None
        began = time.monotonic()
        daemon.signal(signal.SIGTERM)
        assert daemon.process.wait(10) == 0
        assert time.monotonic() - began < 5
        wait_for_death(pid, 1)


def test_a_run_that_hangs_does_not_outlive_the_grace_period(site: Site, tmp_path: Path) -> None:
    source = {**site.describe_source(), "schedule": "every 3 seconds"}
    ofrecord = install(tmp_path, source, grace_seconds=2)
    make_slow(site)
    with run_daemon(ofrecord, tmp_path) as daemon:
        daemon.wait_for("started_run")
        (pid,) = daemon.run_pids()
        os.kill(pid, signal.SIGSTOP)
        assert daemon.stop() < 12
        wait_for_death(pid, 1)
    assert not check_archive(tmp_path / "archive").damaged


def test_a_run_whose_daemon_is_killed_ends_and_the_next_start_goes_on(
    ofrecord: Ofrecord, site: Site, tmp_path: Path
) -> None:
    make_slow(site)
    with run_daemon(ofrecord, tmp_path) as daemon:
        daemon.wait_for("started_run")
        wait_until(lambda: any(path.startswith("/2026/") for path in site.paths))
        (pid,) = daemon.run_pids()
        daemon.kill()
        began = time.monotonic()
        wait_for_death(pid, 20)
        print(f"a run ended {time.monotonic() - began:.1f} s after its daemon was killed")  # noqa: T201
    make_slow(site, 0)
    with run_daemon(ofrecord, tmp_path) as daemon:
        daemon.wait_for("finished_run", 2)
        assert daemon.stop() < 30
    check_told_once(ofrecord)
    articles = ofrecord("list", "--json").rows()
    assert len(articles) == 3
    assert not check_archive(tmp_path / "archive").damaged


def test_the_limits_of_the_settings_end_a_run(site: Site, tmp_path: Path) -> None:
    source = {**site.describe_source(), "schedule": "every 3 seconds"}
    ofrecord = install(tmp_path, source, run_memory_bytes="256 MiB", workers=5, grace_seconds=5)
    make_slow(site)
    with run_daemon(ofrecord, tmp_path, "--log-level", "info") as daemon:
        daemon.wait_for("killed_run")  # crawl, child and five workers hold more than that
        (failed, *_) = daemon.wait_for("failed_run")
        assert failed["killed"] == "memory"
        daemon.stop()
    assert not check_archive(tmp_path / "archive").damaged


def test_two_daemons_share_an_archive(ofrecord: Ofrecord, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    with (
        run_daemon(ofrecord, tmp_path) as one,
        run_daemon(ofrecord, tmp_path / "other", "--state", tmp_path / "other" / "state") as other,
    ):
        daemons = (one, other)
        wait_until(lambda: sum(len(daemon.events("finished_run")) for daemon in daemons) >= 6, 60)
        wait_until(lambda: any(daemon.events("missed_run") for daemon in daemons), 60)
        assert not any(daemon.events("failed_run") for daemon in daemons)
        other.signal(signal.SIGHUP)  # what options say is no change
        other.wait_for("reloaded_sources")
        assert not other.events("changed_settings", "ignored_settings")
        one.stop()
        other.stop()
    check_told_once(ofrecord)
    slots = [row["slot"] for row in tell_slots(ofrecord) if row.get("run") and row.get("slot")]
    assert len(slots) == len(set(slots))
    assert not check_archive(tmp_path / "archive").damaged
