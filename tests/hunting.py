"""Looks for words in whatever an archive or its local state is made of: every container is opened, whoever wrote it.

Independent of the code that it judges: formats are taken apart here, down to free pages of SQLite and frames in the
middle of a file. What is found is told by its path: object, version, member, frame.
"""

from __future__ import annotations

import html
import io
import json
import sqlite3
import struct
import zipfile
import zlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pyarrow.parquet as pq
import zstandard

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from types_boto3_s3 import S3Client

_GZIP, _ZSTD, _SQLITE = b"\x1f\x8b\x08", b"\x28\xb5\x2f\xfd", b"SQLite format 3\0"
_DICTIONARY = b"\x5d\x2a\x4d\x18"
"""The skippable frame that a .warc.zst begins with."""
_MAX_DEPTH = 6
_MAX_INFLATED = 64 << 20
_CUT = 3
"""A full-text index may leave out so many letters that a word has in common with the one before it."""
_CHAIN_TRIES = 4_000
_WAL_HEAD, _WAL_FRAME = 32, 24


@dataclass
class Hunter:
    """Hunts for *texts* (any place, any case) and for *words* that are like no other word, as an index keeps them."""

    texts: Iterable[str]
    words: Iterable[str] = ()
    found: list[str] = field(default_factory=list)
    looked_at: int = 0
    """Containers and files, of all depths."""

    def __post_init__(self) -> None:
        self._needles = {needle: text for text in self.texts for needle in _spell(text)}
        self._needles |= {needle: word for word in self.words for needle in _spell(word[_CUT:])}

    def look(self, where: str, data: bytes, *, depth: int = 0) -> None:
        """Look through *data* and all that can be opened in it."""
        self.looked_at += 1
        folded = data.lower()
        for needle, text in self._needles.items():
            if needle in folded:
                self.found.append(f"{where}: {text}")
        if depth >= _MAX_DEPTH:
            return
        if data.startswith(_SQLITE):
            self._look_tables(where, data, depth)
        for name, inner in self._open(data):
            self.look(f"{where}!{name}", inner, depth=depth + 1)

    def look_below(self, folder: Path) -> None:
        """Look through every file below *folder*; SQLite's with their write-ahead logs."""
        for path in sorted(folder.rglob("*")):
            if path.is_file() and not path.is_symlink():
                data = path.read_bytes()
                self.look(str(path), data)
                if data.startswith(_SQLITE):
                    log = path.with_name(path.name + "-wal")
                    self._look_pages(str(path), data, log.read_bytes() if log.exists() else b"")

    def look_in_bucket(self, client: S3Client, bucket: str, prefix: str = "") -> None:
        """Look through every version of every object; what an unfinished upload sent cannot be read, and is found."""
        for page in client.get_paginator("list_object_versions").paginate(Bucket=bucket, Prefix=prefix):
            for one in page.get("Versions", []):
                with client.get_object(Bucket=bucket, Key=one["Key"], VersionId=one["VersionId"])["Body"] as body:
                    self.look(f"s3://{bucket}/{one['Key']}@{one['VersionId']}", body.read())
        for upload in client.list_multipart_uploads(Bucket=bucket, Prefix=prefix).get("Uploads", []):
            self.found.append(f"s3://{bucket}/{upload['Key']}: an unfinished upload")

    def _open(self, data: bytes) -> Iterator[tuple[str, bytes]]:
        yield from _open_gzip(data)
        yield from _open_zstd(data)
        yield from _open_coded(data)
        if data[:4] == b"PAR1":
            rows = pq.read_table(io.BytesIO(data)).to_pylist()
            yield "parquet", json.dumps(rows, default=str, ensure_ascii=False).encode()
        if data[:4] == b"PK\x03\x04":
            with zipfile.ZipFile(io.BytesIO(data)) as pack:
                for name in pack.namelist():
                    yield name, pack.read(name)

    def _look_tables(self, where: str, data: bytes, depth: int) -> None:
        """Look through what the tables hold now: a value that lies on several pages is whole only so."""
        with sqlite3.connect(":memory:") as db:
            db.text_factory = bytes
            if data[18:20] == b"\x02\x02":  # a log that is written ahead needs a file
                data = data[:18] + b"\x01\x01" + data[20:]
            db.deserialize(data)
            query = "SELECT name FROM sqlite_master WHERE type = 'table' AND sql NOT LIKE '%VIRTUAL%'"
            for (name,) in db.execute(query).fetchall():
                for row in db.execute(f'SELECT * FROM "{name.decode()}"'):
                    for value in row:
                        if isinstance(value, bytes):
                            self.look(f"{where}!{name.decode()}", value, depth=depth + 1)
        db.close()

    def _look_pages(self, where: str, data: bytes, log: bytes) -> None:
        """Look through what was compressed and then deleted: put together from free pages, and from the log's."""
        size = int.from_bytes(data[16:18], "big")
        size = 65_536 if size == 1 else size
        images: dict[int, list[bytes]] = {}
        for number, start in enumerate(range(0, len(data), size), 1):
            images.setdefault(number, []).append(data[start : start + size])
        for start in range(_WAL_HEAD, len(log) - size, size + _WAL_FRAME):
            (number,) = struct.unpack(">I", log[start : start + 4])
            images.setdefault(number, []).append(log[start + _WAL_FRAME : start + _WAL_FRAME + size])
        for number, pages in images.items():
            for page in pages:
                for at in _find_all(page, _ZSTD):
                    for inner in _chain(page, at, images):
                        self.look(f"{where}!page {number}", inner, depth=1)


def _spell(text: str) -> set[bytes]:
    """Return how *text* may be spelt; of letters beyond ASCII as it is, in lower and in upper case."""
    cases = {text, text.lower(), text.upper()}
    forms = cases | {json.dumps(one)[1:-1] for one in cases} | {html.escape(one) for one in cases}
    forms |= {html.escape(one, quote=False) for one in cases}
    encoded = {form.encode(coding) for form in forms for coding in ("utf-8", "utf-16-le", "utf-16-be")}
    return {one.lower() for one in encoded}


def _find_all(data: bytes, mark: bytes) -> Iterator[int]:
    at = data.find(mark)
    while at >= 0:
        yield at
        at = data.find(mark, at + 1)


def _open_gzip(data: bytes) -> Iterator[tuple[str, bytes]]:
    for at in _find_all(data, _GZIP):
        reader = zlib.decompressobj(31)
        try:
            inner = reader.decompress(data[at:], _MAX_INFLATED)
        except zlib.error:
            continue
        yield f"gzip {at}", inner


def _open_zstd(data: bytes) -> Iterator[tuple[str, bytes]]:
    known = [zstandard.ZstdDecompressor()]
    if data[:4] == _DICTIONARY:
        words = data[8 : 8 + int.from_bytes(data[4:8], "little")]
        if words[:4] == _ZSTD:
            words = zstandard.ZstdDecompressor().decompress(words, max_output_size=_MAX_INFLATED)
        known.insert(0, zstandard.ZstdDecompressor(dict_data=zstandard.ZstdCompressionDict(words)))
    for at in _find_all(data, _ZSTD):
        inner = next((found for one in known if (found := _inflate_frame(one, data[at:])) is not None), None)
        if inner is not None:
            yield f"zstd {at}", inner


def _inflate_frame(reader: zstandard.ZstdDecompressor, data: bytes) -> bytes | None:
    try:
        return reader.decompressobj().decompress(data)
    except zstandard.ZstdError:
        return None


def _open_coded(data: bytes) -> Iterator[tuple[str, bytes]]:
    """Yield the body of a recorded answer whose coding has no mark of its own."""
    head, _, rest = data[:65_536].partition(b"\r\n\r\n")
    if not head.startswith(b"WARC/") or not rest.startswith(b"HTTP/"):
        return
    coding = rest.partition(b"\r\n\r\n")[0].lower()
    body = data.split(b"\r\n\r\n", 2)[2]
    if b"content-encoding: br" in coding:
        import brotli

        yield "br", brotli.decompress(body[:-4])
    if b"content-encoding: deflate" in coding:
        for bits in (15, -15):
            try:
                yield "deflate", zlib.decompressobj(bits).decompress(body)
            except zlib.error:
                continue


def _chain(page: bytes, at: int, images: dict[int, list[bytes]]) -> Iterator[bytes]:
    """Yield the frame that begins *at* and may go on over pages: behind its part here stands the next one's number."""
    whole = _read_frame(page[at:])
    if whole is not None:
        yield whole
        return
    tries = 0
    for end in range(at + 8, len(page) - 3):
        number = int.from_bytes(page[end : end + 4], "big")
        if number not in images or tries >= _CHAIN_TRIES:
            continue
        for first in images[number]:
            tries += 1
            parts, following = [page[at:end]], first
            seen = {number}
            while True:
                parts.append(following[4:])
                after = int.from_bytes(following[:4], "big")
                if after in seen or after not in images:
                    break
                seen.add(after)
                following = images[after][-1]
            found = _read_frame(b"".join(parts))
            if found is not None:
                yield found
                return


def _read_frame(data: bytes) -> bytes | None:
    """Return the frame at the beginning of *data*; `None` where it is none that ends there."""
    reader: Any = zstandard.ZstdDecompressor().decompressobj()
    try:
        inner = reader.decompress(data)
    except zstandard.ZstdError:
        return None
    return bytes(inner) if reader.eof else None
