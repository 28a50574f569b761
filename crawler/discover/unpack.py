"""What gzip files hold, as far as it is whole: sitemaps come as `sitemap.xml.gz`, with or without saying so."""

from __future__ import annotations

import contextlib
import zlib

MAX_INFLATED_BYTES = 64 * 1024 * 1024
MAX_MEMBERS = 1_000
MAX_LAYERS = 3
"""A file that is gzip by itself, and once more for the way, and one to spare."""
GZIP_MAGIC = b"\x1f\x8b"
_CHUNK_BYTES = 65_536


def unpack_file(body: bytes) -> tuple[bytes, str | None]:
    """Return what a gzip file holds and what is wrong with it; other bytes as they are. Never raises."""
    faults = []
    for _ in range(MAX_LAYERS):
        if not body.startswith(GZIP_MAGIC):
            break
        body, fault = _gunzip(body)
        if fault is not None:
            faults.append(fault)
    return body, "; ".join(faults) or None


def _gunzip(body: bytes) -> tuple[bytes, str | None]:
    whole = memoryview(body)
    out = bytearray()
    at = 0
    for _ in range(MAX_MEMBERS):
        inflater = zlib.decompressobj(wbits=31)
        while not inflater.eof:
            if at >= len(body):
                return bytes(out), f"gzip file is cut off; the first {len(out)} bytes were read"
            piece = whole[at : at + _CHUNK_BYTES]
            at += len(piece)
            spare = inflater.copy()
            try:
                out += inflater.decompress(piece, MAX_INFLATED_BYTES - len(out) + 1)
            except zlib.error as error:
                _salvage(spare, piece, out)
                return bytes(out), f"damaged gzip file: {error}; the first {len(out)} bytes were read"
            if len(out) > MAX_INFLATED_BYTES:
                del out[MAX_INFLATED_BYTES:]
                reason = f"gzip file inflates to more than {MAX_INFLATED_BYTES} bytes"
                return bytes(out), f"{reason}; the first {len(out)} bytes were read"
        at -= len(inflater.unused_data)
        if body[at : at + 2] != GZIP_MAGIC:
            return bytes(out), None
    return bytes(out), f"gzip file has more than {MAX_MEMBERS} members; the first {len(out)} bytes were read"


def _salvage(inflater: zlib._Decompress, piece: memoryview, out: bytearray) -> None:
    """Add to *out* what *piece* gives before its fault, byte by byte."""
    with contextlib.suppress(zlib.error):
        for at in range(len(piece)):
            out += inflater.decompress(piece[at : at + 1], MAX_INFLATED_BYTES - len(out) + 1)
            if len(out) > MAX_INFLATED_BYTES:
                del out[MAX_INFLATED_BYTES:]
                return
