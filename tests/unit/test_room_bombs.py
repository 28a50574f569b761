"""Archives of others: records that deflate to nothing, and would take all memory of the room that shows them."""

from __future__ import annotations

import gzip
import tracemalloc

import pytest

from config.errors import RecordError
from crawler.outcome import media_type_of
from crawler.warc import digest_bytes, read_response
from jobs.room.endpoints import NotThere
from jobs.room.raw.reading import MAX_INFLATED_BYTES, split_records

_MB = 1_000_000


def make_member(block: bytes, *lines: bytes, kind: bytes = b"resource") -> bytes:
    head = [
        b"WARC/1.1",
        b"WARC-Type: " + kind,
        b"WARC-Target-URI: https://gazette.example/",
        b"WARC-Date: 2026-11-27T12:00:00Z",
        b"WARC-Block-Digest: " + digest_bytes(block).encode(),
        b"WARC-Payload-Digest: " + digest_bytes(block.partition(b"\r\n\r\n")[2]).encode(),
        b"Content-Type: application/http",
        b"Content-Length: %d" % len(block),
        *lines,
    ]
    return gzip.compress(b"\r\n".join(head) + b"\r\n\r\n" + block + b"\r\n\r\n")


def test_records_of_a_capture_are_bounded_together() -> None:
    member = make_member(bytes(20 * _MB))
    assert len(split_records(member * 2, "here")) == 2
    tracemalloc.start()
    try:
        with pytest.raises(NotThere, match="more than"):
            split_records(member * 20, "here")
        assert tracemalloc.get_traced_memory()[1] < 200 * _MB
    finally:
        tracemalloc.stop()


def test_so_are_small_ones() -> None:
    member = make_member(b"")
    assert len(split_records(member * 16, "here")) == 16
    with pytest.raises(NotThere, match="16 records"):
        split_records(member * 17, "here")


def test_a_record_is_not_all_headers() -> None:
    with pytest.raises(RecordError, match="bytes of headers"):
        split_records(make_member(b"", *[b"a:b"] * 100_000), "here")


def test_an_answer_that_is_all_headers_is_read_as_far_as_it_goes() -> None:
    lines = [b"Content-Type: text/html", *[b"%x:b" % number for number in range(500_000)]]
    member = make_member(b"\r\n".join([b"HTTP/1.1 200 OK", *lines, b"", b"<p>"]), kind=b"response")
    exchange = read_response(member, limit=MAX_INFLATED_BYTES).exchange()
    tracemalloc.start()
    try:
        assert media_type_of(exchange) == "text/html"
        assert exchange.header("1") == "b"
        assert exchange.header("fffff") is None
        assert tracemalloc.get_traced_memory()[1] < 30 * _MB
    finally:
        tracemalloc.stop()
