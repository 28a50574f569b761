"""Packs: a thousand commits in one object, read in place of them, and never believed beyond what the log proves."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from config.errors import DamageFound, RecordError
from jobs.archive import packs as packing
from jobs.archive.commit import Commit, commit_key, decode_commit, digest, encode_commit
from jobs.archive.identity import create_archive, read_info
from jobs.archive.log import Log
from jobs.archive.packs import PACK_COMMITS, pack_key, put_pack, read_pack
from jobs.store.memory import MemoryStore
from tests.archives import copy_store, put
from tests.machines import SOURCE, START, CountingStore

if TYPE_CHECKING:
    from jobs.archive.identity import ArchiveInfo
    from jobs.store import ObjectStore


@pytest.fixture(scope="module")
def long_log() -> MemoryStore:
    """A log of 2,345 commits that bring nothing."""
    store = MemoryStore()
    info = create_archive(store, single_writer=False, now=START)
    previous = info.digest
    for seq in range(1, 2_346):
        commit = Commit(SOURCE, "ledger", START, info.archive, f"{seq:032x}", seq, previous)
        data = encode_commit(commit)
        store.create(commit_key(SOURCE, seq), data, sha256=digest(data))
        previous = digest(data)
    return store


@pytest.fixture
def store(long_log: MemoryStore) -> MemoryStore:
    return copy_store(long_log)


@pytest.fixture
def info(store: MemoryStore) -> ArchiveInfo:
    return read_info(store)


def read(store: ObjectStore, info: ArchiveInfo, *, packs: bool = True) -> list[str]:
    return [stored.digest for stored in Log(store, info, SOURCE).read(packs=packs)]


def test_a_log_is_read_by_its_packs(store: MemoryStore, info: ArchiveInfo) -> None:
    by_commits = read(store, info)
    named = [put_pack(store, SOURCE, info.archive, last) for last in (1_000, 2_000)]
    assert [(one["first"], one["last"]) for one in named] == [(1, 1_000), (1_001, 2_000)]
    for one in named:
        data = store.get(one["key"])
        assert (len(data), digest(data), data.count(b"\n")) == (one["size_bytes"], one["sha256"], 2_000)
    counting = CountingStore(store)
    assert read(counting, info) == by_commits
    assert sum(line.startswith("GET") for line in counting.asked) == 2 * 2 + 345
    assert sum(line.startswith("LIST") for line in counting.asked) <= 5
    assert [one.commit.seq for one in Log(store, info, SOURCE).read(after=2_340, head=by_commits[2_339])] == [
        2_341,
        2_342,
        2_343,
        2_344,
        2_345,
    ]


def test_a_pack_may_be_put_again(store: MemoryStore, info: ArchiveInfo) -> None:
    first = put_pack(store, SOURCE, info.archive, 1_000)
    assert put_pack(store, SOURCE, info.archive, 1_000) == first
    put(store, first["key"], b"of a stranger")
    with pytest.raises(DamageFound, match="other bytes"):
        put_pack(store, SOURCE, info.archive, 1_000)


@pytest.mark.parametrize(
    "fault", ["altered", "last altered", "short", "long", "swapped", "of another archive", "empty"]
)
def test_packs_that_do_not_hold_are_left_aside(store: MemoryStore, info: ArchiveInfo, fault: str) -> None:
    by_commits = read(store, info)
    named = put_pack(store, SOURCE, info.archive, 1_000)
    objects = [store.get(commit_key(SOURCE, seq)) for seq in range(1, 1_001)]
    if fault in {"altered", "last altered"}:
        place = 999 if fault == "last altered" else 500
        commit = decode_commit(objects[place], "x").commit
        objects[place] = encode_commit(replace(commit, epoch=7))
    elif fault == "short":
        objects.pop()
    elif fault == "long":
        objects.append(store.get(commit_key(SOURCE, 1_001)))
    elif fault == "swapped":
        objects[3], objects[4] = objects[4], objects[3]
    elif fault == "of another archive":
        objects[0] = encode_commit(replace(decode_commit(objects[0], "x").commit, archive="f" * 32))
    else:
        objects.clear()
    put(store, named["key"], b"".join(objects))
    assert read(store, info) == by_commits


def test_commits_that_are_too_long_for_a_pack_are_left_as_they_are(
    store: MemoryStore, info: ArchiveInfo, monkeypatch: pytest.MonkeyPatch
) -> None:
    named = put_pack(store, SOURCE, info.archive, 1_000)
    store.delete(named["key"])
    monkeypatch.setattr(packing, "MAX_PACK_BYTES", named["size_bytes"] - 1)
    with pytest.raises(RecordError, match=f"longer than {named['size_bytes'] - 1} bytes"):
        put_pack(store, SOURCE, info.archive, 1_000)
    assert not [item.key for item in store.list("log/") if "pack" in item.key]
    monkeypatch.setattr(packing, "MAX_PACK_BYTES", named["size_bytes"])
    assert put_pack(store, SOURCE, info.archive, 1_000) == named
    assert len(read_pack(store, SOURCE, info.archive, 1, info.digest)) == PACK_COMMITS


def test_a_pack_spares_no_gap_and_no_break(store: MemoryStore, info: ArchiveInfo) -> None:
    put_pack(store, SOURCE, info.archive, 1_000)
    with pytest.raises(DamageFound, match="chain breaks"):
        read_pack(store, SOURCE, info.archive, 1, "sha256:" + "0" * 64)
    broken = replace(decode_commit(store.get(commit_key(SOURCE, 1_500)), "x").commit, previous="sha256:" + "0" * 64)
    put(store, commit_key(SOURCE, 1_500), encode_commit(broken))
    with pytest.raises(DamageFound, match="chain breaks"):
        put_pack(store, SOURCE, info.archive, 2_000)
    assert not list(store.list(pack_key(SOURCE, 1_001, 2_000)))
    store.delete(commit_key(SOURCE, 1_001))
    with pytest.raises(DamageFound, match="missing"):
        read(store, info)


def test_the_end_is_found_by_few_requests(store: MemoryStore, info: ArchiveInfo) -> None:
    for last in (1_000, 2_000):
        put_pack(store, SOURCE, info.archive, last)
    counting = CountingStore(store)
    end = Log(counting, info, SOURCE).find_end()
    assert end is not None
    assert end.commit.seq == 2_345
    assert len(counting.asked) == 3
    assert Log(store, info, "herald").find_end() is None


def test_a_pack_that_leads_astray_hides_no_end(store: MemoryStore, info: ArchiveInfo) -> None:
    data = b"of a stranger"
    store.create(pack_key(SOURCE, 998_001, 999_000), data, sha256=digest(data))
    end = Log(store, info, SOURCE).find_end()
    assert end is not None
    assert end.commit.seq == 2_345


def test_at_exactly_a_pack_the_end_is_its_last_commit(store: MemoryStore, info: ArchiveInfo) -> None:
    for seq in range(PACK_COMMITS + 1, 2_346):
        store.delete(commit_key(SOURCE, seq))
    put_pack(store, SOURCE, info.archive, PACK_COMMITS)
    end = Log(store, info, SOURCE).find_end()
    assert end is not None
    assert end.commit.seq == PACK_COMMITS
    assert len(read(store, info)) == PACK_COMMITS
