"""The tap on a connection: however the bytes are cut into pieces, the head is the same and the whole message passes."""

from __future__ import annotations

import asyncio
import itertools
from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from crawler.wire import WireTap
from tests.wire import read_message

if TYPE_CHECKING:
    from collections.abc import Sequence

LIMIT = 2_000
FIELDS = st.lists(st.sampled_from([b"X-A: 1", b"x-a:2 ", b"X-F: a\r\n b", b"X-E:"]), max_size=4)
BODIES = st.binary(max_size=300)
INTERIM = st.sampled_from(
    [b"", b"\r\n", b"HTTP/1.1 100 Continue\r\n\r\n", b"HTTP/1.1 103 Hints\r\nLink: <a>\r\n\r\n" * 2]
)


class Sink(asyncio.Protocol):
    """Keeps what it is given."""

    def __init__(self) -> None:
        self.data = b""

    def data_received(self, data: bytes) -> None:
        self.data += data


class Wire(asyncio.Transport):
    """As much of a transport as a tap asks for."""

    def __init__(self, protocol: asyncio.Protocol) -> None:
        super().__init__()
        self.protocol: asyncio.BaseProtocol = protocol
        self.closed = False

    def get_protocol(self) -> asyncio.BaseProtocol:
        return self.protocol

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        self.protocol = protocol

    def close(self) -> None:
        self.closed = True

    def abort(self) -> None:
        self.closed = True


def send(data: bytes, cuts: Sequence[int]) -> tuple[WireTap, Sink, Wire]:
    sink = Sink()
    wire = Wire(sink)
    tap = WireTap.on(wire, LIMIT)
    bounds = [0, *sorted(cut % (len(data) + 1) for cut in cuts), len(data)]
    for start, end in itertools.pairwise(bounds):
        if start < end and not wire.closed:
            tap.data_received(data[start:end])
    return tap, sink, wire


def frame(body: bytes, how: str, size: int) -> tuple[bytes, bytes]:
    """Return a header line and the body as framed by it."""
    if how == "length":
        return b"Content-Length: %d" % len(body), body
    chunks = b"".join(
        b"%x;e=1\r\n%s\r\n" % (len(body[at : at + size]), body[at : at + size]) for at in range(0, len(body), size)
    )
    return b"Transfer-Encoding: chunked", chunks + b"0\r\nX-T: 1\r\n\r\n"


@given(
    fields=FIELDS,
    body=BODIES,
    how=st.sampled_from(["length", "chunked"]),
    size=st.integers(1, 80),
    interim=INTERIM,
    beyond=st.binary(max_size=40),
    cuts=st.lists(st.integers(0, 5_000), max_size=30),
)
def test_pieces_change_nothing(
    *, fields: list[bytes], body: bytes, how: str, size: int, interim: bytes, beyond: bytes, cuts: list[int]
) -> None:
    line, framed = frame(body, how, size)
    head = b"\r\n".join([b"HTTP/1.1 200 OK", *fields, line]) + b"\r\n\r\n"
    sent = interim + head + framed
    tap, sink, wire = send(sent + beyond, cuts)
    assert tap.head == tap.partial_head == head
    plain, _, passed = sink.data.partition(b"\r\n\r\n")
    assert plain == b"HTTP/1.1 200\r\n" + line
    assert passed == framed
    assert wire.closed == bool(beyond)
    message = read_message(sent)
    assert message is not None
    assert (message.head, message.body, message.whole) == (head, body, True)


@given(count=st.integers(0, 200), cuts=st.lists(st.integers(0, 5_000), max_size=30))
def test_heads_beyond_the_limit_end_the_connection(count: int, cuts: list[int]) -> None:
    head = b"HTTP/1.1 200 OK\r\n" + b"X-Twenty-Bytes: 123\r\n" * count + b"\r\n"
    tap, sink, wire = send(head, cuts)
    assert tap.too_long == wire.closed == (len(head) > LIMIT)
    assert tap.head == (None if tap.too_long else head)
    partial = tap.partial_head
    assert partial is not None
    assert partial.endswith(b"\r\n\r\n")
    assert len(partial) <= LIMIT + 2
    assert head.startswith(partial[:-2])
    assert len(sink.data) <= 20


@given(data=st.binary(max_size=400), cuts=st.lists(st.integers(0, 5_000), max_size=30))
def test_no_bytes_break_it(data: bytes, cuts: list[int]) -> None:
    for beginning in (b"", b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"):
        tap, sink, _ = send(beginning + data, cuts)
        passed = sink.data.partition(b"\r\n\r\n")[2] if tap.head else sink.data
        assert passed in beginning + data
        assert tap.head is None or tap.head.endswith(b"\r\n\r\n")
