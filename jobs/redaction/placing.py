"""Where the segments of a log lie now, and where else they lay: brought to this disk one by one, as `.warc.gz` files.

A compacted object holds many segments and a dictionary of their pages, so it is written anew as a whole.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from config.errors import DamageFound
from jobs.archive.commit import SEGMENT_KINDS
from jobs.archive.ranges import COMPACTED
from jobs.archive.replacing import ReplacementIndex
from jobs.compaction.packing import unpack_segment
from jobs.compaction.proving import lay_out
from jobs.redaction.rewriting import LocalSegment
from jobs.segments.seal import hash_file

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from jobs.archive.commit import CommittedFile, RowsPlace
    from jobs.archive.replacing import MovedSegment
    from jobs.compaction.packing import LocalSegment as LaidSegment
    from jobs.context import OpenArchive
    from jobs.store import ObjectStore


@dataclass(frozen=True, slots=True)
class PlacedSegment:
    """A segment as it lies now."""

    name: str
    file: CommittedFile
    rows: RowsPlace
    closed: datetime | None
    layout: tuple[MovedSegment, ...] = ()
    """All that its object was made of, in order, if it is a compacted one."""
    earlier: tuple[CommittedFile, ...] = ()
    """Objects that it lay in before, of which no commit says that they were deleted."""

    @property
    def is_compacted(self) -> bool:
        """Whether it lies in an object of the kind that compaction makes."""
        return self.file.key.endswith(COMPACTED)


@dataclass(slots=True)
class Placement:
    """The segments of one log, as far as the catalog has folded it."""

    segments: dict[str, PlacedSegment]
    """By name, in the order of the log."""
    index: ReplacementIndex

    def list_beside(self, segment: PlacedSegment) -> list[PlacedSegment]:
        """Return all segments that lie in the object of *segment*, in the order in which they lie there."""
        found = [one for one in self.segments.values() if one.file.key == segment.file.key]
        return sorted(found, key=lambda one: one.rows.offset)

    def list_left(self, segment: PlacedSegment) -> list[PlacedSegment]:
        """Return the segments that lie in compacted objects where *segment* lay before, which may hold it still."""
        keys = {file.key for file in segment.earlier if file.key.endswith(COMPACTED)}
        return [one for one in self.segments.values() if one.file.key in keys]


def place_segments(archive: OpenArchive, source: str) -> Placement:
    """Return where the segments of *source* lie. Raises DamageFound, StoreError."""
    index = ReplacementIndex()
    own: dict[str, PlacedSegment] = {}
    files: dict[str, list[CommittedFile]] = {}
    last = archive.catalog.head(source)[0]
    for stored in archive.log(source).read():
        commit = stored.commit
        if commit.seq > last:
            break
        replacement = index.take(commit)
        for moved in replacement.segments if replacement is not None else ():
            files.setdefault(moved.segment, []).append(replacement.find_file(moved))  # type: ignore[union-attr]
        name, rows = commit.segment, commit.rows
        if name is None or rows is None or commit.kind not in SEGMENT_KINDS or name in own:
            continue
        file = next(one for one in commit.files if one.key == rows.key)
        files.setdefault(name, []).append(file)
        own[name] = PlacedSegment(name, file, rows, commit.closed)
    for name, (by, moved) in index.segments.items():
        now = by.find_file(moved)
        earlier = {one.key: one for one in files[name] if one.key != now.key and one.key not in index.deleted}
        own[name] = PlacedSegment(
            name, now, moved.rows, own[name].closed, by.list_layout(now.key), tuple(earlier.values())
        )
    return Placement(own, index)


class Fetching:
    """Brings segments to a folder of this disk; of compacted objects the last one stays there."""

    def __init__(self, store: ObjectStore, folder: Path) -> None:
        self._store = store
        self._folder = folder
        self._held = ""

    def fetch(self, segment: PlacedSegment) -> LocalSegment:
        """Return *segment* as a file of gzip members, which is the caller's to remove.

        Raises DamageFound where its object is not as it was committed, RecordError, StoreError.
        """
        path = self._folder / segment.name
        if not segment.is_compacted:
            self._bring(segment.file, path)
            return LocalSegment(segment.name, path, segment.file, segment.rows)
        path.unlink(missing_ok=True)
        alone = unpack_segment(self.lay(segment), path, key=f"{segment.name}.warc.gz")
        return LocalSegment(segment.name, path, alone.file, alone.segments[0].rows)

    def lay(self, segment: PlacedSegment) -> LaidSegment:
        """Return the place of *segment* in its compacted object, which is brought here unless it was the last one."""
        path = self._folder / "compacted"
        if self._held != segment.file.key:
            self._held = ""
            self._bring(segment.file, path)
            self._held = segment.file.key
        return next(one for one in lay_out(path, segment.layout) if one.segment == segment.name)

    def _bring(self, file: CommittedFile, path: Path) -> None:
        self._store.fetch(file.key, path)
        found = hash_file(path)
        if found != file.sha256:
            raise DamageFound(
                f"{self._store.url}/{file.key}: found {found}, expected {file.sha256}:"
                " run ofrecord verify, and mend it first"
            )
