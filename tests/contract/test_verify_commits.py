"""Edits of commits: of every field and of single bits, in the middle of a log and at its end."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import pytest

from jobs.verify import check_heads, verify_archive
from tests.archives import SOURCE, commit_keys, copy_store, put
from tests.faults import damaged_keys, flip
from tests.faults.commits import COMMIT_FIELDS, set_field
from tests.real_archives import build_revisited

if TYPE_CHECKING:
    from jobs.store.memory import MemoryStore


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> MemoryStore:
    return build_revisited(tmp_path_factory.mktemp("spool")).store


@pytest.mark.parametrize("name", COMMIT_FIELDS)
@pytest.mark.parametrize("number", [0, 1])
def test_finds_an_edit_of_every_field(sound: MemoryStore, number: int, name: str) -> None:
    store = copy_store(sound)
    keys = commit_keys(store)
    assert set_field(store, keys[number], name)
    assert damaged_keys(verify_archive(store, full=False)) & {keys[number], keys[number + 1]}


@pytest.mark.parametrize("name", COMMIT_FIELDS)
def test_a_head_kept_outside_tells_an_edit_of_the_last(sound: MemoryStore, name: str) -> None:
    store = copy_store(sound)
    seen = verify_archive(store, full=False).heads[SOURCE]
    key = commit_keys(store)[-1]
    assert set_field(store, key, name)
    report = verify_archive(store, full=False)
    check_heads(store, report, [(SOURCE, seen.seq, seen.digest)])
    assert key in damaged_keys(report)


def test_finds_a_bit_of_each_commit(sound: MemoryStore) -> None:
    keys = commit_keys(sound)
    for key, following in pairwise(keys):
        data = sound.get(key)
        for bit in range(0, len(data) * 8, 61):
            store = copy_store(sound)
            put(store, key, flip(data, bit))
            assert damaged_keys(verify_archive(store, full=False)) & {key, following}, bit
