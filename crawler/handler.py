"""The download handler: a Scrapy request in, an `Exchange` out, its response head byte for byte as it came.

Never decodes a body, follows a redirect or repeats what had an answer; keeps what came of an answer that was cut.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
import time
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import aiohttp
import yarl
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.resolver import ThreadedResolver
from scrapy.core.downloader.handlers.base import BaseDownloadHandler
from scrapy.http.request import NO_CALLBACK
from structlog.contextvars import bind_contextvars, reset_contextvars

from crawler.items import AttemptFailed, ExchangeResponse, RunStopped
from crawler.model import Exchange, Purpose
from crawler.network import granted_place
from crawler.robots import MAX_RULES_BYTES
from crawler.slots import slot_of
from crawler.wire import WireTap, read_cookies, read_status

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aiohttp.connector import Connection
    from scrapy import Request
    from scrapy.crawler import Crawler
    from scrapy.http import Response

    from crawler.items import Fetching
    from crawler.leash import Leash
    from crawler.network import FetchOptions, Place
    from crawler.rows import Certificate

ALWAYS_SECRET = frozenset({"authorization", "proxy-authorization"})
MASK = "***"
_AUTOMATIC = ("Accept", "Accept-Encoding", "Content-Type", "User-Agent")
_MAX_REASON_CHARS = 300

_current_attempt: ContextVar[_Attempt] = ContextVar("_current_attempt")
"""Set around one request: whose connection is to be tapped."""


class OfrecordDownloadHandler(BaseDownloadHandler):
    """Fetches over HTTP/1.1; one instance for each of http and https."""

    lazy = False

    def __init__(self, crawler: Crawler) -> None:
        super().__init__(crawler)
        self._run: Fetching = crawler.spider.run  # type: ignore[union-attr]  # the spider exists before its handlers
        self._options = self._run.options
        self._session: aiohttp.ClientSession | None = None
        self._flying: set[asyncio.Task[Any]] = set()
        """Scrapy makes a task for each request; one of our own would be one more."""
        self._run.on_stop.append(self._abort)

    async def download_request(self, request: Request) -> Response:
        """Return the response to *request*. Raises AttemptFailed if there was none.

        Raises RunStopped if the run's end kept the request from being sent, or its answer from being complete.
        """
        if self._run.stopping:
            raise RunStopped("the run is being stopped")
        task = asyncio.current_task()
        if task is None:
            raise RuntimeError("a request is made outside of any task: Scrapy is to run on asyncio")
        self._flying.add(task)
        try:
            return await self._download(request)
        finally:
            self._flying.discard(task)

    async def close(self) -> None:
        """Close all connections."""
        if self._session is not None:
            await self._session.close()

    def _put_headers(self, request: Request) -> list[tuple[str, str]]:
        """Return the headers of *request*: its own, and of ours those that it has not."""
        own: list[tuple[str, str]] = request.headers.to_tuple_list()
        if not own:
            return list(self._options.headers)
        names = {name.lower() for name, _ in own}
        return [*own, *(ours for ours in self._options.headers if ours[0].lower() not in names)]

    def _abort(self) -> None:
        for task in list(self._flying):
            task.cancel()

    async def _download(self, request: Request) -> Response:
        if self._session is None:
            self._session = _open_session(self._options)
        attempt = _Attempt(request, self._put_headers(request), self._options, self._run.leash)
        exchange = await attempt.perform(self._session, stopping=lambda: self._run.stopping)
        if attempt.certificate is not None:
            self._run.note_certificate(attempt.authority, attempt.certificate)
        if exchange.status is None:
            raise AttemptFailed(exchange)
        request.meta["download_latency"] = attempt.latency
        if (slot := slot_of(request)) is not None:  # before the host's next request is sent
            slot.note_answer(exchange, latency=attempt.latency)
        return ExchangeResponse(
            request.url,
            status=exchange.status,
            headers=read_cookies(exchange.response_head),
            body=exchange.body,
            request=request,
            exchange=exchange,
        )


def _open_session(options: FetchOptions) -> aiohttp.ClientSession:
    connector = aiohttp.TCPConnector(
        limit=0,
        resolver=_Resolver(options.places),
        socket_factory=options.guard.open_socket,
        ssl=_trusting_context(options),
    )
    return aiohttp.ClientSession(
        connector=connector,
        cookie_jar=aiohttp.DummyCookieJar(),
        auto_decompress=False,
        request_class=_TappedRequest,
        skip_auto_headers=_AUTOMATIC,
        trust_env=False,
        timeout=aiohttp.ClientTimeout(total=options.request_seconds, sock_connect=options.connect_seconds),
        max_line_size=options.max_header_bytes,
        max_field_size=options.max_header_bytes,
    )


def _trusting_context(options: FetchOptions) -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
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


class _TappedRequest(aiohttp.ClientRequest):
    """Puts a tap on its connection before it sends anything, and says what it has sent."""

    async def send(self, conn: Connection) -> aiohttp.ClientResponse:
        attempt = _current_attempt.get()
        attempt.require_leave()
        attempt.tap_connection(conn.transport)
        response = await super().send(conn)
        attempt.note_request_head(self.method, self.url, self.headers)
        return response


class _Attempt:
    """One request and what became of it."""

    def __init__(self, request: Request, headers: list[tuple[str, str]], options: FetchOptions, leash: Leash) -> None:
        self._request = request
        self._headers = headers
        self._options = options
        self._leash = leash
        by_middleware = request.callback is NO_CALLBACK
        self._purpose = Purpose.ROBOTS if by_middleware else Purpose(request.meta["purpose"])
        self._url = yarl.URL(request.url, encoded=True)
        self._started_at = datetime.now(UTC)
        self._started = time.monotonic()
        self._sent: float | None = None
        self._known: dict[str, Any] = {}
        self._tap: WireTap | None = None
        self.latency = 0.0
        self.certificate: Certificate | None = None
        """Of the connection, where it is a secured one."""

    @property
    def authority(self) -> str:
        """The host that is asked, with its port where that is not the usual one."""
        host = self._url.raw_host or ""
        return host if self._url.is_default_port() else f"{host}:{self._url.port}"

    async def perform(self, session: aiohttp.ClientSession, *, stopping: Any) -> Exchange:  # noqa: ANN401 - a callable
        """Send the request and read the answer. Never raises for what the network or the server does.

        Raises RunStopped where we ourselves cut it short: that says nothing of the page, which is left to do.
        """
        place = (self._url.raw_host or "", self._url.port or 0)
        granted, current = granted_place.set(self._options.places.get(place)), _current_attempt.set(self)
        told = bind_contextvars(url=self._request.url)  # what the client logs is of this page
        try:
            await self._options.guard.check_target(*place)
            await self._exchange(session)
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if task is None or not stopping():
                raise
            task.uncancel()  # it goes on: Scrapy hears of it as of any failure
            raise RunStopped("the run was stopped before the answer was complete") from None
        except aiohttp.ConnectionTimeoutError:
            self._fail(f"no connection within {self._options.connect_seconds:g} seconds", cut="time")
        except TimeoutError:
            self._fail(f"no complete answer within {self._options.request_seconds:g} seconds", cut="time")
        except aiohttp.ClientResponseError as error:
            self._fail(_describe(error), cut="unspecified")
        except (aiohttp.ClientError, OSError, ValueError) as error:
            self._fail(_describe(error), cut="disconnect")
        finally:
            granted_place.reset(granted)
            _current_attempt.reset(current)
            reset_contextvars(**told)
        return self._exchange_so_far()

    def require_leave(self) -> None:
        """Raise RunStopped if the lease ran out while the connection was made: this machine may have slept."""
        if self._leash.lapsed:
            raise RunStopped("not requested: the lease had run out before the connection stood")

    def tap_connection(self, transport: asyncio.Transport | None) -> None:
        """Have the bytes of *transport* noted from here on.

        Raises ConnectionError where the client would repeat a request of which some answer has come.
        """
        if self._tap is not None and self._tap.received:
            raise ConnectionError("the server closed the connection within its answer")
        if transport is not None:
            self._tap = WireTap.on(transport, self._options.max_header_bytes)
            self._known.update(peer=self._tap.peer, tls=self._tap.tls)
            self.certificate = self._tap.certificate

    def note_request_head(self, method: str, url: yarl.URL, headers: Mapping[str, str]) -> None:
        """Keep the request line and headers as sent, secrets masked."""
        self._sent = time.monotonic()
        through_proxy = self._options.proxy is not None and url.scheme == "http"
        lines = [f"{method} {url if through_proxy else url.raw_path_qs} HTTP/1.1"]
        masked = []
        secret = self._options.secret_headers | ALWAYS_SECRET
        for name, value in headers.items():
            if name.lower() in secret:
                masked.append(name)
                lines.append(f"{name}: {MASK}")
            else:
                lines.append(f"{name}: {value}")
        self._known["request_head"] = ("\r\n".join(lines) + "\r\n\r\n").encode("utf-8", "surrogateescape")
        self._known["masked"] = tuple(masked)

    async def _exchange(self, session: aiohttp.ClientSession) -> None:
        async with session.request(
            self._request.method,
            self._url,
            headers=self._headers,
            data=self._request.body or None,
            allow_redirects=False,
            proxy=self._options.proxy,
        ) as response:
            self.latency = time.monotonic() - self._started
            try:
                self._note_response_head(response)
                await self._read_body(response)
            finally:
                if not response.content.at_eof():
                    response.close()

    def _note_response_head(self, response: aiohttp.ClientResponse) -> None:
        head = self._tap.head if self._tap is not None else None
        if head is None or read_status(head) != response.status:
            if self._tap is not None:
                self._tap.close()  # what else comes on this connection answers nothing either
            raise ValueError("an answer came before it was asked for")
        self._known.update(response_head=head, status=response.status)

    async def _read_body(self, response: aiohttp.ClientResponse) -> None:
        body = bytearray()
        # RFC 9309 § 2.5 asks for that much; one byte more tells a file that is longer from one that was cut
        least = MAX_RULES_BYTES + 1 if self._purpose is Purpose.ROBOTS else 0
        own: int | None = self._request.meta.get("max_bytes")
        limit = max(self._options.max_body_bytes, least) if own is None else own
        if own is not None and (response.content_length or 0) > own:
            self._known["truncated"] = "length"  # nothing of it is of use
            return
        self._watch_connection(response.content)
        try:
            async for chunk in response.content.iter_any():
                body += chunk
                if len(body) > limit:
                    del body[limit if own is None else 0 :]
                    self._known["truncated"] = "length"
                    break
        finally:
            self._known["body"] = bytes(body)

    def _watch_connection(self, content: aiohttp.StreamReader) -> None:
        """Let who reads *content* hear of the connection's end: the client does not tell it of a faulty chunk."""

        def end() -> None:
            if not content.is_eof() and content.exception() is None:
                content.set_exception(aiohttp.ClientPayloadError("the connection ended within the body"))

        if self._tap is not None:
            self._tap.on_lost = end
            if self._tap.lost:
                end()

    def _fail(self, error: str, *, cut: str) -> None:
        """Take *error* for a cut where an answer had begun, else for the reason that there is none."""
        tap = self._tap
        if tap is not None and tap.too_long:
            cut, error = "length", f"headers of more than {self._options.max_header_bytes} bytes"
        head = tap.partial_head if tap is not None and "status" not in self._known else None
        if head is not None:
            self._known.update(response_head=head, status=read_status(head))
        self._known["truncated" if "status" in self._known else "error"] = cut if "status" in self._known else error

    def _exchange_so_far(self) -> Exchange:
        end = time.monotonic()
        meta = self._request.meta
        return Exchange(
            url=self._request.url,
            purpose=self._purpose,
            via=meta.get("via"),
            started_at=self._started_at,
            seconds=end - (self._started if self._sent is None else self._sent),
            via_proxy=self._options.proxy is not None,
            **{"request_head": b"", **self._known},
        )


def _describe(error: Exception) -> str:
    """Say in one line what failed; what a server wrote may be in it, and is cut."""
    return _tell(error).partition("\n")[0][:_MAX_REASON_CHARS]


def _tell(error: Exception) -> str:
    cause = str(getattr(error, "os_error", "")) or "the other side closed it"
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        return f"the host name has no address: {cause}"
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        return f"the certificate is not trusted: {error.certificate_error}"
    if isinstance(error, aiohttp.ClientConnectorSSLError):
        return f"no TLS connection: {cause}"
    if isinstance(error, aiohttp.ClientProxyConnectionError):
        return f"no connection to the proxy: {cause}"
    if isinstance(error, aiohttp.ClientConnectorError):
        return f"no connection: {cause}"
    if isinstance(error, aiohttp.ClientHttpProxyError):
        return f"the proxy answered {error.status} {error.message}"
    if isinstance(error, aiohttp.ClientResponseError):
        return "the answer is not HTTP"
    if isinstance(error, aiohttp.ServerDisconnectedError):
        return "the server closed the connection without an answer"
    if isinstance(error, aiohttp.InvalidURL):
        return f"the URL cannot be requested: {error}"
    return str(error) or type(error).__name__
