"""Records in the order of the file → answers, each with what was asked, if that stands some records before or after."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from crawler.imports.messages import LeftOut
from crawler.imports.records import MAX_HEAD_BYTES, ForeignRecord, RecordReader

if TYPE_CHECKING:
    from crawler.imports.flows import Flow, Position
    from crawler.imports.selection import Selection

ANSWERS = frozenset({"response", "revisit"})
_SILENT = frozenset({"warcinfo", "request", "metadata"})
_KNOWN = frozenset({"resource", "conversion", "continuation"})
_APART = 4
"""So many records may lie between an answer and its request."""
_MAX_SOFTWARE = 200


@dataclass(frozen=True, slots=True)
class Answer:
    """A response or revisit record at a URL that is not refused, its block read."""

    record: ForeignRecord
    request: ForeignRecord | None
    software: str | None
    """Who wrote the file, as its last warcinfo says."""

    @property
    def position(self) -> Position:
        """Where to go on so that it is read once more, with what was asked."""
        found = [self.record.position, *([self.request.position] if self.request else [])]
        return replace(min(found, key=lambda one: one.flat), software=self.software)


@dataclass(slots=True)
class _Waiting:
    record: ForeignRecord
    age: int = 0


class AnswerReader:
    """Reads the answers of a file that *selection* does not refuse; says of all others why they are left out."""

    def __init__(self, flow: Flow, selection: Selection, *, limit: int, software: str | None = None) -> None:
        """*software*: what an earlier part of the file, which is not read again, said."""
        self._reader = RecordReader(flow, limit=limit, wanted=self._is_wanted)
        self._selection = selection
        self._limit = limit
        self._requests: deque[tuple[int, ForeignRecord]] = deque()
        """With the number of the record."""
        self._waiting: deque[_Waiting] = deque()
        self._ended = False
        self._software = software
        self.records = 0
        """Read so far."""

    @property
    def position(self) -> Position:
        """Where to go on so that no answer that was not yet returned is missed."""
        found = [self._reader.position, *(one.record.position for one in self._waiting)]
        first = min([*found, *(one.position for _, one in self._requests)], key=lambda one: one.flat)
        return replace(first, software=self._software)

    def read(self) -> Answer | None:
        """Return the next answer; `None` at the end.

        Raises LeftOut for each record that becomes none, Fault for each stretch of the file that holds no record,
        RecordError where no more is to be had, OSError. Reading goes on after the first two.
        """
        while True:
            if self._waiting and (self._ended or self._waiting[0].age >= _APART):
                return self._answer(self._waiting.popleft().record, None)
            if self._ended:
                return None
            record = self._reader.read()
            if record is None:
                self._ended = True
                continue
            self.records += 1
            for waiting in self._waiting:
                waiting.age += 1
            while self._requests and self.records - self._requests[0][0] > _APART:
                self._requests.popleft()
            found = self._take(record)
            if found is not None:
                return found

    def _take(self, record: ForeignRecord) -> Answer | None:
        kind = record.type
        if kind == "request":
            return self._take_request(record)
        if kind == "warcinfo":
            self._software = _read_software(record)
        if kind in _SILENT:
            return None
        if kind not in ANSWERS:
            raise LeftOut(f"a {kind if kind in _KNOWN else 'strange'} record, no answer to a request")
        refused = self._selection.refuse(record.target)
        if refused is not None:
            raise LeftOut(refused)
        if record.block is None:
            raise LeftOut("its body is longer than max_body_bytes")
        for number, request in self._requests:
            if _belong_together(record, request):
                self._requests.remove((number, request))
                return self._answer(record, request)
        self._waiting.append(_Waiting(record))
        return None

    def _take_request(self, record: ForeignRecord) -> Answer | None:
        for waiting in self._waiting:
            if _belong_together(waiting.record, record):
                self._waiting.remove(waiting)
                return self._answer(waiting.record, record)
        self._requests.append((self.records, record))
        return None

    def _answer(self, record: ForeignRecord, request: ForeignRecord | None) -> Answer:
        return Answer(record, request, self._software)

    def _is_wanted(self, record: ForeignRecord) -> bool:
        kind = record.type
        if kind in {"warcinfo", "request"}:
            return record.size <= MAX_HEAD_BYTES
        return kind in ANSWERS and self._selection.refuse(record.target) is None


def _belong_together(answer: ForeignRecord, request: ForeignRecord) -> bool:
    told = answer.get("warc-concurrent-to").strip("<>"), request.get("warc-concurrent-to").strip("<>")
    return bool(told[0] and told[0] == request.record_id) or bool(told[1] and told[1] == answer.record_id)


def _read_software(record: ForeignRecord) -> str | None:
    for line in (record.block or b"").split(b"\n"):
        name, colon, value = line.partition(b":")
        if colon and name.strip().lower() == b"software":
            text = value.strip().decode("utf-8", "replace")
            return "".join(one if one.isprintable() else "�" for one in text)[:_MAX_SOFTWARE] or None
    return None
