"""Capture rows and index lines against the WARC records they point at: each has its row, and both say the same."""

from __future__ import annotations

import contextlib
import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from crawler.outcome import REDIRECTS
from crawler.urls import MAX_URL_CHARACTERS, surt
from jobs.verify.members import Record, shorten, write_reading

if TYPE_CHECKING:
    from collections.abc import Iterator

    from crawler.rows import CaptureRow, Extent

MAX_KEYED_CHARACTERS = 3 * MAX_URL_CHARACTERS
"""No URL that we record is longer once escaped; of a longer one the key is not computed, which takes its square."""
_ANSWERS = ("response", "revisit")


class Pointers:
    """The records of one WARC file, and which rows pointed at them so far."""

    def __init__(self, records: dict[int, Record], filename: str) -> None:
        """*records*: by offset. *filename*: the WARC file's name, as index lines must have it."""
        self._records = records
        self._filename = filename
        self._end = 0

    def follow(self, row: CaptureRow) -> tuple[Record | None, list[str]]:
        """Return the answer's record of *row*, and what in *row* is not as its records say, in words."""
        if row.warc is None:
            return None, []
        faults: list[str] = []
        answer = self._find(row, row.warc.response, _ANSWERS, faults)
        rendered = self._find(row, row.warc.rendered, ("conversion",), faults)
        request = self._find(row, row.warc.request, ("request",), faults)
        metadata = self._find(row, row.warc.metadata, ("metadata",), faults)
        if answer is not None:
            faults += _compare_answer(row, answer)
            if row.warc.response is not None and row.warc.response.head is not None:
                faults += differ("head", row.warc.response.head, answer.head_digest)
            for beside in (request, metadata):
                if beside is not None and beside.concurrent_to != answer.record_id:
                    faults.append(f"{beside.kind} and {answer.kind} at {beside.offset} and {answer.offset} are no pair")
        if rendered is not None and (
            answer is None or rendered.refers_to != answer.record_id or rendered.offset != answer.offset + answer.length
        ):
            faults.append(f"conversion at {rendered.offset}: does not follow the answer that it is of")
        return answer, faults

    def follow_index(self, line: str) -> Iterator[str]:
        """Yield what is wrong with the CDXJ line *line*."""
        try:
            key, stamp, rest = line.split(" ", 2)
            fields = json.loads(rest)
            offset = int(fields["offset"])
        except (ValueError, KeyError, TypeError, OverflowError, RecursionError):
            yield f"not a CDXJ line: {line[:100]!a}"
            return
        record = self._records.get(offset)
        if record is None or record.kind not in _ANSWERS:
            yield f"an index line for offset {offset}, where no response begins"
            return
        record.indexed += 1
        yield from _compare_index(key, stamp, fields, record, self._filename)

    def finish(self) -> Iterator[str]:
        """Yield what is wrong with the number of rows that pointed at each record."""
        for record in self._records.values():
            where = f"record {record.number} at offset {record.offset}"
            wanted = record.kind in ("response", "request", "revisit", "conversion") or record.secured
            if record.rows > 1 or (wanted and not record.rows):
                yield f"{where}: {record.rows} captures point at it"
            if record.kind in _ANSWERS and record.indexed != 1:
                yield f"{where}: has {record.indexed} index lines"

    def count_loose(self) -> int:
        """Return how many metadata records no capture points at, though none has to."""
        return sum(one.kind == "metadata" and not one.secured and not one.rows for one in self._records.values())

    def _find(self, row: CaptureRow, place: Extent | None, kinds: tuple[str, ...], faults: list[str]) -> Record | None:
        if place is None:
            return None
        record = self._records.get(place.offset)
        if record is None:
            faults.append(f"capture {row.n} points at offset {place.offset}, where no record begins")
            return None
        record.rows += 1
        where = f"capture {row.n}, record at offset {place.offset}"
        if record.kind not in kinds:
            faults.append(f"{where}: found a {record.kind} record, expected {kinds[0]}")
        if place.offset < self._end:
            faults.append(f"{where}: {kinds[0]} out of order: the records before it end at {self._end}")
        self._end = max(self._end, place.offset + record.length)
        faults += differ(f"{where}: length", place.length, record.length)
        faults += differ(f"{where}: target_uri", shorten(row.target_uri), record.target_uri)
        faults += differ(f"{where}: captured_at", stamp(row.captured_at), stamp_text(record.date))
        faults += differ(f"{where}: peer", shorten(row.peer or ""), record.peer)
        return record


def _compare_answer(row: CaptureRow, answer: Record) -> Iterator[str]:
    yield from differ("payload_digest", shorten(row.payload_digest or ""), answer.payload_digest)
    if answer.kind == "response":
        yield from differ("size_bytes", row.size_bytes, answer.payload_bytes)
        yield from differ("truncated", shorten(row.truncated or ""), answer.truncated)
    elif row.truncated is not None:
        yield f"truncated: the row says {show(row.truncated)}, but what was cut is no revisit"
    if answer.status is not None:
        yield from differ("status", row.status, answer.status)
    if row.redirect is not None and answer.status is not None and answer.status not in REDIRECTS:
        yield f"redirect: the row says {show(row.redirect)}, but the status is {answer.status}"
    yield from differ("media_type", shorten(row.media_type or ""), answer.media_type)
    yield from differ("etag", shorten(row.etag or ""), answer.etag)
    yield from differ("last_modified", shorten(row.last_modified or ""), answer.last_modified)
    if row.read_with is not None:
        yield from differ("read_with", shorten(write_reading(row.read_with)), answer.reading)


def _compare_index(key: str, time: str, fields: dict[str, Any], record: Record, filename: str) -> Iterator[str]:
    url = str(fields.get("url"))
    mime = "warc/revisit" if record.kind == "revisit" else record.media_type or "unk"
    yield from differ("index line: length", str(fields.get("length")), str(record.length))
    yield from differ("index line: digest", fields.get("digest"), record.payload_digest or None)
    yield from differ("index line: mime", shorten(str(fields.get("mime"))), shorten(mime))
    yield from differ("index line: url", shorten(url), record.target_uri)
    yield from differ("index line: filename", fields.get("filename"), filename)
    digits = "".join(character for character in stamp_text(record.date)[:19] if character.isdigit())
    yield from differ("index line: timestamp", time, digits)
    if record.status is not None:
        yield from differ("index line: status", str(fields.get("status")), str(record.status))
    if shorten(url) == record.target_uri and len(url) <= MAX_KEYED_CHARACTERS:
        with contextlib.suppress(ValueError):  # no http(s) URL: sorts under itself
            yield from differ("index line: key", key, surt(url))


def differ(name: str, stated: object, found: object) -> Iterator[str]:
    """Yield that a row says *stated* of *name*, but *found* was found, if they differ."""
    if stated != found:
        yield f"{name}: the row says {show(stated)}, found {show(found)}"


def show(value: object) -> str:
    """Return *value* for a message."""
    return "nothing" if value is None or value == "" else ascii(value)[:200]


def stamp(value: datetime | None) -> str:
    """Return *value* as text that is equal for equal instants."""
    if value is None:
        return ""
    aware = value if value.tzinfo is not None else value.replace(tzinfo=UTC)
    try:
        return aware.astimezone(UTC).isoformat(timespec="microseconds")
    except OverflowError:
        return value.isoformat()


def stamp_text(value: str) -> str:
    """Return the time that *value* states, as `stamp` does; else *value*."""
    try:
        return stamp(datetime.fromisoformat(value))
    except ValueError:
        return value
