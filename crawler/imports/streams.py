"""A WARC file as it lies on a disk or comes over the wire → its bytes, inflated, with places to go on from.

Every step is bounded, whatever is in the file. What is damaged is told and passed over as far as that can be.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from config.errors import RecordError
from crawler.imports.flows import PlainFlow, Source
from crawler.imports.gzip_flow import GZIP_MAGIC, GzipFlow
from crawler.imports.zstd_flow import ZstdFlow
from crawler.warc.frames import is_zstd

if TYPE_CHECKING:
    from typing import BinaryIO

    from crawler.imports.flows import BaseFlow, Flow, Position

EXPECTED = "a WARC file, plain, .gz or .zst, or a WACZ"


def open_flow(file: BinaryIO, *, start: Position, begins_at: int) -> Flow:
    """Return the bytes of *file* from *start* on.

    *begins_at*: how many bytes of it lie before what *file* yields: none, or `start.raw`.
    Raises RecordError if it is no WARC file, squeezed or not, OSError.
    """
    source = Source(file, begins_at)
    head = source.peek()
    skip = start.skip if begins_at or not start.raw else start.flat
    before = start.flat - skip
    flow: BaseFlow
    if head.startswith(GZIP_MAGIC):
        flow = GzipFlow(source, before)
    elif is_zstd(head):
        flow = ZstdFlow(source)
    else:
        _refuse_others(head)
        flow = PlainFlow(source, before)
    flow.forget(skip)
    return flow


def _refuse_others(head: bytes) -> None:
    """Raise RecordError, saying what it is, for a file that holds no records."""
    if not head:
        raise RecordError("the file is empty")
    kinds = {
        b"PK\x03\x04": "a zip file that is no WACZ: it has no archive/*.warc.gz",
        b"filedesc:": "an ARC file, which came before WARC; convert it, as with warcio recompress",
        b"<": "a page or XML",
        b"{": "JSON",
        b"BZh": "squeezed by bzip2",
        b"\xfd7zXZ": "squeezed by xz",
        b"\x1f\x9d": "squeezed by compress",
    }
    for magic, kind in kinds.items():
        if head.lstrip().startswith(magic):
            raise RecordError(f"found {kind}; expected {EXPECTED}")
    if not head.lstrip(b"\r\n \0\xef\xbb\xbf").startswith(b"WARC/"):
        raise RecordError(f"it begins with {head[:12]!r}; expected {EXPECTED}")
