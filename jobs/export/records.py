"""Places of captures' records → the records, checked: each once, as they lie, neighbours together."""

from __future__ import annotations

import io
import json
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, Self

from config.errors import ObjectMissing, RecordError
from crawler.warc import gzip_members, read_records
from jobs.archive.ranges import COMPACTED, fetch_dictionary
from jobs.segments.extents import find_end
from jobs.wacz.sorting import SortedLines

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from crawler.warc import RecordView
    from jobs.catalog.replays import StoredExchange

MAX_CAPTURE_BYTES = 128 * 1024 * 1024
"""Of all its records, as they lie."""
MAX_RECORD_BYTES = 256 * 1024 * 1024
"""That one may inflate to."""
_GAP_BYTES = 64 * 1024
"""What is read in vain, rather than asking once more."""
_RANGE_BYTES = 8 * 1024 * 1024
"""Neighbours are read together up to so much."""


@dataclass(frozen=True, slots=True)
class RecordsPlace:
    """Where all records of one capture lie."""

    key: str
    offset: int
    length: int
    url: str
    """As requested."""

    @classmethod
    def of(cls, stored: StoredExchange, store: RangeReader) -> RecordsPlace | None:
        """Return the place of a capture's records; `None`: there are none. Raises StoreError."""
        capture, end = stored.capture, stored.end
        if capture.response_offset is None or end is None:
            return None
        if stored.sure_end is not None:
            with suppress(ObjectMissing):  # which is said when it is read
                end = find_end(store, capture.warc_key, stored.sure_end, end)
        offset = capture.response_offset
        return cls(capture.warc_key, offset, end - offset, capture.target_uri)

    def __str__(self) -> str:
        return f"{self.key}: offset {self.offset}"


class Places:
    """Places in any number, to be had in order, each once. A context manager: its files go with it."""

    def __init__(self, scratch: Path | None = None) -> None:
        self._lines = SortedLines(scratch)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._lines.__exit__(None, None, None)

    def add(self, place: RecordsPlace) -> None:
        """Take *place* in."""
        self._lines.add(json.dumps([place.key, f"{place.offset:020d}", place.length, place.url]).encode())

    def __iter__(self) -> Iterator[RecordsPlace]:
        last = None
        for line in self._lines.merge():
            if line != last:
                key, offset, length, url = json.loads(line)
                yield RecordsPlace(key, int(offset), length, url)
            last = line


class RangeReader(Protocol):
    """What of a store is needed."""

    def get(self, key: str, *, offset: int = 0, length: int | None = None) -> bytes: ...


def read_places(
    store: RangeReader, places: Places
) -> Iterator[tuple[RecordsPlace, tuple[bytes, list[RecordView]] | RecordError]]:
    """Yield each place with its gzip members as they lie and the views of them, or what is wrong with them.

    Raises StoreError where the store cannot be read now.
    """
    for group in _group(places):
        start = group[0].offset
        with suppress(ObjectMissing):
            data = store.get(group[0].key, offset=start, length=group[-1].offset + group[-1].length - start)
            for place in group:
                begin = place.offset - start
                yield place, _read(store, data[begin : begin + place.length], place)
            continue
        yield from ((place, RecordError(f"{place.key}: is missing")) for place in group)


def _group(places: Places) -> Iterator[list[RecordsPlace]]:
    """Yield neighbours that are read by one request."""
    group: list[RecordsPlace] = []
    for place in places:
        if group:
            end = group[-1].offset + group[-1].length
            near = group[0].key == place.key and end <= place.offset <= end + _GAP_BYTES
            if not near or place.offset + place.length - group[0].offset > _RANGE_BYTES:
                yield group
                group = []
        group.append(place)
    if group:
        yield group


def _read(store: RangeReader, data: bytes, place: RecordsPlace) -> tuple[bytes, list[RecordView]] | RecordError:
    """Return the records that lie in *data* as gzip members, those of a compacted object too, and their views."""
    if len(data) != place.length or place.length > MAX_CAPTURE_BYTES:
        return RecordError(f"{place}: found {len(data)} bytes, expected {place.length}")
    try:
        if place.key.endswith(COMPACTED):
            data = gzip_members(fetch_dictionary(store, place.key) + data, limit=MAX_RECORD_BYTES)
        file = io.BytesIO(data)
        file.name = place.key
        records = list(read_records(file, limit=MAX_RECORD_BYTES))
    except RecordError as error:
        return RecordError(f"{place}: {error}")
    if not records or records[0].header("WARC-Target-URI") != place.url:
        return RecordError(f"{place}: not the records of {place.url}")
    faults = [fault for one in records for fault in one.find_faults()]
    return RecordError(faults[0]) if faults else (data, records)
