"""A response record of another tool → the exchange that it tells of, as near to the wire as the tool kept it.

Undoes what tools are known to do otherwise (chunked bodies kept as they were, bodies inflated under the old header,
heads without CR); never guesses at what is missing.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import ipaddress
import re
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from crawler.encoding import inflate_beginning
from crawler.model import Exchange, Purpose

if TYPE_CHECKING:
    from crawler.imports.records import ForeignRecord

IDENTICAL, UNMODIFIED = "identical-payload-digest", "server-not-modified"
_OLDEST = datetime(1990, 1, 1, tzinfo=UTC)
_AHEAD = timedelta(hours=1)
"""So far may the clock of who captured it have been ahead of ours."""
_STATUS = re.compile(rb"HTTP/\d(?:\.\d)? +(\d{3})(?:[ \r]|$)")
_METHOD = re.compile(rb"([A-Z]{3,10}) ")
_HEAD_END = re.compile(rb"\r\n\r\n|\n\r?\n")
_BARE_LINE_END = re.compile(rb"(?<!\r)\n")
_CHUNK_LINE = re.compile(rb"([0-9A-Fa-f]{1,8})[ \t]*(?:;[^\r\n]{0,4096})?\r?\n")
_MAX_CHUNKS = 1_000_000
_CODING = re.compile(rb"^content-encoding(?=[ \t]*:)", re.IGNORECASE | re.MULTILINE)
_STAMP = re.compile(r"(\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d)(?:[.,](\d{1,9}))?(Z|[+-]\d\d:?\d\d)?")
_DIGITS = re.compile(r"\d{14}")
_SECRET = re.compile(
    rb"^(authorization|proxy-authorization|cookie)[ \t]*:[^\r\n]*(?:\r\n[ \t][^\r\n]*)*", re.IGNORECASE | re.MULTILINE
)
_MASK = b"***"
_TRUNCATED = frozenset({"length", "time", "disconnect", "unspecified"})
_HASHES = {"sha1": 20, "sha256": 32, "md5": 16, "sha512": 64}
_MARKUP = (b"<!doctype", b"<html", b"<?xml", b"<head", b"<body", b"<!--")


class LeftOut(Exception):
    """A record that becomes no capture. The message says why, in words that are the same for all of its kind."""


@dataclass(frozen=True, slots=True)
class Message:
    """What a response or revisit record holds."""

    exchange: Exchange
    record: str
    """Its WARC-Record-ID, without `<` and `>`."""
    repairs: tuple[str, ...] = ()
    """What was undone, in words that are the same for all of their kind."""
    revisits: str | None = None
    """Profile of a revisit record: `identical-payload-digest` or `server-not-modified`."""
    refers_to: tuple[str, datetime] | None = None
    """URL and time of the record that a revisit says it repeats."""
    digest: str | None = None
    """Payload digest as the record states it."""


def read_date(text: str, now: datetime) -> datetime:
    """Return the instant that a WARC-Date names; without a zone it is UTC. Raises LeftOut."""
    match = _STAMP.fullmatch(text.strip())
    try:
        if match is None:
            if not _DIGITS.fullmatch(text.strip()):
                raise ValueError(text)
            found = datetime.strptime(text.strip(), "%Y%m%d%H%M%S").replace(tzinfo=UTC)
        else:
            fraction = (match[2] or "0")[:6].ljust(6, "0")
            found = datetime.fromisoformat(f"{match[1]}.{fraction}{match[3] or 'Z'}").astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise LeftOut("it has no date that can be read") from error
    if not _OLDEST <= found <= now + _AHEAD:
        raise LeftOut("its date lies before 1990, or in the future")
    return found


def read_message(record: ForeignRecord, request: ForeignRecord | None, *, now: datetime, limit: int) -> Message:
    """Return what *record*, whose block was read, tells of. *request*: the record of what was asked, if there is one.

    *limit*: of a body, in bytes. Raises LeftOut.
    """
    block = record.block if record.block is not None else b""
    started_at = read_date(record.get("warc-date"), now)
    _check_block_digest(record, block)
    repairs: list[str] = []
    head, body = _split(block, repairs)
    match = _STATUS.match(head)
    if match is None:
        raise LeftOut("it does not begin with the status line of an HTTP answer")
    request_head, masked = _read_request(request)
    profile = _read_profile(record)
    exchange = Exchange(
        url=record.target,
        purpose=Purpose.ARTICLE,
        started_at=started_at,
        seconds=0.0,
        request_head=request_head,
        status=int(match[1]),
        response_head=head,
        peer=_read_peer(record.get("warc-ip-address")),
        truncated=_read_truncation(record) if profile is None else None,
        masked=masked,
    )
    if profile is not None:
        return Message(
            exchange,
            record.record_id,
            revisits=profile,
            refers_to=_read_reference(record, now),
            digest=record.get("warc-payload-digest") or None,
        )
    return _with_body(record, exchange, body, repairs, limit)


def _with_body(record: ForeignRecord, exchange: Exchange, framed: bytes, repairs: list[str], limit: int) -> Message:
    body, truncated, head = framed, exchange.truncated, exchange.response_head
    if "chunked" in ",".join(exchange.header_values("Transfer-Encoding")).lower():
        body, whole = dechunk(framed)
        if body is not framed:
            repairs.append("body kept in chunks")
        if not whole:
            truncated = truncated or "disconnect"
    if len(body) > limit:
        raise LeftOut("its body is longer than max_body_bytes")
    if not record.get("warc-block-digest"):
        _check_payload_digest(record, framed, body, exchange)
    if _is_inflated(exchange, body):
        head = _CODING.sub(b"X-Orig-Content-Encoding", head)
        repairs.append("body inflated already, under a header that says otherwise")
    elif truncated is None and body is framed and _is_short(exchange, body):
        truncated = "disconnect"
        repairs.append("body shorter than its Content-Length")
    kept = replace(exchange, body=body, response_head=head, truncated=truncated)
    return Message(kept, record.record_id, tuple(repairs), digest=record.get("warc-payload-digest") or None)


def dechunk(body: bytes) -> tuple[bytes, bool]:
    """Return *body* without the framing of its chunks, and whether it is whole; *body* itself if it has none.

    A body that ends within a chunk is cut; anything else that is odd was not framed.
    """
    at = 0
    parts: list[bytes] = []
    for _ in range(_MAX_CHUNKS):
        line = _CHUNK_LINE.match(body, at)
        if line is None:
            cut = bool(parts) and len(body) - at < 16 and b"\n" not in body[at:]
            return (b"".join(parts), False) if cut else (body, True)
        size = int(line[1], 16)
        if size == 0:
            return b"".join(parts), True
        start = line.end()
        if start + size > len(body):
            framed = parts or body[start:].lstrip()[:1] == b"<"
            return (b"".join([*parts, body[start:]]), False) if framed else (body, True)
        parts.append(body[start : start + size])
        at = start + size
        at += 2 if body[at : at + 2] == b"\r\n" else 1 if body[at : at + 1] == b"\n" else 0
    return body, True


def _split(block: bytes, repairs: list[str]) -> tuple[bytes, bytes]:
    """Return head, ended by an empty line, and body."""
    found = _HEAD_END.search(block)
    if found is None:
        if not block.strip() or not block.startswith(b"HTTP/"):
            raise LeftOut("it does not begin with the status line of an HTTP answer")
        repairs.append("head that does not end")
        head, body = block.rstrip(b"\r\n"), b""
    else:
        head, body = block[: found.start()], block[found.end() :]
    if b"\n" in head and _BARE_LINE_END.search(head):
        head = _BARE_LINE_END.sub(b"\r\n", head)
        repairs.append("head whose lines end without CR")
    return head + b"\r\n\r\n", body


def _read_request(record: ForeignRecord | None) -> tuple[bytes, tuple[str, ...]]:
    """Return what was asked, secrets masked, and their headers. Raises LeftOut where no page was asked for."""
    if record is None or not record.block:
        return b"", ()
    method = _METHOD.match(record.block)
    if method is None:
        return b"", ()
    if method[1] != b"GET":
        raise LeftOut("it answers another request than GET")
    found = _HEAD_END.search(record.block)
    head = _BARE_LINE_END.sub(b"\r\n", record.block[: found.start()] if found else record.block.rstrip(b"\r\n"))
    names = [one[1].decode("ascii") for one in _SECRET.finditer(head)]
    stated = [name.strip() for name in record.get("warc-masked-header").split(",")]
    known = [name for name in stated if re.fullmatch(r"[A-Za-z0-9-]{1,100}", name)]
    masked = _SECRET.sub(lambda one: one[1] + b": " + _MASK, head)
    return masked + b"\r\n\r\n", tuple(dict.fromkeys([*known, *names]))


def _read_profile(record: ForeignRecord) -> str | None:
    if record.type != "revisit":
        return None
    profile = record.get("warc-profile").lower()
    for name in (IDENTICAL, UNMODIFIED):
        if name in profile:
            return name
    raise LeftOut("it is a revisit of a kind that is not known")


def _read_reference(record: ForeignRecord, now: datetime) -> tuple[str, datetime] | None:
    url, stamp = record.get("warc-refers-to-target-uri").strip("<> "), record.get("warc-refers-to-date")
    if not url or not stamp:
        return None
    try:
        return url, read_date(stamp, now)
    except LeftOut:
        return None


def _read_truncation(record: ForeignRecord) -> str | None:
    found = record.get("warc-truncated").strip().lower()
    if not found:
        return None
    return found if found in _TRUNCATED else "unspecified"


def _read_peer(text: str) -> str | None:
    try:
        return str(ipaddress.ip_address(text.strip("[] ")))
    except ValueError:
        return None


def _check_block_digest(record: ForeignRecord, block: bytes) -> None:
    if not agrees(record.get("warc-block-digest"), block):
        raise LeftOut("its block is not what its digest says")


def _check_payload_digest(record: ForeignRecord, framed: bytes, body: bytes, exchange: Exchange) -> None:
    """Raise LeftOut if the stated payload digest is that of the body in none of the ways that it may be meant."""
    stated = record.get("warc-payload-digest")
    if agrees(stated, body) or agrees(stated, framed):
        return
    codings = exchange.header_values("Content-Encoding")
    if codings and agrees(stated, inflate_beginning(body, codings, limit=4 * max(len(body), 1 << 20))):
        return
    raise LeftOut("its payload is not what its digest says")


def agrees(stated: str, data: bytes) -> bool:
    """Whether *data* has the labelled digest *stated*, in hex or base32; what states none, or an odd one, agrees."""
    name, colon, value = stated.strip().partition(":")
    size = _HASHES.get(name.lower().replace("-", ""))
    if not colon or size is None:
        return True
    try:
        if len(value) == 2 * size:
            wanted = bytes.fromhex(value)
        else:
            wanted = base64.b32decode(value.upper() + "=" * (-len(value) % 8))
    except (ValueError, binascii.Error):
        return True
    if len(wanted) != size:
        return True
    return hashlib.new(name.lower().replace("-", ""), data, usedforsecurity=False).digest() == wanted


def _is_inflated(exchange: Exchange, body: bytes) -> bool:
    """Whether the header names a coding that the body does not have: so it is where a browser handed it on."""
    codings = ",".join(exchange.header_values("Content-Encoding")).lower()
    if not codings.strip() or not body:
        return False
    if "gzip" in codings:
        return not body.startswith(b"\x1f\x8b")
    return body[:200].lstrip(b"\xef\xbb\xbf \t\r\n").lower().startswith(_MARKUP)


def _is_short(exchange: Exchange, body: bytes) -> bool:
    stated = exchange.header("Content-Length") or ""
    return stated.isascii() and stated.isdigit() and len(stated) < 16 and int(stated) > len(body)
