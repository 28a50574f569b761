"""A log → where each of its segments lies now, what the object there was made of, and where else it lay before."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from jobs.archive.commit import SEGMENT_KINDS
from jobs.archive.ranges import COMPACTED
from jobs.archive.replacing import ReplacementIndex

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from jobs.archive.commit import Commit, CommittedFile, RowsPlace, StoredCommit
    from jobs.archive.replacing import MovedSegment


@dataclass(frozen=True, slots=True)
class PlacedSegment:
    """A segment as it lies now."""

    segment: str
    file: CommittedFile
    """The object that holds it."""
    rows: RowsPlace
    closed: datetime | None
    layout: tuple[MovedSegment, ...] = ()
    """All that its object was made of, in order, if it was written anew: some may lie elsewhere by now."""
    earlier: tuple[CommittedFile, ...] = ()
    """Objects that it lay in before, of which no commit says that they were deleted."""

    @property
    def is_compacted(self) -> bool:
        """Whether it lies in an object of the kind that compaction makes."""
        return self.file.key.endswith(COMPACTED)


@dataclass(frozen=True, slots=True)
class PlacedObject:
    """An object that holds segments."""

    segments: tuple[PlacedSegment, ...]
    """Those that lie there now, in order; at least one."""

    @property
    def file(self) -> CommittedFile:
        """The object itself."""
        return self.segments[0].file

    @property
    def layout(self) -> Sequence[MovedSegment]:
        """All that it was made of, in order, if it was written anew."""
        return self.segments[0].layout

    @property
    def is_compacted(self) -> bool:
        """Whether it is of the kind that compaction makes."""
        return self.segments[0].is_compacted

    def is_older(self, than: datetime) -> bool:
        """Whether all its segments were closed before that."""
        return all(one.closed is not None and one.closed < than for one in self.segments)


@dataclass(slots=True)
class Places:
    """What the log of a source says of where its segments lie."""

    segments: dict[str, PlacedSegment]
    """By name, in the order of the log."""
    objects: dict[str, PlacedObject]
    """By key, in the order of the log."""
    replaced: ReplacementIndex
    ids: set[str]
    """Of the commits that replaced something."""
    end: tuple[int, str]
    """Number and digest of the last commit."""

    def find_object(self, segment: PlacedSegment) -> PlacedObject:
        """Return the object of *segment*."""
        return self.objects[segment.file.key]

    def list_left(self, segment: PlacedSegment) -> list[PlacedObject]:
        """Return the compacted objects where *segment* lay before, and which hold others: they may hold it still."""
        return [
            self.objects[file.key]
            for file in segment.earlier
            if file.key.endswith(COMPACTED) and file.key in self.objects
        ]


def find_places(commits: Iterable[StoredCommit]) -> Places:
    """Return where segments lie once all *commits* of a log, from its first on, are followed. Raises DamageFound."""
    index = ReplacementIndex()
    found: dict[str, PlacedSegment] = {}
    ids: set[str] = set()
    files: dict[str, list[CommittedFile]] = {}
    end = (0, "")
    for stored in commits:
        commit, end = stored.commit, (stored.commit.seq, stored.digest)
        replacement = index.take(commit)
        if replacement is not None:
            ids.add(commit.id)
            for moved in replacement.segments:
                files.setdefault(moved.segment, []).append(replacement.find_file(moved))
        elif (own := _find_own(commit)) is not None and own.segment not in found:
            found[own.segment] = own
            files.setdefault(own.segment, []).append(own.file)
    for segment, (by, moved) in index.segments.items():
        if segment not in found:
            continue  # which no commit brought, and the catalog says so
        now = by.find_file(moved)
        earlier = {one.key: one for one in files[segment] if one.key != now.key and one.key not in index.deleted}
        found[segment] = replace(
            found[segment],
            file=now,
            rows=moved.rows,
            layout=by.list_layout(now.key),
            earlier=tuple(earlier.values()),
        )
    return Places(found, _list_objects(found.values()), index, ids, end)


def _list_objects(segments: Iterable[PlacedSegment]) -> dict[str, PlacedObject]:
    groups: dict[str, list[PlacedSegment]] = {}
    for one in segments:
        groups.setdefault(one.file.key, []).append(one)
    return {key: PlacedObject(tuple(sorted(group, key=lambda one: one.rows.offset))) for key, group in groups.items()}


def _find_own(commit: Commit) -> PlacedSegment | None:
    """Return the segment that *commit* brings, where it was put then."""
    if commit.kind not in SEGMENT_KINDS or commit.segment is None or commit.rows is None:
        return None
    file = next((one for one in commit.files if one.key == commit.rows.key), None)
    return PlacedSegment(commit.segment, file, commit.rows, commit.closed) if file is not None else None
