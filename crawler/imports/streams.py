"""Bytes of a WARC file as it lies on a disk or comes over the wire → the same, inflated, with places to go on from.

Every step is bounded, whatever is in the file. What is damaged is told and passed over as far as that can be.
"""

from __future__ import annotations

import zlib
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import zstandard
from isal import isal_zlib

from config.errors import RecordError

if TYPE_CHECKING:
    from typing import BinaryIO

EXPECTED = "a WARC file, plain, .gz or .zst, or a WACZ"
CHUNK_BYTES = 64 * 1024
_PIECE_BYTES = 256 * 1024
_GZIP_MAGIC = b"\x1f\x8b\x08"
_ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"
_DICTIONARY_FRAME = b"\x5d\x2a\x4d\x18"
"""Skippable frame of a `.warc.zst` that holds the dictionary of all others, as IIPC's draft has it."""
_DICTIONARY_MAGIC = b"\x37\xa4\x30\xec"
_MAX_DICTIONARY_BYTES = 16 * 1024 * 1024
_WINDOW_BYTES = 128 * 1024 * 1024
_SKIPPED = 0x50
_FRAME_HEAD_BYTES = 8
_ZSTD_PIECE = 256
"""So few bytes inflate to some megabytes at the most."""
_SNIFFED_BYTES = 64
_MOST_SEARCHES = 10_000
"""So often is what looks like a gzip member tried, in all of a file, where one is damaged."""
_LEAST_BOMB_BYTES = 1 << 30
_BOMB_RATIO = 400
"""No page is squeezed as much, nor a gibibyte of them."""
_FAULTS: tuple[type[Exception], ...] = (zlib.error, isal_zlib.error)  # type: ignore[assignment]  # its stub says an instance


@dataclass(frozen=True, slots=True)
class Position:
    """Where in a file to go on: `raw` bytes of the file, then `skip` inflated ones. In all, `flat` come before it."""

    raw: int = 0
    skip: int = 0
    flat: int = 0
    """Inflated bytes since the beginning of the file: for who can only begin there."""
    software: str | None = None
    """Who wrote the file, as it said somewhere before."""


BEGINNING = Position()


class Fault(Exception):
    """A stretch of the file that cannot be read; what follows it may be."""

    def __init__(self, offset: int, reason: str) -> None:
        super().__init__(reason)
        self.offset = offset
        """In the file as it lies there."""
        self.reason = reason


class Flow(Protocol):
    """A file's bytes, inflated, one piece after the other."""

    def read(self) -> bytes:
        """Return some bytes, none at the end. Raises Fault once for each damaged stretch, OSError, RecordError."""

    def locate(self, at: int) -> Position:
        """Return where the byte lies that came as the *at*-th; asked for places that grow."""


class _Source:
    """The file itself, with a beginning that was looked at already."""

    def __init__(self, file: BinaryIO, offset: int) -> None:
        self._file = file
        self._ahead = b""
        self.offset = offset
        """Of what `take` returns next."""

    def peek(self) -> bytes:
        while len(self._ahead) < _SNIFFED_BYTES:
            more = self._file.read(CHUNK_BYTES)
            if not more:
                break
            self._ahead += more
        return self._ahead[:_SNIFFED_BYTES]

    def take(self) -> bytes:
        data, self._ahead = self._ahead or self._file.read(CHUNK_BYTES), b""
        self.offset += len(data)
        return data

    def read(self, size: int) -> bytes:
        """Return *size* bytes, fewer at the end."""
        parts = []
        while size > 0 and (data := self.take()):
            parts.append(data[:size])
            self.put_back(data[size:])
            size -= len(parts[-1])
        return b"".join(parts)

    def put_back(self, data: bytes) -> None:
        self._ahead = data + self._ahead
        self.offset -= len(data)


def open_flow(file: BinaryIO, *, start: Position, begins_at: int) -> Flow:
    """Return the bytes of *file* from *start* on.

    *begins_at*: how many bytes of it lie before what *file* yields: none, or `start.raw`.
    Raises RecordError if it is no WARC file, squeezed or not, OSError.
    """
    source = _Source(file, begins_at)
    head = source.peek()
    skip = start.skip if begins_at or not start.raw else start.flat
    before = start.flat - skip
    flow: _BaseFlow
    if head.startswith(_GZIP_MAGIC):
        flow = _GzipFlow(source, before)
    elif is_zstd(head):
        flow = _ZstdFlow(source)
    else:
        _refuse_others(head)
        flow = _PlainFlow(source, before)
    flow.forget(skip)
    return flow


def is_zstd(head: bytes) -> bool:
    """Whether a file that begins with *head* is of zstd frames, the first of which may be one to be skipped."""
    return head.startswith(_ZSTD_MAGIC) or (head[1:4] == _DICTIONARY_FRAME[1:] and head[0] & 0xF0 == _SKIPPED)


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


class _BaseFlow:
    """What came so far, and where members begin."""

    def __init__(self, source: _Source, before: int) -> None:
        self._source = source
        self._before = before
        """Inflated bytes that lie before the first one here."""
        self._given = 0
        self._ahead = b""
        self._marks: deque[tuple[int, int]] = deque([(0, source.offset)])
        """Inflated bytes given before a member, where it begins."""
        self._dropped = 0

    def read(self) -> bytes:
        if self._ahead:
            data, self._ahead = self._ahead, b""
        else:
            data = self._read()
        self._given += len(data)
        return data

    def forget(self, size: int) -> None:
        """Read and forget *size* bytes; what is damaged there was told before. Raises OSError, RecordError."""
        self._dropped = size
        while size > 0:
            try:
                data = self._read()
            except Fault:
                continue
            if not data:
                return
            self._given += min(size, len(data))
            self._ahead = data[size:]
            size -= len(data)

    def locate(self, at: int) -> Position:
        at += self._dropped
        while len(self._marks) > 1 and self._marks[1][0] <= at:
            self._marks.popleft()
        given, raw = self._marks[0]
        return Position(raw, at - given, self._before + at)

    def _read(self) -> bytes:
        raise NotImplementedError

    def _mark(self, raw: int) -> None:
        if self._marks[-1][0] == self._produced:
            self._marks[-1] = (self._produced, raw)
        else:
            self._marks.append((self._produced, raw))

    @property
    def _produced(self) -> int:
        return self._given + len(self._ahead)


class _PlainFlow(_BaseFlow):
    """A file that is not squeezed."""

    def _read(self) -> bytes:
        return self._source.take()

    def locate(self, at: int) -> Position:
        flat = self._before + self._dropped + at
        return Position(flat, 0, flat)


class _GzipFlow(_BaseFlow):
    """Gzip members, one for each record, one for all, or anything between."""

    def __init__(self, source: _Source, before: int) -> None:
        super().__init__(source, before)
        self._inflater: isal_zlib.Decompress | None = None
        self._held = b""
        """Squeezed bytes that are still to be fed."""
        self._began = source.offset
        self._inflated = 0
        self._over = False
        self._searches = 0

    def _read(self) -> bytes:
        while not self._over:
            if self._inflater is None and not self._begin():
                break
            data = self._feed()
            if data:
                return data
        return b""

    def _begin(self) -> bool:
        """Go to where the next member begins, past NULs; return whether there is one. Raises Fault."""
        while True:
            self._held = self._held.lstrip(b"\0") or b""
            if len(self._held) < len(_GZIP_MAGIC):
                more = self._source.take()
                if not more:
                    break
                self._held += more
                continue
            if not self._held.startswith(_GZIP_MAGIC):
                self._resync("found no gzip member where one is to begin")
            self._began = self._source.offset - len(self._held)
            self._mark(self._began)
            self._inflater = isal_zlib.decompressobj(wbits=31)
            self._inflated = 0
            return True
        self._over = True
        if self._held:
            raise Fault(self._source.offset - len(self._held), "some bytes after the last gzip member")
        return False

    def _feed(self) -> bytes:
        inflater = self._inflater
        assert inflater is not None  # noqa: S101 - `_begin` made it
        if not self._held:
            self._held = self._source.take()
            if not self._held:
                self._over = True
                raise Fault(self._began, "the file ends inside a gzip member")
        try:
            data = inflater.decompress(self._held, _PIECE_BYTES)
        except _FAULTS as error:
            self._held = self._held[1:] if self._source.offset - len(self._held) == self._began else self._held
            self._inflater = None
            self._resync(f"damaged gzip member: {error}", at=self._began)
        self._inflated += len(data)
        if inflater.eof:
            self._held = inflater.unused_data
            self._inflater = None
        else:
            self._held = inflater.unconsumed_tail
            _require_no_bomb(self._began, self._source.offset - len(self._held) - self._began, self._inflated)
        return data

    def _resync(self, reason: str, *, at: int | None = None) -> None:
        """Find the next member that holds a record, and tell of what lies before it. Raises Fault in any case."""
        offset = self._source.offset - len(self._held) if at is None else at
        while True:
            found = self._held.find(_GZIP_MAGIC)
            if found < 0:
                self._held = self._held[-2:]
                more = self._source.take()
                if not more:
                    self._held, self._over = b"", True
                    break
                self._held += more
                continue
            self._held = self._held[found:]
            if len(self._held) < CHUNK_BYTES and (more := self._source.take()):
                self._held += more
            self._searches += 1
            if self._searches > _MOST_SEARCHES:
                raise RecordError(f"offset {offset}: {reason}; too much of the file is damaged")
            if _begins_record(self._held):
                break
            self._held = self._held[1:]
        raise Fault(offset, reason)


def _require_no_bomb(began: int, read: int, inflated: int) -> None:
    if inflated > _LEAST_BOMB_BYTES and inflated > _BOMB_RATIO * read:
        raise RecordError(f"offset {began}: {read} bytes inflate to {inflated} and more: a bomb")


def _begins_record(data: bytes) -> bool:
    try:
        return isal_zlib.decompressobj(wbits=31).decompress(data[:CHUNK_BYTES], 5) == b"WARC/"
    except _FAULTS:
        return False


class _ZstdFlow(_BaseFlow):
    """Zstandard frames, with the dictionary that may stand before them. Goes on from the beginning only: it is fast."""

    def __init__(self, source: _Source) -> None:
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
        _require_no_bomb(self._began, self._source.offset - len(self._held) - self._began, self._inflated)
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
