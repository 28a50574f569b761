"""The bytes of a Zstandard file, with the dictionary that may stand before its frames."""

from __future__ import annotations

import zstandard

from config.errors import RecordError
from crawler.imports.flows import BaseFlow, Fault, Position, Source, require_no_bomb
from crawler.warc.frames import DICTIONARY_FRAME, FRAME_HEAD_BYTES, decode_dictionary, is_skippable, skippable_size

_MAX_DICTIONARY_BYTES = 16 * 1024 * 1024
_WINDOW_BYTES = 128 * 1024 * 1024
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
        while len(self._held) < FRAME_HEAD_BYTES and (more := self._source.take()):
            self._held += more
        self._began = self._source.offset - len(self._held)
        if not is_skippable(self._held):
            return True
        size = skippable_size(self._held) - FRAME_HEAD_BYTES
        rest, self._held = self._held[FRAME_HEAD_BYTES:], b""
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
        if not self._source.peek().startswith(DICTIONARY_FRAME):
            return None
        size = skippable_size(self._source.read(FRAME_HEAD_BYTES)) - FRAME_HEAD_BYTES
        if size > _MAX_DICTIONARY_BYTES:
            raise RecordError(f"a dictionary of {size} bytes; at most {_MAX_DICTIONARY_BYTES} are read")
        data = self._source.read(size)
        if len(data) < size:
            raise RecordError("the file ends inside its dictionary")
        return decode_dictionary(data, limit=_MAX_DICTIONARY_BYTES)
