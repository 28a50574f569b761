"""What one segment may ask of another: its captures in a few bytes each, on disk, so that memory stays bounded.

Written as segments are read, in the order of the log. Strings are kept as digests: enough to tell equal from unequal.
"""

from __future__ import annotations

import hashlib
import os
import struct
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Self

from jobs.segments.pages import CapturePlaces, RecordPlace

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import TracebackType

    from crawler.rows import CaptureRow

_ENTRY = struct.Struct("<16s16s16sqqqqBIqqq")
_BODY_KEY = 8
"""Place in an entry of the number of the object that holds the payload."""
_HAS_RECORD, _IS_REVISIT, _IS_TRUNCATED, _HAS_BODY = 1, 2, 4, 8
_HELD_BYTES = 1 << 18
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NOTHING = bytes(16)


def mark(value: str | None) -> bytes:
    """Return sixteen bytes that stand for *value*."""
    return _NOTHING if value is None else hashlib.sha256(value.encode("utf-8", "surrogatepass")).digest()[:16]


@dataclass(frozen=True, slots=True)
class CaptureFact:
    """A capture, as its row has it."""

    url: bytes
    """`mark` of the article's URL."""
    target: bytes
    """`mark` of the URL as requested."""
    payload: bytes
    """`mark` of the payload digest."""
    captured_at: datetime
    size_bytes: int
    record: RecordPlace | None
    """Its response or revisit record."""
    body: RecordPlace | None
    """The response record that holds its payload; `None`: none, or it cannot be told."""
    is_revisit: bool = False
    truncated: bool = False
    rendered: RecordPlace | None = None
    """Its conversion record, if the page was rendered: directly behind its own."""

    @property
    def places(self) -> CapturePlaces | None:
        """Where its records are; `None`: it has none."""
        return None if self.record is None else CapturePlaces(self.record, self.body, self.rendered)


@dataclass(slots=True)
class _Segment:
    number: int
    start: int
    """Of its first capture, counted over all segments."""
    captures: int = 0
    whole: bool = False


class Captures:
    """The captures of one source's segments, as far as they were read."""

    def __init__(self, source: str, committed: dict[str, int]) -> None:
        """*committed*: segment of *source* → the first commit that brings it."""
        self.source = source
        self.committed = committed
        self.current = ""
        """The segment that is being read."""
        self.untold = 0
        """References of which nobody could tell whether they are right, since what they name could not be read."""
        self._own_key = ""
        self._segments: dict[str, _Segment] = {}
        self._keys: list[str] = []
        self._numbers: dict[str, int] = {}
        self._count = 0
        self._written = 0
        self._held = bytearray()
        self._file = tempfile.TemporaryFile(prefix="ofrecord-verify-")  # noqa: SIM115 - closed by __exit__

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Let go of the file."""
        self._file.close()

    def begin(self, segment: str, warc_key: str) -> None:
        """Say that the captures to come are those of *segment*; if it was read before, the first time counts."""
        self.current = segment if segment not in self._segments else f"{segment}, again at {self._count}"
        self._own_key = warc_key
        self._segments[self.current] = _Segment(self._number_of(warc_key), self._count)

    def end(self, *, whole: bool) -> None:
        """Say that the segment has no more captures, or, if not *whole*, that no more could be read."""
        self._segments[self.current].whole = whole
        self.current = ""

    def add(self, fact: CaptureFact) -> None:
        """Append the next capture of the segment that is being read."""
        record, body = fact.record, fact.body
        flags = _HAS_RECORD * (record is not None) | _IS_REVISIT * fact.is_revisit
        flags |= _IS_TRUNCATED * fact.truncated | _HAS_BODY * (body is not None)
        entry = _ENTRY.pack(
            fact.url,
            fact.target,
            fact.payload,
            (fact.captured_at - _EPOCH) // timedelta(microseconds=1),
            fact.size_bytes,
            record.offset if record else 0,
            record.length if record else 0,
            flags,
            self._number_of(body.key if body else self._own_key),
            body.offset if body else 0,
            body.length if body else 0,
            fact.rendered.length if fact.rendered else 0,
        )
        self._append(entry)

    def _append(self, entry: bytes) -> None:
        self._held += entry
        self._segments[self.current].captures += 1
        self._count += 1
        if len(self._held) >= _HELD_BYTES:
            self._file.write(self._held)
            self._file.flush()
            self._written += len(self._held)
            self._held.clear()

    def export(self, segment: str) -> tuple[list[str], bytes]:
        """Return what is known of *segment*, to be taken in again by `restore`: the objects' keys, and its entries."""
        found = self._segments[segment]
        start, size = found.start * _ENTRY.size, found.captures * _ENTRY.size
        entries = b"".join(self._read(start + n, min(_HELD_BYTES, size - n)) for n in range(0, size, _HELD_BYTES))
        numbers = sorted({values[_BODY_KEY] for values in _ENTRY.iter_unpack(entries)})
        return [self._keys[number] for number in numbers], b"".join(
            _renumber(values, numbers.index(values[_BODY_KEY])) for values in _ENTRY.iter_unpack(entries)
        )

    def restore(self, segment: str, warc_key: str, keys: Sequence[str], entries: bytes) -> None:
        """Take in *segment* as it was exported: see `are_entries`."""
        self.begin(segment, warc_key)
        for values in _ENTRY.iter_unpack(entries):
            self._append(_renumber(values, self._number_of(keys[values[_BODY_KEY]])))
        self.end(whole=True)

    def count(self, segment: str) -> int:
        """Return how many captures of *segment* were read."""
        found = self._segments.get(segment)
        return found.captures if found else 0

    def is_read(self, segment: str) -> bool:
        """Return whether *segment* was read, or is being read, as far as it can be."""
        return segment in self._segments

    def is_whole(self, segment: str) -> bool:
        """Return whether all captures of *segment* are known."""
        found = self._segments.get(segment)
        return found is not None and found.whole

    def find(self, segment: str, n: int) -> CaptureFact | None:
        """Return capture *n* of *segment*, if it was read."""
        found = self._segments.get(segment)
        if found is None or not 0 <= n < found.captures:
            return None
        values = _ENTRY.unpack(self._read((found.start + n) * _ENTRY.size, _ENTRY.size))
        url, target, payload, instant, size, offset, length, flags, number, body_offset, body_length, rendered = values
        key = self._keys[found.number]
        return CaptureFact(
            url=url,
            target=target,
            payload=payload,
            captured_at=_EPOCH + timedelta(microseconds=instant),
            size_bytes=size,
            record=RecordPlace(key, offset, length) if flags & _HAS_RECORD else None,
            body=RecordPlace(self._keys[number], body_offset, body_length) if flags & _HAS_BODY else None,
            is_revisit=bool(flags & _IS_REVISIT),
            truncated=bool(flags & _IS_TRUNCATED),
            rendered=RecordPlace(key, offset + length, rendered) if rendered else None,
        )

    def _read(self, position: int, size: int) -> bytes:
        data = b""
        if position < self._written:
            data = os.pread(self._file.fileno(), min(size, self._written - position), position)
        start = position + len(data) - self._written
        return data + bytes(self._held[start : start + size - len(data)])

    def _number_of(self, key: str) -> int:
        if key not in self._numbers:
            self._numbers[key] = len(self._keys)
            self._keys.append(key)
        return self._numbers[key]


def _renumber(values: tuple[Any, ...], number: int) -> bytes:
    """Return the entry of *values* with another number for the object that holds the payload."""
    return _ENTRY.pack(*values[:_BODY_KEY], number, *values[_BODY_KEY + 1 :])


def are_entries(keys: Sequence[str], entries: bytes) -> bool:
    """Whether `Captures.restore` can take these."""
    if len(entries) % _ENTRY.size:
        return False
    return all(values[_BODY_KEY] < len(keys) for values in _ENTRY.iter_unpack(entries))


def make_fact(row: CaptureRow, warc_key: str, body: RecordPlace | None) -> CaptureFact:
    """Return what *row* says; *body*: where the payload is if the record is a revisit."""
    place = row.warc.response if row.warc else None
    record = RecordPlace(warc_key, place.offset, place.length) if place else None
    rendered = row.warc.rendered if row.warc and place else None
    return CaptureFact(
        url=mark(row.url),
        target=mark(row.target_uri),
        payload=mark(row.payload_digest),
        captured_at=row.captured_at,
        size_bytes=row.size_bytes,
        record=record,
        body=record if row.revisit_of is None else body,
        is_revisit=row.revisit_of is not None,
        truncated=row.truncated is not None,
        rendered=RecordPlace(warc_key, rendered.offset, rendered.length) if rendered else None,
    )
