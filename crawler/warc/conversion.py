"""Records as zstd frames → the same records as gzip members, which every reader of WARC files takes."""

from __future__ import annotations

from config.errors import RecordError
from crawler.warc.frames import is_zstd, read_frames
from crawler.warc.writer import compress_record


def gzip_members(data: bytes, *, limit: int) -> bytes:
    """Return the records in *data* as gzip members, one each, in order; gzip members are returned as they are.

    *data*: zstd frames behind their dictionary. Raises RecordError where they are damaged or inflate to more than
    *limit* bytes in all.
    """
    if not is_zstd(data):
        return data
    members, left = [], limit
    for _, _, record in read_frames(data, "record", limit):
        left -= len(record)
        if left < 0:
            raise RecordError(f"the records inflate to more than {limit} bytes")
        members.append(compress_record([record]))
    return b"".join(members)
