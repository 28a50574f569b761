"""Packs: what a sound one is, every way in which one is not, and what can be put back from one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from jobs.archive.commit import Commit, commit_key, digest
from jobs.archive.identity import create_archive, read_info
from jobs.archive.log import Log
from jobs.store.memory import MemoryStore
from jobs.verify import verify_archive
from tests.archives import NOON, SOURCE, append_commit, commit_keys, copy_store, make_pack, put, rechain
from tests.faults import OTHER_DIGEST, damage, damaged_keys, flip, notices

if TYPE_CHECKING:
    from collections.abc import Callable

COUNT = 4
PACK = f"log/{SOURCE}/pack-{1:012d}-{COUNT:012d}"


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch) -> MemoryStore:
    """A log of five commits and a pack of the first four, which the sixth names."""
    monkeypatch.setattr("jobs.verify.packs.PACK_COMMITS", COUNT)
    store = MemoryStore()
    create_archive(store, single_writer=False, now=NOON)
    for number in range(COUNT + 1):
        append_commit(store, kind="ledger", epoch=number)
    append_commit(store, kind="ledger", epoch=9, pack=make_pack(store, SOURCE, 1, COUNT))
    return store


def _name(store: MemoryStore, **changes: Any) -> None:
    """Let the last commit name the pack otherwise."""
    pack = make_pack(store, SOURCE, 1, COUNT)
    append_commit(store, kind="pack", pack={**pack, **changes})


@pytest.mark.parametrize("full", [False, True])
def test_sound_pack(store: MemoryStore, full: bool) -> None:
    report = verify_archive(store, full=full)
    assert damage(report) == []
    assert "pack" not in notices(report)
    assert report.counts.packs == full


def test_a_pack_has_a_thousand_commits() -> None:
    store = MemoryStore()
    create_archive(store, single_writer=False, now=NOON)
    info = read_info(store)
    log, last = Log(store, info, SOURCE), ""
    for number in range(1001):
        draft = Commit(source=SOURCE, kind="ledger", committed=NOON, archive=info.archive)
        last = log.append(draft, after=number, head=last)[0].digest
    append_commit(store, kind="pack", pack=make_pack(store, SOURCE, 1, 1000))
    assert damage(verify_archive(store, full=True)) == []
    append_commit(store, kind="pack", pack=make_pack(store, SOURCE, 1, 999))
    assert "names a pack of commits 1 to 999" in damage(verify_archive(store, full=True))[0]


def test_a_pack_that_none_names_is_noticed(store: MemoryStore) -> None:
    put(store, PACK.replace("pack-000000000001", "pack-000000000002"), b"anything")
    put(store, f"log/{SOURCE}/later-thing", b"of a kind to come")
    report = verify_archive(store, full=True)
    assert damage(report) == []
    assert "pack-000000000002-000000000004: no commit names this pack" in notices(report)
    assert "later-thing" not in notices(report)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"first": 2}, "for commits 2 to 4"),
        ({"last": 5}, "for commits 1 to 5"),
        ({"first": None}, "for commits None to 4"),
        ({"key": f"log/{SOURCE}/pack-x"}, "for commits 1 to 4"),
        ({"key": "log/herald/pack-000000000001-000000000004"}, "which is no key of a pack of gazette"),
        ({"key": "../../etc/passwd"}, "which is no key of a pack of gazette"),
    ],
)
def test_finds_a_commit_that_names_a_pack_wrongly(store: MemoryStore, changes: dict[str, Any], message: str) -> None:
    _name(store, **changes)
    report = verify_archive(store, full=False)
    assert commit_key(SOURCE, COUNT + 3) in damaged_keys(report)
    assert message in "\n".join(damage(report))


def test_finds_a_pack_of_commits_to_come(store: MemoryStore) -> None:
    for _ in range(2):
        append_commit(store, kind="ledger")
    pack = make_pack(store, SOURCE, 5, 8)
    rechain(store, {7: {"pack": pack}})
    assert "names a pack of commits up to 8, which are not all before it" in "\n".join(
        damage(verify_archive(store, full=False))
    )


@pytest.mark.parametrize(
    ("changes", "message", "quick"),
    [
        ({"size_bytes": 5}, "bytes, commit 7 says 5", True),
        ({"size_bytes": "all"}, "bytes, commit 7 says 'all'", True),
        ({"sha256": OTHER_DIGEST}, "the bytes were changed", False),
        ({"sha256": None}, "the bytes were changed", False),
    ],
)
def test_finds_a_pack_that_is_not_as_named(
    store: MemoryStore, changes: dict[str, Any], message: str, quick: bool
) -> None:
    _name(store, **changes)
    report = verify_archive(store, full=True)
    assert PACK in damaged_keys(report)
    assert message in "\n".join(damage(report))
    assert (PACK in damaged_keys(verify_archive(store, full=False))) == quick


def _drop_one(data: bytes) -> bytes:
    lines = data.splitlines(keepends=True)
    return b"".join(lines[:2] + lines[4:])


def _swap(data: bytes) -> bytes:
    lines = data.splitlines(keepends=True)
    return b"".join(lines[2:4] + lines[:2] + lines[4:])


@pytest.mark.parametrize(
    "change",
    [
        _drop_one,
        _swap,
        lambda data: data[:-5],
        lambda data: data + data[-300:],
        lambda data: data + b"\n",
        lambda _data: b"",
        lambda data: bytes(len(data)),
        lambda data: flip(data, 4000),
    ],
)
@pytest.mark.parametrize("believed", [False, True])
def test_finds_a_pack_that_is_not_its_commits(
    store: MemoryStore, change: Callable[[bytes], bytes], believed: bool
) -> None:
    """Whether it has the digest that its commit names or not."""
    data = change(store.get(PACK))
    put(store, PACK, data)
    if believed:
        pack = {"key": PACK, "size_bytes": len(data), "sha256": digest(data), "first": 1, "last": COUNT}
        append_commit(store, kind="pack", pack=pack)
    report = verify_archive(store, full=True)
    assert damaged_keys(report) == {PACK}
    assert any(finding.line for finding in report.findings if finding.key == PACK)


def test_finds_a_lost_pack(store: MemoryStore) -> None:
    store.delete(PACK)
    for full in (False, True):
        assert damage(verify_archive(store, full=full)) == [f"{PACK}: missing; commit 6 names it"]


def test_a_pack_tells_what_can_be_put_back(store: MemoryStore) -> None:
    keys = commit_keys(store)
    lost, altered = copy_store(store), copy_store(store)
    lost.delete(keys[1])
    report = verify_archive(lost, full=True)
    assert damaged_keys(report) == {keys[1]}
    assert f"{PACK}: line 3: holds commit 2, which is missing: it can be put back from here" in notices(report)
    put(altered, keys[1], store.get(keys[1]).replace(b'"epoch":1', b'"epoch":7'))
    report = verify_archive(altered, full=True)
    assert damaged_keys(report) == {keys[2]}
    assert f"{PACK}: line 3: holds commit 2 as it was before it was altered" in notices(report)


def test_a_pack_that_cannot_be_believed_puts_nothing_back(store: MemoryStore) -> None:
    key = commit_keys(store)[1]
    store.delete(key)
    put(store, PACK, store.get(PACK).replace(b'"epoch":1', b'"epoch":7'))
    report = verify_archive(store, full=True)
    assert {key, PACK} == damaged_keys(report)
    assert "put back" not in notices(report)
