"""WARC records → lines of a CDXJ index; sorted lines → an index in blocks, and the index of these."""

from __future__ import annotations

import json
import re
import zlib
from datetime import UTC, datetime
from itertools import islice
from typing import TYPE_CHECKING

from config.errors import RecordError
from crawler.model import Exchange, Purpose
from crawler.outcome import media_type_of
from crawler.warc import digest_bytes, format_index_line

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from crawler.warc import RecordView

_STATUS = re.compile(rb"HTTP/\d(?:\.\d)? +(\d{3})(?:[ \r]|$)")
_BLOCK_LINES = 300
"""As other tools have it."""


def index_record(record: RecordView, *, filename: str, start: int) -> bytes | None:
    """Return the line of a record that lies *start* bytes behind where it says, in *filename*; `None`: it has none.

    Raises RecordError.
    """
    url = record.header("WARC-Target-URI")
    status = _STATUS.match(record.block)
    if record.type not in {"response", "revisit"} or url is None or status is None:
        return None
    try:
        at = datetime.fromisoformat(record.header("WARC-Date") or "").astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise RecordError(f"{record.where}: no line of an index can be made of it: {error}") from error
    stated = Exchange(url, Purpose.ASSET, at, 0.0, b"", response_head=record.block.partition(b"\r\n\r\n")[0])
    fields = {
        "url": url,
        "mime": "warc/revisit" if record.type == "revisit" else media_type_of(stated) or "unk",
        "status": status[1].decode(),
        "digest": record.header("WARC-Payload-Digest"),
        "length": str(record.length),
        "offset": str(start + record.offset),
        "filename": filename,
    }
    return format_index_line(url, at, fields).encode("utf-8", "replace")


def squeeze_lines(lines: Iterable[bytes], *, filename: str) -> Iterator[tuple[bytes, bytes]]:
    """Yield blocks of sorted *lines* for *filename*, each a gzip member, and the line that tells where it is."""
    yield b"", b"!meta 0 " + _encode({"format": "cdxj-gzip-1.0", "filename": filename})
    offset, left = 0, iter(lines)
    while block := list(islice(left, _BLOCK_LINES)):
        deflater = zlib.compressobj(6, zlib.DEFLATED, 31)
        data = deflater.compress(b"".join(block)) + deflater.flush()
        key = block[0].partition(b" {")[0]
        yield data, key + b" " + _encode({"offset": offset, "length": len(data), "digest": digest_bytes(data)})
        offset += len(data)


def _encode(told: dict[str, object]) -> bytes:
    return json.dumps(told).encode() + b"\n"
