"""The rows of a committed segment: a part of an object of the store, fetched, checked against its digest, decoded."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, BinaryIO

from config.errors import DamageFound, ObjectMissing, RecordError
from crawler.rows import Row, decode_row
from crawler.warc import read_facts
from jobs.archive.commit import digest
from jobs.archive.ranges import COMPACTED, fetch_dictionary

if TYPE_CHECKING:
    from collections.abc import Iterator

    from jobs.archive.commit import RowsPlace
    from jobs.store import ObjectStore

MAX_ROWS_BYTES = 2 * 1024**3
"""Longer rows are refused unread: FORMAT.md § 5."""


def fetch_rows(store: ObjectStore, place: RowsPlace) -> bytes:
    """Return the members that hold a segment's rows, as `read_rows` takes them. Raises DamageFound and StoreError."""
    where = f"{store.url}/{place.key}"
    if place.size_bytes > MAX_ROWS_BYTES:
        raise DamageFound(f"{where}: {place.size_bytes} bytes of rows; at most {MAX_ROWS_BYTES} are read")
    try:
        data = store.get(place.key, offset=place.offset, length=place.size_bytes)
    except ObjectMissing as error:
        raise DamageFound(f"{where}: missing, though it was committed: run ofrecord verify") from error
    if digest(data) != place.sha256:
        raise DamageFound(
            f"{where}: found {len(data)} bytes of rows with {digest(data)},"
            f" expected {place.size_bytes} with {place.sha256}: run ofrecord verify"
        )
    if not place.key.endswith(COMPACTED):
        return data
    try:
        return fetch_dictionary(store, place.key) + data
    except RecordError as error:
        raise DamageFound(f"{store.url}/{error}: run ofrecord verify") from error


def read_rows(data: bytes | BinaryIO, where: str, *, checked: bool = False) -> Iterator[tuple[int, Row]]:
    """Yield line number (from 1) and row of a segment's rows; passes over types that we do not know.

    *data*: the members that hold them, where they are zstd frames behind their dictionary. *checked*: this process has
    decoded each of the lines before. Bounded: one record is held at a time. Raises RecordError naming *where* and the
    line.
    """
    source = io.BytesIO(data) if isinstance(data, bytes) else data
    number = 0
    try:
        for line in read_facts(source):
            number += 1
            row = decode_row(line, checked=checked)
            if row is not None:
                yield number, row
    except RecordError as error:
        raise RecordError(f"{where}: line {number}: {error}") from error
