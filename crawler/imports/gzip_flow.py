"""The bytes of a gzip file: a member a record, one for all or anything between; what is damaged is passed over."""

from __future__ import annotations

import zlib

from isal import isal_zlib

from config.errors import RecordError
from crawler.imports.flows import CHUNK_BYTES, BaseFlow, Fault, Source, require_no_bomb

GZIP_MAGIC = b"\x1f\x8b\x08"
_PIECE_BYTES = 256 * 1024
_MOST_SEARCHES = 10_000
"""So often is what looks like a gzip member tried, in all of a file, where one is damaged."""
_FAULTS: tuple[type[Exception], ...] = (zlib.error, isal_zlib.error)  # type: ignore[assignment]  # its stub says an instance


class GzipFlow(BaseFlow):
    """Gzip members, one for each record, one for all, or anything between."""

    def __init__(self, source: Source, before: int) -> None:
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
            if len(self._held) < len(GZIP_MAGIC):
                more = self._source.take()
                if not more:
                    break
                self._held += more
                continue
            if not self._held.startswith(GZIP_MAGIC):
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
            require_no_bomb(self._began, self._source.offset - len(self._held) - self._began, self._inflated)
        return data

    def _resync(self, reason: str, *, at: int | None = None) -> None:
        """Find the next member that holds a record, and tell of what lies before it. Raises Fault in any case."""
        offset = self._source.offset - len(self._held) if at is None else at
        while True:
            found = self._held.find(GZIP_MAGIC)
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


def _begins_record(data: bytes) -> bool:
    try:
        return isal_zlib.decompressobj(wbits=31).decompress(data[:CHUNK_BYTES], 5) == b"WARC/"
    except _FAULTS:
        return False
