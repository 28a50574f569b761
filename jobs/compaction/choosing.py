"""Where the segments of a log lie → which of them go into one object, or out of one again."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import datetime

    from jobs.archive.places import PlacedObject, PlacedSegment, Places

MAX_INPUT_BYTES = 256 << 20
"""Of the objects that one takes the place of. What a dictionary knows is near in time: of more it knows less."""
MAX_SEGMENTS = 4_000
"""Of one object: a commit of so many is shorter than 4 MiB."""
MAX_RECORDS = 900_000
"""Of one object, without the records that hold rows: FORMAT.md § 5 allows a million."""
MAX_RESTORED = 64
"""Files of a commit."""


def choose_groups(places: Places, before: datetime) -> Iterator[list[PlacedObject]]:
    """Yield the objects that one object shall take the place of, all segments of which were closed *before* that."""
    group: list[PlacedObject] = []
    size = segments = records = 0
    for one in places.objects.values():
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


def choose_restored(places: Places) -> Iterator[tuple[PlacedObject, Sequence[PlacedSegment]]]:
    """Yield each compacted object, with as many of its segments at a time as one commit can bring out of it."""
    for one in places.objects.values():
        if one.is_compacted:
            for start in range(0, len(one.segments), MAX_RESTORED):
                yield one, one.segments[start : start + MAX_RESTORED]


def count_segments(objects: Iterable[PlacedObject]) -> int:
    """Return how many segments *objects* hold."""
    return sum(len(one.segments) for one in objects)
