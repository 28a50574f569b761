"""The rows of one segment against its records and its commit: every pointer followed, every count taken again."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from config.errors import DamageFound, FormatTooNew, RecordError
from crawler.model import PageClass
from crawler.rows import (
    CaptureReference,
    CaptureRow,
    CdxjRow,
    EndRow,
    LinkRow,
    Row,
    RunRow,
    SegmentRow,
    SlotRow,
    SnapshotRow,
    decode_row,
)
from jobs.archive.commit import SUPPORTED, digest, owns_segment, require_format
from jobs.ledger import find_fault
from jobs.verify.captures import make_fact
from jobs.verify.chain import derive_digest
from jobs.verify.pointers import Pointers, differ, stamp
from jobs.verify.references import check_revisit, check_snapshot_of, find_referred

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from jobs.archive.commit import Commit
    from jobs.verify.captures import Captures
    from jobs.verify.lines import RowsPart
    from jobs.verify.members import Record
    from jobs.verify.report import Notes

MAX_ROWS = 20_000_000
MAX_CAPTURES = 1_000_000
MAX_PENDING = 100_000

_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")


@dataclass(slots=True)
class RowsSummary:
    """What is left to do once the rows are read."""

    lines: int = 0
    whole: bool = False
    """Whether all rows could be read."""
    pending: list[tuple[int, SnapshotRow]] = field(default_factory=list)
    """Line and row of snapshots whose capture is not read yet; their texts are left out."""


def check_rows(
    part: RowsPart,
    commit: Commit,
    records: dict[int, Record],
    captures: Captures,
    *,
    known: set[str],
    notes: Notes,
    allow: Callable[[Commit, CaptureRow], bool],
) -> RowsSummary:
    """Check the rows of the segment of *commit*; findings go to *notes*, the captures to *captures*.

    *records*: offset → record of the segment that holds no rows. *known*: derivations that earlier commits brought.
    *allow*: says whether that capture may have been taken out.
    """
    check = _RowsCheck(commit, records, captures, rows_offset=part.offset, known=known, notes=notes, allow=allow)
    summary = check.summary
    try:
        for line in part.read_lines():
            summary.lines += 1
            if summary.lines > MAX_ROWS or check.counts["captures"] > MAX_CAPTURES:
                raise RecordError(f"more than {MAX_ROWS} rows or {MAX_CAPTURES} captures: not read any further")
            if _has_half_character(line):
                notes.damage("holds half a character, which no file and no database takes", line=summary.lines)
            row = decode_row(line)
            if row is not None:
                check.take(row)
            elif summary.lines == 1 or check.end is not None:
                notes.damage("found a row of an unknown type, expected segment first and end last", line=summary.lines)
    except RecordError as error:
        notes.damage(str(error), line=summary.lines or None)
    else:
        summary.whole = check.end is not None
    check.finish()
    return summary


class _RowsCheck:
    """One pass over the rows of a segment."""

    def __init__(
        self,
        commit: Commit,
        records: dict[int, Record],
        captures: Captures,
        *,
        rows_offset: int,
        known: set[str],
        notes: Notes,
        allow: Callable[[Commit, CaptureRow], bool],
    ) -> None:
        self.summary = RowsSummary()
        self.end: EndRow | None = None
        self.counts = dict.fromkeys(("captures", "articles", "errors", "snapshots", "rederived", "links"), 0)
        self._commit = commit
        self._captures = captures
        self._notes = notes
        self._known = known | commit.derivations.keys()
        self._allow = allow
        self._withdrawn = 0
        """Captures that were taken out."""
        name = commit.rows.key.rpartition("/")[2] if commit.rows else f"{commit.segment}.warc.gz"
        self._pointers = Pointers(records, name)
        self._records = records
        self._rows_offset = rows_offset
        self._warc_key = next((file.key for file in commit.files if file.key.endswith(".warc.gz")), "")
        self._early: list[tuple[int, SnapshotRow]] = []
        self._derived = bytearray()
        """Capture → whether a snapshot was seen."""

    def take(self, row: Row) -> None:
        """Check one row."""
        if (self.summary.lines == 1) != isinstance(row, SegmentRow):
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
            self._add(self._pointers.follow_index(row.line))
        elif isinstance(row, LinkRow):
            self.counts["links"] += 1
        elif isinstance(row, RunRow):
            self._add(differ("run", row.run, self._commit.run))
        elif isinstance(row, SlotRow):
            self._take_slot(row)
        else:
            self.end = row

    def finish(self) -> None:
        """Check what only all rows tell."""
        if self.end is None:
            self._damage("the rows stop without an end row: they were cut")
        else:
            self._finish_counts(self.end)
        for line, row in self._early:
            self._check_own_snapshot(row, line)
        self._add(self._pointers.finish())
        if (loose := self._pointers.count_loose()) and not self._withdrawn:
            self._notes.notice(f"{loose} metadata records that no capture points at")

    def _take_segment(self, row: SegmentRow) -> None:
        commit = self._commit
        try:
            require_format(row.format, "row")
        except (DamageFound, FormatTooNew) as error:
            self._damage(str(error))
        if unknown := sorted(set(row.requires) - SUPPORTED):
            self._notes.notice(f"a reader must know {', '.join(unknown)[:200]!a}: not all was checked", line=1)
        self._add(differ("segment", row.segment, commit.segment))
        self._add(differ("source", row.source, commit.source))
        self._add(differ("run", row.run, commit.run))
        self._add(differ("epoch", row.epoch, commit.epoch))
        self._add(differ("archive", row.archive or commit.archive, commit.archive))
        self._add(differ("opened", stamp(row.opened), stamp(commit.opened)))
        for derivation, meaning in row.derivations.items():
            if derive_digest(meaning) != derivation:
                self._damage(f"derivation {derivation[:80]!a} does not have the digest of what it stands for")
        self._known |= row.derivations.keys()

    def _take_capture(self, row: CaptureRow) -> None:
        self._add(differ("n", row.n, self.counts["captures"]))
        self.counts["captures"] += 1
        self.counts["articles"] += row.purpose == "article"
        self.counts["errors"] += row.error is not None
        answer, faults = self._pointers.follow(row)
        if row.page_class == PageClass.REDACTED or row.class_reason.startswith("redacted: "):
            self._withdrawn += 1
            if not self._allow(self._commit, row):
                faults.append(f"capture {row.n} was taken out, and no commit says so")
        body = None
        if row.revisit_of is not None or (answer is not None and answer.kind == "revisit"):
            body, more = check_revisit(row, answer, self._captures)
            faults += more
        self._add(faults)
        self._captures.add(make_fact(row, self._warc_key, body))

    def _take_snapshot(self, row: SnapshotRow) -> None:
        self.counts["rederived" if row.of is not None else "snapshots"] += 1
        found = digest(row.text.encode("utf-8", "surrogatepass"))
        if found != row.text_digest:
            self._damage(f"the text of {row.url[:200]!a} has {found}, the row says {row.text_digest[:80]!a}")
        if row.derivation not in self._known:
            self._damage(f"no commit so far says what derivation {row.derivation[:80]!a} stands for")
        if row.of is not None:
            self._check_snapshot_of_another(row, row.of)
        elif row.n is None:
            self._damage("a snapshot that names no capture")
        elif row.n >= self.counts["captures"]:
            self._early.append((self.summary.lines, without_text(row)))
            if len(self._early) > MAX_PENDING:
                raise RecordError(f"more than {MAX_PENDING} snapshots that stand before their captures")
        else:
            self._check_own_snapshot(row, self.summary.lines)

    def _take_slot(self, row: SlotRow) -> None:
        if fault := find_fault(row):
            self._damage(f"a slot that no ledger can have: {fault}")
        if row.run is not None and not owns_segment(self._commit.source, row.run):
            self._damage(f"a slot with a run of another source: {row.run[:100]!a}")

    def _check_own_snapshot(self, row: SnapshotRow, line: int) -> None:
        n = row.n if row.n is not None else -1
        fact = self._captures.find(self._captures.current, n)
        if fact is None:
            self._notes.damage(f"a snapshot of capture {n}, which is not in this segment", line=line)
            return
        for fault in check_snapshot_of(row, fact):
            self._notes.damage(f"{fault} {n}", line=line)
        self._derived.extend(bytes(max(0, n + 1 - len(self._derived))))
        if self._derived[n]:
            self._notes.damage(f"a further snapshot of capture {n}", line=line)
        self._derived[n] = 1

    def _check_snapshot_of_another(self, row: SnapshotRow, reference: CaptureReference) -> None:
        fact, fault = find_referred(self._captures, reference)
        if fault is not None:
            self._damage(f"a snapshot of what is not there: {fault}")
        elif fact is not None:
            self._add(f"{one} {reference.n} of {reference.segment[:120]!a}" for one in check_snapshot_of(row, fact))
        elif not self._captures.is_read(reference.segment):
            self.summary.pending.append((self.summary.lines, without_text(row)))
            if len(self.summary.pending) > MAX_PENDING:
                raise RecordError(f"more than {MAX_PENDING} snapshots of captures that were committed later")

    def _finish_counts(self, end: EndRow) -> None:
        self._add(differ("closed", stamp(end.closed), stamp(self._commit.closed)))
        self._add(differ("warc_records", end.warc_records, len(self._records)))
        self._add(differ("warc_bytes", end.warc_bytes, self._rows_offset))
        for origin, counts in (("end row", end.counts), ("commit", self._commit.counts)):
            for name, found in self.counts.items():
                if name in counts:
                    self._add(differ(f"{origin}: {name}", counts[name], found))

    def _add(self, faults: Iterable[str]) -> None:
        for fault in faults:
            self._damage(fault)

    def _damage(self, message: str) -> None:
        self._notes.damage(message, line=self.summary.lines or None)


def without_text(row: SnapshotRow) -> SnapshotRow:
    """Return *row* without what takes room."""
    return SnapshotRow(
        url=row.url,
        captured_at=row.captured_at,
        derivation=row.derivation,
        text="",
        text_digest=row.text_digest,
        page_class=row.page_class,
        class_reason="",
        n=row.n,
        of=row.of,
    )


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
