"""Captures from elsewhere into segments: original times, origins, nothing twice; a real pool, store and catalog."""

from __future__ import annotations

import asyncio
from contextlib import contextmanager
from dataclasses import asdict, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from config.settings import Settings
from config.sources import Source
from crawler.intake import Intake, Kept, open_intake
from crawler.model import PageClass
from crawler.rows import CaptureRow, Origin, RunRow, decode_row
from crawler.warc import read_facts
from crawler.workers.pool import make_pool
from jobs.archive.identity import create_archive
from jobs.catalog import SourceVersions
from jobs.context import OpenArchive, open_archive
from jobs.rechecks import RecheckPolicy
from jobs.store import open_store
from tests.archives import finish_spool
from tests.real_archives import make_exchange, site_pages

pytestmark = pytest.mark.slow

if TYPE_CHECKING:
    from collections.abc import Iterator

    from crawler.model import Exchange

RUN = "gazette-20261127T120000Z-0123456789abcdef"
THEN = datetime(2019, 3, 4, 5, 6, 7, tzinfo=UTC)
ORIGIN = Origin("imported", "dump.warc.gz", "<urn:uuid:6a1f2c55-3c0e-5d0a-9d8b-0f3f6e6d7a11>", "Wget/1.24")
SOURCE = Source.model_validate(
    {
        "id": "gazette",
        "name": "Gazette",
        "home": "https://gazette.example/",
        "discover": [{"section": "https://gazette.example/"}],
        "articles": {"include": ["."]},
    }
)


def _settings(folder: Path, **settings: object) -> Settings:
    return Settings(archive=str(folder / "archive"), state_dir=folder / "state", workers=1, **settings)  # type: ignore[arg-type]


@contextmanager
def opened(folder: Path, **settings: object) -> Iterator[OpenArchive]:
    chosen = _settings(folder, **settings)
    if not (folder / "archive").exists():
        create_archive(open_store(str(folder / "archive"), chosen), single_writer=False, now=THEN)
    with open_archive(chosen) as archive:
        archive.spool(SOURCE.id).mkdir(parents=True, exist_ok=True)
        yield archive


def take(
    archive: OpenArchive, exchanges: list[Exchange], *, at_once: bool = False, source: Source = SOURCE
) -> tuple[Intake, list[Kept | None]]:
    """Keep *exchanges* by an intake of their own, and commit the segments."""

    async def keep_all() -> tuple[Intake, list[Kept | None]]:
        async with make_pool(archive.settings, 1) as pool:
            intake = open_intake(
                source,
                archive.settings,
                spool=archive.spool(SOURCE.id),
                run=RUN,
                trigger="import",
                archive=archive.info.archive,
                pool=pool,
                known=SourceVersions(archive.catalog, SOURCE.id),
            )
            if at_once:
                kept = await asyncio.gather(*(intake.keep(one, ORIGIN) for one in exchanges))
            else:
                kept = [await intake.keep(one, ORIGIN) for one in exchanges]
            intake.finish()
            return intake, kept

    found = asyncio.run(keep_all())
    finish_spool(archive, SOURCE)
    return found


def article() -> str:
    return next(url for url in site_pages() if "library" in url)


def test_a_capture_keeps_its_time_and_its_origin(tmp_path: Path) -> None:
    with opened(tmp_path) as archive:
        intake, kept = take(archive, [make_exchange(article(), THEN)])
        (capture,) = archive.catalog.list_captures(SOURCE.id, article())
        assert capture.origin == asdict(ORIGIN)
        lines = [decode_row(line) for line in _rows(archive)]
    (row,) = [row for row in lines if isinstance(row, CaptureRow)]
    (run,) = [row for row in lines if isinstance(row, RunRow)]
    assert (row.captured_at, row.origin, row.page_class) == (THEN, ORIGIN, PageClass.ARTICLE)
    assert (capture.captured_at, capture.verdict) == (THEN, "new")
    assert (run.trigger, run.counts["captures"], run.counts["snapshots"]) == ("import", 1, 1)
    assert kept[0] is not None
    assert kept[0].outcome.snapshot is not None
    assert intake.counts.known == 0


def test_nothing_is_kept_twice_committed_or_not(tmp_path: Path) -> None:
    one = make_exchange(article(), THEN)
    later = replace(one, started_at=THEN + timedelta(seconds=1))
    with opened(tmp_path) as archive:
        intake, kept = take(archive, [one, one, later], at_once=True)
        assert [found is not None for found in kept] == [True, False, True]
        again, nothing = take(archive, [one, later])
        assert nothing == [None, None]
        assert (intake.counts.known, again.counts.known, again.counts.captures) == (1, 2, 0)
        assert len(archive.catalog.list_captures(SOURCE.id, article())) == 2


def test_what_its_source_does_not_want_makes_no_article(tmp_path: Path) -> None:
    source = SOURCE.model_copy(update={"languages": ["fr"]})
    with opened(tmp_path) as archive:
        _, kept = take(archive, [make_exchange(article(), THEN)], source=source)
        assert [(one.row.page_class, one.outcome.snapshot) for one in kept if one] == [(PageClass.OUTSIDE, None)]
        assert [capture.verdict for capture in archive.catalog.list_captures(SOURCE.id, article())] == ["bad"]


def test_a_page_that_is_withheld_is_known_the_next_time(tmp_path: Path) -> None:
    body = b"<html><head><meta name=robots content=noarchive></head><body><p>The text of the day.</p></body></html>"
    one = make_exchange(article(), THEN, body)
    with opened(tmp_path, obey_noarchive=True) as archive:
        assert take(archive, [one])[1][0] is not None
        assert take(archive, [one])[1] == [None]


def test_a_payload_that_the_archive_holds_becomes_a_revisit_only_of_an_earlier_record(tmp_path: Path) -> None:
    first = make_exchange(article(), THEN)
    with opened(tmp_path) as archive:
        take(archive, [first])
        _, kept = take(
            archive,
            [replace(first, started_at=THEN + timedelta(days=1)), replace(first, started_at=THEN - timedelta(days=1))],
        )
        captures = archive.catalog.list_captures(SOURCE.id, article())
    assert [one is not None and one.row.revisit_of is not None for one in kept] == [True, False]
    assert [one.verdict for one in captures] == ["new", "unchanged", "unchanged"]


def test_what_was_taken_in_owes_no_look_that_was_due_before(tmp_path: Path) -> None:
    now = datetime.now(UTC)
    urls = [url for url in site_pages() if any(word in url for word in ("matter", "morning", "a-year-of"))]
    ages = (timedelta(days=2_000), timedelta(days=2), timedelta(minutes=1))
    policy = RecheckPolicy(ages=(3_600, 86_400, 7 * 86_400), adapts=False)
    with opened(tmp_path) as archive:
        take(archive, [make_exchange(url, now - age) for url, age in zip(urls, ages, strict=True)])

        def list_due(after: timedelta) -> set[str]:
            return set(archive.catalog.list_due(SOURCE.id, policy, now + after))

        assert list_due(timedelta(minutes=2)) == set()
        assert list_due(timedelta(hours=2)) == {urls[2]}
        assert list_due(timedelta(days=6)) == {urls[1], urls[2]}


def test_no_publisher_is_asked_whether_the_word_of_others_still_holds(tmp_path: Path) -> None:
    url = article()
    told = make_exchange(url, THEN)
    head = told.response_head.replace(b"\r\n\r\n", b'\r\nETag: "as-somebody-says"\r\n\r\n')
    with opened(tmp_path) as archive:
        take(archive, [replace(told, response_head=head)])
        versions = SourceVersions(archive.catalog, SOURCE.id)
        assert versions.find_looks([url])
        assert versions.find_validators([url]) == {}  # a 304 would make evidence of it


def test_health_and_schedule_go_by_what_was_looked_at_only(tmp_path: Path) -> None:
    now = datetime.now(UTC)
    with opened(tmp_path) as archive:
        take(archive, [make_exchange(url, now - timedelta(hours=n)) for n, url in enumerate(site_pages())])
        tally = archive.catalog.tally_health(SOURCE.id, now)
        assert archive.catalog.last_started(SOURCE.id) is None
    assert (tally.days, tally.runs, tally.ran, tally.last_new) == ({}, (), (), None)


def test_a_catalog_made_of_checkpoints_knows_the_same_as_one_made_of_the_log(tmp_path: Path) -> None:
    with opened(tmp_path) as archive:
        for day in range(12):  # a checkpoint is due after ten commits
            take(archive, [make_exchange(url, THEN + timedelta(days=day)) for url in list(site_pages())[:3]])
        known = archive.catalog.dump()
        assert archive.catalog.list_layers(SOURCE.id)
    for checkpoints in (True, False):
        with open_archive(_settings(tmp_path), fresh_catalog=True) as archive:
            archive.refresh(checkpoints=checkpoints)
            assert archive.catalog.dump() == known
            assert bool(archive.catalog.list_layers(SOURCE.id)) is checkpoints


def _rows(archive: OpenArchive) -> list[bytes]:
    lines: list[bytes] = []
    for stored in archive.log(SOURCE.id).read():
        place = stored.commit.rows
        if place is not None:
            with (Path(str(archive.settings.archive)) / place.key).open("rb") as file:
                file.seek(place.offset)
                lines += read_facts(file)
    return lines
