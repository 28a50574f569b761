"""A crawl that only records: evidence first, and the text by a later crawl of the same articles."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest

from crawler.rows import CaptureRow, SegmentRow, SnapshotRow
from tests.crawls import Answer, Site, page, serve_site
from tests.histories import check_archive, read_histories, read_segment
from tests.installation import Ofrecord, install

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from crawler.rows import Row

PRIVATE = b'<html><head><meta name="robots" content="noarchive"></head><body><p>Not for archives.</p></body></html>'


@pytest.fixture
def site() -> Iterator[Site]:
    with serve_site() as running:
        running.publish(3)
        yield running


def installed(folder: Path, site: Site, **source: Any) -> Ofrecord:
    return install(folder, {**site.describe_source(), **source})


def list_rows(folder: Path) -> list[Row]:
    return [row for path in sorted(folder.glob("archive/segments/*/*/*.warc.gz")) for row in read_segment(path)]


def list_articles(folder: Path) -> list[CaptureRow]:
    return [row for row in list_rows(folder) if isinstance(row, CaptureRow) and row.purpose == "article"]


def test_pages_are_recorded_first_and_read_by_the_next_crawl(tmp_path: Path, site: Site) -> None:
    site.answers["/2026/1"] = Answer(PRIVATE)
    ofrecord = installed(tmp_path, site)
    report = ofrecord("crawl", "gazette", "--raw-only", "--json").json()
    assert {name: report[name] for name in ("unread", "bad", "new", "snapshots", "failed", "articles")} == {
        "unread": 2,
        "bad": 1,
        "new": 0,  # the bad one asks not to be archived
        "snapshots": 0,
        "failed": 0,
        "articles": 3,
    }
    rows = {row.url.rpartition("/")[2]: row for row in list_articles(tmp_path)}
    assert {name: (row.page_class, row.extraction_error) for name, row in rows.items()} == {
        "0": ("unread", None),
        "1": ("noarchive", None),
        "2": ("unread", None),
    }
    assert rows["0"].size_bytes == len(page("Page /2026/0"))
    assert [row.derivations for row in list_rows(tmp_path) if isinstance(row, SegmentRow)] == [{}]

    asked = site.paths
    ofrecord("crawl", "gazette", "--raw-only", "--recheck", "none")
    assert site.paths - asked <= Counter(["/robots.txt", "/rss.xml", "/2026/1"])

    site.announce()  # what feeds no longer name is read all the same
    assert ofrecord("crawl", "gazette", "--json").json()["new"] == 2
    read = list_articles(tmp_path)[-2:]
    assert [row.revisit_of is not None for row in read] == [True, True]  # the page is not stored again
    histories = read_histories(tmp_path / "archive")
    assert histories["gazette", f"{site.root}/2026/0"] == (("unread", None, "unread"), ("new", 1, "article"))
    assert "Page /2026/0" in ofrecord("show", f"{site.root}/2026/0").stdout
    assert "unread     no text  200 unread: recorded only" in ofrecord("history", f"{site.root}/2026/0").stdout
    assert not check_archive(tmp_path / "archive").damaged
    ofrecord("verify", "--full", "--rederive")
    ofrecord("tables", "build")


def test_what_was_recorded_is_not_fetched_again_before_its_age(tmp_path: Path, site: Site) -> None:
    ofrecord = installed(tmp_path, site, raw_only=True, recheck=["1 hour", "1 day"])
    assert ofrecord("crawl", "gazette", "--json").json()["unread"] == 3
    assert "3 pages · 3 unread" in ofrecord("crawl", "gazette", "--recheck", "all").stdout
    assert ofrecord("crawl", "gazette", "--json").json()["articles"] == 0
    report = ofrecord("crawl", "gazette", "--no-raw-only", "--json").json()
    assert (report["new"], report["unread"]) == (3, 0)
    assert ofrecord("crawl", "gazette", "--no-raw-only", "--json").json()["articles"] == 0


def test_a_deletion_is_seen_and_an_edit_read_when_somebody_reads(tmp_path: Path, site: Site) -> None:
    ofrecord = install(tmp_path, site.describe_source(), second_look_seconds=0)
    assert ofrecord("crawl", "gazette", "--json").json()["new"] == 3
    site.answers["/2026/0"] = Answer(page("Another headline"))
    del site.answers["/2026/2"]
    report = ofrecord("crawl", "gazette", "--raw-only", "--recheck", "all", "--json").json()
    assert (report["unread"], report["suspected"], report["bad"]) == (2, 1, 0)
    report = ofrecord("crawl", "gazette", "--json").json()
    assert {name: report[name] for name in ("revised", "unchanged", "gone", "bad")} == {
        "revised": 1,
        "unchanged": 1,
        "gone": 1,
        "bad": 0,
    }
    snapshots = [row for row in list_rows(tmp_path) if isinstance(row, SnapshotRow)]
    assert len(snapshots) == 5
    assert not check_archive(tmp_path / "archive").damaged
