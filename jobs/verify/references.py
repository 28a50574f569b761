"""What a row says of a capture in another segment: that it is there, and is what the row takes it for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jobs.archive.commit import owns_segment
from jobs.verify.captures import mark
from jobs.verify.members import NOT_MODIFIED, shorten
from jobs.verify.pointers import show, stamp, stamp_text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from crawler.rows import CaptureReference, CaptureRow, SnapshotRow
    from jobs.segments.pages import RecordPlace
    from jobs.verify.captures import CaptureFact, Captures
    from jobs.verify.members import Record


def find_referred(captures: Captures, reference: CaptureReference) -> tuple[CaptureFact | None, str | None]:
    """Return the capture that *reference* names, or why there can be none; neither: it cannot be told."""
    segment, n = reference.segment, reference.n
    shown = f"capture {n} of segment {segment[:120]!a}"
    if not owns_segment(captures.source, segment):
        return None, f"{shown} is another source's"
    if segment not in captures.committed:
        return None, f"no commit brought {shown}"
    fact = captures.find(segment, n)
    if fact is None and (n < 0 or captures.is_whole(segment)):
        return None, f"there is no {shown}: it has {captures.count(segment)}"
    captures.untold += fact is None
    return fact, None


def check_revisit(row: CaptureRow, record: Record | None, captures: Captures) -> tuple[RecordPlace | None, list[str]]:
    """Return where the payload of *row*, a revisit, is, if that can be told, and what is wrong with it, in words.

    *record*: its revisit record, if it could be read.
    """
    reference = row.revisit_of
    if reference is None:
        return None, ["revisit_of: the row says nothing, but its record is a revisit"]
    faults: list[str] = []
    if record is not None and record.kind != "revisit":
        faults.append(f"revisit_of: set, but the record at offset {record.offset} is a {record.kind}")
    elif row.warc is None or row.warc.response is None:
        faults.append("revisit_of: set, but the capture has no record")
    elif record is not None and record.refers_to_uri != shorten(row.target_uri):
        faults.append(
            f"the record at offset {record.offset} refers to {show(record.refers_to_uri)}, expected its own URL"
        )
    fact, fault = find_referred(captures, reference)
    if fault is None and reference.segment == captures.current:
        fault = f"capture {reference.n} is of this same segment, which was not committed yet"
    elif fault is None and not captures.is_read(reference.segment):
        later = captures.committed[reference.segment]
        fault = f"segment {reference.segment[:120]!a} was committed only later, by commit {later}"
    if fault is not None or fact is None:
        return None, faults + ([f"revisit_of: {fault}"] if fault else [])
    shown = f"revisit_of: capture {reference.n} of segment {reference.segment[:120]!a}"
    faults += [f"{shown} {one}" for one in _compare(row, record, fact)]
    return None if fact.is_revisit else fact.record, faults


def _compare(row: CaptureRow, record: Record | None, fact: CaptureFact) -> Iterator[str]:
    if fact.is_revisit:
        yield "is a revisit itself"
    if fact.record is None:
        yield "has no record"
    if fact.truncated:
        yield "has a body that was cut"
    if fact.target != mark(row.target_uri):
        yield f"is of another URL than {row.target_uri[:200]!a}"
    if record is not None and record.kind == "revisit" and stamp_text(record.refers_to_date) != stamp(fact.captured_at):
        yield f"is of {stamp(fact.captured_at)}, but the record refers to {show(record.refers_to_date)}"
    if record.profile == NOT_MODIFIED if record is not None else row.payload_digest is None:
        if row.size_bytes:
            yield f"cannot be the {row.size_bytes} bytes that the row says a 304 had"
    elif fact.payload != mark(row.payload_digest):
        yield f"has another payload than {show(row.payload_digest)}"
    elif fact.size_bytes != row.size_bytes:
        yield f"has {fact.size_bytes} bytes of payload, the row says {row.size_bytes}"


def check_snapshot_of(row: SnapshotRow, fact: CaptureFact) -> Iterator[str]:
    """Yield why *row* cannot be a snapshot of the capture *fact*."""
    if fact.url != mark(row.url) or fact.captured_at != row.captured_at:
        yield "a snapshot with another URL or time than its capture"
    elif fact.record is None:
        yield "a snapshot of a capture that has no answer"
