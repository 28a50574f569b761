"""WARC/1.1 records as they lie in a file → views of them, for recovery and for those who derive a page again.

A record is a gzip member or, in what was compacted, a zstd frame: what stands first tells. Trusts nothing: members,
headers, lengths and digests are checked, sizes bounded.
"""

from __future__ import annotations

import os
import re
import zlib
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from config.errors import RecordError
from crawler.model import Exchange, Purpose
from crawler.warc.frames import (
    FileBytes,
    inflate_frame,
    is_zstd,
    load_dictionary,
    measure_frame,
    read_frames,
    skip_extensions,
    split_dictionary,
)
from crawler.warc.writer import digest_bytes

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_RECORD_BYTES = 1 << 30
"""A record that inflates to more is refused."""

_CHUNK_BYTES = 1 << 18
_SNIFFED_BYTES = 4
_HTTP_STATUS = re.compile(rb"HTTP/\d(?:\.\d)? +(\d{3})(?:[ \r]|$)")
_END = b"\r\n\r\n"
_MAX_HEAD_BYTES = 256 * 1024
"""Of a record's own headers: a line of four bytes that deflates to nothing takes two hundred in memory."""


@dataclass(frozen=True, slots=True)
class RecordView:
    """One record as found in a WARC file."""

    offset: int
    """Of its gzip member or zstd frame in the file."""
    length: int
    """Of that member."""
    headers: tuple[tuple[str, str], ...]
    block: bytes
    where: str
    """File and offset, for messages."""
    head: bytes = b""
    """Its own headers as they stand, the empty line included."""

    def header(self, name: str) -> str | None:
        """Return the first value of header *name*, in whatever case it is written."""
        wanted = name.lower()
        return next((value for key, value in self.headers if key.lower() == wanted), None)

    @property
    def type(self) -> str:
        """The record's WARC-Type."""
        return self.header("WARC-Type") or ""

    @property
    def payload(self) -> bytes:
        """The HTTP body, for requests and responses; else the block."""
        if (self.header("Content-Type") or "").startswith("application/http"):
            return self.block.partition(_END)[2]
        return self.block

    def find_faults(self) -> list[str]:
        """Return what is wrong with the digests: each header that is missing or does not match, in words."""
        faults = []
        checks = [("WARC-Block-Digest", self.block)]
        if self.type == "response":
            checks.append(("WARC-Payload-Digest", self.payload))
        for name, data in checks:
            stated, found = self.header(name), digest_bytes(data)
            if stated != found:
                faults.append(f"{self.where}: {name}: found {found}, the record says {stated}")
        return faults


@dataclass(frozen=True, slots=True)
class StoredResponse:
    """A response as it lies in an archive."""

    target_uri: str
    captured_at: datetime
    status: int
    head: bytes
    """Status line and header lines, ended by an empty line."""
    body: bytes
    """Transfer coding removed, content coding kept."""
    payload_digest: str
    truncated: str | None

    def exchange(self, purpose: Purpose = Purpose.ARTICLE) -> Exchange:
        """Return it as an exchange that a worker can read again; the request is not part of it."""
        return Exchange(
            url=self.target_uri,
            purpose=purpose,
            started_at=self.captured_at,
            seconds=0.0,
            request_head=b"",
            status=self.status,
            response_head=self.head,
            body=self.body,
            truncated=self.truncated,
        )


def read_records(source: Path | BinaryIO, *, limit: int = MAX_RECORD_BYTES) -> Iterator[RecordView]:
    """Yield the records of a WARC file in order, each from a gzip member or zstd frame of its own.

    Of zstd frames *source* is read by seeking, from where it stands. Digests are not checked: see
    `RecordView.find_faults`. Raises RecordError with file and offset at the first member that is cut, damaged, no
    single record, or inflates to more than *limit* bytes.
    """
    if isinstance(source, Path):
        with source.open("rb") as file:
            yield from _read_any(file, str(source), limit)
    else:
        yield from _read_any(source, str(getattr(source, "name", "WARC")), limit)


class MemberFile:
    """A WARC file whose records are read at offsets, each as it is: headers, block and two line ends."""

    def __init__(self, file: BinaryIO, name: str) -> None:
        """Raises RecordError where the file begins with a dictionary that cannot be read."""
        self._file = file
        self._name = name
        self._data = FileBytes(file, 0)
        self.is_zstd = is_zstd(self._data[0:_SNIFFED_BYTES])
        frame = split_dictionary(self._data) if self.is_zstd else b""
        self.first = len(frame)
        """Where the first member begins."""
        self._dictionary = load_dictionary(frame)

    def read(self, offset: int, *, limit: int = MAX_RECORD_BYTES) -> tuple[int, int, bytes]:
        """Return where the first member at or behind *offset* begins, how long it is, and its record.

        Raises RecordError.
        """
        if not self.is_zstd:
            self._file.seek(offset)
            found = next(_read_members(self._file, b"", f"{self._name}: from {offset}", limit), None)
            if found is None:
                raise RecordError(f"{self._name}: no member at byte {offset}")
            return offset, found[1], found[2]
        offset = skip_extensions(self._data, offset)
        try:
            length, size = measure_frame(self._data, offset, limit)
            return offset, length, inflate_frame(self._data[offset : offset + length], self._dictionary, size)
        except RecordError as error:
            raise RecordError(f"{self._name}: offset {offset}: {error}") from error


def read_member(data: bytes, *, where: str = "record", limit: int = MAX_RECORD_BYTES) -> RecordView:
    """Return the record in *data*, as `inflate_member` takes it. Raises RecordError."""
    return parse_record(inflate_member(data, where=where, limit=limit), where, 0, len(data))


def inflate_member(data: bytes, *, where: str = "record", limit: int = MAX_RECORD_BYTES) -> bytes:
    """Return the record in *data* as it is: headers, block and two line ends. Raises RecordError.

    *data*: one gzip member and no more, or one zstd frame, with the dictionary frame before it that it needs.
    """
    if is_zstd(data):
        found = list(islice(read_frames(data, where, limit), 2))
        if len(found) != 1 or found[0][0] + found[0][1] != len(data):
            raise RecordError(f"{where}: expected one zstd frame and no more in {len(data)} bytes")
        return found[0][2]
    inflater = zlib.decompressobj(31)
    try:
        record = inflater.decompress(data, limit + 1)
    except zlib.error as error:
        raise RecordError(f"{where}: damaged gzip member of {len(data)} bytes: {error}") from error
    if len(record) > limit:
        raise RecordError(f"{where}: the record inflates to more than {limit} bytes")
    if not inflater.eof:
        raise RecordError(f"{where}: the gzip member is cut: found {len(data)} bytes and no end")
    if inflater.unused_data:
        raise RecordError(f"{where}: {len(inflater.unused_data)} bytes after the gzip member's end")
    return record


def read_response(data: bytes, *, where: str = "record", limit: int = MAX_RECORD_BYTES) -> StoredResponse:
    """Return the response in *data*, one member, its digests checked. Raises RecordError naming *where*."""
    record = read_member(data, where=where, limit=limit)
    faults = record.find_faults()
    if record.type != "response":
        raise RecordError(f"{where}: found a record of type {record.type!r}, expected a response")
    if faults:
        raise RecordError(faults[0])
    match = _HTTP_STATUS.match(record.block)
    head, end, body = record.block.partition(_END)
    target, stamp = record.header("WARC-Target-URI"), record.header("WARC-Date") or ""
    try:
        captured_at = datetime.fromisoformat(stamp).astimezone(UTC)
    except ValueError as error:
        raise RecordError(f"{where}: WARC-Date: found {stamp!r}, expected RFC 3339") from error
    if match is None or not end or target is None:
        raise RecordError(f"{where}: a response without status line, end of headers or WARC-Target-URI")
    return StoredResponse(
        target_uri=target,
        captured_at=captured_at,
        status=int(match[1]),
        head=head + end,
        body=body,
        payload_digest=record.header("WARC-Payload-Digest") or "",
        truncated=record.header("WARC-Truncated"),
    )


def _read_any(file: BinaryIO, name: str, limit: int) -> Iterator[RecordView]:
    head = file.read(_SNIFFED_BYTES)
    if is_zstd(head):
        file.seek(-len(head), os.SEEK_CUR)
        members = read_frames(FileBytes(file, file.tell()), name, limit)
    else:
        members = _read_members(file, head, name, limit)
    for offset, length, record in members:
        yield parse_record(record, f"{name}: offset {offset}", offset, length)


def _read_members(file: BinaryIO, head: bytes, name: str, limit: int) -> Iterator[tuple[int, int, bytes]]:
    offset = 0
    data = head + file.read(_CHUNK_BYTES)
    while data:
        where = f"{name}: offset {offset}"
        inflater, record, fed = zlib.decompressobj(31), bytearray(), len(data)
        while True:
            try:
                record += inflater.decompress(data, limit + 1 - len(record))
            except zlib.error as error:
                raise RecordError(f"{where}: damaged gzip member: {error}") from error
            if len(record) > limit:
                raise RecordError(f"{where}: the record inflates to more than {limit} bytes")
            if inflater.eof:
                break
            data = inflater.unconsumed_tail
            if not data:
                data = file.read(_CHUNK_BYTES)
                fed += len(data)
                if not data:
                    raise RecordError(f"{where}: the file ends inside a gzip member, {fed} bytes after its beginning")
        data = inflater.unused_data
        length = fed - len(data)
        yield offset, length, bytes(record)
        offset += length
        data = data or file.read(_CHUNK_BYTES)


def parse_record(data: bytes, where: str, offset: int = 0, length: int = 0) -> RecordView:
    """Return a view of the record *data*, whose member lies so. *where*: for messages. Raises RecordError."""
    head, end, rest = data.partition(_END)
    if len(head) > _MAX_HEAD_BYTES:
        raise RecordError(f"{where}: {len(head)} bytes of headers, expected at most {_MAX_HEAD_BYTES}")
    lines = head.split(b"\r\n")
    if not end or not lines[0].startswith(b"WARC/1."):
        raise RecordError(f"{where}: found {data[:20]!r}, expected the headers of a WARC/1.1 record")
    headers = []
    for line in lines[1:]:
        name, colon, value = line.partition(b":")
        if not colon:
            raise RecordError(f"{where}: a header line without a colon: {line[:60]!r}")
        headers.append((name.decode("utf-8", "replace"), value.strip().decode("utf-8", "replace")))
    stated = next((value for name, value in headers if name.lower() == "content-length"), "")
    if not (stated.isascii() and stated.isdigit()) or len(stated) > 12:
        raise RecordError(f"{where}: Content-Length: found {stated!r}, expected a number")
    size = int(stated)
    if len(rest) != size + len(_END) or not rest.endswith(_END):
        raise RecordError(
            f"{where}: Content-Length is {size}, but the member holds {len(rest) - len(_END)} bytes of block"
        )
    return RecordView(offset, length, tuple(headers), rest[:size], where, head + end)
