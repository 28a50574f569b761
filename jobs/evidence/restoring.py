"""A segment that was put elsewhere → gzip members that a bundle can hold: those that it was first committed as.

They are made again record by record, and believed if the first commit has their digest. Where that cannot be (something
was taken out, another library squeezes otherwise) the records are squeezed as gzip all the same; the rows are then
proven by the digest that the commit which moved them has of them inflated.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from config.errors import ConfigError, DamageFound, ObjectMissing, RecordError
from crawler.warc import MemberFile, gzip_record
from jobs.archive.commit import MAX_COMMIT_BYTES, commit_key, decode_commit
from jobs.archive.ranges import COMPACTED, fetch_dictionary
from jobs.archive.replacing import parse_replacement
from jobs.compaction.packing import LocalSegment, digest_rows, find_first, list_holding, unpack_segment
from jobs.evidence.parts import read_chunks
from jobs.segments.seal import hash_part

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from jobs.archive.commit import Commit
    from jobs.archive.replacing import MovedSegment, Replacement
    from jobs.catalog.rollup import StoredSegment
    from jobs.context import OpenArchive
    from jobs.store import ObjectStore

MAX_SEGMENT_BYTES = 8 * 1024**3
"""As long as a WARC file may be: FORMAT.md § 5."""
_CHUNK_BYTES = 8 * 1024 * 1024
_MAGIC_BYTES = 4
"""By which a file tells of what kind its members are."""


@dataclass(frozen=True, slots=True)
class HeldSegment:
    """A segment that was moved, on this disk."""

    local: LocalSegment
    is_first: bool
    """Whether it is the very file that its first commit names; else the part of the object where it lies now."""

    def put_rows(self, target: Path) -> None:
        """Write the members that hold its rows into the new file *target*. Raises RecordError."""
        with target.open("xb") as file:
            if self.is_first:
                file.writelines(self._list_pieces(self.local.rows.offset, self.local.rows.size_bytes))
            else:
                file.writelines(gzip_record(record) for _, _, record in list_holding(self.local))

    def put_records(self, offset: int, length: int, target: Path, most: int) -> None:
        """Write the members that lie from *offset* on into the new file *target*. Raises RecordError, ConfigError."""
        with target.open("xb") as file:
            if self.is_first:
                file.writelines(self._list_pieces(offset, length))
                return
            with self.local.path.open("rb") as source:
                members, at = MemberFile(source, str(self.local.path)), offset
                while at < offset + length:
                    begin, size, record = members.read(at)
                    at = begin + size
                    file.write(gzip_record(record))
                    if file.tell() > most:
                        raise ConfigError(f"{self.local.segment}: records of more than {most} bytes of one capture")

    def _list_pieces(self, offset: int, length: int) -> Iterator[bytes]:
        with self.local.path.open("rb") as source:
            source.seek(offset)
            yield from read_chunks(source, length)


def bring_moved(archive: OpenArchive, stored: StoredSegment, moved_by: int, folder: Path) -> HeldSegment | None:
    """Return a segment as files of *folder*, which are the caller's to remove; `None`: it is best read where it lies.

    *moved_by*: the newest commit that says where that is. Raises DamageFound, ConfigError where no bundle can prove
    it, RecordError, StoreError, OSError.
    """
    by = parse_replacement(_read_commit(archive, stored.source, moved_by))
    moved = next((one for one in by.segments if one.segment == stored.segment), None) if by else None
    if by is None or moved is None:
        raise DamageFound(f"{commit_key(stored.source, moved_by)}: does not move {stored.segment}; run ofrecord verify")
    compacted = moved.rows.key.endswith(COMPACTED)
    if by.kind == "redact" and not compacted:
        return None  # it was put anew for what was taken out of it
    local = _fetch(archive.store, by, moved, folder / f"{stored.segment}.now")
    first = _make_first(archive, stored, local, folder / f"{stored.segment}.first")
    if first is not None:
        local.path.unlink()
        return HeldSegment(first, is_first=True)
    if not compacted:
        local.path.unlink()
        return None
    where = f"{archive.store.url}/{moved.rows.key}"
    if moved.inflated is None:
        raise ConfigError(
            f"{stored.segment}: was compacted by an earlier version ({moved.rows.key}), and cannot be had as it was:"
            " run ofrecord compact --restore, then cite"
        )
    if (found := digest_rows(local)) != moved.inflated:
        raise DamageFound(f"{where}: its rows inflate to {found}, expected {moved.inflated}: run ofrecord verify")
    return HeldSegment(local, is_first=False)


def _read_commit(archive: OpenArchive, source: str, seq: int) -> Commit:
    key = commit_key(source, seq)
    try:
        return decode_commit(archive.store.get(key, length=MAX_COMMIT_BYTES + 1), key).commit
    except ObjectMissing as error:
        raise DamageFound(f"{archive.store.url}/{key}: missing: run ofrecord verify") from error


def _fetch(store: ObjectStore, by: Replacement, moved: MovedSegment, path: Path) -> LocalSegment:
    """Bring the part of an object where *moved* lies to *path*: at its own offsets, so nothing but a gap before it."""
    rows = moved.rows
    where, end = f"{store.url}/{rows.key}", rows.offset + rows.size_bytes
    layout = by.list_layout(rows.key)
    before = layout[layout.index(moved) - 1].rows if moved != layout[0] else None
    try:
        head = fetch_dictionary(store, rows.key) if rows.key.endswith(COMPACTED) else b""
        start = before.offset + before.size_bytes if before else len(head)
        if end - start > MAX_SEGMENT_BYTES:
            raise DamageFound(f"{where}: a segment of {end - start} bytes; at most {MAX_SEGMENT_BYTES} are read")
        with path.open("xb") as file:
            file.write(head or store.get(rows.key, offset=0, length=_MAGIC_BYTES))
            file.seek(start)
            for at in range(start, end, _CHUNK_BYTES):
                file.write(store.get(rows.key, offset=at, length=min(_CHUNK_BYTES, end - at)))
    except ObjectMissing as error:
        raise DamageFound(f"{where}: missing, though it was committed: run ofrecord verify") from error
    if hash_part(path, rows.offset, rows.size_bytes) != rows.sha256:
        raise DamageFound(f"{where}: the rows are not as they were committed: run ofrecord verify")
    return LocalSegment(moved.segment, path, start if before else find_first(path), rows)


def _make_first(archive: OpenArchive, stored: StoredSegment, local: LocalSegment, target: Path) -> LocalSegment | None:
    """Return the segment as its first commit has it, made again from *local*; `None`: it cannot be."""
    commit = _read_commit(archive, stored.source, stored.seq)
    rows = commit.rows
    file = next((one for one in commit.files if rows is not None and one.key == rows.key), None)
    if rows is None or file is None:
        return None
    try:
        made = unpack_segment(local, target, key=rows.key)
    except RecordError:  # of records that the article has nothing to do with, perhaps: its own are looked at later
        target.unlink(missing_ok=True)
        return None
    if (made.file.sha256, made.segments[0].rows) != (file.sha256, rows):
        target.unlink()
        return None
    return LocalSegment(stored.segment, target, 0, rows)
