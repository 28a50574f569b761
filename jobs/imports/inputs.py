"""What a person named (file, folder, URL, prefix of a bucket) → the files to import, as bytes from any place on."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol
from urllib.parse import unquote, urlsplit

from config.errors import ConfigError
from jobs.imports.web import WebFile
from jobs.store import open_store

if TYPE_CHECKING:
    from collections.abc import Iterator

    from config.settings import Settings
    from jobs.store import ObjectStore

ENDINGS = (".warc", ".warc.gz", ".warc.zst", ".wacz")
_BLOCK_BYTES = 4 << 20


class Input(Protocol):
    """A file to import."""

    @property
    def name(self) -> str:
        """Without folders: what captures say of where they come from."""

    @property
    def where(self) -> str:
        """For messages, without secrets."""

    @property
    def size_bytes(self) -> int | None:
        """`None`: nobody says."""

    @property
    def path(self) -> Path | None:
        """Of a file on this machine."""

    def stream(self, offset: int) -> tuple[int, Iterator[bytes]]:
        """Return where the bytes begin (at *offset*, or at 0 where nothing else can be had), and the bytes.

        Raises StoreError, FetchError, OSError, while they are read, too.
        """


@dataclass(frozen=True, slots=True)
class LocalFile:
    """A file on this machine."""

    path: Path

    @property
    def name(self) -> str:
        return self.path.name

    @property
    def where(self) -> str:
        return str(self.path)

    @property
    def size_bytes(self) -> int | None:
        return self.path.stat().st_size

    def stream(self, offset: int) -> tuple[int, Iterator[bytes]]:
        return offset, self._read(offset)

    def _read(self, offset: int) -> Iterator[bytes]:
        with self.path.open("rb") as file:
            file.seek(offset)
            while data := file.read(_BLOCK_BYTES):
                yield data


@dataclass(frozen=True, slots=True)
class BucketFile:
    """An object of a store, read by ranges."""

    store: ObjectStore
    key: str
    size_bytes: int | None
    path: None = None

    @property
    def name(self) -> str:
        return self.key.rpartition("/")[2]

    @property
    def where(self) -> str:
        return f"{self.store.url}/{self.key}"

    def stream(self, offset: int) -> tuple[int, Iterator[bytes]]:
        return offset, self._read(offset)

    def _read(self, offset: int) -> Iterator[bytes]:
        while data := self.store.get(self.key, offset=offset, length=_BLOCK_BYTES):
            offset += len(data)
            yield data


def list_inputs(named: str, settings: Settings) -> Iterator[Input]:
    """Yield the files that *named* stands for, in the order of their names. Raises ConfigError, StoreError, OSError."""
    try:
        scheme = urlsplit(named).scheme.lower() if "://" in named else ""
    except ValueError as error:
        raise ConfigError(f"{named}: {error}") from error
    if scheme in {"http", "https"}:
        yield WebFile(named, settings)
    elif scheme == "s3":
        yield from _list_bucket(named, settings)
    elif scheme in {"", "file"}:
        yield from _list_local(Path(unquote(urlsplit(named).path)) if scheme else Path(named).expanduser())
    else:
        raise ConfigError(f"{named}: found the scheme {scheme}:, expected a path, http(s):// or s3://bucket/prefix")


def _list_local(path: Path) -> Iterator[Input]:
    if path.is_file():
        yield LocalFile(path)
        return
    if not path.is_dir():
        raise ConfigError(f"{path}: found no such file or folder")
    found = sorted(one for one in path.rglob("*") if one.name.lower().endswith(ENDINGS) and one.is_file())
    if not found:
        raise ConfigError(f"{path}: found no {', '.join(ENDINGS)} in this folder")
    yield from map(LocalFile, found)


def _list_bucket(named: str, settings: Settings) -> Iterator[Input]:
    bucket, _, rest = named.partition("://")[2].partition("/")
    folder, _, name = rest.rpartition("/")
    store = open_store(f"s3://{bucket}/{folder}".rstrip("/"), settings)
    found = False
    for item in store.list(name):
        if item.key.lower().endswith(ENDINGS):
            found = True
            yield BucketFile(store, item.key, item.size_bytes)
    if not found:
        raise ConfigError(f"{named}: found no object that begins so and ends with {', '.join(ENDINGS)}")
