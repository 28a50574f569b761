"""A disk that fills up: fetching pauses; where no room comes, the run ends with 4, and what is stored stays right."""

from __future__ import annotations

import errno
import os
import subprocess
import time
from typing import TYPE_CHECKING, Any

import pytest

from tests.crawls import Site, serve_site, wait_until
from tests.histories import check_archive, read_histories
from tests.installation import Ofrecord, Result, install

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SOURCE = "almayadeen-english"
SIZE_BYTES = 12 * 1024 * 1024
PAGES = 40
CATALOG_ROOM = 40_000
"""Enough to open a catalog that is there (32 KiB that its readers share), and for no run."""
QUICK = {"OFRECORD_SPOOL_WAIT_SECONDS": "2", "OFRECORD_GRACE_SECONDS": "2"}

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount the small disk that this test fills"),
]


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 12 MB."""
    place = tmp_path / "disk"
    place.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={SIZE_BYTES}", "tmpfs", place], check=True)
    try:
        yield place
    finally:
        subprocess.run(["umount", "--lazy", place], check=True)  # a test that failed may have left a crawl there


def fill(disk: Path, *, left_bytes: int) -> Path:
    """Leave *left_bytes* of the disk; return the file that takes the rest. A crawl may be writing there meanwhile."""
    stat = os.statvfs(disk)
    filler = disk / "filler"
    try:
        filler.write_bytes(bytes(max(0, stat.f_bavail * stat.f_frsize - left_bytes)))
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
    return filler


@pytest.mark.parametrize(
    "left_bytes", [0, *(pytest.param(n, marks=pytest.mark.soak) for n in (30_000, 120_000, 250_000))]
)
def test_no_room_for_local_state(ofrecord: Ofrecord, archive_dir: Path, disk: Path, left_bytes: int) -> None:
    ofrecord = Ofrecord(ofrecord.config, ofrecord.home, QUICK)
    ofrecord("init")
    ofrecord("crawl", SOURCE, "--state", disk, "--limit", "2")
    filler = fill(disk, left_bytes=left_bytes)
    full = ofrecord("crawl", SOURCE, "--recheck", "all", "--state", disk, code=None)
    assert full.returncode in {0, 4}, full
    assert "Traceback" not in full.stderr, full
    assert full.returncode == 0 or "disk is full" in full.stderr
    if left_bytes == 0:
        assert full.returncode == 4
    filler.unlink()
    ofrecord("crawl", SOURCE, "--recheck", "all", "--state", disk)
    report = check_archive(archive_dir)
    assert not report.damaged, [str(finding) for finding in report.findings]


def test_reading_room_without_room_says_so(ofrecord: Ofrecord, disk: Path) -> None:
    ofrecord("init")
    ofrecord("crawl", SOURCE, "--limit", "2")
    filler = fill(disk, left_bytes=0)
    full = ofrecord("serve", "--listen", "127.0.0.1:0", "--state", disk, code=4)
    assert "disk is full" in full.stderr
    assert "Traceback" not in full.stderr, full
    filler.unlink()
    ofrecord("search", "--state", disk)
    subprocess.run(["mount", "-o", "remount,ro", disk], check=True)
    for words in (["serve", "--listen", "127.0.0.1:0"], ["search"]):
        refused = ofrecord(*words, "--state", disk, code=2)
        assert "--state DIR" in refused.stderr
        assert "Traceback" not in refused.stderr, refused


def test_a_full_disk_of_one_source_does_not_stop_the_others(
    ofrecord: Ofrecord, archive_dir: Path, disk: Path, tmp_path: Path
) -> None:
    ofrecord = Ofrecord(ofrecord.config, ofrecord.home, QUICK)
    ofrecord("init")
    ofrecord("crawl", "almayadeen-spanish")
    (spools,) = (tmp_path / "state").glob("*/spool")
    (spools / "almayadeen-arabic").symlink_to(disk)
    fill(disk, left_bytes=0)
    result = ofrecord("crawl", "almayadeen-arabic", "almayadeen-spanish", "--recheck", "all", "--json", code=4)
    assert "Traceback" not in result.stderr
    assert [(run["source"], run["exit_code"], run["pages"]) for run in result.json()["runs"]] == [
        ("almayadeen-arabic", 4, 0),
        ("almayadeen-spanish", 0, 1),
    ]
    assert not check_archive(archive_dir).damaged


def test_a_disk_that_is_full_for_all_sources_ends_the_command(ofrecord: Ofrecord, disk: Path) -> None:
    ofrecord = Ofrecord(ofrecord.config, ofrecord.home, QUICK)
    ofrecord("init")
    ofrecord("crawl", "almayadeen-spanish", "--state", disk)
    filler = fill(disk, left_bytes=0)
    words: list[str | Path] = ["crawl", "almayadeen-arabic", "almayadeen-spanish", "--state", disk, "--json"]
    result = ofrecord(*words, code=4)
    assert "no room for the catalog" in result.stderr
    assert "Traceback" not in result.stderr
    filler.unlink()
    fill(disk, left_bytes=CATALOG_ROOM)
    result = ofrecord(*words, code=4)
    assert "Traceback" not in result.stderr
    assert "no source can be crawled here any more" in result.stderr
    assert "not begun: almayadeen-spanish" in result.stderr
    assert result.json()["exit_code"] == 4


@pytest.mark.parametrize("left_bytes", [60_000, pytest.param(0, marks=pytest.mark.soak)])
def test_no_room_for_the_archive(ofrecord: Ofrecord, disk: Path, left_bytes: int) -> None:
    ofrecord = Ofrecord(ofrecord.config, ofrecord.home, QUICK)
    archive = disk / "archive"
    ofrecord("init", "--archive", archive)
    ofrecord("crawl", SOURCE, "--archive", archive, "--limit", "2")
    filler = fill(disk, left_bytes=left_bytes)
    full = ofrecord("crawl", SOURCE, "--recheck", "all", "--archive", archive, code=4)
    assert "Traceback" not in full.stderr
    assert "disk is full" in full.stderr
    filler.unlink()
    again = ofrecord("crawl", SOURCE, "--archive", archive, "--json").json()
    assert again["exit_code"] == 0
    report = check_archive(archive)
    assert not report.damaged, [str(finding) for finding in report.findings]
    assert not report.uncommitted


@pytest.fixture
def gazette() -> Iterator[Site]:
    with serve_site() as site:
        site.publish(PAGES)
        yield site


def start_slow_crawl(site: Site, folder: Path, disk: Path, **settings: Any) -> tuple[Ofrecord, subprocess.Popen[str]]:
    """Begin a crawl of some seconds with its spool on *disk*; return once pages come in."""
    source = site.describe_source(delay_seconds=0.1)
    ofrecord = install(folder, source, state_dir=str(disk), grace_seconds=2, **settings)
    process = ofrecord.start("crawl", "gazette", "--json")
    wait_until(lambda: len(site.requests) > 5)
    return ofrecord, process


def wait_until_it_pauses(site: Site) -> int:
    """Return how many requests had come when no more came."""
    previous = -1
    while len(site.requests) != previous:
        previous = len(site.requests)
        time.sleep(1.5)
    return previous


def finish(process: subprocess.Popen[str], code: int) -> Result:
    out, errors = process.communicate(timeout=120)
    result = Result(process.args, process.returncode, out, errors)
    assert result.returncode == code, result
    assert "Traceback" not in errors, result
    return result


def check_all_is_there(archive: Path) -> None:
    histories = read_histories(archive)
    assert len(histories) == PAGES
    assert all(history[0][0] == "new" for history in histories.values()), histories
    report = check_archive(archive)
    assert not report.damaged, [str(finding) for finding in report.findings]
    assert not report.uncommitted


# 0: the disk is used to its end, and the writer itself runs into it
@pytest.mark.parametrize("min_free_bytes", [256 * 1024**2, 0])
def test_a_full_disk_pauses_fetching_until_there_is_room(
    gazette: Site, tmp_path: Path, disk: Path, min_free_bytes: int
) -> None:
    _, process = start_slow_crawl(gazette, tmp_path, disk, spool_min_free_bytes=min_free_bytes, spool_wait_seconds=90)
    filler = fill(disk, left_bytes=0)
    assert wait_until_it_pauses(gazette) < PAGES
    filler.unlink()
    result = finish(process, code=0)
    names = [event["event"] for event in result.events()]
    assert names.index("paused_fetching") < names.index("resumed_fetching")
    report = result.json()
    assert (report["reason"], report["articles"], report["errors"]) == ("finished", PAGES, 0)
    check_all_is_there(tmp_path / "archive")


@pytest.mark.parametrize("min_free_bytes", [256 * 1024**2, 0])
def test_a_disk_that_stays_full_ends_the_run(gazette: Site, tmp_path: Path, disk: Path, min_free_bytes: int) -> None:
    ofrecord, process = start_slow_crawl(
        gazette, tmp_path, disk, spool_min_free_bytes=min_free_bytes, spool_wait_seconds=3
    )
    filler = fill(disk, left_bytes=0)
    result = finish(process, code=4)
    assert "the disk is full" in result.stderr
    assert len(gazette.requests) < PAGES
    report = check_archive(tmp_path / "archive")
    assert not report.damaged, [str(finding) for finding in report.findings]
    filler.unlink()
    ofrecord("crawl", "gazette", "--recheck", "all")
    check_all_is_there(tmp_path / "archive")
