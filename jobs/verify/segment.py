"""The two files of one segment, looked into: the WARC's records, then the rows against them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from jobs.verify.members import Record, walk_records
from jobs.verify.report import Notes
from jobs.verify.rows import check_rows

if TYPE_CHECKING:
    from pathlib import Path

    from crawler.rows import SnapshotRow
    from jobs.archive import Commit, CommittedFile
    from jobs.verify.captures import Captures
    from jobs.verify.report import VerifyReport

_WARC = ".warc.gz"
_ROWS = ".rows.jsonl.zst"


@dataclass(frozen=True, slots=True)
class Inside:
    """What was found in a segment."""

    segment: str
    """Its name among the captures."""
    notes: Notes
    """Of the rows file."""
    rows: Path | None = None
    """Local copy of the rows file, if there is one."""
    warc: tuple[str, Path] | None = None
    """Key and local copy of the WARC file."""
    pending: list[tuple[int, SnapshotRow]] = field(default_factory=list)
    """Lines and rows that name captures of segments that were committed later."""


def look_inside(
    commit: Commit, local: dict[str, Path], captures: Captures, known: set[str], report: VerifyReport
) -> Inside:
    """Check the segment that *commit* brings; findings go to *report*, its captures to *captures*.

    *local*: key → local copy of its files, as far as they could be had and are this commit's to say. *known*:
    derivations that earlier commits brought.
    """
    warc_file, rows_file = _find(commit, _WARC), _find(commit, _ROWS)
    if commit.segment is None or (rows_file is None and captures.is_read(commit.segment)):
        return Inside("", Notes(report, ""))
    if captures.is_read(commit.segment) and not local:
        return Inside("", Notes(report, ""))  # a repeat: it counts at the first commit
    captures.begin(commit.segment, warc_file.key if warc_file else "")
    segment = captures.current
    records: dict[int, Record] | None = {} if warc_file is None else None
    warc = None
    if warc_file is not None and warc_file.key in local:
        warc = (warc_file.key, local[warc_file.key])
        records = _look_into_warc(commit, warc_file, local[warc_file.key], report)
    if rows_file is None or rows_file.key not in local:
        captures.end(whole=False)
        return Inside(segment, Notes(report, ""), warc=warc)
    notes = Notes(report, rows_file.key)
    summary = check_rows(local[rows_file.key], commit, records, captures, known=known, notes=notes)
    report.counts.rows += summary.lines
    if summary.lines != rows_file.records:
        notes.damage(f"found {summary.lines} rows, the commit says {rows_file.records}")
    captures.end(whole=summary.whole)
    return Inside(segment, notes, local[rows_file.key], warc, summary.pending)


def _find(commit: Commit, suffix: str) -> CommittedFile | None:
    return next((file for file in commit.files if file.key.endswith(suffix)), None)


def _look_into_warc(commit: Commit, file: CommittedFile, path: Path, report: VerifyReport) -> dict[int, Record]:
    notes = Notes(report, file.key)
    records = {record.offset: record for record in walk_records(path, notes)}
    report.counts.records += len(records)
    if len(records) != file.records:
        notes.damage(f"found {len(records)} whole records, the commit says {file.records}")
    seen: set[str] = set()
    for record in records.values():
        if (record.kind == "warcinfo") != (record.offset == 0):
            notes.damage(
                f"found a {record.kind} record, expected one warcinfo, at the beginning",
                record=record.number,
                offset=record.offset,
            )
        if record.record_id in seen:
            notes.damage(f"{record.record_id} stands twice", record=record.number, offset=record.offset)
        seen.add(record.record_id)
    first = records.get(0)
    if first is not None and first.filename != f"{commit.segment}{_WARC}":
        notes.damage(
            f"WARC-Filename: found {first.filename!a}, expected that of segment {commit.segment}", record=1, offset=0
        )
    return records
