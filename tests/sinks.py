"""Where alerts arrive in tests: a real mail server, a real webhook and a heartbeat's, on loopback."""

from __future__ import annotations

import json
import threading
from asyncio import Server
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

from aiosmtpd.controller import Controller

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from email.message import EmailMessage

    from aiosmtpd.smtp import SMTP, Envelope, Session


@dataclass
class MailSink:
    """A mail server that keeps what it takes; `refusal` is what it says in place of taking it."""

    mails: list[EmailMessage] = field(default_factory=list)
    refusal: str | None = None
    port: int = 0

    async def handle_DATA(  # noqa: N802 - aiosmtpd's name
        self, _server: SMTP, _session: Session, envelope: Envelope
    ) -> str:
        if self.refusal is not None:
            return self.refusal
        content = envelope.content
        assert isinstance(content, bytes)
        self.mails.append(message_from_bytes(content, policy=policy.default))
        return "250 kept"

    @property
    def address(self) -> str:
        """As apprise has it."""
        return f"mailto://127.0.0.1:{self.port}?from=archive@ofrecord.example&to=desk@newsroom.example&mode=insecure"

    @property
    def subjects(self) -> list[str]:
        return [str(mail["Subject"]) for mail in self.mails]

    @property
    def texts(self) -> list[str]:
        """Of each mail what is shown, as plain text or HTML."""
        return [
            part.get_content().replace("\r\n", "\n")
            for mail in self.mails
            if (part := mail.get_body(("plain", "html")))
        ]


class _Controller(Controller):
    """One whose port the system chooses."""

    def _trigger_server(self) -> None:
        assert isinstance(self.server, Server)
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()  # type: ignore[no-untyped-call]


@dataclass
class WebSink:
    """A server that keeps what is posted and what is asked for; `status` and `seconds` are how it answers."""

    posts: list[dict[str, Any]] = field(default_factory=list)
    gets: list[str] = field(default_factory=list)
    status: int = 200
    seconds: float = 0.0
    port: int = 0
    stopping: threading.Event = field(default_factory=threading.Event)

    @property
    def address(self) -> str:
        """Of its webhook, as apprise has it."""
        return f"json://127.0.0.1:{self.port}/hook/s3cr3t-token"

    @property
    def root(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def titles(self) -> list[str]:
        return [post["title"] for post in self.posts]


@contextmanager
def serve_mail() -> Iterator[MailSink]:
    """A mail server that is up."""
    sink = MailSink()
    controller = _Controller(sink, hostname="127.0.0.1", port=0)
    controller.start()
    sink.port = controller.port
    try:
        yield sink
    finally:
        controller.stop()


@contextmanager
def serve_web() -> Iterator[WebSink]:
    """A webhook and heartbeat server that is up."""
    sink = WebSink()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            post = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            self.answer(lambda: sink.posts.append(post))

        def do_GET(self) -> None:
            self.answer(lambda: sink.gets.append(self.path))

        def answer(self, note: Callable[[], None]) -> None:
            if sink.stopping.wait(sink.seconds):
                return
            if sink.status < 300:
                note()  # first: who has the answer may look at once
            self.send_response(sink.status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    sink.port = server.server_port
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield sink
    finally:
        sink.stopping.set()
        server.shutdown()
        thread.join()
        server.server_close()
