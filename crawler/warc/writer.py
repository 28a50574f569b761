"""Exchanges → WARC/1.1 records (FORMAT.md § 5), each a gzip member of its own, and the CDXJ line of a capture.

The bytes are a function of the input alone. Never touches the clock or a file.
"""

from __future__ import annotations

import hashlib
import json
import re
import zlib
from dataclasses import replace
from datetime import UTC, datetime
from functools import lru_cache
from itertools import accumulate
from typing import TYPE_CHECKING

from isal import isal_zlib

from config.errors import RecordError
from crawler.model import read_fields
from crawler.rows import Extent, format_time
from crawler.urls import surt
from crawler.warc.recorded import NOTHING_RECORDED, Recorded

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from crawler.model import Exchange
    from crawler.rows import CaptureRow

_SQUEEZED_CODINGS = ("gzip", "x-gzip", "deflate", "br", "zstd", "compress")
_NAMESPACE = bytes.fromhex("6a1f2c553c0e5d0a9d8b0f3f6e6d7a11")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_END = b"\r\n\r\n"
_PROFILES = "http://netpreserve.org/warc/1.1/revisit/"
NOT_MODIFIED = 304

Headers = list[tuple[str, str]]


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
    block = _header_lines(fields)
    record_id = _make_id("warcinfo", filename, _warc_time(created), run)
    headers = [("WARC-Filename", filename)]
    return _encode_record(
        "warcinfo", record_id, created, headers, content_type="application/warc-fields", block=block
    ), record_id


def encode_exchange(exchange: Exchange, *, warcinfo_id: str | None = None) -> Recorded:
    """Return *exchange* as a response or revisit record, its request's and, of a secured one, a metadata record.

    Between the first two, of a page that was rendered, the document as rendered.

    Nothing if there was no answer. *warcinfo_id*: put on each as WARC-Warcinfo-ID; without it the warcinfo is the one
    before them in the file. Raises RecordError if a head does not end with an empty line, or a value would break a
    header line.
    """
    if exchange.status is None:
        return NOTHING_RECORDED
    for name, head in (("response", exchange.response_head), ("request", exchange.request_head or _END)):
        if not head.endswith(_END):
            raise RecordError(f"{exchange.url}: the {name}'s head does not end with an empty line: {head[-40:]!r}")
    digest = None if _is_not_modified(exchange) else digest_bytes(exchange.body)
    seed = (exchange.url, _warc_time(exchange.started_at), digest_bytes(exchange.request_head), digest or "")
    answer_id = _make_id("response", digest_bytes(exchange.response_head), *seed)
    common = [("WARC-Warcinfo-ID", warcinfo_id)] if warcinfo_id else []
    common.append(("WARC-Target-URI", exchange.url))
    common += [("WARC-IP-Address", exchange.peer)] if exchange.peer else []
    common += [("WARC-Via-Proxy", "yes")] if exchange.via_proxy else []
    answer, head_digest = _encode_answer(exchange, answer_id, common, digest)
    beside = [*common, ("WARC-Concurrent-To", answer_id)]
    request = _encode_request(exchange, _make_id("request", answer_id, *seed), beside)
    metadata = _encode_metadata(exchange, answer_id, beside, seed)
    rendered = _encode_rendition(exchange, answer_id, common, seed)
    members = [answer, rendered, request, metadata]
    ends = list(accumulate(map(len, members)))
    places = [Extent(end - len(data), len(data)) if data else None for end, data in zip(ends, members, strict=True)]
    return Recorded(
        b"".join(members),
        request=places[2],
        response=places[0] and replace(places[0], head=head_digest),
        payload_digest=digest,
        records=sum(map(bool, members)),
        metadata=places[3],
        rendered=places[1],
    )


def _is_not_modified(exchange: Exchange) -> bool:
    return exchange.refers_to is not None and exchange.status == NOT_MODIFIED


def _encode_answer(exchange: Exchange, record_id: str, common: Headers, digest: str | None) -> tuple[bytes, str]:
    """Return the response record, or the revisit record in its place, and the digest of its head."""
    headers = [*common, *([("WARC-Payload-Digest", digest)] if digest else [])]
    body = exchange.body
    referred = exchange.refers_to
    if referred is not None:
        body = b""
        headers += [
            ("WARC-Profile", _PROFILES + ("server-not-modified" if digest is None else "identical-payload-digest")),
            ("WARC-Refers-To-Target-URI", referred.target_uri),
            ("WARC-Refers-To-Date", _warc_time(referred.captured_at)),
        ]
        headers += [("WARC-Truncated", "length")] if digest else []  # WARC 1.1 asks for it where a payload is left out
    elif exchange.truncated:
        headers.append(("WARC-Truncated", exchange.truncated))
    block = exchange.response_head + body
    head = _encode_head(
        "response" if referred is None else "revisit",
        record_id,
        exchange.started_at,
        headers,
        content_type="application/http; msgtype=response",
        block=block,
    )
    squeezed = bool(body) and is_squeezed(exchange.response_head)
    return compress_record([head, block, _END], squeezed=squeezed), digest_bytes(head)


def _encode_rendition(exchange: Exchange, answer_id: str, common: Headers, seed: tuple[str, ...]) -> bytes:
    rendition = exchange.rendition
    if rendition is None or not rendition.document:
        return b""
    digest = digest_bytes(rendition.document)
    headers = [
        *common,
        ("WARC-Refers-To", answer_id),
        ("WARC-Rendered-By", rendition.browser),
        ("WARC-Payload-Digest", digest),
    ]
    return _encode_record(
        "conversion",
        _make_id("conversion", answer_id, digest, *seed),
        exchange.started_at,
        headers,
        content_type="text/html; charset=utf-8",
        block=rendition.document,
    )


def _encode_request(exchange: Exchange, record_id: str, headers: Headers) -> bytes:
    if not exchange.request_head:
        return b""
    masked = [("WARC-Masked-Header", ", ".join(exchange.masked))] if exchange.masked else []
    return _encode_record(
        "request",
        record_id,
        exchange.started_at,
        [*headers, *masked],
        content_type="application/http; msgtype=request",
        block=exchange.request_head,
    )


def _encode_metadata(exchange: Exchange, answer_id: str, headers: Headers, seed: tuple[str, ...]) -> bytes:
    tls = exchange.tls
    if tls is None:
        return b""
    fields = [("tls-version", tls.version), ("tls-cipher", tls.cipher), ("tls-certificate", tls.certificate)]
    return _encode_record(
        "metadata",
        _make_id("metadata", answer_id, *seed),
        exchange.started_at,
        headers,
        content_type="application/warc-fields",
        block=_header_lines(fields),
    )


def encode_metadata(block: bytes, *, seed: str, date: datetime, target_uri: str, content_type: str) -> bytes:
    """Return *block* as a metadata record that belongs to no exchange; its id is made from *seed* and the block."""
    return _encode_record(
        "metadata",
        _make_id("metadata", seed, digest_bytes(block)),
        date,
        [("WARC-Target-URI", target_uri)],
        content_type=content_type,
        block=block,
    )


def cdxj_line(capture: CaptureRow, *, filename: str) -> str:
    """Return the CDXJ 0.1.0 line of *capture*'s response in the WARC file *filename*, without a newline.

    Raises RecordError if the capture has no response.
    """
    if capture.warc is None or capture.warc.response is None or capture.status is None:
        raise RecordError(f"capture {capture.n}, {capture.target_uri}: has no response to index")
    fields = {
        "url": capture.target_uri,
        "mime": "warc/revisit" if capture.revisit_of is not None else capture.media_type or "unk",
        "status": str(capture.status),
        "digest": capture.payload_digest,
        "length": str(capture.warc.response.length),
        "offset": str(capture.warc.response.offset),
        "filename": filename,
    }
    return format_index_line(capture.target_uri, capture.captured_at, fields)


def format_index_line(target_uri: str, captured_at: datetime, fields: Mapping[str, str | None]) -> str:
    """Return a CDXJ 0.1.0 line of *target_uri* with those of *fields* that have a value, without a newline."""
    try:
        key = surt(target_uri)
    except ValueError:  # an odd URL is still a capture: it sorts under itself
        key = re.sub(r"\s", "%20", target_uri)
    stamp = captured_at.astimezone(UTC).strftime("%Y%m%d%H%M%S")
    told = {name: value for name, value in fields.items() if value is not None}
    return f"{key} {stamp} {json.dumps(told)}"


def _encode_record(
    kind: str,
    record_id: str,
    date: datetime,
    headers: Headers,
    *,
    content_type: str,
    block: bytes,
) -> bytes:
    head = _encode_head(kind, record_id, date, headers, content_type=content_type, block=block)
    return compress_record([head, block, _END], squeezed=False)


def _encode_head(
    kind: str, record_id: str, date: datetime, headers: Headers, *, content_type: str, block: bytes
) -> bytes:
    """Return the record's own headers, the empty line included."""
    lines = [
        ("WARC-Type", kind),
        ("WARC-Record-ID", record_id),
        ("WARC-Date", _warc_time(date)),
        *headers,
        ("WARC-Block-Digest", digest_bytes(block)),
        ("Content-Type", content_type),
        ("Content-Length", str(len(block))),
    ]
    return b"WARC/1.1\r\n" + _header_lines(lines) + b"\r\n"


def compress_record(parts: Sequence[bytes], *, squeezed: bool = False) -> bytes:
    """Return *parts* as one gzip member. *squeezed*: they hold what is compressed already, so it is only stored."""
    if squeezed:
        stored = zlib.compressobj(0, zlib.DEFLATED, 31)
        return b"".join([*(stored.compress(part) for part in parts), stored.flush()])
    compressor = isal_zlib.compressobj(isal_zlib.ISAL_BEST_COMPRESSION, wbits=31)
    return b"".join([*(compressor.compress(part) for part in parts), compressor.flush()])


def _header_lines(fields: Headers) -> bytes:
    text = "\r\n".join([f"{name}: {value}" for name, value in fields])
    if text.count("\r\n") != len(fields) - 1 or _CONTROL.search(text.replace("\r\n", "")):
        name, value = next((name, value) for name, value in fields if _CONTROL.search(value))
        raise RecordError(f"WARC header {name}: found a control character in {value[:200]!r}")
    return (text + "\r\n").encode("utf-8", "surrogateescape")


def is_squeezed(head: bytes) -> bool:
    """Whether the body behind the HTTP head *head* comes compressed, so that squeezing it once more gains nothing."""
    fields = read_fields(head)
    codings = ",".join(fields.get(b"content-encoding", ())).lower()
    media = next(iter(fields.get(b"content-type", ())), "").lower()
    return any(coding in codings for coding in _SQUEEZED_CODINGS) or media.startswith(("image/jp", "video/", "audio/"))


def _make_id(*parts: str) -> str:
    """Return a record id made from everything that tells this record from any other: a UUID of version 5, by hand."""
    data = bytearray(hashlib.sha1(_NAMESPACE + json.dumps(parts).encode(), usedforsecurity=False).digest()[:16])
    data[6], data[8] = data[6] & 0x0F | 0x50, data[8] & 0x3F | 0x80
    text = data.hex()
    return f"<urn:uuid:{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}>"


@lru_cache(maxsize=4)
def _warc_time(value: datetime) -> str:
    text = format_time(value)
    return text if "." in text else text[:-1] + ".000000Z"
