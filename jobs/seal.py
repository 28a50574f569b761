"""A closed segment → two files with their digests and the commit to be. Also reads sealed rows back.

Works on local disk only: puts nothing, decides no verdict.
"""

from __future__ import annotations

import hashlib
import io
import os
import secrets
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import zstandard

from config.errors import RecordError
from crawler.rows import (
    MAX_LINE_BYTES,
    CaptureRow,
    EndRow,
    LinkRow,
    Row,
    SegmentRow,
    SnapshotRow,
    decode_row,
    encode_row,
)
from crawler.spool import ROWS_FILE, WARC_FILE, sync_folder
from jobs.archive import Commit, CommittedFile, decode_commit, encode_commit, rows_key, warc_key, writer_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

SEALED_ROWS_FILE = "rows.jsonl.zst"
DRAFT_FILE = "commit.draft"

_LEVEL = 9
_CHUNK_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class SealedSegment:
    """A segment ready to be put: its folder in `sealed/` and the commit that will make it exist."""

    path: Path
    draft: Commit

    def local_file(self, file: CommittedFile) -> Path:
        """Return where the bytes of *file* lie on this disk."""
        return self.path / (WARC_FILE if file.key.endswith(".warc.gz") else SEALED_ROWS_FILE)


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
    sealed_rows = closed / SEALED_ROWS_FILE
    rows_file = _write_rows(sealed_rows, rows, key=rows_key(head.source, now, head.segment))
    warc_path = closed / WARC_FILE
    warc_file = CommittedFile(
        key=warc_key(head.source, now, head.segment),
        size_bytes=warc_path.stat().st_size,
        sha256=hash_file(warc_path),
        records=end.warc_records,
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
        files=(warc_file, rows_file),
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


def read_rows(data: bytes | BinaryIO, where: str) -> Iterator[tuple[int, Row]]:
    """Yield line number (from 1) and row of a sealed rows file; passes over types that we do not know.

    Bounded: a line is at most MAX_LINE_BYTES. Raises RecordError naming *where* and the line.
    """
    source = io.BytesIO(data) if isinstance(data, bytes) else data
    number = 0
    try:
        decompressor = zstandard.ZstdDecompressor(max_window_size=1 << 27)
        with decompressor.stream_reader(source, read_across_frames=True) as stream:
            lines = io.BufferedReader(stream, _CHUNK_BYTES)
            while line := lines.readline(MAX_LINE_BYTES + 1):
                number += 1
                row = decode_row(line)
                if row is not None:
                    yield number, row
    except zstandard.ZstdError as error:
        raise RecordError(f"{where}: line {number + 1}: not zstd: {error}") from error
    except RecordError as error:
        raise RecordError(f"{where}: line {number}: {error}") from error


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


def _write_rows(path: Path, rows: list[Row], *, key: str) -> CommittedFile:
    size, digest = 0, hashlib.sha256()
    with path.open("wb") as file:
        compressor = zstandard.ZstdCompressor(level=_LEVEL, write_checksum=True).compressobj()
        for row in rows:
            file.write(compressor.compress(encode_row(row)))
        file.write(compressor.flush())
        file.flush()
        os.fsync(file.fileno())
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK_BYTES):
            size += len(chunk)
            digest.update(chunk)
    return CommittedFile(key, size, "sha256:" + digest.hexdigest(), len(rows))


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
