"""Any exchange comes back as it went in; any damage is noticed; no bytes crash the reader."""

from __future__ import annotations

import gzip
import io
from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from config.errors import RecordError
from crawler.model import Exchange, Purpose
from crawler.warc import encode_exchange, read_records, read_response

NAMES = st.text("abcdefgXYZ-", min_size=1, max_size=12)
VALUES = st.binary(max_size=30).map(lambda raw: raw.replace(b"\r", b"").replace(b"\n", b""))
HEADERS = st.lists(st.tuples(NAMES, VALUES), max_size=6)
CODINGS = st.sampled_from([b"", b"Content-Encoding: gzip\r\n", b"content-encoding: br\r\n"])


@st.composite
def exchanges(draw: st.DrawFn) -> Exchange:
    lines = b"".join(name.encode() + b": " + value + b"\r\n" for name, value in draw(HEADERS))
    return Exchange(
        url="https://gazette.example/"
        + draw(st.text(st.characters(min_codepoint=33, exclude_categories=["Cs", "Cc"]))),
        purpose=draw(st.sampled_from(Purpose)),
        started_at=draw(st.datetimes(min_value=datetime(1990, 1, 1), timezones=st.just(UTC))),  # noqa: DTZ001
        seconds=0.1,
        request_head=draw(st.sampled_from([b"", b"GET / HTTP/1.1\r\nHost: gazette.example\r\n\r\n"])),
        status=200,
        response_head=b"HTTP/1.1 200 OK\r\n" + draw(CODINGS) + lines + b"\r\n",
        body=draw(st.binary(max_size=300)),
    )


@given(exchanges())
def test_round_trip(exchange: Exchange) -> None:
    recorded = encode_exchange(exchange)
    assert recorded.response is not None
    stored = read_response(recorded.data[: recorded.response.length])
    assert (stored.target_uri, stored.captured_at) == (exchange.url, exchange.started_at)
    assert stored.head + stored.body == exchange.response_head + exchange.body
    assert stored.payload_digest == recorded.payload_digest
    views = list(read_records(io.BytesIO(recorded.data)))
    assert len(views) == recorded.records
    assert sum(view.length for view in views) == len(recorded.data)
    assert not any(view.find_faults() for view in views)


@given(exchanges(), st.data())
def test_a_flipped_bit_is_noticed(exchange: Exchange, data: st.DataObject) -> None:
    recorded = encode_exchange(exchange)
    assert recorded.response is not None
    # bytes 4 to 9 of a gzip member are its time and origin: no reader looks at them, the file's digest covers them
    place = data.draw(st.integers(10, recorded.response.length - 1))
    damaged = bytearray(recorded.data)
    damaged[place] ^= 1 << data.draw(st.integers(0, 7))
    whole = list(read_records(io.BytesIO(recorded.data)))
    try:
        views = list(read_records(io.BytesIO(bytes(damaged))))
    except RecordError as error:
        assert "offset 0: " in str(error)  # noqa: PT017 - the other way out is tested below
    else:
        # deflate has a few bits that mean nothing
        assert views[0].find_faults() or views == whole


@given(st.binary(max_size=400), st.booleans())
def test_no_bytes_crash_the_reader(raw: bytes, compressed: bool) -> None:
    data = gzip.compress(b"WARC/1.1\r\n" + raw) if compressed else raw
    try:
        for view in read_records(io.BytesIO(data)):
            view.find_faults()
    except RecordError:
        return
