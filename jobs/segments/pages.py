"""Stored records → exchanges, and exchanges → texts again: for those who derive a page that the archive holds.

Reads through whatever can hand out a range of an object; puts nothing.
"""

from __future__ import annotations

import re
from collections import deque
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Protocol, Self, TypeVar

from config.errors import RecordError
from crawler.model import Exchange, Purpose, Rendition
from crawler.outcome import PageContext
from crawler.warc import read_member, read_response

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from config.errors import ExtractError
    from config.settings import Settings
    from crawler.derivation import Ingredients
    from crawler.model import Outline
    from crawler.outcome import PageOutcome
    from crawler.warc import RecordView

MAX_MEMBER_BYTES = 64 * 1024 * 1024
MAX_RECORD_BYTES = 4 * MAX_MEMBER_BYTES

_STATUS = re.compile(rb"HTTP/\d(?:\.\d)? +(\d{3})(?:[ \r]|$)")
_Item = TypeVar("_Item")
_Answer = TypeVar("_Answer")


@dataclass(frozen=True, slots=True)
class RecordPlace:
    """A WARC record's gzip member in an object."""

    key: str
    offset: int
    length: int

    def __str__(self) -> str:
        return f"{self.key}: offset {self.offset}"


@dataclass(frozen=True, slots=True)
class DerivingLimits:
    """How pages are derived: as many at a time, and no longer or larger each, as a crawl would."""

    workers: int
    page_seconds: float
    page_cpu_seconds: float
    memory_bytes: int
    max_inflated_bytes: int

    @classmethod
    def of(cls, settings: Settings, *, workers: int | None = None) -> Self:
        """Return the limits that a crawl with *settings* has."""
        return cls(
            workers=workers or settings.workers,
            page_seconds=settings.page_seconds,
            page_cpu_seconds=settings.page_cpu_seconds,
            memory_bytes=settings.worker_memory_bytes,
            max_inflated_bytes=settings.max_body_bytes,
        )

    def make_context(self, ingredients: Ingredients, derivation: str) -> PageContext:
        """Return the context in which a page is derived again."""
        return PageContext(
            rules=ingredients.rules,
            timezone=ingredients.timezone,
            language=ingredients.language,
            derivation=derivation,
            max_inflated_bytes=self.max_inflated_bytes,
            record=False,
            render=ingredients.render,
        )


@dataclass(frozen=True, slots=True)
class CapturePlaces:
    """Where the records of a capture are."""

    record: RecordPlace
    """Its response or revisit record."""
    body: RecordPlace | None
    """The response record that holds the payload; of a response, its own place."""
    rendered: RecordPlace | None = None
    """The conversion record, if the page was rendered."""

    @classmethod
    def of(cls, capture: PlacedCapture) -> Self | None:
        """Return the places of *capture*, as the catalog has them; `None`: it has no record."""
        record = place_record(capture.warc_key, capture.response_offset, capture.response_length)
        if record is None:
            return None
        return cls(
            record,
            place_record(capture.payload_key, capture.payload_offset, capture.payload_length),
            _place_between(record, capture.request_offset),
        )

    def serve(self, context: PageContext) -> bool:
        """Tell whether what *context* makes texts of may be there: no text comes of what was never rendered."""
        return context.render is None or self.rendered is not None


class PlacedCapture(Protocol):
    """What of a capture in the catalog says where its records are."""

    @property
    def warc_key(self) -> str: ...
    @property
    def response_offset(self) -> int | None: ...
    @property
    def response_length(self) -> int | None: ...
    @property
    def request_offset(self) -> int | None: ...
    @property
    def payload_key(self) -> str: ...
    @property
    def payload_offset(self) -> int | None: ...
    @property
    def payload_length(self) -> int | None: ...


def _place_between(record: RecordPlace, request_offset: int | None) -> RecordPlace | None:
    """Return where a rendered document is: between the response and the request, FORMAT.md § 5."""
    start = record.offset + record.length
    if request_offset is None or request_offset <= start:
        return None
    return RecordPlace(record.key, start, request_offset - start)


def read_capture(
    read: Callable[[RecordPlace], bytes],
    places: CapturePlaces,
    context: PageContext | None = None,
    *,
    limit: int = MAX_RECORD_BYTES,
) -> Exchange:
    """Return the exchange of the capture at *places*, digests checked.

    With its rendered document, if it has one and *context* makes texts of these, or there is no context. *limit*: bytes
    that a record may inflate to. Raises RecordError, and what *read* raises.
    """
    exchange = read_exchange(read, places.record, places.body, limit=limit)
    if places.rendered is None or (context is not None and context.render is None):
        return exchange
    view = read_member(fetch_member(read, places.rendered), where=str(places.rendered), limit=limit)
    if view.type != "conversion" or view.header("WARC-Target-URI") != exchange.url:
        raise RecordError(f"{places.rendered}: found a record of type {view.type!r}, expected {exchange.url}, rendered")
    if faults := view.find_faults():
        raise RecordError(faults[0])
    return replace(exchange, rendition=Rendition(view.block, view.header("WARC-Rendered-By") or ""))


def read_exchange(
    read: Callable[[RecordPlace], bytes],
    record: RecordPlace,
    body: RecordPlace | None,
    *,
    limit: int = MAX_RECORD_BYTES,
) -> Exchange:
    """Return the exchange of a capture whose response or revisit record is at *record*.

    *body*: where the response record is that holds the payload; of a response, its own place. Digests are checked.
    Raises RecordError, and what *read* raises.
    """
    if body == record:
        return read_response(fetch_member(read, record), where=str(record), limit=limit).exchange(Purpose.ARTICLE)
    view = read_member(fetch_member(read, record), where=str(record), limit=limit)
    if view.type != "revisit":
        raise RecordError(f"{record}: found a record of type {view.type!r}, expected a revisit")
    if faults := view.find_faults():
        raise RecordError(faults[0])
    if body is None:
        raise RecordError(f"{record}: the record that this revisit refers to is not there")
    referred = read_response(fetch_member(read, body), where=str(body), limit=limit)
    digest = view.header("WARC-Payload-Digest")
    if digest not in (None, referred.payload_digest):
        raise RecordError(f"{record}: a revisit of {digest}, but {body} holds {referred.payload_digest}")
    return _merge(view, referred.exchange(Purpose.ARTICLE), with_body=digest is not None)


def derive_pages(
    items: Iterable[tuple[_Item, Exchange, PageContext]], limits: DerivingLimits
) -> Iterator[tuple[_Item, PageOutcome]]:
    """Yield each item with what killable workers make of its page, in order. Takes only a few items ahead."""
    from crawler.workers.batch import run_pages  # noqa: PLC0415 - most who read pages derive none

    return _run(items, limits, run_pages)


def outline_pages(
    items: Iterable[tuple[_Item, Exchange, PageContext]], limits: DerivingLimits
) -> Iterator[tuple[_Item, Outline | ExtractError]]:
    """Yield each item with the outline of its page, or why there is none; else as `derive_pages`."""
    from crawler.workers.batch import run_outlines  # noqa: PLC0415 - as above

    return _run(items, limits, run_outlines)


def _run(
    items: Iterable[tuple[_Item, Exchange, PageContext]],
    limits: DerivingLimits,
    run: Callable[..., Iterator[_Answer]],
) -> Iterator[tuple[_Item, _Answer]]:
    asked: deque[_Item] = deque()

    def take() -> Iterator[tuple[Exchange, PageContext]]:
        for item, exchange, context in items:
            asked.append(item)
            yield exchange, context

    answers = run(
        take(),
        count=limits.workers,
        deadline_seconds=limits.page_seconds,
        cpu_seconds=limits.page_cpu_seconds,
        memory_bytes=limits.memory_bytes,
    )
    with closing(answers):  # type: ignore[type-var]  # a generator
        for answer in answers:
            yield asked.popleft(), answer


def place_record(key: str, offset: int | None, length: int | None) -> RecordPlace | None:
    """Return the place of a record as the catalog has it; `None` if there is none."""
    return None if not key or offset is None or length is None else RecordPlace(key, offset, length)


def fetch_member(read: Callable[[RecordPlace], bytes], place: RecordPlace) -> bytes:
    """Return the gzip member at *place*. Raises RecordError if it is said to be longer than any that we read."""
    if place.length > MAX_MEMBER_BYTES:
        raise RecordError(f"{place}: record of {place.length} bytes; at most {MAX_MEMBER_BYTES} are read")
    return read(place)


def _merge(revisit: RecordView, referred: Exchange, *, with_body: bool) -> Exchange:
    """Return what the publisher answered: the revisit's own headers, with the payload that they came with."""
    match = _STATUS.match(revisit.block)
    target, stamp = revisit.header("WARC-Target-URI"), revisit.header("WARC-Date") or ""
    if match is None or not target:
        raise RecordError(f"{revisit.where}: a revisit without status line or WARC-Target-URI")
    try:
        started_at = datetime.fromisoformat(stamp).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise RecordError(f"{revisit.where}: WARC-Date: found {stamp[:60]!r}, expected RFC 3339") from error
    return replace(
        referred,
        url=target,
        started_at=started_at,
        status=int(match[1]),
        response_head=revisit.block,
        body=referred.body if with_body else b"",
        truncated=None,
    )
