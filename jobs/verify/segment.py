"""The one file of a segment, looked into: its records, the place of the rows among them, then the rows themselves."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from crawler.warc import facts_uri
from jobs.archive.facts import MAX_ROWS_BYTES
from jobs.verify.lines import RowsPart
from jobs.verify.members import Record, shorten
from jobs.verify.pointers import show, stamp, stamp_text
from jobs.verify.reading import WARC_ENDING
from jobs.verify.report import Notes
from jobs.verify.rows import check_rows

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from crawler.rows import CaptureRow, SnapshotRow
    from jobs.archive.commit import Commit, CommittedFile, RowsPlace
    from jobs.verify.captures import Captures
    from jobs.verify.reading import ReadFile
    from jobs.verify.report import VerifyReport
    from jobs.verify.walking import WalkedFile


@dataclass(frozen=True, slots=True)
class Inside:
    """What was found in a segment."""

    segment: str
    """Its name among the captures."""
    notes: Notes
    """Of the rows; its key is that of the file."""
    rows: RowsPart | None = None
    """`None`: there is no file to be read."""
    pending: list[tuple[int, SnapshotRow]] = field(default_factory=list)
    """Lines and rows that name captures of segments that were committed later."""


def look_inside(
    commit: Commit,
    local: dict[str, ReadFile],
    captures: Captures,
    known: set[str],
    report: VerifyReport,
    *,
    allow: Callable[[Commit, CaptureRow], bool],
) -> Inside:
    """Check the segment that *commit* brings; findings go to *report*, its captures to *captures*.

    *local*: key → its files as they were read, as far as they could be and are this commit's to say. *known*:
    derivations that earlier commits brought. *allow*: says whether that capture may have been taken out.
    """
    file = next((file for file in commit.files if file.key.endswith(WARC_ENDING)), None)
    read = local.get(file.key) if file else None
    walked = read.walked if read else None
    notes = Notes(report, file.key if file else "")
    if commit.segment is None or (walked is None and captures.is_read(commit.segment)):
        return Inside("", notes)  # a repeat counts at the first commit
    captures.begin(commit.segment, notes.key)
    segment = captures.current
    if file is None or read is None or walked is None:
        captures.end(whole=False)
        return Inside(segment, notes)
    _look_into_records(commit, file, walked, report)
    part = _find_rows(commit, read.path, walked, report)
    others = {record.offset: record for record in walked.records if not record.holds_rows}
    summary = check_rows(part, commit, others, captures, known=known, notes=notes, allow=allow)
    report.counts.rows += summary.lines
    if commit.rows is not None and summary.lines != commit.rows.count:
        notes.damage(f"found {summary.lines} rows, the commit says {commit.rows.count}")
    captures.end(whole=summary.whole)
    return Inside(segment, notes, part, summary.pending)


def _look_into_records(commit: Commit, file: CommittedFile, walked: WalkedFile, report: VerifyReport) -> None:
    notes = Notes(report, file.key)
    records = walked.records
    for finding in walked.findings:
        notes.repeat(finding)
    report.counts.records += len(records)
    if len(records) != file.records:
        notes.damage(f"found {len(records)} whole records, the commit says {file.records}")
    seen: set[str] = set()
    for record in records:
        if (record.kind == "warcinfo") != (record.offset == 0):
            notes.damage(
                f"found a {record.kind} record, expected one warcinfo, at the beginning",
                record=record.number,
                offset=record.offset,
            )
        if record.record_id in seen:
            notes.damage(f"{record.record_id} stands twice", record=record.number, offset=record.offset)
        seen.add(record.record_id)
    if records and records[0].offset == 0 and records[0].filename != f"{commit.segment}{WARC_ENDING}":
        notes.damage(
            f"WARC-Filename: found {records[0].filename!a}, expected that of segment {commit.segment}",
            record=1,
            offset=0,
        )


def _find_rows(commit: Commit, path: Path, walked: WalkedFile, report: VerifyReport) -> RowsPart:
    """Return the part of the file that holds the rows, and take down what is wrong with its place."""
    place, records = commit.rows, walked.records
    holding = [record for record in records if record.holds_rows]
    found = holding[0].offset if holding else path.stat().st_size
    if place is None:  # which the check of the log has said
        return RowsPart(path, found, tuple(holding))
    notes = Notes(report, place.key)
    for fault in _find_part_faults(place, walked.rows_sha256, commit.seq):
        notes.damage(fault, offset=place.offset)
    for record in records:
        for fault in _find_place_faults(record, commit, place.offset):
            notes.damage(fault, record=record.number, offset=record.offset)
    if found != place.offset and _are_whole(records, found):
        notes.damage(f"the rows begin at byte {found}, commit {commit.seq} says {place.offset}", offset=found)
        return RowsPart(path, found, tuple(holding))
    return RowsPart(path, place.offset, tuple(record for record in holding if record.offset >= place.offset))


def _are_whole(records: list[Record], end: int) -> bool:
    """Return whether all records before byte *end* could be read."""
    return sum(record.length for record in records if record.offset < end) == end


def _find_part_faults(place: RowsPlace, found: str, seq: int) -> Iterator[str]:
    if place.size_bytes > MAX_ROWS_BYTES:
        yield f"commit {seq} says {place.size_bytes} bytes of rows; at most {MAX_ROWS_BYTES} are read"
    if found != place.sha256:
        yield f"the rows were changed: found {found}, commit {seq} says {place.sha256[:80]}"


def _find_place_faults(record: Record, commit: Commit, rows_offset: int) -> Iterator[str]:
    """Yield why *record* may not stand where it does, before the rows or among them."""
    if not record.holds_rows:
        if record.offset >= rows_offset:
            yield f"found a {record.kind} record, expected one that holds rows: they begin at byte {rows_offset}"
        return
    if record.offset < rows_offset:
        yield f"holds rows, though they begin at byte {rows_offset}"
    wanted = facts_uri(commit.segment or "")
    if record.target_uri != shorten(wanted):
        yield f"WARC-Target-URI: found {show(record.target_uri)}, expected {wanted}"
    if stamp_text(record.date) != stamp(commit.closed):
        yield f"WARC-Date: found {show(record.date)}, expected {stamp(commit.closed)}, when the segment was closed"
