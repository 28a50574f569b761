from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from config.errors import StoreUnavailable
from jobs.archive.commit import commit_key, digest
from jobs.store.local import LocalStore
from jobs.store.memory import MemoryStore
from jobs.sync import SourceState, copying, sync_archive
from jobs.verify import Severity, verify_archive
from tests.archives import put
from tests.logs import append_draft, build_logs

if TYPE_CHECKING:
    from collections.abc import Iterator

    from jobs.store import StoredObject
from tests.copies import FEW, Failing, Witness, file_of, flip, keys_of, make_tables, name, read_all


@pytest.fixture
def origin(tmp_path: Path) -> MemoryStore:
    store = MemoryStore()
    build_logs(store, tmp_path / "spool", FEW)
    return store


@pytest.mark.parametrize("damage", ["flipped", "cut", "longer", "missing"])
@pytest.mark.parametrize("in_memory", [True, False])
def test_damaged_object_is_named_and_ends_the_copy_of_its_log_before_it(
    origin: MemoryStore, damage: str, monkeypatch: pytest.MonkeyPatch, *, in_memory: bool
) -> None:
    if not in_memory:
        monkeypatch.setattr(copying, "IN_MEMORY_BYTES", 100)
    key = file_of(origin, "gazette", 2)
    data = origin.get(key)
    if damage == "flipped":
        flip(origin, key)
    elif damage == "missing":
        origin.delete(key)
    else:
        put(origin, key, data[:-1] if damage == "cut" else data + b"\0" * 5000)
    copy = Witness()
    report = sync_archive(origin, copy)
    assert [problem.key for problem in report.problems] == [key]
    assert report.sources["gazette"].state is SourceState.STOPPED
    assert report.sources["gazette"].copy is not None
    assert report.sources["gazette"].copy.seq == 1
    assert key not in keys_of(copy)
    assert keys_of(copy, "log/") == [commit_key("gazette", 1), commit_key("herald", 1), commit_key("herald", 2)]
    assert not verify_archive(copy, full=True).damaged
    put(origin, key, data)
    assert not sync_archive(origin, copy).damaged
    assert read_all(copy) == read_all(origin)


@pytest.mark.parametrize("synced", [False, True])
def test_damaged_commit_is_damage_and_no_word_is_said_of_others(origin: MemoryStore, *, synced: bool) -> None:
    copy = MemoryStore()
    if synced:
        sync_archive(origin, copy)
    key = commit_key("gazette", 3)
    put(origin, key, origin.get(key).replace(b'"seq":3', b'"seq":4'))
    report = sync_archive(origin, copy)
    assert [problem.key for problem in report.problems] == [key]
    assert "others" not in report.problems[0].message
    assert report.sources["gazette"].state is SourceState.STOPPED
    assert len(keys_of(copy, "log/gazette/")) == (3 if synced else 2)


def test_log_with_a_gap_is_copied_up_to_it(origin: MemoryStore) -> None:
    origin.delete(commit_key("gazette", 2))
    copy = Witness()
    report = sync_archive(origin, copy)
    assert [problem.key for problem in report.problems] == [commit_key("gazette", 2)]
    assert keys_of(copy, "log/gazette/") == [commit_key("gazette", 1)]


def test_damaged_checkpoint_ends_the_copy_before_the_commit_that_names_it(origin: MemoryStore) -> None:
    fields = name(origin, "checkpoint/gazette/000000000002", b"facts", seq=2)
    append_draft(origin, "gazette", checkpoint=fields)
    put(origin, fields["key"], b"faces")
    copy = Witness()
    report = sync_archive(origin, copy)
    assert [problem.key for problem in report.problems] == [fields["key"]]
    assert len(keys_of(copy, "log/gazette/")) == 3


@pytest.mark.parametrize("kind", ["replace", "redact"])
def test_files_that_a_later_commit_let_go_may_be_missing(origin: MemoryStore, kind: str) -> None:
    key = file_of(origin, "gazette", 1)
    append_draft(origin, "gazette", kind=kind, replaces=({"key": key, "sha256": digest(origin.get(key))},))
    origin.delete(key)
    copy = MemoryStore()
    report = sync_archive(origin, copy)
    assert not report.problems
    assert any(key in note for note in report.notes)
    assert read_all(copy) == read_all(origin)


@pytest.mark.parametrize(
    "key", ["feeds/new.atom", "log/herald/pack-000000000001-000000001000", "../up", "segments/herald/x", "", 7, None]
)
def test_names_that_are_not_the_sources_own_are_never_followed(origin: MemoryStore, key: object) -> None:
    put(origin, "feeds/new.atom", b"x")
    append_draft(origin, "gazette", pack={"key": key, "size_bytes": 1, "sha256": digest(b"x")})
    copy = MemoryStore()
    report = sync_archive(origin, copy)
    assert any("it is not copied" in note for note in report.notes)
    assert not report.damaged
    assert keys_of(copy) == [one for one in keys_of(origin) if not one.startswith("feeds/")]


def test_full_sync_finds_what_sizes_hide_in_the_copy(origin: MemoryStore) -> None:
    copy = MemoryStore()
    sync_archive(origin, copy)
    key = file_of(origin, "gazette", 2)
    flip(copy, key)
    commit = commit_key("gazette", 1)
    put(copy, commit, copy.get(commit).replace(b'"epoch":0', b'"epoch":1'))
    assert not sync_archive(origin, copy).damaged
    report = sync_archive(origin, copy, full=True)
    assert {problem.key for problem in report.problems} == {key, commit}
    assert digest(origin.get(key)) in "".join(problem.message for problem in report.problems)


def test_what_the_copy_lost_is_put_again(origin: MemoryStore) -> None:
    copy = MemoryStore()
    sync_archive(origin, copy)
    copy.delete(file_of(origin, "gazette", 2))
    copy.delete(commit_key("herald", 1))
    report = sync_archive(origin, copy)
    assert report.objects_copied == 2
    assert read_all(copy) == read_all(origin)


def test_object_of_another_content_in_the_copy_is_never_written_over(origin: MemoryStore) -> None:
    copy = MemoryStore()
    key = file_of(origin, "gazette", 2)
    put(copy, key, b"theirs")
    report = sync_archive(origin, copy)
    assert [problem.key for problem in report.problems] == [key]
    assert copy.get(key) == b"theirs"
    assert keys_of(copy, "log/gazette/") == [commit_key("gazette", 1)]


def test_damaged_table_keeps_its_manifest_away(origin: MemoryStore) -> None:
    key = make_tables(origin)[0]
    flip(origin, key)
    copy = Witness()
    report = sync_archive(origin, copy)
    assert [problem.key for problem in report.problems] == [key]
    assert keys_of(copy, "tables/manifest") == []


@pytest.mark.parametrize(
    "manifest", [b"", b"{}\n-\n", b"[\n", b'{"files": [{"key": "../x", "size_bytes": 1, "sha256": "sha256:"}]}\n-\n']
)
def test_manifest_that_is_none_is_told(origin: MemoryStore, manifest: bytes) -> None:
    put(origin, "tables/manifest-000000000001", manifest)
    copy = MemoryStore()
    report = sync_archive(origin, copy)
    assert [problem.key for problem in report.problems] == ["tables/manifest-000000000001"]
    assert keys_of(copy, "tables/") == []
    assert keys_of(copy, "log/") == keys_of(origin, "log/")


def test_heads_that_differ_are_told(origin: MemoryStore) -> None:
    put(origin, "heads/000000000001.json", b"ours\n-\n")
    copy = MemoryStore()
    sync_archive(origin, copy)
    put(copy, "heads/000000000001.json", b"them\n-\n")
    put(origin, "heads/000000000002.json", b"more\n-\n")
    report = sync_archive(origin, copy)
    assert [problem.key for problem in report.problems] == ["heads/000000000001.json"]
    assert keys_of(copy, "heads/") == ["heads/000000000001.json"]


@pytest.mark.parametrize("puts", range(20))
def test_ended_at_any_put_it_leaves_a_whole_archive_and_goes_on(origin: MemoryStore, puts: int) -> None:
    make_tables(origin)
    put(origin, "heads/000000000001.json", b"{}\n-\n")
    append_draft(origin, "herald", checkpoint=name(origin, "checkpoint/herald/000000000002", b"facts", seq=2))
    whole = {**read_all(origin)}
    del whole[f"tables/captures/day=2026-11-22/{'f' * 32}.parquet"]
    assert len(whole) == 18
    copy = Failing()
    copy.last = puts
    if puts < len(whole):
        with pytest.raises(StoreUnavailable):
            sync_archive(origin, copy)
    else:
        sync_archive(origin, copy)
    if puts:
        found = [str(one) for one in verify_archive(copy, full=True).findings if one.severity is Severity.DAMAGE]
        assert [one for one in found if not one.startswith("heads/")] == [], "those are made up here"
        for one in copy.list("tables/manifest-"):
            assert one.key.endswith("1") or len(keys_of(copy, "tables/captures/")) == 2
    copy.last = 1_000_000
    report = sync_archive(origin, copy)
    assert read_all(copy) == whole
    assert report.objects_copied + report.objects_there == len(whole)


def test_object_that_cannot_be_read_is_damage_and_no_end_of_all(tmp_path: Path) -> None:
    origin = LocalStore(tmp_path / "archive")
    build_logs(origin, tmp_path / "spool", FEW)
    key = file_of(origin, "gazette", 2)
    path = tmp_path / "archive" / key
    path.rename(tmp_path / "elsewhere")
    path.symlink_to(tmp_path / "elsewhere")
    copy = MemoryStore()
    report = sync_archive(origin, copy)
    assert [problem.key for problem in report.problems] == [key]
    assert "symbolic link" in report.problems[0].message
    assert report.sources["herald"].state is SourceState.WHOLE
    assert key not in keys_of(copy)


def test_checkpoint_that_was_taken_away_meanwhile_is_no_damage(origin: MemoryStore) -> None:
    old = name(origin, "checkpoint/gazette/000000000002", b"old", seq=2)
    append_draft(origin, "gazette", checkpoint=old)

    class Moving(MemoryStore):
        """Names a newer checkpoint and takes the old one away once the log was listed."""

        def list(self, prefix: str, *, after: str = "") -> Iterator[StoredObject]:
            found = list(super().list(prefix, after=after))
            if prefix == "segments/gazette/":
                new = name(self, "checkpoint/gazette/000000000004", b"new", seq=4)
                append_draft(self, "gazette", checkpoint=new)
                self.delete(old["key"])
            return iter(found)

    moving = Moving()
    for key, data in read_all(origin).items():
        put(moving, key, data)
    copy = MemoryStore()
    report = sync_archive(moving, copy)
    assert not report.problems
    assert report.sources["gazette"].origin == report.sources["gazette"].copy
    assert report.sources["gazette"].copy is not None
    assert report.sources["gazette"].copy.seq == 4
