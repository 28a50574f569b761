"""The probe finds every store that would lose or mix up an archive: each has one real fault."""

from __future__ import annotations

import hashlib
import time
from typing import TYPE_CHECKING

import pytest

from config.errors import ObjectMissing, StoreRefused, StoreUnavailable
from jobs.store import StoredObject
from jobs.store.memory import MemoryStore
from jobs.store.probe import probe_store

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class Overwrites(MemoryStore):
    """As an S3 server that ignores `If-None-Match`."""

    def create(self, key: str, data: bytes | Path, *, sha256: str) -> StoredObject:
        self.delete(key)
        return super().create(key, data, sha256=sha256)


class LooksThenWrites(MemoryStore):
    """As a server that checks the precondition before it takes the lock."""

    def create(self, key: str, data: bytes | Path, *, sha256: str) -> StoredObject:
        try:
            self.stat(key)
        except ObjectMissing:
            time.sleep(0.02)  # the fault itself: a gap between look and write
            self.delete(key)
        return super().create(key, data, sha256=sha256)


class RefusesButWrites(MemoryStore):
    def create(self, key: str, data: bytes | Path, *, sha256: str) -> StoredObject:
        taken = key in self._objects
        self.delete(key)
        made = super().create(key, data, sha256=sha256)
        if taken:
            return super().create(key, data, sha256=sha256)
        return made


class BelievesDigests(MemoryStore):
    def create(self, key: str, data: bytes | Path, *, sha256: str) -> StoredObject:
        assert isinstance(data, bytes)
        made = super().create(key, data, sha256="sha256:" + hashlib.sha256(data).hexdigest())
        return StoredObject(key, made.size_bytes, made.modified, sha256)


class ListsLate(MemoryStore):
    def list(self, prefix: str, *, after: str = "") -> Iterator[StoredObject]:
        yield from list(super().list(prefix, after=after))[:-1]


class ListsBackwards(MemoryStore):
    def list(self, prefix: str, *, after: str = "") -> Iterator[StoredObject]:
        yield from reversed(list(super().list(prefix, after=after)))


class ListsFromTheStart(MemoryStore):
    def list(self, prefix: str, *, after: str = "") -> Iterator[StoredObject]:
        del after
        yield from super().list(prefix)


class IgnoresRanges(MemoryStore):
    def get(self, key: str, *, offset: int = 0, length: int | None = None) -> bytes:
        del offset, length
        return super().get(key)


@pytest.mark.parametrize(
    ("store", "missing"),
    [
        (Overwrites(), "no create-only puts"),
        (LooksThenWrites(), "writers of one key"),
        (RefusesButWrites(), "changed the object all the same"),
        (BelievesDigests(), "digest that it was given"),
        (ListsLate(), "3 of 4 new objects"),
        (ListsBackwards(), "order of their keys"),
        (ListsFromTheStart(), "start-after"),
        (IgnoresRanges(), "range"),
    ],
)
def test_faults_are_found(store: MemoryStore, missing: str) -> None:
    with pytest.raises(StoreRefused, match=missing) as caught:
        probe_store(store)
    assert str(caught.value).startswith("memory:: no archive can be kept here: ")
    assert list(MemoryStore.list(store, "")) == []


def test_a_single_writer_does_without_create_only_puts() -> None:
    probe_store(Overwrites(), single_writer=True)
    with pytest.raises(StoreRefused, match="range"):
        probe_store(IgnoresRanges(), single_writer=True)


def test_a_store_that_forbids_deletion_passes() -> None:
    class KeepsAll(MemoryStore):
        def delete(self, key: str) -> None:
            raise StoreRefused(f"{key}: denied")

    probe_store(KeepsAll())


def test_other_errors_come_through() -> None:
    class IsAway(MemoryStore):
        def create(self, key: str, data: bytes | Path, *, sha256: str) -> StoredObject:
            raise StoreUnavailable(f"{key} {len(sha256)} {data!r}: no answer")

    with pytest.raises(StoreUnavailable, match="no answer"):
        probe_store(IsAway())
