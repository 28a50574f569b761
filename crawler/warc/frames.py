"""Zstandard frames as `.warc.zst` files have them: a dictionary in a frame of its own, then one frame for each record.

The published format is "Zstandard Compression for WARC Files 1.0" (IIPC). Trusts nothing: sizes are read and bounded
before anything is inflated.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Protocol

import zstandard

from config.errors import RecordError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import BinaryIO

ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"
DICTIONARY_FRAME = b"\x5d\x2a\x4d\x18"
"""Skippable frame that holds the dictionary of all others; stands first."""
FRAME_HEAD_BYTES = 8
"""Of a skippable frame: magic and length."""
MAX_DICTIONARY_BYTES = 8 << 20
"""Inflated and as stored: what the published format asks readers to take."""
MAX_WINDOW_BYTES = 8 << 20
"""As above."""
_SKIPPED = 0x50
_MOST_HEADER_BYTES = 18
_CHECKSUM_BYTES = 4
_RAW, _RLE, _SQUEEZED = range(3)
_MAX_EXCESS_BYTES = 1 << 16


class Bytes(Protocol):
    """What hands out its bytes by slices: `bytes`, `mmap`, `FileBytes`."""

    def __getitem__(self, key: slice, /) -> bytes: ...


class FileBytes:
    """The bytes of a file from *start* on, read as far as they are asked for."""

    def __init__(self, file: BinaryIO, start: int) -> None:
        self._file = file
        self._start = start

    def __getitem__(self, key: slice, /) -> bytes:
        """Return the bytes of *key*, which has both ends, as far as they are there."""
        self._file.seek(self._start + key.start)
        return self._file.read(max(0, key.stop - key.start))


def is_zstd(head: bytes) -> bool:
    """Whether a file that begins with *head* is of zstd frames, the first of which may be one to be skipped."""
    return head.startswith(ZSTD_MAGIC) or is_skippable(head)


def is_skippable(head: bytes) -> bool:
    """Whether *head* begins a frame that is to be skipped; the dictionary's is one of them."""
    return head[1:4] == DICTIONARY_FRAME[1:] and head[0] & 0xF0 == _SKIPPED


def skippable_size(head: bytes) -> int:
    """Return the length of the skippable frame that begins with *head*, of eight bytes, its head included."""
    return FRAME_HEAD_BYTES + int.from_bytes(head[4:FRAME_HEAD_BYTES], "little")


def decode_dictionary(data: bytes, *, limit: int = MAX_DICTIONARY_BYTES) -> zstandard.ZstdCompressionDict:
    """Return the dictionary that a dictionary frame holds, squeezed or not.

    *data*: what follows the frame's head. *limit*: bytes, inflated. Raises RecordError.
    """
    try:
        if data.startswith(ZSTD_MAGIC):
            if zstandard.frame_content_size(data) > limit:  # by which memory is taken
                raise RecordError(f"a dictionary of more than {limit} bytes, inflated")
            data = zstandard.ZstdDecompressor().decompress(data, max_output_size=limit)
        return zstandard.ZstdCompressionDict(data)
    except zstandard.ZstdError as error:
        raise RecordError(f"the dictionary is damaged: {error}") from error


def split_dictionary(data: Bytes) -> bytes:
    """Return the dictionary frame that *data* begins with, its head included; nothing if there is none.

    Raises RecordError where it is cut, or longer than any that we read.
    """
    head = data[0:FRAME_HEAD_BYTES]
    if not head.startswith(DICTIONARY_FRAME):
        return b""
    size = skippable_size(head)
    if size > MAX_DICTIONARY_BYTES + FRAME_HEAD_BYTES:
        raise RecordError(f"a dictionary of {size} bytes; at most {MAX_DICTIONARY_BYTES} are read")
    frame = data[0:size]
    if len(frame) < size:
        raise RecordError("the file ends inside its dictionary")
    return frame


@lru_cache(maxsize=4)
def load_dictionary(frame: bytes) -> zstandard.ZstdCompressionDict | None:
    """Return the dictionary in a whole dictionary frame; `None` for no frame. Raises RecordError."""
    return decode_dictionary(frame[FRAME_HEAD_BYTES:]) if frame else None


def measure_frame(data: Bytes, offset: int, limit: int) -> tuple[int, int]:
    """Return how long the zstd frame at *offset* is, as stored and inflated, without inflating it.

    Raises RecordError where it is none, cut, does not say how long its content is, or inflates to more than *limit*.
    """
    head = data[offset : offset + _MOST_HEADER_BYTES]
    if not head.startswith(ZSTD_MAGIC):
        raise RecordError(f"found {head[:8]!r}, expected a zstd frame")
    try:
        header_bytes = zstandard.frame_header_size(head)
        parameters = zstandard.get_frame_parameters(head)
    except zstandard.ZstdError as error:
        raise RecordError(f"damaged zstd frame: {error}") from error
    inflated = parameters.content_size
    if inflated == zstandard.CONTENTSIZE_UNKNOWN:
        raise RecordError("the zstd frame does not say how long its content is")
    if inflated > limit:
        raise RecordError(f"the record inflates to more than {limit} bytes")
    if parameters.window_size > MAX_WINDOW_BYTES:
        raise RecordError(f"a zstd window of {parameters.window_size} bytes; at most {MAX_WINDOW_BYTES} are taken")
    position, most = offset + header_bytes, offset + inflated + inflated // 64 + _MAX_EXCESS_BYTES
    is_last = False
    while not is_last:
        block = data[position : position + 3]
        if len(block) < 3:
            raise RecordError("the file ends inside a zstd frame")
        value = int.from_bytes(block, "little")
        is_last, kind, size = bool(value & 1), value >> 1 & 3, value >> 3
        if kind > _SQUEEZED:
            raise RecordError(f"damaged zstd frame: a block of kind {kind}")
        position += 3 + (1 if kind == _RLE else size)
        if position > most:
            raise RecordError("damaged zstd frame: its blocks are longer than its content")
    position += _CHECKSUM_BYTES if parameters.has_checksum else 0
    if position > offset + header_bytes and len(data[position - 1 : position]) < 1:
        raise RecordError("the file ends inside a zstd frame")
    return position - offset, inflated


def inflate_frame(frame: bytes, dictionary: zstandard.ZstdCompressionDict | None, size: int) -> bytes:
    """Return the content of a whole zstd frame, which `measure_frame` said to be *size* bytes. Raises RecordError."""
    try:
        data = zstandard.ZstdDecompressor(dict_data=dictionary).decompress(frame, max_output_size=size)
    except (zstandard.ZstdError, MemoryError) as error:
        raise RecordError(f"damaged zstd frame of {len(frame)} bytes: {error}") from error
    if len(data) != size:
        raise RecordError(f"damaged zstd frame: found {len(data)} bytes, it says {size}")
    return data


def read_frames(data: Bytes, name: str, limit: int) -> Iterator[tuple[int, int, bytes]]:
    """Yield offset and length of each frame of *data* behind its dictionary, and its content. Raises RecordError."""
    where = name
    try:
        first = split_dictionary(data)
        dictionary, offset = load_dictionary(first), len(first)
        while data[(offset := skip_extensions(data, offset)) : offset + 1]:
            where = f"{name}: offset {offset}"
            length, size = measure_frame(data, offset, limit)
            if size:
                yield offset, length, inflate_frame(data[offset : offset + length], dictionary, size)
            offset += length
    except RecordError as error:
        raise RecordError(f"{where}: {error}") from error


def skip_extensions(data: Bytes, offset: int) -> int:
    """Return where the next zstd frame begins at or behind *offset*: past frames that are to be skipped."""
    while is_skippable(head := data[offset : offset + FRAME_HEAD_BYTES]) and len(head) == FRAME_HEAD_BYTES:
        offset += skippable_size(head)
    return offset


class FrameWriter:
    """Squeezes records into frames that have what the published format asks for: size, checksum, dictionary's id."""

    def __init__(self, dictionary: zstandard.ZstdCompressionDict | None, level: int) -> None:
        self._dictionary = dictionary
        if dictionary is not None:
            dictionary.precompute_compress(level=level)
        self._squeeze: Callable[[bytes], bytes] = zstandard.ZstdCompressor(
            level=level, dict_data=dictionary, write_checksum=True, write_content_size=True, write_dict_id=True
        ).compress

    def begin(self) -> bytes:
        """Return the dictionary frame, itself squeezed; nothing where there is no dictionary."""
        if self._dictionary is None:
            return b""
        squeezer = zstandard.ZstdCompressor(level=19, write_checksum=True, write_content_size=True)
        data = squeezer.compress(self._dictionary.as_bytes())
        return DICTIONARY_FRAME + len(data).to_bytes(4, "little") + data

    def squeeze(self, record: bytes) -> bytes:
        """Return one frame that holds *record*."""
        return self._squeeze(record)
