"""Whole crawls in a child process: a small news site on loopback, real workers, real segments, no archive."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from crawler.ids import new_id
from crawler.recovery import recover_segments
from crawler.rows import CaptureRow, EndRow, LinkRow, Row, RunRow, SnapshotRow, decode_row
from crawler.warc import read_records

if TYPE_CHECKING:
    from collections.abc import Iterator

CHILD = """
import json, resource, sys
from datetime import datetime
from pathlib import Path
from config.errors import ExtractError
from config.settings import Settings
from config.sources import Source
from crawler.compare import LastVersion
from crawler.model import CrawlPlan
from crawler.process import crawl
from crawler.rows import encode_row
from crawler.workers import WorkerPool
from config.logs import configure_logging

class Known:
    def __init__(self, times):
        self.times = times
    def last(self, url):
        found = self.times.get(url)
        return LastVersion(captured_at=datetime.fromisoformat(found)) if found else None

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
    seconds: float = 0.0


class Site:
    """Answers by path; what is not there is a 404."""

    def __init__(self) -> None:
        self.answers: dict[str, Answer] = {}
        self.requests: list[tuple[str, dict[str, str]]] = []
        self.stopping = threading.Event()
        site = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                site.requests.append((self.path, dict(self.headers.items())))
                answer = site.answers.get(self.path, Answer(b"not here", 404))
                if site.stopping.wait(answer.seconds) or answer.status == NO_ANSWER:
                    self.close_connection = True
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


@pytest.fixture
def site() -> Iterator[Site]:
    site = Site()
    site.answers["/robots.txt"] = Answer(b"User-agent: *\nDisallow: /secret/\n", media_type="text/plain")
    yield site
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
        root = self.site.root
        source = {
            "id": "gazette",
            "name": "Gazette",
            "home": f"{root}/",
            "discover": [{"feed": f"{root}/rss.xml"}],
            "articles": {"include": [r"/2026/"]},
            "network": "private",
            "politeness": {"delay_seconds": 0.01},
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
            cwd=Path(__file__).parents[2],
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


@pytest.fixture
def crawl(site: Site, tmp_path: Path) -> Iterator[Crawl]:
    crawl = Crawl(site, tmp_path)
    yield crawl
    for child in crawl.children:
        if child.poll() is None:
            child.kill()
        child.communicate()


def test_everything_that_went_over_the_wire_is_in_the_segment(site: Site, crawl: Crawl) -> None:
    site.announce(
        "/2026/bridge?utm_source=rss", "/2026/moved", "/2026/lost", "/secret/2026/plan", "/about", "/2026/bridge"
    )
    site.answers["/2026/bridge?utm_source=rss"] = Answer(page("Bridge"), headers={"ETag": '"1"', "Set-Cookie": "a=1"})
    site.answers["/2026/moved"] = Answer(status=302, headers={"Location": "/2026/here"})
    site.answers["/2026/here"] = Answer(page("Here"))
    result = crawl.run()

    captures = result.captures
    assert {path: (row.purpose, row.status, row.page_class) for path, row in captures.items()} == {
        "/robots.txt": ("robots", 200, "listing"),
        "/rss.xml": ("feed", 200, "listing"),
        "/2026/bridge": ("article", 200, "article"),
        "/2026/moved": ("article", 302, "error"),
        "/2026/here": ("article", 200, "article"),
        "/2026/lost": ("article", 404, "error"),
        "/secret/2026/plan": ("article", None, "error"),
    }
    assert captures["/secret/2026/plan"].error == "robots.txt forbids it"
    assert captures["/2026/bridge"].target_uri == f"{site.root}/2026/bridge?utm_source=rss"
    assert captures["/2026/bridge"].via == f"{site.root}/rss.xml"
    assert (captures["/2026/bridge"].etag, captures["/2026/bridge"].hint) == ('"1"', "new")
    assert captures["/2026/moved"].redirect == f"{site.root}/2026/here"
    assert captures["/2026/here"].via == f"{site.root}/2026/moved"
    assert "/secret/2026/plan" not in site.paths
    assert max(site.paths.values()) == 1

    snapshots = [row for row in result.rows if isinstance(row, SnapshotRow)]
    assert sorted(row.title or "" for row in snapshots) == ["Bridge", "Here"]
    assert result.run is not None
    assert result.run.reason == "finished"
    assert result.run.counts == {
        "captures": 7,
        "articles": 4,
        "snapshots": 2,
        "links": 0,
        "errors": 1,
        "failed": 1,
        "bytes": sum(row.size_bytes for row in captures.values()),
    }
    assert result.run.discovery == [{"url": f"{site.root}/rss.xml", "purpose": "feed", "links": 4, "error": None}]
    assert [type(row) for row in result.rows][-2:] == [RunRow, EndRow]
    assert result.rows[-2] == result.run
    records = [record for segment in result.segments for record in read_records(segment / "records.warc.gz")]
    assert Counter(record.type for record in records) == {"warcinfo": 1, "response": 6, "request": 6}
    assert [fault for record in records for fault in record.find_faults()] == []
    assert result.log.count('"captured_page"') == 7


def test_sitemaps_and_sections_are_followed(site: Site, crawl: Crawl) -> None:
    root = site.root
    space = 'xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"'
    index = f"<sitemapindex {space}><sitemap><loc>{root}/map.xml</loc></sitemap></sitemapindex>"
    urls = f"<urlset {space}><url><loc>{root}/2026/a</loc></url><url><loc>{root}/tag/x</loc></url></urlset>"
    site.answers["/index.xml"] = Answer(index.encode(), media_type="application/xml")
    site.answers["/map.xml"] = Answer(urls.encode(), media_type="application/xml")
    site.answers["/news"] = Answer(b'<link rel=next href="/news?page=2"><a href="/2026/b">b</a>')
    site.answers["/news?page=2"] = Answer(b'<link rel=next href="/news?page=3"><a href="/2026/c">c</a>')
    site.answers["/news?page=3"] = Answer(b'<a href="/2026/d">d</a>')
    for letter in "abcd":
        site.answers[f"/2026/{letter}"] = Answer(page(letter))
    crawl.source["discover"] = [
        {"sitemap": f"{root}/index.xml"},
        {"section": f"{root}/news"},
        {"feed": f"{root}/no.xml"},
    ]
    crawl.settings["max_depth"] = 1
    result = crawl.run()

    assert {path for path in result.captures if path.startswith("/2026/")} == {"/2026/a", "/2026/b", "/2026/c"}
    assert "/news?page=3" not in site.paths
    assert result.run is not None
    assert [(seed["links"], seed["error"]) for seed in result.run.discovery] == [
        (1, None),
        (2, None),
        (0, "status 404, expected 200"),
    ]


def test_known_articles_are_left_alone_unless_due(site: Site, crawl: Crawl, tmp_path: Path) -> None:
    site.announce("/2026/known", "/2026/unknown", "/2026/due")
    for name in ("known", "unknown", "due"):
        site.answers[f"/2026/{name}"] = Answer(page(name))
    crawl.known = {f"{site.root}/2026/{name}": "2026-01-01T00:00:00+00:00" for name in ("known", "due")}
    recheck = tmp_path / "recheck.txt"
    recheck.write_text(f"{site.root}/2026/due\n")
    crawl.plan["recheck_file"] = str(recheck)
    result = crawl.run()
    assert {path for path in result.captures if path.startswith("/2026/")} == {"/2026/unknown", "/2026/due"}
    assert result.captures["/2026/due"].via is None


def test_workers_that_were_launched_before_are_used(site: Site, crawl: Crawl) -> None:
    site.announce("/2026/bridge")
    site.answers["/2026/bridge"] = Answer(page("Bridge"))
    crawl.worker_bytes = 1 << 30
    result = crawl.run()
    assert [row.title for row in result.rows if isinstance(row, SnapshotRow)] == ["Bridge"]


@pytest.mark.parametrize("urls", [["/2026/bridge"], []], ids=["a page waits for them", "no page needs them"])
def test_workers_that_cannot_start_end_the_run(site: Site, crawl: Crawl, tmp_path: Path, urls: list[str]) -> None:
    site.answers["/2026/bridge"] = Answer(page("Bridge"))
    given = tmp_path / "urls.txt"
    given.write_text("".join(f"{site.root}{url}\n" for url in urls))
    crawl.plan["urls_file"] = str(given)
    crawl.worker_bytes = 40 << 20
    result = crawl.finish(crawl.start(), code=1)
    assert "no text without workers: the worker ended (" in result.log
    assert result.run is None
    assert isinstance(result.rows[-1], EndRow)  # what was captured is in a closed segment


def test_given_urls_are_fetched_and_nothing_else(site: Site, crawl: Crawl, tmp_path: Path) -> None:
    site.announce("/2026/bridge")
    site.answers["/any/page"] = Answer(page("Any"))
    urls = tmp_path / "urls.txt"
    urls.write_text(f"# mine\n{site.root}/any/page\n\n{site.root}/any/page#part\nnonsense\n")
    crawl.plan["urls_file"] = str(urls)
    result = crawl.run()
    assert site.paths == {"/robots.txt": 1, "/any/page": 1}
    assert result.captures["/any/page"].purpose == "article"
    assert result.run is not None
    assert result.run.discovery == []


def test_limit_leaves_links_for_the_next_run(site: Site, crawl: Crawl) -> None:
    site.announce(*(f"/2026/{number}" for number in range(5)))
    for number in range(5):
        site.answers[f"/2026/{number}"] = Answer(page(str(number)))
    crawl.plan["limit"] = 2
    result = crawl.run()
    links = [row.url for row in result.rows if isinstance(row, LinkRow)]
    assert links == [f"{site.root}/2026/{number}" for number in (2, 3, 4)]
    assert result.run is not None
    assert (result.run.reason, result.run.counts["articles"], result.run.counts["links"]) == ("limit", 2, 3)


def test_robots_txt_that_fails_forbids_all(site: Site, crawl: Crawl) -> None:
    site.announce("/2026/bridge")
    site.answers["/robots.txt"] = Answer(b"busy", 503)
    result = crawl.run()
    assert site.paths == {"/robots.txt": 1}
    assert result.captures["/robots.txt"].status == 503
    assert result.run is not None
    assert result.run.discovery[0]["error"] == _unread(site, "status 503")


def test_robots_txt_is_followed_over_a_redirect(site: Site, crawl: Crawl) -> None:
    site.announce("/secret/2026/plan")
    site.answers["/rules.txt"] = site.answers["/robots.txt"]
    site.answers["/robots.txt"] = Answer(status=301, headers={"Location": "/rules.txt"})
    result = crawl.run()
    assert "/secret/2026/plan" not in site.paths
    assert {path: row.purpose for path, row in result.captures.items() if row.purpose == "robots"} == {
        "/robots.txt": "robots",
        "/rules.txt": "robots",
    }


@pytest.mark.parametrize("seconds", [0, 0.5], ids=["quick", "slow"])
def test_robots_txt_that_forbids_all_holds_for_every_request_that_waits_for_it(
    site: Site, crawl: Crawl, seconds: float
) -> None:
    site.answers["/robots.txt"] = Answer(b"User-agent: *\nDisallow: /\n", media_type="text/plain", seconds=seconds)
    seeds = _sow(crawl, site.root)
    result = crawl.run()
    assert site.paths == {"/robots.txt": 1}
    assert {path: row.error for path, row in result.captures.items()} == {
        "/robots.txt": None,
        **dict.fromkeys(seeds, "robots.txt forbids it"),
    }
    assert result.run is not None
    assert {seed["error"] for seed in result.run.discovery} == {"robots.txt forbids it"}


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (Answer(b"busy", 500), "status 500"),
        (Answer(b"slow down", 429), "status 429"),
        (Answer(status=NO_ANSWER), "the server closed the connection without an answer"),
        (Answer(seconds=2), "no complete answer within 1 seconds"),
        (Answer(b"no gzip", headers={"Content-Encoding": "gzip"}), "body: damaged gzip data of 7 bytes"),
    ],
    ids=["500", "429", "no answer", "time-out", "damaged"],
)
def test_robots_txt_that_cannot_be_read_forbids_all_and_says_why(
    site: Site, crawl: Crawl, answer: Answer, reason: str
) -> None:
    site.answers["/robots.txt"] = answer
    crawl.settings["request_seconds"] = 1
    seeds = _sow(crawl, site.root)
    result = crawl.run()
    assert set(site.paths) == {"/robots.txt"}  # aiohttp asks again where a connection was closed
    before, _, after = _unread(site, reason).rpartition(")")
    errors = [result.captures[path].error or "" for path in seeds]
    assert [error for error in errors if not (error.startswith(before) and error.endswith(after))] == []
    assert result.run is not None
    assert [seed["error"] for seed in result.run.discovery] == errors


def test_a_host_that_refuses_the_connection_is_asked_for_robots_txt_alone(site: Site, crawl: Crawl) -> None:
    site.stop()
    seeds = _sow(crawl, site.root)
    result = crawl.run()
    refused = result.captures["/robots.txt"].error or ""
    assert refused.startswith("no connection: ")
    assert {result.captures[path].error for path in seeds} == {_unread(site, refused)}


def test_part_of_a_site_that_robots_txt_forbids_is_left_alone_by_all_who_wait(site: Site, crawl: Crawl) -> None:
    rules = b"\xef\xbb\xbfUser-agent: other\nDisallow: /\n\nUser-agent: Ofrecord\nDisallow: /secret/\n"
    site.answers["/robots.txt"] = Answer(rules, media_type="text/plain", seconds=0.5)
    forbidden, allowed = _sow(crawl, site.root, "/secret/"), _sow(crawl, site.root, "/open/")
    result = crawl.run()
    assert site.paths == dict.fromkeys(["/robots.txt", *allowed], 1)
    assert {result.captures[path].error for path in forbidden} == {"robots.txt forbids it"}
    assert {result.captures[path].status for path in allowed} == {404}


@pytest.mark.parametrize("hops", [5, 6])
def test_robots_txt_is_followed_over_five_redirects_and_no_more(site: Site, crawl: Crawl, hops: int) -> None:
    site.answers["/hop0"] = site.answers["/robots.txt"]
    for hop in range(1, hops):
        site.answers[f"/hop{hop}"] = Answer(status=302, headers={"Location": f"/hop{hop - 1}"})
    site.answers["/robots.txt"] = Answer(status=301, headers={"Location": f"/hop{hops - 1}"})
    seeds = _sow(crawl, site.root, "/secret/")
    result = crawl.run()
    asked = ["/robots.txt", *(f"/hop{hop}" for hop in range(hops - 1, hops - 6, -1))]
    assert [path for path in result.captures if result.captures[path].purpose == "robots"] == asked
    assert result.captures[asked[1]].via == f"{site.root}/robots.txt"
    assert sum(site.paths[seed] for seed in seeds) == (0 if hops == 5 else len(seeds))


def test_each_origin_has_rules_of_its_own(site: Site, crawl: Crawl) -> None:
    other = Site()
    try:
        site.answers["/robots.txt"] = Answer(status=302, headers={"Location": f"{other.root}/rules.txt"}, seconds=0.2)
        other.answers["/rules.txt"] = Answer(b"User-agent: *\nDisallow: /a\n", media_type="text/plain")
        other.answers["/robots.txt"] = Answer(b"User-agent: *\nDisallow: /b\n", media_type="text/plain")
        for root in (site.root, other.root):
            _sow(crawl, root, "/a")
            _sow(crawl, root, "/b")
        crawl.run()
        assert site.paths == dict.fromkeys(["/robots.txt", *(f"/b{number}" for number in range(6))], 1)
        expected = ["/robots.txt", "/rules.txt", *(f"/a{number}" for number in range(6))]
        assert other.paths == dict.fromkeys(expected, 1)
    finally:
        other.stop()


def test_a_target_of_redirected_rules_that_fails_forbids_all(site: Site, crawl: Crawl) -> None:
    site.answers["/robots.txt"] = Answer(status=301, headers={"Location": "/rules.txt"})
    site.answers["/rules.txt"] = Answer(b"busy", 503)
    seeds = _sow(crawl, site.root)
    result = crawl.run()
    assert site.paths == {"/robots.txt": 1, "/rules.txt": 1}
    reason = f"it leads to {site.root}/rules.txt: status 503"
    assert {result.captures[path].error for path in seeds} == {_unread(site, reason)}


def test_a_stop_while_robots_txt_is_awaited_requests_and_claims_nothing(site: Site, crawl: Crawl) -> None:
    site.answers["/robots.txt"].seconds = 30
    crawl.settings["request_seconds"] = 60
    _sow(crawl, site.root)
    child = crawl.start()
    _wait_until(lambda: site.paths["/robots.txt"] == 1)
    time.sleep(0.3)  # for the other seeds to begin waiting
    asked = time.monotonic()
    child.terminate()
    result = crawl.finish(child)
    assert time.monotonic() - asked < 5
    assert site.paths == {"/robots.txt": 1}
    assert list(result.captures) == ["/robots.txt"]
    assert result.run is not None
    assert result.run.reason == "stopped"
    assert "failed_run" not in result.log


def _sow(crawl: Crawl, root: str, prefix: str = "/news/") -> list[str]:
    """Add six seeds that are requested at once; return their paths."""
    paths = [f"{prefix}{number}" for number in range(6)]
    crawl.source["discover"] = [*crawl.source.get("discover", []), *({"section": f"{root}{path}"} for path in paths)]
    crawl.source["politeness"] = {"delay_seconds": 0, "concurrent_requests": 4}
    return paths


def _unread(site: Site, reason: str) -> str:
    host = site.root.removeprefix("http://")
    return f"{host}/robots.txt could not be read ({reason}), so nothing of this host is fetched"


def test_redirects_end(site: Site, crawl: Crawl) -> None:
    site.announce("/2026/loop", "/2026/chain0")
    site.answers["/2026/loop"] = Answer(status=302, headers={"Location": "/2026/loop"})
    for number in range(9):
        site.answers[f"/2026/chain{number}"] = Answer(status=301, headers={"Location": f"/2026/chain{number + 1}"})
    crawl.settings["max_redirects"] = 3
    result = crawl.run()
    assert site.paths["/2026/loop"] == 4
    assert site.paths["/2026/chain3"] == 1
    assert "/2026/chain4" not in site.paths
    assert result.run is not None
    assert result.run.counts["articles"] == 0


def test_secret_headers_and_cookies_stay_where_they_belong(site: Site, crawl: Crawl) -> None:
    other = Site()
    try:
        site.announce("/2026/away", "/2026/again")
        site.answers["/rss.xml"].headers["Set-Cookie"] = "visit=1"
        site.answers["/2026/away"] = Answer(status=302, headers={"Location": f"{other.root}/2026/there"})
        site.answers["/2026/again"] = Answer(page("Again"))
        other.answers["/2026/there"] = Answer(page("There"))
        crawl.source["headers"] = {"X-Key": "${GAZETTE_KEY}"}
        crawl.environment = {"GAZETTE_KEY": "hush-hush"}
        result = crawl.run()
        ours = {path: headers for path, headers in site.requests if path != "/robots.txt"}
        assert {headers.get("X-Key") for headers in ours.values()} == {"hush-hush"}
        assert ours["/2026/again"]["Cookie"] == "visit=1"
        assert all("X-Key" not in headers for _, headers in other.requests)
        assert "/2026/there" in other.paths
        records = [record for segment in result.segments for record in read_records(segment / "records.warc.gz")]
        assert sum(record.header("WARC-Masked-Header") == "X-Key" for record in records) == 3
        assert not any(b"hush-hush" in record.block for record in records)
        assert "hush-hush" not in result.log
    finally:
        other.stop()


def test_private_addresses_are_refused_to_a_public_source(site: Site, crawl: Crawl) -> None:
    crawl.source.update(network="public", politeness={"delay_seconds": 1})
    result = crawl.run()
    assert site.requests == []
    assert result.run is not None
    assert "/robots.txt could not be read (no connection: refused to connect: " in result.run.discovery[0]["error"]
    assert "not a public address" in (result.captures["/robots.txt"].error or "")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_closes_the_segment_within_five_seconds(site: Site, crawl: Crawl, number: int) -> None:
    site.announce(*(f"/2026/{name}" for name in range(20)))
    site.answers["/2026/0"] = Answer(page("First"))
    site.answers["/2026/1"] = Answer(page("Slow"), seconds=30)
    crawl.source["politeness"] = {"delay_seconds": 2}
    child = crawl.start()
    _wait_until(lambda: site.paths["/2026/1"] == 1)
    asked = time.monotonic()
    child.send_signal(number)
    result = crawl.finish(child)
    assert time.monotonic() - asked < 5
    assert result.run is not None
    assert result.run.reason == "stopped"
    assert result.captures["/2026/0"].page_class == "article"
    assert "stopped" in (result.captures["/2026/1"].error or "")
    links = {row.url for row in result.rows if isinstance(row, LinkRow)}
    assert links == {f"{site.root}/2026/{name}" for name in range(2, 20)}


def test_a_run_ends_in_good_order_when_its_time_is_over(site: Site, crawl: Crawl) -> None:
    site.announce("/2026/0", "/2026/1")
    site.answers["/2026/0"] = Answer(page("Slow"), seconds=30)
    crawl.plan["max_seconds"] = 6
    crawl.settings["request_seconds"] = 30  # or the run may be through before its time is over
    result = crawl.run()
    assert result.run is not None
    assert result.run.reason == "limit"
    assert [row.url for row in result.rows if isinstance(row, LinkRow)] == [f"{site.root}/2026/1"]


def test_a_stop_keeps_pages_that_workers_are_still_at(site: Site, crawl: Crawl) -> None:
    site.announce("/2026/0", "/2026/1", "/2026/2")
    for number in range(3):
        site.answers[f"/2026/{number}"] = Answer(page(str(number)))
    site.answers["/2026/1"].seconds = 3
    child = crawl.start()
    _wait_until(lambda: site.paths["/2026/1"] == 1)
    workers = Path(f"/proc/{child.pid}/task/{child.pid}/children").read_text().split()
    for worker in workers:
        os.kill(int(worker), signal.SIGSTOP)
    _wait_until(lambda: site.paths["/2026/2"] == 1)
    asked = time.monotonic()
    child.terminate()
    result = crawl.finish(child)
    assert time.monotonic() - asked < 5
    slow = result.captures["/2026/1"]
    assert (slow.status, slow.page_class) == (200, "error")
    assert (slow.extraction_error or "").startswith(("the worker ended", "the workers were stopped"))
    assert slow.warc is not None
    assert result.run is not None
    assert result.run.counts["failed"] >= 1


def test_a_disk_that_refuses_ends_the_run_and_keeps_what_was_written(site: Site, crawl: Crawl) -> None:
    site.announce(*(f"/2026/{number}" for number in range(30)))
    for number in range(30):
        noise = "".join(
            f"<p>{random.Random(index).randbytes(40).hex()}</p>" for index in range(number * 50, number * 50 + 50)
        )
        site.answers[f"/2026/{number}"] = Answer(page(str(number)) + noise.encode())
    crawl.max_file_bytes = 40_000
    result = crawl.finish(crawl.start(), code=1, recover=True)
    assert result.run is None
    assert "the disk refuses" in result.log
    assert len(site.paths) < 30
    assert result.captures["/2026/0"].page_class == "article"
    assert isinstance(result.rows[-1], EndRow)


def _wait_until(condition: Any, seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)
