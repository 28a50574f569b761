"""Segments whose writer died: cut back to the last capture that both files hold whole, ended, moved to `closed/`.

Every row and every record up to there is read and checked. Safe to die in, at any moment, and to repeat.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import structlog

from config.errors import RecordError
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
    encode_row,
)
from crawler.spool import LOCK_FILE, ROWS_FILE, WARC_FILE, Tail, lock_folder, move_to_closed
from crawler.warc import read_records

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime
    from pathlib import Path

    from crawler.warc import RecordView

log = structlog.get_logger()


def recover_segments(spool: Path, now: datetime) -> list[Path]:
    """Finish every segment in `open/` whose writer is dead; return where they are now, in `closed/`.

    A segment that holds neither a capture nor a run's row is removed. Raises OSError.
    """
    folders = sorted(path for path in (spool / "open").glob("*") if path.is_dir())
    recovered = []
    for folder in folders:
        lock = lock_folder(folder)
        if lock is None:
            continue
        try:
            target = _recover(folder, now)
        finally:
            os.close(lock)
        if target is not None:
            (target / LOCK_FILE).unlink(missing_ok=True)
            recovered.append(target)
    return recovered


class _Whole:
    """How far both files of a segment can be believed, found by reading rows and records side by side."""

    def __init__(self, folder: Path) -> None:
        self.rows_bytes = 0
        self.warc_bytes = 0
        self.warc_records = 0
        self.counts = {"captures": 0, "snapshots": 0, "links": 0, "errors": 0}
        self.end: EndRow | None = None
        self.has_run = False
        self._records = _believable_records(folder / WARC_FILE)
        self._read = Extent(0, 0)
        self._records_read = 0
        self._pending: list[Row] = []
        """Rows of a capture that is not whole yet."""
        self._measure(folder / ROWS_FILE)

    def _measure(self, rows: Path) -> None:
        position = 0
        for line, row in _believable_rows(rows):
            position += len(line)
            if not self._accept(row, first=position == len(line)):
                break
            if not self._pending:
                self.rows_bytes, self.warc_bytes = position, self._read.offset + self._read.length
                self.warc_records = self._records_read
            if self.end is not None:
                break

    def _accept(self, row: Row | None, *, first: bool) -> bool:
        """Take in the next row; return whether it fits what came before and what the WARC file holds."""
        if first:
            return isinstance(row, SegmentRow) and self._take("warcinfo", None)
        match row:
            case CaptureRow():
                return self._accept_capture(row)
            case SnapshotRow(n=int()):
                self._pending += [row] if self._pending else []
                return bool(self._pending) and row.n == self.counts["captures"]
            case CdxjRow():
                return bool(self._pending) and self._count_capture(*self._pending)
            case _ if self._pending:
                return False
            case EndRow():
                self.end = row
            case RunRow():
                self.has_run = True
            case LinkRow():
                self.counts["links"] += 1
        return True

    def _accept_capture(self, row: CaptureRow) -> bool:
        if self._pending or row.n != self.counts["captures"]:
            return False
        if row.warc is None:
            return self._count_capture(row)
        places = [
            ("response" if row.revisit_of is None else "revisit", row.warc.response),
            ("request", row.warc.request),
            ("metadata", row.warc.metadata),
            ("conversion", row.warc.rendered),
        ]
        named = [(kind, extent) for kind, extent in places if extent is not None]
        if not all(self._take(kind, extent) for kind, extent in sorted(named, key=lambda item: item[1].offset)):
            return False
        if row.warc.response is None:
            return self._count_capture(row)
        self._pending = [row]
        return True

    def _count_capture(self, *rows: Row) -> bool:
        self.counts["captures"] += 1
        self.counts["errors"] += sum(isinstance(row, CaptureRow) and row.error is not None for row in rows)
        self.counts["snapshots"] += sum(isinstance(row, SnapshotRow) for row in rows)
        self._pending = []
        return True

    def _take(self, kind: str, extent: Extent | None) -> bool:
        """Read the next record; return whether it is whole, of *kind*, and lies at *extent*."""
        record = next(self._records, None)
        if record is None or record.type != kind or record.find_faults():
            return False
        self._read = Extent(record.offset, record.length)
        self._records_read += 1
        return extent is None or (extent.offset, extent.length) == (self._read.offset, self._read.length)


def _recover(folder: Path, now: datetime) -> Path | None:
    whole = _Whole(folder)
    if not whole.counts["captures"] and not whole.has_run:
        _remove(folder)
        log.warning("recovered_segment", segment=folder.name, captures=0, kept=False)
        return None
    warc, rows = Tail(folder / WARC_FILE), Tail(folder / ROWS_FILE)
    try:
        end = whole.end
        if end is None:
            cut = _describe_cut(warc.size_bytes - whole.warc_bytes, rows.size_bytes - whole.rows_bytes)
            end = EndRow(
                closed=now,
                counts=whole.counts,
                warc_records=whole.warc_records,
                warc_bytes=whole.warc_bytes,
                cut=cut,
            )
            # the end row first, over the torn rows: whoever repeats this after a death still learns what was cut
            rows.end_at(whole.rows_bytes, encode_row(end))
        else:
            rows.cut(whole.rows_bytes)
        rows.sync()
        warc.cut(whole.warc_bytes)
        warc.sync()
    finally:
        warc.close()
        rows.close()
    log.warning("recovered_segment", segment=folder.name, captures=end.counts.get("captures"), kept=True, cut=end.cut)
    return move_to_closed(folder)


def _describe_cut(warc_bytes: int, rows_bytes: int) -> dict[str, Any] | None:
    if not warc_bytes and not rows_bytes:
        return None
    return {"warc_bytes": warc_bytes, "rows_bytes": rows_bytes, "reason": "the writer died within a capture"}


def _believable_rows(path: Path) -> Iterator[tuple[bytes, Row | None]]:
    """Yield the lines of *path* and their rows up to the first that is torn or damaged."""
    if not path.exists():
        return
    with path.open("rb") as file:
        while (line := file.readline(MAX_LINE_BYTES + 1)).endswith(b"\n"):
            try:
                row = decode_row(line)
            except RecordError:
                return
            yield line, row


def _believable_records(path: Path) -> Iterator[RecordView]:
    """Yield the records of *path* up to the first that is torn or damaged."""
    if not path.exists():
        return
    try:
        yield from read_records(path)
    except RecordError:
        return


def _remove(folder: Path) -> None:
    for name in (WARC_FILE, ROWS_FILE, LOCK_FILE):
        (folder / name).unlink(missing_ok=True)
    folder.rmdir()
