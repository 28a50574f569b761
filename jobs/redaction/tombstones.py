"""A record's gzip member → one of the same length that says what was there, and nothing of what it said."""

from __future__ import annotations

import hashlib
import re
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from config.errors import RecordError
from crawler.rows import format_time
from crawler.warc.reader import MAX_RECORD_BYTES, read_member
from crawler.warc.writer import digest_bytes

if TYPE_CHECKING:
    from datetime import datetime

    from crawler.warc.reader import RecordView
    from jobs.archive.signing import Signer

MEDIA_TYPE = "application/warc-fields"
MAX_REASON_CHARACTERS = 500
_FILLER = b" "
_HEAD_BYTES = 10
_TAIL_BYTES = 8
_COMMENT = 0x10
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")


@dataclass(frozen=True, slots=True)
class Inscription:
    """What each tombstone of a redaction says."""

    redacted: datetime
    commit_id: str
    reason: str
    signer: Signer | None = None


def make_tombstone(member: bytes, inscription: Inscription, *, where: str) -> bytes:
    """Return a gzip member as long as *member* that inflates to a well-formed metadata record.

    It says as much of *inscription* as there is room for. Raises RecordError where not even an empty record fits, or
    *member* is no record.
    """
    old = read_member(member, where=where, limit=MAX_RECORD_BYTES)
    for block in _list_blocks(member, old, inscription):
        data = _deflate(_encode_record(member, old, block))
        if (room := len(member) - len(data)) >= 0:
            return _pad(data, room)
    raise RecordError(f"{where}: {len(member)} bytes are too few for a tombstone")


def clean_reason(reason: str) -> str:
    """Return *reason* as one line without control characters. Raises ValueError if nothing is left, or too much."""
    text = _CONTROL.sub(" ", reason).strip()
    if not text or len(text) > MAX_REASON_CHARACTERS:
        raise ValueError(f"a reason of 1 to {MAX_REASON_CHARACTERS} characters")
    return text


def _list_blocks(member: bytes, old: RecordView, inscription: Inscription) -> list[bytes]:
    """Return what may stand in the record, the fullest first."""
    fields = [
        ("redacted", format_time(inscription.redacted)),
        ("commit-id", inscription.commit_id),
        ("replaces-type", old.type if old.type.isalnum() else "unknown"),
        ("replaces-member-digest", digest_bytes(member)),
    ]
    short = _encode_fields(fields)
    long = _encode_fields([*fields, ("reason", inscription.reason)])
    signed = []
    if inscription.signer is not None:
        signed = [text + f"signature: {inscription.signer.sign(text)}\r\n".encode() for text in (long, short)]
    return [*signed, long, short, b""]


def _encode_fields(fields: list[tuple[str, str]]) -> bytes:
    return "".join(f"{name}: {value}\r\n" for name, value in fields).encode()


def _encode_record(member: bytes, old: RecordView, block: bytes) -> bytes:
    found = hashlib.sha256(b"tombstone" + member).hexdigest()
    record_id = f"<urn:uuid:{found[:8]}-{found[8:12]}-8{found[13:16]}-8{found[17:20]}-{found[20:32]}>"
    lines = [
        ("WARC-Type", "metadata"),
        ("WARC-Record-ID", record_id),
        ("WARC-Date", old.header("WARC-Date") or "1970-01-01T00:00:00.000000Z"),
        ("WARC-Block-Digest", digest_bytes(block)),
        ("Content-Type", MEDIA_TYPE),
        ("Content-Length", str(len(block))),
    ]
    return b"WARC/1.1\r\n" + _encode_fields(lines) + b"\r\n" + block + b"\r\n\r\n"


def _deflate(record: bytes) -> bytes:
    """Return *record* as a gzip member of the least length, without a name, a time or a system."""
    deflater = zlib.compressobj(9, zlib.DEFLATED, -15, 9)
    body = deflater.compress(record) + deflater.flush()
    tail = zlib.crc32(record).to_bytes(4, "little") + len(record).to_bytes(4, "little")
    return b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\xff" + body + tail


def _pad(data: bytes, room: int) -> bytes:
    """Return the gzip member *data* with a comment of so many bytes in its head, the NUL at its end included."""
    if not room:
        return data
    return data[:3] + bytes([_COMMENT]) + data[4:_HEAD_BYTES] + _FILLER * (room - 1) + b"\0" + data[_HEAD_BYTES:]
