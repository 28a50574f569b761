"""The download handler: a Scrapy request in, an `Exchange` as near to the wire as aiohttp shows it out.

Never decodes a body, follows a redirect or repeats what had an answer; keeps what came of a body that was cut.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import aiohttp
import yarl
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.resolver import ThreadedResolver
from scrapy.core.downloader.handlers.base import BaseDownloadHandler
from scrapy.http.request import NO_CALLBACK

from crawler.items import AttemptFailed, ExchangeResponse, RunStopped
from crawler.model import Exchange, Purpose
from crawler.network import AddressGuard, find_refusal, granted_place

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aiohttp.connector import Connection
    from scrapy import Request
    from scrapy.crawler import Crawler
    from scrapy.http import Response

    from crawler.items import Run
    from crawler.network import FetchOptions, Place

ALWAYS_SECRET = frozenset({"authorization", "proxy-authorization"})
MASK = "***"
_AUTOMATIC = ("Accept", "Accept-Encoding", "Content-Type", "User-Agent")
_MAX_HEADERS = 256


class OfrecordDownloadHandler(BaseDownloadHandler):
    """Fetches over HTTP/1.1; one instance for each of http and https."""

    lazy = False

    def __init__(self, crawler: Crawler) -> None:
        super().__init__(crawler)
        self._run: Run = crawler.spider.run  # type: ignore[union-attr]  # the spider exists before its handlers
        self._options = self._run.options
        self._session: aiohttp.ClientSession | None = None
        self._flying: set[asyncio.Task[Response]] = set()
        self._run.on_stop.append(self._abort)

    async def download_request(self, request: Request) -> Response:
        """Return the response to *request*. Raises AttemptFailed if there was none, RunStopped if it was not sent."""
        if self._run.stopping:
            raise RunStopped("the run is being stopped")
        task = asyncio.create_task(self._download(request))
        self._flying.add(task)
        task.add_done_callback(self._flying.discard)
        return await task

    async def close(self) -> None:
        """Close all connections."""
        if self._session is not None:
            await self._session.close()

    def _abort(self) -> None:
        for task in self._flying:
            task.cancel()

    async def _download(self, request: Request) -> Response:
        if self._session is None:
            self._session = _open_session(self._options)
        attempt = _Attempt(request, self._options)
        exchange = await attempt.perform(self._session, stopping=lambda: self._run.stopping)
        if exchange.status is None:
            raise AttemptFailed(exchange)
        request.meta["download_latency"] = attempt.latency
        return ExchangeResponse(
            request.url,
            status=exchange.status,
            headers=attempt.response_headers,
            body=exchange.body,
            request=request,
            exchange=exchange,
        )


def _open_session(options: FetchOptions) -> aiohttp.ClientSession:
    guard = AddressGuard(allow_private=options.allow_private or options.proxy is not None)
    connector = aiohttp.TCPConnector(
        limit=0,
        resolver=_Resolver(options.places),
        socket_factory=guard.open_socket,
        ssl=_trusting_context(options),
    )
    trace = aiohttp.TraceConfig()
    trace.on_request_headers_sent.append(_note_request_head)
    return aiohttp.ClientSession(
        connector=connector,
        cookie_jar=aiohttp.DummyCookieJar(),
        auto_decompress=False,
        response_class=_PeerNamingResponse,
        skip_auto_headers=_AUTOMATIC,
        trace_configs=[trace],
        trust_env=False,
        timeout=aiohttp.ClientTimeout(total=options.request_seconds, sock_connect=options.connect_seconds),
        max_line_size=options.max_header_bytes,
        max_field_size=options.max_header_bytes,
        max_headers=_MAX_HEADERS,
    )


def _trusting_context(options: FetchOptions) -> ssl.SSLContext:
    context = ssl.create_default_context()
    if options.ca_file is not None:
        context.load_verify_locations(cafile=options.ca_file)
    context.set_alpn_protocols(["http/1.1"])
    return context


class _Resolver(AbstractResolver):
    """The system's resolver, but for the places that the operator named."""

    def __init__(self, places: Mapping[Place, Place]) -> None:
        self._places = places
        self._system = ThreadedResolver()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        place = self._places.get((host, port))
        if place is None:
            return await self._system.resolve(host, port, family)
        found = socket.AF_INET6 if ":" in place[0] else socket.AF_INET
        return [ResolveResult(hostname=host, host=place[0], port=place[1], family=found, proto=0, flags=0)]

    async def close(self) -> None:
        await self._system.close()


class _PeerNamingResponse(aiohttp.ClientResponse):
    """Notes the socket's other end, which is gone once a short answer has been read."""

    peer: str | None = None

    async def start(self, connection: Connection) -> aiohttp.ClientResponse:
        if connection.transport is not None:
            name = connection.transport.get_extra_info("peername")
            self.peer = str(name[0]) if name else None
        return await super().start(connection)


async def _note_request_head(
    _session: aiohttp.ClientSession, context: SimpleNamespace, sent: aiohttp.TraceRequestHeadersSentParams
) -> None:
    attempt: _Attempt = context.trace_request_ctx
    attempt.note_request_head(sent)


class _Attempt:
    """One request and what became of it."""

    def __init__(self, request: Request, options: FetchOptions) -> None:
        self._request = request
        self._options = options
        self._url = yarl.URL(request.url, encoded=True)
        self._started_at = datetime.now(UTC)
        self._started = asyncio.get_running_loop().time()
        self._sent: float | None = None
        self._known: dict[str, Any] = {}
        self.latency = 0.0
        self.response_headers: list[tuple[bytes, bytes]] = []

    async def perform(self, session: aiohttp.ClientSession, *, stopping: Any) -> Exchange:  # noqa: ANN401 - a callable
        """Send the request and read the answer. Never raises for what the network or the server does."""
        place = (self._url.raw_host or "", self._url.port or 0)
        granted = granted_place.set(self._options.places.get(place))
        try:
            self._refuse_behind_proxy()
            await self._exchange(session)
        except asyncio.CancelledError:
            if not stopping():
                raise
            self._fail("the run was stopped before the answer was complete", cut="unspecified")
        except TimeoutError:
            self._fail(f"no complete answer within {self._options.request_seconds:g} seconds", cut="time")
        except (aiohttp.ClientError, OSError, ValueError) as error:
            self._fail(_describe(error), cut="disconnect")
        finally:
            granted_place.reset(granted)
        return self._exchange_so_far()

    def note_request_head(self, sent: aiohttp.TraceRequestHeadersSentParams) -> None:
        """Keep the request line and headers as sent, secrets masked."""
        self._sent = asyncio.get_running_loop().time()
        through_proxy = self._options.proxy is not None and sent.url.scheme == "http"
        target = str(sent.url) if through_proxy else sent.url.raw_path_qs
        lines = [f"{sent.method} {target} HTTP/1.1"]
        masked = []
        for name, value in sent.headers.items():
            if name.lower() in self._options.secret_headers | ALWAYS_SECRET:
                masked.append(name)
                lines.append(f"{name}: {MASK}")
            else:
                lines.append(f"{name}: {value}")
        self._known["request_head"] = ("\r\n".join(lines) + "\r\n\r\n").encode("utf-8", "surrogateescape")
        self._known["masked"] = tuple(masked)

    def _refuse_behind_proxy(self) -> None:
        """Literal addresses are all that can be judged where a proxy makes the connection."""
        host = self._url.raw_host or ""
        if self._options.proxy is None or self._options.allow_private:
            return
        if host == "localhost" or ":" in host or host.replace(".", "").isdigit():
            reason = find_refusal(host, allow_private=False)
            if reason is not None:
                raise OSError(f"refused to ask the proxy for it: {reason}")

    async def _exchange(self, session: aiohttp.ClientSession) -> None:
        async with session.request(
            self._request.method,
            self._url,
            headers=self._request.headers.to_tuple_list(),
            data=self._request.body or None,
            allow_redirects=False,
            proxy=self._options.proxy,
            trace_request_ctx=self,
        ) as response:
            self.latency = asyncio.get_running_loop().time() - self._started
            try:
                self._note_response_head(cast("_PeerNamingResponse", response))
                await self._read_body(response)
            finally:
                if not response.content.at_eof():
                    response.close()

    def _note_response_head(self, response: _PeerNamingResponse) -> None:
        version = response.version or aiohttp.HttpVersion11
        line = f"HTTP/{version.major}.{version.minor} {response.status} {response.reason or ''}"
        head = [line.encode("utf-8", "surrogateescape")]
        head += [name + b": " + value for name, value in response.raw_headers]
        data = b"\r\n".join(head) + b"\r\n\r\n"
        self._known["peer"] = response.peer
        if len(data) > self._options.max_header_bytes:
            raise ValueError(f"headers of {len(data)} bytes; at most {self._options.max_header_bytes} are taken")
        self._known["response_head"] = data
        self._known["status"] = response.status
        self.response_headers = list(response.raw_headers)

    async def _read_body(self, response: aiohttp.ClientResponse) -> None:
        body = bytearray()
        limit = self._options.max_body_bytes
        try:
            async for chunk in response.content.iter_any():
                body += chunk
                if len(body) > limit:
                    del body[limit:]
                    self._known["truncated"] = "length"
                    break
        finally:
            self._known["body"] = bytes(body)

    def _fail(self, error: str, *, cut: str) -> None:
        """Take *error* for a cut where an answer had begun, else for the reason that there is none."""
        self._known["truncated" if "status" in self._known else "error"] = cut if "status" in self._known else error

    def _exchange_so_far(self) -> Exchange:
        end = asyncio.get_running_loop().time()
        meta = self._request.meta
        by_middleware = self._request.callback is NO_CALLBACK
        return Exchange(
            url=self._request.url,
            purpose=Purpose.ROBOTS if by_middleware else Purpose(meta["purpose"]),
            via=meta.get("via"),
            started_at=self._started_at,
            seconds=end - (self._started if self._sent is None else self._sent),
            via_proxy=self._options.proxy is not None,
            **{"request_head": b"", **self._known},
        )


def _describe(error: Exception) -> str:
    """Say in words what failed, without the names of our libraries."""
    cause = getattr(error, "os_error", None)
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        return f"the host name has no address: {cause or error}"
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        return f"the certificate is not trusted: {error.certificate_error}"
    if isinstance(error, aiohttp.ClientConnectorSSLError):
        return f"no TLS connection: {cause or error}"
    if isinstance(error, aiohttp.ClientProxyConnectionError):
        return f"no connection to the proxy: {cause or error}"
    if isinstance(error, aiohttp.ClientConnectorError):
        return f"no connection: {cause or error}"
    if isinstance(error, aiohttp.ClientHttpProxyError):
        return f"the proxy answered {error.status} {error.message}"
    if isinstance(error, aiohttp.ClientResponseError):
        return f"the answer is not HTTP: {error.message}"
    if isinstance(error, aiohttp.ServerDisconnectedError):
        return "the server closed the connection without an answer"
    if isinstance(error, aiohttp.InvalidURL):
        return f"the URL cannot be requested: {error}"
    return str(error) or type(error).__name__
