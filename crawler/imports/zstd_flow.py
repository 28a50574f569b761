"""The bytes of a Zstandard file, with the dictionary that may stand before its frames."""

from __future__ import annotations

import zstandard

from config.errors import RecordError
from crawler.imports.flows import BaseFlow, Fault, Position, Source, require_no_bomb

_ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"
_DICTIONARY_FRAME = b"\x5d\x2a\x4d\x18"
"""Skippable frame of a `.warc.zst` that holds the dictionary of all others, as IIPC's draft has it."""
_MAX_DICTIONARY_BYTES = 16 * 1024 * 1024
_WINDOW_BYTES = 128 * 1024 * 1024
_SKIPPED = 0x50
_FRAME_HEAD_BYTES = 8
_ZSTD_PIECE = 256
"""So few bytes inflate to some megabytes at the most."""


class ZstdFlow(BaseFlow):
    """Zstandard frames, with the dictionary that may stand before them. Goes on from the beginning only: it is fast."""

    def __init__(self, source: Source) -> None:
        super().__init__(source, 0)
        dictionary = self._read_dictionary()
        self._inflaters = zstandard.ZstdDecompressor(dict_data=dictionary, max_window_size=_WINDOW_BYTES)
        self._inflater: zstandard.ZstdDecompressionObj | None = None
        self._held = b""
        self._began = source.offset
        self._inflated = 0

    def _read(self) -> bytes:
        while True:
            if not self._held:
                self._held = self._source.take()
            if not self._held:
                if self._inflater is None:
                    return b""
                self._inflater = None
                raise Fault(self._began, "the file ends inside a zstd frame")
            if self._inflater is None:
                if not self._skip():
                    continue
                self._inflater = self._inflaters.decompressobj()
                self._inflated = 0
            if data := self._feed(self._inflater):
                return data

    def _feed(self, inflater: zstandard.ZstdDecompressionObj) -> bytes:
        given, self._held = self._held[:_ZSTD_PIECE], self._held[_ZSTD_PIECE:]
        try:
            data = inflater.decompress(given)
        except zstandard.ZstdError as error:
            self._held, self._inflater = b"", None
            while self._source.take():
                pass
            raise Fault(self._began, f"damaged zstd frame, and what follows it is lost: {error}") from error
        self._inflated += len(data)
        if inflater.eof:
            self._held = inflater.unused_data + self._held
            self._inflater = None
        require_no_bomb(self._began, self._source.offset - len(self._held) - self._began, self._inflated)
        return data

    def _skip(self) -> bool:
        """Go past a frame that is to be skipped; return whether none is there, so that one with data begins."""
        while len(self._held) < _FRAME_HEAD_BYTES and (more := self._source.take()):
            self._held += more
        self._began = self._source.offset - len(self._held)
        if self._held[1:4] != _DICTIONARY_FRAME[1:] or self._held[0] & 0xF0 != _SKIPPED:
            return True
        size = int.from_bytes(self._held[4:_FRAME_HEAD_BYTES], "little")
        rest, self._held = self._held[_FRAME_HEAD_BYTES:], b""
        while len(rest) < size:
            size -= len(rest)
            rest = self._source.take()
            if not rest:
                raise Fault(self._began, "the file ends inside a frame that is to be skipped")
        self._held = rest[size:]
        return False

    def locate(self, at: int) -> Position:
        flat = self._dropped + at
        return Position(0, flat, flat)

    def _read_dictionary(self) -> zstandard.ZstdCompressionDict | None:
        if not self._source.peek().startswith(_DICTIONARY_FRAME):
            return None
        size = int.from_bytes(self._source.read(8)[4:], "little")
        if size > _MAX_DICTIONARY_BYTES:
            raise RecordError(f"a dictionary of {size} bytes; at most {_MAX_DICTIONARY_BYTES} are read")
        data = self._source.read(size)
        if len(data) < size:
            raise RecordError("the file ends inside its dictionary")
        try:
            if data.startswith(_ZSTD_MAGIC):
                if zstandard.frame_content_size(data) > _MAX_DICTIONARY_BYTES:  # by which memory is taken
                    raise RecordError(f"a dictionary of more than {_MAX_DICTIONARY_BYTES} bytes, inflated")
                data = zstandard.ZstdDecompressor().decompress(data, max_output_size=_MAX_DICTIONARY_BYTES)
            return zstandard.ZstdCompressionDict(data)
        except zstandard.ZstdError as error:
            raise RecordError(f"the dictionary is damaged: {error}") from error


def is_zstd(head: bytes) -> bool:
    """Whether a file that begins with *head* is of zstd frames, the first of which may be one to be skipped."""
    return head.startswith(_ZSTD_MAGIC) or (head[1:4] == _DICTIONARY_FRAME[1:] and head[0] & 0xF0 == _SKIPPED)
