"""Sources whose pages need JavaScript, with a real browser: what is recorded, read, proved and shown of them."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from warcio.archiveiterator import ArchiveIterator

from crawler.family import Family, read_processes
from crawler.rows import CaptureRow, LinkRow, SnapshotRow
from crawler.warc import read_records
from tests.browsers import SCRIPT, SETTINGS, SHELL, make_article, needs_browser, publish_shells, say
from tests.crawls import Answer, Site, prepare_crawl, serve_site, wait_until
from tests.histories import check_archive, read_histories, read_segment
from tests.installation import Ofrecord, install

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from crawler.rows import Row

pytestmark = needs_browser


@pytest.fixture
def site() -> Iterator[Site]:
    with serve_site() as running:
        publish_shells(running, 3)
        yield running


def installed(
    folder: Path,
    site: Site,
    settings: dict[str, Any] | None = None,
    environment: dict[str, str] | None = None,
    **source: Any,
) -> Ofrecord:
    described = {**site.describe_source(delay_seconds=0), "render": "playwright", **source}
    described = {name: value for name, value in described.items() if value is not None}
    return install(folder, described, environment=environment, **SETTINGS, **(settings or {}))


def change(folder: Path, **keys: Any) -> None:
    """Write other keys into the source's file; `None` takes one out."""
    path = folder / "config" / "sources" / "gazette.yaml"
    source = {**yaml.safe_load(path.read_text("utf-8")), **keys}
    kept = {name: value for name, value in source.items() if value is not None}
    path.write_text(yaml.safe_dump(kept), "utf-8")


def list_rows(folder: Path) -> list[Row]:
    return [row for path in sorted(folder.glob("archive/segments/*/*/*.warc.gz")) for row in read_segment(path)]


def list_captures(folder: Path, purpose: str) -> list[CaptureRow]:
    return [row for row in list_rows(folder) if isinstance(row, CaptureRow) and row.purpose == purpose]


def test_a_page_is_recorded_as_served_and_read_as_rendered(tmp_path: Path, site: Site) -> None:
    ofrecord = installed(tmp_path, site)
    report = ofrecord("crawl", "gazette", "--json").json()
    assert {name: report[name] for name in ("new", "failed", "bad")} == {"new": 3, "failed": 0, "bad": 0}

    articles = list_captures(tmp_path, "article")
    assert {row.size_bytes for row in articles} == {len(SHELL)}
    assert all(row.warc is not None and row.warc.rendered is not None for row in articles)
    assert all(row.read_with is None for row in articles)
    assets = list_captures(tmp_path, "asset")
    assert sorted(row.url.removeprefix(site.root) for row in assets) == [
        "/api/2026/0.json",
        "/api/2026/1.json",
        "/api/2026/2.json",
        "/app.js",  # once for all pages
    ]
    assert {row.via for row in assets} <= {row.url for row in articles}
    asked = dict(site.requests)["/api/2026/1.json"]
    assert asked["X-Gazette"] == "web"
    assert asked["User-Agent"].startswith("ofrecord/")
    assert "/app.css" not in site.paths

    url = f"{site.root}/2026/1"
    text = ofrecord("show", url).stdout
    assert text.startswith("Page 1\nThe council met on day 0")
    shown = ofrecord("show", url, "--format", "html").stdout
    assert "<h1>Page 1</h1>" in shown
    assert "This site needs JavaScript" in ofrecord("show", url, "--format", "raw").stdout
    assert not check_archive(tmp_path / "archive").damaged
    ofrecord("verify", "--full", "--rederive")
    ofrecord("tables", "build")


def test_an_edit_is_seen_though_the_page_as_served_stays_the_same(tmp_path: Path, site: Site) -> None:
    ofrecord = installed(tmp_path, site)
    ofrecord("crawl", "gazette")
    say(site, 0, make_article("Page 0", days=13))
    report = ofrecord("crawl", "gazette", "--recheck", "all", "--json").json()
    assert {name: report[name] for name in ("revised", "unchanged", "not_modified")} == {
        "revised": 1,
        "unchanged": 2,
        "not_modified": 0,  # of the pages; and none was asked for so
    }
    pages = [headers for path, headers in site.requests if path.startswith("/2026/")]
    assert not any("If-None-Match" in headers for headers in pages)
    again = list_captures(tmp_path, "article")[-3:]
    assert all(row.revisit_of is not None for row in again)  # the shell is not stored again
    url = f"{site.root}/2026/0"
    assert "on day 12" in ofrecord("show", url, "--capture", "2", "--format", "html").stdout
    assert "on day 12" not in ofrecord("show", url, "--capture", "1", "--format", "html").stdout
    assert "on day 12" in ofrecord("diff", url).stdout
    ofrecord("verify", "--full", "--rederive")


def test_earlier_captures_are_derived_again_from_what_was_rendered(tmp_path: Path, site: Site) -> None:
    ofrecord = installed(tmp_path, site)
    ofrecord("crawl", "gazette")
    change(tmp_path, extract={"remove": [".promotion"]})
    report = ofrecord("crawl", "gazette", "--recheck", "all", "--json").json()
    assert (report["unchanged"], report["revised"], report["uncompared"]) == (3, 0, 0)
    derived = [row for row in list_rows(tmp_path) if isinstance(row, SnapshotRow) and row.of is not None]
    assert [row.text.partition("\n")[0] for row in sorted(derived, key=lambda row: row.url)] == [
        "Page 0",
        "Page 1",
        "Page 2",
    ]
    ofrecord("verify", "--full", "--rederive")


def test_to_begin_or_to_end_rendering_is_no_edit(tmp_path: Path, site: Site) -> None:
    long = make_article("Page 0")
    body = "".join(f"<p>{text}</p>" for text in long["paragraphs"])
    rendered_too = SHELL.replace(b'<div id="root">', f'<div id="root"><h1>As served</h1>{body}'.encode())
    site.answers["/2026/0"] = Answer(rendered_too)
    ofrecord = installed(tmp_path, site, render=None)
    ofrecord("crawl", "gazette")
    change(tmp_path, render="playwright")
    ofrecord("crawl", "gazette", "--recheck", "all")
    change(tmp_path, render=None)
    ofrecord("crawl", "gazette", "--recheck", "all")
    verdicts = [verdict for verdict, _, _ in read_histories(tmp_path / "archive")["gazette", f"{site.root}/2026/0"]]
    assert verdicts == ["new", "uncompared", "unchanged"]
    ofrecord("verify", "--full", "--rederive")


def test_links_of_a_section_that_scripts_make_are_found(tmp_path: Path, site: Site) -> None:
    script = b"""
    fetch("/api/latest.json").then((answer) => answer.json()).then((paths) => {
      document.body.innerHTML = paths.map((path) => `<a href="${path}">Read what the council said</a>`).join("");
    });
    """
    site.answers["/latest"] = Answer(b"<!doctype html><html><body><script src=/latest.js></script></body></html>")
    site.answers["/latest.js"] = Answer(script, media_type="text/javascript")
    site.answers["/api/latest.json"] = Answer(b'["/2026/0", "/2026/2"]', media_type="application/json")
    ofrecord = installed(tmp_path, site, discover=[{"section": f"{site.root}/latest"}])
    report = ofrecord("crawl", "gazette", "--json").json()
    assert report["new"] == 2
    ofrecord("verify", "--full", "--rederive")


def test_a_page_that_asks_not_to_be_archived_is_not_rendered(tmp_path: Path, site: Site) -> None:
    private = SHELL.replace(b"<title>", b'<meta name="robots" content="noarchive"><title>')
    site.answers["/2026/0"] = Answer(private)
    late = SCRIPT.replace(
        b"document.head.append(date);",
        b"""document.head.append(date);
      if (article.title === "Page 1") {
        document.head.insertAdjacentHTML("beforeend", '<meta name="robots" content="noarchive">');
      }""",
    )
    site.answers["/app.js"] = Answer(late, media_type="text/javascript")
    ofrecord = installed(tmp_path, site)
    ofrecord("crawl", "gazette")
    rows = {row.url.rpartition("/")[2]: row for row in list_captures(tmp_path, "article")}
    assert [rows[name].page_class for name in "012"] == ["noarchive", "noarchive", "article"]
    assert "/api/2026/0.json" not in site.paths
    assert "/api/2026/1.json" in site.paths
    places = [row.warc.rendered if row.warc else None for row in (rows["0"], rows["1"])]
    assert places == [None, None]
    ofrecord("verify", "--full", "--rederive")


def test_records_only_where_that_is_all_that_is_asked(tmp_path: Path, site: Site) -> None:
    ofrecord = installed(tmp_path, site)
    assert ofrecord("crawl", "gazette", "--raw-only", "--json").json()["unread"] == 3
    assert not list_captures(tmp_path, "asset")
    assert ofrecord("crawl", "gazette", "--json").json()["new"] == 3


def test_other_peoples_readers_find_the_page_as_served(tmp_path: Path, site: Site) -> None:
    ofrecord = installed(tmp_path, site)
    ofrecord("crawl", "gazette")
    (path,) = tmp_path.glob("archive/segments/*/*/*.warc.gz")
    with path.open("rb") as file:
        records = list(read_records(file))
    kinds = [record.type for record in records]
    conversions = [number for number, kind in enumerate(kinds) if kind == "conversion"]
    assert len(conversions) == 3
    for number in conversions:
        record, answer = records[number], records[number - 1]
        assert record.header("WARC-Refers-To") == answer.header("WARC-Record-ID")
        assert (record.header("WARC-Rendered-By") or "").startswith("Chromium/")
    with path.open("rb") as file:
        found = [one for one in ArchiveIterator(file) if one.rec_type == "conversion"]
    assert len(found) == 3
    indexed = subprocess.run(
        [sys.executable, "-m", "cdxj_indexer.main", str(path)], capture_output=True, text=True, check=True
    ).stdout.splitlines()
    pages = [line for line in indexed if "/2026/1)" in line or f'"url": "{site.root}/2026/1"' in line]
    assert len(pages) == 1
    assert '"mime": "text/html"' in pages[0]


def test_scripts_come_from_the_sources_own_sites_and_named_hosts_where_robots_txt_allows_it(
    tmp_path: Path, site: Site
) -> None:
    elsewhere = site.root.replace("127.0.0.1", "localhost")
    tell = "<script src={0}></script>".format
    for number, where in enumerate((f"{elsewhere}/app.js", "/secret/app.js", "/moved.js")):
        shell = SHELL.replace(b'<script src="/app.js"></script>', tell(where).encode())
        assert shell != SHELL
        site.answers[f"/2026/{number}"] = Answer(shell)
    site.answers["/secret/app.js"] = site.answers["/app.js"]
    site.answers["/moved.js"] = Answer(status=302, headers={"Location": "/app.js"})
    ofrecord = installed(tmp_path, site)
    report = ofrecord("crawl", "gazette", "--json").json()
    assert (report["new"], report["bad"]) == (1, 2)
    assert "localhost" not in {headers["Host"].partition(":")[0] for _, headers in site.requests}
    assert "/secret/app.js" not in site.paths
    rows = {row.url.removeprefix(site.root): row for row in list_captures(tmp_path, "asset")}
    assert "forbids it (Disallow: /secret/)" in (rows["/secret/app.js"].error or "")
    assert rows["/secret/app.js"].warc is None
    assert [rows[path].status for path in ("/moved.js", "/app.js")] == [302, 200]
    assert "Page 2" in ofrecord("show", f"{site.root}/2026/2").stdout

    change(tmp_path, render_hosts=["localhost"])
    assert ofrecord("crawl", "gazette", "--recheck", "all", "--json").json()["new"] == 1
    assert "Page 0" in ofrecord("show", f"{site.root}/2026/0").stdout
    ofrecord("verify", "--full", "--rederive")
    status = ofrecord("status", "--json").json()
    assert "robots" not in str(status["reasons"])  # a script that is refused is no page that is


def test_a_secret_header_goes_to_the_sources_own_host_and_not_into_the_record(tmp_path: Path, site: Site) -> None:
    secret = {"GAZETTE_PASS": "letmein-4711"}
    ofrecord = installed(tmp_path, site, environment=secret, headers={"X-Pass": "${GAZETTE_PASS}"})
    ofrecord("crawl", "gazette")
    sent = [headers for path, headers in site.requests if path in {"/app.js", "/api/2026/0.json"}]
    assert [headers["X-Pass"] for headers in sent] == ["letmein-4711"] * 2
    for path in tmp_path.glob("archive/segments/*/*/*.warc.gz"):
        with path.open("rb") as file:
            assert not any(b"letmein" in record.block for record in read_records(file))


def test_a_page_whose_scripts_do_not_end_has_no_text_and_says_why(tmp_path: Path, site: Site) -> None:
    site.answers["/2026/1"] = Answer(b"<!doctype html><html><body>x<script>while (true);</script></body></html>")
    ofrecord = installed(tmp_path, site, {"render_seconds": 2})
    report = ofrecord("crawl", "gazette", "--json").json()
    assert {name: report[name] for name in ("new", "failed", "bad")} == {"new": 2, "failed": 1, "bad": 1}
    row = next(row for row in list_captures(tmp_path, "article") if row.url.endswith("/1"))
    assert row.extraction_error == "the page could not be rendered: time-out: not rendered within 2 s"
    assert row.warc is not None
    assert (row.warc.rendered, row.page_class) == (None, "error")
    ofrecord("verify", "--full", "--rederive")


def test_a_run_that_is_stopped_leaves_the_page_to_do_and_no_browser(tmp_path: Path, site: Site) -> None:
    site.answers["/api/2026/0.json"] = Answer(b"{}", media_type="application/json", seconds=30)
    with prepare_crawl(site, tmp_path) as crawl:
        crawl.source = {"render": "playwright"}
        crawl.settings = {**SETTINGS, "request_seconds": 60}
        child = crawl.start()
        wait_until(lambda: "/api/2026/0.json" in site.paths, 60)
        family = Family(child.pid)
        assert len(family.find(read_processes())) >= 5
        child.terminate()
        result = crawl.finish(child)
    assert not family.find(read_processes())
    assert "/2026/0" not in result.captures
    assert f"{site.root}/2026/0" in [row.url for row in result.rows if isinstance(row, LinkRow)]
    assert result.run is not None
    assert result.run.reason == "stopped"


def test_a_crawl_without_a_browser_says_what_to_install(tmp_path: Path, site: Site) -> None:
    ofrecord = installed(tmp_path, site, {"render_browser": str(tmp_path / "none")})
    done = ofrecord("crawl", "gazette", code=2)
    assert "render_browser: found" in done.stderr
    assert "expected Chromium or Chrome" in done.stderr
    assert not list(tmp_path.glob("archive/segments/*"))


def test_a_browser_that_does_not_start_ends_the_run(tmp_path: Path, site: Site) -> None:
    broken = tmp_path / "chromium"
    broken.write_text("#!/bin/sh\nexit 1\n")
    broken.chmod(0o700)
    ofrecord = installed(tmp_path, site, {"render_browser": str(broken)})
    done = ofrecord("crawl", "gazette", code=1)
    assert "the browser does not start" in done.stderr


def test_a_preview_shows_pages_as_rendered(tmp_path: Path, site: Site) -> None:
    ofrecord = installed(tmp_path, site)
    told = ofrecord("preview", "gazette", f"{site.root}/2026/1", "--json").rows()
    page = next(row for row in told if row.get("type") == "page")
    assert (page["page_class"], page["title"]) == ("article", "Page 1")
    assert "on day 11" in page["text"]
    assert not list(tmp_path.glob("archive/segments/*"))
    assert [path for path in site.paths if path.startswith("/api/")] == ["/api/2026/1.json"]
