"""A file behind an http(s) URL that a person named, read from any place on, as far as its server lets one.

No crawl: nothing is recorded. A redirect to another host may lead to public addresses only.
"""

from __future__ import annotations

import http.client
import re
import ssl
import time
import urllib.request
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from config.errors import FetchError
from crawler.addresses import find_refusal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from config.settings import Settings

_PIECE_BYTES = 256 * 1024
_LENGTH = re.compile(r"[0-9]{1,15}")
_ATTEMPTS = 5
_WAIT_SECONDS = 1.0
_FAULTS = (http.client.HTTPException, OSError, ValueError)
"""ValueError: of an address that is none, which a redirect may lead to."""


@dataclass(slots=True)
class WebFile:
    """A file on a web server."""

    url: str
    settings: Settings = field(repr=False)
    path: None = None
    _size: int | None = None
    _tag: str | None = None
    """By which a file that was changed meanwhile is told."""

    @property
    def name(self) -> str:
        parts = urlsplit(self.url)
        return unquote(parts.path.rstrip("/").rpartition("/")[2]) or parts.hostname or "file"

    @property
    def where(self) -> str:
        parts = urlsplit(self.url)
        return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"

    @property
    def size_bytes(self) -> int | None:
        """As the first answer said."""
        return self._size

    def stream(self, offset: int) -> tuple[int, Iterator[bytes]]:
        """Return where the bytes begin, and the bytes; a connection that breaks is made anew where it broke."""
        answer, begins_at = self._open(offset)
        return begins_at, self._read(answer, begins_at)

    def _read(self, answer: Any, at: int) -> Iterator[bytes]:  # noqa: ANN401 - urllib names no type of it
        attempts = 0
        while True:
            try:
                with answer:
                    while data := answer.read(_PIECE_BYTES):
                        at += len(data)
                        attempts = 0
                        yield data
                if self._size is None or at >= self._size:
                    return
                raise http.client.IncompleteRead(b"", self._size - at)
            except _FAULTS as error:
                attempts += 1
                if attempts >= _ATTEMPTS:
                    raise FetchError(f"{self.where}: broke off after {at} bytes: {error}") from error
                time.sleep(_WAIT_SECONDS * attempts)
            answer, begins_at = self._open(at)
            while begins_at < at:
                passed = answer.read(min(_PIECE_BYTES, at - begins_at))
                if not passed:
                    raise FetchError(f"{self.where}: broke off after {at} bytes, and is shorter now")
                begins_at += len(passed)

    def _open(self, offset: int) -> tuple[Any, int]:
        headers = {"User-Agent": self.settings.user_agent, "Accept-Encoding": "identity"}
        if offset:
            headers["Range"] = f"bytes={offset}-"
        request = urllib.request.Request(self.url, headers=headers)  # noqa: S310 - the opener knows http(s) only
        try:
            answer = self._make_opener().open(request, timeout=self.settings.request_seconds)
        except _FAULTS as error:
            raise FetchError(f"{self.where}: {error}") from error
        tag = answer.headers.get("ETag") or answer.headers.get("Last-Modified")
        if self._tag is not None and tag != self._tag:
            raise FetchError(f"{self.where}: was changed while it was read")
        self._tag = tag
        begins_at = offset if answer.status == http.client.PARTIAL_CONTENT else 0
        length = answer.headers.get("Content-Length") or ""
        self._size = begins_at + int(length) if _LENGTH.fullmatch(length) else None
        return answer, begins_at

    def _make_opener(self) -> urllib.request.OpenerDirector:
        proxy = self.settings.proxy
        host = urlsplit(self.url).hostname
        context = ssl.create_default_context()
        if self.settings.ca_file is not None:
            context.load_verify_locations(self.settings.ca_file)
        opener = urllib.request.OpenerDirector()
        handlers: list[urllib.request.BaseHandler] = [
            urllib.request.ProxyHandler({"http": proxy, "https": proxy} if proxy else {}),
            _PlainHandler(host, proxied=proxy is not None),
            _SecureHandler(host, context, proxied=proxy is not None),
            urllib.request.HTTPErrorProcessor(),
            urllib.request.HTTPDefaultErrorHandler(),
            urllib.request.HTTPRedirectHandler(),
            urllib.request.UnknownHandler(),
        ]
        for handler in handlers:
            opener.add_handler(handler)
        return opener


def _check_peer(connection: http.client.HTTPConnection, named: str | None, *, proxied: bool) -> None:
    """Close *connection* and raise OSError if it leads where a redirect may not. *named*: a person's host."""
    peer = connection.sock.getpeername()[0]
    reason = None if proxied else find_refusal(peer, allow_private=connection.host == named)
    if reason is not None:
        connection.close()
        raise OSError(f"refused to connect: {reason}")


class _PlainHandler(urllib.request.HTTPHandler):
    def __init__(self, named: str | None, *, proxied: bool) -> None:
        super().__init__()

        class Connection(http.client.HTTPConnection):
            def connect(self) -> None:
                super().connect()
                _check_peer(self, named, proxied=proxied)

        self._connection = Connection

    def http_open(self, request: urllib.request.Request) -> Any:  # noqa: ANN401
        return self.do_open(self._connection, request)


class _SecureHandler(urllib.request.HTTPSHandler):
    def __init__(self, named: str | None, context: ssl.SSLContext, *, proxied: bool) -> None:
        super().__init__(context=context)
        self._authorities = context

        class Connection(http.client.HTTPSConnection):
            def connect(self) -> None:
                super().connect()
                _check_peer(self, named, proxied=proxied)

        self._connection = Connection

    def https_open(self, request: urllib.request.Request) -> Any:  # noqa: ANN401
        return self.do_open(self._connection, request, context=self._authorities)
