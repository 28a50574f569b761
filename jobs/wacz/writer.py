"""The file as it grows: a zip whose parts are hashed as they are written, and what lists them at its end."""

from __future__ import annotations

import hashlib
import json
import tempfile
import zipfile
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import IO, TYPE_CHECKING, Any

from crawler.rows import format_time
from crawler.warc import digest_bytes
from jobs.wacz.index import index_record, squeeze_lines
from jobs.wacz.sorting import SortedLines

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from crawler.warc import RecordView

VERSION = "1.1.1"
MAX_PATH_CHARS = 200
MAX_PLAIN_BYTES = 512 * 1024
"""Of an index that readers fetch as a whole; a longer one is written in blocks."""
_CHUNK_BYTES = 1 << 18
_EPOCH = (1980, 1, 1, 0, 0, 0)
"""Of all parts: what is in them tells the time."""
_MARK = b"of\x00\x00"
"""An extra field without a value, for both places where a part is described: what stands before a part of unknown size
has one (ZIP64), and replayweb.page looks at that only where the directory has one too."""
_OWN = ("archive/", "indexes/", "pages/", "datapackage")


@dataclass(frozen=True, slots=True)
class Page:
    """What a player offers to begin with."""

    id: str
    """One of its own within the file."""
    url: str
    """As in the record: players look for it by that."""
    at: datetime
    title: str
    text: str | None = None
    """What players search through."""


@dataclass(frozen=True, slots=True)
class Package:
    """What the file says of itself."""

    title: str
    created: datetime
    """Part of the file's bytes."""
    software: str
    description: str = ""
    main: Page | None = None
    """The page that a player opens."""
    more: Mapping[str, Any] = field(default_factory=dict)
    """Further members of `datapackage.json`."""


@contextmanager
def write_wacz(file: IO[bytes], package: Package, *, scratch: Path | None = None) -> Iterator[WaczWriter]:
    """Lend what writes into *file*, which is finished when the block ends, and stays open.

    *scratch*: a folder for pages and for an index that is more than some megabytes. Raises OSError, ValueError.
    """
    with (
        zipfile.ZipFile(file, "w", allowZip64=True) as archive,
        SortedLines(scratch) as lines,
        tempfile.TemporaryFile(dir=scratch) as pages,
    ):
        writer = WaczWriter(archive, lines, pages, package)
        yield writer
        writer.finish()


class WarcPart:
    """A WARC file in the WACZ, as long as it is written."""

    def __init__(self, part: _Part, filename: str, lines: SortedLines) -> None:
        self._part = part
        self._filename = filename
        self._lines = lines

    @property
    def size_bytes(self) -> int:
        """How much is in it."""
        return self._part.size_bytes

    def append(self, data: bytes, records: Iterable[RecordView]) -> None:
        """Append gzip members as they are, and index *records*: the views of what lies in *data*, from its beginning.

        Raises RecordError for a record that cannot be indexed; then nothing is appended.
        """
        start = self._part.size_bytes
        found = [index_record(one, filename=self._filename, start=start) for one in records]
        for line in found:
            if line is not None:
                self._lines.add(line)
        self._part.write(data)


class WaczWriter:
    """See the package's docstring."""

    def __init__(self, archive: zipfile.ZipFile, lines: SortedLines, pages: IO[bytes], package: Package) -> None:
        self.package = package
        """Another may take its place until the end."""
        self._archive = archive
        self._lines = lines
        self._pages = pages
        self._has_text = False
        self._resources: dict[str, dict[str, Any]] = {}
        self._names: set[str] = set()

    @contextmanager
    def open_warc(self, name: str, warcinfo: bytes) -> Iterator[WarcPart]:
        """Begin the WARC file *name*, which *warcinfo* opens. No other part can be written within."""
        if "/" in name or not name.endswith(".warc.gz"):
            raise ValueError(f"{name!r}: expected a name that ends in .warc.gz")
        with self._open(f"archive/{name}") as part:
            part.write(warcinfo)
            yield WarcPart(part, name, self._lines)

    def add_page(self, page: Page) -> None:
        """List *page*, in the order of these calls. Raises OSError where the disk is full."""
        told = {"id": page.id, "url": page.url, "title": page.title, "ts": _tell_second(page.at)}
        if page.text is not None:
            told["text"] = page.text
            self._has_text = True
        self._pages.write(_encode(told))

    def add_resource(self, path: str, content: bytes | Path, *, squeeze: bool = False) -> None:
        """Put *content* in at *path*, as it is or *squeeze*d. Raises ValueError for a path that cannot be, OSError."""
        if path.startswith(_OWN):
            raise ValueError(f"{path!r}: such names are of a WACZ's own parts")
        with self._open(path, squeeze=squeeze) as part:
            if isinstance(content, bytes):
                part.write(content)
                return
            with content.open("rb") as file:
                while data := file.read(_CHUNK_BYTES):
                    part.write(data)

    def finish(self) -> None:
        """Write index and pages, then what lists all parts."""
        package = self.package
        self._put_index()
        self._put_pages()
        told: dict[str, Any] = {
            "profile": "data-package",
            "wacz_version": VERSION,
            "title": package.title,
            "description": package.description,
            "created": format_time(package.created),
            "software": package.software,
        }
        if package.main is not None:
            told |= {"mainPageUrl": package.main.url, "mainPageDate": _tell_second(package.main.at)}
        told |= {**package.more, "resources": list(self._resources.values())}
        data = _encode(told, indent=1)
        self._put("datapackage.json", data)
        digest = {"path": "datapackage.json", "hash": digest_bytes(data)}
        self._put("datapackage-digest.json", _encode(digest, indent=1))

    def _put_index(self) -> None:
        if self._lines.size_bytes <= MAX_PLAIN_BYTES:
            with self._open("indexes/index.cdx") as part:
                for line in self._lines.merge():
                    part.write(line)
            return
        told = []  # a three-hundredth of the lines
        with self._open("indexes/index.cdx.gz") as part:
            for data, line in squeeze_lines(self._lines.merge(), filename="index.cdx.gz"):
                part.write(data)
                told.append(line)
        with self._open("indexes/index.idx") as part:
            for line in told:
                part.write(line)

    def _put_pages(self) -> None:
        head: dict[str, Any] = {"format": "json-pages-1.0", "id": "pages", "title": "All pages"}
        self._pages.seek(0)
        with self._open("pages/pages.jsonl", squeeze=self._has_text) as part:
            part.write(_encode(head | ({"hasText": True} if self._has_text else {})))
            while data := self._pages.read(_CHUNK_BYTES):
                part.write(data)

    @contextmanager
    def _open(self, path: str, *, squeeze: bool = False) -> Iterator[_Part]:
        _check_path(path)
        if path in self._resources:
            raise ValueError(f"{path!r}: is in the file already")
        entry = _describe(path)
        entry.compress_type = zipfile.ZIP_DEFLATED if squeeze else zipfile.ZIP_STORED
        entry.extra = _MARK
        # nobody knows yet how long it will be
        with self._archive.open(entry, "w", force_zip64=True) as file:
            part = _Part(file)
            yield part
        name = path.rpartition("/")[2].lower()
        while name in self._names:  # two folders may have files of one name
            name = f"{path.replace('/', '-').lower()}-{len(self._names)}"
        self._names.add(name)
        self._resources[path] = {"name": name, "path": path, "hash": part.digest, "bytes": part.size_bytes}

    def _put(self, path: str, data: bytes) -> None:
        self._archive.writestr(_describe(path), data, zipfile.ZIP_STORED)


class _Part:
    """A part of the zip file, as it is written."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._hash = hashlib.sha256()
        self.size_bytes = 0

    def write(self, data: bytes) -> None:
        self._file.write(data)
        self._hash.update(data)
        self.size_bytes += len(data)

    @property
    def digest(self) -> str:
        return f"sha256:{self._hash.hexdigest()}"


def _check_path(path: str) -> None:
    parts = PurePosixPath(path).parts
    odd = not path.isascii() or not path.isprintable() or "\\" in path or ":" in path
    if (
        not parts
        or odd
        or "/".join(parts) != path
        or ".." in parts
        or path.startswith("/")
        or len(path) > MAX_PATH_CHARS
    ):
        raise ValueError(f"{path[:300]!r}: expected a relative path of at most {MAX_PATH_CHARS} plain characters")


def _describe(path: str) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(path, _EPOCH)
    entry.create_system = 3
    entry.external_attr = 0o644 << 16
    return entry


def _tell_second(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def _encode(told: Mapping[str, Any], *, indent: int | None = None) -> bytes:
    return json.dumps(told, ensure_ascii=False, indent=indent).encode("utf-8", "replace") + b"\n"
