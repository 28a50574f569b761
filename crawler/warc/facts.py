"""A segment's rows ⇄ the last records of its WARC file: JSON lines in `metadata` records (FORMAT.md § 5).

So a segment is one object, and whoever has its WARC file has its facts. Bounded in both directions.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, BinaryIO

from config.errors import RecordError
from crawler.rows import MAX_LINE_BYTES
from crawler.warc.reader import read_records
from crawler.warc.writer import encode_metadata

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

    from crawler.warc.reader import RecordView

MEDIA_TYPE = "application/x-ndjson"
MAX_LINES_BYTES = 4 << 20
"""Several lines in one record are no longer than that: FORMAT.md § 5."""
BLOCK_BYTES = 1 << 20
"""Ours are ended once they are that long: who writes or reads a record holds its block several times over."""
MAX_BLOCK_BYTES = MAX_LINE_BYTES + MAX_LINES_BYTES
_MAX_HEAD_BYTES = 1 << 16


def facts_uri(segment: str) -> str:
    """Return the WARC-Target-URI of the records that hold the rows of *segment*."""
    return f"urn:x-ofrecord:{segment}:rows"


def encode_facts(lines: Iterable[bytes], *, segment: str, date: datetime) -> Iterator[bytes]:
    """Yield gzip members that hold *lines*, each ended by a newline, in order; the same bytes for the same lines."""
    held: list[bytes] = []
    size, number = 0, 0
    for line in lines:
        if held and size + len(line) > BLOCK_BYTES:
            yield _encode_block(held, segment, number, date)
            held, size, number = [], 0, number + 1
        held.append(line)
        size += len(line)
    if held:
        yield _encode_block(held, segment, number, date)


def read_facts(source: BinaryIO) -> Iterator[bytes]:
    """Yield the lines of the records from where *source* stands to its end, holding one record at a time.

    Raises RecordError at a member that is damaged, torn, of another kind, or not as its digest says.
    """
    for record in read_records(source, limit=MAX_BLOCK_BYTES + _MAX_HEAD_BYTES):
        yield from split_facts(record)


def split_facts(record: RecordView) -> Iterator[bytes]:
    """Yield the lines of one record that holds rows. Raises RecordError as `read_facts`."""
    if record.type != "metadata" or record.header("Content-Type") != MEDIA_TYPE:
        raise RecordError(f"{record.where}: found a {record.type[:40]!a} record, expected one that holds rows")
    if faults := record.find_faults():
        raise RecordError(faults[0])
    if not record.block.endswith(b"\n"):
        raise RecordError(f"{record.where}: the last line of the record does not end")
    for line in record.block[:-1].split(b"\n"):
        yield line + b"\n"


def _encode_block(lines: list[bytes], segment: str, number: int, date: datetime) -> bytes:
    uri = facts_uri(segment)
    return encode_metadata(b"".join(lines), seed=f"{uri}:{number}", date=date, target_uri=uri, content_type=MEDIA_TYPE)
