"""Exchanges ⇄ WARC/1.1 records (FORMAT.md § 5), each a gzip member of its own, and the CDXJ line of a capture.

The bytes are a function of the input alone. Reading trusts nothing: members, headers, lengths and digests are checked,
sizes bounded. Never touches the clock; reads files, writes none.
"""

from __future__ import annotations

import hashlib
import json
import re
import uuid
import zlib
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from isal import isal_zlib

from config.errors import RecordError
from crawler.model import Exchange, Purpose
from crawler.rows import Extent, format_time
from crawler.urls import surt

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from crawler.rows import CaptureRow

MAX_RECORD_BYTES = 1 << 30
"""A record that inflates to more is refused."""

_CHUNK_BYTES = 1 << 18
_SQUEEZED_CODINGS = ("gzip", "x-gzip", "deflate", "br", "zstd", "compress")
_NAMESPACE = uuid.UUID("6a1f2c55-3c0e-5d0a-9d8b-0f3f6e6d7a11")
_HTTP_STATUS = re.compile(rb"HTTP/\d(?:\.\d)? +(\d{3})(?:[ \r]|$)")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_END = b"\r\n\r\n"

Headers = list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Recorded:
    """The gzip members of one exchange, ready to be appended to a WARC file."""

    data: bytes
    request: Extent | None
    """Relative to `data`."""
    response: Extent | None
    """Relative to `data`."""
    payload_digest: str | None
    """`sha256:` and hex, of the body as stored."""
    records: int


NOTHING_RECORDED = Recorded(b"", None, None, None, 0)
"""Of an exchange that got no answer."""


def digest_bytes(data: bytes) -> str:
    """Return the labelled digest of *data* (`sha256:<hex>`)."""
    return "sha256:" + hashlib.sha256(data).hexdigest()


def encode_warcinfo(*, filename: str, run: str, source: str, software: str, created: datetime) -> tuple[bytes, str]:
    """Return the gzip member that opens the WARC file *filename*, and its record id (`<urn:uuid:…>`)."""
    fields = [
        ("software", software),
        ("format", "WARC File Format 1.1"),
        ("conformsTo", "https://iipc.github.io/warc-specifications/specifications/warc-format/warc-1.1/"),
        ("isPartOf", run),
        ("ofrecord-source", source),
    ]
    block = b"".join(_header_line(name, value) for name, value in fields)
    record_id = _make_id("warcinfo", filename, _warc_time(created), run)
    headers = [("WARC-Filename", filename)]
    return _encode_record(
        "warcinfo", record_id, created, headers, content_type="application/warc-fields", block=block
    ), record_id


def encode_exchange(exchange: Exchange, *, warcinfo_id: str | None = None) -> Recorded:
    """Return *exchange* as a response and a request record; nothing if there was no answer.

    *warcinfo_id*: put on both as WARC-Warcinfo-ID; without it the warcinfo is the one before them in the file.
    Raises RecordError if a head does not end with an empty line, or a value would break a header line.
    """
    if exchange.status is None:
        return NOTHING_RECORDED
    for name, head in (("response", exchange.response_head), ("request", exchange.request_head or _END)):
        if not head.endswith(_END):
            raise RecordError(f"{exchange.url}: the {name}'s head does not end with an empty line: {head[-40:]!r}")
    payload_digest = digest_bytes(exchange.body)
    seed = (exchange.url, _warc_time(exchange.started_at), digest_bytes(exchange.request_head), payload_digest)
    response_id = _make_id("response", digest_bytes(exchange.response_head), *seed)
    common = [("WARC-Warcinfo-ID", warcinfo_id)] if warcinfo_id else []
    common.append(("WARC-Target-URI", exchange.url))
    common += [("WARC-IP-Address", exchange.peer)] if exchange.peer else []
    common += [("WARC-Via-Proxy", "yes")] if exchange.via_proxy else []
    headers = [*common, ("WARC-Payload-Digest", payload_digest)]
    headers += [("WARC-Truncated", exchange.truncated)] if exchange.truncated else []
    response = _encode_record(
        "response",
        response_id,
        exchange.started_at,
        headers,
        content_type="application/http; msgtype=response",
        block=exchange.response_head + exchange.body,
        squeezed=_is_squeezed(exchange),
    )
    place = Extent(0, len(response))
    if not exchange.request_head:
        return Recorded(response, None, place, payload_digest, 1)
    headers = [*common, ("WARC-Concurrent-To", response_id)]
    headers += [("WARC-Masked-Header", ", ".join(exchange.masked))] if exchange.masked else []
    request = _encode_record(
        "request",
        _make_id("request", response_id, *seed),
        exchange.started_at,
        headers,
        content_type="application/http; msgtype=request",
        block=exchange.request_head,
    )
    return Recorded(response + request, Extent(len(response), len(request)), place, payload_digest, 2)


def cdxj_line(capture: CaptureRow, *, filename: str) -> str:
    """Return the CDXJ 0.1.0 line of *capture*'s response in the WARC file *filename*, without a newline.

    Raises RecordError if the capture has no response.
    """
    if capture.warc is None or capture.warc.response is None or capture.status is None:
        raise RecordError(f"capture {capture.n}, {capture.target_uri}: has no response to index")
    try:
        key = surt(capture.target_uri)
    except ValueError:  # an odd URL is still a capture: it sorts under itself
        key = re.sub(r"\s", "%20", capture.target_uri)
    fields = {
        "url": capture.target_uri,
        "mime": capture.media_type or "unk",
        "status": str(capture.status),
        "digest": capture.payload_digest,
        "length": str(capture.warc.response.length),
        "offset": str(capture.warc.response.offset),
        "filename": filename,
    }
    stamp = capture.captured_at.astimezone(UTC).strftime("%Y%m%d%H%M%S")
    return f"{key} {stamp} {json.dumps(fields)}"


# --- reading


@dataclass(frozen=True, slots=True)
class RecordView:
    """One record as found in a WARC file."""

    offset: int
    """Of its gzip member in the file."""
    length: int
    """Of the gzip member."""
    headers: tuple[tuple[str, str], ...]
    block: bytes
    where: str
    """File and offset, for messages."""

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
    """Yield the records of a WARC file in order, each from a gzip member of its own.

    Digests are not checked: see `RecordView.find_faults`. Raises RecordError with file and offset at the first
    member that is cut, damaged, no single record, or inflates to more than *limit* bytes.
    """
    if isinstance(source, Path):
        with source.open("rb") as file:
            yield from _read_members(file, str(source), limit)
    else:
        yield from _read_members(source, str(getattr(source, "name", "WARC")), limit)


def read_member(data: bytes, *, where: str = "record", limit: int = MAX_RECORD_BYTES) -> RecordView:
    """Return the record in *data*, which must be one gzip member and no more. Raises RecordError."""
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
    return _parse_record(record, 0, len(data), where)


def read_response(data: bytes, *, where: str = "record", limit: int = MAX_RECORD_BYTES) -> StoredResponse:
    """Return the response in *data*, one gzip member, its digests checked. Raises RecordError naming *where*."""
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


def _read_members(file: BinaryIO, name: str, limit: int) -> Iterator[RecordView]:
    offset = 0
    data = file.read(_CHUNK_BYTES)
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
        yield _parse_record(bytes(record), offset, length, where)
        offset += length
        data = data or file.read(_CHUNK_BYTES)


def _parse_record(data: bytes, offset: int, length: int, where: str) -> RecordView:
    head, end, rest = data.partition(_END)
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
    return RecordView(offset, length, tuple(headers), rest[:size], where)


# --- writing


def _encode_record(
    kind: str,
    record_id: str,
    date: datetime,
    headers: Headers,
    *,
    content_type: str,
    block: bytes,
    squeezed: bool = False,
) -> bytes:
    lines = [
        ("WARC-Type", kind),
        ("WARC-Record-ID", record_id),
        ("WARC-Date", _warc_time(date)),
        *headers,
        ("WARC-Block-Digest", digest_bytes(block)),
        ("Content-Type", content_type),
        ("Content-Length", str(len(block))),
    ]
    head = b"WARC/1.1\r\n" + b"".join(_header_line(name, value) for name, value in lines) + b"\r\n"
    return _compress([head, block, _END], squeezed=squeezed)


def _compress(parts: Sequence[bytes], *, squeezed: bool) -> bytes:
    """Return *parts* as one gzip member. *squeezed*: they hold what is compressed already, so it is only stored."""
    if squeezed:
        stored = zlib.compressobj(0, zlib.DEFLATED, 31)
        return b"".join([*(stored.compress(part) for part in parts), stored.flush()])
    compressor = isal_zlib.compressobj(isal_zlib.ISAL_BEST_COMPRESSION, wbits=31)
    return b"".join([*(compressor.compress(part) for part in parts), compressor.flush()])


def _header_line(name: str, value: str) -> bytes:
    if _CONTROL.search(value):
        raise RecordError(f"WARC header {name}: found a control character in {value[:200]!r}")
    return f"{name}: {value}\r\n".encode("utf-8", "surrogateescape")


def _is_squeezed(exchange: Exchange) -> bool:
    codings = ",".join(exchange.header_values("Content-Encoding")).lower()
    media = (exchange.header("Content-Type") or "").lower()
    return any(coding in codings for coding in _SQUEEZED_CODINGS) or media.startswith(("image/jp", "video/", "audio/"))


def _make_id(*parts: str) -> str:
    """Return a record id made from everything that tells this record from any other."""
    return f"<urn:uuid:{uuid.uuid5(_NAMESPACE, json.dumps(parts))}>"


def _warc_time(value: datetime) -> str:
    text = format_time(value)
    return text if "." in text else text[:-1] + ".000000Z"
