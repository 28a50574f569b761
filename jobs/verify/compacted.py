"""An object of compacted segments, looked into: its records, and of each segment in it the rows and what they point at.

That the segments are those that were there before was proven when they were moved; here it is seen that each is still
as that commit says: FORMAT.md § 5, *Compacted segments*.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

from config.errors import DamageFound, RecordError
from crawler.rows import CaptureRow, CdxjRow, decode_row
from crawler.warc import MemberFile
from jobs.archive.ranges import COMPACTED
from jobs.archive.replacing import parse_replacement
from jobs.segments.seal import hash_part
from jobs.verify.lines import RowsPart
from jobs.verify.pointers import Pointers
from jobs.verify.report import Notes

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from jobs.archive.commit import Commit, CommittedFile
    from jobs.archive.replacing import MovedSegment
    from jobs.verify.members import Record
    from jobs.verify.reading import ReadFile
    from jobs.verify.report import VerifyReport


def check_compacted(
    commit: Commit, local: dict[str, ReadFile], report: VerifyReport, *, rederiving: bool = False
) -> None:
    """Check the compacted objects that *commit*, of kind `replace` or `redact`, brings; findings go to *report*.

    *local*: key → its files as they were read, as far as they could be. *rederiving*: say that texts in them are not
    made anew here.
    """
    try:
        found = parse_replacement(commit)
    except DamageFound:
        return  # which the check of the log says
    told = {one["segment"]: one.get("records") for one in commit.detail.get("segments", ())}
    for file in commit.files if found is not None else ():
        read = local.get(file.key)
        if found is None or read is None or read.walked is None or not file.key.endswith(COMPACTED):
            continue
        notes = Notes(report, file.key)
        for finding in read.walked.findings:
            notes.repeat(finding)
        records = read.walked.records
        report.counts.records += len(records)
        if len(records) != file.records:
            notes.damage(f"found {len(records)} whole records, the commit says {file.records}")
        moved = sorted((one for one in found.segments if one.rows.key == file.key), key=lambda one: one.rows.offset)
        _check_segments(read.path, file, moved, records, told=told, notes=notes)
        if rederiving:
            notes.notice("the texts of what was compacted are not made anew here: ofrecord rebuild compares them")


def _check_segments(
    path: Path,
    file: CommittedFile,
    moved: Sequence[MovedSegment],
    records: Sequence[Record],
    *,
    told: dict[str, Any],
    notes: Notes,
) -> None:
    name = file.key.rpartition("/")[2]
    first = records[0] if records else None
    if first is None or first.kind != "warcinfo" or first.filename != name:
        notes.damage(f"found no warcinfo of {name} at the beginning", record=1)
    start = first.offset + first.length if first is not None else 0
    for one in moved:
        end = one.rows.offset + one.rows.size_bytes
        own = [record for record in records if start <= record.offset < one.rows.offset]
        holding = [record for record in records if one.rows.offset <= record.offset < end]
        if not own or own[0].kind != "warcinfo" or own[0].offset != start:
            notes.damage(f"segment {one.segment}: found no warcinfo where it begins", offset=start)
        if any(record.holds_rows for record in own) or not all(record.holds_rows for record in holding):
            notes.damage(f"segment {one.segment}: its rows are not behind its records", offset=one.rows.offset)
        if (digest := hash_part(path, one.rows.offset, one.rows.size_bytes)) != one.rows.sha256:
            notes.damage(
                f"the rows of {one.segment} were changed: found {digest}, the commit says {one.rows.sha256}",
                offset=one.rows.offset,
            )
        _compare_records(path, own, one.segment, told.get(one.segment), notes)
        _compare_rows(path, holding, one, notes)
        _follow_rows(RowsPart(path, one.rows.offset, tuple(holding)), one, own, name, notes)
        start = end
    if start != file.size_bytes:
        notes.damage(f"its segments end at byte {start}, expected {file.size_bytes}", offset=start)


def _compare_records(path: Path, own: Sequence[Record], segment: str, told: object, notes: Notes) -> None:
    """Compare the records of a segment with what the commit says that they were before."""
    found = hashlib.sha256()
    try:
        with path.open("rb") as file:
            members = MemberFile(file, "")
            for record in own:
                data = members.read(record.offset)[2]
                found.update(len(data).to_bytes(8, "big"))
                found.update(data)
    except RecordError:
        return  # which is among the findings
    known = {"count": len(own), "sha256": "sha256:" + found.hexdigest()}
    if told != known:
        notes.damage(f"segment {segment}: found {known}, the commit says {str(told)[:200]!a}")


def _compare_rows(path: Path, holding: Sequence[Record], one: MovedSegment, notes: Notes) -> None:
    """Compare what the rows of a segment inflate to with what the commit says, which bundles are proven by."""
    if one.inflated is None:
        return  # of an earlier version
    found = hashlib.sha256()
    try:
        with path.open("rb") as file:
            members = MemberFile(file, "")
            for record in holding:
                found.update(members.read(record.offset)[2])
    except RecordError:
        return  # which is among the findings
    if (digest := "sha256:" + found.hexdigest()) != one.inflated:
        notes.damage(f"segment {one.segment}: its rows inflate to {digest}, the commit says {one.inflated}")


def _follow_rows(part: RowsPart, one: MovedSegment, own: Sequence[Record], name: str, notes: Notes) -> None:
    pointers = Pointers({record.offset: record for record in own}, name)
    lines = 0
    try:
        for line in part.read_lines():
            lines += 1
            row = decode_row(line)
            faults: list[str] = []
            if isinstance(row, CaptureRow):
                faults = pointers.follow(row)[1]
            elif isinstance(row, CdxjRow):
                faults = list(pointers.follow_index(row.line))
            for fault in faults:
                notes.damage(f"segment {one.segment}: {fault}", line=lines)
    except RecordError as error:
        notes.damage(f"segment {one.segment}: {error}", line=lines or None)
        return
    if lines != one.rows.count:
        notes.damage(f"segment {one.segment}: found {lines} rows, the commit says {one.rows.count}")
    for fault in pointers.finish():
        notes.damage(f"segment {one.segment}: {fault}")
