"""A copy that lies: nothing of it is put back for which neither the log's digests nor the archive's key vouch."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from config.settings import Settings
from jobs.archive.commit import commit_key, decode_commit
from jobs.archive.heads import append_head, head_key
from jobs.archive.identity import create_archive, read_info
from jobs.archive.keys import keys_key, read_ring
from jobs.heads.gathering import gather_ends
from jobs.repair import RepairReport, repair_archive
from jobs.store.memory import MemoryStore
from jobs.verify import Depth, Plan, check_anchors, verify_archive
from tests.archives import NOON, SOURCE, append_commit, build_archive, copy_store, file_keys, put, rechain
from tests.copies import read_all
from tests.faults import WARC, damaged_keys
from tests.signed import FIRST, FOREIGN, SECOND, add_segment, build_signed, resign, rotate

if TYPE_CHECKING:
    from pathlib import Path

    from jobs.archive.signing import Signer


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> MemoryStore:
    """An unsigned archive of four segments."""
    return build_archive(tmp_path_factory.mktemp("spool"), segments=4)


@pytest.fixture(scope="module")
def signed(tmp_path_factory: pytest.TempPathFactory) -> MemoryStore:
    """A signed one: gazette of five commits, herald of one."""
    return build_signed(tmp_path_factory.mktemp("signed"))


def repair(store: MemoryStore, copy: MemoryStore, signer: Signer | None = None, **how: Any) -> RepairReport:
    damaged = damaged_keys(verify_archive(store, plan=Plan(depth=Depth.READ)))
    return repair_archive(store, copy, damaged=damaged, signer=signer, **how)


def mend(store: MemoryStore, copy: MemoryStore) -> RepairReport:
    """Repair what `verify` says of keys and heads, too."""
    report = verify_archive(store, plan=Plan(depth=Depth.READ))
    check_anchors(store, report, Settings())
    assert damaged_keys(report)
    found = repair_archive(store, copy, damaged=damaged_keys(report), signer=SECOND)
    assert found.commits == {}
    return found


def drop_repairs(store: MemoryStore) -> dict[str, bytes]:
    found = read_all(store)
    logs = {key: data for key, data in found.items() if key.startswith("log/") and "pack" not in key}
    repairs = {key for key, data in logs.items() if data.startswith(b"{") and b'"kind":"repair"' in data}
    return {key: data for key, data in found.items() if key not in repairs}


def test_bytes_of_the_same_size_are_not_taken_for_a_segment(whole: MemoryStore) -> None:
    store, copy = copy_store(whole), copy_store(whole)
    key = file_keys(whole, WARC)[1]
    store.delete(key)
    put(copy, key, bytes(reversed(whole.get(key))))
    before = read_all(store)
    report = repair(store, copy)
    assert ([one.key for one in report.left], report.mended, read_all(store)) == ([key], [], before)


@pytest.mark.parametrize("signer", [None, FOREIGN, FIRST])
def test_a_tail_that_the_key_did_not_sign_is_not_added(signed: MemoryStore, signer: Signer | None) -> None:
    store, copy = copy_store(signed), copy_store(signed)
    append_commit(copy, kind="note", detail={"of": "theirs"}, signer=SECOND)
    resign(copy, commit_key(SOURCE, 6), [signer] if signer else [])
    report = repair(store, copy, SECOND)
    assert [one.key for one in report.left] == [commit_key(SOURCE, 6)]
    assert all("the archive's key" in one.why for one in report.left)
    assert (report.mended, read_all(store)) == ([], read_all(signed))


def test_a_tail_that_the_key_signed_is_put_back(signed: MemoryStore) -> None:
    copy = copy_store(signed)
    append_commit(copy, kind="note", signer=SECOND)
    store = copy_store(copy)
    store.delete(commit_key(SOURCE, 6))
    report = repair(store, copy, SECOND)
    assert [one.key for one in report.mended] == [commit_key(SOURCE, 6)]
    assert drop_repairs(store) == read_all(copy)


@pytest.mark.parametrize("signer", [None, FOREIGN, FIRST])
def test_a_last_commit_that_the_key_did_not_sign_is_not_taken_for_garbage(
    signed: MemoryStore, signer: Signer | None
) -> None:
    store, copy = copy_store(signed), copy_store(signed)
    put(store, commit_key(SOURCE, 5), b"garbage")
    resign(copy, commit_key(SOURCE, 5), [signer] if signer else [])
    before = read_all(store)
    report = repair(store, copy, SECOND)
    assert report.mended == []
    assert read_all(store) == before


@pytest.mark.parametrize("lost", [{4}, {3, 4}, {2, 3, 4}])
def test_a_whole_log_of_lies_takes_no_sound_commits_place(whole: MemoryStore, lost: set[int]) -> None:
    store, copy = copy_store(whole), copy_store(whole)
    rechain(copy, {1: {"writer": "somebody else"}})
    assert copy.get(commit_key(SOURCE, 1)) != whole.get(commit_key(SOURCE, 1))
    for seq in lost:
        put(store, commit_key(SOURCE, seq), b"garbage")
    before = read_all(store)
    report = repair(store, copy)
    assert report.mended == []
    assert read_all(store) == before
    assert any("is not the one that goes on from commit" in one.why for one in report.left)


def test_a_commit_behind_a_gap_is_not_added(whole: MemoryStore) -> None:
    store, copy = copy_store(whole), copy_store(whole)
    append_commit(copy, kind="note")
    append_commit(copy, kind="note")
    copy.delete(commit_key(SOURCE, 5))
    report = repair(store, copy)
    assert (report.mended, read_all(store)) == ([], read_all(whole))


def test_keys_that_only_the_copy_knows_make_no_redaction_void(whole: MemoryStore) -> None:
    store = copy_store(whole)
    key = file_keys(whole, WARC)[1]
    gone = decode_commit(whole.get(commit_key(SOURCE, 2)), "").commit.files[0]
    append_commit(store, kind="redact", replaces=({"key": key, "sha256": gone.sha256},), detail={"reason": "asked"})
    store.delete(key)
    copy = copy_store(whole)
    for one in list(copy.list("log/")):
        copy.delete(one.key)
    rotate(copy, FOREIGN)  # of no log: so each commit would have to be signed by it
    for one in whole.list("log/"):
        put(copy, one.key, whole.get(one.key))
    report = repair_archive(store, copy, damaged={key})
    assert (report.mended, report.released) == ([], [key])
    assert [one.key for one in report.left] == [keys_key(1)]
    assert not list(store.list("keys/"))
    assert not list(store.list(key))


@pytest.mark.parametrize("lost", [{1, 2}, {2}, {1}])
@pytest.mark.parametrize("altered", [False, True])
def test_keys_that_the_logs_name_are_put_back(signed: MemoryStore, lost: set[int], altered: bool) -> None:
    store, asked = copy_store(signed), []
    for n in lost:
        put(store, keys_key(n), b"garbage") if altered else store.delete(keys_key(n))

    def require() -> None:
        asked.append(len(read_ring(store, None, read_info(store).digest)[0].keys))

    report = repair(store, signed, SECOND, require_signer=require)
    assert ({one.key for one in report.mended}, report.left) == ({keys_key(n) for n in lost}, [])
    assert (read_all(store), asked) == (read_all(signed), [2])
    assert report.commits == {}


def test_the_first_key_of_an_archive_without_logs_is_known_by_what_it_signed(tmp_path: Path) -> None:
    copy = MemoryStore()
    create_archive(copy, single_writer=False, now=NOON)
    rotate(copy, FIRST)
    add_segment(copy, tmp_path, SOURCE, 1, signer=FIRST)
    store = copy_store(copy)
    store.delete(keys_key(1))
    assert [one.key for one in repair(store, copy, FIRST).mended] == [keys_key(1)]
    assert read_all(store) == read_all(copy)
    put(store, commit_key(SOURCE, 1), store.get(commit_key(SOURCE, 1)).replace(b'"seq":', b'"seq" :', 1))
    store.delete(keys_key(1))
    assert keys_key(1) in {one.key for one in repair(store, copy, FIRST).left}


def test_a_key_of_the_copys_own_is_not_added(signed: MemoryStore) -> None:
    store, copy = copy_store(signed), copy_store(signed)
    rotate(copy, FOREIGN, SECOND, hours=200)  # whoever holds our key makes one more
    for one in copy.list("log/"):
        put(copy, one.key, signed.get(one.key)) if one.key in read_all(signed) else copy.delete(one.key)
    report = repair(store, copy, SECOND)
    assert ([one.key for one in report.left], report.mended) == ([keys_key(3)], [])
    assert read_all(store) == read_all(signed)


def add_heads(store: MemoryStore, signer: Signer | None, count: int = 3) -> None:
    before = None
    for n in range(count):
        if n:
            append_commit(store, kind="note", signer=signer)
        info = read_info(store)
        ends = gather_ends(store, info, before.ends if before else {})
        before = append_head(store, info, before, ends, signer=signer, now=NOON + timedelta(days=10 + n))


def test_heads_that_a_later_one_names_are_put_back(whole: MemoryStore) -> None:
    copy = copy_store(whole)
    add_heads(copy, None)
    store = copy_store(copy)
    store.delete(head_key(1))
    put(store, head_key(2), copy.get(head_key(2)).replace(b'"created":', b'"created" :', 1))  # decodes, is another
    report = mend(store, copy)
    assert (sorted(one.key for one in report.mended), report.left) == ([head_key(1), head_key(2)], [])
    assert read_all(store) == read_all(copy)


def test_a_head_of_the_copys_own_is_not_put_back(whole: MemoryStore) -> None:
    copy = copy_store(whole)
    add_heads(copy, None)
    store = copy_store(copy)
    store.delete(head_key(2))
    put(copy, head_key(2), copy.get(head_key(2)).replace(b'"created":', b'"created" :', 1))
    put(store, head_key(3), b"garbage")
    before = read_all(store)
    report = mend(store, copy)
    assert sorted(one.key for one in report.left) == [head_key(2), head_key(3)]
    assert (report.mended, read_all(store)) == ([], before)


@pytest.mark.parametrize(("signer", "believed"), [(SECOND, True), (FOREIGN, False), (FIRST, False), (None, False)])
def test_the_newest_head_is_put_back_if_the_key_signed_it(
    signed: MemoryStore, signer: Signer | None, believed: bool
) -> None:
    copy = copy_store(signed)
    add_heads(copy, SECOND)
    store = copy_store(copy)
    put(store, head_key(3), b"garbage")
    resign(copy, head_key(3), [signer] if signer else [])
    report = mend(store, copy)
    assert [one.key for one in (report.mended if believed else report.left)] == [head_key(3)]
    assert (store.get(head_key(3)) == copy.get(head_key(3))) is believed
