"""A closed segment → one file with its digest and the commit to be: the rows become the WARC file's last records.

Works on local disk only: puts nothing, decides no verdict.
"""

from __future__ import annotations

import hashlib
import os
import secrets
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from config.errors import RecordError
from crawler.rows import (
    CaptureRow,
    EndRow,
    LinkRow,
    Row,
    RunRow,
    SegmentRow,
    SnapshotRow,
    decode_row,
    encode_row,
)
from crawler.spool import ROWS_FILE, WARC_FILE, Tail, sync_folder
from crawler.warc import encode_facts
from jobs.archive.commit import Commit, CommittedFile, RowsPlace, decode_commit, encode_commit, warc_key, writer_name

if TYPE_CHECKING:
    from collections.abc import Iterable

DRAFT_FILE = "commit.draft"


@dataclass(frozen=True, slots=True)
class SealedSegment:
    """A segment ready to be put: its folder in `sealed/` and the commit that will make it exist."""

    path: Path
    draft: Commit

    def local_file(self, file: CommittedFile) -> Path:
        """Return where the bytes of *file* lie on this disk."""
        del file  # a segment is one file
        return self.path / WARC_FILE


def seal_segment(closed: Path, *, now: datetime, derived: Iterable[SnapshotRow] = ()) -> SealedSegment:
    """Seal the segment in folder *closed* and move it to `sealed/` beside it. Safe to repeat after a crash.

    *derived*: further snapshot rows, of earlier captures derived again. Raises RecordError if the
    rows do not hold together.
    """
    rows = _read_local_rows(closed / ROWS_FILE)
    head, end = rows[0], rows[-1]
    if not isinstance(head, SegmentRow) or not isinstance(end, EndRow):
        raise RecordError(f"{closed / ROWS_FILE}: found no whole segment: its first row or its last is missing")
    again = list(derived)
    rows[-1] = end = replace(end, counts={**end.counts, "rederived": len(again)}) if again else end
    rows[-1:] = [*again, end]
    warc_path = closed / WARC_FILE
    key = warc_key(head.source, now, head.segment)
    place, records = _append_rows(warc_path, rows, end, segment=head.segment, key=key)
    file = CommittedFile(
        key=key,
        size_bytes=place.offset + place.size_bytes,
        sha256=hash_file(warc_path),
        records=end.warc_records + records,
    )
    draft = Commit(
        source=head.source,
        kind="segment",
        id=secrets.token_hex(16),
        committed=now,
        archive=head.archive or "",
        writer=writer_name(),
        run=head.run,
        segment=head.segment,
        files=(file,),
        rows=place,
        epoch=head.epoch,
        releases=head.epoch > 0 and any(isinstance(row, RunRow) for row in rows),
        counts=_count(rows),
        opened=head.opened,
        closed=end.closed,
        derivations=head.derivations,
    )
    _write_durably(closed / DRAFT_FILE, encode_commit(draft))
    target = closed.parent.parent / "sealed" / closed.name
    target.parent.mkdir(parents=True, exist_ok=True)
    closed.rename(target)
    for folder in (closed.parent, target.parent):
        sync_folder(folder)
    (target / ROWS_FILE).unlink(missing_ok=True)
    return SealedSegment(target, draft)


def load_sealed(path: Path) -> SealedSegment:
    """Return the sealed segment in folder *path*. Raises DamageFound if its draft cannot be read."""
    draft = path / DRAFT_FILE
    return SealedSegment(path, decode_commit(draft.read_bytes(), str(draft)).commit)


def hash_file(path: Path) -> str:
    """Return the labelled SHA-256 of a file."""
    with path.open("rb") as file:
        return "sha256:" + hashlib.file_digest(file, "sha256").hexdigest()


def _read_local_rows(path: Path) -> list[Row]:
    rows: list[Row] = []
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            try:
                row = decode_row(line)
            except RecordError as error:
                raise RecordError(f"{path}: line {number}: {error}") from error
            if row is not None:
                rows.append(row)
    if not rows:
        raise RecordError(f"{path}: found no rows")
    return rows


def _append_rows(path: Path, rows: list[Row], end: EndRow, *, segment: str, key: str) -> tuple[RowsPlace, int]:
    """Write *rows* behind the exchanges in the WARC file, over what an earlier try may have left there.

    Returns where they lie and in how many records.
    """
    size, records, found = 0, 0, hashlib.sha256()
    warc = Tail(path)
    try:
        if warc.size_bytes < end.warc_bytes:
            raise RecordError(f"{path}: found {warc.size_bytes} bytes, its end row says {end.warc_bytes}")
        warc.cut(end.warc_bytes)
        for member in encode_facts((encode_row(row) for row in rows), segment=segment, date=end.closed):
            warc.append(member)
            found.update(member)
            size += len(member)
            records += 1
        warc.sync()
    finally:
        warc.close()
    return RowsPlace(key, end.warc_bytes, size, "sha256:" + found.hexdigest(), len(rows)), records


def _write_durably(path: Path, data: bytes) -> None:
    with path.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _count(rows: list[Row]) -> dict[str, int]:
    captures = [row for row in rows if isinstance(row, CaptureRow)]
    snapshots = [row for row in rows if isinstance(row, SnapshotRow)]
    return {
        "captures": len(captures),
        "articles": sum(row.purpose == "article" for row in captures),
        "errors": sum(row.error is not None for row in captures),
        "snapshots": sum(row.of is None for row in snapshots),
        "rederived": sum(row.of is not None for row in snapshots),
        "links": sum(isinstance(row, LinkRow) for row in rows),
    }
