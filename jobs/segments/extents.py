"""Where the records of a capture end whose neighbour was taken out: nobody knows how long that one's tombstones are."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from config.errors import RecordError
from crawler.warc import MemberFile
from crawler.warc.reader import parse_record
from jobs.archive.ranges import COMPACTED, fetch_range

if TYPE_CHECKING:
    from jobs.archive.ranges import Ranges

MAX_BESIDE_BYTES = 64 << 10
"""Of the records that are looked for: what is told of a connection is some hundred bytes long."""


def find_end(store: Ranges, key: str, sure: int, limit: int) -> int:
    """Return where the records of a capture in the object *key* end: at *sure*, or behind that, at *limit* at most.

    A tombstone has no WARC-Target-URI, and so is none of its records. What cannot be read is none either. Raises
    ObjectMissing and the store's other errors.
    """
    end = sure
    try:
        data = fetch_range(store, key, sure, min(limit - sure, MAX_BESIDE_BYTES))
        members = MemberFile(io.BytesIO(data), key)
        first = at = members.first if key.endswith(COMPACTED) else 0
        while at < len(data):
            start, length, record = members.read(at, limit=1 << 20)
            if parse_record(record, key).header("WARC-Target-URI") is None:
                break
            at = start + length
            end = sure + at - first
    except RecordError:
        return end
    return end
