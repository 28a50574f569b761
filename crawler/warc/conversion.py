"""Records as zstd frames → the same records as gzip members, which every reader of WARC files takes."""

from __future__ import annotations

from config.errors import RecordError
from crawler.warc.frames import is_zstd, read_frames
from crawler.warc.writer import compress_record, is_squeezed

_END = b"\r\n\r\n"
_ANSWER = b"\r\nWARC-Type: response\r\n"


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
        members.append(gzip_record(record))
    return b"".join(members)


def gzip_record(record: bytes) -> bytes:
    """Return *record* (headers, block, two line ends) as a gzip member.

    It is the very one that the record was first written as by this program, with the same library on the same kind of
    processor: so that what was compacted can be had as it was.
    """
    head, end, rest = record.partition(_END)
    if not rest.endswith(_END):
        return compress_record([record])
    block = rest[: -len(_END)]
    squeezed = False
    if _ANSWER in head + end:
        http, http_end, body = block.partition(_END)
        squeezed = bool(body) and is_squeezed(http + http_end)
    return compress_record([head + end, block, _END], squeezed=squeezed)
