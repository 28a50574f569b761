"""The rows of a segment → their lines, inflated piece by piece; nothing in them can make us hold more than a line."""

from __future__ import annotations

import mmap
from dataclasses import dataclass
from typing import TYPE_CHECKING

from config.errors import RecordError
from crawler.rows import MAX_LINE_BYTES
from crawler.warc.facts import MAX_LINES_BYTES
from jobs.verify.members import read_block

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from jobs.verify.members import Record


@dataclass(frozen=True, slots=True)
class RowsPart:
    """The part of a WARC file that holds rows."""

    path: Path
    """Local copy of the file."""
    offset: int
    """Where the part begins."""
    records: tuple[Record, ...]
    """The whole records in it that hold rows."""

    def read_lines(self) -> Iterator[bytes]:
        """Yield the lines.

        Raises RecordError at a line that is too long or does not end in its record, and where a record is not whole.
        """
        if not self.records:
            return
        position = self.offset
        with self.path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            for record in self.records:
                if record.offset != position:
                    raise RecordError(f"from byte {position} to byte {record.offset} no rows can be read; nor further")
                yield from _split(read_block(data, record), record)
                position = record.offset + record.length


def _split(pieces: Iterable[bytes], record: Record) -> Iterator[bytes]:
    where = f"record {record.number} at offset {record.offset}"
    held = bytearray()
    searched = 0
    for piece in pieces:
        held += piece
        start = 0
        while (end := held.find(b"\n", max(searched, start))) != -1:
            if end + 1 - start < record.payload_bytes > MAX_LINES_BYTES:
                raise RecordError(f"{where}: several lines of {record.payload_bytes} bytes, at most {MAX_LINES_BYTES}")
            yield bytes(held[start : end + 1])
            start = searched = end + 1
        del held[:start]
        searched = len(held)
        if searched > MAX_LINE_BYTES:
            raise RecordError(f"{where}: a line of more than {MAX_LINE_BYTES} bytes")
    if held or not record.payload_bytes:
        raise RecordError(f"{where}: the last line does not end: {len(held)} bytes")
