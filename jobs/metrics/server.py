"""Answers /metrics, /healthz and /readyz from a thread of its own, so that a daemon whose loop hangs is found out.

Whoever reaches the port is held to be hostile: few connections at a time, each with a head of bounded length that must
come within seconds, one answer, no body read, nothing looked up in a folder. Holds no secret and changes nothing.
"""

from __future__ import annotations

import http.client
import io
import socket
import threading
import time
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, HTTPServer
from socketserver import TCPServer, ThreadingMixIn
from typing import TYPE_CHECKING, Any, Self

import structlog
from prometheus_client import make_wsgi_app

from config.errors import ConfigError

if TYPE_CHECKING:
    from types import TracebackType

    from prometheus_client import CollectorRegistry

    from jobs.metrics.standing import Standing

log = structlog.get_logger()

CONNECTIONS = 16
"""At a time; one more is closed."""
HEAD_BYTES = 8_192
HEAD_SECONDS = 5.0
"""For the whole of a request's head, however it trickles in."""
ANSWER_SECONDS = 10.0
_METHODS = ("GET", "HEAD")


class ProbeServer:
    """A running server; `stop()` it, or leave the block."""

    def __init__(self, address: tuple[str, int], registry: CollectorRegistry, standing: Standing) -> None:
        """Listen at *address*, of which port 0 is any free one. Raises ConfigError if that cannot be."""
        host, port = address
        try:
            self._server = _Server(address, registry, standing)
        except OSError as error:
            raise ConfigError(
                f"metrics_listen: found {name_address(host, port)}, which cannot be listened at ({error.strerror});"
                " another daemon may have it: expected an address of this machine and a free port, or off"
            ) from error
        self.url = f"http://{name_address(host, self._server.server_address[1])}"
        self._thread = threading.Thread(target=self._server.serve_forever, name="probes", daemon=True)
        self._thread.start()
        log.info("served_metrics", address=self.url)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()

    def stop(self) -> None:
        """Take no more connections; those that are open end by themselves."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


def name_address(host: str, port: int) -> str:
    """Return `address:port` as an URL has it."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


class _Server(ThreadingMixIn, HTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = CONNECTIONS

    def __init__(self, address: tuple[str, int], registry: CollectorRegistry, standing: Standing) -> None:
        self.address_family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        self.standing = standing
        self.app = make_wsgi_app(registry)
        self._room = threading.BoundedSemaphore(CONNECTIONS)
        super().__init__(address, _Handler)

    def server_bind(self) -> None:
        """Bind, and ask no name server for our own name as HTTPServer does."""
        TCPServer.server_bind(self)

    def process_request(self, request: Any, client_address: Any) -> None:  # noqa: ANN401 - socketserver's own types
        if not self._room.acquire(blocking=False):
            self.shutdown_request(request)
            return
        try:
            super().process_request(request, client_address)
        except BaseException:  # no thread could be started
            self._room.release()
            raise

    def process_request_thread(self, request: Any, client_address: Any) -> None:  # noqa: ANN401
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._room.release()

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ANN401
        """Log what went wrong; called where it is caught."""
        del request
        log.exception("failed_metrics", address=str(client_address[0]))  # noqa: LOG004 - socketserver catches


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.0"  # one request a connection

    def setup(self) -> None:
        super().setup()
        self.rfile.close()
        self.rfile = io.BufferedReader(_Head(self.connection))

    def handle(self) -> None:
        try:
            super().handle()
        except (OSError, http.client.HTTPException):  # who asks went away, or was too slow or too long
            self.close_connection = True

    def parse_request(self) -> bool:
        """Take in the head; what is neither GET nor HEAD ends here."""
        if not super().parse_request():
            return False
        self.connection.settimeout(ANSWER_SECONDS)
        if self.command not in _METHODS:
            self._answer(HTTPStatus.METHOD_NOT_ALLOWED, "GET or HEAD, please", {"Allow": ", ".join(_METHODS)})
            return False
        return True

    def do_GET(self) -> None:
        path, _, query = self.path.partition("?")
        if path == "/metrics":
            self._answer_metrics(query)
        elif path in {"/healthz", "/readyz"}:
            standing = self.server.standing
            good, text = standing.is_alive() if path == "/healthz" else standing.is_ready()
            self._answer(HTTPStatus.OK if good else HTTPStatus.SERVICE_UNAVAILABLE, text)
        else:
            self._answer(HTTPStatus.NOT_FOUND, "there are /metrics, /healthz and /readyz")

    do_HEAD = do_GET  # noqa: N815 - as the base class looks for it

    def _answer_metrics(self, query: str) -> None:
        told: list[Any] = []
        environ = {
            "REQUEST_METHOD": "GET",
            "PATH_INFO": "/metrics",
            "QUERY_STRING": query,
            "HTTP_ACCEPT": self.headers.get("Accept", ""),
            "HTTP_ACCEPT_ENCODING": self.headers.get("Accept-Encoding", ""),
        }
        body = b"".join(self.server.app(environ, lambda *given: told.extend(given)))
        self._send(HTTPStatus(int(told[0].split()[0])), dict(told[1]), body)

    def _answer(self, status: HTTPStatus, text: str, headers: dict[str, str] | None = None) -> None:
        self._send(status, {"Content-Type": "text/plain; charset=utf-8", **(headers or {})}, f"{text}\n".encode())

    def _send(self, status: HTTPStatus, headers: dict[str, str], body: bytes) -> None:
        self.send_response(status)
        common = {"Content-Length": str(len(body)), "Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
        for name, value in {**headers, **common}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """Answer what could not be read, and repeat nothing of it."""
        del message, explain
        self.request_version = self.protocol_version  # else the answer to what is no HTTP has no head
        self.connection.settimeout(ANSWER_SECONDS)
        self._answer(HTTPStatus(code), HTTPStatus(code).phrase)

    def version_string(self) -> str:
        """Return the `Server` header, which need not tell the version of Python."""
        return "ofrecord"

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002, ANN401 - as the base class has it
        """Log nothing: a probe comes every few seconds, and what strangers ask is no line of ours."""


class _Head(io.RawIOBase):
    """The first bytes of a connection, within a time: later ones are never read."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._left = HEAD_BYTES
        self._until = time.monotonic() + HEAD_SECONDS

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:  # noqa: ANN401 - any writable buffer
        seconds = self._until - time.monotonic()
        if seconds <= 0:
            raise TimeoutError
        if self._left <= 0:
            raise http.client.LineTooLong("head")
        self._connection.settimeout(seconds)
        read = self._connection.recv_into(memoryview(buffer)[: self._left])
        self._left -= read
        return read
