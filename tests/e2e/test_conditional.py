"""Servers are asked whether a page is as it was, their word is on record, and it is not believed for ever."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from config.sources import DEFAULT_RECHECK
from crawler.rows import CaptureRow
from crawler.warc import RecordView, read_records
from tests.crawls import Answer, Site, page, serve_site
from tests.histories import check_archive, read_histories, read_segment
from tests.installation import Ofrecord, install

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

NOT_MODIFIED = "http://netpreserve.org/warc/1.1/revisit/server-not-modified"
LONG_AGO = "Mon, 02 Jan 2023 10:00:00 GMT"
ASKING = ("If-None-Match", "If-Modified-Since")


@pytest.fixture
def site() -> Iterator[Site]:
    with serve_site() as running:
        running.publish(2)
        tag(running, "/2026/0", ETag='W/"a\\b"', **{"Last-Modified": LONG_AGO})
        tag(running, "/2026/1", **{"Last-Modified": LONG_AGO})
        yield running


def tag(site: Site, path: str, **headers: str) -> None:
    site.answers[path] = replace(site.answers[path], headers=headers)


def look(ofrecord: Ofrecord, *words: str) -> dict[str, Any]:
    """Crawl, with a look at each known article, and return the report."""
    report: dict[str, Any] = ofrecord("crawl", "gazette", "--recheck", "all", "--json", *words).json()
    return report


def list_asked(site: Site, path: str) -> list[dict[str, str]]:
    """Return the headers that made each request for *path* conditional."""
    return [
        {name: headers[name] for name in ASKING if name in headers} for asked, headers in site.requests if asked == path
    ]


def list_captures(folder: Path, path: str) -> list[CaptureRow]:
    rows = [row for file in (folder / "archive").glob("segments/*/*/*.warc.gz") for row in read_segment(file)]
    found = [row for row in rows if isinstance(row, CaptureRow) and row.url.endswith(path)]
    return sorted(found, key=lambda row: row.captured_at)


def list_records(folder: Path, row: CaptureRow) -> dict[str, RecordView]:
    date = row.captured_at.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    return {
        record.type: record
        for file in (folder / "archive").glob("segments/*/*/*.warc.gz")
        for record in read_records(file)
        if record.header("WARC-Target-URI") == row.target_uri and record.header("WARC-Date") == date
    }


def read_verdicts(folder: Path, site: Site, path: str) -> list[str | None]:
    histories = read_histories(folder / "archive")
    return [verdict for verdict, _, _ in histories["gazette", f"{site.root}{path}"]]


def test_a_page_is_asked_for_by_its_validators_and_a_304_is_on_record(tmp_path: Path, site: Site) -> None:
    ofrecord = install(tmp_path, site.describe_source())
    reports = [look(ofrecord) for _ in range(3)]
    both = {"If-None-Match": 'W/"a\\b"', "If-Modified-Since": LONG_AGO}
    assert list_asked(site, "/2026/0") == [{}, both, both]
    assert list_asked(site, "/2026/1") == [{}, {"If-Modified-Since": LONG_AGO}, {"If-Modified-Since": LONG_AGO}]
    first, second, third = list_captures(tmp_path, "/2026/0")
    assert first.not_modified is None
    assert [(row.status, row.not_modified, row.class_reason) for row in (second, third)] == [
        (304, 1, "status 304: not modified"),
        (304, 2, "status 304: not modified"),
    ]
    assert second.revisit_of == third.revisit_of
    assert second.revisit_of is not None
    assert second.revisit_of.n == first.n
    records = list_records(tmp_path, third)
    assert b'\r\nIf-None-Match: W/"a\\b"\r\n' in records["request"].block
    assert f"\r\nIf-Modified-Since: {LONG_AGO}\r\n".encode() in records["request"].block
    assert records["revisit"].header("WARC-Profile") == NOT_MODIFIED
    assert records["revisit"].header("WARC-Payload-Digest") is None
    assert [(report["pages"], report["unchanged"], report["bad"], report["failed"]) for report in reports] == [
        (2, 0, 0, 0),
        (2, 2, 0, 0),
        (2, 2, 0, 0),
    ]
    saved = sum(len(site.answers[path].body) for path in ("/2026/0", "/2026/1"))
    assert [(report["not_modified"], report["bytes_saved"]) for report in reports] == [(0, 0), (2, saved), (2, saved)]
    assert read_verdicts(tmp_path, site, "/2026/0") == ["new", "unchanged", "unchanged"]
    shown = ofrecord("show", first.url, "--capture", "3", "--format", "html").stdout
    assert shown.encode() == site.answers["/2026/0"].body
    ofrecord("verify", "--full", "--rederive")
    ofrecord("tables", "build")
    ofrecord("tables", "check")


def test_an_edit_is_seen_though_the_page_was_asked_for_so(tmp_path: Path, site: Site) -> None:
    ofrecord = install(tmp_path, site.describe_source())
    look(ofrecord)
    tag(site, "/2026/0", ETag='"b"')
    site.answers["/2026/0"] = replace(site.answers["/2026/0"], body=page("Another headline"))
    look(ofrecord)
    look(ofrecord)
    assert read_verdicts(tmp_path, site, "/2026/0") == ["new", "revised", "unchanged"]
    _, edited, third = list_captures(tmp_path, "/2026/0")
    assert (edited.not_modified, third.not_modified) == (None, 1)
    record = list_records(tmp_path, third)["revisit"]
    assert record.header("WARC-Refers-To-Date") == edited.captured_at.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    assert list_asked(site, "/2026/0")[-1] == {"If-None-Match": '"b"'}


@pytest.mark.parametrize(
    "by",
    [
        pytest.param({"ETag": '"for-ever"'}, id="tag"),
        pytest.param({"Last-Modified": LONG_AGO}, id="date", marks=pytest.mark.soak),
    ],
)
def test_a_server_that_lies_is_found_out_within_n_looks(tmp_path: Path, site: Site, by: dict[str, str]) -> None:
    """Every page has the same name for ever; one of them is edited. Others are asked for as wholes from then on."""
    many = [f"/2026/{number}" for number in range(40)]
    site.announce("/2026/0")
    tag(site, "/2026/0", **by)
    ofrecord = install(tmp_path, site.describe_source(delay_seconds=0, concurrent_requests=1), unconditional_every=4)
    look(ofrecord)
    site.publish(40)
    for path in many:
        tag(site, path, **by)
    look(ofrecord)
    site.answers["/2026/0"] = replace(site.answers["/2026/0"], body=page("Softened in silence"))
    look(ofrecord)
    assert read_verdicts(tmp_path, site, "/2026/0") == ["new", "unchanged", "unchanged"]
    look(ofrecord)
    site.requests.clear()
    fourth = ofrecord("crawl", "gazette", "--recheck", "all", "--json")
    assert fourth.json()["revised"] == 1
    assert read_verdicts(tmp_path, site, "/2026/0") == ["new", "unchanged", "unchanged", "unchanged", "revised"]
    (told,) = [event for event in fourth.events() if event["event"] == "distrusted_validators"]
    assert told["url"] == f"{site.root}/2026/0"
    asked = {path: list_asked(site, path) for path in many}
    assert asked["/2026/0"] == [{}]
    assert asked["/2026/9"] == [{}]  # the last of them, by its URL: there had been two 304s
    assert [row.not_modified for row in list_captures(tmp_path, "/2026/9")] == [None, 1, 2, None]
    assert not check_archive(tmp_path / "archive").damaged


def test_by_default_a_lie_is_found_out_within_the_looks_of_an_article(tmp_path: Path, site: Site) -> None:
    """An article is looked at as often as its plan has ages: were it seldom asked for as a whole, it never would be."""
    ofrecord = install(tmp_path, site.describe_source())
    tag(site, "/2026/0", ETag='"for-ever"')
    look(ofrecord)
    site.answers["/2026/0"] = replace(site.answers["/2026/0"], body=page("Softened in silence"))
    half = DEFAULT_RECHECK[: len(DEFAULT_RECHECK) // 2]
    verdicts = [read_verdicts(tmp_path, site, "/2026/0")[-1] for _ in half if look(ofrecord)]
    assert "revised" in verdicts


def test_one_look_of_n_is_unconditional(tmp_path: Path, site: Site) -> None:
    ofrecord = install(tmp_path, site.describe_source() | {"unconditional_every": 3}, unconditional_every=1)
    for _ in range(7):
        look(ofrecord)
    asked = [bool(one) for one in list_asked(site, "/2026/0")]
    assert asked == [False, True, True, False, True, True, False]
    assert [row.not_modified for row in list_captures(tmp_path, "/2026/0")] == [None, 1, 2, None, 1, 2, None]
    assert read_verdicts(tmp_path, site, "/2026/0") == ["new"] + ["unchanged"] * 6
    look(ofrecord, "--unconditional")
    (tmp_path / "urls.txt").write_text(f"{site.root}/2026/0\n")
    ofrecord("crawl", "gazette", "--urls", tmp_path / "urls.txt")
    assert [bool(one) for one in list_asked(site, "/2026/0")][7:] == [False, False]


def test_a_job_without_state_knows_how_many_looks_were_conditional(tmp_path: Path, site: Site) -> None:
    """Beyond a checkpoint, too, whose thin facts leave out most captures."""
    ofrecord = install(tmp_path, site.describe_source(), unconditional_every=5)
    tag(site, "/rss.xml", ETag='"feed"')
    for number in range(12):
        ofrecord("job", "gazette", "--recheck", "all", "--state", tmp_path / f"state-{number}")
    asked = [bool(one) for one in list_asked(site, "/2026/0")]
    assert asked == [number % 5 > 0 for number in range(12)]
    asked = [bool(one) for one in list_asked(site, "/rss.xml")]
    assert asked[:2] == [False, False]  # the first brought pages
    assert asked[2:] == [number % 5 > 0 for number in range(1, 11)]
    ofrecord("verify", "--full")


HOSTILE = (
    {"ETag": "*"},
    {"ETag": "bare"},
    {"ETag": f'"{"x" * 500}"'},
    {"ETag": '"caf\xe9"'},
    {"ETag": '"a b"'},
    {"ETag": '"a", "b"'},
    {"Last-Modified": "yesterday"},
    {"Last-Modified": "Mon, 02 Jan 2090 10:00:00 GMT"},
    {"ETag": '"tab\tbed"', "Last-Modified": "Mon, 02 Jan 2023 10:00:00 GMT, *"},
)


def test_hostile_validators_are_not_sent(tmp_path: Path, site: Site) -> None:
    site.publish(len(HOSTILE))
    for number, headers in enumerate(HOSTILE):
        tag(site, f"/2026/{number}", **headers)
    ofrecord = install(tmp_path, site.describe_source())
    look(ofrecord)
    assert look(ofrecord)["unchanged"] == len(HOSTILE)
    for number, headers in enumerate(HOSTILE):
        assert list_asked(site, f"/2026/{number}") == [{}, {}]
        assert list_captures(tmp_path, f"/2026/{number}")[0].etag == headers.get("ETag")


def test_a_page_whose_text_is_still_to_be_had_is_fetched(tmp_path: Path, site: Site) -> None:
    ofrecord = install(tmp_path, site.describe_source())
    assert look(ofrecord, "--raw-only")["unread"] == 2
    assert look(ofrecord, "--raw-only")["unread"] == 2  # asked whether it is as it was recorded
    assert [row.page_class for row in list_captures(tmp_path, "/2026/0")] == ["unread", "unread"]
    assert ofrecord("crawl", "gazette", "--json").json()["new"] == 2
    assert [bool(one) for one in list_asked(site, "/2026/0")] == [False, True, False]
    look(ofrecord, "--raw-only")  # what its record was is still unread
    assert list_asked(site, "/2026/0")[-1] == {}
    assert not check_archive(tmp_path / "archive").damaged


WALL = "<title>Just a moment...</title><body><h1>Checking your browser</h1><form id=challenge-form></form></body>"


MISSING = "<title>Page not found</title><body><h1>Page not found</h1><p>Nothing is here.</p></body>"
BAD = (
    Answer(b"gone", 404),
    Answer(b"not now", 503),
    Answer(WALL.encode()),
    Answer(MISSING.encode()),
    Answer(page("Withheld"), headers={"X-Robots-Tag": "noarchive"}),
)


def test_validators_of_a_page_that_is_not_the_article_are_never_used(tmp_path: Path, site: Site) -> None:
    site.publish(len(BAD))
    paths = [f"/2026/{number}" for number in range(len(BAD))]
    for path in paths:
        tag(site, path, ETag='"good"')
    ofrecord = install(tmp_path, site.describe_source(), max_failed=1)
    good = dict(site.answers)
    look(ofrecord)
    for path, bad in zip(paths, BAD, strict=True):
        site.answers[path] = replace(bad, headers={**bad.headers, "ETag": '"wall"', "Last-Modified": LONG_AGO})
    look(ofrecord)
    look(ofrecord)
    site.answers.update(good)
    look(ofrecord)
    look(ofrecord)
    for path in paths:
        assert list_asked(site, path) == [{}, {"If-None-Match": '"good"'}, {}, {}, {"If-None-Match": '"good"'}]
        verdicts = read_verdicts(tmp_path, site, path)
        assert (verdicts[0], verdicts[-1]) == ("new", "unchanged")
        assert "revised" not in verdicts


def test_a_304_that_nobody_asked_for_says_nothing(tmp_path: Path, site: Site) -> None:
    ofrecord = install(tmp_path, site.describe_source(), max_failed=1)
    look(ofrecord)
    for headers in ({"ETag": '"other"'}, {}):
        site.answers["/2026/0"] = Answer(b"", 304, headers=headers)
        look(ofrecord)
    last = list_captures(tmp_path, "/2026/0")[1:]
    assert [(row.status, row.revisit_of, row.not_modified) for row in last] == [(304, None, None)] * 2
    assert [bool(one) for one in list_asked(site, "/2026/0")] == [False, True, False]
    assert read_verdicts(tmp_path, site, "/2026/0") == ["new", "bad", "bad"]
    assert not check_archive(tmp_path / "archive").damaged


def test_a_redirect_is_not_asked_with_what_another_url_has(tmp_path: Path, site: Site) -> None:
    ofrecord = install(tmp_path, site.describe_source())
    look(ofrecord)
    site.answers["/2026/0"] = Answer(b"", 301, headers={"Location": "/2026/elsewhere"})
    site.answers["/2026/elsewhere"] = Answer(page("Elsewhere"), headers={"ETag": '"new"'})
    look(ofrecord)
    look(ofrecord, "--recheck", "none")
    assert list_asked(site, "/2026/elsewhere")[0] == {}
    (tmp_path / "config" / "settings.yaml").write_text(
        (tmp_path / "config" / "settings.yaml").read_text() + "unconditional_every: 100\n"
    )
    look(ofrecord)
    assert list_asked(site, "/2026/elsewhere")[-1] == {"If-None-Match": '"new"'}
    assert read_verdicts(tmp_path, site, "/2026/elsewhere")[0] == "new"


def test_a_feed_that_is_not_modified_is_no_failure(tmp_path: Path, site: Site) -> None:
    ofrecord = install(tmp_path, site.describe_source())
    tag(site, "/rss.xml", ETag='"feed"')
    for _ in range(3):
        ofrecord("crawl", "gazette")
    report = ofrecord("crawl", "gazette", "--json").json()
    assert [bool(one) for one in list_asked(site, "/rss.xml")] == [False, False, True, True]
    (seed,) = report["discovery"]
    assert (seed["links"], seed["error"], seed["settled"]["urls"]) == (0, None, [])
    assert report["not_modified"] == 1
    last = list_captures(tmp_path, "/rss.xml")[-1]
    assert (last.status, last.page_class, last.not_modified) == (304, "listing", 2)
    assert last.revisit_of is not None
    site.announce("/2026/0", "/2026/1", "/2026/2")
    site.answers["/2026/2"] = Answer(page("Third"))
    assert ofrecord("crawl", "gazette", "--json").json()["new"] == 1
    assert not check_archive(tmp_path / "archive").damaged


def test_a_feed_loses_no_link_by_being_asked_so(tmp_path: Path, site: Site) -> None:
    """What a limit, a fault or the source's own patterns left out of an unchanged feed is found all the same."""
    site.publish(4)
    tag(site, "/rss.xml", ETag='"feed"')
    third = site.answers["/2026/2"]
    site.answers["/2026/2"] = Answer(b"broken", 500)  # a crawl would slow down for a 503
    ofrecord = install(
        tmp_path, site.describe_source() | {"articles": {"include": ["/2026/[0-2]"]}}, max_failed=1, raw_only=False
    )
    for _ in range(4):
        ofrecord("crawl", "gazette", "--limit", "1")
    assert Counter(site.paths)["/2026/2"] == 2
    site.answers["/2026/2"] = third
    assert ofrecord("crawl", "gazette", "--json").json()["new"] == 1
    ofrecord("crawl", "gazette")
    ofrecord("crawl", "gazette")
    assert [bool(one) for one in list_asked(site, "/rss.xml")] == [False] * 6 + [True]
    path = tmp_path / "config" / "sources" / "gazette.yaml"
    path.write_text(yaml.safe_dump(yaml.safe_load(path.read_text()) | {"articles": {"include": ["/2026/"]}}))
    assert ofrecord("crawl", "gazette", "--json").json()["new"] == 1
    assert list_asked(site, "/rss.xml")[-1] == {}


def test_a_sitemap_index_does_not_hide_its_members(tmp_path: Path, site: Site) -> None:
    """The index never changes, its member does."""
    index = f"<sitemapindex><sitemap><loc>{site.root}/member.xml</loc></sitemap></sitemapindex>"
    site.answers["/index.xml"] = Answer(index.encode(), media_type="application/xml", headers={"ETag": '"index"'})

    def announce(*paths: str) -> None:
        urls = "".join(f"<url><loc>{site.root}{path}</loc></url>" for path in paths)
        answer = Answer(f"<urlset>{urls}</urlset>".encode(), media_type="application/xml")
        site.answers["/member.xml"] = replace(answer, headers={"ETag": f'"{len(paths)}"'})

    announce("/2026/0")
    ofrecord = install(tmp_path, site.describe_source() | {"discover": [{"sitemap": f"{site.root}/index.xml"}]})
    for _ in range(3):
        ofrecord("crawl", "gazette")
    announce("/2026/0", "/2026/1")
    assert ofrecord("crawl", "gazette", "--json").json()["new"] == 1
    assert [bool(one) for one in list_asked(site, "/index.xml")] == [False] * 4
    assert list_asked(site, "/member.xml") == [{}, {}, {"If-None-Match": '"1"'}, {"If-None-Match": '"1"'}]
