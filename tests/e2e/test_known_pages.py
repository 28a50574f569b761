"""A page that is as it was is not read again: its text, fields and class stand in the rows all the same."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from crawler.rows import CaptureRow, SnapshotRow
from tests.crawls import Answer, Site, page, serve_site
from tests.histories import check_archive, read_histories, read_segment
from tests.installation import Ofrecord, install

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def site() -> Iterator[Site]:
    with serve_site() as running:
        running.publish(2)
        yield running


def read_captures(folder: Path, path: str) -> list[tuple[CaptureRow, SnapshotRow | None]]:
    found = []
    for segment in sorted((folder / "archive").glob("segments/*/*/*.warc.gz")):
        rows = read_segment(segment)
        texts = {row.n: row for row in rows if isinstance(row, SnapshotRow) and row.n is not None}
        found += [(row, texts.get(row.n)) for row in rows if isinstance(row, CaptureRow) and row.url.endswith(path)]
    return sorted(found, key=lambda pair: pair[0].captured_at)


def count_read(ofrecord: Ofrecord) -> int:
    """Look at all articles again; return how many a worker was asked to read."""
    events = ofrecord("crawl", "gazette", "--recheck", "all", "--json").events()
    return sum(
        not event["recalled"] for event in events if event["event"] == "captured_page" and event["purpose"] == "article"
    )


def test_a_page_that_is_as_it_was_is_not_read_again(tmp_path: Path, site: Site) -> None:
    fields = b'<meta property="article:published_time" content="2025-01-01T10:00:00Z"><meta name=author content="Ana">'
    body = page("Page /2026/0").replace(b"</head>", fields + b"<meta name=robots content='max-snippet:5'></head>")
    site.answers["/2026/0"] = Answer(body)
    ofrecord = install(tmp_path, site.describe_source())
    assert count_read(ofrecord) == 2
    assert count_read(ofrecord) == 0
    assert count_read(ofrecord) == 0
    captures = read_captures(tmp_path, "/2026/0")
    assert len(captures) == 3
    first, text = captures[0]
    assert text is not None
    assert text.fields["published"]["value"] == "2025-01-01T10:00:00+00:00"
    for row, again in captures[1:]:
        assert again == replace(text, n=row.n, captured_at=row.captured_at)
        assert row.revisit_of is not None
        assert (row.page_class, row.class_reason, row.directives) == (
            first.page_class,
            first.class_reason,
            ["max-snippet:5"],
        )
        assert (
            row.read_with == first.read_with == {"content-type": ["text/html; charset=utf-8"], "product": ["ofrecord"]}
        )
    url = f"{site.root}/2026/0"
    assert [one[0] for one in read_histories(tmp_path / "archive")["gazette", url]] == ["new", "unchanged", "unchanged"]
    assert "Page /2026/0" in ofrecord("show", url).stdout
    assert ofrecord("show", url, "--capture", "3", "--format", "html").stdout == body.decode()
    assert not check_archive(tmp_path / "archive").damaged
    ofrecord("verify", "--full", "--rederive")
    ofrecord("tables", "build")
    ofrecord("tables", "check")
    ofrecord("index", "--rebuild")
    assert count_read(ofrecord) == 0


@pytest.mark.parametrize(
    "changed",
    [
        {"media_type": "text/html; charset=windows-1252"},
        {"headers": {"X-Robots-Tag": "noindex"}},
        {"headers": {"Content-Encoding": "identity"}},
        {"status": 404},
    ],
)
def test_a_page_is_read_where_more_than_its_payload_decides(
    tmp_path: Path, site: Site, changed: dict[str, Any]
) -> None:
    ofrecord = install(tmp_path, site.describe_source())
    count_read(ofrecord)
    site.answers["/2026/0"] = replace(site.answers["/2026/0"], **changed)
    assert count_read(ofrecord) == 1
    assert count_read(ofrecord) == (0 if "status" not in changed else 1)  # what is no text is no reading to recall


def test_a_page_is_read_under_other_rules(tmp_path: Path, site: Site) -> None:
    ofrecord = install(tmp_path, site.describe_source())
    count_read(ofrecord)
    source = tmp_path / "config" / "sources" / "gazette.yaml"
    source.write_text(source.read_text() + "extract: {remove: [.box]}\n")
    assert count_read(ofrecord) == 2
    assert count_read(ofrecord) == 0


def test_a_page_that_may_be_read_otherwise_later_is(tmp_path: Path, site: Site) -> None:
    ahead = b'<meta property="article:published_time" content="2099-01-01T10:00:00Z"></head>'
    asking = b"<meta name=robots content=noarchive></head>"
    for path, told in (("/2026/0", ahead), ("/2026/1", asking)):
        site.answers[path] = Answer(page(f"Page {path}").replace(b"</head>", told))
    ofrecord = install(tmp_path, site.describe_source(), obey_noarchive=False)
    assert count_read(ofrecord) == 2
    assert [row.read_with for row, _ in read_captures(tmp_path, "/2026/0")] == [None]
    assert count_read(ofrecord) == 2
    settings = tmp_path / "config" / "settings.yaml"
    settings.write_text(settings.read_text().replace("obey_noarchive: false", "obey_noarchive: true"))
    count_read(ofrecord)
    assert [row.page_class for row, _ in read_captures(tmp_path, "/2026/1")] == ["article", "article", "noarchive"]
