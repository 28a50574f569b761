"""A segment on local disk: a WARC file and its rows, written together, closed together, recovered after a crash.

Order of every append: WARC members, then the capture's row, its snapshot's, its index line's. So the rows say how far
both files can be believed: FORMAT.md § 8. Never talks to a store.
"""

from __future__ import annotations

import contextlib
import os
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Self

import structlog

from config.errors import RecordError
from crawler.ids import new_id
from crawler.recovery import recover_segments
from crawler.rows import (
    MAX_LINE_BYTES,
    CaptureReference,
    CaptureRow,
    CdxjRow,
    EndRow,
    Extent,
    LinkRow,
    Row,
    RunRow,
    SegmentRow,
    SlotRow,
    SnapshotRow,
    WarcPlace,
    encode_row,
)
from crawler.spool import LOCK_FILE, ROWS_FILE, WARC_FILE, Tail, lock_folder, move_to_closed
from crawler.warc import cdxj_line, encode_warcinfo

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from crawler.model import Snapshot
    from crawler.warc import Recorded

log = structlog.get_logger()

__all__ = ["SegmentStream", "SegmentWriter", "recover_segments", "snapshot_row"]

_ATTEMPTS = 10


def snapshot_row(
    snapshot: Snapshot,
    *,
    url: str,
    captured_at: datetime,
    n: int | None = None,
    of: CaptureReference | None = None,
) -> SnapshotRow:
    """Return the row of *snapshot*, of capture *n* of its own segment or of the earlier capture *of*."""
    if (n is None) == (of is None):
        raise ValueError("a snapshot is of capture n or of an earlier one: give exactly one of the two")
    return SnapshotRow(
        url=url,
        captured_at=captured_at,
        derivation=snapshot.derivation,
        text=snapshot.text,
        text_digest=snapshot.text_digest,
        page_class=snapshot.page_class.value,
        class_reason=snapshot.class_reason,
        n=n,
        of=of,
        title=snapshot.title,
        lead=snapshot.lead,
        fields={
            name: {"value": found.value, "from": found.origin}
            | ({"assumed_zone": found.assumed_zone} if found.assumed_zone else {})
            | ({"confidence": found.confidence} if found.confidence is not None else {})
            for name, found in snapshot.fields.items()
        },
        confidence=snapshot.confidence,
    )


class SegmentWriter:
    """One open segment, locked against recovery as long as this process lives."""

    def __init__(self, folder: Path, lock: int, head: SegmentRow) -> None:
        self.segment = head.segment
        self.opened = head.opened
        self.counts = {"captures": 0, "snapshots": 0, "links": 0, "errors": 0}
        self.warc_records = 0
        self._folder = folder
        self._lock = lock
        self._filename = f"{head.segment}.warc.gz"
        self._warc = Tail(folder / WARC_FILE)
        self._rows = Tail(folder / ROWS_FILE)
        try:
            warcinfo, self.warcinfo_id = encode_warcinfo(
                filename=self._filename, run=head.run, source=head.source, software=head.writer, created=head.opened
            )
            self._write(warcinfo, [head])
        except BaseException:
            self.abandon()
            raise
        self.warc_records = 1

    @classmethod
    def open(
        cls,
        spool: Path,
        *,
        source: str,
        run: str,
        archive: str | None,
        writer: str,
        now: datetime,
        derivations: dict[str, Any] | None = None,
        epoch: int = 0,
    ) -> Self:
        """Begin a segment in *spool*. *writer*: program and version. *epoch*: of the lease.

        Raises OSError, RecordError.
        """
        for _ in range(_ATTEMPTS):
            segment = new_id(source, now)
            folder = spool / "open" / segment
            folder.mkdir(parents=True)
            lock = lock_folder(folder)
            if lock is None:
                continue  # a recovery that runs just now took it for a dead writer's
            head = SegmentRow(
                source=source,
                run=run,
                segment=segment,
                opened=now,
                writer=writer,
                archive=archive,
                derivations=derivations or {},
                epoch=epoch,
            )
            return cls(folder, lock, head)
        raise RecordError(f"{spool / 'open'}: cannot keep a new segment here: something takes each away at once")

    @property
    def size_bytes(self) -> int:
        """Of the longer of the two files."""
        return max(self._warc.size_bytes, self._rows.size_bytes)

    def append(self, row: CaptureRow, recorded: Recorded, snapshot: Snapshot | None = None) -> int:
        """Append one capture and return its number. `n` and `warc` of *row* are set here.

        Raises OSError (a full disk) and RecordError; the segment then ends with the capture before.
        """
        number = self.counts["captures"]
        place = None
        if recorded.data:
            base = self._warc.size_bytes
            members = (recorded.request, recorded.response, recorded.metadata, recorded.rendered)
            place = WarcPlace(*(_shift(extent, base) for extent in members))
        row = replace(row, n=number, warc=place)
        rows: list[Row] = [row]
        if snapshot is not None:
            if not recorded.response:
                raise RecordError(f"{row.url}: a snapshot without a response that it was made from")
            rows.append(snapshot_row(snapshot, url=row.url, captured_at=row.captured_at, n=number))
        if place is not None and place.response is not None:
            rows.append(CdxjRow(cdxj_line(row, filename=self._filename)))
        self._write(recorded.data, rows)
        self.warc_records += recorded.records
        self.counts["captures"] += 1
        self.counts["snapshots"] += snapshot is not None
        self.counts["errors"] += row.error is not None
        return number

    def add(self, row: LinkRow | RunRow | SlotRow | SnapshotRow) -> None:
        """Append a row that belongs to no capture of this segment. Raises OSError, RecordError."""
        self._write(b"", [row])
        self.counts["links"] += isinstance(row, LinkRow)

    def add_links(self, lines: list[bytes]) -> None:
        """Append link rows that are encoded already. Raises OSError, RecordError."""
        self._write_lines(b"", lines)
        self.counts["links"] += len(lines)

    def close(self, now: datetime) -> Path:
        """End the segment, make it last, move it to `closed/`, and return where it is now."""
        end = EndRow(
            closed=now,
            counts=dict(self.counts),
            warc_records=self.warc_records,
            warc_bytes=self._warc.size_bytes,
        )
        self._write(b"", [end])
        self._warc.sync()
        self._rows.sync()
        target = move_to_closed(self._folder)
        self.abandon()
        (target / LOCK_FILE).unlink(missing_ok=True)
        return target

    def abandon(self) -> None:
        """Let go of the files as they are, as a death would; recovery finds them. Safe to repeat."""
        self._warc.close()
        self._rows.close()
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1

    def _write(self, records: bytes, rows: list[Row]) -> None:
        self._write_lines(records, [encode_row(row) for row in rows])

    def _write_lines(self, records: bytes, lines: list[bytes]) -> None:
        for line in lines:
            if len(line) > MAX_LINE_BYTES:
                raise RecordError(
                    f"{self._rows.path}: a row of {len(line)} bytes; at most {MAX_LINE_BYTES} are allowed"
                )
        before = self._warc.size_bytes, self._rows.size_bytes
        try:
            self._warc.append(records)
            self._rows.append(b"".join(lines))
        except OSError:
            with contextlib.suppress(OSError):  # the first error is the one to tell; recovery cuts as well
                self._warc.cut(before[0])
                self._rows.cut(before[1])
            raise


class SegmentStream:
    """The segments of one run: opens one when there is something to write, closes it by size and age.

    *on_close* is called with the folder of each closed segment.
    """

    def __init__(
        self,
        spool: Path,
        *,
        source: str,
        run: str,
        archive: str | None,
        writer: str,
        max_bytes: int,
        max_seconds: float,
        derivations: dict[str, Any] | None = None,
        epoch: int = 0,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        on_close: Callable[[Path], None] | None = None,
    ) -> None:
        self._open: Callable[[datetime], SegmentWriter] = lambda now: SegmentWriter.open(
            spool,
            source=source,
            run=run,
            archive=archive,
            writer=writer,
            now=now,
            derivations=derivations,
            epoch=epoch,
        )
        self._max_bytes = max_bytes
        self._max_age = timedelta(seconds=max_seconds)
        self._clock = clock
        self._on_close = on_close
        self._current: SegmentWriter | None = None
        self.closed = 0
        """How many segments were closed."""

    @property
    def open_segment(self) -> str | None:
        """Id of the segment that is open, if one is: what was appended to others will outlast a power cut."""
        return None if self._current is None else self._current.segment

    def append(self, row: CaptureRow, recorded: Recorded, snapshot: Snapshot | None = None) -> CaptureReference:
        """Append one capture, as `SegmentWriter.append`, to the open segment or to the next; return its place."""
        self.rotate()
        writer = self._writer()
        return CaptureReference(writer.segment, writer.append(row, recorded, snapshot))

    def add(self, row: LinkRow | RunRow | SlotRow | SnapshotRow) -> None:
        """Append a row that belongs to no capture of this segment. Those of run and slots go into the last one."""
        if not isinstance(row, RunRow | SlotRow):
            self.rotate()
        self._writer().add(row)

    def add_links(self, lines: list[bytes]) -> None:
        """Append link rows that are encoded already, as `SegmentWriter.add_links`."""
        self.rotate()
        self._writer().add_links(lines)

    def rotate(self) -> None:
        """Close the open segment if it is long or old enough. Call it now and then while nothing is appended."""
        current = self._current
        if current is None:
            return
        if current.size_bytes >= self._max_bytes or self._clock() - current.opened >= self._max_age:
            self.close()

    def close(self) -> None:
        """Close the open segment, if there is one. What is written later opens another."""
        if self._current is None:
            return
        current, self._current = self._current, None
        try:
            folder = current.close(self._clock())
        finally:
            current.abandon()
        self.closed += 1
        log.debug("closed_segment", segment=current.segment, size_bytes=current.size_bytes, **current.counts)
        if self._on_close is not None:
            self._on_close(folder)

    def _writer(self) -> SegmentWriter:
        if self._current is None:
            self._current = self._open(self._clock())
        return self._current


def _shift(extent: Extent | None, base: int) -> Extent | None:
    return None if extent is None else replace(extent, offset=extent.offset + base)
