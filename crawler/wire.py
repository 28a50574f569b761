"""What goes over a socket below the HTTP client: the head of an answer byte for byte, the peer, the TLS session.

A tap stands between transport and client. It keeps one head at a time, up to a limit, and hands the client a plain one
that says no more than where the message ends: so no odd header of a server costs a page. Bodies pass as they are.
"""

from __future__ import annotations

import asyncio
import hashlib
import re
import ssl
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, cast

from crawler.model import TlsSession
from crawler.rows import Certificate

if TYPE_CHECKING:
    from collections.abc import Callable
    from ssl import SSLObject

_END = re.compile(rb"\r?\n\r?\n")
_LINE_END = re.compile(rb"\r?\n")
_FOLD = re.compile(rb"\r?\n[ \t]+")
_INTERIM = re.compile(rb"HTTP/\d\.\d 1(?!01)\d\d\b")
_STATUS_LINE = re.compile(rb"HTTP/(\d)\.(\d) +(\d{3})(?: [^\r\n]*)?\r?\n")
_BEGINNING = b"HTTP/"
_OVERLAP = 3
"""An end of headers may lie across two pieces."""
_FRAMING = frozenset({b"content-length", b"transfer-encoding", b"connection"})
"""Headers that say where a message ends."""
_CHUNK_SIZE = re.compile(rb"[ \t]*0*([0-9a-fA-F]{1,15})(?![0-9a-fA-F])")
_BODILESS = frozenset({101, 204, 304})
_MAX_CHUNK_LINE = 16 * 1024
_MAX_ISSUER_CHARS = 100


class _Framing:
    """Tells where a message ends, so that what a server sends beyond it spoils neither this answer nor the next."""

    def __init__(self, head: bytes) -> None:
        fields: dict[bytes, list[bytes]] = {}
        for line in _unfold(head).lower().split(b"\n")[1:]:
            name, colon, value = line.partition(b":")
            if colon and (name := name.rstrip(b" \t")) in _FRAMING:
                values = value.partition(b"\r")[0].split(b",")
                fields.setdefault(name, []).extend([one.strip() for one in values])
        codings, lengths = fields.get(b"transfer-encoding", []), set(fields.get(b"content-length", []))
        self._connection = [word for word in fields.get(b"connection", []) if word.isalnum() or b"-" in word][:4]
        self._version = head[5:8]
        self._status = read_status(head) or 0
        self._chunked = bool(codings) and codings[-1].lower() == b"chunked"
        self._left: int | None = None
        """Bytes of the body, or of the chunk, that are still to come; `None`: until the connection ends."""
        self._line = b""
        self._last = False
        self.ended = self._status in _BODILESS
        length = lengths.pop() if len(lengths) == 1 and not codings else b""  # RFC 9112 § 6.3: coding before length
        if length.isdigit() and len(length) < 19:
            self._left = int(length)
            self.ended = self.ended or not self._left

    def plain_head(self) -> bytes:
        """Return a head that says the same of the message's end, and nothing else."""
        lines = [b"HTTP/%s %d" % (self._version, self._status)]
        if self._chunked:
            lines.append(b"Transfer-Encoding: chunked")
        elif self._left is not None and self._status not in _BODILESS:
            lines.append(b"Content-Length: %d" % self._left)
        lines += [b"Connection: " + word for word in self._connection if word.lower() in {b"close", b"keep-alive"}]
        return b"\r\n".join(lines) + b"\r\n\r\n"

    def take(self, data: bytes) -> int:
        """Return how many bytes of *data* belong to the message."""
        if self.ended:
            return 0
        if self._chunked:
            return self._take_chunks(data)
        if self._left is None:
            return len(data)
        taken = min(self._left, len(data))
        self._left -= taken
        self.ended = not self._left
        return taken

    def _take_chunks(self, data: bytes) -> int:
        at = 0
        while at < len(data) and not self.ended:
            if self._left:
                step = min(self._left, len(data) - at)
                self._left -= step
                at += step
                continue
            newline = data.find(b"\n", at)
            stop = len(data) if newline == -1 else newline + 1
            self._line += data[at:stop]
            at = stop
            if newline != -1:
                self._end_line()
            elif len(self._line) > _MAX_CHUNK_LINE:
                self._chunked, self._left = False, None  # no chunks at all: the client is to judge the rest
                return len(data)
        return at

    def _end_line(self) -> None:
        line, self._line = self._line.strip(b"\r\n"), b""
        if self._last:  # in the trailers, which an empty line ends
            self.ended = not line
        elif match := _CHUNK_SIZE.match(line):
            self._left = int(match[1], 16)
            self._last = not self._left


class WireTap(asyncio.Protocol):
    """Passes a connection's bytes on to the client's protocol and keeps the head of the current answer."""

    def __init__(self, transport: asyncio.Transport, limit: int) -> None:
        self.too_long = False
        self.received = False
        """Whether a byte of the current answer has come."""
        self.lost = False
        """Whether the connection has ended."""
        self.on_lost: Callable[[], None] | None = None
        """Called when the connection ends; for the current answer only."""
        self._framing: _Framing | None = None
        self._passed_head = False
        self._foreign = False
        """Whether what comes is no HTTP at all: the client is to say so."""
        self._transport = transport
        self._inner = cast("asyncio.Protocol", transport.get_protocol())
        self._limit = limit
        self._held = bytearray()
        self._end: int | None = None
        """Of the head in what is held; `None`: it has not ended yet."""
        name = transport.get_extra_info("peername")
        self.peer = str(name[0]) if name else None
        session = transport.get_extra_info("ssl_object")
        self.tls = _describe_tls(session)
        self.certificate = read_certificate(session)

    @classmethod
    def on(cls, transport: asyncio.Transport, limit: int) -> WireTap:
        """Return the tap on *transport*, put there if need be, ready for the next answer."""
        tap = transport.get_protocol()
        if not isinstance(tap, WireTap):
            tap = cls(transport, limit)
            transport.set_protocol(tap)
        tap._held.clear()
        tap._end, tap._framing, tap.on_lost = None, None, None
        tap.too_long = tap.received = tap._foreign = tap._passed_head = False
        return tap

    @property
    def head(self) -> bytes | None:
        """The head of the final answer, each line ended by CR LF, and the empty line; `None` while it is not whole."""
        return None if self._end is None else _end_lines(bytes(self._held[: self._end])) + b"\r\n"

    @property
    def partial_head(self) -> bytes | None:
        """What came of a head: its whole lines and an empty one; `None` if there was not even a status line."""
        whole = bytes(self._held[: self._end or self._held.rfind(b"\n") + 1])
        if not _STATUS_LINE.match(whole) or _INTERIM.match(whole):
            return None
        return _end_lines(whole) + b"\r\n"

    def data_received(self, data: bytes) -> None:
        """Keep what belongs to the head, pass on what belongs to the message.

        A head beyond the limit ends the connection, and so does anything beyond the message.
        """
        self.received = True
        if self._foreign:
            self._inner.data_received(data)
            return
        if self._framing is None:
            data = data[self._keep(data) :]
        framing = self._framing
        if framing is None:
            return
        if not self._passed_head:
            self._passed_head = True
            self._inner.data_received(framing.plain_head())
        end = framing.take(data)
        if end:
            self._inner.data_received(data[:end] if end < len(data) else data)
        if end < len(data):
            self._transport.close()

    def _keep(self, data: bytes) -> int:
        """Add *data* to the head; return where the body begins in it, if the head ends there, else its length."""
        held = self._held
        if not held and (end := _find_plain_end(data, self._limit)) is not None:
            self._held[:] = data[:end]
            self._end = end
            self._framing = _Framing(data[:end])
            return end
        start, before = max(0, len(held) - _OVERLAP), len(held)
        held += data
        skipped = len(held) - len(held.lstrip(b"\r\n")) if not before else 0
        del held[:skipped]
        if not held.startswith(_BEGINNING[: len(held)]):
            self._foreign = True
            self._inner.data_received(bytes(held))
            return len(data)
        while (found := _END.search(held, start)) is not None:
            if not _INTERIM.match(held):
                self._end = found.end()
                break
            skipped += found.end()
            del held[: found.end()]  # an interim answer: the one that counts follows
            start = 0
        if (len(held) if self._end is None else self._end) > self._limit:
            self.too_long, self._end = True, None
            del held[self._limit :]
            self._transport.abort()
        if self._end is None:
            return len(data)
        del held[self._end :]
        if not _STATUS_LINE.match(held):
            self._foreign, self._end = True, None
            self._inner.data_received(bytes(held))
            return len(data)
        self._framing = _Framing(bytes(held))
        return self._end + skipped - before

    def close(self) -> None:
        """End the connection; it is not used again."""
        self._transport.close()

    def eof_received(self) -> bool | None:
        """Pass it on."""
        return self._inner.eof_received()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Pass it on."""
        self._inner.connection_made(transport)

    def connection_lost(self, exc: Exception | None) -> None:
        """Pass it on, and tell who waits for the current answer."""
        self.lost = True
        self._inner.connection_lost(exc)
        if self.on_lost is not None:
            self.on_lost()

    def pause_writing(self) -> None:
        """Pass it on."""
        self._inner.pause_writing()

    def resume_writing(self) -> None:
        """Pass it on."""
        self._inner.resume_writing()


def read_status(head: bytes) -> int | None:
    """Return the status of *head*'s first line, or `None` if that is no status line."""
    match = _STATUS_LINE.match(head)
    return int(match[3]) if match else None


def read_cookies(head: bytes) -> list[tuple[bytes, bytes]]:
    """Return the Set-Cookie lines of *head* as names and values, unfolded: all that Scrapy is told of the headers."""
    if b"set-cookie" not in head.lower():  # and no more work for most pages
        return []
    lines = (line.partition(b":") for line in _LINE_END.split(_unfold(head))[1:])
    return [(name.strip(), value.strip()) for name, _, value in lines if name.strip().lower() == b"set-cookie"]


def _find_plain_end(data: bytes, limit: int) -> int | None:
    """Return where the head that *data* begins with ends, if it is one that needs no second look, as nearly all are."""
    end = data.find(b"\r\n\r\n", 0, limit) + 4
    head = data[:end] if end > 4 else b""
    if head.count(b"\n") != head.count(b"\r\n") or not _STATUS_LINE.match(head) or _INTERIM.match(head):
        return None
    return end


def _unfold(head: bytes) -> bytes:
    return _FOLD.sub(b" ", head) if b"\n " in head or b"\n\t" in head else head


def _end_lines(head: bytes) -> bytes:
    """Return the lines of *head* without the empty one at its end, each ended by CR LF."""
    if head.find(b"\r\n\r\n") == len(head) - 4 >= 0 and head.count(b"\n") == head.count(b"\r\n"):
        return head[:-2]
    return b"".join(line + b"\r\n" for line in _LINE_END.split(head) if line)


def read_certificate(session: SSLObject | None) -> Certificate | None:
    """Return what the peer's certificate says of its end; `None` if there is none, or it was not verified."""
    told: dict[str, Any] | None = session.getpeercert() if session is not None else None
    if not told:
        return None
    try:
        begin, end = (
            datetime.fromtimestamp(ssl.cert_time_to_seconds(str(told[name])), UTC) for name in ("notBefore", "notAfter")
        )
    except (KeyError, OverflowError, ValueError):  # a year that no calendar has
        return None
    names = {name: value for part in told.get("issuer", ()) for name, value in part}
    issuer = str(names.get("organizationName") or names.get("commonName") or "")
    shown = "".join(char for char in issuer if char.isprintable())[:_MAX_ISSUER_CHARS]
    return Certificate(begin, end, shown or None)


def _describe_tls(session: SSLObject | None) -> TlsSession | None:
    if session is None:
        return None
    cipher, certificate = session.cipher(), session.getpeercert(binary_form=True)
    return TlsSession(
        version=session.version() or "",
        cipher=cipher[0] if cipher else "",
        certificate="sha256:" + hashlib.sha256(certificate or b"").hexdigest(),
    )
