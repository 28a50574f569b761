"""Segments of every sound shape: verify has nothing to say of them, but has of what is nearly so."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from crawler.rows import CaptureReference, SnapshotRow
from crawler.segment import SegmentWriter, recover_segments
from jobs.archive.commit import digest
from jobs.archive.identity import create_archive
from jobs.segments.seal import seal_segment
from jobs.segments.upload import upload_segment
from jobs.store.memory import MemoryStore
from jobs.verify import Severity, verify_archive
from tests.archives import (
    DERIVATION,
    MEANING,
    NOON,
    SOURCE,
    Page,
    build_archive,
    commit_segment,
    copy_store,
    cover_up,
    derivation_of,
    file_keys,
    read_blocks,
    read_lines,
    write_lines,
    write_segment,
)
from tests.faults import damage
from tests.faults.places import spread_rows

if TYPE_CHECKING:
    from pathlib import Path

    from jobs.archive.identity import ArchiveInfo


@pytest.fixture
def store(tmp_path: Path) -> MemoryStore:
    return build_archive(tmp_path / "spool", segments=2)


def _make(info_store: MemoryStore) -> ArchiveInfo:
    return create_archive(info_store, single_writer=False, now=NOON)


def test_captures_without_an_answer_are_sound(tmp_path: Path) -> None:
    store = MemoryStore()
    info = _make(store)
    pages = [Page("/a", status=None), Page("/b"), Page("/c", status=None), Page("/d", status=410)]
    commit_segment(store, info, write_segment(tmp_path, pages, archive=info.archive))
    report = verify_archive(store, full=True)
    assert damage(report) == []
    assert report.counts.records == 6


def test_segment_with_no_capture_is_sound(tmp_path: Path) -> None:
    store = MemoryStore()
    info = _make(store)
    commit_segment(store, info, write_segment(tmp_path, [], archive=info.archive))
    assert damage(verify_archive(store, full=True)) == []


def test_segment_of_one_that_did_not_know_its_archive_is_sound(tmp_path: Path) -> None:
    store = MemoryStore()
    info = _make(store)
    commit_segment(store, info, write_segment(tmp_path, archive=""))
    assert damage(verify_archive(store, full=True)) == []


@pytest.mark.parametrize("torn_bytes", [0, 1, 200, 700, 1500])
def test_recovered_segment_is_sound(tmp_path: Path, torn_bytes: int) -> None:
    store = MemoryStore()
    info = _make(store)
    closed = write_segment(tmp_path, archive=info.archive)
    opened = tmp_path / "open" / closed.name
    closed.rename(opened)
    warc = opened / "records.warc.gz"
    warc.write_bytes(warc.read_bytes()[: warc.stat().st_size - torn_bytes])
    rows = opened / "rows.jsonl"
    rows.write_bytes(rows.read_bytes().rpartition(b'{"closed"')[0])
    for folder in recover_segments(tmp_path, NOON + timedelta(hours=1)):
        commit_segment(store, info, folder)
    report = verify_archive(store, full=True)
    assert damage(report) == []
    assert report.counts.commits == 1


def test_rederived_snapshots_are_sound_or_found(tmp_path: Path) -> None:
    store = MemoryStore()
    info = _make(store)
    first = commit_segment(store, info, write_segment(tmp_path, archive=info.archive))
    newer = derivation_of(MEANING | {"language": "en"})
    text = "Derived again."
    row = SnapshotRow(
        url="https://gazette.example/2026/budget",
        captured_at=NOON + timedelta(microseconds=125_000),
        derivation=newer.digest,
        text=text,
        text_digest=digest(text.encode()),
        page_class="article",
        class_reason="test",
        of=CaptureReference(first.commit.segment or "", 0),
    )
    later = NOON + timedelta(hours=1)
    closed = write_segment(tmp_path, archive=info.archive, now=later, derivation=newer)
    second = commit_segment(store, info, closed, now=later, after=first, derived=[row])
    assert damage(verify_archive(store, full=True)) == []
    unknown = "gazette-20200101T000000Z-0000000000000000"
    wrong = {
        "there is no capture 3 of segment": replace(row, of=CaptureReference(first.commit.segment or "", 3)),
        "no commit brought capture 0": replace(row, of=CaptureReference(unknown, 0)),
        "is another source's": replace(row, of=CaptureReference("herald-20261122T120000Z-0000000000000000", 0)),
        "a snapshot with another URL or time than its capture 1": replace(
            row, of=CaptureReference(first.commit.segment or "", 1)
        ),
        "than its capture 0": replace(row, captured_at=NOON),
    }
    for message, forged in wrong.items():
        again = copy_store(store)
        closed = write_segment(tmp_path, archive=info.archive, now=later, derivation=newer)
        commit_segment(again, info, closed, now=later, after=second, derived=[forged])
        assert message in damage(verify_archive(again, full=True))[0]


def test_a_snapshot_may_be_of_what_was_committed_later(tmp_path: Path) -> None:
    """A spool that came back late is no fault of those who wrote meanwhile; the fold asks for no order."""
    store = MemoryStore()
    info = _make(store)
    late = write_segment(tmp_path, archive=info.archive)
    text = "Derived again."
    row = SnapshotRow(
        url="https://gazette.example/2026/budget",
        captured_at=NOON + timedelta(microseconds=125_000),
        derivation=DERIVATION.digest,
        text=text,
        text_digest=digest(text.encode()),
        page_class="article",
        class_reason="test",
        of=CaptureReference(late.name, 0),
    )
    later = NOON + timedelta(hours=1)
    rows = [row, replace(row, of=CaptureReference(late.name, 7)), replace(row, captured_at=later)]
    first = commit_segment(store, info, write_segment(tmp_path, archive=info.archive, now=later), derived=rows)
    commit_segment(store, info, late, after=first)
    found = [one for one in verify_archive(store, full=True).findings if one.severity is Severity.DAMAGE]
    key = file_keys(store, ".warc.gz")[0]
    lines = [n for n, line in enumerate(read_lines(store, key), 1) if line.get("of")]
    assert [(one.key, one.line) for one in found] == [(key, lines[1]), (key, lines[2])]
    assert "there is no capture 7" in found[0].message
    assert "another URL or time than its capture 0" in found[1].message


@pytest.mark.parametrize("lines_each", [1, 2, 5, 100])
def test_rows_in_several_records_are_sound(store: MemoryStore, lines_each: int) -> None:
    blocks = spread_rows(store, file_keys(store, ".warc.gz")[0], lines_each)
    cover_up(store)
    report = verify_archive(store, full=True)
    assert damage(report) == []
    assert report.counts.records == 2 * 7 + len(blocks) + 1


def test_a_row_longer_than_a_record_of_rows_is_sound(tmp_path: Path) -> None:
    store = MemoryStore()
    info = _make(store)
    pages = [Page("/a"), Page("/long", "Long. " * 900_000), Page("/b")]
    commit_segment(store, info, write_segment(tmp_path, pages, archive=info.archive))
    report = verify_archive(store, full=True)
    assert damage(report) == []
    assert [block.count(b"\n") for block in read_blocks(store, file_keys(store, ".warc.gz")[0])] == [5, 1, 7]


def test_rows_of_later_versions_are_passed_over(store: MemoryStore) -> None:
    key = file_keys(store, ".warc.gz")[0]
    lines = read_lines(store, key)
    write_lines(store, key, [*lines[:2], {"type": "weather", "rain": True}, *lines[2:]])
    cover_up(store)
    assert damage(verify_archive(store, full=True)) == []


@pytest.mark.parametrize("kind", ["ledger", "adopt"])
def test_segment_with_rows_only_is_sound(tmp_path: Path, kind: str) -> None:
    store = MemoryStore()
    info = _make(store)
    writer = SegmentWriter.open(tmp_path, source=SOURCE, run="run-1", archive=info.archive, writer="test", now=NOON)
    sealed = seal_segment(writer.close(NOON), now=NOON)
    upload_segment(store, info, replace(sealed, draft=replace(sealed.draft, kind=kind)), after=0, head="")
    report = verify_archive(store, full=True)
    assert damage(report) == []
    assert (report.counts.segments, report.counts.records, report.counts.rows) == (1, 2, 2)
