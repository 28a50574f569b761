"""Object stores behind one small protocol: create-only puts, reads, listings. Opens a store from a path or URL.

A store knows nothing of archives. Every implementation passes the one suite in tests/contract/.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Protocol
from urllib.parse import unquote, urlsplit

from config.errors import ConfigError

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Iterator

    from config.settings import Settings

SUPPORTED = "s3://bucket/prefix, a folder's path, file:///path or memory:"
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):")


@dataclass(frozen=True, slots=True)
class StoredObject:
    """What a store says of an object."""

    key: str
    size_bytes: int
    modified: datetime | None
    """By the store's clock, aware UTC."""
    sha256: str | None = None
    """`sha256:` and hex: only where the store computed or checked it itself, never from user metadata."""


@dataclass(frozen=True, slots=True)
class StoredVersion:
    """One of the objects that a key has had, as far as the store keeps it."""

    key: str
    size_bytes: int
    modified: datetime | None
    """By the store's clock, aware UTC."""
    version: str = ""
    """The store's own name for it; "" where it keeps none but the newest."""
    newest: bool = True
    """Whether it is what the key has now."""
    removed: bool = False
    """Whether it only says that the key was deleted; it has no bytes then."""


@dataclass(frozen=True, slots=True)
class Retention:
    """Until when a store lets nobody remove an object (Object Lock)."""

    mode: str
    """`governance`: some may lift it; `compliance`: nobody."""
    until: datetime
    """Aware UTC."""


class ObjectStore(Protocol):
    """Keys are relative, `/`-separated, UTF-8, as FORMAT.md § 2 has them; no key may be the folder of another.

    Raises only StoreError's children, and OSError where the local disk is full or *data* and *target* are at fault.
    All methods may be called from several threads at once.
    """

    url: str
    """How a person names this store, without secrets."""

    @property
    def place(self) -> str:
        """What is the same however this store is named, and another for each copy: URL or resolved path, endpoint.

        One line for people, without secrets; local state belongs to it.
        """

    @property
    def requests(self) -> Counter[str]:
        """Operation, by S3's names → requests sent so far, retries included; empty where none are sent."""

    @property
    def retries(self) -> int:
        """How many of those requests were sent again, after no answer or one that may pass."""

    def create(self, key: str, data: bytes | Path, *, sha256: str) -> StoredObject:
        """Put an object that must not be there yet, and check size and SHA-256 of what was stored.

        *data*: the bytes, or a file. *sha256*: the digest they must have. Raises ObjectExists if the key is taken,
        ObjectDiffers if the bytes do not have that digest or the store kept something else. ObjectExists may also be
        the echo of our own earlier try whose answer was lost: read the object to tell.
        """

    def rewrite(self, key: str, data: bytes, *, media_type: str) -> None:
        """Put an object below `feeds/` in place of the one that is there, if any, whole or not at all.

        The one way to replace an object, and for conveniences only: FORMAT.md § 2. *media_type*: what the store tells
        readers that it is, if it tells them. The last one who writes wins. Raises StoreRefused for any other key.
        """

    def get(self, key: str, *, offset: int = 0, length: int | None = None) -> bytes:
        """Return the object's bytes, or *length* of them from *offset*; fewer or none past its end.

        Raises ObjectMissing.
        """

    def fetch(self, key: str, target: Path) -> None:
        """Write the object into the new file *target*, streaming. Raises ObjectMissing."""

    def stat(self, key: str) -> StoredObject:
        """Return size, time and, where proven by the store, the digest. Raises ObjectMissing."""

    def read_retention(self, key: str, *, version: str = "") -> Retention | None:
        """Return until when the object is kept from removal; `None`: it is not, or this store keeps nothing so.

        *version*: of that one in place of the newest. Takes a request. Raises ObjectMissing.
        """

    def probe_lock(self) -> None:
        """Raise StoreRefused, saying why, unless what is put here gets the retention that the settings ask for."""

    def list(self, prefix: str, *, after: str = "") -> Iterator[StoredObject]:
        """Yield all objects whose key begins with *prefix* and is greater than *after*, by key in byte order."""

    def folders(self, prefix: str) -> tuple[str, ...]:
        """Return the names of the folders right below *prefix* (ending with a slash, or ""), sorted, without slashes.

        One request where a listing takes many. A local folder without a file in it may be among them.
        """

    def delete(self, key: str) -> None:
        """Remove an object (probes and maintenance only); no error if it is not there.

        A bucket with versions only hides it so: see `purge`.
        """

    def list_versions(self, prefix: str) -> Iterator[StoredVersion]:
        """Yield all that is kept of keys below *prefix*: where versions are, what was replaced or deleted, too.

        Each key's versions together, the newest first; keys in no order. *prefix*: one folder of a source or a table,
        since some servers pass over names at the end of a page where one is the beginning of another.
        """

    def purge(self, key: str, *, keep_newest: bool = False, bypass: bool = False) -> int:
        """Remove every version of an object, so that nobody can bring it back; return how many objects went.

        No error if there is none. *keep_newest*: all but what the key has now. *bypass*: those under governance
        retention, too. Raises StoreRefused where retention or missing rights keep one; what went before is gone.
        """

    def read_clock(self) -> datetime | None:
        """Return the store's time, aware UTC, or `None` if it tells none.

        Never later than the store's own clock; earlier by 3 s at most (see S3Store). Costs no request where one was
        answered within the last minute.
        """

    def close(self) -> None:
        """Let go of connections. The store must not be used afterwards."""


def open_store(place: str, settings: Settings) -> ObjectStore:
    """Return the store at *place*: `s3://bucket/prefix`, `memory:` or a path. Asks nothing of it yet.

    Raises ConfigError if *place* is no such thing or the settings for it are wrong.
    """
    # Here and not above: the stores import this module, and boto3 alone takes a third of a second.
    from jobs.store.local import LocalStore  # noqa: PLC0415 — see above
    from jobs.store.memory import MemoryStore  # noqa: PLC0415 — see above

    match = _SCHEME.match(place)
    scheme = match[1].lower() if match else ""
    if not place.strip():
        raise ConfigError(f"archive: found an empty value, expected {SUPPORTED}")
    if "\0" in place:
        raise ConfigError(f"archive: found a NUL character, expected {SUPPORTED}")
    if not scheme:
        return LocalStore(_absolute(place))
    if scheme == "memory" and place.partition(":")[2] == "":
        return MemoryStore()
    if scheme == "file":
        return LocalStore(_path_of(place))
    if scheme == "s3":
        return _open_s3(place, settings)
    advice = "; for a folder of that name write ./ before it"
    if scheme in {"http", "https"}:
        advice = "; for a bucket at that address write s3://bucket/prefix and set s3_endpoint_url to the address"
    raise ConfigError(f"archive: found the scheme {scheme}:, expected {SUPPORTED}{advice}")


def _open_s3(place: str, settings: Settings) -> ObjectStore:
    from jobs.store.s3 import S3Options, S3Store, split_url  # noqa: PLC0415 — boto3 takes a third of a second

    return S3Store(*split_url(place), S3Options.of(settings))


def _path_of(url: str) -> Path:
    parts = urlsplit(url)
    if parts.netloc not in {"", "localhost"} or not parts.path.startswith("/") or parts.query or parts.fragment:
        raise ConfigError(f"archive: found {url!r}, expected file:///path with three slashes")
    path = unquote(parts.path)
    if "\0" in path:
        raise ConfigError(f"archive: found a NUL character in {url!r}, expected file:///path")
    return Path(path)


def _absolute(place: str) -> Path:
    try:
        return Path(place).expanduser().absolute()
    except RuntimeError as error:
        raise ConfigError(f"archive: {place}: {error}; write the whole path") from error
