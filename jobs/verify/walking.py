"""The local copy of a segment's file: its digest, its records, the digest of its rows.

Needs no store, and what comes out can be sent from one process to another.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from jobs.segments.seal import hash_file, hash_part
from jobs.verify.members import walk_records
from jobs.verify.report import Notes, VerifyReport

if TYPE_CHECKING:
    from pathlib import Path

    from jobs.archive.commit import RowsPlace
    from jobs.verify.members import Record
    from jobs.verify.report import Finding


@dataclass(frozen=True, slots=True)
class WalkedFile:
    """What a file says without its commit."""

    sha256: str
    """Of the whole file."""
    rows_sha256: str = ""
    """Of the part that shall be its rows; "" if none was asked for."""
    records: list[Record] = field(default_factory=list)
    """Its whole records; none where it is no WARC file."""
    findings: list[Finding] = field(default_factory=list)
    """What is wrong with them."""


def walk_file(path: Path, key: str, rows: RowsPlace | None, *, warc: bool) -> WalkedFile:
    """Read the file *path*, the object *key*; if *warc*, its records, and take the digest of the part *rows*."""
    sha256 = hash_file(path)
    if not warc:
        return WalkedFile(sha256)
    report = VerifyReport(full=True)
    records = list(walk_records(path, Notes(report, key)))
    part = "" if rows is None else hash_part(path, rows.offset, rows.size_bytes)
    return WalkedFile(sha256, part, records, report.findings)
