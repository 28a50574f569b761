"""A source's log → which segments lie where, and which of them go into one object, or out of one again."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from jobs.archive.commit import SEGMENT_KINDS, CommittedFile, RowsPlace
from jobs.archive.ranges import COMPACTED
from jobs.archive.replacing import ReplacementIndex

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import datetime

    from jobs.archive.commit import Commit, StoredCommit
    from jobs.archive.replacing import MovedSegment

MAX_INPUT_BYTES = 256 << 20
"""Of the objects that one takes the place of. What a dictionary knows is near in time: of more it knows less."""
MAX_SEGMENTS = 4_000
"""Of one object: a commit of so many is shorter than 4 MiB."""
MAX_RECORDS = 900_000
"""Of one object, without the records that hold rows: FORMAT.md § 5 allows a million."""
MAX_RESTORED = 64
"""Files of a commit."""


@dataclass(frozen=True, slots=True)
class PlacedSegment:
    """A segment, and where its rows lie now."""

    segment: str
    rows: RowsPlace
    closed: datetime | None


@dataclass(slots=True)
class PlacedObject:
    """An object that holds segments."""

    file: CommittedFile
    layout: Sequence[MovedSegment] = ()
    """All that it was made of, in order, if it is a compacted one: some may lie elsewhere by now."""
    segments: list[PlacedSegment] = field(default_factory=list)
    """Those that lie there now, in order."""

    @property
    def is_compacted(self) -> bool:
        """Whether it is of the kind that compaction makes."""
        return self.file.key.endswith(COMPACTED)

    def is_older(self, than: datetime) -> bool:
        """Whether all its segments were closed before that."""
        return all(one.closed is not None and one.closed < than for one in self.segments)


@dataclass(slots=True)
class Places:
    """What the log of a source says of where its segments lie."""

    objects: list[PlacedObject]
    """In the order of the log."""
    replaced: ReplacementIndex
    files: dict[str, CommittedFile]
    """Key of an object that was replaced → as it was committed."""
    ids: set[str]
    """Of the commits that replaced something."""
    end: tuple[int, str]
    """Number and digest of the last commit."""


def find_places(commits: Iterable[StoredCommit]) -> Places:
    """Return where segments lie once all *commits* of a log are followed. Raises DamageFound."""
    index = ReplacementIndex()
    first: dict[str, tuple[CommittedFile, RowsPlace, datetime | None]] = {}
    files: dict[str, CommittedFile] = {}
    ids: set[str] = set()
    end = (0, "")
    for stored in commits:
        commit, end = stored.commit, (stored.commit.seq, stored.digest)
        files.update((file.key, file) for file in commit.files)
        if index.take(commit) is not None:
            ids.add(commit.id)
        elif (place := _find_own(commit)) is not None:
            first.setdefault(commit.segment or "", (*place, commit.closed))
    objects: dict[str, PlacedObject] = {}
    for segment, (own, own_rows, closed) in first.items():
        found = index.segments.get(segment)
        file, rows = (found[0].find_file(found[1]), found[1].rows) if found is not None else (own, own_rows)
        placed = objects.setdefault(file.key, PlacedObject(file, found[0].list_layout(file.key) if found else ()))
        placed.segments.append(PlacedSegment(segment, rows, closed))
    for one in objects.values():
        one.segments.sort(key=lambda placed: placed.rows.offset)
    kept = {key: file for key, file in files.items() if key in index.objects}
    return Places(list(objects.values()), index, kept, ids, end)


def choose_groups(places: Places, before: datetime) -> Iterator[list[PlacedObject]]:
    """Yield the objects that one object shall take the place of, all segments of which were closed *before* that."""
    group: list[PlacedObject] = []
    size = segments = records = 0
    for one in places.objects:
        if one.is_compacted or not one.is_older(before):
            continue
        full = size + one.file.size_bytes > MAX_INPUT_BYTES or records + one.file.records > MAX_RECORDS
        if group and (full or segments + len(one.segments) > MAX_SEGMENTS):
            yield group
            group, size, segments, records = [], 0, 0, 0
        group.append(one)
        size += one.file.size_bytes
        segments += len(one.segments)
        records += one.file.records
    if group:
        yield group


def choose_restored(places: Places) -> Iterator[tuple[PlacedObject, list[PlacedSegment]]]:
    """Yield each compacted object, with as many of its segments at a time as one commit can bring out of it."""
    for one in places.objects:
        if one.is_compacted:
            for start in range(0, len(one.segments), MAX_RESTORED):
                yield one, one.segments[start : start + MAX_RESTORED]


def count_segments(objects: Iterable[PlacedObject]) -> int:
    """Return how many segments *objects* hold."""
    return sum(len(one.segments) for one in objects)


def _find_own(commit: Commit) -> tuple[CommittedFile, RowsPlace] | None:
    if commit.kind not in SEGMENT_KINDS or commit.segment is None or commit.rows is None:
        return None
    key = commit.rows.key
    file = next((one for one in commit.files if one.key == key), None)
    return (file, commit.rows) if file is not None else None
