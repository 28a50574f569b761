"""What articles are shown with is recorded beside them: of any host, politely, once, and evidence of nothing."""

from __future__ import annotations

import urllib.request
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from crawler.rows import CaptureRow, CdxjRow, RunRow
from tests.crawls import Answer, Site, serve_site, wait_until
from tests.histories import check_archive, read_histories, read_segment
from tests.installation import Ofrecord, install
from tests.webarchives import serve_pywb

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from crawler.rows import Row

TEXT = "".join(f"<p>The council met on day {day} and agreed that the bridge will be built.</p>" for day in range(12))
PIXEL = bytes.fromhex("47494638396101000100800000000000ffffff21f90401000000002c00000000010001000002024401003b")


@pytest.fixture
def other() -> Iterator[Site]:
    with serve_site() as running:
        yield running


@pytest.fixture
def site(other: Site) -> Iterator[Site]:
    with serve_site() as running:
        running.announce("/2026/bridge", "/2026/river")
        head = (
            f"<link rel=stylesheet href=/style/main.css><link rel='alternate stylesheet' href=/style/other.css>"
            f"<script src='{other.root}/shared.js'></script><meta property=og:image content='/pictures/lead.gif'>"
        )
        body = (
            "<figure><img src=/pictures/lead.gif srcset='/pictures/lead-2x.gif 2x, /secret/lead-3x.gif 3x'></figure>"
            "<img src=/pictures/moved.gif><img src=/pictures/lost.gif><img src=/pictures/huge.gif><img src=/2026/river>"
            "<img src='data:image/gif;base64,R0lGOD'><iframe src=/frame></iframe><video src=/film.mp4></video>"
        )
        for name, more in {"bridge": body, "river": ""}.items():
            text = f"<html><head><title>{name}</title>{head}</head><body><article><h1>{name}</h1>{TEXT}{more}</article>"
            running.answers[f"/2026/{name}"] = Answer(f"{text}</body></html>".encode())
        sheet = b"@import 'fonts.css'; /* url(/commented.gif) */ body { background: url('../2026/back.gif') }"
        running.answers["/style/main.css"] = Answer(sheet, media_type="text/css")
        fonts = b"@font-face { src: url(letters.woff2) } @import url(main.css);"
        running.answers["/style/fonts.css"] = Answer(fonts, media_type="text/css; charset=utf-8")
        running.answers["/style/letters.woff2"] = Answer(b"letters", media_type="font/woff2")
        for path in ("/pictures/lead.gif", "/pictures/lead-2x.gif", "/2026/back.gif", "/pictures/here.gif"):
            running.answers[path] = Answer(PIXEL + path.encode(), media_type="image/gif")
        running.answers["/pictures/moved.gif"] = Answer(status=302, headers={"Location": "/pictures/here.gif"})
        running.answers["/pictures/huge.gif"] = Answer(b"0" * 20_000, media_type="image/gif")
        other.answers["/shared.js"] = Answer(b"count()", media_type="text/javascript")
        yield running


def installed(folder: Path, site: Site, assets: str, **settings: Any) -> Ofrecord:
    return install(folder, {**site.describe_source(), "assets": assets}, **settings)


def list_rows(folder: Path) -> list[Row]:
    return [row for path in sorted(folder.glob("archive/segments/*/*/*.warc.gz")) for row in read_segment(path)]


def list_assets(folder: Path) -> dict[str, CaptureRow]:
    rows = [row for row in list_rows(folder) if isinstance(row, CaptureRow) and row.purpose == "asset"]
    return {f"/{row.url.split('/', 3)[3]}": row for row in rows}


def check(ofrecord: Ofrecord, folder: Path) -> None:
    """See that the archive is sound, and that nothing but the two articles has a history."""
    assert not check_archive(folder / "archive").damaged
    ofrecord("verify", "--full", "--rederive")
    histories = read_histories(folder / "archive")
    assert {url.rpartition("/")[2] for _, url in histories} == {"bridge", "river"}
    assert {history[0] for history in histories.values()} == {("new", 1, "article")}


def test_nothing_is_fetched_unless_it_is_asked_for(tmp_path: Path, site: Site) -> None:
    installed(tmp_path, site, "none")("crawl", "gazette")
    assert set(site.paths) == {"/robots.txt", "/rss.xml", "/2026/bridge", "/2026/river"}


def test_the_lead_image_is_recorded_once(tmp_path: Path, site: Site) -> None:
    ofrecord = installed(tmp_path, site, "lead-image")
    report = ofrecord("crawl", "gazette", "--json").json()
    assert (report["pages"], report["articles"], report["new"], report["failed"]) == (2, 2, 2, 0)
    assert {path for path in site.paths if path.startswith("/pictures/")} == {"/pictures/lead.gif"}
    (row,) = list_assets(tmp_path).values()
    assert (row.page_class, row.media_type, row.size_bytes) == (
        "asset",
        "image/gif",
        len(PIXEL) + len("/pictures/lead.gif"),
    )
    assert row.via in {f"{site.root}/2026/bridge", f"{site.root}/2026/river"}
    ofrecord("crawl", "gazette", "--recheck", "all")
    assert site.paths["/pictures/lead.gif"] == 1
    check(ofrecord, tmp_path)


def test_all_that_a_page_is_shown_with(tmp_path: Path, site: Site, other: Site) -> None:
    ofrecord = installed(tmp_path, site, "page", max_asset_bytes=10_000)
    report = ofrecord("crawl", "gazette", "--json").json()
    assert (report["pages"], report["articles"], report["new"], report["failed"]) == (2, 2, 2, 0)
    found = list_assets(tmp_path)
    assert {path: (row.status, row.page_class) for path, row in found.items()} == {
        "/style/main.css": (200, "asset"),
        "/style/fonts.css": (200, "asset"),
        "/style/letters.woff2": (200, "asset"),
        "/shared.js": (200, "asset"),
        "/pictures/lead.gif": (200, "asset"),
        "/pictures/lead-2x.gif": (200, "asset"),
        "/2026/back.gif": (200, "asset"),
        "/pictures/moved.gif": (302, "error"),
        "/pictures/here.gif": (200, "asset"),
        "/pictures/lost.gif": (404, "error"),
        "/pictures/huge.gif": (200, "asset"),
        "/secret/lead-3x.gif": (None, "error"),
    }
    assert "Disallow: /secret/" in (found["/secret/lead-3x.gif"].error or "")
    assert (found["/pictures/huge.gif"].truncated, found["/pictures/huge.gif"].size_bytes) == ("length", 0)
    assert found["/style/letters.woff2"].via == f"{site.root}/style/fonts.css"
    assert set(other.paths) == {"/robots.txt", "/shared.js"}
    assert not {"/secret/lead-3x.gif", "/frame", "/film.mp4", "/commented.gif", "/style/other.css"} & set(site.paths)
    assert max(site.paths.values()) == max(other.paths.values()) == 1
    assert dict(site.requests)["/pictures/lead.gif"]["Accept"] == "*/*"
    (run,) = [row for row in list_rows(tmp_path) if isinstance(row, RunRow)]
    assert (run.counts["assets"], run.counts["articles"]) == (12, 2)
    check(ofrecord, tmp_path)
    status = ofrecord("status", "--json", "--full").json()
    assert status["state"] == "ok", status


@pytest.mark.slow
def test_another_program_replays_the_page_with_what_it_is_shown_with(tmp_path: Path, site: Site, other: Site) -> None:
    ofrecord = installed(tmp_path, site, "page", asset_seconds=0)
    ofrecord("crawl", "gazette")
    ofrecord("crawl", "gazette", "--recheck", "all", "--unconditional")  # now of revisits
    index = tmp_path / "index.cdxj"
    lines = sorted(row.line for row in list_rows(tmp_path) if isinstance(row, CdxjRow))
    index.write_text("".join(f"{line}\n" for line in lines))
    segments = sorted(tmp_path.glob("archive/segments/*/*/*.warc.gz"))
    shown = [f"{site.root}/2026/bridge", f"{site.root}/style/main.css", f"{site.root}/style/letters.woff2"]
    shown += [f"{site.root}/{path}.gif" for path in ("pictures/lead", "pictures/lead-2x", "pictures/here", "2026/back")]
    expected = {url: site.answers[url.removeprefix(site.root)].body for url in shown}
    expected[f"{other.root}/shared.js"] = b"count()"
    with serve_pywb(tmp_path / "pywb", segments, index=index) as replay:
        found = {url: fetch(f"{replay}/{datetime.now(UTC):%Y%m%d%H%M%S}id_/{url}") for url in expected}
    assert found == expected


def fetch(url: str) -> bytes:
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(url, timeout=30) as answer:
        return bytes(answer.read())


def test_what_is_known_is_not_stored_again(tmp_path: Path, site: Site) -> None:
    ofrecord = installed(tmp_path, site, "page", asset_seconds=0)
    ofrecord("crawl", "gazette")
    first = list_assets(tmp_path)
    ofrecord("crawl", "gazette", "--recheck", "all", "--unconditional")
    again = list_assets(tmp_path)
    whole = {path for path, row in first.items() if row.size_bytes}
    assert {path for path, row in again.items() if row.revisit_of is not None} == whole
    assert site.paths["/pictures/lead.gif"] == 2
    check(ofrecord, tmp_path)


def test_a_machine_without_state_knows_what_is_young(tmp_path: Path, site: Site) -> None:
    ofrecord = installed(tmp_path, site, "page")
    ofrecord("job", "gazette")
    asked = site.paths
    ofrecord("job", "gazette", "--state", tmp_path / "another")
    ofrecord("crawl", "gazette", "--recheck", "all", "--unconditional", "--state", tmp_path / "third")
    again = {path for path, number in (site.paths - asked).items() if "/pictures/" in path or "/style/" in path}
    assert again == set()


def test_an_asset_never_speaks_of_an_article(tmp_path: Path, site: Site) -> None:
    """A page that is shown with an article's address, directly and by a redirect, and with itself."""
    body = "<img src=/2026/bridge><img src=/pictures/moved.gif><link rel=stylesheet href=/2026/river><img src=/rss.xml>"
    page = f"<html><head><title>river</title></head><body><article><h1>river</h1>{TEXT}{body}</article></body></html>"
    site.answers["/2026/river"] = Answer(page.encode())
    site.answers["/pictures/moved.gif"].headers["Location"] = "/2026/bridge?utm_source=picture"
    site.announce("/2026/river")
    ofrecord = installed(tmp_path, site, "page")
    ofrecord("crawl", "gazette")
    assert {"/2026/bridge", "/rss.xml"} & list_assets(tmp_path).keys() == {"/2026/bridge"}
    assert [url.rpartition("/")[2] for _, url in read_histories(tmp_path / "archive")] == ["river"]
    site.announce("/2026/river", "/2026/bridge")
    report = ofrecord("crawl", "gazette", "--json").json()
    assert report["new"] == 1
    check(ofrecord, tmp_path)
    assert "bridge will be built" in ofrecord("show", f"{site.root}/2026/bridge", "--format", "html").stdout
    # nor is an article asked for as an asset once it is known
    site.answers["/2026/river"].body += b"<!-- another -->"
    asked = site.paths["/2026/bridge"]
    (tmp_path / "urls").write_text(f"{site.root}/2026/river\n")
    ofrecord("crawl", "gazette", "--urls", tmp_path / "urls")
    assert site.paths["/2026/bridge"] == asked


def test_a_page_names_no_more_than_it_may(tmp_path: Path, site: Site) -> None:
    pictures = "".join(f"<img src=/many/{number}.gif>" for number in range(500))
    hosts = "".join(f"<img src=http://127.0.1.{number}:9/a.gif>" for number in range(1, 90))
    for name, more in {"bridge": pictures, "river": hosts}.items():
        text = f"<html><head><title>{name}</title></head><body><article><h1>{name}</h1>{TEXT}{more}</article></body>"
        site.answers[f"/2026/{name}"] = Answer(text.encode())
    ofrecord = installed(tmp_path, site, "page", max_assets=60)
    assert ofrecord("crawl", "gazette", "--json").json()["new"] == 2
    rows = [row for row in list_rows(tmp_path) if isinstance(row, CaptureRow) and row.purpose == "asset"]
    assert sum("/many/" in row.url for row in rows) == 60
    assert sum("//127.0.1." in row.url for row in rows) == 50


def test_a_run_that_is_stopped_leaves_what_it_has_not(tmp_path: Path, site: Site) -> None:
    site.answers["/pictures/lead.gif"].seconds = 30
    ofrecord = installed(tmp_path, site, "lead-image")
    process = ofrecord.start("crawl", "gazette")
    try:
        wait_until(lambda: "/pictures/lead.gif" in site.paths)
        process.terminate()
        process.communicate(timeout=30)
    finally:
        if process.poll() is None:
            process.kill()
            process.communicate()
    check(ofrecord, tmp_path)
    assert list_assets(tmp_path) == {}
