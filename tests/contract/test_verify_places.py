"""Where rows are in a segment's file, and what a commit repeats of earlier ones: every fault of it is said in words."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from jobs.archive.commit import RowsPlace, decode_commit, digest
from jobs.verify import verify_archive
from tests.archives import (
    NOON,
    append_commit,
    commit_keys,
    copy_store,
    cover_up,
    file_keys,
    put,
    put_blocks,
    read_blocks,
    rechain,
    rows_member,
    split_file,
    split_members,
)
from tests.faults import WARC, damage, damaged_keys
from tests.faults.places import (
    LINK_CHANGES,
    change_blocks,
    double_block,
    drop_block,
    list_links,
    mislead_since,
    move_rows,
    spread_rows,
    swap_blocks,
    tear_block,
)

if TYPE_CHECKING:
    from jobs.store.memory import MemoryStore
    from tests.faults.common import Fault

SEEDS = range(30)


def _place(store: MemoryStore, number: int = 0) -> RowsPlace:
    key = commit_keys(store)[number]
    rows = decode_commit(store.get(key), key).commit.rows
    assert rows is not None
    return rows


def _damage(store: MemoryStore) -> str:
    return "\n".join(damage(verify_archive(store, full=True)))


@pytest.mark.parametrize("change", [drop_block, double_block, swap_blocks, tear_block])
def test_finds_changed_records_of_rows(sound: MemoryStore, change: object) -> None:
    fault: Fault = change_blocks(change)  # type: ignore[arg-type]
    planted = 0
    for seed in SEEDS:
        store = copy_store(sound)
        keys = fault(store, random.Random(seed))
        if keys is not None:
            planted += 1
            assert damaged_keys(verify_archive(store, full=True)) == keys, seed
    assert planted > len(SEEDS) // 3


def test_says_where_a_line_goes_over_two_records(store: MemoryStore) -> None:
    key = file_keys(store, WARC)[0]
    blocks = spread_rows(store, key, 4)
    put_blocks(store, key, tear_block(blocks, 1))
    cover_up(store)
    others, rows = split_file(store.get(key))
    found = [one for one in verify_archive(store, full=True).findings if one.line and "does not end" in one.message]
    start = len(b"".join([*others, rows[0]]))
    assert [(one.key, one.message.split(":")[0]) for one in found] == [(key, f"record 9 at offset {start}")]


def test_finds_rows_before_an_exchange(sound: MemoryStore) -> None:
    said = ""
    for seed in SEEDS:
        store = copy_store(sound)
        keys = move_rows(store, random.Random(seed))
        assert keys is not None
        report = verify_archive(store, full=True)
        assert damaged_keys(report) == keys, seed
        said += "\n".join(damage(report))
    assert "holds rows, though they begin at byte" in said
    assert "record, expected one that holds rows: they begin at byte" in said


def test_finds_an_exchange_behind_the_rows(store: MemoryStore) -> None:
    key = file_keys(store, WARC)[0]
    members = split_members(store.get(key))
    put(store, key, b"".join([*members, members[1]]))
    cover_up(store)
    found = _damage(store)
    assert f"record 9: offset {len(b''.join(members))}: found a response record, expected one that holds rows" in found


@pytest.mark.parametrize("shift", [-1, 1, 100])
def test_finds_another_place_of_the_rows(store: MemoryStore, shift: int) -> None:
    place = _place(store)
    data = store.get(place.key)[place.offset + shift :]
    wrong = replace(place, offset=place.offset + shift, size_bytes=len(data), sha256=digest(data))
    rechain(store, {1: {"rows": wrong}})
    found = _damage(store)
    assert f"the rows begin at byte {place.offset}, commit 1 says {place.offset + shift}" in found
    assert damaged_keys(verify_archive(store, full=True)) == {place.key}


def test_finds_rows_with_another_digest_than_their_commit_says(store: MemoryStore) -> None:
    place = _place(store)
    other = digest(b"another")
    rechain(store, {1: {"rows": replace(place, sha256=other)}})
    assert damage(verify_archive(store, full=True)) == [
        f"{place.key}: offset {place.offset}: the rows were changed: found {place.sha256}, commit 1 says {other}"
    ]


@pytest.mark.parametrize("by", [-1, 1])
def test_finds_another_number_of_rows(store: MemoryStore, by: int) -> None:
    place = _place(store)
    rechain(store, {1: {"rows": replace(place, count=place.count + by)}})
    assert damage(verify_archive(store, full=True)) == [f"{place.key}: found 12 rows, the commit says {12 + by}"]


def test_rows_that_do_not_end_their_file_make_no_commit(store: MemoryStore) -> None:
    place = _place(store)
    rechain(store, {1: {"rows": replace(place, size_bytes=place.size_bytes - 1)}})
    assert "its rows do not end a file that it names" in damage(verify_archive(store, full=False))[0]


def test_finds_rows_of_another_segment(store: MemoryStore) -> None:
    first, second = file_keys(store, WARC)[:2]
    other = second.rpartition("/")[2].removesuffix(WARC)
    put_blocks(store, first, read_blocks(store, first), segment=other)
    cover_up(store)
    found = damage(verify_archive(store, full=True))
    assert len(found) == 1
    assert f"WARC-Target-URI: found 'urn:x-ofrecord:{other}:rows', expected urn:x-ofrecord:gazette-" in found[0]


def test_finds_rows_of_another_time(store: MemoryStore) -> None:
    key = file_keys(store, WARC)[0]
    others, _ = split_file(store.get(key))
    block = b"".join(read_blocks(store, key))
    name = key.rpartition("/")[2].removesuffix(WARC)
    put(store, key, b"".join([*others, rows_member(name, block, 0, NOON + timedelta(seconds=59))]))
    cover_up(store)
    found = damage(verify_archive(store, full=True))
    assert len(found) == 1
    assert "WARC-Date: found '2026-11-22T12:00:59.000000Z', expected 2026-11-22T12:01:00" in found[0]


# --- since


def test_since_is_sound(store: MemoryStore) -> None:
    key = commit_keys(store)[2]
    links = list_links(store, key)
    assert [link.seq for link in links] == [1, 2]
    for since in (links, ()):
        rechain(store, {3: {"since": since}})
        assert damage(verify_archive(store, full=True)) == []


@pytest.mark.parametrize(
    ("name", "at", "message"),
    [
        ("digest", 0, "since: names 'sha256:0000"),
        ("digest", 1, "since: names 'sha256:0000"),
        ("rows", 0, "since: says of the rows of commit 1 what that one contradicts"),
        ("rows", 1, "since: says of the rows of commit 2 what that one contradicts"),
        ("gap", 0, "since: names the commits 2; expected 1 to 2, in order"),
        ("gap", 1, "since: names the commits 1; expected 1 to 2, in order"),
        ("twice", 0, "since: names the commits 1, 1, 2; expected"),
        ("backwards", 0, "since: names the commits 2, 1; expected"),
        ("itself", 0, "since: names the commits 1, 2, 3; expected"),
        ("too many", 0, "since: names 66 commits, at most 64"),
    ],
)
def test_finds_a_since_that_misleads(store: MemoryStore, name: str, at: int, message: str) -> None:
    key = commit_keys(store)[2]
    rechain(store, {3: {"since": LINK_CHANGES[name](list_links(store, key), at)}})
    found = damage(verify_archive(store, full=False))
    assert len(found) == 1
    assert f"{key}: {message}" in found[0]


def test_since_begins_after_the_checkpoint(store: MemoryStore) -> None:
    named = {"key": "checkpoint/gazette/000000000002", "size_bytes": 1, "sha256": digest(b"x"), "seq": 2}
    put(store, named["key"], b"x")  # type: ignore[arg-type]
    append_commit(store, kind="ledger", checkpoint=named)
    key = commit_keys(store)[3]
    links = list_links(store, key)
    assert [link.seq for link in links] == [3]
    rechain(store, {4: {"since": links}})
    assert damage(verify_archive(store, full=True)) == []
    rechain(store, {4: {"since": links, "checkpoint": None}})
    assert "since: names the commits 3; expected 1 to 3" in damage(verify_archive(store, full=False))[0]


def test_since_may_name_a_commit_that_was_lost(store: MemoryStore) -> None:
    """What the next commit says of the lost one counts, and is all that can be told."""
    key = commit_keys(store)[2]
    links = list_links(store, key)
    rechain(store, {3: {"since": links}})
    lost = commit_keys(store)[1]
    store.delete(lost)
    assert damage(verify_archive(store, full=False)) == [f"{lost}: missing, but commit 3 is there"]


def test_an_altered_commit_is_not_laid_on_those_that_repeat_it(store: MemoryStore) -> None:
    first, second, third = commit_keys(store)
    rechain(store, {3: {"since": list_links(store, third)}})
    put(store, first, store.get(first).replace(b'"epoch":0', b'"epoch":7'))
    report = verify_archive(store, full=False)
    assert damaged_keys(report) == {second}
    assert "the chain breaks" in damage(report)[0]


def test_random_since(sound: MemoryStore) -> None:
    planted = 0
    for seed in SEEDS:
        store = copy_store(sound)
        keys = mislead_since(store, random.Random(seed))
        if keys is not None:
            planted += 1
            assert damaged_keys(verify_archive(store, full=False)) == keys
    assert planted > 10
