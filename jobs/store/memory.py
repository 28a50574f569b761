"""A store in this process's memory, for tests and trials. It is gone when the process ends."""

from __future__ import annotations

import hashlib
import threading
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from config.errors import ObjectDiffers, ObjectExists, ObjectMissing, StoreRefused
from jobs.store import Retention, StoredObject, StoredVersion
from jobs.store.files import copy_new
from jobs.store.keys import check_digest, check_folder, check_key, check_range, check_rewritten, refuse_lock

if TYPE_CHECKING:
    from collections.abc import Iterator


class MemoryStore:
    """An ObjectStore that is a dictionary behind a lock."""

    url = place = "memory:"

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._objects: dict[str, tuple[bytes, StoredObject]] = {}
        self._folders: Counter[str] = Counter()
        self.requests: Counter[str] = Counter()
        self.retries = 0
        self.retentions: dict[str, Retention] = {}
        """What a test says of objects: nothing here keeps to it."""

    def create(self, key: str, data: bytes | Path, *, sha256: str) -> StoredObject:
        check_key(key)
        expected = check_digest(sha256)
        body = data.read_bytes() if isinstance(data, Path) else bytes(data)
        found = hashlib.sha256(body).hexdigest()
        if found != expected:
            raise ObjectDiffers(f"{self.url} {key}: the bytes have the digest sha256:{found}, expected {sha256}")
        stored = StoredObject(key, len(body), datetime.now(UTC), sha256)
        with self._lock:
            if self._is_taken(key):
                raise ObjectExists(f"{self.url} {key}: is there already, or is the folder of another key")
            self._objects[key] = body, stored
            self._folders.update(_folders(key))
        return stored

    def rewrite(self, key: str, data: bytes, *, media_type: str) -> None:
        del media_type
        check_rewritten(key)
        stored = StoredObject(key, len(data), datetime.now(UTC), "sha256:" + hashlib.sha256(data).hexdigest())
        with self._lock:
            if key not in self._objects:
                if self._is_taken(key):
                    raise StoreRefused(f"{self.url} {key}: is the folder of another key")
                self._folders.update(_folders(key))
            self._objects[key] = bytes(data), stored

    def get(self, key: str, *, offset: int = 0, length: int | None = None) -> bytes:
        check_range(offset, length)
        body, _ = self._find(key)
        return body[offset : None if length is None else offset + length]

    def fetch(self, key: str, target: Path) -> None:
        body, _ = self._find(key)
        copy_new([body], target)

    def stat(self, key: str) -> StoredObject:
        return self._find(key)[1]

    def read_retention(self, key: str, *, version: str = "") -> Retention | None:
        del version
        self._find(key)
        return self.retentions.get(key)

    def probe_lock(self) -> None:
        raise refuse_lock(self.url)

    def list(self, prefix: str, *, after: str = "") -> Iterator[StoredObject]:
        with self._lock:
            keys = sorted(key for key in self._objects if key.startswith(prefix) and key > after)
        for key in keys:
            entry = self._objects.get(key)
            if entry is not None:
                yield entry[1]

    def folders(self, prefix: str) -> tuple[str, ...]:
        check_folder(prefix)
        with self._lock:
            found = {key.removeprefix(prefix) for key in self._objects if key.startswith(prefix)}
        return tuple(sorted({rest.partition("/")[0] for rest in found if "/" in rest}))

    def delete(self, key: str) -> None:
        check_key(key)
        with self._lock:
            if self._objects.pop(key, None) is not None:
                self._folders -= Counter(_folders(key))

    def list_versions(self, prefix: str) -> Iterator[StoredVersion]:
        return (StoredVersion(one.key, one.size_bytes, one.modified) for one in self.list(prefix))

    def purge(self, key: str, *, keep_newest: bool = False, bypass: bool = False) -> int:
        del bypass  # nothing is retained here
        check_key(key)
        if keep_newest or key not in self._objects:
            return 0
        self.delete(key)
        return 1

    def read_clock(self) -> datetime | None:
        return datetime.now(UTC)

    def close(self) -> None:
        """Do nothing: there are no connections."""

    def _find(self, key: str) -> tuple[bytes, StoredObject]:
        check_key(key)
        with self._lock:
            entry = self._objects.get(key)
        if entry is None:
            raise ObjectMissing(f"{self.url} {key}: no such object")
        return entry

    def _is_taken(self, key: str) -> bool:
        return key in self._objects or key in self._folders or any(name in self._objects for name in _folders(key))


def _folders(key: str) -> list[str]:
    """Return the folders above *key*: `a` and `a/b` of `a/b/c`."""
    return [key[:position] for position, character in enumerate(key) if character == "/"]
