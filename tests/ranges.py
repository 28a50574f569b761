"""A web server for players of WACZ files: hands out ranges, and notes what it is asked for."""

from __future__ import annotations

import re
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

_TYPES = {".html": "text/html", ".js": "text/javascript", ".wacz": "application/wacz"}
_RANGE = re.compile(r"bytes=(\d*)-(\d*)")


@dataclass
class RangeServer:
    """Where it listens, and what was asked."""

    base: str = ""
    asked: list[tuple[str, str, int]] = field(default_factory=list)
    """Method, path, and how many bytes of a body were sent."""


@contextmanager
def serve_ranges(files: Mapping[str, Path]) -> Iterator[RangeServer]:
    """Serve *files* (path → file) on a free port of this machine."""
    told = RangeServer()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_HEAD(self) -> None:
            self.do_GET()

        def do_GET(self) -> None:
            path = self.path.partition("?")[0]
            found = files.get(path)
            data = found.read_bytes() if found is not None else b""
            wanted = _RANGE.fullmatch(self.headers.get("Range", ""))
            status, size, headers = (200 if found is not None else 404), len(data), {"Accept-Ranges": "bytes"}
            if found is not None and wanted is not None and any(wanted.groups()):
                begin = int(wanted[1]) if wanted[1] else max(0, size - int(wanted[2]))
                end = min(int(wanted[2]), size - 1) if wanted[1] and wanted[2] else size - 1
                data, status = data[begin : end + 1], 206
                headers["Content-Range"] = f"bytes {begin}-{end}/{size}"
            self.send_response(status)
            self.send_header(
                "Content-Type", _TYPES.get(found.suffix, "text/plain") if found is not None else "text/plain"
            )
            self.send_header("Content-Length", str(len(data)))
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            sent = 0
            if self.command == "GET":
                self.wfile.write(data)
                sent = len(data)
            told.asked.append((self.command, path, sent))

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        told.base = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield told
        finally:
            server.shutdown()
            thread.join()
