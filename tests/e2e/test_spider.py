"""Whole crawls in a child process: what is fetched, what is recorded, and how a run ends."""

from __future__ import annotations

import os
import random
import signal
import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from crawler.rows import EndRow, LinkRow, RunRow, SnapshotRow
from crawler.warc import read_records
from tests.crawls import Answer, Crawl, Site, page, serve_site, wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def site() -> Iterator[Site]:
    with serve_site() as site:
        yield site


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
        "/secret/2026/plan": ("article", None, "blocked"),
    }
    reason = f"{site.root}/robots.txt forbids it (Disallow: /secret/)"
    secret = captures["/secret/2026/plan"]
    assert (secret.error, secret.page_class, secret.class_reason) == (reason, "blocked", reason)
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
        "not_modified": 0,
        "bytes_saved": 0,
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


def test_what_there_is_no_time_for_is_written_down_at_once(site: Site, crawl: Crawl, tmp_path: Path) -> None:
    """Announced or listed, each once, and what was found before what is due."""
    site.publish(6)
    due = tmp_path / "due.txt"
    due.write_text("".join(f"{site.root}/2026/{name}\n" for name in (0, "old", "older")))
    site.answers["/2026/old"] = Answer(page("Old"))
    crawl.plan |= {"capacity": 4, "recheck_file": str(due)}
    crawl.settings["workers"] = 1
    result = crawl.run()
    fetched = {path for path in site.paths if path.startswith("/2026/")}
    links = [row.url.removeprefix(site.root) for row in result.rows if isinstance(row, LinkRow)]
    assert len(fetched) == 4
    assert fetched | set(links) == {*(f"/2026/{number}" for number in range(6)), "/2026/old", "/2026/older"}
    assert len(links) == 4
    assert result.run is not None
    assert (result.run.reason, result.run.counts["articles"], result.run.counts["links"]) == ("limit", 4, 4)


def test_many_links_are_written_down_after_a_stop(site: Site, crawl: Crawl) -> None:
    """Those that wait, those that were handed out, and the one that is being fetched."""
    site.announce(*(f"/2026/{name}" for name in range(5_000)))
    site.answers["/2026/0"] = Answer(page("Slow"), seconds=30)
    child = crawl.start()
    wait_until(lambda: site.paths["/2026/0"] == 1)
    child.terminate()
    result = crawl.finish(child)
    links = [row.url for row in result.rows if isinstance(row, LinkRow)]
    found = {row.url for row in result.captures.values() if row.purpose == "article"}
    assert len(links) == len(set(links)) == 5_000 - len(found)
    assert found.isdisjoint(links)
    assert result.run is not None
    assert result.run.counts["links"] == len(links)
    assert not (crawl.folder / "spool" / "frontier").exists()


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


def test_cookies_of_the_source_go_with_those_of_the_site(site: Site, crawl: Crawl) -> None:
    other = Site()
    try:
        site.announce("/2026/away", "/2026/again")
        site.answers["/robots.txt"].headers["Set-Cookie"] = "pass=theirs; Path=/"
        site.answers["/rss.xml"].headers["Set-Cookie"] = "visit=1; Path=/"
        site.answers["/2026/away"] = Answer(status=302, headers={"Location": f"{other.root}/2026/there"})
        site.answers["/2026/again"] = Answer(page("Again"))
        other.answers["/2026/there"] = Answer(page("There"), headers={"Set-Cookie": "stranger=1"})
        crawl.source["cookies"] = {"consent": "yes", "pass": "${PASS_TOKEN}"}
        crawl.environment = {"PASS_TOKEN": "hush-hush"}
        result = crawl.run()
        ours = {path: headers.get("Cookie") for path, headers in site.requests if path != "/robots.txt"}
        sent = "consent=yes; pass=hush-hush"
        assert ours == {"/rss.xml": sent, "/2026/away": f"{sent}; visit=1", "/2026/again": f"{sent}; visit=1"}
        assert {"/robots.txt", "/2026/there"} == other.paths.keys()
        assert not any("hush" in headers.get("Cookie", "") for _, headers in other.requests)
        records = [record for segment in result.segments for record in read_records(segment / "records.warc.gz")]
        assert sum(record.header("WARC-Masked-Header") == "Cookie" for record in records) == 5  # the site's own, too
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
    wait_until(lambda: site.paths["/2026/1"] == 1)
    asked = time.monotonic()
    child.send_signal(number)
    result = crawl.finish(child)
    assert time.monotonic() - asked < 5
    assert result.run is not None
    assert result.run.reason == "stopped"
    assert result.captures["/2026/0"].page_class == "article"
    assert "/2026/1" not in result.captures  # that we hung up says nothing of the publisher
    links = {row.url for row in result.rows if isinstance(row, LinkRow)}
    assert links == {f"{site.root}/2026/{name}" for name in range(1, 20)}
    counts = result.run.counts
    assert (counts["articles"], counts["failed"], counts["errors"], counts["links"]) == (1, 0, 0, 19)


def test_a_stop_leaves_listed_pages_and_the_ends_of_redirects_to_do(site: Site, crawl: Crawl, tmp_path: Path) -> None:
    listed = tmp_path / "urls.txt"
    listed.write_text(f"{site.root}/2026/moved\n{site.root}/2026/later\n")
    site.answers["/2026/moved"] = Answer(status=301, headers={"Location": "/2026/slow"})
    site.answers["/2026/slow"] = site.answers["/2026/later"] = Answer(page("Slow"), seconds=30)
    crawl.plan["urls_file"] = str(listed)
    crawl.settings["request_seconds"] = 60
    crawl.source["politeness"] = {"delay_seconds": 0, "concurrent_requests": 2}
    child = crawl.start()
    wait_until(lambda: site.paths["/2026/slow"] == site.paths["/2026/later"] == 1)
    child.terminate()
    result = crawl.finish(child)
    assert "/2026/slow" not in result.captures
    links = {row.url for row in result.rows if isinstance(row, LinkRow)}
    assert links == {f"{site.root}/2026/slow", f"{site.root}/2026/later"}


@pytest.mark.parametrize("slow", ["/robots.txt", "/rss.xml"])
def test_a_stop_before_anything_was_discovered_is_no_failed_discovery(site: Site, crawl: Crawl, slow: str) -> None:
    site.announce("/2026/0")
    site.answers[slow].seconds = 30
    child = crawl.start()
    wait_until(lambda: site.paths[slow] == 1)
    child.terminate()
    result = crawl.finish(child)
    assert slow not in result.captures
    assert result.run is not None
    assert [seed["error"] for seed in result.run.discovery] == [None]
    assert (result.run.counts["errors"], result.run.counts["failed"]) == (0, 0)


def test_a_run_ends_in_good_order_when_its_time_is_over(site: Site, crawl: Crawl) -> None:
    site.announce("/2026/0", "/2026/1")
    site.answers["/2026/0"] = Answer(page("Slow"), seconds=30)
    crawl.plan["max_seconds"] = 6
    crawl.settings["request_seconds"] = 30  # or the run may be through before its time is over
    result = crawl.run()
    assert result.run is not None
    assert result.run.reason == "limit"
    assert "/2026/0" not in result.captures
    assert {row.url for row in result.rows if isinstance(row, LinkRow)} == {f"{site.root}/2026/{n}" for n in range(2)}
    assert result.run.counts["failed"] == 0


def test_a_stop_keeps_pages_that_workers_are_still_at(site: Site, crawl: Crawl) -> None:
    site.announce("/2026/0", "/2026/1", "/2026/2")
    for number in range(3):
        site.answers[f"/2026/{number}"] = Answer(page(str(number)))
    site.answers["/2026/1"].seconds = 3
    child = crawl.start()
    wait_until(lambda: site.paths["/2026/1"] == 1)
    workers = Path(f"/proc/{child.pid}/task/{child.pid}/children").read_text().split()
    for worker in workers:
        os.kill(int(worker), signal.SIGSTOP)
    wait_until(lambda: site.paths["/2026/2"] == 1)
    asked = time.monotonic()
    child.terminate()
    result = crawl.finish(child)
    assert time.monotonic() - asked < 5
    slow = result.captures["/2026/1"]
    assert (slow.status, slow.page_class) == (200, "error")
    assert (slow.extraction_error or "").startswith(("the worker ended", "the workers were stopped"))
    assert slow.warc is not None
    assert result.run is not None
    assert result.run.counts["failed"] == 0  # what cut the reading short was our stop, not the page


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
