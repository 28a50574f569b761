"""A WARC file → its records, one member or frame at a time, every digest computed anew. Streams; trusts no library.

After damage it goes on at the next member that begins with a WARC record, so that one fault hides no other.
"""

from __future__ import annotations

import hashlib
import json
import mmap
import re
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from config.errors import RecordError
from crawler.model import Exchange, Purpose
from crawler.outcome import describe_reading, media_type_of
from crawler.warc.facts import MEDIA_TYPE
from jobs.verify.inflating import DamagedMember, Members

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from jobs.verify.inflating import Member
    from jobs.verify.report import Notes

MAX_RECORDS = 1_000_000
MAX_HEAD_BYTES = 1 << 20
"""Of the headers of a record, and of an HTTP message in it."""

_END = b"\r\n\r\n"
_STATUS = re.compile(rb"HTTP/\d(?:\.\d)? +(\d{3})(?:[ \r]|$)")
_PROFILES = "http://netpreserve.org/warc/1.1/revisit/"
IDENTICAL, NOT_MODIFIED = _PROFILES + "identical-payload-digest", _PROFILES + "server-not-modified"
_TLS_FIELD = b"tls-version:"
_OWN_URI = "urn:x-ofrecord:"
_ANSWERS = frozenset({"response", "revisit"})
_HTTP_KINDS = _ANSWERS | {"request"}
_WITH_PAYLOAD = frozenset({"response", "conversion"})
_ONCE = (
    "warc-type",
    "warc-record-id",
    "warc-date",
    "warc-target-uri",
    "warc-block-digest",
    "warc-payload-digest",
    "warc-profile",
    "warc-refers-to",
    "warc-refers-to-target-uri",
    "warc-refers-to-date",
    "warc-concurrent-to",
    "warc-truncated",
    "warc-ip-address",
    "content-type",
    "content-length",
)
_REQUIRED = ("warc-type", "warc-record-id", "warc-date", "warc-block-digest", "content-length")
_STONE_FIELD, _STONE_MEDIA_TYPE = b"redacted:", "application/warc-fields"
_MAX_STONE_BYTES = 4096
_KEPT_CHARACTERS = 200
_ANY_TIME = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(slots=True)
class Record:
    """What the rows of a segment must agree with; of bounded size, whatever the record holds."""

    number: int
    """From 1."""
    offset: int
    length: int
    kind: str
    record_id: str
    target_uri: str
    """Shortened: see `shorten`."""
    date: str
    payload_digest: str
    payload_bytes: int
    status: int | None
    """Of a response's or revisit's status line."""
    concurrent_to: str
    filename: str
    profile: str
    refers_to: str
    """WARC-Refers-To, of a conversion."""
    refers_to_uri: str
    refers_to_date: str
    truncated: str
    peer: str
    media_type: str = ""
    head_digest: str = ""
    """Of the record's own headers, the empty line included; of an answer."""
    etag: str = ""
    last_modified: str = ""
    reading: str = ""
    """`write_reading` of an answer's headers."""
    tombstone: bytes = b""
    """The block of a record that says that another was taken out; of any other, or where it says nothing, none."""
    secured: bool = False
    """Whether it is the metadata record that stands beside a secured exchange."""
    holds_rows: bool = False
    """Whether its block is lines of a segment's rows, of whatever segment."""
    rows: int = 0
    """Capture rows that point here; counted by the check of the rows."""
    indexed: int = 0
    """CDXJ lines that point here."""


def shorten(value: str) -> str:
    """Return *value*, or its digest where it is long: equal if and only if the values are, and of bounded size."""
    if len(value) <= _KEPT_CHARACTERS:
        return sys.intern(value)  # the records of one capture share most of their values
    return "sha256:" + hashlib.sha256(value.encode("utf-8", "surrogatepass")).hexdigest()


def walk_records(path: Path, notes: Notes) -> Iterator[Record]:
    """Yield the whole records of the WARC file *path*; damage goes to *notes*."""
    if path.stat().st_size == 0:
        notes.damage("found an empty file, expected a warcinfo record", offset=0)
        return
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        number = 0
        try:
            members = Members(data)
        except DamagedMember as error:
            notes.damage(str(error), offset=0)
            return
        offset = members.start
        while offset < len(data):
            number += 1
            if number > MAX_RECORDS:
                notes.damage(f"more than {MAX_RECORDS} records in one file", offset=offset)
                return
            member = members.open(offset)
            try:
                record = _read_record(member, number, notes)
            except DamagedMember as error:
                following = members.find_next(offset + 1)
                notes.damage(f"{error}; {following - offset} bytes cannot be read", record=number, offset=offset)
                offset = following
                continue
            if record is not None:
                yield record
            offset = members.skip(member.end)


def read_block(data: mmap.mmap, record: Record) -> Iterator[bytes]:
    """Yield the block of *record*, which is whole and no HTTP message, piece by piece."""
    member = Members(data).open(record.offset)
    _, rest = _read_head(member.pieces)
    left = record.payload_bytes
    for piece in _chain(rest, member.pieces):
        yield piece[:left]
        left -= len(piece[:left])


def _read_record(member: Member, number: int, notes: Notes) -> Record | None:
    """Read one member to its end. Raises DamagedMember where there is no whole member."""
    try:
        head, rest = _read_head(member.pieces)
        fields = _parse_head(head)
        size = int(fields["content-length"])
        block = _read_block(member.pieces, rest, size, is_http=fields["warc-type"] in _HTTP_KINDS)
    except RecordError as error:
        for _ in member.pieces:
            pass
        notes.damage(str(error), record=number, offset=member.offset)
        return None
    for fault in _find_faults(fields, block, size):
        notes.damage(fault, record=number, offset=member.offset)
    return _make_record(member, number, fields, block, head)


def _make_record(member: Member, number: int, fields: dict[str, str], block: _Block, head: bytes) -> Record:
    is_answer = fields["warc-type"] in _ANSWERS
    media_type, etag, last_modified, reading = _read_http_fields(block.http_head) if is_answer else ("", "", "", "")
    return Record(
        number=number,
        offset=member.offset,
        length=member.end - member.offset,
        kind=shorten(fields["warc-type"]),
        record_id=shorten(fields["warc-record-id"]),
        target_uri=shorten(fields.get("warc-target-uri", "")),
        date=shorten(fields["warc-date"]),
        payload_digest=shorten(fields.get("warc-payload-digest", "")),
        payload_bytes=block.payload_bytes,
        status=block.status,
        concurrent_to=shorten(fields.get("warc-concurrent-to", "")),
        filename=shorten(fields.get("warc-filename", "")),
        profile=shorten(fields.get("warc-profile", "")),
        refers_to=shorten(fields.get("warc-refers-to", "")),
        refers_to_uri=shorten(fields.get("warc-refers-to-target-uri", "")),
        refers_to_date=shorten(fields.get("warc-refers-to-date", "")),
        truncated=shorten(fields.get("warc-truncated", "")),
        peer=shorten(fields.get("warc-ip-address", "")),
        media_type=shorten(media_type),
        head_digest="sha256:" + hashlib.sha256(head + _END).hexdigest() if is_answer else "",
        etag=shorten(etag),
        last_modified=shorten(last_modified),
        reading=shorten(reading),
        tombstone=block.beginning if _is_tombstone(fields, block) else b"",
        secured=fields["warc-type"] == "metadata" and block.beginning.startswith(_TLS_FIELD),
        holds_rows=_holds_rows(fields),
    )


def _holds_rows(fields: dict[str, str]) -> bool:
    of_rows = fields["warc-type"] == "metadata" and fields.get("content-type") == MEDIA_TYPE
    return of_rows and fields.get("warc-target-uri", "").startswith(_OWN_URI)


def _is_tombstone(fields: dict[str, str], block: _Block) -> bool:
    of_stone = fields["warc-type"] == "metadata" and fields.get("content-type") == _STONE_MEDIA_TYPE
    return of_stone and "warc-target-uri" not in fields and block.beginning.startswith(_STONE_FIELD)


def write_reading(read_with: dict[str, list[str]] | None) -> str:
    """Return the headers in *read_with*, as capture rows have it, as text that is equal for equal ones."""
    return json.dumps({name: values for name, values in (read_with or {}).items() if name != "product"}, sort_keys=True)


def _read_http_fields(head: bytes) -> tuple[str, str, str, str]:
    """Return media type, ETag, Last-Modified and `write_reading` of an answer, as its capture row must have them."""
    answer = Exchange("", Purpose.ARTICLE, _ANY_TIME, 0.0, b"", response_head=head)
    reading = write_reading(describe_reading(answer, ""))
    return media_type_of(answer) or "", answer.header("ETag") or "", answer.header("Last-Modified") or "", reading


def _read_head(pieces: Iterator[bytes]) -> tuple[bytes, bytes]:
    held = bytearray()
    for piece in pieces:
        held += piece
        if (end := held.find(_END)) != -1:
            return bytes(held[:end]), bytes(held[end + len(_END) :])
        if len(held) > MAX_HEAD_BYTES:
            break
    raise RecordError(f"found {bytes(held[:20])!r} and no end of headers, expected a WARC record")


def _parse_head(head: bytes) -> dict[str, str]:
    lines = head.split(b"\r\n")
    if lines[0] not in (b"WARC/1.1", b"WARC/1.0"):
        raise RecordError(f"found {lines[0][:40]!r}, expected WARC/1.1")
    fields: dict[str, str] = {}
    for line in lines[1:]:
        name, colon, value = line.partition(b":")
        key = name.decode("utf-8", "replace").lower()
        if not colon:
            raise RecordError(f"a header line without a colon: {line[:60]!r}")
        if key in fields and key in _ONCE:
            raise RecordError(f"header {key} stands twice")
        fields.setdefault(key, value.strip().decode("utf-8", "surrogateescape"))
    missing = [name for name in _REQUIRED if name not in fields]
    if missing:
        raise RecordError(f"header {missing[0]} is missing")
    if not re.fullmatch(r"[0-9]{1,12}", fields["content-length"]):
        raise RecordError(f"Content-Length: found {fields['content-length'][:40]!r}, expected a number")
    return fields


@dataclass(slots=True)
class _Block:
    """A record's block, as digests."""

    digest: str = ""
    size: int = 0
    payload_digest: str = ""
    payload_bytes: int = 0
    status: int | None = None
    http_head: bytes = b""
    """With the empty line at its end."""
    beginning: bytes = b""
    """Of a block that is no HTTP message."""
    tail: bytes = b""
    """What follows the block in the member: at most a few bytes more than the two line ends that belong there."""


def _read_block(pieces: Iterator[bytes], rest: bytes, size: int, *, is_http: bool) -> _Block:
    block, whole, payload = _Block(), hashlib.sha256(), hashlib.sha256()
    head: bytearray | None = bytearray() if is_http else None
    for piece in _chain(rest, pieces):
        part = piece[: size - block.size]
        if len(block.tail) <= len(_END):
            block.tail += piece[len(part) : len(part) + len(_END) + 1]
        block.size += len(part)
        whole.update(part)
        if head is not None:
            head += part
            end = head.find(_END)
            if end == -1:
                if len(head) > MAX_HEAD_BYTES:
                    raise RecordError(f"the HTTP headers have more than {MAX_HEAD_BYTES} bytes")
                continue
            match = _STATUS.match(head)
            block.status = int(match[1]) if match else None
            block.http_head = bytes(head[: end + len(_END)])
            part, head = bytes(head[end + len(_END) :]), None
        elif not is_http and len(block.beginning) < _MAX_STONE_BYTES:
            block.beginning += part[: _MAX_STONE_BYTES - len(block.beginning)]
        payload.update(part)
        block.payload_bytes += len(part)
    block.digest = "sha256:" + whole.hexdigest()
    block.payload_digest = "sha256:" + payload.hexdigest()
    return block


def _chain(first: bytes, pieces: Iterator[bytes]) -> Iterator[bytes]:
    yield first
    yield from pieces


def _find_faults(fields: dict[str, str], block: _Block, size: int) -> Iterator[str]:
    kind = fields["warc-type"]
    if block.size != size:
        yield f"Content-Length is {size}, found {block.size} bytes of block"
    elif block.tail != _END:
        yield f"found {block.tail[:8]!r} after the block, expected two line ends and the end of the member"
    if fields["warc-block-digest"] != block.digest:
        yield f"WARC-Block-Digest: found {block.digest}, the record says {fields['warc-block-digest'][:80]}"
    if kind in _HTTP_KINDS and not block.http_head:
        yield f"a {kind} without the end of its HTTP headers"
    if kind in _WITH_PAYLOAD and fields.get("warc-payload-digest") != block.payload_digest:
        stated = fields.get("warc-payload-digest", "nothing")[:80]
        yield f"WARC-Payload-Digest: found {block.payload_digest}, the record says {stated}"
    if kind in _HTTP_KINDS and not fields.get("warc-target-uri"):
        yield f"a {kind} without WARC-Target-URI"
    if kind == "revisit":
        yield from _find_revisit_faults(fields, block)


def _find_revisit_faults(fields: dict[str, str], block: _Block) -> Iterator[str]:
    profile, digest = fields.get("warc-profile", ""), fields.get("warc-payload-digest")
    if profile not in (IDENTICAL, NOT_MODIFIED):
        yield f"WARC-Profile: found {profile[:100]!r}, expected {IDENTICAL} or {NOT_MODIFIED}"
    if block.payload_bytes:
        yield f"a revisit with {block.payload_bytes} bytes of payload, expected none"
    for name in ("WARC-Refers-To-Target-URI", "WARC-Refers-To-Date"):
        if not fields.get(name.lower()):
            yield f"a revisit without {name}"
    if profile == IDENTICAL and not digest:
        yield "a revisit of an identical payload without WARC-Payload-Digest"
    if profile == IDENTICAL and fields.get("warc-truncated") != "length":
        yield f"WARC-Truncated: found {fields.get('warc-truncated', 'nothing')[:40]!r}, expected 'length'"
    if profile == NOT_MODIFIED and (digest or block.status != 304):
        yield f"a revisit of what was not modified with status {block.status} and payload digest {digest or 'none'}"
