"""A closed segment → one file with its digest and the commit to be: the rows become the WARC file's last records.

Works on local disk only: puts nothing, decides no verdict.
"""

from __future__ import annotations

import hashlib
import os
import secrets
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from config.errors import RecordError
from crawler.rows import (
    MAX_LINE_BYTES,
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
from jobs.archive.commit import (
    Commit,
    CommittedFile,
    RowsPlace,
    decode_commit,
    encode_commit,
    warc_key,
    writer_name,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

DRAFT_FILE = "commit.draft"
_CHUNK_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class SealedSegment:
    """A segment ready to be put: its folder in `sealed/` and the commit that will make it exist."""

    path: Path
    draft: Commit

    def local_file(self, file: CommittedFile) -> Path:
        """Return where the bytes of *file* lie on this disk."""
        del file  # a segment is one file
        return self.path / WARC_FILE


def seal_segment(
    closed: Path,
    *,
    now: datetime,
    derived: Iterable[SnapshotRow] = (),
    kind: str = "segment",
    note: Callable[[Row], None] | None = None,
) -> SealedSegment:
    """Seal the segment in folder *closed* and move it to `sealed/` beside it. Safe to repeat after a crash.

    *derived*: further snapshot rows, of earlier captures derived again; asked for when *note* has been told of all rows
    but the last. *kind*: of the commit to be. Raises RecordError if the rows do not hold together.
    """
    head, end = _read_bounds(closed / ROWS_FILE)
    tally = _Tally(note)
    lines = _list_lines(closed / ROWS_FILE, derived, end, tally)
    warc_path = closed / WARC_FILE
    key = warc_key(head.source, now, head.segment)
    place, records = _append_rows(warc_path, lines, tally, end, segment=head.segment, key=key)
    file = CommittedFile(
        key=key,
        size_bytes=place.offset + place.size_bytes,
        sha256=hash_file(warc_path),
        records=end.warc_records + records,
    )
    draft = Commit(
        source=head.source,
        kind=kind,
        id=secrets.token_hex(16),
        committed=now,
        archive=head.archive or "",
        writer=writer_name(),
        run=head.run,
        segment=head.segment,
        files=(file,),
        rows=place,
        epoch=head.epoch,
        releases=head.epoch > 0 and tally.ends_run,
        counts=tally.counts,
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


def write_draft(folder: Path, draft: Commit) -> None:
    """Write the *draft* of the sealed segment in *folder* in place of the one that is there, whole or not at all."""
    beside = folder / f"{DRAFT_FILE}.new"
    _write_durably(beside, encode_commit(draft))
    beside.replace(folder / DRAFT_FILE)
    sync_folder(folder)


def load_sealed(path: Path) -> SealedSegment:
    """Return the sealed segment in folder *path*. Raises DamageFound if its draft cannot be read."""
    draft = path / DRAFT_FILE
    return SealedSegment(path, decode_commit(draft.read_bytes(), str(draft)).commit)


@contextmanager
def open_local_rows(sealed: SealedSegment) -> Iterator[BinaryIO | None]:
    """Give the file of *sealed* where its rows begin; `None` if they are no longer as they were sealed."""
    place, path = sealed.draft.rows, sealed.path / WARC_FILE
    if (
        place is None
        or place.offset + place.size_bytes != path.stat().st_size
        or hash_part(path, place.offset, place.size_bytes) != place.sha256
    ):
        yield None
        return
    with path.open("rb") as file:
        file.seek(place.offset)
        yield file


def hash_file(path: Path) -> str:
    """Return the labelled SHA-256 of a file."""
    with path.open("rb") as file:
        return "sha256:" + hashlib.file_digest(file, "sha256").hexdigest()


def hash_part(path: Path, offset: int, size: int) -> str:
    """Return the labelled SHA-256 of a part of the file *path*, of as much of it as is there."""
    found = hashlib.sha256()
    with path.open("rb") as file:
        file.seek(offset)
        while size > 0 and (chunk := file.read(min(size, _CHUNK_BYTES))):
            found.update(chunk)
            size -= len(chunk)
    return "sha256:" + found.hexdigest()


class _Tally:
    """What a commit says of the rows in sum."""

    def __init__(self, tell: Callable[[Row], None] | None) -> None:
        self._tell = tell
        self.rows = 0
        self.ends_run = False
        self.counts = dict.fromkeys(("captures", "articles", "errors", "snapshots", "rederived", "links"), 0)

    def note(self, row: Row) -> None:
        self.rows += 1
        if isinstance(row, CaptureRow):
            self.counts["captures"] += 1
            self.counts["articles"] += row.purpose == "article"
            self.counts["errors"] += row.error is not None
        elif isinstance(row, SnapshotRow):
            self.counts["snapshots" if row.of is None else "rederived"] += 1
        elif isinstance(row, LinkRow):
            self.counts["links"] += 1
        elif isinstance(row, RunRow):
            self.ends_run = True
        if self._tell is not None:
            self._tell(row)


def _read_bounds(path: Path) -> tuple[SegmentRow, EndRow]:
    """Return the first and the last row."""
    with path.open("rb") as file:
        first = file.readline(MAX_LINE_BYTES + 1)
        last = _read_last(file) or first
    if not first:
        raise RecordError(f"{path}: found no rows")
    head, end = _decode(first, path, "line 1"), _decode(last, path, "last line")
    if not isinstance(head, SegmentRow) or not isinstance(end, EndRow):
        raise RecordError(f"{path}: found no whole segment: its first row or its last is missing")
    return head, end


def _read_last(file: BinaryIO) -> bytes:
    """Return the last line, whether it is ended or not."""
    size, step = file.seek(0, os.SEEK_END), 1 << 12
    while True:
        start = max(0, size - step)
        file.seek(start)
        data = file.read(size - start)
        newline = data.rfind(b"\n", 0, -1)
        if newline >= 0 or start == 0 or step > MAX_LINE_BYTES:
            return data[newline + 1 :]
        step *= 4


def _list_lines(path: Path, derived: Iterable[SnapshotRow], end: EndRow, tally: _Tally) -> Iterator[bytes]:
    """Yield the lines of a rows file, each one checked, as they are; in place of its last *derived* and *end*."""
    before: bytes | None = None
    with path.open("rb") as file:
        for number, line in enumerate(file):
            if before is not None and (row := _decode(before, path, f"line {number}")) is not None:
                tally.note(row)
                yield before
            before = line
    for again in derived:
        tally.note(again)
        yield encode_row(again)
    if number := tally.counts["rederived"]:
        end = replace(end, counts={**end.counts, "rederived": number})
    tally.note(end)
    yield encode_row(end)


def _decode(line: bytes, path: Path, where: str) -> Row | None:
    try:
        return decode_row(line)
    except RecordError as error:
        raise RecordError(f"{path}: {where}: {error}") from error


def _append_rows(
    path: Path, lines: Iterator[bytes], tally: _Tally, end: EndRow, *, segment: str, key: str
) -> tuple[RowsPlace, int]:
    """Write *lines* behind the exchanges in the WARC file, over what an earlier try may have left there.

    Returns where they lie and in how many records. If one of them is no row, nothing is left behind the exchanges.
    """
    size, records, found = 0, 0, hashlib.sha256()
    warc = Tail(path)
    try:
        if warc.size_bytes < end.warc_bytes:
            raise RecordError(f"{path}: found {warc.size_bytes} bytes, its end row says {end.warc_bytes}")
        warc.cut(end.warc_bytes)
        for member in encode_facts(lines, segment=segment, date=end.closed):
            warc.append(member)
            found.update(member)
            size += len(member)
            records += 1
        warc.sync()
    except RecordError:
        warc.cut(min(warc.size_bytes, end.warc_bytes))
        raise
    finally:
        warc.close()
    return RowsPlace(key, end.warc_bytes, size, "sha256:" + found.hexdigest(), tally.rows), records


def _write_durably(path: Path, data: bytes) -> None:
    with path.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
