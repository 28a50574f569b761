"""Web archives for tests: pywb over files that warcio wrote, and a server that answers as the Wayback Machine does."""

from __future__ import annotations

import contextlib
import io
import json
import os
import re
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha1
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, unquote, urlsplit

import pytest
from warcio.statusandheaders import StatusAndHeaders
from warcio.warcwriter import WARCWriter

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

PYWB = Path(sys.prefix) / "pywb"
"""Where `make test` puts pywb."""
REQUIREMENTS = Path(__file__).parent / "pywb.txt"
HTML = ("Content-Type", "text/html; charset=utf-8")
_SENTENCES = (
    "The council met on Tuesday evening and agreed, after three hours of talk, to repair the bridge of {name}.",
    "Residents of the northern quarter had asked for that since the spring, when a lorry broke the railing.",
    "The work is to cost two million and will be paid for by the county and the town together, the mayor said.",
)


@dataclass(frozen=True)
class Past:
    """One capture of the past."""

    url: str
    stamp: str
    """14 digits."""
    body: bytes
    status: str = "200 OK"
    headers: tuple[tuple[str, str], ...] = (HTML,)

    @property
    def digest(self) -> str:
        """Any name of the payload."""
        return sha1(self.body).hexdigest()[:32].upper()


def story(name: str, *more: str) -> bytes:
    """Return an article's page."""
    paragraphs = "".join(f"<p>{text.format(name=name)}</p>" for text in (*_SENTENCES, *more))
    head = f"<!doctype html><html lang=en><meta charset=utf-8><title>Bridge of {name}</title>"
    return f"{head}<article><h1>Bridge of {name} to be repaired</h1>{paragraphs}</article></html>".encode()


def write_warc(path: Path, pasts: Sequence[Past]) -> None:
    """Write *pasts* as warcio does."""
    with path.open("wb") as file:
        writer = WARCWriter(file, gzip=True)
        for past in pasts:
            moment = _read_stamp(past.stamp)
            record = writer.create_warc_record(
                past.url,
                "response",
                payload=io.BytesIO(past.body),
                http_headers=StatusAndHeaders(past.status, list(past.headers), protocol="HTTP/1.1"),
                warc_headers_dict={"WARC-Date": f"{moment:%Y-%m-%dT%H:%M:%SZ}"},
            )
            writer.write_record(record)
            record.raw_stream.close()  # its own temporary file


# --- pywb


def require_pywb() -> Path:
    """Return the folder of pywb's commands; installs it once beside our venv where `make` has not, or skips."""
    if not (PYWB / "bin" / "wayback").exists():
        made = _run(sys.executable, "-m", "venv", "--clear", PYWB)
        if made.returncode:
            pytest.skip(f"no venv for pywb: {made.stdout[-300:]}")
        installed = _run(PYWB / "bin" / "python", "-m", "pip", "install", "-qq", "--requirement", REQUIREMENTS)
        if installed.returncode:
            pytest.skip(f"pywb cannot be installed: {installed.stderr.strip().splitlines()[-1:]}")
    return PYWB / "bin"


def _run(*words: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(list(map(str, words)), capture_output=True, text=True, check=False, timeout=600)


@contextlib.contextmanager
def serve_pywb(folder: Path, warcs: Sequence[Path], *, index: Path | None = None) -> Iterator[str]:
    """Yield the base URL of a pywb whose collection, made in *folder*, has the files *warcs*.

    *index*: their index lines; by default pywb makes its own.
    """
    commands = require_pywb()
    collection = folder / "collections" / "news"
    for name in ("archive", "indexes"):
        (collection / name).mkdir(parents=True)
    if index is not None:
        for warc in warcs:
            (collection / "archive" / warc.name).symlink_to(warc)
        (collection / "indexes" / "index.cdxj").symlink_to(index)
    else:
        added = subprocess.run(
            [commands / "wb-manager", "add", "news", *warcs], cwd=folder, capture_output=True, check=False, timeout=120
        )
        assert added.returncode == 0, added.stderr
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    log = folder / "log.txt"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [commands / "wayback", "--bind", "127.0.0.1", "--port", str(port), "--directory", folder],
            stdout=output,
            stderr=output,
            env={"PATH": os.environ["PATH"], "HOME": str(folder)},
        )
    try:
        _wait_for_port(port, process, log)
        yield f"http://127.0.0.1:{port}/news"
    finally:
        process.terminate()
        process.wait(20)


def _wait_for_port(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    end = time.monotonic() + 60
    while time.monotonic() < end and process.poll() is None:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.1)
    pytest.fail(f"pywb did not start:\n{log.read_text()}")


# --- as the Wayback Machine


@dataclass
class Wayback:
    """A running server; its fields may be changed while it runs."""

    pasts: list[Past]
    root: str = ""
    lines: int = 3
    """That it gives at a time, whatever is asked for; the rest by a resumption key."""
    busy: Counter[str] = field(default_factory=Counter)
    """Stamp → how often a copy of that time is answered with `busy_status` before it is served."""
    busy_status: int = 503
    overtaxed_days: int = 0
    """The index answers 504 to questions about more days than that; 0: never."""
    timeless: bool = False
    """Whether the index lists copies of all times, whatever is asked for."""
    broken: bool = False
    """Whether the index says that it is sorry, with status 200."""
    robots: bytes = b""
    delay_seconds: float = 0.0
    """Of each copy."""
    asked: list[str] = field(default_factory=list)
    """Targets of all requests."""
    heads: list[str] = field(default_factory=list)
    """Their headers."""

    @property
    def setting(self) -> str:
        """What web_archives is to say of it."""
        return f"cdx={self.root}/cdx/search/cdx replay={self.root}/web/"

    @property
    def copies_asked(self) -> list[str]:
        """The stamps of the copies that were asked for."""
        return [match[1] for target in self.asked if (match := re.match(r"/web/(\d{14})id_/", target))]

    @property
    def timemaps(self) -> str:
        """What web_archives is to say of its TimeMaps."""
        return f"timemap={self.root}/web/timemap/link/"

    @property
    def timemaps_asked(self) -> list[str]:
        """The pages whose TimeMaps were asked for."""
        begin = "/web/timemap/link/"
        return [unquote(target.removeprefix(begin)) for target in self.asked if target.startswith(begin)]

    def answer_timemap(self, url: str) -> bytes:
        """Return the TimeMap of *url*; nothing where there is no copy."""
        links = [
            f'<{self.root}/web/{past.stamp}/{url}>; rel="memento"; datetime="{_write_date(past.stamp)}"'
            for past in self.pasts
            if past.url == url
        ]
        return ",\n".join([f'<{url}>; rel="original"', *links]).encode() if links else b""

    def answer_index(self, query: dict[str, str]) -> bytes:
        """Return rows as the CDX server of the Wayback Machine does."""
        if self.broken:
            return b"<html><body>Sorry, something is wrong here.</body></html>"
        host = query["url"]
        found = [
            past
            for past in sorted(self.pasts, key=lambda past: (past.url, past.stamp))
            if self._matches(past.url, host, query["matchType"])
            and (self.timeless or query["from"] <= past.stamp <= query["to"])
        ]
        if query.get("filter") == "mimetype:text/html":
            found = [past for past in found if past.headers[0] == HTML]
        begin = int(query.get("resumeKey", "0"))
        chosen = found[begin : begin + self.lines]
        rows: list[list[str]] = [["urlkey", "timestamp", "original", "mimetype", "statuscode", "digest", "length"]]
        rows += [["k", past.stamp, past.url, "text/html", past.status[:3], past.digest, "9"] for past in chosen]
        if begin + self.lines < len(found):
            rows += [[], [str(begin + self.lines)]]
        return ("[" + ",\n".join(map(json.dumps, rows)) + "]\n").encode()

    @staticmethod
    def _matches(url: str, wanted: str, kind: str) -> bool:
        if kind == "prefix":
            return url.startswith(wanted)
        host = urlsplit(url).netloc
        return host == wanted or (kind == "domain" and host.endswith("." + wanted))

    def find_past(self, stamp: str, url: str) -> Past | None:
        """Return the capture of *url* that is nearest to *stamp*."""
        near = [past for past in self.pasts if past.url == url]
        return min(near, key=lambda past: abs(int(past.stamp) - int(stamp)), default=None)


def _read_stamp(stamp: str) -> datetime:
    return datetime.strptime(stamp, "%Y%m%d%H%M%S").replace(tzinfo=UTC)


def _write_date(stamp: str) -> str:
    return f"{_read_stamp(stamp):%a, %d %b %Y %H:%M:%S GMT}"


class _WaybackHandler(BaseHTTPRequestHandler):
    wayback: Wayback
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.wayback.asked.append(self.path)
        self.wayback.heads.append(str(self.headers))
        parts = urlsplit(self.path)
        if parts.path == "/robots.txt":
            self._send(200 if self.wayback.robots else 404, self.wayback.robots, [("Content-Type", "text/plain")])
        elif parts.path == "/cdx/search/cdx":
            query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
            days = (_read_stamp(query["to"]) - _read_stamp(query["from"])).days
            if self.wayback.overtaxed_days and days > self.wayback.overtaxed_days:
                self._send(504, b"too much", [])
                return
            self._send(200, self.wayback.answer_index(query), [("Content-Type", "application/json")])
        elif (match := re.match(r"/web/(\d{14})id_/(.+)", self.path)) is not None:
            self._send_copy(match[1], unquote(match[2]))
        elif (match := re.match(r"/web/timemap/link/(.+)", self.path)) is not None:
            found = self.wayback.answer_timemap(unquote(match[1]))
            self._send(200 if found else 404, found, [("Content-Type", "application/link-format")])
        else:
            self._send(404, b"not here", [])

    def _send_copy(self, stamp: str, url: str) -> None:
        time.sleep(self.wayback.delay_seconds)
        past = self.wayback.find_past(stamp, url)
        if self.wayback.busy[stamp]:
            self.wayback.busy[stamp] -= 1
            self._send(self.wayback.busy_status, b"busy", [])
        elif past is None:
            self._send(404, b"The Wayback Machine has not archived that URL.", [HTML])
        elif past.stamp != stamp:
            self._send(302, b"", [("Location", f"/web/{past.stamp}id_/{url}")])
        else:
            headers = [(f"x-archive-orig-{name.lower()}", value) for name, value in past.headers]
            headers += [HTML, ("memento-datetime", _write_date(stamp)), ("server", "archive")]
            headers += [("link", f'<{url}>; rel="original"'), ("x-archive-orig-server", "gazette")]
            self._send(int(past.status[:3]), past.body, headers)

    def _send(self, status: int, body: bytes, headers: Sequence[tuple[str, str]]) -> None:
        self.send_response_only(status)
        for name, value in (*headers, ("Content-Length", str(len(body)))):
            self.send_header(name, value)
        self.end_headers()
        with contextlib.suppress(ConnectionError):  # who asked may be dead by now
            self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@contextlib.contextmanager
def serve_wayback(pasts: Sequence[Past]) -> Iterator[Wayback]:
    """A running server with *pasts*."""
    wayback = Wayback(list(pasts))
    handler = type("Handler", (_WaybackHandler,), {"wayback": wayback})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    wayback.root = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield wayback
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
