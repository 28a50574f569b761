"""Servers that never end, or send too much of something: each exchange is over in time, and memory stays bounded."""

from __future__ import annotations

import asyncio
import itertools
import re
import socket
import threading
import time
import zlib
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from scrapy import Request

from crawler.handler import OfrecordDownloadHandler
from crawler.items import AttemptFailed, ExchangeResponse, Tally
from crawler.leash import Leash
from crawler.network import FetchOptions

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from crawler.model import Exchange

SECONDS = 0.3
GRACE = 2.0
"""Beside the limit, for a machine with other things to do."""
MAX_GROWTH = 48 << 20
PIECE = 64 * 1024
OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"
HEADERS = b"".join(b"X-%d: %s\r\n" % (number, b"v" * 40) for number in range(PIECE // 50))


class EndlessServer:
    """Sends *first*, then *rest* until the client goes away; with *seconds*, that much time between two pieces."""

    def __init__(self, first: bytes, rest: Iterable[bytes], seconds: float = 0.0) -> None:
        self.first, self.rest, self.seconds = first, rest, seconds
        self.sent = 0
        self.stopping = threading.Event()
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self.listener.getsockname()[1]
        self.thread = threading.Thread(target=self._serve)
        self.thread.start()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            with connection:
                connection.settimeout(5)
                try:
                    connection.recv(PIECE)
                    for piece in itertools.chain([self.first], self.rest):
                        connection.sendall(piece)
                        self.sent += len(piece)
                        if self.stopping.wait(self.seconds):
                            break
                    else:
                        connection.recv(PIECE)
                except OSError:
                    pass

    def stop(self) -> None:
        self.stopping.set()
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.thread.join()


@contextmanager
def endless(first: bytes, rest: Iterable[bytes], seconds: float = 0.0) -> Iterator[EndlessServer]:
    server = EndlessServer(first, rest, seconds)
    try:
        yield server
    finally:
        server.stop()


def fetch(port: int, url: str | None = None, **options: Any) -> Exchange:
    """Return the exchange, whatever came of it. *url*: in place of the server's."""

    async def perform() -> Exchange:
        settings = {"allow_private": True, "request_seconds": SECONDS, "max_body_bytes": 1 << 20} | options
        run = SimpleNamespace(
            options=FetchOptions(**settings),
            on_stop=[],
            stopping=False,
            leash=Leash(),
            note_certificate=Tally().note_certificate,
        )
        handler = OfrecordDownloadHandler(SimpleNamespace(spider=SimpleNamespace(run=run)))  # type: ignore[arg-type]
        try:
            response = await handler.download_request(
                Request(url or f"http://127.0.0.1:{port}/", meta={"purpose": "article"})
            )
        except AttemptFailed as error:
            return error.exchange
        finally:
            await handler.close()
            await asyncio.sleep(0)
        assert isinstance(response, ExchangeResponse)
        return response.exchange

    return asyncio.run(perform())


@contextmanager
def bounded(seconds: float = SECONDS + GRACE) -> Iterator[None]:
    """Fail if what is inside takes longer, or more memory at any moment, than it may."""
    Path("/proc/self/clear_refs").write_text("5")  # the high-water mark begins anew
    before, started = _memory("VmRSS"), time.monotonic()
    yield
    assert time.monotonic() - started < seconds
    assert _memory("VmHWM") - before < MAX_GROWTH


def _memory(name: str) -> int:
    found = re.search(rf"{name}:\s+(\d+) kB", Path("/proc/self/status").read_text())
    assert found is not None
    return int(found[1]) * 1024


def forever(piece: bytes) -> Iterable[bytes]:
    return itertools.repeat(piece * max(1, PIECE // len(piece)))


@pytest.mark.parametrize(
    ("first", "rest", "outcome"),
    [
        (b"", forever(b"HTTP/1.1 100 Continue\r\n\r\n"), "no complete answer"),
        (b"", forever(b"HTTP/1.1 103 Early Hints\r\nLink: </style.css>; rel=preload\r\n\r\n"), "no complete answer"),
        (b"", forever(b"\r\n"), "no complete answer"),
        (OK, forever(HEADERS), "length|unspecified"),
        (OK + b"X: ", forever(b"v"), "length"),
        (b"HTTP/1.1 200 ", forever(b"O"), "no complete answer|headers of more than"),
        (b"", forever(b"HTTP"), "not HTTP|headers of more than"),
        (b"HTTP/1.1 103 Early Hints\r\n", forever(HEADERS), "headers of more than|Too many headers"),
        (OK + b"\r\n", forever(b"body"), "length"),
        (CHUNKED, forever(b"4\r\nbody\r\n"), "length|time"),
        (CHUNKED, forever(b"1;extension=value\r\nb\r\n"), "length|time"),
        (CHUNKED + b"4;", forever(b"extension"), "time|unspecified"),
        (CHUNKED + b'4;x="', forever(b"extension"), "time|unspecified"),
        (CHUNKED, forever(b"0"), "time|unspecified"),
        (CHUNKED, forever(b"f"), "time|unspecified|disconnect"),
        (CHUNKED + b"0\r\n", forever(HEADERS), "time|unspecified|length|disconnect"),
        (CHUNKED + b"0\r\nX: ", forever(b"v"), "time|unspecified|length|disconnect"),
        (CHUNKED + b"0\r\n", forever(b"X"), "time|unspecified|length|disconnect"),
    ],
    ids=[
        *("endless 100", "endless 103", "endless empty lines", "endless headers", "endless header", "endless reason"),
        *("endless status line", "endless interim headers", "endless body", "endless chunks", "chunks with extensions"),
        *("endless extension", "endless quoted extension", "endless zeros of a chunk size", "endless chunk size"),
        *("endless trailers", "endless trailer", "endless name of a trailer"),
    ],
)
def test_what_never_ends_is_ended(first: bytes, rest: Iterable[bytes], outcome: str) -> None:
    with endless(first, rest) as server, bounded():
        exchange = fetch(server.port)
    assert server.sent >= PIECE // 2
    assert re.search(outcome, exchange.error or exchange.truncated or "nothing is amiss")
    assert len(exchange.body) <= 1 << 20
    assert len(exchange.response_head) <= 64 * 1024 + 4


@pytest.mark.parametrize(
    ("first", "rest"),
    [(b"", forever(b"HTTP/1.1 100 Continue\r\n\r\n")), (OK, forever(HEADERS)), (OK + b"X: ", forever(b"v")), (b"", [])],
    ids=["endless 100", "endless headers", "endless header", "silence"],
)
def test_a_proxy_that_never_ends_is_ended_too(first: bytes, rest: Iterable[bytes]) -> None:
    with endless(first, rest) as server, bounded():
        exchange = fetch(server.port, "https://127.0.0.1:8443/", proxy=f"http://127.0.0.1:{server.port}")
    assert exchange.error
    assert (exchange.status, exchange.response_head, exchange.via_proxy) == (None, b"", True)


@pytest.mark.parametrize(
    ("first", "rest", "status", "body"),
    [
        (b"", b"HTTP/1.1 200 OK\r\nA: b\r\n" * 50, None, b""),
        (OK, b"Server: slow\r\n" * 50, 200, b""),
        (OK + b"Content-Length: 500\r\n\r\n", b"b" * 500, 200, b"b"),
        (CHUNKED, b"1\r\nb\r\n" * 50, 200, b"b"),
        (b"", b"HTTP/1.1 103 Early Hints\r\n\r\n" * 50, None, b""),
    ],
    ids=["head", "headers", "body", "chunks", "interim answers"],
)
def test_a_slow_drip_ends_in_time(first: bytes, rest: bytes, status: int | None, body: bytes) -> None:
    drip = (rest[at : at + 1] for at in range(len(rest)))
    with endless(first, drip, seconds=0.02) as server, bounded():
        exchange = fetch(server.port)
    assert exchange.status == status
    assert exchange.body.strip(b"b") == b""
    assert exchange.body[:1] == body
    if status is None:
        assert exchange.error == f"no complete answer within {SECONDS:g} seconds"
    else:
        assert exchange.truncated == "time"


@pytest.mark.parametrize(
    ("answer", "body", "truncated"),
    [
        (OK + b"Content-Length: 4\r\n\r\nbody", b"body", None),
        (CHUNKED + b"4\r\nbody\r\n0\r\n\r\n", b"body", None),
        (b"HTTP/1.1 204 No Content\r\n\r\n", b"", None),
        (b"HTTP/1.1 304 Not Modified\r\nContent-Length: 99\r\n\r\n", b"", None),
        (OK + b"\r\nbody", b"body", "time"),  # only the end of the connection would tell
    ],
    ids=["length", "chunked", "204", "304", "until close"],
)
def test_a_connection_that_stays_open_after_the_answer(answer: bytes, body: bytes, truncated: str | None) -> None:
    with endless(answer, []) as server, bounded():
        exchange = fetch(server.port, request_seconds=30 if truncated is None else SECONDS)
    assert (exchange.body, exchange.truncated, exchange.error) == (body, truncated, None)


def test_headers_are_bounded_by_number_and_by_bytes() -> None:
    for count, value, is_cut in [
        (250, b"v", False),
        (10_000, b"v", True),
        (10, b"v" * 6_000, False),
        (12, b"v" * 6_000, True),
    ]:
        head = OK + b"Content-Length: 4\r\n" + b"".join(b"X-%d: %s\r\n" % (n, value) for n in range(count)) + b"\r\n"
        with endless(head + b"body", []) as server, bounded():
            exchange = fetch(server.port)
        assert (exchange.status, exchange.body) == (200, b"" if is_cut else b"body")
        assert (exchange.truncated is not None) == is_cut


def test_control_memory_is_seen_and_time_too() -> None:
    with pytest.raises(AssertionError, match="VmHWM"), bounded():
        assert len(b"much" * (MAX_GROWTH // 2)) == 2 * MAX_GROWTH
    with pytest.raises(AssertionError, match="monotonic"), endless(OK, []) as server, bounded(SECONDS / 2):
        fetch(server.port)


def test_connecting_is_bounded() -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=0) as listener:
        port = listener.getsockname()[1]
        waiting = [socket.socket() for _ in range(4)]
        for one in waiting:  # a full queue: what comes now gets no answer
            one.setblocking(False)
            one.connect_ex(("127.0.0.1", port))
        with bounded():
            exchange = fetch(port, connect_seconds=0.3, request_seconds=30)
        for one in waiting:
            one.close()
    assert exchange.error == "no connection within 0.3 seconds"


def test_nothing_is_inflated_where_pages_are_fetched() -> None:
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    bomb = b"".join(packer.compress(bytes(1 << 20)) for _ in range(400)) + packer.flush()
    head = OK + b"Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(bomb)
    with endless(head + bomb, []) as server, bounded():
        exchange = fetch(server.port)
    assert exchange.body == bomb
