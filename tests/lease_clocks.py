"""A store and a machine with clocks that a test moves, for leases in one process."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from jobs.archive.commit import digest
from jobs.archive.lease import Lease, acquire_lease
from jobs.store.memory import MemoryStore

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from jobs.store import StoredObject

START = datetime(2031, 5, 6, 7, 8, 9, tzinfo=UTC)
"""The store's clock; far from this machine's, which must not matter."""


class Store(MemoryStore):
    """A store whose clock the test moves, and which counts and fails as it is told."""

    def __init__(self) -> None:
        super().__init__()
        self.seconds = 0.0
        self.tells_time = True
        self.requests: Counter[str] = Counter()
        self.listed: list[str] = []
        self.before_create: Callable[[str], None] = lambda _: None
        self.after_create: Callable[[str], None] = lambda _: None

    def create(self, key: str, data: bytes | Path, *, sha256: str) -> StoredObject:
        self.requests["put"] += 1
        self.before_create(key)
        stored = replace(super().create(key, data, sha256=sha256), modified=self._now())
        self._objects[key] = self._objects[key][0], stored
        self.after_create(key)
        return stored

    def get(self, key: str, *, offset: int = 0, length: int | None = None) -> bytes:
        self.requests["get"] += 1
        return super().get(key, offset=offset, length=length)

    def list(self, prefix: str, *, after: str = "") -> Iterator[StoredObject]:
        self.requests["list"] += 1
        for one in super().list(prefix, after=after):
            self.listed.append(one.key)
            yield one

    def read_clock(self) -> datetime | None:
        return self._now()

    def put(self, key: str, data: bytes) -> None:
        MemoryStore.create(self, key, data, sha256=digest(data))
        self._objects[key] = data, replace(self._objects[key][1], modified=self._now())

    def _now(self) -> datetime | None:
        now = START + timedelta(seconds=self.seconds)
        return now.replace(microsecond=0) if self.tells_time else None


class Machine:
    """One with a boot clock of its own, which goes with the store's unless the test says otherwise."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.ahead = 1_000.0

    def boottime(self) -> float:
        return self.store.seconds + self.ahead

    def acquire(self, *, seconds: float = 600, log_epoch: int = 0, released: tuple[int, ...] = ()) -> Lease:
        return acquire_lease(
            self.store,
            "gazette",
            run="gazette-run",
            seconds=seconds,
            log_epoch=log_epoch,
            is_released=released.__contains__,
            boottime=self.boottime,
        )


def record(**changes: object) -> bytes:
    fields = {"format": "1.0", "holder": "host process 1 0", "run": "r", "state": "held", "seconds": 600, **changes}
    return json.dumps({name: value for name, value in fields.items() if value is not ...}).encode()


def refuse(error: Exception) -> Callable[[str], None]:
    def fail(_: str) -> None:
        raise error

    return fail
