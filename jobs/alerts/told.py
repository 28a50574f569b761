"""What was told, so that nothing is told twice: a small object in a place of its own, a new number for each change.

Objects are made and never replaced, so of two that look at the same time one finds its number taken and lets the other
tell. The place is a folder or a bucket's prefix, so a job without a disk can have one.
"""

from __future__ import annotations

import hashlib
from contextlib import suppress
from typing import TYPE_CHECKING, Literal

import structlog
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from config.errors import ObjectExists, ObjectMissing, StoreError
from jobs.alerts.changes import Change, Standing  # noqa: TC001 - pydantic reads annotations
from jobs.archive.commit import digest
from jobs.store.local import LocalStore

if TYPE_CHECKING:
    from pathlib import Path

    from config.addresses import SecretAddress
    from jobs.store import ObjectStore

log = structlog.get_logger()

_FOLDER = "alerts"
_DIGITS = 12
_MAX_WAITING = 500
"""Changes of one address that wait; of more the oldest are given up, and their number is told."""
_MAX_BYTES = 64 * 1024**2


class Waiting(BaseModel):
    """Changes that one address has not got yet, the oldest first."""

    model_config = ConfigDict(frozen=True)

    changes: tuple[Change, ...] = ()
    left_out: int = 0

    def add(self, changes: tuple[Change, ...]) -> Waiting:
        """Return these and *changes*, the newest that there is room for."""
        together = self.changes + changes
        excess = max(0, len(together) - _MAX_WAITING)
        return Waiting(changes=together[excess:], left_out=self.left_out + excess)

    def without(self, sent: Waiting) -> Waiting:
        """Return what is left when *sent* has arrived."""
        return Waiting(changes=tuple(change for change in self.changes if change not in sent.changes))


class Told(BaseModel):
    """What was told and what is still to be told."""

    model_config = ConfigDict(frozen=True)

    version: Literal[1] = 1
    standings: dict[str, Standing] = Field(default_factory=dict)
    """By source."""
    waiting: dict[str, Waiting] = Field(default_factory=dict)
    """By digest of the address, which is a secret."""
    telling_until: AwareDatetime | None = None
    """Somebody is at telling what waits, until then at the latest."""


def identify(address: SecretAddress) -> str:
    """Return what stands for *address* in a file: a short digest, of which it cannot be had back."""
    return hashlib.blake2b(address.get_secret_value().encode(), digest_size=6, person=b"ofrecord-alerts").hexdigest()


def open_told(state: Path) -> ObjectStore:
    """Return the store, in the local state of an archive, where it is kept what was told of it. Raises OSError."""
    folder = state / _FOLDER
    folder.mkdir(exist_ok=True)
    return LocalStore(folder)


class Memory:
    """Reads and keeps a `Told` in a store."""

    def __init__(self, store: ObjectStore) -> None:
        self._store = store

    def read(self) -> tuple[int, Told]:
        """Return what was told last, and its number; of a damaged one, or where there is none, that nothing was.

        Raises StoreError, OSError.
        """
        keys = self._list()
        if not keys:
            return 0, Told()
        number = int(keys[-1][1:].removesuffix(".json"))
        try:
            data = self._store.get(keys[-1], length=_MAX_BYTES)
            return number, Told.model_validate_json(data)
        except ObjectMissing:  # somebody has written the next in between
            return self.read()
        except ValidationError as error:
            first = error.errors(include_input=False, include_url=False)[0]
            log.warning("ignored_told", place=self._store.place, key=keys[-1], reason=first["msg"])
            return number, Told()

    def write(self, told: Told, after: int) -> int | None:
        """Keep *told* in place of the one numbered *after*; return its number, or `None` if another was first."""
        data = told.model_dump_json(exclude_none=True).encode()
        key = f"t{after + 1:0{_DIGITS}}.json"
        try:
            self._store.create(key, data, sha256=digest(data))
        except ObjectExists:
            if self._store.get(key, length=_MAX_BYTES) != data:  # else our own earlier try, whose answer was lost
                return None
        for old in self._list():
            if old < key:
                with suppress(StoreError):  # the next one takes it away
                    self._store.delete(old)
        return after + 1

    def _list(self) -> list[str]:
        width = _DIGITS + len("t.json")
        keys = (stored.key for stored in self._store.list("t"))
        return [key for key in keys if len(key) == width and key[1:-5].isdecimal() and key.endswith(".json")]
