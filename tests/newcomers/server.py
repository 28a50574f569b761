"""Serves sites on loopback addresses of their own, one port for all, and counts what it is asked for."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from tests.newcomers.desk import canonical

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.newcomers.desk import Answer, Newcomer

ADDRESS = "127.0.0.{}".format


@dataclass
class Served:
    """A site and where it is to be had."""

    site: Newcomer
    address: str
    port: int
    requests: list[str] = field(default_factory=list)
    """URLs that were asked for, in their order."""
    sent_bytes: int = 0
    """Of bodies, roughly."""
    stopping: threading.Event = field(default_factory=threading.Event)

    @property
    def resolve(self) -> list[str]:
        """Return where the site's names lead, as the setting `resolve` takes it."""
        hosts = {urlsplit(url).hostname or "" for url in [self.site.home, *self.site.pages]}
        return [f"{host}:{self.port}:{self.address}" for host in sorted(hosts) if host != self.address]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (the base class names it so)
        """Say nothing: `Served.requests` is the log."""

    def do_GET(self) -> None:
        served = self.server.served
        url = f"http://{self.headers.get('Host', '')}{self.path}"
        served.requests.append(canonical(url))
        answer = served.site.answer(url)
        if answer.seconds and served.stopping.wait(answer.seconds):
            return
        self.send_response_only(answer.status)
        for name, value in (("Content-Type", answer.media_type), *answer.headers):
            self.send_header(name, value)
        if answer.repeat == 1:
            self.send_header("Content-Length", str(len(answer.start) + len(answer.body)))
        else:
            self.close_connection = True
            self.send_header("Connection", "close")
        self.end_headers()
        try:
            self._send_body(answer)
        except ConnectionError:
            self.close_connection = True

    def _send_body(self, answer: Answer) -> None:
        served = self.server.served
        self.wfile.write(answer.start)
        for _ in range(answer.repeat):
            self.wfile.write(answer.body)
            served.sent_bytes += len(answer.body)
            if served.stopping.is_set():
                return


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, place: tuple[str, int], served: Served) -> None:
        self.served = served
        super().__init__(place, _Handler)

    def handle_error(self, request: object, client_address: object) -> None:
        """Pass over clients that hang up."""


NAMES = {
    "subdomains": "www.tresrios.example",
    "look_alike": "oldhaven.example",
    "moved_to_look_alike": "oldhaven.example",
}
"""Sites that need names; all others have addresses only."""


def build_site(make: Callable[[str], Newcomer], address: str, port: int) -> Newcomer:
    """Return the site as it stands at that address."""
    return make(f"http://{NAMES.get(make.__name__, address)}:{port}")


@contextmanager
def serve(make: Callable[[str], Newcomer], number: int = 31) -> Iterator[Served]:
    """Serve one site at 127.0.0.*number*, on a port of the system's choice."""
    address = ADDRESS(number)
    holder = ThreadingHTTPServer((address, 0), BaseHTTPRequestHandler)  # to learn of a port that is free
    port = holder.server_port
    holder.server_close()
    served = Served(build_site(make, address, port), address, port)
    server = _Server((address, port), served)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), name=served.site.name)
    thread.start()
    try:
        yield served
    finally:
        served.stopping.set()
        server.shutdown()
        thread.join()
        server.server_close()
