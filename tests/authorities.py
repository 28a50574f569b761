"""A time-stamping authority on this machine: openssl's `ts -reply` behind HTTP, with a root of its own."""

from __future__ import annotations

import subprocess
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_CONFIG = """
[tsa]
default_tsa = one
[one]
serial = {folder}/serial
crypto_device = builtin
signer_cert = {folder}/tsa.pem
signer_key = {folder}/tsa.key
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256, sha512
accuracy = secs:1
ess_cert_id_chain = no
[ext]
extendedKeyUsage = critical,timeStamping
keyUsage = critical,digitalSignature
basicConstraints = critical,CA:FALSE
"""


@dataclass(slots=True)
class Authority:
    """What runs."""

    url: str
    root: Path
    """PEM file of the certificate that all stamps lead to."""
    asked: int = 0
    answer: bytes | None = None
    """Given in place of a stamp."""
    status: int = 200
    hangs: threading.Event = field(default_factory=threading.Event)


def make_files(folder: Path) -> Path:
    """Make a root, and a certificate for stamps below it; return the file of the root."""
    (folder / "tsa.cnf").write_text(_CONFIG.format(folder=folder))
    (folder / "serial").write_text("01\n")
    steps = [
        "req -x509 -newkey rsa:2048 -nodes -keyout root.key -out root.pem -days 2 -subj /CN=Root",
        "req -newkey rsa:2048 -nodes -keyout tsa.key -out tsa.csr -subj /CN=Stamps",
        "x509 -req -in tsa.csr -CA root.pem -CAkey root.key -days 2 -extfile tsa.cnf -extensions ext -out tsa.pem",
    ]
    for step in steps:
        subprocess.run(["openssl", *step.split()], cwd=folder, check=True, capture_output=True)
    return folder / "root.pem"


@contextmanager
def run_authority(folder: Path) -> Iterator[Authority]:
    """Run an authority whose files are in *folder*."""
    authority = Authority("", make_files(folder))

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            authority.asked += 1
            query = self.rfile.read(int(self.headers["Content-Length"]))
            answer = authority.answer
            if answer is None:
                (folder / "query.tsq").write_bytes(query)
                command = "openssl ts -reply -config tsa.cnf -section one -queryfile query.tsq -out reply.tsr"
                subprocess.run(command.split(), cwd=folder, check=True, capture_output=True)
                answer = (folder / "reply.tsr").read_bytes()
            self.send_response(authority.status)
            self.send_header("Content-Type", "application/timestamp-reply")
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    authority.url = f"http://127.0.0.1:{server.server_address[1]}/stamp"
    try:
        yield authority
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@dataclass(slots=True)
class Hook:
    """An address that heads are posted to."""

    url: str
    bodies: list[bytes] = field(default_factory=list)
    heads: list[str] = field(default_factory=list)
    status: int = 200
    location: str | None = None


@contextmanager
def run_hook() -> Iterator[Hook]:
    """Run an address that takes a POST."""
    hook = Hook("")

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if hook.status == 200:
                hook.bodies.append(body)
                hook.heads.append(self.headers["X-Ofrecord-Head"])
            self.send_response(hook.status)
            if hook.location:
                self.send_header("Location", hook.location)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    hook.url = f"http://127.0.0.1:{server.server_address[1]}/secret-token/heads"
    try:
        yield hook
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
