"""Exchanges that are read back from stored records: responses as they are, revisits with the payload they refer to."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from config.errors import RecordError
from crawler.model import Exchange, RecordReference
from crawler.warc import encode_exchange
from jobs.segments.pages import RecordPlace, read_exchange
from tests.archives import NOON
from tests.real_archives import make_exchange

if TYPE_CHECKING:
    from collections.abc import Callable

URL = "https://gazette.example/2026/budget"
PAGE = make_exchange(URL, NOON, b"<html>The tax will rise.</html>", gzipped=True)
REFERS = RecordReference(URL, NOON, "segment", 0)
LATER = NOON + timedelta(hours=1, microseconds=3)
REVISIT = replace(
    PAGE, started_at=LATER, refers_to=REFERS, response_head=PAGE.response_head.replace(b"X-Odd", b"X-Even")
)
NOT_MODIFIED = make_exchange(URL, LATER, b"", status=304, refers_to=REFERS)


def _store(*exchanges: Exchange) -> tuple[Callable[[RecordPlace], bytes], list[RecordPlace]]:
    """Return what reads the answers of *exchanges*, and where each lies."""
    data, places = b"", []
    for exchange in exchanges:
        recorded = encode_exchange(exchange)
        assert recorded.response is not None
        places.append(RecordPlace("x.warc.gz", len(data), recorded.response.length))
        data += recorded.data
    return (lambda place: data[place.offset : place.offset + place.length]), places


def _told(exchange: Exchange) -> tuple[object, ...]:
    return (exchange.url, exchange.started_at, exchange.status, exchange.response_head, exchange.truncated)


def test_a_response_is_read_as_it_was() -> None:
    cut = replace(PAGE, truncated="time", started_at=LATER)
    read, places = _store(PAGE, cut)
    for exchange, place in zip((PAGE, cut), places, strict=True):
        found = read_exchange(read, place, place)
        assert (_told(found), found.body) == (_told(exchange), exchange.body)


def test_a_revisit_has_its_own_headers_and_the_payload_of_the_other() -> None:
    read, (page, revisit) = _store(PAGE, REVISIT)
    found = read_exchange(read, revisit, page)
    assert (_told(found), found.body) == (_told(REVISIT), PAGE.body)


def test_what_was_not_modified_has_no_payload() -> None:
    read, (page, revisit) = _store(PAGE, NOT_MODIFIED)
    found = read_exchange(read, revisit, page)
    assert (_told(found), found.body) == (_told(NOT_MODIFIED), b"")


def test_what_does_not_fit_is_refused() -> None:
    other = replace(PAGE, body=b"another", started_at=LATER)
    read, (page, revisit, third) = _store(PAGE, REVISIT, other)
    with pytest.raises(RecordError, match="the record that this revisit refers to is not there"):
        read_exchange(read, revisit, None)
    with pytest.raises(RecordError, match=r"a revisit of sha256:[0-9a-f]*, but x\.warc\.gz: offset"):
        read_exchange(read, revisit, third)
    with pytest.raises(RecordError, match="expected a response"):
        read_exchange(read, revisit, revisit)
    with pytest.raises(RecordError, match="expected a revisit"):
        read_exchange(read, page, third)
    with pytest.raises(RecordError, match="at most 67108864 are read"):
        read_exchange(read, replace(page, length=1 << 30), page)
    with pytest.raises(RecordError, match="gzip member"):
        read_exchange(read, replace(revisit, length=revisit.length - 1), page)
