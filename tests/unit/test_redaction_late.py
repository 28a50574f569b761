"""Facts that come after a redaction, from before it: they never tell again what was taken out. And what is local."""

from __future__ import annotations

import secrets
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from config.settings import Settings
from config.sources import Source
from jobs.archive.identity import create_archive
from jobs.checkpoint.reading import open_stack
from jobs.context import OpenArchive, lock_source, open_archive
from jobs.redaction import waiting
from jobs.redaction.conveniences import clear_conveniences
from jobs.redaction.local import clear_local
from jobs.redaction.redacting import RedactRequest, redact_articles
from jobs.redaction.waiting import finish_rewriting, redact_sealed
from jobs.segments.seal import load_sealed, seal_segment
from jobs.store import open_store
from jobs.verify import verify_archive
from tests.archives import NOON, PAGES, Page, finish_spool, write_segment
from tests.hunting import Hunter

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

GAZETTE = Source(
    id="gazette",
    name="Gazette",
    home="https://gazette.example/",
    discover=[{"feed": "https://gazette.example/rss"}],
    articles={"include": ["."]},
)
SECRET = Page("/2026/affair", "Mirkvandello had leased the land by the harbour.", title="Quorvashtel resigned")
NOW = datetime.now(UTC)


@pytest.fixture
def place(tmp_path: Path) -> Path:
    (tmp_path / "archive").mkdir()
    settings = Settings(archive=str(tmp_path / "archive"), state_dir=tmp_path / "none")
    create_archive(open_store(str(settings.archive), settings), single_writer=False, now=NOON)
    return tmp_path / "archive"


@contextmanager
def machine(place: Path, name: str = "a") -> Iterator[OpenArchive]:
    """One machine's view of the archive at *place*."""
    with open_archive(Settings(archive=str(place), state_dir=place.with_name(name))) as archive:
        archive.spool("gazette").mkdir(parents=True, exist_ok=True)
        yield archive


def close_segment(archive: OpenArchive, *pages: Page, at: datetime = NOON) -> Path:
    run = f"gazette-{at:%Y%m%dT%H%M%SZ}-{secrets.token_hex(8)}"
    return write_segment(archive.spool("gazette"), pages, archive=archive.info.archive, now=at, run=run)


def redact(archive: OpenArchive) -> None:
    redact_articles(archive, RedactRequest("gazette", frozenset({SECRET.url}), "a court's order", timedelta(0)))


def find(*places: Path) -> list[str]:
    hunter = Hunter([SECRET.words, SECRET.title])
    for one in places:
        hunter.look_below(one)
    return hunter.found


def check(place: Path) -> None:
    report = verify_archive(open_store(str(place), Settings()), full=True)
    assert not report.damaged, [str(one) for one in report.findings]


def list_classes(archive: OpenArchive) -> list[str]:
    archive.refresh("gazette")
    return [one.page_class for one in archive.catalog.list_captures("gazette", SECRET.url)]


def test_what_waits_is_put_without_what_was_redacted_meanwhile(place: Path) -> None:
    with machine(place) as archive, machine(place, "b") as other:
        close_segment(archive, SECRET, PAGES[0])
        finish_spool(archive, GAZETTE)
        seal_segment(close_segment(archive, SECRET, PAGES[0], at=NOON + timedelta(hours=1)), now=NOW)
        close_segment(archive, SECRET, PAGES[0], at=NOON + timedelta(hours=2))
        redact(other)
        objects = {one.key for one in archive.store.list("segments/")}
        archive.refresh("gazette")
        assert finish_spool(archive, GAZETTE) == 2
        new = {one.key for one in archive.store.list("segments/")} - objects
        assert len(new) == 2
        assert not find(*(place / key for key in new))
        assert list_classes(archive) == ["redacted"] * 3
        assert len(archive.catalog.list_captures("gazette", PAGES[0].url)) == 3
        assert archive.catalog.list_redactions("gazette") == [2], "no further redaction was needed"
    check(place)


def test_what_was_captured_after_the_redaction_stays(place: Path) -> None:
    with machine(place) as archive:
        close_segment(archive, SECRET, PAGES[0])
        finish_spool(archive, GAZETTE)
        redact(archive)
        close_segment(archive, SECRET, PAGES[0], at=datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=5))
        assert finish_spool(archive, GAZETTE) == 1
        assert list_classes(archive) == ["redacted", "article"]
    check(place)


def test_what_was_committed_without_knowing_of_the_redaction_is_redacted_at_once(place: Path) -> None:
    with machine(place) as archive, machine(place, "b") as other:
        close_segment(archive, SECRET, PAGES[0])
        finish_spool(archive, GAZETTE)
        close_segment(archive, SECRET, PAGES[0], at=NOON + timedelta(hours=1))
        redact(other)
        assert finish_spool(archive, GAZETTE) == 1, "its catalog ends before the redaction"
        assert archive.catalog.list_redactions("gazette") == [2, 4]
        assert list_classes(archive) == list_classes(other) == ["redacted"] * 2
    check(place)


def test_a_rewriting_that_was_broken_off_is_ended_one_way_or_the_other(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with machine(place) as archive:
        close_segment(archive, SECRET, PAGES[0])
        finish_spool(archive, GAZETTE)
        redact(archive)
        for step in ("write_draft", "finish_rewriting"):
            sealed = seal_segment(close_segment(archive, SECRET, PAGES[0], at=NOON + timedelta(hours=1)), now=NOW)

            def die(*_: object) -> None:
                raise KeyboardInterrupt

            with monkeypatch.context() as patch:
                patch.setattr(waiting, step, die)
                with pytest.raises(KeyboardInterrupt):
                    redact_sealed(archive, sealed)
            finish_rewriting(sealed.path)
            assert sorted(one.name for one in sealed.path.iterdir() if "redacted" in one.name) == []
            assert finish_spool(archive, GAZETTE) == 1
        assert list_classes(archive) == ["redacted"] * 3
        assert not (archive.spool("gazette") / "damaged").exists()
    check(place)


def test_a_spool_is_cleared_but_not_under_a_run(place: Path) -> None:
    with machine(place) as archive:
        spool = archive.spool("gazette")
        close_segment(archive, SECRET, PAGES[0])
        finish_spool(archive, GAZETTE)
        close_segment(archive, SECRET, PAGES[0], at=NOON + timedelta(hours=1))
        close_segment(archive, PAGES[0], at=NOON + timedelta(hours=2))
        (spool / "frontier").write_bytes(SECRET.title.encode())
        (spool / "damaged" / "one").mkdir(parents=True)
        redact(archive)
        with lock_source(spool, "gazette"):
            report = clear_local(archive, "gazette")
        assert (report.removed, report.rewritten) == ([], [])
        assert set(report.left) == {str(spool), str(spool / "damaged" / "one")}
        assert find(spool)
        report = clear_local(archive, "gazette")
        assert report.removed == [str(spool / "frontier")]
        assert len(report.rewritten) == 1
        assert list(report.left) == [str(spool / "damaged" / "one")]
        assert not find(spool)
        sealed = [load_sealed(path) for path in (spool / "sealed").iterdir()]
        assert sorted(one.draft.counts["snapshots"] for one in sealed) == [1, 1]
        assert clear_local(archive, "gazette").rewritten == [], "once is enough"
        assert finish_spool(archive, GAZETTE) == 2
    check(place)


def test_the_checkpoint_is_made_anew_and_the_old_ones_go(place: Path) -> None:
    with machine(place) as archive:
        for number in range(12):
            words = replace(SECRET, words=f"{SECRET.words} {number}") if number < 3 else PAGES[0]
            close_segment(archive, words, at=NOON + timedelta(hours=number))
            finish_spool(archive, GAZETTE)
        (old,) = [one.key for one in archive.store.list("checkpoint/")]
        redact(archive)
        report = clear_conveniences(archive, "gazette")
        assert old in report.purged
        (new,) = [one.key for one in archive.store.list("checkpoint/")]
        assert new in report.written
        named = archive.catalog.checkpoint("gazette")
        assert named is not None
        assert named["key"] == new
        stack = open_stack(archive.store, archive.info.archive, "gazette", named)
        stack.newest.close()
        assert [one.first for one in stack.layers] == [1], "it lies on none of before"
        assert not find(place / "checkpoint")
        assert clear_conveniences(archive, "gazette").purged == []
    check(place)
    with machine(place, "c") as fresh, machine(place) as archive:
        fresh.refresh()
        archive.refresh()
        assert list_classes(fresh) == ["redacted"] * 3
        assert fresh.catalog.dump()["captures"] == archive.catalog.dump()["captures"]
