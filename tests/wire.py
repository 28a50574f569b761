"""A server of raw bytes that logs both directions, and an independent reading of what it sent: what a record must say.

Shares no code with the crawler: the reference parser below is the judge of `tests/contract/test_wire.py`.
"""

from __future__ import annotations

import contextlib
import re
import socket
import ssl
import struct
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

END = re.compile(rb"\r?\n\r?\n")
BODILESS = frozenset({204, 304})


@dataclass(frozen=True)
class Pause:
    """Send nothing for that long, or until the client goes away."""

    seconds: float


RESET = "reset"
CLOSE = "close"
Step = bytes | Pause | str


@dataclass(frozen=True)
class Case:
    """One path and what the server does when it is asked for."""

    name: str
    script: tuple[Step, ...]
    target: str = ""
    """Path and query as requested; by default made of the name."""
    truncated: str | None = None
    """What the record must say was cut."""
    error: str | None = None
    """What must stand in the row of a capture without a record."""
    host: str | None = None
    """Host name in the URL; by default the server's address."""
    kept_bytes: int | None = None
    """How much of the body must be kept where it is cut; by default all that was sent."""
    head: bytes | None = None
    """The head that must be kept where it is cut by a limit; by default the lines that were sent whole."""

    @property
    def path(self) -> str:
        return self.target or f"/{self.name}"


@dataclass
class Conversation:
    """What went over one connection for one request."""

    connection: int
    received: bytes
    sent: bytearray = field(default_factory=bytearray)


class WireServer:
    """Plays the cases' scripts on loopback and keeps every byte of both directions."""

    def __init__(self, cases: list[Case], *, address: str = "127.0.0.1", tls: ssl.SSLContext | None = None) -> None:
        self.log: dict[str, list[Conversation]] = {}
        """Request target → its conversations, in order."""
        self.cases = {case.path: case for case in cases}
        """By request target; may be changed while it runs."""
        self._tls = tls
        self._stopping = threading.Event()
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        self._listener = socket.socket(family)
        self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._listener.bind((address, 0))
        self._listener.listen(64)
        self._listener.settimeout(0.1)
        self.port: int = self._listener.getsockname()[1]
        self._threads: list[threading.Thread] = []
        self._acceptor = threading.Thread(target=self._accept)

    def __enter__(self) -> Self:
        self._acceptor.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        self._acceptor.join()
        for thread in self._threads:
            thread.join(10)
        self._listener.close()

    def _accept(self) -> None:
        while not self._stopping.is_set():
            try:
                client, _ = self._listener.accept()
            except TimeoutError:
                continue
            thread = threading.Thread(target=self._serve, args=(client, len(self._threads)))
            self._threads.append(thread)
            thread.start()

    def _serve(self, client: socket.socket, number: int) -> None:
        client.settimeout(0.1)
        with contextlib.suppress(OSError, ssl.SSLError):
            if self._tls is not None:
                client.settimeout(5)
                client = self._tls.wrap_socket(client, server_side=True)
                client.settimeout(0.1)
            with client:
                while (received := self._read_request(client)) is not None and self._answer(client, number, received):
                    pass

    def _read_request(self, client: socket.socket) -> bytes | None:
        received = b""
        while not self._stopping.is_set():
            try:
                piece = client.recv(65_536)
            except TimeoutError:
                continue
            if not piece:
                return None
            received += piece
            if b"\r\n\r\n" in received:
                return received
        return None

    def _answer(self, client: socket.socket, number: int, received: bytes) -> bool:
        """Play the script of what is asked for; tell whether the connection is still to be used."""
        target = received.split(b" ", 2)[1].decode("latin-1")
        conversation = Conversation(number, received)
        self.log.setdefault(target, []).append(conversation)
        case = self.cases.get(target)
        for step in case.script if case else (b"HTTP/1.1 404 Not Found\r\nContent-Length: 4\r\n\r\nnone",):
            if isinstance(step, Pause):
                self._stopping.wait(step.seconds)
            elif isinstance(step, bytes):
                client.sendall(step)
                conversation.sent += step
            else:
                if step == RESET:
                    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                return False
        return True


@dataclass(frozen=True)
class Message:
    """What the bytes of an answer mean after the normalisations that FORMAT.md § 5 names, and no others."""

    head: bytes
    status: int
    body: bytes
    whole: bool


def read_message(sent: bytes) -> Message | None:
    """Return the final answer in *sent*; `None` if not even its status line is whole."""
    rest = sent.lstrip(b"\r\n")
    while (end := END.search(rest)) is not None:
        status = _status(rest)
        if status is None or not 100 <= status < 200:
            break
        rest = rest[end.end() :]
    if end is None:
        lines = rest.split(b"\n")[:-1]
        head, body, headed = b"\n".join(lines), b"", False
    else:
        head, body, headed = rest[: end.start()], rest[end.end() :], True
    status = _status(head + b"\r\n")
    if status is None:
        return None
    lines = [line.removesuffix(b"\r") for line in head.split(b"\n")]
    head = b"".join(line + b"\r\n" for line in lines) + b"\r\n"
    if not headed:
        return Message(head, status, b"", whole=False)
    body, whole = _read_body(status, head, body)
    return Message(head, status, body, whole=whole)


def _status(head: bytes) -> int | None:
    match = re.match(rb"HTTP/\d\.\d +(\d{3})(?: [^\r\n]*)?\r?\n", head)
    return int(match[1]) if match else None


def _read_body(status: int, head: bytes, rest: bytes) -> tuple[bytes, bool]:
    if status in BODILESS:
        return b"", True
    unfolded = re.sub(rb"\r\n[ \t]+", b" ", head)
    fields = [line.partition(b":") for line in unfolded.split(b"\r\n")[1:] if line]
    values = {name.strip().lower(): value.strip() for name, _, value in fields}
    if values.get(b"transfer-encoding", b"").lower() == b"chunked":
        return _read_chunks(rest)
    if b"content-length" in values:
        size = int(values[b"content-length"])
        return rest[:size], len(rest) >= size
    return rest, True


def _read_chunks(rest: bytes) -> tuple[bytes, bool]:
    body = b""
    while True:
        line, newline, rest = rest.partition(b"\n")
        if not newline:
            return body, False
        digits = line.split(b";")[0].strip()
        if not re.fullmatch(rb"[0-9a-fA-F]+", digits):
            return body, False
        size = int(digits, 16)
        if size == 0:
            return body, rest.startswith(b"\r\n") or b"\r\n\r\n" in rest
        body, whole = body + rest[:size], len(rest) >= size + 2
        if not whole:
            return body, False
        rest = rest[size + 2 :]


def find_differences(
    case: Case,
    conversation: Conversation,
    *,
    request: bytes,
    response: bytes,
    truncated: str | None,
    change: Callable[[bytes], bytes] = bytes,
) -> Iterator[str]:
    """Yield where a record differs from the log. *request*, *response*: blocks of the two records.

    *change* is put to the log first: the control, which must make a difference.
    """
    if request != change(conversation.received):
        yield f"{case.name}: the request record is {request!r}, sent was {conversation.received!r}"
    message = read_message(change(bytes(conversation.sent)))
    if message is None:
        yield f"{case.name}: a record, but no status line was sent"
        return
    head, end, body = response.partition(b"\r\n\r\n")
    expected = message.head if case.head is None else change(case.head)
    if head + end != expected:
        yield f"{case.name}: the head is {head + end!r}, expected {expected!r}"
    if truncated != case.truncated:
        yield f"{case.name}: the record says truncated {truncated}, expected {case.truncated}"
    if truncated is None and (body != message.body or not message.whole):
        yield f"{case.name}: a body of {len(body)} bytes, sent were {len(message.body)}, whole: {message.whole}"
    if truncated is not None and body != message.body[: case.kept_bytes]:
        yield f"{case.name}: a cut body of {len(body)} bytes, expected the first {case.kept_bytes or 'that were sent'}"
