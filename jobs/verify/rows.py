"""The rows of one segment against its records and its commit: every pointer followed, every count taken again."""

from __future__ import annotations

import contextlib
import json
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import zstandard

from config.errors import DamageFound, FormatTooNew, RecordError
from crawler.rows import (
    MAX_LINE_BYTES,
    CaptureRow,
    CdxjRow,
    EndRow,
    Extent,
    LinkRow,
    Row,
    RunRow,
    SegmentRow,
    SnapshotRow,
    decode_row,
)
from crawler.urls import surt
from jobs.archive import digest, owns_segment, require_format
from jobs.verify.chain import derive_digest
from jobs.verify.members import Record, shorten

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from jobs.archive import Commit
    from jobs.verify.report import Notes

MAX_ROWS = 20_000_000
MAX_CAPTURES = 1_000_000

_INPUT_BYTES = 2048
"""zstd may blow this up to 64 MiB at most."""
_MAX_WINDOW_BYTES = 1 << 27

_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")

_CaptureKey = tuple[str, str]
"""URL, shortened, and time of capture."""


@dataclass(slots=True)
class RowsSummary:
    """What other segments may want to know of this one."""

    lines: int = 0
    captures: int = 0
    references: dict[str, tuple[int, int]] = field(default_factory=dict)
    """Earlier segment → the highest capture that a re-derived snapshot here names, and the line that does."""


def check_rows(
    path: Path, commit: Commit, records: dict[int, Record] | None, known: set[str], notes: Notes
) -> RowsSummary:
    """Check the rows file *path* of *commit*; findings go to *notes*.

    *records*: offset → record of the segment's WARC file, whose `rows` and `indexed` are counted here; `None`: there is
    no such file to be read, so nothing is said of pointers. *known*: derivations that earlier commits brought.
    """
    check = _RowsCheck(commit, records, known, notes)
    try:
        for line in _read_lines(path):
            check.summary.lines += 1
            if check.line > MAX_ROWS or check.captures > MAX_CAPTURES:
                raise RecordError(f"more than {MAX_ROWS} rows or {MAX_CAPTURES} captures: not read any further")
            if _has_half_character(line):
                notes.damage("holds half a character, which no file and no database takes", line=check.line)
            row = decode_row(line)
            if row is not None:
                check.take(row)
            elif check.summary.lines == 1 or check.end is not None:
                notes.damage("found a row of a type unknown here, expected segment first and end last", line=check.line)
    except RecordError as error:
        notes.damage(str(error), line=check.summary.lines)
    check.finish()
    return check.summary


class _RowsCheck:
    """One pass over the rows of a segment."""

    def __init__(self, commit: Commit, records: dict[int, Record] | None, known: set[str], notes: Notes) -> None:
        self.summary = RowsSummary()
        self.end: EndRow | None = None
        self._commit = commit
        self._records = records
        self._notes = notes
        self._known = known | commit.derivations.keys()
        self._captures: list[_CaptureKey] = []
        self._early: list[tuple[int, SnapshotRow]] = []
        self._counts = dict.fromkeys(("captures", "articles", "errors", "snapshots", "rederived", "links"), 0)

    @property
    def line(self) -> int:
        return self.summary.lines

    @property
    def captures(self) -> int:
        return len(self._captures)

    def take(self, row: Row) -> None:
        if (self.line == 1) != isinstance(row, SegmentRow):
            self._damage(f"found a row of type {row.type}, expected the row of type segment first and only there")
        if self.end is not None:
            self._damage(f"found a row of type {row.type} after the end row")
        if isinstance(row, SegmentRow):
            self._take_segment(row)
        elif isinstance(row, CaptureRow):
            self._take_capture(row)
        elif isinstance(row, SnapshotRow):
            self._take_snapshot(row)
        elif isinstance(row, CdxjRow):
            self._take_index_line(row)
        elif isinstance(row, LinkRow):
            self._counts["links"] += 1
        elif isinstance(row, RunRow):
            self._expect("run", row.run, self._commit.run)
        else:
            self.end = row

    def finish(self) -> None:
        """Check what only the whole file tells."""
        self.summary.captures = len(self._captures)
        if self.end is None:
            self._damage("the rows stop without an end row: the file was cut")
        else:
            self._finish_counts(self.end)
        for line, row in self._early:
            self._check_capture_of(row, line)
        if self._records is not None:
            self._finish_records(self._records)

    def _take_segment(self, row: SegmentRow) -> None:
        commit = self._commit
        try:
            require_format(row.format, "row")
        except (DamageFound, FormatTooNew) as error:
            self._damage(str(error))
        self._expect("segment", row.segment, commit.segment)
        self._expect("source", row.source, commit.source)
        self._expect("run", row.run, commit.run)
        self._expect("archive", row.archive or commit.archive, commit.archive)
        self._expect("opened", _stamp(row.opened), _stamp(commit.opened))
        for derivation, meaning in row.derivations.items():
            if derive_digest(meaning) != derivation:
                self._damage(f"derivation {derivation[:80]!a} does not have the digest of what it stands for")
        self._known |= row.derivations.keys()

    def _take_capture(self, row: CaptureRow) -> None:
        self._expect("n", row.n, len(self._captures))
        self._captures.append((shorten(row.url), _stamp(row.captured_at)))
        self._counts["captures"] += 1
        self._counts["articles"] += row.purpose == "article"
        self._counts["errors"] += row.error is not None
        if row.captured_at.tzinfo is None:
            self._damage(f"captured_at: found {row.captured_at.isoformat()}, expected a time with Z")
        if row.warc is None or self._records is None:
            return
        response = self._find_record(row, row.warc.response, ("response", "revisit"))
        request = self._find_record(row, row.warc.request, ("request",))
        if response is not None:
            self._expect("payload_digest", row.payload_digest, response.payload_digest or None)
            if response.kind == "response":
                self._expect("size_bytes", row.size_bytes, response.payload_bytes)
            if response.status is not None:
                self._expect("status", row.status, response.status)
            if request is not None and request.concurrent_to != response.record_id:
                self._damage(f"request and response at offset {request.offset} and {response.offset} are no pair")

    def _find_record(self, row: CaptureRow, place: Extent | None, kinds: tuple[str, ...]) -> Record | None:
        if place is None or self._records is None:
            return None
        record = self._records.get(place.offset)
        if record is None:
            self._damage(f"capture {row.n} points at offset {place.offset}, where no record begins")
            return None
        record.rows += 1
        where = f"capture {row.n}, record at offset {place.offset}"
        self._expect(f"{where}: length", place.length, record.length)
        if record.kind not in kinds:
            self._damage(f"{where}: found a {record.kind} record, expected {kinds[0]}")
        self._expect(f"{where}: target_uri", shorten(row.target_uri), record.target_uri)
        self._expect(f"{where}: captured_at", _stamp(row.captured_at), _stamp_text(record.date))
        return record

    def _take_snapshot(self, row: SnapshotRow) -> None:
        self._counts["rederived" if row.of is not None else "snapshots"] += 1
        found = digest(row.text.encode("utf-8", "surrogatepass"))
        if found != row.text_digest:
            self._damage(f"the text of {row.url[:200]!a} has {found}, the row says {row.text_digest[:80]!a}")
        if row.derivation not in self._known:
            self._damage(f"no commit so far says what derivation {row.derivation[:80]!a} stands for")
        if row.of is not None:
            if not owns_segment(self._commit.source, row.of.segment):
                self._damage(f"a snapshot of another source's capture: segment {row.of.segment[:120]!a}")
            highest, _ = self.summary.references.get(row.of.segment, (-1, 0))
            if row.of.n > highest or row.of.n < 0:
                self.summary.references[row.of.segment] = (row.of.n, self.line)
        elif row.n is None:
            self._damage("a snapshot that names no capture")
        elif row.n >= len(self._captures):
            self._early.append((self.line, row))
        else:
            self._check_capture_of(row, self.line)

    def _check_capture_of(self, row: SnapshotRow, line: int) -> None:
        n = row.n if row.n is not None else -1
        if not 0 <= n < len(self._captures):
            self._notes.damage(f"a snapshot of capture {n}, which is not in this segment", line=line)
        elif self._captures[n] != (shorten(row.url), _stamp(row.captured_at)):
            self._notes.damage(f"a snapshot with another URL or time than its capture {n}", line=line)

    def _take_index_line(self, row: CdxjRow) -> None:
        if self._records is None:
            return
        try:
            key, stamp, rest = row.line.split(" ", 2)
            fields = json.loads(rest)
            offset = int(fields["offset"])
        except (ValueError, KeyError, TypeError, RecursionError):
            self._damage(f"not a CDXJ line: {row.line[:100]!a}")
            return
        record = self._records.get(offset)
        if record is None or record.kind not in ("response", "revisit"):
            self._damage(f"an index line for offset {offset}, where no response begins")
            return
        record.indexed += 1
        self._check_index_line(key, stamp, fields, record)

    def _check_index_line(self, key: str, stamp: str, fields: dict[str, Any], record: Record) -> None:
        url = str(fields.get("url"))
        self._expect("index line: length", str(fields.get("length")), str(record.length))
        self._expect("index line: digest", fields.get("digest"), record.payload_digest or None)
        self._expect("index line: url", shorten(url), record.target_uri)
        self._expect("index line: filename", fields.get("filename"), f"{self._commit.segment}.warc.gz")
        self._expect("index line: timestamp", stamp, "".join(c for c in _stamp_text(record.date)[:19] if c.isdigit()))
        if record.status is not None:
            self._expect("index line: status", str(fields.get("status")), str(record.status))
        with contextlib.suppress(ValueError):  # no http(s) URL: sorts under itself
            self._expect("index line: key", key, surt(url))

    def _finish_counts(self, end: EndRow) -> None:
        self._expect("closed", _stamp(end.closed), _stamp(self._commit.closed))
        if self._records is not None:
            self._expect("warc_records", end.warc_records, len(self._records))
        for origin, counts in (("end row", end.counts), ("commit", self._commit.counts)):
            for name, found in self._counts.items():
                if name in counts:
                    self._expect(f"{origin}: {name}", counts[name], found)

    def _finish_records(self, records: dict[int, Record]) -> None:
        for record in records.values():
            if record.kind in ("response", "request", "revisit") and record.rows != 1:
                self._damage(f"record {record.number} at offset {record.offset}: {record.rows} captures point at it")
            if record.kind in ("response", "revisit") and record.indexed != 1:
                self._damage(f"record {record.number} at offset {record.offset}: has {record.indexed} index lines")

    def _expect(self, name: str, stated: object, found: object) -> None:
        if stated != found:
            self._damage(f"{name}: the row says {_show(stated)}, found {_show(found)}")

    def _damage(self, message: str) -> None:
        self._notes.damage(message, line=self.line)


def _has_half_character(line: bytes) -> bool:
    """Return whether JSON's escapes in *line* make one half of a surrogate pair."""
    if not _SURROGATE.search(line):
        return False
    try:
        json.dumps(json.loads(line), ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return True
    except (ValueError, RecursionError):
        pass  # no JSON: whoever decodes it says so
    return False


def _read_lines(path: Path) -> Iterator[bytes]:
    """Yield the lines of a zstd file. Raises RecordError at bad data, a line too long, and a frame without its end."""
    held = bytearray()
    searched = 0
    for piece in _inflate(path):
        held += piece
        start = 0
        while (end := held.find(b"\n", max(searched, start))) != -1:
            yield bytes(held[start : end + 1])
            start = searched = end + 1
        del held[:start]
        searched = len(held)
        if searched > MAX_LINE_BYTES:
            raise RecordError(f"a line of more than {MAX_LINE_BYTES} bytes")
    if held:
        raise RecordError(f"the last line does not end: {len(held)} bytes")


def _inflate(path: Path) -> Iterator[bytes]:
    decompressor = zstandard.ZstdDecompressor(max_window_size=_MAX_WINDOW_BYTES)
    frame = None
    with path.open("rb") as file:
        while chunk := file.read(_INPUT_BYTES):
            while chunk:
                frame = frame or decompressor.decompressobj()
                try:
                    yield frame.decompress(chunk)
                except zstandard.ZstdError as error:
                    raise RecordError(f"not zstd, near byte {file.tell() - len(chunk)}: {error}") from error
                chunk = frame.unused_data if frame.eof else b""
                frame = None if frame.eof else frame
    if frame is not None:
        raise RecordError("the file ends inside a zstd frame")


def _stamp(value: datetime | None) -> str:
    if value is None:
        return ""
    aware = value if value.tzinfo is not None else value.replace(tzinfo=UTC)
    try:
        return aware.astimezone(UTC).isoformat(timespec="microseconds")
    except OverflowError:
        return value.isoformat()


def _stamp_text(value: str) -> str:
    try:
        return _stamp(datetime.fromisoformat(value))
    except ValueError:
        return value


def _show(value: object) -> str:
    return "nothing" if value is None or value == "" else ascii(value)[:200]
