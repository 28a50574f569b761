"""A member of a WARC file → its bytes, piece by piece: a gzip member, or a zstd frame of what was compacted.

Nothing in a file can make us hold more than a piece of it, a zstd window and the dictionary.
"""

from __future__ import annotations

import io
import zlib
from typing import TYPE_CHECKING, Protocol

import zstandard

from config.errors import RecordError
from crawler.warc.frames import (
    MAX_WINDOW_BYTES,
    ZSTD_MAGIC,
    is_zstd,
    load_dictionary,
    measure_frame,
    skip_extensions,
    split_dictionary,
)

if TYPE_CHECKING:
    import mmap
    from collections.abc import Iterator

MAX_RECORD_BYTES = 1 << 30
_PIECE_BYTES = 1 << 16
_GZIP_MAGIC = b"\x1f\x8b\x08"
_RECORD = b"WARC/1."


class DamagedMember(Exception):
    """A member cannot be read to its end."""


class Member(Protocol):
    """One record as it is stored."""

    offset: int
    end: int
    """Where the next one begins; holds once `pieces` are used up."""
    pieces: Iterator[bytes]
    """Inflated. Raises DamagedMember."""


class Members:
    """The members of a WARC file, of whichever kind."""

    def __init__(self, data: mmap.mmap) -> None:
        """Raises DamagedMember where the file begins with a dictionary that cannot be read."""
        self._data = data
        self.is_zstd = is_zstd(data[:4])
        self.start = 0
        """Where the first one begins."""
        self._dictionary: zstandard.ZstdCompressionDict | None = None
        if self.is_zstd:
            try:
                frame = split_dictionary(data)
                self._dictionary = load_dictionary(frame)
            except RecordError as error:
                raise DamagedMember(str(error)) from error
            self.start = skip_extensions(data, len(frame))

    def open(self, offset: int) -> Member:
        """Return the member at *offset*."""
        if self.is_zstd:
            return _Frame(self._data, offset, self._dictionary)
        return _GzipMember(self._data, offset)

    def skip(self, offset: int) -> int:
        """Return where the next member begins at or behind *offset*: past frames that are to be skipped."""
        return skip_extensions(self._data, offset) if self.is_zstd else offset

    def find_next(self, start: int) -> int:
        """Return the offset of the next member from *start* on that begins like a WARC record, or the file's end."""
        magic = ZSTD_MAGIC if self.is_zstd else _GZIP_MAGIC
        while (start := self._data.find(magic, start)) != -1:
            try:
                if next(self.open(start).pieces, b"").startswith(_RECORD):
                    return start
            except DamagedMember:
                pass
            start += 1
        return len(self._data)


class _GzipMember:
    def __init__(self, data: mmap.mmap, offset: int) -> None:
        self.offset = self.end = offset
        self.pieces = self._inflate(data)

    def _inflate(self, data: mmap.mmap) -> Iterator[bytes]:
        inflater = zlib.decompressobj(31)
        position, total = self.offset, 0
        while not inflater.eof:
            chunk = data[position : position + _PIECE_BYTES]
            if not chunk:
                raise DamagedMember("the file ends inside a gzip member")
            position += len(chunk)
            while chunk and not inflater.eof:
                try:
                    piece = inflater.decompress(chunk, _PIECE_BYTES)
                except zlib.error as error:
                    raise DamagedMember(str(error)) from error
                chunk = inflater.unconsumed_tail
                total += len(piece)
                if total > MAX_RECORD_BYTES:
                    raise DamagedMember(f"the member inflates to more than {MAX_RECORD_BYTES} bytes")
                if piece:
                    yield piece
        self.end = position - len(inflater.unused_data)


class _Frame:
    def __init__(self, data: mmap.mmap, offset: int, dictionary: zstandard.ZstdCompressionDict | None) -> None:
        self.offset = self.end = offset
        self.pieces = self._inflate(data, dictionary)

    def _inflate(self, data: mmap.mmap, dictionary: zstandard.ZstdCompressionDict | None) -> Iterator[bytes]:
        try:
            length, size = measure_frame(data, self.offset, MAX_RECORD_BYTES)
        except RecordError as error:
            raise DamagedMember(str(error)) from error
        header = zstandard.get_frame_parameters(data[self.offset : self.offset + 18])
        if not header.has_checksum or (dictionary is not None and header.dict_id != dictionary.dict_id()):
            raise DamagedMember("a zstd frame without a checksum, or of another dictionary than the file's")
        total = 0
        inflater = zstandard.ZstdDecompressor(dict_data=dictionary, max_window_size=MAX_WINDOW_BYTES)
        try:
            with inflater.stream_reader(io.BytesIO(data[self.offset : self.offset + length])) as reader:
                while piece := reader.read(_PIECE_BYTES):
                    total += len(piece)
                    yield piece
        except (zstandard.ZstdError, MemoryError) as error:
            raise DamagedMember(f"damaged zstd frame: {error}") from error
        if total != size:
            raise DamagedMember(f"found {total} bytes in a zstd frame, it says {size}")
        self.end = self.offset + length
