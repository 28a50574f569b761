"""Whom a crawl believes over TLS: a certificate's authority, name and dates are checked, through a proxy as well."""

from __future__ import annotations

import asyncio
import re
import socket
import ssl
import warnings
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
import trustme
from scrapy import Request

from crawler.handler import OfrecordDownloadHandler
from crawler.items import AttemptFailed, ExchangeResponse, Tally
from crawler.leash import Leash
from crawler.network import FetchOptions

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from crawler.model import Exchange

NOW = datetime.now(UTC)
DAY = timedelta(days=1)
PAGE = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\npage"
HOST = "gazette.example"


@dataclass(frozen=True)
class Authorities:
    trusted: trustme.CA
    other: trustme.CA
    ca_file: Path


@pytest.fixture(scope="module")
def authorities(tmp_path_factory: pytest.TempPathFactory) -> Authorities:
    found = Authorities(trustme.CA(), trustme.CA(), tmp_path_factory.mktemp("trust") / "ca.pem")
    found.trusted.cert_pem.write_to_path(str(found.ca_file))
    return found


@pytest.fixture(autouse=True)
def no_names(monkeypatch: pytest.MonkeyPatch) -> None:
    """No lookup leaves this machine: only literal addresses resolve."""
    look_up = socket.getaddrinfo

    def answer(host: str, port: int, family: int, kind: int, protocol: int, flags: int) -> list[Any]:
        return look_up(host, port, family, kind, protocol, flags | socket.AI_NUMERICHOST)

    monkeypatch.setattr(socket, "getaddrinfo", answer)


def server_context(case: str, authorities: Authorities, folder: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    names, begin, end = [HOST, "127.0.0.1", "::1"], NOW - DAY, NOW + DAY
    authority = authorities.other if case == "another authority" else authorities.trusted
    if case == "self-signed":
        own, key = folder / "own.pem", folder / "own.key"
        authorities.other.cert_pem.write_to_path(str(own))
        authorities.other.private_key_pem.write_to_path(str(key))
        context.load_cert_chain(own, key)
        return context
    if case == "wrong name":
        names = ["herald.example", "www.gazette.example", "*.gazette.example", "127.0.0.2"]
    elif case == "expired":
        begin, end = NOW - 9 * DAY, NOW - DAY
    elif case == "not yet valid":
        begin, end = NOW + DAY, NOW + 9 * DAY
    authority.issue_cert(*names, not_before=begin, not_after=end).configure_cert(context)
    if case == "TLS 1.1":
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_1
        context.set_ciphers("ALL:@SECLEVEL=0")
    elif case == "TLS 1.2":
        context.maximum_version = ssl.TLSVersion.TLSv1_2
    return context


@dataclass
class Served:
    port: int
    requests: int = 0
    tunnels: int = 0


@asynccontextmanager
async def serving(context: ssl.SSLContext | None, address: str = "127.0.0.1") -> AsyncIterator[Served]:
    """Answer each request with a page."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, asyncio.IncompleteReadError):
            await reader.readuntil(b"\r\n\r\n")
            served.requests += 1
            writer.write(PAGE)
            await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, address, 0, ssl=context)
    served = Served(server.sockets[0].getsockname()[1])
    try:
        yield served
    finally:
        server.close()


@asynccontextmanager
async def proxying(target: Served) -> AsyncIterator[Served]:
    """Connect every tunnel to *target*, as a proxy with a resolver of its own may."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, asyncio.IncompleteReadError):
            head = await reader.readuntil(b"\r\n\r\n")
            served.tunnels += head.startswith(b"CONNECT " + HOST.encode())
            inner = await asyncio.open_connection("127.0.0.1", target.port)
            writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
            await asyncio.gather(_copy(reader, inner[1]), _copy(inner[0], writer))
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    served = Served(server.sockets[0].getsockname()[1])
    try:
        yield served
    finally:
        server.close()


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while data := await reader.read(65_536):
            writer.write(data)
            await writer.drain()
    writer.close()


async def fetch(url: str, **options: Any) -> Exchange:
    run = SimpleNamespace(
        options=FetchOptions(request_seconds=10, **options),
        on_stop=[],
        stopping=False,
        leash=Leash(),
        note_certificate=Tally().note_certificate,
    )
    handler = OfrecordDownloadHandler(SimpleNamespace(spider=SimpleNamespace(run=run)))  # type: ignore[arg-type]
    try:
        response = await handler.download_request(Request(url, meta={"purpose": "article"}))
    except AttemptFailed as error:
        return error.exchange
    finally:
        await handler.close()
        await asyncio.sleep(0.01)  # until the tunnels of a proxy are down
    assert isinstance(response, ExchangeResponse)
    return response.exchange


CASES = {
    "trusted": None,
    "TLS 1.2": None,
    "TLS 1.1": "no connection: the other side closed it|no TLS connection: ",
    "another authority": "the certificate is not trusted: .*unable to get local issuer",
    "self-signed": "the certificate is not trusted: .*self-signed certificate",
    "wrong name": "the certificate is not trusted: .*(Hostname mismatch|IP address mismatch)",
    "expired": "the certificate is not trusted: .*certificate has expired",
    "not yet valid": "the certificate is not trusted: .*certificate is not yet valid",
}


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("way", ["place", "address", "proxy"])
def test_only_trusted_certificates_get_a_request(case: str, way: str, authorities: Authorities, tmp_path: Path) -> None:
    async def check() -> tuple[Exchange, Served, int]:
        context = server_context(case, authorities, tmp_path)
        async with serving(context) as server, proxying(server) as proxy:
            url, options = f"https://{HOST}/", dict[str, Any]()
            if way == "place":
                options["places"] = {(HOST, 443): ("127.0.0.1", server.port)}
            elif way == "proxy":
                options["proxy"] = f"http://127.0.0.1:{proxy.port}"
            else:
                url, options["allow_private"] = f"https://127.0.0.1:{server.port}/", True
            exchange = await fetch(url, ca_file=authorities.ca_file, **options)
            return exchange, server, proxy.tunnels

    exchange, server, tunnels = asyncio.run(check())
    expected = CASES[case]
    assert tunnels == (way == "proxy")
    if expected is None:
        assert (exchange.body, exchange.error, server.requests) == (b"page", None, 1)
        assert exchange.tls is not None
        assert exchange.tls.version == ("TLSv1.2" if case == "TLS 1.2" else "TLSv1.3")
    else:
        assert re.match(expected, exchange.error or ""), exchange.error
        assert (exchange.status, exchange.response_head, exchange.body) == (None, b"", b"")
        assert server.requests == 0


def test_an_authority_is_trusted_only_where_its_file_is_given(authorities: Authorities, tmp_path: Path) -> None:
    async def check() -> Exchange:
        async with serving(server_context("trusted", authorities, tmp_path)) as server:
            return await fetch(f"https://{HOST}/", places={(HOST, 443): ("127.0.0.1", server.port)})

    assert "the certificate is not trusted" in (asyncio.run(check()).error or "")


def test_control_a_client_of_old_would_get_tls_1_1(authorities: Authorities, tmp_path: Path) -> None:
    server = server_context("TLS 1.1", authorities, tmp_path)
    client = ssl.create_default_context(cafile=authorities.ca_file)
    client.set_ciphers("ALL:@SECLEVEL=0")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        client.minimum_version = ssl.TLSVersion.TLSv1_1
    pipes = [ssl.MemoryBIO() for _ in range(2)]
    ends = [
        client.wrap_bio(pipes[0], pipes[1], server_hostname=HOST),
        server.wrap_bio(pipes[1], pipes[0], server_side=True),
    ]
    for _ in range(4):
        for end in ends:
            with suppress(ssl.SSLWantReadError):
                end.do_handshake()
    assert [end.version() for end in ends] == ["TLSv1.1"] * 2


def test_plain_http_on_the_port_of_https_is_no_answer(authorities: Authorities) -> None:
    async def check() -> Exchange:
        async with serving(None) as server:
            places = {(HOST, 443): ("127.0.0.1", server.port)}
            return await fetch(f"https://{HOST}/", places=places, ca_file=authorities.ca_file, connect_seconds=0.5)

    exchange = asyncio.run(check())
    assert exchange.status is None
    assert exchange.error


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_ipv6(scheme: str, authorities: Authorities, tmp_path: Path) -> None:
    async def check() -> list[Exchange]:
        context = server_context("trusted", authorities, tmp_path) if scheme == "https" else None
        async with serving(context, "::1") as server:
            url = f"{scheme}://[::1]:{server.port}/"
            places = {(HOST, server.port): ("::1", server.port)}
            return [
                await fetch(url, allow_private=True, ca_file=authorities.ca_file),
                await fetch(f"{scheme}://{HOST}:{server.port}/", places=places, ca_file=authorities.ca_file),
                await fetch(url, ca_file=authorities.ca_file),
            ]

    private, placed, public = asyncio.run(check())
    assert [(exchange.body, exchange.peer) for exchange in (private, placed)] == [(b"page", "::1")] * 2
    assert "::1 is not a public address" in (public.error or "")
