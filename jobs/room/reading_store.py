"""A store of which nothing but reading is left."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from jobs.store import ObjectStore, StoredObject


class OnlyReading:
    """What `desk.ReadingStore` asks for: whoever has it cannot put or remove."""

    __slots__ = ("__weakref__", "_get", "_list", "_stat", "_url")

    def __init__(self, store: ObjectStore) -> None:
        self._url = store.url
        self._get, self._stat, self._list = store.get, store.stat, store.list

    @property
    def url(self) -> str:
        """How a person names this store."""
        return self._url

    def get(self, key: str, *, offset: int = 0, length: int | None = None) -> bytes:
        """As `ObjectStore.get`."""
        return self._get(key, offset=offset, length=length)

    def stat(self, key: str) -> StoredObject:
        """As `ObjectStore.stat`."""
        return self._stat(key)

    def list(self, prefix: str, *, after: str = "") -> Iterator[StoredObject]:
        """As `ObjectStore.list`."""
        return self._list(prefix, after=after)
