"""Segments' files on this disk → one file of another kind: `.warc.zst` of many of them, or `.warc.gz` of one again.

A segment keeps its shape: its records in order, then its rows, which point there. One record is held at a time and, of
a segment, where its records were and are.
"""

from __future__ import annotations

import hashlib
import os
from collections import deque
from dataclasses import asdict, dataclass
from itertools import chain
from typing import TYPE_CHECKING, BinaryIO

from config.errors import RecordError
from crawler.rows import EndRow, decode_row
from crawler.spool import sync_folder
from crawler.warc import MemberFile, encode_facts, encode_warcinfo, gzip_record, inflate_member
from crawler.warc.facts import split_facts
from crawler.warc.frames import FrameWriter
from crawler.warc.reader import parse_record
from jobs.archive.commit import CommittedFile, RowsPlace, writer_name
from jobs.archive.replacing import MovedSegment
from jobs.compaction.dictionary import DictionaryMaker
from jobs.compaction.rows import RecordPlaces, move_row, strip_row

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from datetime import datetime
    from pathlib import Path

    import zstandard

LEVEL = 9
"""Of zstd: see tests/benchmarks/cold.py for what others come to."""


@dataclass(frozen=True, slots=True)
class LocalSegment:
    """A segment in a file on this disk."""

    segment: str
    path: Path
    start: int
    """Where its records begin; they end where its rows begin."""
    rows: RowsPlace


@dataclass(frozen=True, slots=True)
class Evidence:
    """What of a segment must be the same before and after."""

    records: int
    sha256: str
    """Of all records before the rows, inflated, each behind its length in eight bytes."""
    rows: int
    rows_sha256: str
    """Of the rows, which point at records by number."""


@dataclass(frozen=True, slots=True)
class PackedObject:
    """A file as it is to be put."""

    path: Path
    file: CommittedFile
    segments: tuple[MovedSegment, ...]
    evidence: dict[str, Evidence]
    """Of the segments as they were read."""


def pack_segments(segments: list[LocalSegment], target: Path, *, key: str, source: str, now: datetime) -> PackedObject:
    """Write *segments* into the new file *target*, which is to be the object *key*, `.warc.zst`.

    Raises RecordError where a record or a row cannot be read, and OSError.
    """
    frames = FrameWriter(_make_dictionary(segments), LEVEL)
    name = key.rpartition("/")[2]
    info, _ = encode_warcinfo(filename=name, run="", source=source, software=writer_name(), created=now)
    return _write(segments, target, key, frames.squeeze, [frames.begin(), frames.squeeze(inflate_member(info))])


def unpack_segment(segment: LocalSegment, target: Path, *, key: str) -> PackedObject:
    """Write one *segment* into the new file *target*, which is to be the object *key*, `.warc.gz`. Else as above."""
    return _write([segment], target, key, gzip_record, [])


def list_records(one: LocalSegment) -> Iterator[tuple[int, int, bytes]]:
    """Yield the records of a segment: offset and length of the member, and the record as it is.

    Raises RecordError where one is damaged, or none ends where the rows begin.
    """
    end = one.start
    with one.path.open("rb") as file:
        members = MemberFile(file, str(one.path))
        while end < one.rows.offset:
            offset, length, record = members.read(end)
            yield offset, length, record
            end = offset + length
    if end != one.rows.offset:
        raise RecordError(f"{one.path}: no record ends at byte {one.rows.offset}, where the rows begin")


def list_lines(one: LocalSegment) -> Iterator[bytes]:
    """Yield the rows of a segment. Raises RecordError."""
    for offset, _, record in list_holding(one):
        yield from split_facts(parse_record(record, f"{one.path}: offset {offset}"))


def list_holding(one: LocalSegment) -> Iterator[tuple[int, int, bytes]]:
    """Yield the records that hold the rows of a segment, as `list_records` does."""
    end = one.rows.offset + one.rows.size_bytes
    with one.path.open("rb") as file:
        members = MemberFile(file, str(one.path))
        position = one.rows.offset
        while position < end:
            offset, length, record = members.read(position)
            yield offset, length, record
            position = offset + length
    if position != end:
        raise RecordError(f"{one.path}: the rows of {one.segment} do not end at byte {end}")


def describe_segment(packed: PackedObject, moved: MovedSegment) -> dict[str, object]:
    """Return what a commit says of a segment that was *moved* into the object *packed*."""
    found = packed.evidence[moved.segment]
    return {
        "segment": moved.segment,
        "rows": asdict(moved.rows),
        "inflated": moved.inflated,
        "records": {"count": found.records, "sha256": found.sha256},
    }


def digest_rows(one: LocalSegment) -> str:
    """Return the digest of what the records that hold the rows of a segment inflate to. Raises RecordError."""
    found = hashlib.sha256()
    for _, _, record in list_holding(one):
        found.update(record)
    return "sha256:" + found.hexdigest()


def weigh_segment(one: LocalSegment) -> Evidence:
    """Read a segment whole and return what it holds. Raises RecordError."""
    weighing = _Weighing()
    for offset, length, record in list_records(one):
        weighing.add_record(offset, length, record)
    for line in list_lines(one):
        weighing.add_line(line)
    return weighing.end()


class _Weighing:
    """Takes in a segment's records, then its rows."""

    def __init__(self) -> None:
        self.places = RecordPlaces()
        self._records, self._rows = hashlib.sha256(), hashlib.sha256()
        self._lines = 0

    def add_record(self, offset: int, length: int, record: bytes) -> None:
        self.places.add(offset, length)
        self._records.update(len(record).to_bytes(8, "big"))
        self._records.update(record)

    def add_line(self, line: bytes) -> None:
        self._rows.update(strip_row(line, self.places))
        self._lines += 1

    def end(self) -> Evidence:
        return Evidence(
            len(self.places.offsets),
            "sha256:" + self._records.hexdigest(),
            self._lines,
            "sha256:" + self._rows.hexdigest(),
        )


class _Out:
    """The file as it grows."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._digest = hashlib.sha256()
        self.size_bytes = 0

    def put(self, data: bytes) -> int:
        """Append *data*; return where it begins."""
        self._file.write(data)
        self._digest.update(data)
        self.size_bytes += len(data)
        return self.size_bytes - len(data)

    def end(self, key: str, records: int) -> CommittedFile:
        self._file.flush()
        os.fsync(self._file.fileno())
        return CommittedFile(key, self.size_bytes, "sha256:" + self._digest.hexdigest(), records)


def _write(
    segments: list[LocalSegment], target: Path, key: str, squeeze: Callable[[bytes], bytes], first: Iterable[bytes]
) -> PackedObject:
    moved, evidence, records = [], {}, 0
    with target.open("xb") as file:
        out = _Out(file)
        for data in first:
            out.put(data)
        records += bool(out.size_bytes)
        for one in segments:
            weighing, after = _Weighing(), RecordPlaces()
            for offset, length, record in list_records(one):
                weighing.add_record(offset, length, record)
                frame = squeeze(record)
                after.add(out.put(frame), len(frame))
            placed, holding = _write_rows(one, weighing, after, out, squeeze, key=key)
            moved.append(placed)
            evidence[one.segment] = weighing.end()
            records += len(after.offsets) + holding
        written = out.end(key, records)
    sync_folder(target.parent)
    return PackedObject(target, written, tuple(moved), evidence)


def _write_rows(
    one: LocalSegment,
    weighing: _Weighing,
    after: RecordPlaces,
    out: _Out,
    squeeze: Callable[[bytes], bytes],
    *,
    key: str,
) -> tuple[MovedSegment, int]:
    """Append the rows of a segment; return where they lie, and in how many records."""
    start, found, inflated, holding, count = out.size_bytes, hashlib.sha256(), hashlib.sha256(), 0, 0
    name = key.rpartition("/")[2]

    def move() -> Iterator[bytes]:
        nonlocal count
        for line in list_lines(one):
            count += 1
            weighing.add_line(line)
            yield move_row(line, weighing.places, after, name)

    for member in encode_facts(move(), segment=one.segment, date=_find_closed(one)):
        record = inflate_member(member)
        frame = squeeze(record)
        out.put(frame)
        found.update(frame)
        inflated.update(record)
        holding += 1
    rows = RowsPlace(key, start, out.size_bytes - start, "sha256:" + found.hexdigest(), count)
    return MovedSegment(one.segment, rows, "sha256:" + inflated.hexdigest()), holding


def _find_closed(one: LocalSegment) -> datetime:
    """Return when a segment was closed: its last row says so, and the records that hold rows have it as their date."""
    last = deque(list_lines(one), 1)
    end = decode_row(last[0]) if last else None
    if not isinstance(end, EndRow):
        raise RecordError(f"{one.path}: the last row of {one.segment} is no end of a segment")
    return end.closed


def _make_dictionary(segments: list[LocalSegment]) -> zstandard.ZstdCompressionDict | None:
    """Return a dictionary of the records of *segments*, those that hold rows among them; all are read for it."""
    maker = DictionaryMaker()
    places: list[tuple[int, int]] = []
    for number, one in enumerate(segments):
        for offset, _, record in chain(list_records(one), list_holding(one)):
            maker.show(record)
            places.append((number, offset))

    def read(number: int) -> bytes:
        segment, offset = places[number]
        path = segments[segment].path
        with path.open("rb") as file:
            return MemberFile(file, str(path)).read(offset)[2]

    return maker.make(read)


def find_first(path: Path) -> int:
    """Return where the first segment of a file begins: behind dictionary and warcinfo of a compacted one."""
    with path.open("rb") as file:
        members = MemberFile(file, str(path))
        if not members.is_zstd:
            return 0
        offset, length, _ = members.read(members.first)
        return offset + length
