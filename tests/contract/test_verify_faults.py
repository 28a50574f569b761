"""Every fault that verify promises to find, planted in a real archive: as bits rot, and as one who covers up would."""

from __future__ import annotations

import random
import zlib
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from jobs.archive.commit import decode_commit, digest, encode_commit
from jobs.store.local import LocalStore
from jobs.verify import verify_archive
from tests.archives import build_archive, commit_keys, copy_store, cover_up, file_keys, put, rechain, split_members
from tests.faults import WARC, damage, damaged_keys, flip, inflate

if TYPE_CHECKING:
    from pathlib import Path

    from jobs.store.memory import MemoryStore

FLIPS = 200


@pytest.mark.parametrize("full", [False, True])
def test_sound_archive_has_no_damage(store: MemoryStore, full: bool) -> None:
    report = verify_archive(store, full=full)
    assert damage(report) == []
    assert report.uncommitted == []
    assert (report.counts.commits, report.counts.segments, report.counts.files) == (3, 3, 3)
    assert report.counts.records == (24 if full else 0)


def test_cover_up_alone_is_sound(store: MemoryStore) -> None:
    rechain(store)
    assert damage(verify_archive(store, full=True)) == []


def test_finds_flipped_bits(tmp_path: Path) -> None:
    """Each of 200 seeded bits gives damage; those of the last commit are left out, since only an outside head tells."""
    memory = build_archive(tmp_path / "spool", segments=2)
    for item in memory.list(""):
        LocalStore(tmp_path / "archive").create(item.key, memory.get(item.key), sha256=digest(memory.get(item.key)))
    store = LocalStore(tmp_path / "archive")
    assert damage(verify_archive(store, full=True)) == []
    last = commit_keys(memory)[-1]
    bits = [(item.key, bit) for item in memory.list("") if item.key != last for bit in range(item.size_bytes * 8)]
    for key, bit in random.Random(20261122).sample(bits, FLIPS):
        path = tmp_path / "archive" / key
        whole = path.read_bytes()
        path.write_bytes(flip(whole, bit))
        report = verify_archive(store, full=True)
        path.write_bytes(whole)
        found = damaged_keys(report)
        assert found, (key, bit)
        if key.startswith("segments/"):
            assert key in found, (key, bit, found)


def test_finds_flipped_bits_that_were_covered_up(sound: MemoryStore) -> None:
    """Inside a WARC file whose digest was fixed in the commit, a flip is found wherever it changes what is inflated."""
    key = file_keys(sound, WARC)[0]
    whole = sound.get(key)
    before = inflate(whole)
    for bit in random.Random(7).sample(range(len(whole) * 8), 60):
        store = copy_store(sound)
        put(store, key, flip(whole, bit))
        cover_up(store, count=False)
        if inflate(flip(whole, bit)) != before:
            assert key in damaged_keys(verify_archive(store, full=True)), bit


def _drop(members: list[bytes]) -> list[bytes]:
    return members[:2] + members[3:]


def _drop_pair(members: list[bytes]) -> list[bytes]:
    return members[:3] + members[5:]


def _drop_last(members: list[bytes]) -> list[bytes]:
    return members[:-1]


def _double(members: list[bytes]) -> list[bytes]:
    return [*members[:2], members[1], *members[2:]]


def _double_last(members: list[bytes]) -> list[bytes]:
    return [*members, members[-1]]


def _swap(members: list[bytes]) -> list[bytes]:
    return [members[0], members[3], *members[2:3], members[1], *members[4:]]


def _swap_pair(members: list[bytes]) -> list[bytes]:
    return [members[0], members[2], members[1], *members[3:]]


def _truncate(members: list[bytes]) -> list[bytes]:
    return [*members[:-1], members[-1][:-9]]


def _cut_tail(members: list[bytes]) -> list[bytes]:
    return [*members[:-1], members[-1][:-1]]


def _append_garbage(members: list[bytes]) -> list[bytes]:
    return [*members, b"garbage"]


def _append_zeros(members: list[bytes]) -> list[bytes]:
    return [*members, bytes(512)]


def _put_garbage_between(members: list[bytes]) -> list[bytes]:
    return [*members[:3], b"\x1f\x8b\x08garbage", *members[3:]]


def _join_members(members: list[bytes]) -> list[bytes]:
    both = zlib.decompress(members[1], 31) + zlib.decompress(members[2], 31)
    compressor = zlib.compressobj(9, zlib.DEFLATED, 31)
    return [members[0], compressor.compress(both) + compressor.flush(), *members[3:]]


def _change_body(members: list[bytes]) -> list[bytes]:
    record = zlib.decompress(members[1], 31).replace(b"The tax will rise", b"The tax will fall")
    compressor = zlib.compressobj(9, zlib.DEFLATED, 31)
    return [members[0], compressor.compress(record) + compressor.flush(), *members[2:]]


def _change_uri(members: list[bytes]) -> list[bytes]:
    record = zlib.decompress(members[1], 31).replace(b"example/2026/budget\r\n", b"example/2026/fudget\r\n", 1)
    compressor = zlib.compressobj(9, zlib.DEFLATED, 31)
    return [members[0], compressor.compress(record) + compressor.flush(), *members[2:]]


def _empty(members: list[bytes]) -> list[bytes]:
    return members[:0]


CHANGES = [
    _drop,
    _drop_pair,
    _drop_last,
    _double,
    _double_last,
    _swap,
    _swap_pair,
    _truncate,
    _cut_tail,
    _append_garbage,
    _append_zeros,
    _put_garbage_between,
    _join_members,
    _change_body,
    _change_uri,
    _empty,
]


@pytest.mark.parametrize("covered", [False, True], ids=["rotten", "covered"])
@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__.strip("_"))
def test_finds_changed_warc(
    store: MemoryStore,
    change: Callable[[list[bytes]], list[bytes]],
    covered: bool,
) -> None:
    key = file_keys(store, WARC)[1]
    put(store, key, b"".join(change(split_members(store.get(key)))))
    if covered:
        cover_up(store)
    assert key in damaged_keys(verify_archive(store, full=True))


def test_names_record_and_offset(store: MemoryStore) -> None:
    key = file_keys(store, WARC)[1]
    members = split_members(store.get(key))
    put(store, key, b"".join(_change_body(members)))
    cover_up(store)
    found = [one for one in verify_archive(store, full=True).findings if one.key == key and one.record is not None]
    assert {(finding.record, finding.offset) for finding in found} == {(2, len(members[0]))}
    assert f"{key}: record 2: offset {len(members[0])}: " in str(found[0])
    assert "Digest" in found[0].message or "Content-Length" in found[0].message


def test_goes_on_after_a_damaged_member(store: MemoryStore) -> None:
    key = file_keys(store, WARC)[1]
    members = split_members(store.get(key))
    members[2] = members[2][:30] + bytes(20) + members[2][50:]
    members[5] = members[5][:30] + bytes(20) + members[5][50:]
    put(store, key, b"".join(members))
    report = verify_archive(store, full=True, sources=["gazette"])
    offsets = {finding.offset for finding in report.findings if finding.key == key and finding.offset}
    assert {len(b"".join(members[:2])), len(b"".join(members[:5]))} <= offsets
    assert report.counts.records == 22


@pytest.mark.parametrize("full", [False, True])
def test_finds_missing_file(store: MemoryStore, full: bool) -> None:
    key = file_keys(store, WARC)[1]
    store.delete(key)
    report = verify_archive(store, full=full)
    assert damaged_keys(report) == {key}
    assert "missing; commit 2 says" in damage(report)[0]


@pytest.mark.parametrize("covered", [False, True], ids=["rotten", "covered"])
def test_finds_a_file_of_another_segment(store: MemoryStore, covered: bool) -> None:
    keys = file_keys(store, WARC)
    put(store, keys[1], store.get(keys[0]))
    if covered:
        rechain(store)
    assert keys[1] in damaged_keys(verify_archive(store, full=True))


@pytest.mark.parametrize("number", [0, 1])
def test_finds_missing_commit(store: MemoryStore, number: int) -> None:
    key = commit_keys(store)[number]
    store.delete(key)
    report = verify_archive(store, full=False)
    assert f"{key}: missing, but commit {number + 2} is there" in damage(report)
    assert len(report.uncommitted) == 1


def test_says_where_the_log_ends_when_the_tail_is_gone(store: MemoryStore) -> None:
    """Nothing inside an archive tells that its last commits were taken away: the head is for keeping outside."""
    keys = commit_keys(store)
    store.delete(keys[-1])
    report = verify_archive(store, full=True)
    assert damage(report) == []
    assert len(report.uncommitted) == 1
    assert (report.heads["gazette"].seq, report.heads["gazette"].digest) == (2, digest(store.get(keys[1])))
    assert any("only a head kept outside" in finding.message for finding in report.findings)


@pytest.mark.parametrize("number", [0, 1])
def test_finds_altered_commit(store: MemoryStore, number: int) -> None:
    key = commit_keys(store)[number]
    put(store, key, store.get(key).replace(b'"epoch":0', b'"epoch":7'))
    report = verify_archive(store, full=False)
    assert any("the chain breaks" in line and key in line for line in damage(report))


def test_finds_altered_last_commit_where_its_segment_contradicts_it(store: MemoryStore) -> None:
    key = commit_keys(store)[-1]
    put(store, key, store.get(key).replace(b'"captures":3', b'"captures":4'))
    assert damage(verify_archive(store, full=False)) == []
    assert any("commit: captures: the row says 4, found 3" in line for line in damage(verify_archive(store, full=True)))


def test_finds_swapped_commits(store: MemoryStore) -> None:
    first, second, _ = commit_keys(store)
    one, two = store.get(first), store.get(second)
    put(store, first, two)
    put(store, second, one)
    assert {first, second} <= damaged_keys(verify_archive(store, full=False))


def test_goes_on_after_a_commit_that_is_none(store: MemoryStore) -> None:
    first, second, third = commit_keys(store)
    put(store, first, b"no commit\n")
    put(store, second, store.get(second).replace(b'"writer":"', b'"writer":"x'))
    damaged = damaged_keys(verify_archive(store, full=False))
    assert {first, second, third} <= damaged


def test_finds_altered_identity(store: MemoryStore) -> None:
    put(store, "ofrecord.json", store.get("ofrecord.json").replace(b"false", b"true"))
    assert damaged_keys(verify_archive(store, full=False)) == {commit_keys(store)[0]}
    put(store, "ofrecord.json", b"{}\n")
    assert "ofrecord.json" in damaged_keys(verify_archive(store, full=False))
    store.delete("ofrecord.json")
    assert "ofrecord.json: missing, but there are logs" in damage(verify_archive(store, full=False))


def test_finds_a_commit_that_names_files_elsewhere(store: MemoryStore) -> None:
    key = commit_keys(store)[-1]
    commit = decode_commit(store.get(key), key).commit
    files = (
        _moved(commit.files[0], "../../etc/passwd"),
        _moved(commit.files[0], "segments/herald/sealed=2026-11-22/x"),
    )
    put(store, key, encode_commit(replace(commit, files=files, rows=None)))
    found = "\n".join(damage(verify_archive(store, full=True)))
    assert f"{key}: not a commit: names files that are not below segments/gazette/" in found


def _moved(file: Any, key: str) -> Any:
    return type(file)(key, file.size_bytes, file.sha256, file.records)
