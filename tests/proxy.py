"""A proxy on loopback that stands before a real S3 server and breaks what passes, request by request. Standard library.

    with Proxy(server.endpoint_url) as proxy:
        store = open_store("s3://bucket/x", settings with s3_endpoint_url=proxy.url)
        proxy.add("lose_answer", method="PUT", path="/log/", count=1)
        ...
        assert proxy.requests["PUT"] == 3

Faults are added and taken away while it runs and hold for the requests that begin after that; several may hold at once.
The Host header goes through as the client sent it, so that signatures stay true.
"""

from __future__ import annotations

import contextlib
import re
import socket
import socketserver
import struct
import threading
from collections import Counter, deque
from dataclasses import dataclass
from datetime import timedelta
from email.utils import format_datetime, parsedate_to_datetime
from typing import TYPE_CHECKING, Literal, Self
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

Action = Literal[
    "refuse", "blackhole", "latency", "rate", "reset_up", "reset_down", "lose_answer", "status", "skew", "answer"
]

_BLOCK_BYTES = 65_536
_REMEMBERED = 10_000
_REASONS = {400: "Bad Request", 403: "Forbidden", 409: "Conflict", 500: "Internal Server Error", 503: "Slow Down"}


@dataclass(eq=False)
class Fault:
    """What goes wrong with the requests that match."""

    action: Action
    """refuse: reset the connection, the server hears nothing. blackhole: read, never answer. latency: wait `value`
    seconds first. rate: `value` bytes of body a second, both ways. reset_up, reset_down: reset after `value` bytes of
    the body. lose_answer: let the server do it, then reset instead of answering. status: answer `value` with S3's code
    `text`, the server hears nothing. skew: add `value` seconds to the answer's Date. answer: answer with `raw`."""
    value: float = 0
    text: str = ""
    raw: bytes = b""
    method: str = ""
    """Regular expression for the whole method; "" for any."""
    path: str = ""
    """Regular expression to be found in path and query; "" for any."""
    count: int | None = None
    """How many requests it still takes; `None` for all."""

    def fits(self, request: Request) -> bool:
        if self.count == 0 or (self.method and not re.fullmatch(self.method, request.method)):
            return False
        return re.search(self.path, request.path) is not None


@dataclass(frozen=True)
class Request:
    """What a client asked."""

    method: str
    path: str
    """With the query."""
    headers: dict[str, str]
    """Names in lower case."""


class Proxy:
    """A running proxy; leave the block to stop it."""

    def __init__(self, upstream_url: str) -> None:
        parts = urlsplit(upstream_url)
        self.upstream = parts.hostname or "", parts.port or 80
        self.requests: Counter[str] = Counter()
        """Method → requests that came, failed ones included."""
        self.seen: deque[Request] = deque(maxlen=_REMEMBERED)
        self.up: Callable[[bytes], bytes] = bytes
        """May change heads and blocks of bodies on their way to the server; a body must keep its length."""
        self.down: Callable[[bytes], bytes] = bytes
        """The same on the way back."""
        self.ended = threading.Event()
        self._faults: list[Fault] = []
        self._lock = threading.Lock()
        self._open: set[socket.socket] = set()
        self._server: _Server | None = None
        self._port = 0
        self.listen()
        self.url = f"http://127.0.0.1:{self._port}"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop_listening()

    @property
    def total(self) -> int:
        """All requests that came."""
        return self.requests.total()

    def add(self, action: Action, value: float = 0, **more: str | bytes | int | None) -> Fault:
        """Let a fault begin; *more*: the other fields of Fault. Returns it, for `remove`."""
        fault = Fault(action, value, **more)  # type: ignore[arg-type]
        with self._lock:
            self._faults.append(fault)
        return fault

    def remove(self, fault: Fault) -> None:
        with self._lock:
            self._faults.remove(fault)

    def clear(self) -> None:
        """End all faults and changes, and set the counters to nothing."""
        self.up = self.down = bytes
        with self._lock:
            self._faults.clear()
            self.requests.clear()
            self.seen.clear()

    def listen(self) -> None:
        """Take connections, again at the same port after `stop_listening`."""
        if self._server is None:
            self.ended.clear()
            self._server = _Server(("127.0.0.1", self._port), _Connection, self)
            self._port = self._server.server_address[1]
            threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}).start()

    def stop_listening(self) -> None:
        """Cut all connections and take no more: connecting is refused by the system, as where no server runs."""
        if self._server is None:
            return
        self.ended.set()
        self._server.shutdown()
        with self._lock:
            for one in self._open:
                with contextlib.suppress(OSError):
                    one.shutdown(socket.SHUT_RDWR)
        self._server.server_close()  # waits for the threads of all connections
        self._server = None

    def take(self, request: Request) -> dict[str, Fault]:
        """Note *request* and return the faults that hold for it, by action."""
        with self._lock:
            self.requests[request.method] += 1
            self.seen.append(request)
            found = [fault for fault in self._faults if fault.fits(request)]
            for fault in found:
                if fault.count is not None:
                    fault.count -= 1
        return {fault.action: fault for fault in found}

    @contextlib.contextmanager
    def holding(self, one: socket.socket) -> Iterator[None]:
        """Keep *one* where `stop_listening` finds it."""
        with self._lock:
            self._open.add(one)
        try:
            yield
        finally:
            with self._lock:
                self._open.discard(one)


class _Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    request_queue_size = 64

    def __init__(self, address: tuple[str, int], handler: type[_Connection], proxy: Proxy) -> None:
        super().__init__(address, handler)
        self.proxy = proxy

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing: broken connections are what this is for."""


class _Cut(Exception):
    """The connection is to be reset."""


class _Stream:
    """Lines and blocks out of a socket."""

    def __init__(self, source: socket.socket) -> None:
        self.socket = source
        self._held = b""

    def head(self) -> bytes:
        """Return all up to the empty line; b"" at the end."""
        while b"\r\n\r\n" not in self._held:
            if not self._fill():
                return b""
        head, end, self._held = self._held.partition(b"\r\n\r\n")
        return head + end

    def line(self) -> bytes:
        while b"\r\n" not in self._held:
            if not self._fill():
                raise _Cut
        line, end, self._held = self._held.partition(b"\r\n")
        return line + end

    def blocks(self, length: int | None) -> Iterator[bytes]:
        """Yield *length* bytes, or all to the end."""
        while length is None or length > 0:
            if not self._held and not self._fill():
                if length is None:
                    return
                raise _Cut
            block = self._held[:length]
            self._held = self._held[len(block) :]
            length = None if length is None else length - len(block)
            yield block

    def chunks(self) -> Iterator[bytes]:
        """Yield a chunked body as it is."""
        while True:
            line = self.line()
            yield line
            size = int(line.split(b";")[0], 16)
            if size:
                yield from self.blocks(size)
            end = self.line()
            yield end
            if not size and end == b"\r\n":
                return

    def _fill(self) -> bool:
        block = self.socket.recv(_BLOCK_BYTES)
        self._held += block
        return bool(block)


class _Connection(socketserver.BaseRequestHandler):
    server: _Server
    request: socket.socket

    def handle(self) -> None:
        proxy = self.server.proxy
        self.request.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with proxy.holding(self.request):
            upstream: socket.socket | None = None
            client = _Stream(self.request)
            try:
                while head := client.head():
                    request = _read_request(head)
                    faults = proxy.take(request)
                    if self._answer_alone(faults):
                        return
                    if upstream is None:
                        upstream = socket.create_connection(proxy.upstream)
                        upstream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                        server = _Stream(upstream)
                    with proxy.holding(upstream):
                        if not self._pass_on(client, server, head, request, faults):
                            return
            except (_Cut, OSError):
                _reset(self.request)
            finally:
                if upstream is not None:
                    upstream.close()

    def _answer_alone(self, faults: dict[str, Fault]) -> bool:
        """Do what the server must not hear of; whether that was all."""
        if "refuse" in faults:
            raise _Cut
        if "latency" in faults and self.server.proxy.ended.wait(faults["latency"].value):
            raise _Cut
        if "blackhole" in faults:
            while self.request.recv(_BLOCK_BYTES):
                pass
            raise _Cut
        if "answer" in faults:
            self.request.sendall(faults["answer"].raw)
        elif "status" in faults:
            self.request.sendall(_error_answer(int(faults["status"].value), faults["status"].text))
        else:
            return False
        # The client may still be sending its body; closing under it would be a reset.
        self.request.shutdown(socket.SHUT_WR)
        self.request.settimeout(5)
        while self.request.recv(_BLOCK_BYTES):
            pass
        return True

    def _pass_on(
        self, client: _Stream, server: _Stream, head: bytes, request: Request, faults: dict[str, Fault]
    ) -> bool:
        """Take one request to the server and its answer back; whether the connection may go on."""
        proxy = self.server.proxy
        server.socket.sendall(proxy.up(head))
        answer = b""
        if request.headers.get("expect", "").lower() == "100-continue":
            answer = server.head()
            if answer.startswith(b"HTTP/1.1 100"):
                client.socket.sendall(answer)
                answer = b""
        if not answer:
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # it may have answered early and left
                self._pump(_body_of_request(client, request), server.socket, proxy.up, faults, "reset_up")
            answer = server.head()
        if not answer:
            raise _Cut
        about = _read_headers(answer)
        status = int(answer.split(b" ", 2)[1])
        body = _body_of_answer(server, about, has_body=request.method != "HEAD" and status not in {204, 304})
        if "lose_answer" in faults:
            deque(body, maxlen=0)
            raise _Cut
        if "skew" in faults:
            answer = _shift_date(answer, about, faults["skew"].value)
        client.socket.sendall(proxy.down(answer))
        self._pump(body, client.socket, proxy.down, faults, "reset_down")
        ends = {request.headers.get("connection", "").lower(), about.get("connection", "").lower()}
        framed = request.method == "HEAD" or {"content-length", "transfer-encoding"} & about.keys()
        return "close" not in ends and bool(framed or status in {204, 304})

    def _pump(
        self,
        body: Iterator[bytes],
        target: socket.socket,
        change: Callable[[bytes], bytes],
        faults: dict[str, Fault],
        reset: Literal["reset_up", "reset_down"],
    ) -> None:
        left = faults[reset].value if reset in faults else float("inf")
        for block in body:
            if len(block) >= left:
                target.sendall(block[: int(left)])
                raise _Cut
            left -= len(block)
            if "rate" in faults and self.server.proxy.ended.wait(len(block) / faults["rate"].value):
                raise _Cut
            target.sendall(change(block))


def _read_request(head: bytes) -> Request:
    method, path, _ = head.split(b"\r\n", 1)[0].decode("latin-1").split(" ", 2)
    return Request(method, path, _read_headers(head))


def _read_headers(head: bytes) -> dict[str, str]:
    lines = head.decode("latin-1").split("\r\n")[1:-2]
    return {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}


def _body_of_request(client: _Stream, request: Request) -> Iterator[bytes]:
    if request.headers.get("transfer-encoding", "").lower() == "chunked":
        return client.chunks()
    return client.blocks(int(request.headers.get("content-length", "0")))


def _body_of_answer(server: _Stream, about: dict[str, str], *, has_body: bool) -> Iterator[bytes]:
    if not has_body:
        return iter(())
    if about.get("transfer-encoding", "").lower() == "chunked":
        return server.chunks()
    return server.blocks(int(about["content-length"]) if "content-length" in about else None)


def _error_answer(status: int, code: str) -> bytes:
    body = f"<Error><Code>{code}</Code><Message>a fault of the proxy</Message></Error>".encode()
    head = f"HTTP/1.1 {status} {_REASONS.get(status, 'Fault')}\r\nContent-Type: application/xml\r\n"
    return head.encode() + b"Content-Length: %d\r\nConnection: close\r\n\r\n%b" % (len(body), body)


def _shift_date(answer: bytes, about: dict[str, str], seconds: float) -> bytes:
    moved = parsedate_to_datetime(about["date"]) + timedelta(seconds=seconds)
    return re.sub(rb"(?im)^date:[^\r]*", b"Date: " + format_datetime(moved, usegmt=True).encode(), answer)


def _reset(one: socket.socket) -> None:
    """Close with RST in place of FIN."""
    with contextlib.suppress(OSError):
        one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    one.close()
