"""A disk that comes back months later: what was committed meanwhile is committed once, what was not comes in late."""

from __future__ import annotations

import shutil
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from config.settings import Settings
from jobs.archive.identity import create_archive
from jobs.context import OpenArchive, open_archive
from jobs.runs.spool import list_segments
from jobs.segments.seal import seal_segment
from jobs.store import open_store
from jobs.verify import verify_archive
from tests.archives import NOON, PAGES, SOURCE, finish_spool, write_segment
from tests.crash.test_spool import GAZETTE
from tests.histories import dump_catalog, read_commits

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@contextmanager
def machine(place: Path, state: Path) -> Iterator[OpenArchive]:
    """One machine's view of the archive at *place*, up to date."""
    with open_archive(Settings(archive=str(place), state_dir=state)) as archive:
        archive.catalog.refresh(archive.store, archive.log(SOURCE))
        yield archive


def make_archive(place: Path) -> Path:
    place.mkdir()
    settings = Settings(archive=str(place), state_dir=place.with_name("unused"))
    create_archive(open_store(str(place), settings), single_writer=False, now=NOON)
    return place


def crawl(archive: OpenArchive, hour: int) -> Path:
    """Leave a closed segment of *hour* in the spool: its first page reads another way every two hours."""
    text = f"The tax will rise in the year {hour // 2}."
    pages = [replace(PAGES[0], words=text), *PAGES[1:]]
    at = NOON + timedelta(hours=hour)
    return write_segment(
        archive.spool(SOURCE),
        pages,
        archive=archive.info.archive,
        now=at,
        run=f"gazette-{at:%Y%m%dT%H%M%SZ}-{hour:016x}",
    )


def check(place: Path, *, commits: int) -> None:
    stored = read_commits(place)[SOURCE]
    assert len(stored) == commits
    assert len({one.commit.segment for one in stored}) == commits
    report = verify_archive(open_store(str(place), Settings()), full=True)
    assert not report.damaged, [str(finding) for finding in report.findings]
    assert report.uncommitted == []


@pytest.mark.parametrize("from_another_machine", [False, True])
def test_a_copy_of_what_was_committed_is_committed_no_second_time(
    tmp_path: Path, *, from_another_machine: bool
) -> None:
    place, away = make_archive(tmp_path / "archive"), tmp_path / "away"
    with machine(place, tmp_path / "state") as archive:
        crawl(archive, 0)
        seal_segment(crawl(archive, 1), now=NOON)
        shutil.copytree(archive.spool(SOURCE), away)
        assert finish_spool(archive, GAZETTE) == 2
        for hour in (2, 3, 4):
            crawl(archive, hour)
            assert finish_spool(archive, GAZETTE) == 1
    before = dump_catalog(place)
    with machine(place, tmp_path / ("elsewhere" if from_another_machine else "state")) as archive:
        shutil.copytree(away, archive.spool(SOURCE), dirs_exist_ok=True)
        assert [len(list_segments(archive.spool(SOURCE) / name)) for name in ("closed", "sealed")] == [1, 1]
        assert finish_spool(archive, GAZETTE) == 0
        assert not any(list_segments(archive.spool(SOURCE) / name) for name in ("closed", "sealed", "gone", "damaged"))
    check(place, commits=5)
    assert dump_catalog(place) == before


def test_a_catalog_that_is_behind_makes_no_second_commit_either(tmp_path: Path) -> None:
    place, away = make_archive(tmp_path / "archive"), tmp_path / "away"
    with machine(place, tmp_path / "behind") as behind:
        with machine(place, tmp_path / "state") as archive:
            seal_segment(crawl(archive, 0), now=NOON)
            shutil.copytree(archive.spool(SOURCE), away)
            assert finish_spool(archive, GAZETTE) == 1
            crawl(archive, 1)
            assert finish_spool(archive, GAZETTE) == 1
        shutil.copytree(away, behind.spool(SOURCE), dirs_exist_ok=True)
        finish_spool(behind, GAZETTE)
        assert not any(list_segments(behind.spool(SOURCE) / name) for name in ("closed", "sealed", "gone", "damaged"))
    check(place, commits=2)


@pytest.mark.parametrize("sealed", [False, True])
def test_what_comes_after_five_other_commits_folds_as_if_it_had_been_in_time(tmp_path: Path, *, sealed: bool) -> None:
    late, in_time = make_archive(tmp_path / "late"), make_archive(tmp_path / "in-time")
    with machine(late, tmp_path / "lost") as archive:
        closed = crawl(archive, 2)
        if sealed:
            seal_segment(closed, now=NOON)
    with machine(late, tmp_path / "state") as archive:
        for hour in (0, 1, 4, 5, 6):
            crawl(archive, hour)
            assert finish_spool(archive, GAZETTE) == 1
    with machine(late, tmp_path / "lost") as archive:
        assert finish_spool(archive, GAZETTE) == 1
        assert finish_spool(archive, GAZETTE) == 0
    with machine(in_time, tmp_path / "orderly") as archive:
        for hour in (0, 1, 2, 4, 5, 6):
            crawl(archive, hour)
            assert finish_spool(archive, GAZETTE) == 1
    check(late, commits=6)
    told = histories(late)
    assert told == histories(in_time)
    verdicts = [verdict for url, _, verdict, _ in told if url == PAGES[0].url]
    assert verdicts == ["new", "unchanged", "revised", "revised", "unchanged", "revised"]


def histories(place: Path) -> list[tuple[str, str, str, int]]:
    """Return URL, time, verdict and revision of every capture, in order of time."""
    with open_archive(Settings(archive=str(place), state_dir=place.with_name(f"{place.name}-reader"))) as archive:
        archive.catalog.refresh(archive.store, archive.log(SOURCE))
        return [
            (article["url"], capture.captured_at.isoformat(), str(capture.verdict), capture.revision or 0)
            for article in archive.catalog.list_articles()
            for capture in archive.catalog.list_captures(SOURCE, article["url"])
        ]
