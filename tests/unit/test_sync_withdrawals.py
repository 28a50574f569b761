"""What redactions and replacements let go never reaches a copy, and leaves one that has it, as soon as it may."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from config.errors import StoreRefused
from jobs.archive.identity import read_info
from jobs.store.memory import MemoryStore
from jobs.sync import SourceState, sync_archive
from tests.archives import put
from tests.copies import FEW, file_of, finish_redaction, keys_of, make_tables, name, put_manifest, read_all, redact_file
from tests.logs import append_draft, append_segment, build_logs

if TYPE_CHECKING:
    from pathlib import Path

    from jobs.sync import SyncReport

LATER = datetime(2100, 1, 1, tzinfo=UTC)
OVER = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def origin(tmp_path: Path) -> MemoryStore:
    store = MemoryStore()
    build_logs(store, tmp_path / "spool", FEW)
    return store


class Keeping(MemoryStore):
    """A store under retention: what is below `segments/` cannot be removed for good."""

    def purge(self, key: str, *, keep_newest: bool = False, bypass: bool = False) -> int:
        if key.startswith("segments/"):
            raise StoreRefused(f"{key}: under retention")
        return super().purge(key, keep_newest=keep_newest, bypass=bypass)


def sync(origin: MemoryStore, copy: MemoryStore, *, full: bool = False, dry_run: bool = False) -> SyncReport:
    report = sync_archive(origin, copy, full=full, dry_run=dry_run)
    assert report.problems == []
    assert all(one.state is SourceState.WHOLE for one in report.sources.values())
    return report


def test_a_new_copy_never_gets_what_was_let_go_though_the_original_has_it_still(origin: MemoryStore) -> None:
    old, new = redact_file(origin, "gazette", 2, delete_after=LATER)
    copy = MemoryStore()
    report = sync(origin, copy)
    assert old in keys_of(origin)
    assert old not in keys_of(copy)
    assert new in keys_of(copy)
    assert (report.withheld, report.purged, report.kept) == (1, [], [])
    assert {**read_all(copy), old: origin.get(old)} == read_all(origin)
    again = sync(origin, copy)
    assert (again.objects_copied, again.purged) == (0, [])
    sync(origin, copy, full=True)
    assert old not in keys_of(copy), "no sync heals it"


def test_a_copy_that_has_it_lets_it_go_when_the_second_commit_says_so(origin: MemoryStore) -> None:
    copy = MemoryStore()
    sync(origin, copy)
    old, new = redact_file(origin, "gazette", 2, delete_after=LATER)
    report = sync(origin, copy)
    assert report.purged == []
    assert {old, new} <= {*keys_of(copy)}, "the grace is not over"
    finish_redaction(origin, "gazette", old)
    assert sync(origin, copy, dry_run=True).purged == [old]
    assert old in keys_of(copy)
    assert sync(origin, copy).purged == [old]
    assert read_all(copy) == read_all(origin)
    assert sync(origin, copy).purged == []


def test_a_copy_lets_it_go_when_the_grace_is_over(origin: MemoryStore) -> None:
    copy = MemoryStore()
    sync(origin, copy)
    old, _ = redact_file(origin, "gazette", 2, delete_after=OVER)
    assert sync(origin, copy).purged == [old]
    assert old not in keys_of(copy)
    assert old in keys_of(origin)


def test_an_archive_whose_old_objects_are_gone_goes_to_an_empty_place(origin: MemoryStore) -> None:
    old, _ = redact_file(origin, "gazette", 2, delete_after=OVER)
    newer, _ = redact_file(origin, "gazette", 3, delete_after=OVER)
    finish_redaction(origin, "gazette", old)
    origin.purge(newer)
    copy = MemoryStore()
    for full in (False, True):
        report = sync(origin, copy, full=full)
        assert (report.withheld, report.purged, report.notes) == (0, [], [])
        assert read_all(copy) == read_all(origin)


def test_what_stays_in_the_copy_is_named_until_it_goes(origin: MemoryStore) -> None:
    copy = Keeping()
    sync(origin, copy)
    old, _ = redact_file(origin, "gazette", 1, delete_after=OVER)
    finish_redaction(origin, "gazette", old)
    for _ in range(2):
        report = sync(origin, copy)
        assert [(one.key, one.message) for one in report.kept] == [(old, f"{old}: under retention")]
        assert report.purged == []
    free = MemoryStore()
    for key, data in read_all(copy).items():
        put(free, key, data)
    assert sync(origin, free).purged == [old]


def test_a_redaction_of_a_redaction_lets_the_first_one_go(origin: MemoryStore) -> None:
    copy = MemoryStore()
    sync(origin, copy)
    old, new = redact_file(origin, "gazette", 1, delete_after=OVER)
    sync(origin, copy)
    _, other = redact_file(origin, "gazette", 4, delete_after=OVER)
    assert sync(origin, copy).purged == [new]
    assert {old, new}.isdisjoint(keys_of(copy))
    assert other in keys_of(copy)


def test_an_object_that_is_gone_for_no_reason_is_missed(origin: MemoryStore) -> None:
    redact_file(origin, "gazette", 2, delete_after=LATER)
    lost = file_of(origin, "gazette", 1)
    origin.purge(lost)
    report = sync_archive(origin, MemoryStore())
    assert [one.key for one in report.problems] == [lost]
    assert report.sources["gazette"].state is SourceState.STOPPED


def test_nothing_is_removed_that_no_commit_let_go(origin: MemoryStore) -> None:
    copy = MemoryStore()
    sync(origin, copy)
    lost = file_of(origin, "gazette", 1)
    origin.purge(lost)
    redact_file(origin, "gazette", 2, delete_after=LATER)
    report = sync_archive(origin, copy)
    assert report.purged == []
    assert lost in keys_of(copy)


def test_commits_that_the_copy_does_not_have_let_nothing_go_there(origin: MemoryStore, tmp_path: Path) -> None:
    copy = MemoryStore()
    sync(origin, copy)
    append_segment(origin, tmp_path / "spool", source="gazette")
    broken = file_of(origin, "gazette", 4)
    old, _ = redact_file(origin, "gazette", 2, delete_after=OVER)
    put(origin, broken, b"other bytes")
    report = sync_archive(origin, copy)
    assert report.sources["gazette"].state is SourceState.STOPPED
    assert report.purged == []
    assert old in keys_of(copy)


def test_checkpoints_of_before_are_neither_brought_nor_kept(origin: MemoryStore) -> None:
    older = name(origin, "checkpoint/gazette/000000000002", b"texts", seq=2)
    append_draft(origin, "gazette", checkpoint=older)
    copy = MemoryStore()
    sync(origin, copy)
    put(copy, "checkpoint/gazette/000000000001", b"texts, left by a prune that never was")
    redact_file(origin, "gazette", 1, delete_after=LATER)
    newer = name(origin, "checkpoint/gazette/000000000005", b"no texts", seq=5)
    append_draft(origin, "gazette", checkpoint=newer)
    origin.purge(older["key"])
    assert sync(origin, copy).purged == ["checkpoint/gazette/000000000001", "checkpoint/gazette/000000000002"]
    fresh = MemoryStore()
    assert sync(origin, fresh).purged == []
    for one in (copy, fresh):
        assert keys_of(one, "checkpoint/") == [newer["key"]]


def test_tables_files_that_the_original_has_removed_go_too(origin: MemoryStore) -> None:
    make_tables(origin)
    copy = MemoryStore()
    sync(origin, copy)
    live = keys_of(copy, "tables/captures/")
    put(copy, f"tables/captures/day=2026-11-21/{'a' * 32}.parquet", b"of who builds tables in the copy, not listed")
    redact_file(origin, "gazette", 1, delete_after=LATER)
    report = sync(origin, copy)
    stale = "ofrecord tables build makes them anew"
    assert report.purged == [f"tables/captures/day=2026-11-21/{'a' * 32}.parquet"]
    assert not any(stale in note for note in report.notes), "this manifest names no heads"
    new = name(origin, f"tables/captures/day=2026-11-22/{'e' * 32}.parquet", b"no texts")
    put_manifest(origin, 3, read_info(origin).digest, [new])
    assert sync(origin, copy).purged == [], "the original has them still"
    for key in live:
        origin.purge(key)
    assert sync(origin, copy).purged == live
    assert keys_of(copy, "tables/captures/") == [new["key"]]


def test_what_a_compaction_replaced_goes_from_a_copy_when_the_second_commit_says_so(origin: MemoryStore) -> None:
    copy = MemoryStore()
    sync(origin, copy)
    old, new = redact_file(origin, "herald", 1, delete_after=OVER, kind="replace")
    assert sync(origin, copy).purged == [], "nobody asked for it to go"
    finish_redaction(origin, "herald", old, kind="replace")
    assert sync(origin, copy).purged == [old]
    assert new in keys_of(copy)


def test_a_copy_that_is_ahead_is_left_alone(origin: MemoryStore) -> None:
    copy = MemoryStore()
    sync(origin, copy)
    old, _ = redact_file(copy, "gazette", 1, delete_after=OVER)
    report = sync_archive(origin, copy)
    assert report.sources["gazette"].state is SourceState.AHEAD
    assert report.purged == []
    assert old in keys_of(copy)
    assert sync(copy, origin).purged == [old], "the other way it is told"
