"""A sealed rows file → its lines, inflated piece by piece; nothing in it can make us hold more than a line."""

from __future__ import annotations

from typing import TYPE_CHECKING

import zstandard

from config.errors import RecordError
from crawler.rows import MAX_LINE_BYTES

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_INPUT_BYTES = 2048
"""zstd may blow this up to 64 MiB at most."""
_MAX_WINDOW_BYTES = 1 << 27


def read_lines(path: Path) -> Iterator[bytes]:
    """Yield the lines of a zstd file. Raises RecordError at bad data, a line too long, and a frame without its end."""
    held = bytearray()
    searched = 0
    for piece in _inflate(path):
        held += piece
        start = 0
        while (end := held.find(b"\n", max(searched, start))) != -1:
            yield bytes(held[start : end + 1])
            start = searched = end + 1
        del held[:start]
        searched = len(held)
        if searched > MAX_LINE_BYTES:
            raise RecordError(f"a line of more than {MAX_LINE_BYTES} bytes")
    if held:
        raise RecordError(f"the last line does not end: {len(held)} bytes")


def _inflate(path: Path) -> Iterator[bytes]:
    decompressor = zstandard.ZstdDecompressor(max_window_size=_MAX_WINDOW_BYTES)
    frame = None
    with path.open("rb") as file:
        while chunk := file.read(_INPUT_BYTES):
            while chunk:
                frame = frame or decompressor.decompressobj()
                try:
                    yield frame.decompress(chunk)
                except zstandard.ZstdError as error:
                    raise RecordError(f"not zstd, near byte {file.tell() - len(chunk)}: {error}") from error
                chunk = frame.unused_data if frame.eof else b""
                frame = None if frame.eof else frame
    if frame is not None:
        raise RecordError("the file ends inside a zstd frame")
