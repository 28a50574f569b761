"""Serves a folder of gzipped pages on several loopback addresses, in its own process: nginx, or a small one of ours.

`python -m tests.benchmarks.newspaper_server FOLDER PORT` is the small one. It keeps all pages in memory.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[2]
_NGINX = """
{user} daemon off; pid {folder}/nginx.pid; error_log {folder}/error.log; worker_processes 1; worker_rlimit_nofile 4096;
events {{ worker_connections 1024; }}
http {{
  access_log off; sendfile on; tcp_nopush on; keepalive_requests 1000000; charset utf-8;
  types {{ text/html html; }} default_type text/html;
  client_body_temp_path {folder}/tmp; proxy_temp_path {folder}/tmp; fastcgi_temp_path {folder}/tmp;
  uwsgi_temp_path {folder}/tmp; scgi_temp_path {folder}/tmp;
  open_file_cache max=100000; open_file_cache_valid 10m;
  server {{ listen 0.0.0.0:{port}; root {pages}; gzip_static always; }}
}}
"""


def address_of(site: int) -> str:
    """Return the loopback address of a site: a host of its own to every client."""
    return f"127.0.0.{11 + site}"


@contextmanager
def serve(pages: Path, scratch: Path, *, nginx: bool = True) -> Iterator[tuple[str, int]]:
    """Serve the `.gz` files below *pages*; yield what serves them and the port.

    *scratch*: for the server's own files. *nginx*: take it if it is there.
    """
    port = _find_port()
    program = shutil.which("nginx", path=os.environ.get("PATH", "") + ":/usr/sbin") if nginx else None
    if program is not None and _has_gzip_static(program):
        (scratch / "tmp").mkdir(parents=True, exist_ok=True)
        config = scratch / "nginx.conf"
        user = "" if os.geteuid() else "user root;"  # else it would serve as somebody who may not read the pages
        config.write_text(_NGINX.format(folder=scratch, port=port, pages=pages, user=user), encoding="utf-8")
        name, command = "nginx", [program, "-p", str(scratch), "-c", str(config), "-e", str(scratch / "error.log")]
    else:
        name = "a small asyncio server (no nginx with gzip_static here: it takes more of the CPU that all share)"
        command = [sys.executable, "-m", "tests.benchmarks.newspaper_server", str(pages), str(port)]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.DEVNULL) as process:
        try:
            _wait_for(port, process)
            yield name, port
        finally:
            process.terminate()


class _Server(asyncio.Protocol):
    """HTTP/1.1 as far as GETs of clients that mean well need it."""

    def __init__(self, pages: dict[bytes, bytes]) -> None:
        self._pages = pages
        self._waiting = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep what is written to."""
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Answer each request whose head is there."""
        *heads, self._waiting = (self._waiting + data).split(b"\r\n\r\n")
        for head in heads:
            path = head.split(b" ", 2)[1]
            body = self._pages.get(path)
            status = b"404 Not Found\r\n" if body is None else b"200 OK\r\nContent-Encoding: gzip\r\n"
            length = str(len(body or b"")).encode()
            start = b"HTTP/1.1 " + status + b"Content-Type: text/html; charset=utf-8\r\nContent-Length: " + length
            self._transport.writelines([start, b"\r\n\r\n", body or b""])  # type: ignore[attr-defined]


def _read_pages(folder: Path) -> dict[bytes, bytes]:
    files = [path for path in folder.rglob("*.gz") if path.is_file()]
    return {f"/{path.relative_to(folder)}".removesuffix(".gz").encode(): path.read_bytes() for path in files}


async def _serve_forever(pages: dict[bytes, bytes], port: int) -> None:
    server = await asyncio.get_running_loop().create_server(lambda: _Server(pages), "0.0.0.0", port)
    await server.serve_forever()


def _has_gzip_static(program: str) -> bool:
    said = subprocess.run([program, "-V"], capture_output=True, text=True, check=False)
    return "http_gzip_static_module" in said.stdout + said.stderr


def _find_port() -> int:
    with socket.socket() as found:
        found.bind(("0.0.0.0", 0))
        return int(found.getsockname()[1])


def _wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline and process.poll() is None:
        try:
            socket.create_connection((address_of(0), port), timeout=1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise RuntimeError(f"the server did not start: {process.args!r}, exit code {process.poll()}")


if __name__ == "__main__":
    asyncio.run(_serve_forever(_read_pages(Path(sys.argv[1])), int(sys.argv[2])))
