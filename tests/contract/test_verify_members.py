"""Faults of each member of a WARC file: cut, flipped, zeroed, re-ordered, appended to; with place of what is wrong."""

from __future__ import annotations

import random
import zlib
from typing import TYPE_CHECKING

import pytest

from jobs.verify import Finding, Severity, verify_archive
from tests.archives import copy_store, cover_up, file_keys, put, split_file, split_members
from tests.faults import WARC, damaged_keys, flip, inflate
from tests.faults.files import GARBAGE, RECORD_HEADERS, order_members, put_record, with_header
from tests.real_archives import build_revisited

if TYPE_CHECKING:
    from jobs.store.memory import MemoryStore


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> MemoryStore:
    return build_revisited(tmp_path_factory.mktemp("spool")).store


def _check(store: MemoryStore, key: str) -> list[Finding]:
    """Return the damage of *key* that verify finds."""
    report = verify_archive(store, full=True)
    return [one for one in report.findings if one.severity is Severity.DAMAGE and one.key == key]


@pytest.mark.parametrize("covered", [False, True], ids=["rotten", "covered"])
@pytest.mark.parametrize("step", [17, pytest.param(1, marks=pytest.mark.soak)])
def test_finds_a_cut_at_any_byte_of_the_last_member(sound: MemoryStore, step: int, covered: bool) -> None:
    key = file_keys(sound, WARC)[1]
    members = split_members(sound.get(key))
    whole, start = sound.get(key), len(b"".join(members[:-1]))
    for end in (*range(start, len(whole), step), len(whole) - 1):
        store = copy_store(sound)
        put(store, key, whole[:end])
        if covered:
            cover_up(store)
        report = verify_archive(store, full=True)
        found = [one for one in report.findings if one.severity is Severity.DAMAGE]
        if end > start:
            assert (len(members), start) in {(one.record, one.offset) for one in found if one.key == key}, end
        else:
            assert key in {one.key for one in found}


def test_finds_a_bit_of_each_member_and_says_where(sound: MemoryStore) -> None:
    rng = random.Random(11)
    for key in file_keys(sound, WARC):
        members = split_members(sound.get(key))
        for number, member in enumerate(members):
            start = len(b"".join(members[:number]))
            changed = member
            while inflate(changed) == inflate(member):  # some bits of a gzip header say nothing
                changed = flip(member, rng.randrange(len(member) * 8))
            store = copy_store(sound)
            put(store, key, b"".join([*members[:number], changed, *members[number + 1 :]]))
            found = _check(store, key)
            assert any("the bytes were changed" in one.message for one in found)
            assert (number + 1, start) in {(one.record, one.offset) for one in found}, (key, number)


def test_finds_zeros_from_any_member_on(sound: MemoryStore) -> None:
    key = file_keys(sound, WARC)[0]
    members = split_members(sound.get(key))
    for number in range(len(members)):
        start = len(b"".join(members[:number]))
        store = copy_store(sound)
        put(store, key, sound.get(key)[:start] + bytes(len(sound.get(key)) - start))
        assert (number + 1, start) in {(one.record, one.offset) for one in _check(store, key)}


@pytest.mark.parametrize("covered", [False, True], ids=["rotten", "covered"])
@pytest.mark.parametrize("number", range(3))
def test_finds_what_was_appended(sound: MemoryStore, number: int, covered: bool) -> None:
    key = file_keys(sound, WARC)[0]
    store = copy_store(sound)
    put(store, key, sound.get(key) + GARBAGE[number](random.Random(5)))
    if covered:
        cover_up(store)
    assert len(sound.get(key)) in {one.offset for one in _check(store, key)}


def test_finds_records_out_of_order_though_all_pointers_are_right(sound: MemoryStore) -> None:
    key = file_keys(sound, WARC)[1]
    count = len(split_file(sound.get(key))[0])
    for first in range(1, count - 1):
        store = copy_store(sound)
        order_members(store, key, [*range(first), first + 1, first, *range(first + 2, count)])
        found = _check(store, key)
        assert found, first
        assert all("out of order" in one.message for one in found)
    store = copy_store(sound)
    order_members(store, key, list(range(count)))
    assert damaged_keys(verify_archive(store, full=True)) == set()


@pytest.mark.parametrize("name", RECORD_HEADERS, ids=lambda name: name.decode())
def test_finds_another_value_of_a_header(sound: MemoryStore, name: bytes) -> None:
    found = 0
    for key in file_keys(sound, WARC)[:2]:
        members = split_members(sound.get(key))
        for number, member in enumerate(members):
            record = zlib.decompress(member, 31)
            changed = with_header(record, name)
            if changed == record or (name == b"WARC-Date" and not number):
                continue
            store = copy_store(sound)
            put_record(store, key, members, number, changed)
            found += 1
            assert key in damaged_keys(verify_archive(store, full=True)), number
    assert found
