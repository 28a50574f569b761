"""A segment's object on this disk → a new one without what must go: the same bytes but for tombstones and rows."""

from __future__ import annotations

import hashlib
import shutil
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, BinaryIO

from config.errors import RecordError
from crawler.rows import EndRow, SegmentRow, decode_row, encode_row
from crawler.warc import read_records
from crawler.warc.facts import MAX_BLOCK_BYTES, encode_facts, read_facts
from jobs.archive.commit import CommittedFile, RowsPlace
from jobs.redaction.tombstones import make_tombstone
from jobs.redaction.touching import change_row, count_row, recount
from jobs.segments.seal import hash_file

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from crawler.rows import Extent, Row
    from crawler.warc import RecordView
    from jobs.fold import Place
    from jobs.redaction.tombstones import Inscription
    from jobs.redaction.touching import Touched, Wanted


@dataclass(frozen=True, slots=True)
class LocalSegment:
    """A segment's object on this disk."""

    segment: str
    path: Path
    file: CommittedFile
    rows: RowsPlace

    def read(self, place: Extent) -> bytes:
        """Return the gzip member at *place*. Raises RecordError."""
        if not 0 <= place.offset <= place.offset + place.length <= self.rows.offset:
            raise RecordError(f"{self.file.key}: a record at {place.offset} that is not among those before the rows")
        with self.path.open("rb") as file:
            file.seek(place.offset)
            return file.read(place.length)

    def list_rows(self) -> Iterator[Row]:
        """Yield the rows of known types. Raises RecordError."""
        for line in self.list_lines():
            row = decode_row(line)
            if row is not None:
                yield row

    def list_lines(self) -> Iterator[bytes]:
        """Yield each line of the rows. Raises RecordError."""
        with self.path.open("rb") as file:
            file.seek(self.rows.offset)
            yield from read_facts(file)

    def find_rows_date(self) -> datetime:
        """Return the date of the records that hold the rows: when the segment was closed. Raises RecordError."""
        stamp = next((record.header("WARC-Date") or "" for record in self._list_holding()), "")
        try:
            return datetime.fromisoformat(stamp)
        except ValueError as error:
            raise RecordError(f"{self.file.key}: WARC-Date: found {stamp[:60]!a}, expected RFC 3339") from error

    def count_rows_records(self) -> int:
        """Return how many records hold the rows. Raises RecordError."""
        return sum(1 for _ in self._list_holding())

    def _list_holding(self) -> Iterator[RecordView]:
        with self.path.open("rb") as file:
            file.seek(self.rows.offset)
            yield from read_records(file, limit=MAX_BLOCK_BYTES + (1 << 16))


def rewrite_segment(
    old: LocalSegment,
    target: Path,
    key: str,
    *,
    touched: Touched,
    wanted: Wanted,
    gone: set[Place],
    said: Inscription,
) -> LocalSegment:
    """Write *old* into the new file *target*, to be put at *key*, without what *touched* says. Raises RecordError."""
    names = (old.file.key.rpartition("/")[2], key.rpartition("/")[2])

    def change(row: Row) -> Row | None:
        return change_row(row, touched, wanted, gone, reason=said.reason, names=names)

    with old.path.open("rb") as source, target.open("xb") as file:
        _copy(source, file, old.rows.offset)
        for place in touched.extents:
            file.seek(place.offset)
            file.write(make_tombstone(old.read(place), said, where=f"{old.file.key}: offset {place.offset}"))
        file.seek(old.rows.offset)
        lines = _Lines(old, change, wanted)
        records, size, found = 0, 0, hashlib.sha256()
        for member in encode_facts(iter(lines), segment=old.segment, date=old.find_rows_date()):
            file.write(member)
            found.update(member)
            records, size = records + 1, size + len(member)
    rows = RowsPlace(key, old.rows.offset, size, "sha256:" + found.hexdigest(), lines.number)
    kept = old.file.records - old.count_rows_records()
    committed = CommittedFile(key, old.rows.offset + size, hash_file(target), kept + records)
    return LocalSegment(old.segment, target, committed, rows)


class _Lines:
    """The lines of a segment's rows as they are without what goes."""

    def __init__(self, old: LocalSegment, change: Callable[[Row], Row | None], wanted: Wanted) -> None:
        self.number = 0
        """How many there were."""
        self._old = old
        self._change = change
        self._wanted = wanted

    def __iter__(self) -> Iterator[bytes]:
        """Yield them. Those that are not changed stay as they are, byte for byte."""
        counts: dict[str, int] = {}
        for line in self._old.list_lines():
            new = self._change_line(line, counts)
            if new is not None:
                self.number += 1
                yield new

    def _change_line(self, line: bytes, counts: dict[str, int]) -> bytes | None:
        row = decode_row(line)
        if row is None:
            return None if self._tells(line) else line
        if isinstance(row, SegmentRow) and row.segment != self._old.segment:
            raise RecordError(f"{self._old.file.key}: holds rows of segment {row.segment[:100]!a}")
        new = self._change(row)
        if new is None:
            return None
        count_row(new, counts)
        if isinstance(new, EndRow):
            new = recount(new, counts)
        return line if new == row else encode_row(new)

    def _tells(self, line: bytes) -> bool:
        """Whether a row of a type that we do not know has anything of the article."""
        text = line.decode("utf-8", "replace")
        return any(url in text for url in self._wanted.urls) or self._wanted.needles.are_in(text)


def _copy(source: BinaryIO, target: BinaryIO, length: int) -> None:
    """Copy the first *length* bytes."""
    shutil.copyfileobj(source, target)
    target.truncate(length)
