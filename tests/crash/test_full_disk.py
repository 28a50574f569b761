"""A disk that fills up: the run ends with 4 and one line, and what is stored stays right."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.histories import check_archive

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.installation import Ofrecord

SOURCE = "almayadeen-english"
SIZE_BYTES = 12 * 1024 * 1024

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
        subprocess.run(["umount", place], check=True)


def fill(disk: Path, *, left_bytes: int) -> Path:
    """Leave *left_bytes* of the disk; return the file that takes the rest."""
    stat = os.statvfs(disk)
    filler = disk / "filler"
    filler.write_bytes(bytes(max(0, stat.f_bavail * stat.f_frsize - left_bytes)))
    return filler


@pytest.mark.parametrize("left_bytes", [0, 30_000, 120_000, 250_000])
def test_no_room_for_local_state(ofrecord: Ofrecord, archive_dir: Path, disk: Path, left_bytes: int) -> None:
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


@pytest.mark.parametrize("left_bytes", [0, 60_000])
def test_no_room_for_the_archive(ofrecord: Ofrecord, disk: Path, left_bytes: int) -> None:
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
