"""Captures → their records and exchanges, read from the store within bounds. What is damaged raises RecordError."""

from __future__ import annotations

import io
from dataclasses import replace
from typing import TYPE_CHECKING

from config.errors import ExtractError, RecordError
from crawler.encoding import inflate
from crawler.warc import NOT_MODIFIED, gzip_members, read_records, read_response
from jobs.archive.ranges import COMPACTED, fetch_dictionary, fetch_range
from jobs.room.endpoints import NotThere
from jobs.segments.extents import find_end
from jobs.segments.pages import CapturePlaces, fetch_member, read_capture

if TYPE_CHECKING:
    from crawler.model import Exchange
    from crawler.warc import RecordView
    from jobs.catalog import StoredCapture
    from jobs.catalog.replays import StoredExchange
    from jobs.room.desk import Desk
    from jobs.segments.pages import RecordPlace

MAX_FETCHED_BYTES = 24 * 1024 * 1024
"""Of records as they are stored; a body is cut at 16 MiB on the wire, where nothing else is set."""
MAX_INFLATED_BYTES = 32 * 1024 * 1024
MAX_RECORDS = 16
"""Of a capture, which has four at most."""
MAX_RECORDS_BYTES = 48 * 1024 * 1024
"""Of all of them, inflated: gzip makes a thousandth of zeros."""


def find_stored(desk: Desk, segment: str, n: int) -> StoredExchange:
    """Return capture *n* of a segment. Raises NotThere."""
    found = desk.catalog.find_exchange(segment, n)
    if found is None:
        raise NotThere(f"{segment}, capture {n}: not in this archive, as far as this room has read it")
    return found


def fetch_stored(desk: Desk, stored: StoredExchange) -> tuple[bytes, bytes]:
    """Return all records of a capture as they lie in their file, behind the dictionary frame that they need, if any.

    Raises NotThere where there are none, or too long; RecordError, StoreError.
    """
    capture, end = stored.capture, stored.end
    if capture.response_offset is None or end is None:
        raise _tell_nothing(capture)
    if stored.sure_end is not None:
        end = find_end(desk.store, capture.warc_key, stored.sure_end, end)
    length = end - capture.response_offset
    where = f"{capture.warc_key}: offset {capture.response_offset}"
    _check_length(length, where)
    data = desk.store.get(capture.warc_key, offset=capture.response_offset, length=length)
    if len(data) != length:
        raise RecordError(f"{where}: found {len(data)} bytes, expected {length}")
    return fetch_dictionary(desk.store, capture.warc_key) if capture.warc_key.endswith(COMPACTED) else b"", data


def fetch_bytes(desk: Desk, stored: StoredExchange) -> bytes:
    """Return all records of a capture as they lie in their file, or of a compacted one as gzip members again.

    Raises as `fetch_stored`.
    """
    dictionary, data = fetch_stored(desk, stored)
    if not stored.capture.warc_key.endswith(COMPACTED):
        return data
    try:
        return gzip_members(dictionary + data, limit=MAX_RECORDS_BYTES)
    except RecordError as error:
        raise RecordError(f"{stored.capture.warc_key}: capture {stored.capture.n}: {error}") from error


def split_records(data: bytes, where: str) -> list[RecordView]:
    """Return the records in *data*, digests checked. Raises RecordError, NotThere where they are too much."""
    file = io.BytesIO(data)
    file.name = where
    records: list[RecordView] = []
    left = MAX_RECORDS_BYTES
    for record in read_records(file, limit=MAX_INFLATED_BYTES):
        left -= len(record.block)
        if left < 0 or len(records) == MAX_RECORDS:
            raise NotThere(f"{where}: more than {MAX_RECORDS_BYTES} bytes or {MAX_RECORDS} records: take it as it lies")
        if faults := record.find_faults():
            raise RecordError(faults[0])
        records.append(record)
    return records


def read_page(
    desk: Desk, capture: StoredCapture, *, rendered: bool = False, limit: int = MAX_INFLATED_BYTES
) -> Exchange:
    """Return the exchange of a capture with its body: of a revisit, of the record that it refers to.

    *rendered*: the document that a browser made of it, if there is one. *limit*: bytes that a record may inflate to.
    Raises NotThere, RecordError, StoreError.
    """
    places = CapturePlaces.of(capture)
    if places is None:
        raise _tell_nothing(capture)

    def fetch(place: RecordPlace) -> bytes:
        _check_length(place.length, str(place))
        return fetch_range(desk.store, place.key, place.offset, place.length)

    if capture.status == NOT_MODIFIED and places.body is not None:
        data = fetch_member(fetch, places.body)
        return read_response(data, where=str(places.body), limit=limit).exchange()
    if not rendered:
        places = replace(places, rendered=None)
    return read_capture(fetch, places, limit=limit).as_rendered()


def read_body(exchange: Exchange, *, limit: int = MAX_INFLATED_BYTES) -> bytes:
    """Return the body of *exchange*, its content coding undone. Raises RecordError where that cannot be done."""
    try:
        return inflate(exchange.body, exchange.header_values("Content-Encoding"), limit=limit)
    except ExtractError as error:
        raise RecordError(f"{exchange.url}: {error}") from error


def _tell_nothing(capture: StoredCapture) -> NotThere:
    reason = capture.error or capture.class_reason
    return NotThere(f"{capture.url}: no answer came ({reason}), so there is no record")


def _check_length(length: int, where: str) -> None:
    if length > MAX_FETCHED_BYTES:
        raise NotThere(f"{where}: {length} bytes; at most {MAX_FETCHED_BYTES} are read here: take it from the archive")
