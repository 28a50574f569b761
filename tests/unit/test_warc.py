"""Records as bytes: what is written for an exchange, and what the reader refuses."""

from __future__ import annotations

import gzip
import io
import zlib
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from config.errors import RecordError
from crawler.model import Exchange, Purpose
from crawler.rows import CaptureRow, Extent, WarcPlace
from crawler.warc import (
    cdxj_line,
    digest_bytes,
    encode_exchange,
    encode_warcinfo,
    read_member,
    read_records,
    read_response,
)

RESPONSE_HEAD = (
    b"HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\nset-cookie: a=1\r\nSet-Cookie: b=2\r\n"
    b"Transfer-Encoding: chunked\r\nX-Name: \xe9l\xe9gant\r\n\r\n"
)
PAGE = Exchange(
    url="https://gazette.example/2026/budget%7e",
    purpose=Purpose.ARTICLE,
    started_at=datetime(2026, 11, 22, 3, 45, 0, 42, tzinfo=UTC),
    seconds=0.25,
    request_head=b"GET /2026/budget%7e HTTP/1.1\r\nHost: gazette.example\r\nAuthorization: ***\r\n\r\n",
    status=200,
    response_head=RESPONSE_HEAD,
    body=b"<p>The tax will rise by 2 %.</p>" * 20,
    peer="192.0.2.7",
    masked=("Authorization",),
)


def split(data: bytes, extent: Extent | None) -> bytes:
    assert extent is not None
    return data[extent.offset : extent.offset + extent.length]


def test_response_record_to_the_byte() -> None:
    recorded = encode_exchange(PAGE)
    block = RESPONSE_HEAD + PAGE.body
    record = gzip.decompress(split(recorded.data, recorded.response))
    lines, _, rest = record.partition(b"\r\n\r\n")
    names = [line.partition(b":")[0] for line in lines.split(b"\r\n")]
    assert names == [
        b"WARC/1.1", b"WARC-Type", b"WARC-Record-ID", b"WARC-Date", b"WARC-Target-URI", b"WARC-IP-Address",
        b"WARC-Payload-Digest", b"WARC-Block-Digest", b"Content-Type", b"Content-Length",
    ]  # fmt: skip
    assert rest == block + b"\r\n\r\n"
    assert b"WARC-Date: 2026-11-22T03:45:00.000042Z\r\n" in lines
    assert f"WARC-Payload-Digest: {digest_bytes(PAGE.body)}".encode() in lines
    assert recorded.payload_digest == digest_bytes(PAGE.body)
    assert recorded.response
    assert recorded.response.head == digest_bytes(lines + b"\r\n\r\n")
    assert f"Content-Length: {len(block)}".encode() in lines


def test_request_names_its_response_and_shares_date_and_target() -> None:
    recorded = encode_exchange(PAGE)
    response, request = read_records(io.BytesIO(recorded.data))
    assert (response.type, request.type) == ("response", "request")
    assert request.header("WARC-Concurrent-To") == response.header("WARC-Record-ID")
    for name in ("WARC-Date", "WARC-Target-URI", "WARC-IP-Address"):
        assert request.header(name) == response.header(name)
    assert request.header("WARC-Masked-Header") == "Authorization"
    assert request.block == PAGE.request_head
    assert [(view.offset, view.length) for view in (response, request)] == [
        (extent.offset, extent.length) for extent in (recorded.response, recorded.request) if extent
    ]


def test_marks_of_a_cut_body_behind_a_proxy() -> None:
    recorded = encode_exchange(replace(PAGE, truncated="length", via_proxy=True), warcinfo_id="<urn:uuid:1>")
    response, request = read_records(io.BytesIO(recorded.data))
    assert response.header("WARC-Truncated") == "length"
    assert request.header("WARC-Truncated") is None
    assert response.header("WARC-Via-Proxy") == request.header("WARC-Via-Proxy") == "yes"
    assert response.header("WARC-Warcinfo-ID") == "<urn:uuid:1>"


def test_an_attempt_without_an_answer_makes_no_record() -> None:
    recorded = encode_exchange(replace(PAGE, status=None, response_head=b"", body=b"", error="time-out"))
    assert (recorded.data, recorded.request, recorded.response, recorded.records) == (b"", None, None, 0)


def test_a_squeezed_body_is_stored_and_a_plain_one_is_compressed() -> None:
    squeezed = gzip.compress(PAGE.body * 50, mtime=0)
    head = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n"
    stored = encode_exchange(replace(PAGE, response_head=head, body=squeezed))
    assert squeezed in stored.data
    assert read_response(split(stored.data, stored.response)).body == squeezed
    plain = encode_exchange(replace(PAGE, body=PAGE.body * 50))
    assert len(plain.data) < len(PAGE.body * 50) / 10


def test_same_input_same_bytes_and_another_moment_other_ids() -> None:
    later = replace(PAGE, started_at=PAGE.started_at.replace(microsecond=43))
    ids = [read_member(split(x.data, x.response)).header("WARC-Record-ID") for x in map(encode_exchange, (PAGE, later))]
    assert encode_exchange(PAGE) == encode_exchange(PAGE)
    assert ids[0] != ids[1]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"response_head": b"HTTP/1.1 200 OK\r\n"}, "does not end with an empty line"),
        ({"request_head": b"GET / HTTP/1.1\r\n"}, "does not end with an empty line"),
        ({"url": "https://gazette.example/\r\nWARC-Type: forged"}, "control character"),
        ({"peer": "192.0.2.7\nX: y"}, "control character"),
    ],
)
def test_what_would_break_a_record_is_refused(change: dict[str, Any], message: str) -> None:
    with pytest.raises(RecordError, match=message):
        encode_exchange(replace(PAGE, **change))


def test_warcinfo() -> None:
    data, record_id = encode_warcinfo(
        filename="s.warc.gz", run="run-1", source="gazette", software="ofrecord/0.1.0", created=PAGE.started_at
    )
    record = read_member(data)
    assert (record.type, record.header("WARC-Record-ID")) == ("warcinfo", record_id)
    assert record.header("WARC-Filename") == "s.warc.gz"
    fields = dict(line.split(": ", 1) for line in record.block.decode().splitlines())
    assert fields["format"] == "WARC File Format 1.1"
    assert (fields["isPartOf"], fields["ofrecord-source"]) == ("run-1", "gazette")
    assert record.find_faults() == []


def test_cdxj_line() -> None:
    capture = CaptureRow(
        n=0, url=PAGE.url, target_uri="https://www.gazette.example/a?b=1", captured_at=PAGE.started_at,
        purpose="article", page_class="article", class_reason="", status=200, media_type="text/html",
        payload_digest="sha256:00", warc=WarcPlace(None, Extent(10, 20)),
    )  # fmt: skip
    assert cdxj_line(capture, filename="s.warc.gz") == (
        'example,gazette)/a?b=1 20261122034500 {"url": "https://www.gazette.example/a?b=1", "mime": "text/html", '
        '"status": "200", "digest": "sha256:00", "length": "20", "offset": "10", "filename": "s.warc.gz"}'
    )
    odd = replace(capture, target_uri="https://[odd/ url")
    assert cdxj_line(odd, filename="s").startswith("https://[odd/%20url 20261122034500 {")
    with pytest.raises(RecordError, match="no response"):
        cdxj_line(replace(capture, warc=None), filename="s")


def test_response_read_back() -> None:
    recorded = encode_exchange(PAGE)
    stored = read_response(split(recorded.data, recorded.response))
    assert (stored.status, stored.head, stored.body) == (200, RESPONSE_HEAD, PAGE.body)
    assert (stored.target_uri, stored.captured_at) == (PAGE.url, PAGE.started_at)
    again = stored.exchange()
    assert again.header_values("Set-Cookie") == ["a=1", "b=2"]
    with pytest.raises(RecordError, match="'request', expected a response"):
        read_response(split(recorded.data, recorded.request))


def test_a_file_cut_anywhere_is_noticed() -> None:
    data = encode_exchange(PAGE).data
    first = encode_exchange(PAGE).response
    assert first is not None
    for size in range(1, len(data)):
        if size == first.length:
            continue
        with pytest.raises(RecordError, match=f"offset {first.length if size > first.length else 0}: "):
            list(read_records(io.BytesIO(data[:size])))


def test_bytes_after_a_member_are_noticed() -> None:
    recorded = encode_exchange(PAGE)
    with pytest.raises(RecordError, match="after the gzip member's end"):
        read_response(recorded.data)
    with pytest.raises(RecordError, match="damaged gzip member"):
        list(read_records(io.BytesIO(recorded.data + b"\0\0")))


def test_a_record_that_inflates_without_end_is_refused() -> None:
    bomb = gzip.compress(b"WARC/1.1\r\n" + bytes(20_000_000))
    with pytest.raises(RecordError, match="more than 1000000 bytes"):
        read_member(bomb, limit=1_000_000)
    with pytest.raises(RecordError, match="more than 1000000 bytes"):
        list(read_records(io.BytesIO(bomb), limit=1_000_000))


@pytest.mark.parametrize(
    ("record", "message"),
    [
        (b"", "expected the headers"),
        (b"HTTP/1.1 200 OK\r\n\r\n", "expected the headers"),
        (b"WARC/1.1\r\nno colon\r\n\r\n\r\n\r\n", "without a colon"),
        (b"WARC/1.1\r\nWARC-Type: response\r\n\r\n\r\n\r\n", "expected a number"),
        (b"WARC/1.1\r\nContent-Length: -4\r\n\r\n\r\n\r\n", "expected a number"),
        (b"WARC/1.1\r\nContent-Length: 5\r\n\r\nfour\r\n\r\n", "Content-Length is 5"),
        (b"WARC/1.1\r\nContent-Length: 3\r\n\r\nfour\r\n\r\n", "Content-Length is 3"),
    ],
)
def test_what_is_no_record_is_refused(record: bytes, message: str) -> None:
    with pytest.raises(RecordError, match=message):
        read_member(gzip.compress(record))


@pytest.mark.parametrize("old", [b"tax will rise by 2 %", b"HTTP/1.1 200"])
def test_a_changed_block_is_a_fault(old: bytes) -> None:
    recorded = encode_exchange(PAGE)
    record = gzip.decompress(split(recorded.data, recorded.response)).replace(old, old[:-1] + b"9", 1)
    member = gzip.compress(record)
    assert "WARC-Block-Digest: found sha256:" in read_member(member).find_faults()[0]
    with pytest.raises(RecordError, match="WARC-Block-Digest"):
        read_response(member, where="s.warc.gz: offset 7")


def test_members_larger_than_one_read_are_found_whole() -> None:
    noise = zlib.compress(bytes(range(256)) * 10_000, 0)
    head = b"HTTP/1.1 200 OK\r\nContent-Encoding: deflate\r\n\r\n"
    recorded = encode_exchange(replace(PAGE, response_head=head, body=noise))
    views = list(read_records(io.BytesIO(recorded.data * 3)))
    assert [view.offset for view in views[::2]] == [0, len(recorded.data), 2 * len(recorded.data)]
    assert all(view.payload == noise for view in views[::2])
    assert not any(view.find_faults() for view in views)
