"""`ofrecord preview` against real servers: it says what a crawl then does, stores nothing, and loads nothing."""

from __future__ import annotations

import re
import shutil
import signal
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from config.settings import Settings
from crawler.render.renderer import find_browser
from tests.browsers import SETTINGS, needs_browser, publish_shells
from tests.crawls import Answer, Site, page, serve_site, wait_until
from tests.installation import Ofrecord, install

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def site() -> Iterator[Site]:
    with serve_site() as site:
        yield site


@pytest.fixture
def ofrecord(site: Site, tmp_path: Path) -> Ofrecord:
    return install(tmp_path, describe(site))


def describe(site: Site, **keys: Any) -> dict[str, Any]:
    return {
        "home": f"{site.root}/",
        "discover": [{"feed": f"{site.root}/rss.xml"}, {"section": f"{site.root}/"}],
        "articles": {"include": ["/20[0-9]{2}/", "/secret/"], "exclude": ["/video"]},
        **keys,
    }


def fill(site: Site) -> None:
    """Three articles in the feed, one of which robots.txt forbids, and more links on the home page."""
    site.answers.update({f"/2026/{name}": Answer(page(f"Story {name}")) for name in "abc"})
    site.answers["/secret/2026/x"] = Answer(page("Secret"))
    site.announce("/2026/a", "/2026/b", "/secret/2026/x", "/2026/b/video")
    links = "".join(f'<a href="{path}">{path}</a>' for path in ("/2026/a", "/2026/c", "/about", "/rss.xml"))
    site.answers["/"] = Answer(f"<html><body>{links}</body></html>".encode())


def read(rows: list[Any], kind: str) -> list[Any]:
    return [row for row in rows if row["type"] == kind]


def test_what_is_wanted_is_what_a_crawl_then_fetches(site: Site, ofrecord: Ofrecord) -> None:
    fill(site)
    rows = ofrecord("preview", "gazette", "--json", "--pages", "0").rows()
    wanted = {row["url"].removeprefix(site.root): row["reason"] for row in read(rows, "link") if row["wanted"]}
    unwanted = {row["url"].removeprefix(site.root): row["reason"] for row in read(rows, "link") if not row["wanted"]}
    assert set(wanted.values()) == {"new; articles.include has /20[0-9]{2}/"}
    assert unwanted == {
        "/secret/2026/x": "robots.txt forbids it (Disallow: /secret/)",
        "/2026/b/video": "articles.exclude has /video",
        "/about": "nothing of articles.include is found in it",
        "/rss.xml": "one of the source's own listings",
    }
    assert (rows[0]["links"], rows[0]["wanted"], rows[0]["requests"]) == (7, 3, 3)
    assert site.paths.keys() == {"/robots.txt", "/rss.xml", "/"}
    site.requests.clear()
    ofrecord("crawl", "gazette")
    assert {path for path in site.paths if path.startswith(("/2026", "/secret"))} == set(wanted)


def test_what_the_archive_has_is_out_until_it_is_announced_as_changed(site: Site, ofrecord: Ofrecord) -> None:
    fill(site)
    ofrecord("crawl", "gazette")
    site.answers["/2026/d"] = Answer(page("Story d"))
    site.announce("/2026/a", "/2026/d")
    rows = ofrecord("preview", "gazette", "--json", "--pages", "0").rows()
    found = {row["url"].removeprefix(site.root): row for row in read(rows, "link")}
    assert found["/2026/d"]["wanted"]
    assert not found["/2026/a"]["wanted"]
    assert found["/2026/a"]["reason"].startswith("known: captured at ")
    assert (rows[0]["wanted"], rows[0]["due"], rows[0]["notes"]) == (1, 0, [])


def test_nothing_is_stored(site: Site, ofrecord: Ofrecord, tmp_path: Path) -> None:
    fill(site)
    before = list_files(tmp_path / "archive")
    ofrecord("preview", "gazette", "--html", tmp_path / "page.html")
    ofrecord("preview", "gazette", f"{site.root}/2026/a")
    assert list_files(tmp_path / "archive") == before
    assert not [path for path in (tmp_path / "state").rglob("*") if "spool" in path.parts]


def list_files(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_pages_are_read_as_a_crawl_reads_them(site: Site, ofrecord: Ofrecord) -> None:
    fill(site)
    (seen,) = read(ofrecord("preview", "gazette", "--json", "--pages", "1").rows(), "page")
    ofrecord("crawl", "gazette")
    kept = ofrecord("show", seen["url"], "--json").json()
    assert (seen["page_class"], seen["title"], seen["text"]) == ("article", kept["title"], kept["text"])
    assert seen["fields"]["title"]["from"] == "visible"
    assert any(passage["kept"] for passage in seen["explanation"]["passages"])


def test_an_article_whose_address_ends_in_a_number_is_no_further_page(site: Site, tmp_path: Path) -> None:
    site.answers["/2026/news/page/2"] = Answer(page("Story 2"))
    site.answers["/2026/news"] = Answer(b'<html><body><a href="/2026/news/page/2">Story 2</a></body></html>')
    ofrecord = install(tmp_path, describe(site, discover=[{"section": f"{site.root}/2026/news"}]))
    rows = ofrecord("preview", "gazette", "--json", "--pages", "0").rows()
    assert [row["url"] for row in read(rows, "link") if row["wanted"]] == [f"{site.root}/2026/news/page/2"]
    assert [row["url"] for row in read(rows, "listing")] == [f"{site.root}/2026/news"]
    assert ofrecord("crawl", "gazette", "--json").json()["new"] == 1


def test_a_page_that_asks_not_to_be_archived_is_not_kept_in_the_file(
    site: Site, ofrecord: Ofrecord, tmp_path: Path
) -> None:
    private = page("Private story").replace(b"<head>", b'<head><meta name="robots" content="noarchive">')
    assert b"noarchive" in private
    site.answers["/2026/a"] = Answer(private)
    ofrecord("preview", "gazette", f"{site.root}/2026/a", "--html", tmp_path / "page.html")
    told = (tmp_path / "page.html").read_text("utf-8")
    assert "says to robots: noarchive" in told
    assert "Private story" not in told


def test_one_page_is_looked_at_alone(site: Site, ofrecord: Ofrecord) -> None:
    fill(site)
    site.answers["/old"] = Answer(status=301, headers={"Location": "/2026/a"})
    result = ofrecord("preview", "gazette", f"{site.root}/old")
    assert f"page 1       {site.root}/old" in result.stdout
    assert "out: nothing of articles.include is found in it" in result.stdout
    assert f"leads on to {site.root}/2026/a" in result.stdout
    assert "kind       article: " in result.stdout
    assert site.paths.keys() == {"/robots.txt", "/old", "/2026/a"}


@pytest.mark.parametrize(
    ("path", "told"),
    [
        ("/secret/2026/x", "robots.txt forbids it (Disallow: /secret/)"),
        ("/none", "status 404"),
        ("/slow", "no complete answer"),
    ],
)
def test_a_page_that_cannot_be_had_says_why(site: Site, tmp_path: Path, path: str, told: str) -> None:
    fill(site)
    site.answers["/slow"] = Answer(page("Slow"), seconds=20)
    ofrecord = install(tmp_path, describe(site), request_seconds=1)
    result = ofrecord("preview", "gazette", site.root + path, code=None)
    assert told in result.stdout
    assert result.returncode == (0 if path == "/none" else 3)


def test_without_an_archive_all_is_new_and_that_is_said(site: Site, ofrecord: Ofrecord, tmp_path: Path) -> None:
    fill(site)
    shutil.rmtree(tmp_path / "archive")
    result = ofrecord("preview", "gazette", "--pages", "0")
    assert "a run would fetch 3 of 7 pages that are announced" in result.stdout
    assert "note         what the archive has is not considered: " in result.stdout
    assert "no archive here" in result.stdout


def test_no_more_is_requested_than_is_allowed_and_what_was_left_is_told(site: Site, ofrecord: Ofrecord) -> None:
    fill(site)
    members = "".join(f"<sitemap><loc>{site.root}/map{n}.xml</loc></sitemap>" for n in range(50))
    index = f'<sitemapindex xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">{members}</sitemapindex>'
    site.answers["/rss.xml"] = Answer(index.encode(), media_type="application/xml")
    rows = ofrecord("preview", "gazette", "--json", "--max-requests", "10", "--pages", "2").rows()
    assert len(site.requests) <= 10
    unread = [row for row in read(rows, "listing") if row["unread"]]
    assert len(unread) == 50 - (10 - 4 - 3)
    assert {row["unread"] for row in unread} == {"the other 4 requests are kept for the sample"}
    assert len(read(rows, "page")) == 2


def test_the_newest_member_of_an_index_is_read_first(site: Site, ofrecord: Ofrecord) -> None:
    fill(site)
    members = "".join(
        f"<sitemap><loc>{site.root}/map{n}.xml</loc><lastmod>2026-{n:02}-01</lastmod></sitemap>" for n in range(1, 12)
    )
    index = f'<sitemapindex xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">{members}</sitemapindex>'
    site.answers["/rss.xml"] = Answer(index.encode(), media_type="application/xml")
    ofrecord("preview", "gazette", "--pages", "0", "--max-requests", "5")
    assert [path for path, _ in site.requests if "map" in path] == ["/map11.xml", "/map10.xml"]


def test_a_site_that_answers_nothing_useful_is_told_by_the_exit_code(site: Site, ofrecord: Ofrecord) -> None:
    site.answers["/robots.txt"] = Answer(b"busy", 503)
    result = ofrecord("preview", "gazette", code=3)
    assert result.stdout.count("could not be read (status 503)") == 2
    assert site.paths == {"/robots.txt": 1}


def test_an_interrupt_brings_what_there_is_by_then(site: Site, ofrecord: Ofrecord) -> None:
    fill(site)
    site.answers["/"] = Answer(b"", seconds=600)
    process = ofrecord.start("preview", "gazette")
    wait_until(lambda: "/" in site.paths)
    process.send_signal(signal.SIGINT)
    out, log = process.communicate(timeout=100)
    assert process.returncode == 130, log
    assert "ended        it was stopped" in out
    assert f"feed         + {site.root}/rss.xml" in out
    assert f"section      - {site.root}/  (not looked at: it was stopped)" in out


def test_a_page_that_steers_terminals_does_not(site: Site, ofrecord: Ofrecord) -> None:
    fill(site)
    site.answers["/2026/a"] = Answer(page("A \x1b[2J\x1b]0;x\x07 headline \u202e that steers"))
    result = ofrecord("preview", "gazette", f"{site.root}/2026/a")
    assert "headline" in result.stdout
    assert not {"\x1b", "\x07", "\u202e"} & set(result.stdout)


@pytest.mark.parametrize("url", ["nonsense", "ftp://x.example/", "http://"])
def test_what_is_no_address_of_a_page_is_refused(ofrecord: Ofrecord, url: str) -> None:
    assert "expected a URL with http:// or https://" in ofrecord("preview", "gazette", url, code=2).stderr


def test_a_file_that_cannot_be_written_is_told_before_anything_is_fetched(
    site: Site, ofrecord: Ofrecord, tmp_path: Path
) -> None:
    result = ofrecord("preview", "gazette", "--html", tmp_path / "none" / "page.html", code=2)
    assert "nothing can be written there" in result.stderr
    assert not site.requests


@needs_browser
def test_a_browser_that_shows_the_page_asks_nobody_and_runs_nothing(
    site: Site, ofrecord: Ofrecord, tmp_path: Path
) -> None:
    fill(site)
    with serve_site() as tracker:
        site.answers["/2026/a"] = Answer(make_tracking_page(tracker.root))
        ofrecord("preview", "gazette", f"{site.root}/2026/a", "--html", tmp_path / "page.html")
        page_text = (tmp_path / "page.html").read_text("utf-8")
        assert tracker.root in page_text, (
            "the test is to be one of the policy too: a style of the page names the server"
        )
        shown = show(tmp_path, "page.html")
        assert "As it would be kept" in shown
        assert not tracker.requests
        (tmp_path / "loose.html").write_bytes(make_tracking_page(tracker.root))
        show(tmp_path, "loose.html")
        assert tracker.requests, "the page as it is would have asked"


def make_tracking_page(root: str) -> bytes:
    head = (
        f'<link rel="stylesheet" href="{root}/a.css"><link rel="preload" as="image" href="{root}/b.png">'
        f'<meta http-equiv="refresh" content="0;url={root}/refreshed"><script src="{root}/c.js"></script>'
        f"<style>@import url({root}/d.css); body {{ background: url({root}/e.png) }}"
        f"@font-face {{ font-family: F; src: url({root}/f.woff) }} p {{ font-family: F }}</style>"
    )
    rest = f'<img src="{root}/g.png"><iframe src="{root}/h"></iframe><p style="background: url({root}/i.png)">x</p>'
    return (
        page("A page that asks elsewhere")
        .replace(b"</head>", f"{head}</head>".encode())
        .replace(b"</body>", f"{rest}</body>".encode())
    )


def show(folder: Path, name: str) -> str:
    """Return the document that a real browser makes of the file."""
    browser = str(find_browser(Settings()))
    command = [browser, "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={folder / 'profile'}"]
    found = subprocess.run(
        [*command, "--virtual-time-budget=3000", "--dump-dom", f"file://{folder / name}"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert found.returncode == 0, found.stderr
    assert re.search("<html", found.stdout)
    return found.stdout


@needs_browser
def test_pages_that_need_javascript_are_rendered_within_the_limits(tmp_path: Path) -> None:
    with serve_site() as site:
        publish_shells(site, 3)
        described = {**site.describe_source(delay_seconds=0), "render": "playwright"}
        ofrecord = install(tmp_path, described, **SETTINGS)
        seen = read(ofrecord("preview", "gazette", "--json", "--pages", "2").rows(), "page")
        assert [one["page_class"] for one in seen] == ["article", "article"]
        assert "The council met on day 0" in seen[0]["text"]
        assert site.paths["/app.js"] == 1
        site.requests.clear()
        rows = ofrecord("preview", "gazette", "--json", "--pages", "2", "--max-requests", "4").rows()
        assert len(site.requests) == 4
        assert rows[0]["requests"] == 4
