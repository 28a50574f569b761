"""The parts of a bundle, in a folder while it is made or in a zip file of anybody's; read within bounds.

Those below `evidence/` that an archive holds too can be read as if they lay in one.
"""

from __future__ import annotations

import zlib
from typing import IO, TYPE_CHECKING, Protocol, cast

from config.errors import DamageFound, ObjectMissing
from jobs.evidence.manifest import name_part
from jobs.store import StoredObject

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from jobs.store import ObjectStore

_CHUNK_BYTES = 1 << 20


class Parts(Protocol):
    """What is in a bundle, by path."""

    def sizes(self) -> dict[str, int]:
        """Return the length of each part by its path."""

    def open(self, path: str) -> IO[bytes]:
        """Return a part to be read and closed by the caller; one can seek in it. Raises DamageFound: not there."""


class FolderParts:
    """Parts that lie below a folder of ours."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def sizes(self) -> dict[str, int]:
        """Return the length of each part by its path."""
        found = (one for one in self._folder.rglob("*") if one.is_file())
        return {str(one.relative_to(self._folder)): one.stat().st_size for one in found}

    def open(self, path: str) -> IO[bytes]:
        """Return a part to be read."""
        try:
            return (self._folder / path).open("rb")
        except FileNotFoundError as error:
            raise DamageFound(f"{path}: missing") from error


def read_part(parts: Parts, path: str, most: int) -> bytes:
    """Return a part of at most *most* bytes. Raises DamageFound if it is not there or longer."""
    with parts.open(path) as file:
        data = file.read(most + 1)
    if len(data) > most:
        raise DamageFound(f"{path}: more than {most} bytes")
    return data


def read_chunks(file: IO[bytes], length: int | None = None) -> Iterator[bytes]:
    """Yield what is left in *file*, or *length* bytes of it, piece by piece."""
    left = length
    while left is None or left > 0:
        data = file.read(_CHUNK_BYTES if left is None else min(_CHUNK_BYTES, left))
        if not data:
            return
        left = None if left is None else left - len(data)
        yield data


def inflate_chunks(file: IO[bytes]) -> Iterator[bytes]:
    """Yield what the gzip members in *file* inflate to, piece by piece. Raises zlib.error."""
    inflater = zlib.decompressobj(31)
    for data in read_chunks(file):
        left = data
        while left:
            yield inflater.decompress(left, _CHUNK_BYTES)
            left = inflater.unconsumed_tail
            if inflater.eof:
                left, inflater = inflater.unused_data, zlib.decompressobj(31)


def open_parts(parts: Parts, source: str) -> ObjectStore:
    """Return a bundle as an archive's store, for who reads archives. *source*: whose log is in it."""
    return cast("ObjectStore", PartsStore(parts, source))  # who reads asks for nothing else


class PartsStore:
    """A bundle as an archive's store: the objects that it has, under their own keys, to be read."""

    url = "bundle"

    def __init__(self, parts: Parts, source: str) -> None:
        """*source*: whose log is in it."""
        self._parts = parts
        sizes = parts.sizes()
        listed = (_list_keys(path, source) for path in sizes)
        self._keys = {key: path for pair in listed if pair for key, path in [pair]}
        self._sizes = sizes

    def get(self, key: str, *, offset: int = 0, length: int | None = None) -> bytes:
        """Return bytes of an object. Raises ObjectMissing."""
        with self._parts.open(self._find(key)) as file:
            file.seek(offset)
            return file.read() if length is None else file.read(length)

    def stat(self, key: str) -> StoredObject:
        """Return what is known of an object. Raises ObjectMissing."""
        return StoredObject(key, self._sizes[self._find(key)], None)

    def list(self, prefix: str, *, after: str = "") -> Iterator[StoredObject]:
        """Yield the objects whose key begins with *prefix*."""
        for key in sorted(self._keys, key=str.encode):
            if key.startswith(prefix) and key > after:
                yield self.stat(key)

    def _find(self, key: str) -> str:
        try:
            return self._keys[key]
        except KeyError as error:
            raise ObjectMissing(f"{key}: not in this bundle") from error


def _list_keys(path: str, source: str) -> tuple[str, str] | None:
    """Return key and path of what an archive holds under a key of its own."""
    name = path.removeprefix("evidence/")
    kind, _, rest = name.partition("-")
    candidates = {
        "key": f"keys/{rest}",
        "commit": f"log/{source}/{rest.removesuffix('.json')}",
        "head": f"heads/{rest}",
    }
    key = candidates.get(kind, name)
    return (key, path) if name_part(key) == path else None
