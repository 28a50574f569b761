"""An object that was put and read back, against what was read of its segments: equal, record by record, or not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from config.errors import DamageFound, RecordError
from jobs.compaction.packing import LocalSegment, digest_rows, find_first, weigh_segment
from jobs.segments.seal import hash_file, hash_part

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from jobs.archive.commit import CommittedFile
    from jobs.archive.places import PlacedSegment
    from jobs.archive.replacing import MovedSegment
    from jobs.compaction.packing import PackedObject


def lay_out(path: Path, segments: Sequence[MovedSegment | PlacedSegment]) -> Iterator[LocalSegment]:
    """Yield *segments*, which lie in the local file *path* in that order: each begins where the one before ends."""
    start = find_first(path)
    for one in segments:
        yield LocalSegment(one.segment, path, start, one.rows)
        start = one.rows.offset + one.rows.size_bytes


def require_equal(packed: PackedObject, copy: Path) -> None:
    """Raise DamageFound unless *copy*, as the store gave it back, is *packed* and holds its segments whole.

    Each record must be the same, inflated, as it was in the object before, in the same order; each row, too, and point
    at the same record.
    """
    require_bytes(packed.file, copy)
    end = 0
    for one, moved in zip(lay_out(copy, packed.segments), packed.segments, strict=True):
        found = hash_part(copy, one.rows.offset, one.rows.size_bytes)
        if found != one.rows.sha256:
            raise DamageFound(f"{packed.file.key}: the rows of {one.segment}: found {found}, wrote {one.rows.sha256}")
        try:
            weighed, inflated = weigh_segment(one), digest_rows(one)
        except RecordError as error:
            raise DamageFound(f"{packed.file.key}: {one.segment} cannot be read back: {error}") from error
        if weighed != packed.evidence[one.segment]:
            raise DamageFound(
                f"{packed.file.key}: {one.segment}: found {weighed}, expected {packed.evidence[one.segment]}"
            )
        if inflated != moved.inflated:
            raise DamageFound(
                f"{packed.file.key}: the rows of {one.segment} inflate to {inflated}, {moved.inflated} went in"
            )
        end = one.rows.offset + one.rows.size_bytes
    if end != packed.file.size_bytes:
        raise DamageFound(f"{packed.file.key}: its segments end at byte {end} of {packed.file.size_bytes}")


def require_bytes(file: CommittedFile, copy: Path) -> None:
    """Raise DamageFound unless the local file *copy* is *file*, byte for byte."""
    size, found = copy.stat().st_size, hash_file(copy)
    if (size, found) != (file.size_bytes, file.sha256):
        raise DamageFound(
            f"{file.key}: found {size} bytes with {found}, expected {file.size_bytes} with {file.sha256}:"
            " run ofrecord verify"
        )
