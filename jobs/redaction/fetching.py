"""Segments, wherever they lie, brought to this disk one by one, as `.warc.gz` files.

A compacted object holds many segments and a dictionary of their pages, so it is written anew as a whole.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from config.errors import DamageFound
from jobs.compaction.packing import unpack_segment
from jobs.compaction.proving import lay_out
from jobs.redaction.rewriting import LocalSegment
from jobs.segments.seal import hash_file

if TYPE_CHECKING:
    from pathlib import Path

    from jobs.archive.commit import CommittedFile
    from jobs.archive.places import PlacedSegment
    from jobs.compaction.packing import LocalSegment as LaidSegment
    from jobs.store import ObjectStore


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
        path = self._folder / segment.segment
        if not segment.is_compacted:
            self._bring(segment.file, path)
            return LocalSegment(segment.segment, path, segment.file, segment.rows)
        path.unlink(missing_ok=True)
        alone = unpack_segment(self.lay(segment), path, key=f"{segment.segment}.warc.gz")
        return LocalSegment(segment.segment, path, alone.file, alone.segments[0].rows)

    def lay(self, segment: PlacedSegment) -> LaidSegment:
        """Return the place of *segment* in its compacted object, which is brought here unless it was the last one."""
        path = self._folder / "compacted"
        if self._held != segment.file.key:
            self._held = ""
            self._bring(segment.file, path)
            self._held = segment.file.key
        return next(one for one in lay_out(path, segment.layout) if one.segment == segment.segment)

    def _bring(self, file: CommittedFile, path: Path) -> None:
        self._store.fetch(file.key, path)
        found = hash_file(path)
        if found != file.sha256:
            raise DamageFound(
                f"{self._store.url}/{file.key}: found {found}, expected {file.sha256}:"
                " run ofrecord verify, and mend it first"
            )
