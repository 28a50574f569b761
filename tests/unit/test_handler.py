"""The download handler against real sockets: what went over the wire, and what is kept of a cut answer."""

from __future__ import annotations

import asyncio
import gzip
import hashlib
import ssl
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, Self

import pytest
import trustme
import uvloop
from cryptography import x509
from scrapy import Request
from scrapy.http.request import NO_CALLBACK

from crawler.handler import OfrecordDownloadHandler
from crawler.items import AttemptFailed, ExchangeResponse, RunStopped, Tally
from crawler.leash import Leash
from crawler.model import Exchange, Purpose
from crawler.network import FetchOptions
from crawler.robots import MAX_RULES_BYTES, read_rules
from crawler.rows import Certificate

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Coroutine
    from pathlib import Path

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"


class Server:
    """Answers each connection's first request with given bytes, then closes or hangs."""

    def __init__(self, answer: bytes, *, hang: bool = False) -> None:
        self.answer = answer
        self.hang = hang
        self.received: list[bytes] = []
        self.port = 0
        self.asked = asyncio.Event()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            self.received.append(await reader.readuntil(b"\r\n\r\n"))
            self.asked.set()
            writer.write(self.answer)
            await writer.drain()
            if self.hang:
                await reader.read()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


@asynccontextmanager
async def serving(answer: bytes, *, hang: bool = False, tls: ssl.SSLContext | None = None) -> AsyncIterator[Server]:
    server = Server(answer, hang=hang)
    listener = await asyncio.start_server(server.serve, "127.0.0.1", 0, ssl=tls)
    server.port = listener.sockets[0].getsockname()[1]
    try:
        yield server
    finally:
        listener.close()


class Client:
    """The handler with as much of a crawler around it as it asks for."""

    def __init__(self, **options: Any) -> None:
        options.setdefault("allow_private", True)
        tally = Tally()
        self.run = SimpleNamespace(
            options=FetchOptions(**options),
            on_stop=[],
            stopping=False,
            leash=Leash(),
            tally=tally,
            note_certificate=tally.note_certificate,
        )
        self.handler = OfrecordDownloadHandler(SimpleNamespace(spider=SimpleNamespace(run=self.run)))  # type: ignore[arg-type]

    async def get(self, url: str, **headers: str) -> Exchange:
        request = Request(url, headers=headers, meta={"purpose": "article", "verbatim_url": True})
        response = await self.handler.download_request(request)
        assert isinstance(response, ExchangeResponse)
        return response.exchange

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.handler.close()
        await asyncio.sleep(0)


def run(test: Coroutine[Any, Any, None]) -> None:
    uvloop.run(test)  # as the crawl does


def test_request_and_response_are_kept_as_they_went_over_the_wire() -> None:
    async def check() -> None:
        head = (
            b"HTTP/1.1 200 Very Well\r\nX-One: b\r\ncontent-TYPE: text/html; charset=windows-1256\r\n"
            b"Set-Cookie: a=1\r\nX-One: \xe9\r\nset-cookie: b=2\r\nContent-Length: 5\r\n\r\n"
        )
        async with serving(head + b"hello") as server, Client() as client:
            url = f"http://127.0.0.1:{server.port}/a%7eb/%d8%a7?q=%7E&r=a+b"
            exchange = await client.get(url, Accept="text/html")
        assert exchange.response_head == head
        assert exchange.body == b"hello"
        assert exchange.request_head == server.received[0]
        assert exchange.request_head.startswith(b"GET /a%7eb/%d8%a7?q=%7E&r=a+b HTTP/1.1\r\nHost: 127.0.0.1")
        assert (exchange.url, exchange.status, exchange.peer) == (url, 200, "127.0.0.1")
        assert exchange.header_values("x-one") == ["b", "\xe9"]
        assert exchange.truncated is None
        assert exchange.error is None
        assert exchange.started_at.tzinfo is not None
        assert 0 <= exchange.seconds < 60

    run(check())


def test_content_coding_is_kept_and_transfer_coding_removed() -> None:
    async def check() -> None:
        packed = gzip.compress(b"<p>page</p>")
        head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Encoding: gzip\r\n\r\n"
        chunks = b"%x\r\n%s\r\n%x\r\n%s\r\n0\r\n\r\n" % (4, packed[:4], len(packed) - 4, packed[4:])
        async with serving(head + chunks) as server, Client() as client:
            exchange = await client.get(f"http://127.0.0.1:{server.port}/")
        assert exchange.response_head == head
        assert exchange.body == packed

    run(check())


def test_redirect_is_an_answer_like_any_other() -> None:
    async def check() -> None:
        head = b"HTTP/1.1 301 Moved Permanently\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n"
        async with serving(head) as server, Client() as client:
            exchange = await client.get(f"http://127.0.0.1:{server.port}/")
        assert exchange.status == 301
        assert exchange.header("Location") == "/elsewhere"
        assert len(server.received) == 1

    run(check())


@pytest.mark.parametrize(
    ("answer", "hang", "truncated", "kept"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nonly this", False, "disconnect", b"only this"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nonly this", True, "time", b"only this"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n" + b"x" * 50, False, "length", b"x" * 20),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nabcd\r\n9\r\nef", False, "disconnect", b"abcdef"),
    ],
)
def test_what_came_of_a_cut_body_is_kept(*, answer: bytes, hang: bool, truncated: str, kept: bytes) -> None:
    async def check() -> None:
        async with serving(answer, hang=hang) as server, Client(max_body_bytes=20, request_seconds=0.5) as client:
            exchange = await client.get(f"http://127.0.0.1:{server.port}/")
        assert (exchange.status, exchange.truncated, exchange.body) == (200, truncated, kept)
        assert exchange.error is None

    run(check())


@pytest.mark.parametrize(
    ("answer", "hang", "error"),
    [
        (b"", False, "closed the connection without an answer"),
        (b"", True, "no complete answer within 0.5 seconds"),
        (b"SSH-2.0-OpenSSH_9\r\n\r\n", False, "not HTTP"),
        (b"HTTP/1.1 200", False, "closed the connection within its answer"),
    ],
)
def test_an_attempt_without_an_answer_says_why(*, answer: bytes, hang: bool, error: str) -> None:
    async def check() -> None:
        async with serving(answer, hang=hang) as server, Client(request_seconds=0.5, max_header_bytes=1024) as client:
            with pytest.raises(AttemptFailed, match=error) as caught:
                await client.get(f"http://127.0.0.1:{server.port}/")
        exchange = caught.value.exchange
        assert (exchange.status, exchange.response_head, exchange.body) == (None, b"", b"")
        assert exchange.request_head == server.received[-1]

    run(check())


@pytest.mark.parametrize(
    ("answer", "hang", "truncated", "kept"),
    [
        (b"HTTP/1.1 200 OK\r\nX: " + b"y" * 5000 + b"\r\n\r\n", False, "length", b"HTTP/1.1 200 OK\r\n\r\n"),
        (
            b"HTTP/1.1 404 No\r\n" + b"X: yyyyyyyyyyyyyyyyyy\r\n" * 60 + b"\r\n",
            False,
            "length",
            b"HTTP/1.1 404 No\r\n" + b"X: yyyyyyyyyyyyyyyyyy\r\n" * 43 + b"\r\n",
        ),
        (b"HTTP/1.1 200 OK\r\nA: b\r\nC", False, "disconnect", b"HTTP/1.1 200 OK\r\nA: b\r\n\r\n"),
        (b"HTTP/1.1 200 OK\r\nA: b\r\nC", True, "time", b"HTTP/1.1 200 OK\r\nA: b\r\n\r\n"),
    ],
)
def test_what_came_of_a_cut_head_is_kept(*, answer: bytes, hang: bool, truncated: str, kept: bytes) -> None:
    async def check() -> None:
        async with serving(answer, hang=hang) as server, Client(request_seconds=0.5, max_header_bytes=1024) as client:
            exchange = await client.get(f"http://127.0.0.1:{server.port}/")
        assert (exchange.status, exchange.truncated, exchange.body) == (int(kept[9:12]), truncated, b"")
        assert exchange.response_head == kept

    run(check())


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        (b"HTTP/1.1 200\r\nContent-Length: 5\r\n\r\n", None),
        (b"HTTP/1.0 200  two  spaces \r\nContent-Length:5\r\nA:\t b \r\n\r\n", None),
        (b"HTTP/1.1 200 OK\r\nA: b\r\n\t folded\r\n  twice\r\nContent-Length: 5\r\n\r\n", None),
        (b"HTTP/1.1 200 OK\r\nA\0: b\r\nno colon\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\n", None),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: xchunked\r\n\r\n", None),
        (b"HTTP/1.1 200 OK\nContent-Length: 5\nA: b\n\n", b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nA: b\r\n\r\n"),
        (
            b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n" + HEAD,
            HEAD,
        ),
    ],
)
def test_heads_are_kept_byte_for_byte_but_for_line_ends(sent: bytes, kept: bytes | None) -> None:
    async def check() -> None:
        async with serving(sent + b"hello") as server, Client() as client:
            exchange = await client.get(f"http://127.0.0.1:{server.port}/")
        assert (exchange.response_head, exchange.body, exchange.truncated) == (kept or sent, b"hello", None)

    run(check())


def test_an_answer_that_comes_before_it_was_asked_for_is_none() -> None:
    async def check() -> None:
        async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(HEAD + b"hello")
            await writer.drain()
            await reader.read()
            writer.close()

        listener = await asyncio.start_server(answer, "127.0.0.1", 0)
        port = listener.sockets[0].getsockname()[1]
        async with Client(request_seconds=2) as client:
            for _ in range(5):
                with pytest.raises(AttemptFailed, match="before it was asked for"):
                    await client.get(f"http://127.0.0.1:{port}/")
        listener.close()

    run(check())


def test_a_fault_in_a_later_chunk_ends_the_wait() -> None:
    async def check() -> None:
        async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n")
            await writer.drain()
            await asyncio.sleep(0.1)
            writer.write(b"zz\r\n")
            await reader.read()
            writer.close()

        listener = await asyncio.start_server(answer, "127.0.0.1", 0)
        port = listener.sockets[0].getsockname()[1]
        async with Client(request_seconds=20) as client:
            exchange = await client.get(f"http://127.0.0.1:{port}/")
        assert (exchange.body, exchange.truncated) == (b"hello", "disconnect")
        assert exchange.seconds < 10
        listener.close()

    run(check())


def test_folded_header_values_are_read_as_one() -> None:
    head = b"HTTP/1.1 200 OK\r\nA: b\r\n\t c\r\n  d\r\nB: e\r\n\r\n"
    exchange = Exchange("https://gazette.example/", Purpose.ARTICLE, NOON, 0.0, b"", status=200, response_head=head)
    assert (exchange.header_values("A"), exchange.header_values("B")) == (["b c d"], ["e"])


def test_closed_port_and_unknown_host_say_what_failed() -> None:
    async def check() -> None:
        async with serving(b"") as server:
            port = server.port
        async with Client(connect_seconds=2) as client:
            with pytest.raises(AttemptFailed, match="no connection: ") as caught:
                await client.get(f"http://127.0.0.1:{port}/")
            assert caught.value.exchange.request_head == b""
            with pytest.raises(AttemptFailed, match="the host name has no address"):
                await client.get("http://nowhere.invalid/")

    run(check())


def test_private_address_is_refused_before_anything_is_sent() -> None:
    async def check() -> None:
        async with serving(HEAD + b"hello") as server, Client(allow_private=False) as client:
            for host in ("127.0.0.1", "localhost", "[::ffff:127.0.0.1]"):
                with pytest.raises(AttemptFailed, match="is not a public address"):
                    await client.get(f"http://{host}:{server.port}/")
            for host in ("2130706433", "127.1", "0x7f.1"):
                with pytest.raises(AttemptFailed):
                    await client.get(f"http://{host}:{server.port}/")
        assert server.received == []

    run(check())


def test_the_operators_place_holds_for_its_host_only() -> None:
    async def check() -> None:
        async with serving(HEAD + b"hello") as server:
            places = {("gazette.example", 80): ("127.0.0.1", server.port)}
            async with Client(allow_private=False, places=places) as client:
                exchange = await client.get("http://gazette.example/")
                assert exchange.body == b"hello"
                assert b"\r\nHost: gazette.example\r\n" in exchange.request_head
                with pytest.raises(AttemptFailed, match="is not a public address"):
                    await client.get(f"http://127.0.0.1:{server.port}/")

    run(check())


def test_certificates_are_checked(tmp_path: Path) -> None:
    async def check() -> None:
        authority = trustme.CA()
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        certificate = authority.issue_cert("gazette.example")
        certificate.configure_cert(context)
        ca_file = tmp_path / "ca.pem"
        authority.cert_pem.write_to_path(str(ca_file))
        async with serving(HEAD + b"hello", tls=context) as server:
            places = {(host, 443): ("127.0.0.1", server.port) for host in ("gazette.example", "other.example")}
            async with Client(places=places, ca_file=ca_file) as client:
                exchange = await client.get("https://gazette.example/")
                assert exchange.body == b"hello"
                assert exchange.tls is not None
                assert (exchange.tls.version, exchange.tls.cipher[:4]) == ("TLSv1.3", "TLS_")
                der = ssl.PEM_cert_to_DER_cert(certificate.cert_chain_pems[0].bytes().decode())
                assert exchange.tls.certificate == "sha256:" + hashlib.sha256(der).hexdigest()
                await client.get("https://gazette.example/again")
                (noted,) = client.run.tally.certificates.items()
                told = x509.load_der_x509_certificate(der)
                (issuer,) = told.issuer.get_attributes_for_oid(x509.NameOID.ORGANIZATION_NAME)
                assert noted == (
                    "gazette.example",
                    Certificate(told.not_valid_before_utc, told.not_valid_after_utc, str(issuer.value)),
                )
                with pytest.raises(AttemptFailed, match="the certificate is not trusted"):
                    await client.get("https://other.example/")
            async with Client(places=places) as client:
                with pytest.raises(AttemptFailed, match="the certificate is not trusted"):
                    await client.get("https://gazette.example/")

    run(check())


def test_secret_headers_are_sent_and_masked_in_the_record() -> None:
    async def check() -> None:
        options = {"secret_headers": frozenset({"x-key"})}
        async with serving(HEAD + b"hello") as server, Client(**options) as client:
            exchange = await client.get(
                f"http://127.0.0.1:{server.port}/",
                **{"X-Key": "hush", "Authorization": "Basic aHVzaA==", "X-Open": "1"},
            )
        assert b"X-Key: hush\r\n" in server.received[0]
        assert b"X-Key: ***\r\n" in exchange.request_head
        assert b"X-Open: 1\r\n" in exchange.request_head
        assert b"hush" not in exchange.request_head
        assert b"aHVzaA" not in exchange.request_head
        assert set(exchange.masked) == {"X-Key", "Authorization"}

    run(check())


def test_a_proxy_is_asked_and_said_so() -> None:
    async def check() -> None:
        async with serving(HEAD + b"hello") as server:
            proxy = f"http://user:hush@127.0.0.1:{server.port}"
            async with Client(allow_private=False, proxy=proxy) as client:
                exchange = await client.get("http://gazette.example/a%7eb")
                with pytest.raises(AttemptFailed, match="is not a public address"):
                    await client.get("http://127.0.0.1/")
        assert exchange.via_proxy
        assert exchange.peer == "127.0.0.1"
        assert exchange.request_head.startswith(b"GET http://gazette.example/a%7eb HTTP/1.1\r\n")
        assert b"Proxy-Authorization: ***\r\n" in exchange.request_head
        assert len(server.received) == 1

    run(check())


@pytest.mark.parametrize("announced", [True, False])
@pytest.mark.parametrize(("length", "truncated"), [(1_000, None), (1_001, "length"), (200_000, "length")])
def test_of_an_asset_that_is_too_long_nothing_is_kept(length: int, truncated: str | None, *, announced: bool) -> None:
    async def check() -> None:
        head = b"HTTP/1.1 200 OK\r\n" + (b"Content-Length: %d\r\n\r\n" % length if announced else b"\r\n")
        async with serving(head + b"x" * length) as server, Client() as client:
            meta = {"purpose": "asset", "max_bytes": 1_000}
            request = Request(f"http://127.0.0.1:{server.port}/a.gif", meta=meta)
            response = await client.handler.download_request(request)
        assert isinstance(response, ExchangeResponse)
        exchange = response.exchange
        assert (exchange.purpose, exchange.status, exchange.truncated) == (Purpose.ASSET, 200, truncated)
        assert exchange.body == (b"" if truncated else b"x" * length)

    run(check())


def test_robots_requests_are_known_by_their_callback() -> None:
    async def check() -> None:
        async with serving(HEAD + b"hello") as server, Client() as client:
            request = Request(f"http://127.0.0.1:{server.port}/robots.txt", callback=NO_CALLBACK)
            response = await client.handler.download_request(request)
        assert isinstance(response, ExchangeResponse)
        assert response.exchange.purpose is Purpose.ROBOTS
        assert request.meta["download_latency"] > 0

    run(check())


def test_a_robots_txt_may_be_longer_than_a_page() -> None:
    async def check() -> None:
        body = b"# " + b"x" * 5_000
        head = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body)
        async with serving(head + body) as server, Client(max_body_bytes=1_024) as client:
            request = Request(f"http://127.0.0.1:{server.port}/robots.txt", callback=NO_CALLBACK)
            response = await client.handler.download_request(request)
            assert isinstance(response, ExchangeResponse)
            assert (response.exchange.body, response.exchange.truncated) == (body, None)
        body = b"# comment\n" * (MAX_RULES_BYTES // 10) + b"User-agent: *\nDisallow: /late\n"
        head = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body)
        async with serving(head + body) as server, Client(max_body_bytes=1_024) as client:
            request = Request(f"http://127.0.0.1:{server.port}/robots.txt", callback=NO_CALLBACK)
            response = await client.handler.download_request(request)
            assert isinstance(response, ExchangeResponse)
            assert response.exchange.truncated == "length"
            # what comes after the limit is not read, and no reason to forbid all
            assert read_rules(response.exchange, "ofrecord").allowed("https://gazette.example/late")
            page = await client.get(f"http://127.0.0.1:{server.port}/")
            assert (len(page.body), page.truncated) == (1_024, "length")

    run(check())


def test_stopping_ends_requests_in_flight_and_sends_no_more() -> None:
    async def check() -> None:
        async with serving(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc", hang=True) as server, Client() as client:
            url = f"http://127.0.0.1:{server.port}/"
            flying = asyncio.create_task(client.get(url))
            await server.asked.wait()
            client.run.stopping = True
            for call in client.run.on_stop:
                call()
            with pytest.raises(RunStopped, match="before the answer was complete"):
                await flying
            with pytest.raises(RunStopped):
                await client.get(url)
        assert len(server.received) == 1

    run(check())
