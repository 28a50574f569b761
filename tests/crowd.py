"""A site of very many small pages, each made when it is asked for: a process of its own that holds none of them.

`/index.xml` names sitemaps, `/map/N.xml.gz` names 50,000 pages each, gzipped, `/2026/N` is a page.
`python -m tests.crowd PAGES [A_MAP]` prints its port and serves until its standard input ends.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
import time
import zlib
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from tests.installation import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator

A_MAP = 50_000
_LINE = "<p>On day {} the council of district %d agreed that the bridge will be built.</p>"
_TEXT = "".join(_LINE.format(day) for day in range(6))
_HEAD = "<title>District %d builds</title></head><body><article><h1>District %d builds</h1>"
_PAGE = f"<html><head>{_HEAD}{_TEXT}</article></body></html>"


class Crowd:
    """What is served."""

    def __init__(self, pages: int, a_map: int = A_MAP) -> None:
        self._pages = pages
        self._a_map = a_map
        self.root = ""

    def answer(self, path: str) -> tuple[bytes, str] | None:
        """Return body and media type of *path*, or `None`."""
        kind, _, rest = path.removeprefix("/").partition("/")
        if kind == "robots.txt":
            return b"User-agent: *\nAllow: /\n", "text/plain"
        if kind == "index.xml":
            maps = range(-(-self._pages // self._a_map))
            names = "".join(f"<sitemap><loc>{self.root}/map/{one}.xml.gz</loc></sitemap>" for one in maps)
            return f"<sitemapindex>{names}</sitemapindex>".encode(), "application/xml"
        if kind == "map":
            first = int(rest.removesuffix(".xml.gz")) * self._a_map
            return self._write_map(range(first, min(first + self._a_map, self._pages))), "application/gzip"
        if kind == "2026" and int(rest) < self._pages:
            number = int(rest)
            return (_PAGE % ((number,) * (2 + _TEXT.count("%d")))).encode(), "text/html; charset=utf-8"
        return None

    def _write_map(self, numbers: range) -> bytes:
        packer = zlib.compressobj(1, wbits=31)
        parts = [packer.compress(b"<urlset>")]
        for start in range(numbers.start, numbers.stop, 1_000):
            some = range(start, min(start + 1_000, numbers.stop))
            lines = (f"<url><loc>{self.root}/2026/{one}</loc><lastmod>2026-01-01</lastmod></url>\n" for one in some)
            parts.append(packer.compress("".join(lines).encode()))
        return b"".join([*parts, packer.compress(b"</urlset>"), packer.flush()])


class _Answering(asyncio.Protocol):
    """One connection: requests in, answers out."""

    def __init__(self, crowd: Crowd) -> None:
        self._crowd = crowd
        self._rest = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        *requests, self._rest = (self._rest + data).split(b"\r\n\r\n")
        for request in requests:
            found = self._crowd.answer(request.split(b" ", 2)[1].decode())
            body, media_type = found or (b"not here", "text/plain")
            status = "200 OK" if found else "404 Not Found"
            head = f"HTTP/1.1 {status}\r\nContent-Type: {media_type}\r\nContent-Length: {len(body)}\r\n\r\n"
            self._transport.write(head.encode() + body)  # type: ignore[attr-defined]


@contextmanager
def serve_crowd(pages: int, a_map: int = A_MAP) -> Iterator[str]:
    """Serve in a process of its own; give the root URL."""
    command = [sys.executable, "-m", "tests.crowd", str(pages), str(a_map)]
    server = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        assert server.stdout is not None
        yield f"http://127.0.0.1:{int(server.stdout.readline())}"
    finally:
        server.communicate()


class MemoryWatch:
    """Adds up the resident memory of a process and all below it, four times a second, until it ends."""

    def __init__(self, pid: int) -> None:
        self.peak_mb = 0.0
        self.peaks: dict[str, float] = {}
        """The most that each kind of process had, by its module."""
        self.samples: list[tuple[float, float]] = []
        """Seconds since the beginning, megabytes of all."""
        self._pid = pid
        self._begun = time.monotonic()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End the watch."""
        self._over.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._over.wait(0.25):
            total = 0.0
            for pid in list_family(self._pid):
                try:
                    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
                    words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
                except OSError:
                    continue  # it has just ended
                name = next((word.decode() for word in words if word.startswith((b"jobs.", b"crawler."))), "ofrecord")
                size = pages * 4_096 / 1e6
                self.peaks[name] = max(self.peaks.get(name, 0.0), size)
                total += size
            self.peak_mb = max(self.peak_mb, total)
            self.samples.append((time.monotonic() - self._begun, total))


def list_family(pid: int) -> list[int]:
    """Return *pid* and all processes below it."""
    parents: dict[int, list[int]] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        parents.setdefault(int(fields[1]), []).append(int(stat.parent.name))
    found = [pid]
    for one in found:
        found += parents.get(one, [])
    return found


async def _serve(crowd: Crowd) -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: _Answering(crowd), "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    crowd.root = f"http://127.0.0.1:{port}"
    print(port, flush=True)  # noqa: T201 - who started us reads it
    await loop.run_in_executor(None, sys.stdin.read)
    server.close()


if __name__ == "__main__":
    asyncio.run(_serve(Crowd(*map(int, sys.argv[1:]))))
