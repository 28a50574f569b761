"""A news site of three hosts over HTTPS on one loopback port, for tests and the demo.

Clients reach it under the real host names by `Site.resolve` and trust it by `Site.ca_file`, a throwaway authority.
It never listens anywhere but on 127.0.0.1. By hand: `python -m tests.site.server`.
"""

from __future__ import annotations

import gzip
import json
import socket
import ssl
import sys
import tempfile
import threading
from collections import Counter
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Self
from urllib.parse import quote, unquote, urlsplit

import trustme

from tests.site.pages import HOSTS, PHASES, SEED_URL, Answer, Phase, State, answer

if TYPE_CHECKING:
    from types import TracebackType

CONTROL = "/__site__/"
_IDLE_SECONDS = 30
_GZIP_ABOVE_BYTES = 256
_Address = tuple[str, int]


@dataclass(frozen=True, slots=True)
class Request:
    """One request that the site has answered, in the order of its arrival."""

    method: str
    url: str
    """Of the real host, without the port: as a crawler means it."""
    status: int
    headers: tuple[tuple[str, str], ...]

    @property
    def path(self) -> str:
        """The URL's path, percent-encoded, without its query."""
        return urlsplit(self.url).path

    def header(self, name: str) -> str | None:
        """Return the first value of header *name*, or `None`."""
        return next((value for key, value in self.headers if key.lower() == name.lower()), None)


class Site:
    """The running site: start it with `with Site() as site:`, then change what the publisher does."""

    def __init__(self, state: State | None = None) -> None:
        self.state = state or State()
        self.answers: dict[str, Answer] = {}
        """URL (path percent-encoded) → what it answers in place of its page: for faults and hostile input."""
        self.stopping = threading.Event()
        self._requests: list[Request] = []
        self._lock = threading.Lock()
        self._folder = tempfile.TemporaryDirectory(prefix="ofrecord-site-")
        authority = trustme.CA()
        self.ca_file = Path(self._folder.name) / "ca.pem"
        """PEM file of the authority that signed the hosts' certificates."""
        authority.cert_pem.write_to_path(str(self.ca_file))
        self._server = _Server(self, authority)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), name="site")

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def stop(self) -> None:
        """Stop answering, end every connection and thread, remove the certificate. Raises what a handler raised."""
        self.stopping.set()
        self._server.shutdown()
        self._thread.join()
        self._server.close_connections()
        self._server.server_close()
        self._folder.cleanup()
        if self._server.faults:
            raise ExceptionGroup("the test site itself failed", self._server.faults)

    def change_certificates(self, end: datetime) -> None:
        """Give every host another certificate, which ends then and was made for ninety days."""
        self._server.make_contexts(end)

    @property
    def port(self) -> int:
        """The loopback port."""
        return self._server.server_port

    @property
    def resolve(self) -> list[str]:
        """Where each host is to be had, as the setting `resolve` takes it: `host:port:address:port`."""
        return [f"{host}:443:127.0.0.1:{self.port}" for host in HOSTS]

    @property
    def phase(self) -> Phase:
        """What the seed article's URL answers."""
        return self.state.phase

    @phase.setter
    def phase(self, phase: Phase) -> None:
        self.state = replace(self.state, phase=phase)

    @property
    def live(self) -> Literal[1, 2]:
        """How far the live blog is."""
        return self.state.live

    @live.setter
    def live(self, live: Literal[1, 2]) -> None:
        self.state = replace(self.state, live=live)

    @property
    def hard404(self) -> bool:
        """Whether unknown paths answer an honest 404."""
        return self.state.hard404

    @hard404.setter
    def hard404(self, hard404: bool) -> None:
        self.state = replace(self.state, hard404=hard404)

    @property
    def requests(self) -> list[Request]:
        """Every request since the start or since `forget_requests`."""
        with self._lock:
            return list(self._requests)

    def count_requests(self) -> Counter[str]:
        """Return how often each URL was asked for."""
        return Counter(request.url for request in self.requests)

    def forget_requests(self) -> None:
        """Empty the request log."""
        with self._lock:
            self._requests.clear()

    def note_request(self, request: Request) -> None:
        """Append to the request log."""
        with self._lock:
            self._requests.append(request)

    def control(self, words: list[str]) -> Answer:
        """Obey a control URL: `phase/edited`, `live/2`, `hard404/1`, `state`, `requests`; answer with JSON."""
        data: object
        try:
            match words:
                case ["phase", value]:
                    self.state = replace(self.state, phase=value)  # type: ignore[arg-type]  # State checks it
                case ["live", value]:
                    self.state = replace(self.state, live=int(value))  # type: ignore[arg-type]  # State checks it
                case ["hard404", "0" | "1" as value]:
                    self.hard404 = value == "1"
                case ["state"] | ["requests"]:
                    pass
                case _:
                    raise ValueError(f"no control called {'/'.join(words)!r}")
        except ValueError as error:
            return Answer(400, f"{error}\n".encode(), "text/plain; charset=utf-8")
        data = [asdict(request) for request in self.requests] if words == ["requests"] else asdict(self.state)
        return Answer(200, json.dumps(data, indent=1).encode() + b"\n", "application/json")


class _Server(ThreadingHTTPServer):
    """One thread a connection; joins them all when it closes, so that nothing outlives a test."""

    daemon_threads = False
    block_on_close = True
    request_queue_size = 128

    def __init__(self, site: Site, authority: trustme.CA) -> None:
        self.site = site
        self.faults: list[Exception] = []
        self._connections: set[socket.socket] = set()
        self._authority = authority
        self.make_contexts(None)
        self._context = _make_context(authority, "localhost", "127.0.0.1")
        self._context.sni_callback = self._choose_certificate
        super().__init__(("127.0.0.1", 0), _Handler)

    def make_contexts(self, end: datetime | None) -> None:
        """Make a certificate for each host. *end*: when they end, 90 days after they begin; `None`: in many years."""
        self._contexts = {host: _make_context(self._authority, host, end=end) for host in HOSTS}

    def _choose_certificate(self, connection: ssl.SSLObject, name: str | None, _: ssl.SSLContext) -> None:
        if name in self._contexts:
            connection.context = self._contexts[name]

    def get_request(self) -> tuple[ssl.SSLSocket, _Address]:
        """Accept a connection; its handshake is left to its own thread, so a slow client delays nobody."""
        plain, address = super().get_request()
        plain.settimeout(_IDLE_SECONDS)
        connection = self._context.wrap_socket(plain, server_side=True, do_handshake_on_connect=False)
        self._connections.add(connection)
        return connection, address

    def shutdown_request(self, request: socket.socket | tuple[bytes, socket.socket]) -> None:
        """Forget the connection and close it."""
        self._connections.discard(request)
        super().shutdown_request(request)

    def close_connections(self) -> None:
        """Wake every thread that waits for its client."""
        for connection in list(self._connections):
            try:
                # Past SSLSocket.shutdown, which would drop the TLS state under the thread that reads from it.
                socket.socket.shutdown(connection, socket.SHUT_RDWR)
            except OSError:
                continue

    def handle_error(self, request: object, client_address: object) -> None:  # noqa: ARG002 (given by socketserver)
        """Pass over clients that hang up or refuse our certificate; keep every other fault for `Site.stop`."""
        error = sys.exception()
        if isinstance(error, Exception) and not isinstance(error, OSError):
            self.faults.append(error)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server
    request: ssl.SSLSocket

    def setup(self) -> None:
        self.request.do_handshake()
        super().setup()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (the base class names it so)
        """Say nothing: `Site.requests` is the log."""

    def do_GET(self) -> None:
        """Answer GET and HEAD."""
        target = urlsplit(self.path)
        host = (self.headers.get("Host") or "").partition(":")[0].lower()
        site = self.server.site
        if target.path.startswith(CONTROL):
            self._send(site.control(target.path.removeprefix(CONTROL).split("/")))
            return
        path = quote(unquote(target.path)) or "/"
        url = f"https://{host}{path}" + (f"?{target.query}" if target.query else "")
        if host not in HOSTS:
            reply = Answer(421, f"no host called {host!r} here\n".encode(), "text/plain; charset=utf-8")
        else:
            reply = site.answers.get(url) or answer(host, path, site.state)
        status = self._send(reply)
        site.note_request(Request(self.command, url, status, tuple(self.headers.items())))

    do_HEAD = do_GET  # noqa: N815 (http.server looks for this name)

    def _send(self, reply: Answer) -> int:
        """Send *reply* as the request's headers ask for it; return the status sent."""
        if reply.delay_seconds and self.server.site.stopping.wait(reply.delay_seconds):
            self.close_connection = True
            return reply.status
        if reply.status == 200 and self.headers.get("If-None-Match") == reply.etag:
            self._send_head(304, ("ETag", reply.etag), ("Vary", "Accept-Encoding"), *reply.headers)
            return 304
        body = reply.body
        headers = [("Content-Type", reply.media_type), ("ETag", reply.etag), ("Vary", "Accept-Encoding")]
        if len(body) > _GZIP_ABOVE_BYTES and "gzip" in self.headers.get("Accept-Encoding", ""):
            body = gzip.compress(body, mtime=0)
            headers.append(("Content-Encoding", "gzip"))
        self._send_head(reply.status, *headers, *reply.headers, ("Content-Length", str(len(body))))
        if self.command != "HEAD":
            self.wfile.write(body[: reply.cut_bytes])
        if reply.cut_bytes is not None:
            self.close_connection = True
        return reply.status

    def _send_head(self, status: int, *headers: tuple[str, str]) -> None:
        self.send_response_only(status)
        for name, value in (("Date", self.date_time_string()), *headers):
            self.send_header(name, value)
        self.end_headers()


def _make_context(authority: trustme.CA, *names: str, end: datetime | None = None) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    begin = None if end is None else end - timedelta(days=90)
    authority.issue_cert(*names, not_before=begin, not_after=end).configure_cert(context)
    return context


def main() -> None:
    """Serve until interrupted, and say how to reach the site."""
    with Site() as site:
        sys.stdout.write(
            f"OFRECORD_CA_FILE={site.ca_file}\n"
            f"OFRECORD_RESOLVE={','.join(site.resolve)}\n"
            f"curl --cacert {site.ca_file} --connect-to ::127.0.0.1:{site.port} {SEED_URL}\n"
            f"curl --cacert {site.ca_file} 'https://localhost:{site.port}{CONTROL}phase/{{{','.join(PHASES)}}}'\n"
        )
        sys.stdout.flush()
        try:
            threading.Event().wait()
        except KeyboardInterrupt:
            return


if __name__ == "__main__":
    main()
