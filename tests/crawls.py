"""A small news site on loopback, and whole crawls of it in a child process: real workers, real segments, no archive."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any

from crawler.ids import new_id
from crawler.recovery import recover_segments
from crawler.rows import CaptureRow, Row, RunRow, decode_row
from tests.installation import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

CHILD = """
import json, resource, sys
from datetime import datetime
from pathlib import Path
from config.errors import ExtractError
from config.settings import Settings
from config.sources import Source
from crawler.compare import LastLook, LastVersion
from crawler.model import CrawlPlan
from crawler.process import crawl
from crawler.rows import encode_row
from crawler.workers.pool import WorkerPool
from config.logs import configure_logging

class Known:
    def __init__(self, times):
        self.times = times
    def last(self, url):
        found = self.times.get(url)
        return LastVersion(captured_at=datetime.fromisoformat(found)) if found else None
    def find_looks(self, urls):
        return {url: LastLook(datetime.fromisoformat(self.times[url])) for url in urls if url in self.times}
    def find_record(self, target_uri, payload_digest):
        return None
    def find_validators(self, urls, *, raw_only=False):
        return {}
    def find_listing(self, url, rules):
        return None
    def find_assets(self, urls):
        return {}
    def find_reading(self, url, target_uri, payload_digest, derivation):
        return None

if __name__ == "__main__":
    given = json.load(sys.stdin)
    configure_logging(json=True)
    if given["max_file_bytes"]:
        resource.setrlimit(resource.RLIMIT_FSIZE, (given["max_file_bytes"],) * 2)
    pool = None
    if given["worker_bytes"]:
        pool = WorkerPool(2, 20, given["worker_bytes"])
        pool.launch()
    try:
        row = crawl(CrawlPlan(**given["plan"]), Source(**given["source"]), Settings(**given["settings"]),
                    Known(given["known"]), environment=given["environment"], pool=pool)
    except ExtractError as error:
        sys.exit(f"no text without workers: {error}")
    except OSError as error:
        sys.exit(f"the disk refuses: {error}")
    sys.stdout.buffer.write(encode_row(row))
"""

TEXT = "".join(f"<p>The council met on day {day} and agreed that the bridge will be built.</p>" for day in range(12))


def page(title: str) -> bytes:
    head = f"<html><head><title>{title}</title></head>"
    return f"{head}<body><article><h1>{title}</h1>{TEXT}</article></body></html>".encode()


NO_ANSWER = 0
"""As a status: the connection is closed without one."""


@dataclass
class Answer:
    body: bytes = b""
    status: int = 200
    media_type: str = "text/html; charset=utf-8"
    headers: dict[str, str] = field(default_factory=dict)
    """A request with their ETag, or without one with their Last-Modified, is answered with 304."""
    seconds: float = 0.0

    def is_known_by(self, asked: Mapping[str, str]) -> bool:
        """Whether a request with the headers *asked* says that it has this answer already."""
        names = ("If-None-Match", "ETag") if "If-None-Match" in asked else ("If-Modified-Since", "Last-Modified")
        return self.status == 200 and names[0] in asked and asked[names[0]] == self.headers.get(names[1])


class Site:
    """Answers by path; what is not there is a 404."""

    def __init__(self) -> None:
        self.answers: dict[str, Answer] = {}
        self.requests: list[tuple[str, dict[str, str]]] = []
        self.times: list[float] = []
        """When each of the requests came, by the monotonic clock."""
        self.stopping = threading.Event()
        site = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                site.times.append(time.monotonic())
                site.requests.append((self.path, dict(self.headers.items())))
                answer = site.answers.get(self.path, Answer(b"not here", 404))
                if site.stopping.wait(answer.seconds) or answer.status == NO_ANSWER:
                    self.close_connection = True
                    return
                if answer.is_known_by(dict(self.headers.items())):
                    self.send_response_only(304)
                    for name in answer.headers.keys() & {"ETag", "Last-Modified"}:
                        self.send_header(name, answer.headers[name])
                    self.end_headers()
                    return
                self.send_response(answer.status)
                for name, value in {"Content-Type": answer.media_type, **answer.headers}.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(answer.body)))
                self.end_headers()
                self.wfile.write(answer.body)

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.02,))
        self.thread.start()

    @property
    def root(self) -> str:
        return f"http://127.0.0.1:{self.server.server_port}"

    @property
    def paths(self) -> Counter[str]:
        return Counter(path for path, _ in self.requests)

    def stop(self) -> None:
        self.stopping.set()
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()

    def announce(self, *paths: str) -> None:
        items = "".join(f"<item><title>T</title><link>{self.root}{path}</link></item>" for path in paths)
        feed = f'<?xml version="1.0"?><rss version="2.0"><channel><title>G</title>{items}</channel></rss>'
        self.answers["/rss.xml"] = Answer(feed.encode(), media_type="application/rss+xml")

    def publish(self, count: int) -> None:
        """Serve and announce *count* articles: `/2026/0` and so on."""
        paths = [f"/2026/{number}" for number in range(count)]
        self.announce(*paths)
        self.answers.update({path: Answer(page(f"Page {path}")) for path in paths})

    def describe_source(self, **politeness: float) -> dict[str, Any]:
        """Return keys of a source that finds this site's articles in its feed."""
        described = {
            "home": f"{self.root}/",
            "discover": [{"feed": f"{self.root}/rss.xml"}],
            "articles": {"include": ["/2026/"]},
            "network": "private",
        }
        return {**described, "politeness": politeness} if politeness else described


@contextmanager
def serve_site() -> Iterator[Site]:
    """A site with a robots.txt and nothing else yet."""
    site = Site()
    site.answers["/robots.txt"] = Answer(b"User-agent: *\nDisallow: /secret/\n", media_type="text/plain")
    try:
        yield site
    finally:
        site.stop()


@dataclass
class Crawl:
    site: Site
    folder: Path
    plan: dict[str, Any] = field(default_factory=dict)
    source: dict[str, Any] = field(default_factory=dict)
    settings: dict[str, Any] = field(default_factory=dict)
    known: dict[str, str] = field(default_factory=dict)
    environment: dict[str, str] = field(default_factory=dict)
    max_file_bytes: int | None = None
    worker_bytes: int | None = None
    """For workers that are launched before the crawl."""
    children: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def start(self) -> subprocess.Popen[bytes]:
        source = {
            "id": "gazette",
            "name": "Gazette",
            **self.site.describe_source(delay_seconds=0.01),
        }
        plan = {
            "run": new_id("gazette", datetime.now(UTC)),
            "source": "gazette",
            "archive": "0" * 32,
            "trigger": "crawl",
            "spool": str(self.folder / "spool"),
        }
        given = {
            "plan": plan | self.plan,
            "source": source | self.source,
            "settings": {"workers": 1, "request_seconds": 5} | self.settings,
            "known": self.known,
            "environment": self.environment,
            "max_file_bytes": self.max_file_bytes,
            "worker_bytes": self.worker_bytes,
        }
        child = subprocess.Popen(
            [sys.executable, "-W", "error", "-c", CHILD],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=ROOT,
        )
        self.children.append(child)
        assert child.stdin is not None
        child.stdin.write(json.dumps(given).encode())
        child.stdin.close()
        child.stdin = None
        return child

    def run(self) -> Result:
        return self.finish(self.start())

    def finish(self, child: subprocess.Popen[bytes], *, code: int = 0, recover: bool = False) -> Result:
        out, log = child.communicate(timeout=60)
        assert child.returncode == code, log.decode()
        assert b"Traceback" not in log, log.decode()
        if recover:
            recover_segments(self.folder / "spool", datetime.now(UTC))
        row = decode_row(out) if out else None
        assert row is None or isinstance(row, RunRow)
        return Result(self.site, row, sorted((self.folder / "spool" / "closed").iterdir()), log.decode())


@dataclass
class Result:
    site: Site
    run: RunRow | None
    segments: list[Path]
    log: str

    @property
    def rows(self) -> list[Row]:
        found = []
        for segment in self.segments:
            found += [decode_row(line) for line in (segment / "rows.jsonl").read_bytes().splitlines(keepends=True)]
        return [row for row in found if row is not None]

    @property
    def captures(self) -> dict[str, CaptureRow]:
        """By path; the last of each."""
        return {row.url.removeprefix(self.site.root): row for row in self.rows if isinstance(row, CaptureRow)}


@contextmanager
def prepare_crawl(site: Site, folder: Path) -> Iterator[Crawl]:
    """A crawl of *site* that a test may change and start; no child of it is left over."""
    crawl = Crawl(site, folder)
    try:
        yield crawl
    finally:
        for child in crawl.children:
            if child.poll() is None:
                child.kill()
            child.communicate()


def wait_until(condition: Callable[[], bool], seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)
