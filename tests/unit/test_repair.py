"""Repair from a copy: each kind of damage is put back as the log demands, and nothing else."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from config.errors import ConfigError, DamageFound, ObjectMissing, StoreUnavailable
from jobs.archive.commit import commit_key, decode_commit, digest
from jobs.archive.identity import create_archive, read_info
from jobs.archive.log import Log
from jobs.catalog import Catalog
from jobs.repair import RepairReport, repair_archive
from jobs.store.memory import MemoryStore
from jobs.sync import sync_archive
from jobs.verify import Depth, Plan, VerifyReport, verify_archive
from tests.archives import (
    NOON,
    SOURCE,
    append_commit,
    build_archive,
    commit_keys,
    copy_store,
    file_keys,
    make_pack,
    put,
    rechain,
)
from tests.copies import read_all
from tests.faults import WARC, damage, damaged_keys, flip

if TYPE_CHECKING:
    from pathlib import Path

READ = Plan(depth=Depth.READ)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> MemoryStore:
    """A sound archive of four segments, which no test may change."""
    return build_archive(tmp_path_factory.mktemp("spool"), segments=4)


@pytest.fixture
def store(whole: MemoryStore) -> MemoryStore:
    return copy_store(whole)


def check(store: MemoryStore) -> VerifyReport:
    return verify_archive(store, plan=READ)


def repair(store: MemoryStore, copy: MemoryStore, **how: Any) -> RepairReport:
    return repair_archive(store, copy, damaged=damaged_keys(check(store)), **how)


def spoil(store: MemoryStore, key: str) -> None:
    put(store, key, flip(store.get(key), 4 * len(store.get(key))))


def without_repairs(store: MemoryStore) -> dict[str, bytes]:
    kinds = {key: decode_commit(store.get(key), key).commit.kind for key in commit_keys(store)}
    return {key: data for key, data in read_all(store).items() if kinds.get(key) != "repair"}


def assert_mended(store: MemoryStore, whole: MemoryStore, report: RepairReport, keys: set[str]) -> None:
    assert {one.key for one in report.mended} == keys
    assert report.left == []
    assert without_repairs(store) == read_all(whole)
    assert damage(check(store)) == []
    repairs = [decode_commit(store.get(key), key).commit for key in commit_keys(store)][4:]
    assert {file.key for one in repairs for file in one.files} == keys - {"ofrecord.json"}
    assert {one.kind for one in repairs} <= {"repair"}
    for commit in repairs:
        for file in commit.files:
            assert (file.size_bytes, file.sha256) == (len(whole.get(file.key)), digest(whole.get(file.key)))


@pytest.mark.parametrize("lost", [False, True])
@pytest.mark.parametrize("number", [0, 3])
def test_file_is_put_back(store: MemoryStore, whole: MemoryStore, lost: bool, number: int) -> None:
    key = file_keys(whole, WARC)[number]
    spoil(store, key)
    was = digest(store.get(key))
    if lost:
        store.delete(key)
    report = repair(store, whole)
    assert_mended(store, whole, report, {key})
    assert report.commits == {SOURCE: [5]}
    commit = decode_commit(store.get(commit_key(SOURCE, 5)), "").commit
    assert commit.detail == {"found": {key: "missing" if lost else was}}
    assert commit.files[0].records == 9 - 1
    again = repair(store, whole)
    assert (again.mended, again.commits) == ([], {}), "safe to repeat"


@pytest.mark.parametrize("lost", [False, True])
@pytest.mark.parametrize("seq", [1, 2, 3])
def test_commit_is_put_back(store: MemoryStore, whole: MemoryStore, seq: int, lost: bool) -> None:
    key = commit_key(SOURCE, seq)
    put(store, key, store.get(key).replace(b'"seq":', b'"seq" :', 1))  # decodes, and is another object
    if lost:
        store.delete(key)
    assert_mended(store, whole, repair(store, whole), {key})


def test_last_commit_is_put_back_where_it_is_missing_or_garbage(store: MemoryStore, whole: MemoryStore) -> None:
    key = commit_key(SOURCE, 4)
    put(store, key, b"garbage")
    assert_mended(store, whole, repair(store, whole), {key})
    other = copy_store(whole)
    other.delete(key)
    assert_mended(other, whole, repair(other, whole), {key})


def test_last_commit_that_breaks_the_chain_gives_way_to_the_copys(store: MemoryStore, whole: MemoryStore) -> None:
    key = commit_key(SOURCE, 4)
    previous = decode_commit(store.get(key), key).commit.previous
    put(store, key, store.get(key).replace(previous.encode(), b"sha256:" + b"0" * 64, 1))
    assert_mended(store, whole, repair(store, whole), {key})


def test_last_commit_of_which_both_fit_is_left_unless_a_head_tells(store: MemoryStore, whole: MemoryStore) -> None:
    key = commit_key(SOURCE, 4)
    put(store, key, store.get(key).replace(b'"seq":', b'"seq" :', 1))
    before = read_all(store)
    report = repair(store, whole)
    assert ([one.key for one in report.left], report.mended, read_all(store)) == ([key], [], before)
    assert "only a head kept outside" in report.left[0].why
    assert_mended(store, whole, repair(store, whole, heads=[(SOURCE, 4, digest(whole.get(key)))]), {key})


def test_several_at_once_and_all_of_a_source(store: MemoryStore, whole: MemoryStore) -> None:
    files = file_keys(whole, WARC)
    for key in (files[0], files[2], commit_key(SOURCE, 2)):
        spoil(store, key)
    store.delete(files[1])  # named by the damaged commit alone
    store.delete(commit_key(SOURCE, 3))
    store.delete("ofrecord.json")
    keys = {*files[:3], commit_key(SOURCE, 2), commit_key(SOURCE, 3), "ofrecord.json"}
    assert_mended(store, whole, repair(store, whole), keys)
    for key in list(read_all(store)):
        if key.startswith(("log/", "segments/")) and key != commit_key(SOURCE, 5):
            store.delete(key)
    assert repair(store, whole).left == [], "the chain from the commit of the repair on demands all before it"
    assert without_repairs(store) == read_all(whole)


def test_pack_is_put_back(whole: MemoryStore) -> None:
    copy = copy_store(whole)
    rechain(copy, {4: {"pack": make_pack(copy, SOURCE, 1, 2)}})
    store = copy_store(copy)
    key = f"log/{SOURCE}/pack-{1:012d}-{2:012d}"
    spoil(store, key)
    assert key in damaged_keys(check(store))
    report = repair(store, copy)
    assert [one.key for one in report.mended] == [key]
    assert store.get(key) == copy.get(key)


def test_checkpoint_is_put_back_and_a_superseded_one_is_not(whole: MemoryStore) -> None:
    copy = copy_store(whole)
    named = []
    for seq in (1, 2):
        key, data = f"checkpoint/{SOURCE}/{seq:012d}", f"of {seq}".encode()
        put(copy, key, data)
        named.append({"key": key, "size_bytes": len(data), "sha256": digest(data), "seq": seq})
    rechain(copy, {3: {"checkpoint": named[0], "since": ()}, 4: {"checkpoint": named[1], "since": ()}})
    store = copy_store(copy)
    store.delete(str(named[0]["key"]))
    spoil(store, str(named[1]["key"]))
    report = repair_archive(store, copy, damaged={str(one["key"]) for one in named})
    assert [one.key for one in report.mended] == [named[1]["key"]]
    assert report.released == [named[0]["key"]]


# --- what must not happen


def test_dry_run_puts_nothing_and_says_the_same(store: MemoryStore, whole: MemoryStore) -> None:
    for key in (file_keys(whole, WARC)[0], commit_key(SOURCE, 2)):
        spoil(store, key)
    before = read_all(store)
    trial = repair(store, whole, dry_run=True)
    assert read_all(store) == before
    done = repair(store, whole)
    assert (trial.mended, trial.left) == (done.mended, done.left)
    assert json.loads(json.dumps(trial.to_json()))["dry_run"] is True


@pytest.mark.parametrize("key", ["a file", commit_key(SOURCE, 2)])
def test_copy_that_is_damaged_too_is_no_help(store: MemoryStore, whole: MemoryStore, key: str) -> None:
    key = file_keys(whole, WARC)[1] if key == "a file" else key
    spoil(store, key)
    spoilt = store.get(key)
    for change in ("flipped", "cut", "lost"):
        copy = copy_store(whole)
        data = whole.get(key)
        copy.delete(key)
        if change != "lost":
            put(copy, key, flip(data, 800) if change == "flipped" else data[:-1])
        report = repair(store, copy)
        assert ([one.key for one in report.left], report.mended) == ([key], []), change
        assert store.get(key) == spoilt


def test_copy_of_another_archive_is_refused(store: MemoryStore, whole: MemoryStore, tmp_path: Path) -> None:
    other = build_archive(tmp_path / "other", segments=4)
    spoil(store, file_keys(whole, WARC)[0])
    before = read_all(store)
    with pytest.raises(ConfigError, match="expected a copy of"):
        repair(store, other)
    store.delete("ofrecord.json")
    with pytest.raises(ConfigError, match="not the one that the logs"):
        repair_archive(store, other, damaged=set())
    with pytest.raises(ConfigError, match="no copy that could help"):
        repair_archive(copy_store(whole), MemoryStore(), damaged=set())
    assert read_all(store) == {key: data for key, data in before.items() if key != "ofrecord.json"}


def test_logs_that_part_are_refused(store: MemoryStore, whole: MemoryStore) -> None:
    copy = copy_store(whole)
    append_commit(store, kind="note", detail={"of": "ours"})
    append_commit(copy, kind="note", detail={"of": "theirs"})
    append_commit(copy, kind="note")
    with pytest.raises(DamageFound, match="the logs part"):
        repair(store, copy)


def test_what_was_let_go_is_never_brought_back(store: MemoryStore, whole: MemoryStore) -> None:
    key = file_keys(whole, WARC)[1]
    gone = decode_commit(whole.get(commit_key(SOURCE, 2)), "").commit.files[0]
    append_commit(store, kind="redact", replaces=({"key": key, "sha256": gone.sha256},), detail={"reason": "asked"})
    store.delete(key)
    report = repair_archive(store, whole, damaged={key})
    assert (report.mended, report.left) == ([], [])
    assert report.released == [key]
    with pytest.raises(ObjectMissing):
        store.get(key)
    store.delete(commit_key(SOURCE, 2))  # all that a commit which is put back names is looked at, but not this
    report = repair(store, whole)
    assert [one.key for one in report.mended] == [commit_key(SOURCE, 2)]
    with pytest.raises(ObjectMissing):
        store.get(key)


def test_other_sources_are_left_alone(whole: MemoryStore, store: MemoryStore) -> None:
    key = file_keys(whole, WARC)[0]
    spoil(store, key)
    assert repair(store, whole, sources=["herald"]).mended == []
    assert store.get(key) != whole.get(key)


class Stopping(MemoryStore):
    """A store that is gone after so many puts and removals."""

    left = 1_000_000

    def create(self, key: str, data: bytes | Path, *, sha256: str) -> Any:
        self._step()
        return super().create(key, data, sha256=sha256)

    def delete(self, key: str) -> None:
        self._step()
        super().delete(key)

    def _step(self) -> None:
        self.left -= 1
        if self.left < 0:
            raise StoreUnavailable("no answer")


def test_a_stop_at_any_step_loses_nothing_that_was_sound(whole: MemoryStore) -> None:
    files = file_keys(whole, WARC)
    for steps in range(12):
        store = Stopping()
        for key, data in read_all(whole).items():
            put(store, key, data)
        for key in (files[0], files[1], commit_key(SOURCE, 2)):
            spoil(store, key)
        bad = damaged_keys(check(store))
        store.left = steps
        try:
            repair_archive(store, whole, damaged=bad)
            stopped = False
        except StoreUnavailable:
            stopped = True
        store.left = 1_000_000
        for key, data in read_all(whole).items():
            if key not in {files[0], files[1], commit_key(SOURCE, 2)}:
                assert store.get(key) == data
        repair(store, whole)
        assert without_repairs(store) == read_all(whole), steps
        assert damage(check(store)) == []
        if not stopped:
            return
    raise AssertionError("it never came to its end")


# --- what comes after


def test_repaired_archive_folds_syncs_and_goes_on(store: MemoryStore, whole: MemoryStore, tmp_path: Path) -> None:
    spoil(store, file_keys(whole, WARC)[2])
    spoil(store, commit_key(SOURCE, 1))
    repair(store, whole)
    info = read_info(store)
    with Catalog.open(tmp_path / "catalog") as catalog, Catalog.open(tmp_path / "other") as other:
        catalog.refresh(store, Log(store, info, SOURCE))
        other.refresh(whole, Log(whole, info, SOURCE))
        ours, theirs = catalog.count_all(), other.count_all()
    assert {name: number for name, number in ours.items() if name != "commits"} == {
        name: number for name, number in theirs.items() if name != "commits"
    }
    sync_archive(store, target := copy_store(whole))
    assert read_all(target) == read_all(store)
    append_commit(store, kind="note")
    assert damage(check(store)) == []


def test_an_empty_place_is_no_archive_to_repair(whole: MemoryStore) -> None:
    with pytest.raises(ConfigError, match="not the one that the logs"):
        repair_archive(MemoryStore(), whole, damaged=set())
    empty = MemoryStore()
    create_archive(empty, single_writer=False, now=NOON)
    with pytest.raises(ConfigError, match="expected a copy of"):
        repair_archive(empty, whole, damaged=set())
