"""What the bytes of a foreign file are read as: places to go on from, faults, and the bytes of a plain file."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from config.errors import RecordError

if TYPE_CHECKING:
    from typing import BinaryIO

CHUNK_BYTES = 64 * 1024
_SNIFFED_BYTES = 64
_LEAST_BOMB_BYTES = 1 << 30
_BOMB_RATIO = 400
"""No page is squeezed as much, nor a gibibyte of them."""


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


class Source:
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


class BaseFlow:
    """What came so far, and where members begin."""

    def __init__(self, source: Source, before: int) -> None:
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


class PlainFlow(BaseFlow):
    """A file that is not squeezed."""

    def _read(self) -> bytes:
        return self._source.take()

    def locate(self, at: int) -> Position:
        flat = self._before + self._dropped + at
        return Position(flat, 0, flat)


def require_no_bomb(began: int, read: int, inflated: int) -> None:
    if inflated > _LEAST_BOMB_BYTES and inflated > _BOMB_RATIO * read:
        raise RecordError(f"offset {began}: {read} bytes inflate to {inflated} and more: a bomb")
