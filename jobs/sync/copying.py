"""One object → the same object in another store: read, held against its digest, put, and proven there by the store.

An object that is not as it should be raises DamageFound naming store and key, and is never put.
"""

from __future__ import annotations

import contextlib
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING

from config.errors import DamageFound, ObjectExists, ObjectMissing, StoreError
from jobs.archive.commit import digest
from jobs.archive.identity import INFO_KEY
from jobs.segments.seal import hash_file

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from jobs.store import ObjectStore
    from jobs.sync.scratch import Room

IN_MEMORY_BYTES = 4 << 20
"""Longer objects go by way of a file."""


@dataclass(frozen=True, slots=True)
class Item:
    """An object that must be in the copy, as a commit or a manifest says."""

    key: str
    size_bytes: int
    sha256: str


class Copier:
    """Brings objects from one store to the other. Its methods may be called from several threads."""

    def __init__(self, origin: ObjectStore, target: ObjectStore, folder: Path, room: Room) -> None:
        self._origin = origin
        self._target = target
        self._folder = folder
        self._room = room

    def copy(self, item: Item, *, listed_bytes: int | None = None) -> bool:
        """Copy *item*; return whether it had to be: false if the other side turned out to have it.

        *listed_bytes*: its size, as far as it is known already. Raises DamageFound if either side holds other bytes,
        ObjectMissing, StoreError.
        """
        if item.size_bytes <= IN_MEMORY_BYTES:
            with self.reading(item.key):
                data = self._origin.get(item.key, length=item.size_bytes + 1)
            if len(data) != item.size_bytes:
                raise self._wrong_size(item, listed_bytes or len(data))
            self._require(self._origin, item, digest(data))
            return self._put(item, data)
        if listed_bytes is None:
            with self.reading(item.key):
                listed_bytes = self._origin.stat(item.key).size_bytes
        if listed_bytes != item.size_bytes:
            raise self._wrong_size(item, listed_bytes)
        with self._fetched(self._origin, item) as path:
            if path.stat().st_size != item.size_bytes:
                raise self._wrong_size(item, path.stat().st_size)
            self._require(self._origin, item, hash_file(path))
            return self._put(item, path)

    def check_target(self, item: Item) -> None:
        """Raise DamageFound unless the copy holds *item*, by the store's own proof or a read-back."""
        stored = self._target.stat(item.key)
        if stored.size_bytes != item.size_bytes:
            raise DamageFound(
                f"{self._target.url}/{item.key}: found {stored.size_bytes} bytes, expected {item.size_bytes}"
            )
        found = stored.sha256
        if found is None and item.size_bytes <= IN_MEMORY_BYTES:
            found = digest(self._target.get(item.key, length=item.size_bytes + 1))
        elif found is None:
            with self._fetched(self._target, item) as path:
                found = hash_file(path)
        self._require(self._target, item, found)

    def put(self, key: str, data: bytes) -> bool:
        """Put *data*; return false if it is there already. Raises DamageFound if something else is there."""
        return self._put(Item(key, len(data), digest(data)), data)

    def _put(self, item: Item, data: bytes | Path) -> bool:
        try:
            self._target.create(item.key, data, sha256=item.sha256)
        except ObjectExists:
            self.check_target(item)
            return False
        return True

    @contextlib.contextmanager
    def _fetched(self, store: ObjectStore, item: Item) -> Iterator[Path]:
        path = self._folder / secrets.token_hex(8)
        with self._room.take(item.size_bytes):
            try:
                with self.reading(item.key) if store is self._origin else contextlib.nullcontext():
                    store.fetch(item.key, path)
                yield path
            finally:
                path.unlink(missing_ok=True)

    def _wrong_size(self, item: Item, found_bytes: int) -> DamageFound:
        return DamageFound(f"{self._origin.url}/{item.key}: found {found_bytes} bytes, expected {item.size_bytes}")

    @staticmethod
    def _require(store: ObjectStore, item: Item, found: str) -> None:
        if found != item.sha256:
            raise DamageFound(f"{store.url}/{item.key}: found {found}, expected {item.sha256}")

    @contextlib.contextmanager
    def reading(self, key: str) -> Iterator[None]:
        """Turn an error in reading one object of the original into damage, unless the store fails as a whole."""
        try:
            yield
        except ObjectMissing:
            raise
        except StoreError as error:
            try:
                self._origin.get(INFO_KEY, length=1)
            except StoreError:
                raise error from None
            raise DamageFound(f"{self._origin.url}/{key}: cannot be read: {error}") from error
