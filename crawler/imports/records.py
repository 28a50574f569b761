"""Inflated bytes of a WARC file that anybody may have written → its records, one at a time; of the unwanted, heads.

Tolerant: versions from 0.17 on, lines that end without CR, headers that go on in the next line, lengths that are wrong.
What cannot be read is told with its place, and the next record is looked for.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, NoReturn

from crawler.imports.flows import Fault, Position

if TYPE_CHECKING:
    from collections.abc import Callable

    from crawler.imports.flows import Flow

MAX_HEAD_BYTES = 64 * 1024
_MAX_HEADERS = 200
_MAX_LENGTH_DIGITS = 15
_BLANK = b"\r\n\0 \t"
_HEAD_END = re.compile(rb"\r\n\r\n|\n\r?\n")
_LINE_END = re.compile(rb"\r?\n")
_BEGINNING = re.compile(rb"\nWARC/[01]\.\d{1,2}\r?\n")
_VERSION = re.compile(rb"WARC/[01]\.\d{1,2}[ \t]*\Z")
_MOST_REWOUND_BYTES = 1 << 30
"""So much, in all, is gone over again to look for records in blocks whose lengths are wrong."""
_MARK_BYTES = 16
"""So much of a beginning may stand at the end of what came so far."""
_BEGINS = b"WARC/"
_MARK = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class ForeignRecord:
    """One record as found in a file."""

    position: Position
    headers: dict[str, str]
    """By name in lower case; of several the first."""
    block: bytes | None
    """`None`: nobody wanted it, or it is longer than is read."""
    size: int
    """Of the block."""

    def get(self, name: str) -> str:
        """Return the value of header *name* (in lower case), or an empty text."""
        return self.headers.get(name, "")

    @property
    def type(self) -> str:
        """The record's WARC-Type, in lower case."""
        return self.get("warc-type").lower()

    @property
    def record_id(self) -> str:
        """The record's id without what stands around it."""
        return self.get("warc-record-id").strip("<>")

    @property
    def target(self) -> str:
        """The record's URL; wget puts it between `<` and `>`, as WARC 1.0 had it."""
        return self.get("warc-target-uri").strip("<> ")


class RecordReader:
    """Reads a flow record by record. *wanted*: told the heads; blocks of others are passed over without being held."""

    def __init__(self, flow: Flow, *, limit: int, wanted: Callable[[ForeignRecord], bool]) -> None:
        self._flow = flow
        self._limit = limit
        self._wanted = wanted
        self._buffer = bytearray()
        self._at = 0
        """Of the buffer's first byte, counted in bytes that the flow gave."""
        self._gap: Fault | None = None
        self._ended = False
        self._rewound = 0
        self.position = Position()
        """Where the next record begins, or what was read last."""

    def read(self) -> ForeignRecord | None:
        """Return the next record; `None` at the end.

        Raises Fault for each stretch that holds no sound record (reading goes on after it), RecordError where no more
        is to be had, OSError.
        """
        if not self._skip_blank():
            if self._gap is None:
                return None
            gap, self._gap = self._gap, None
            raise gap
        self.position = self._flow.locate(self._at)
        return self._read_block(self._read_head())

    def _read_head(self) -> ForeignRecord:
        if self._buffer.startswith(_MARK):
            self._drop(len(_MARK))
        whole = self._fill(MAX_HEAD_BYTES, until=_HEAD_END)
        if not whole and _BEGINS.startswith(self._buffer):  # of its first letters some
            self._tell_end()
        if not self._buffer.startswith(_BEGINS):
            found = bytes(self._buffer[:20])
            self._resync()
            raise Fault(self.position.raw, f"found {found!r} where a record is to begin")
        end = _HEAD_END.search(self._buffer, 0, MAX_HEAD_BYTES)
        if end is None and not whole:
            self._tell_end()
        if end is None:
            self._give_up("the head of a record does not end")
        version, *lines = _LINE_END.split(bytes(self._buffer[: end.start()]))
        headers = _read_headers(lines)
        length = headers.get("content-length", "")
        if not _VERSION.match(version):
            self._give_up(f"found {version[:40]!r}, expected the version of a WARC record")
        if not (length.isascii() and length.isdigit()) or len(length) > _MAX_LENGTH_DIGITS:
            self._give_up(f"Content-Length: found {length[:20]!r}, expected a number")
        self._drop(end.end())
        return ForeignRecord(self.position, headers, None, int(length))

    def _read_block(self, record: ForeignRecord) -> ForeignRecord:
        block = None
        if record.size <= self._limit and self._wanted(record):
            if not self._fill(record.size):
                self._tell_end()
            block = bytes(self._buffer[: record.size])
            self._drop(record.size)
        elif not self._pass_over(record.size):
            self._tell_end()
        self._fill(_MARK_BYTES)
        rest = self._buffer.lstrip(_BLANK)
        if rest[: len(_BEGINS)] != _BEGINS[: len(rest)] and not rest.startswith(_MARK):
            self._rewind(block)
            raise Fault(record.position.raw, f"Content-Length is {record.size}, but no record begins behind that")
        return ForeignRecord(record.position, record.headers, block, record.size)

    def _tell_end(self) -> NoReturn:
        """Forget a record that the file, or what of it can be read, ends in."""
        self._drop(len(self._buffer))
        if self._gap is None:
            raise Fault(self.position.raw, "the file ends inside a record")
        gap, self._gap = self._gap, None
        raise gap

    def _give_up(self, reason: str) -> NoReturn:
        self._drop(1)
        self._resync()
        raise Fault(self.position.raw, reason)

    def _rewind(self, block: bytes | None) -> None:
        """Go to where the next record begins: in *block*, if its length is too great, else behind it."""
        found = _BEGINNING.search(block) if block is not None and self._rewound <= _MOST_REWOUND_BYTES else None
        if block is not None and found is not None:
            again = block[found.start() + 1 :]
            self._rewound += len(again)
            self._buffer[:0] = again
            self._at -= len(again)
        else:
            self._resync()

    def _resync(self) -> None:
        while True:
            found = _BEGINNING.search(self._buffer)
            if found is not None:
                self._drop(found.start() + 1)
                return
            self._drop(max(0, len(self._buffer) - _MARK_BYTES))
            if not self._more():
                self._drop(len(self._buffer))
                return

    def _skip_blank(self) -> bool:
        """Go to the next byte that says something; return whether there is one before the end, or a gap."""
        while True:
            self._drop(len(self._buffer) - len(self._buffer.lstrip(_BLANK)))
            if self._buffer:
                return True
            if not self._more():
                return False

    def _fill(self, size: int, *, until: re.Pattern[bytes] | None = None) -> bool:
        """Have *size* bytes ready, or as many as *until* is found in; return whether there are."""
        searched = 0
        while len(self._buffer) < size:
            if until is not None:
                if until.search(self._buffer, max(0, searched - 4)):
                    return True
                searched = len(self._buffer)
            if not self._more():
                return False
        return True

    def _pass_over(self, size: int) -> bool:
        while size > 0:
            if not self._buffer and not self._more():
                return False
            step = min(size, len(self._buffer))
            self._drop(step)
            size -= step
        return True

    def _drop(self, size: int) -> None:
        del self._buffer[:size]
        self._at += size

    def _more(self) -> bool:
        """Take another piece; return whether there is one. What lies behind a gap waits until that was told."""
        if self._gap is not None or self._ended:
            return False
        try:
            data = self._flow.read()
        except Fault as gap:
            self._gap = gap
            return False
        self._ended = not data
        self._buffer += data
        return bool(data)


def _read_headers(lines: list[bytes]) -> dict[str, str]:
    headers: dict[str, str] = {}
    last = ""
    for line in lines[:_MAX_HEADERS]:
        if line[:1] in {b" ", b"\t"} and last:
            headers[last] += " " + line.strip().decode("utf-8", "replace")
            continue
        name, colon, value = line.partition(b":")
        last = name.strip().lower().decode("utf-8", "replace") if colon else ""
        if last:
            headers.setdefault(last, value.strip().decode("utf-8", "replace"))
    return headers
