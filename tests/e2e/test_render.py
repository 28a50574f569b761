"""Sources whose pages need JavaScript, with a real browser: what is recorded, read, proved and shown of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from crawler.rows import CaptureRow
from tests.browsers import SETTINGS, SHELL, needs_browser, publish_shells
from tests.crawls import Site, serve_site
from tests.histories import check_archive, read_segment
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


def installed(folder: Path, site: Site, settings: dict[str, Any] | None = None, **source: Any) -> Ofrecord:
    described = {**site.describe_source(delay_seconds=0), "render": "playwright", **source}
    return install(folder, described, **SETTINGS, **(settings or {}))


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
