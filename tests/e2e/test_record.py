"""What is kept of a page that comes again, and of one that asks not to be archived."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from crawler.rows import CaptureRow
from crawler.warc import RecordView, read_records
from tests.histories import check_archive, read_histories, read_segment, read_texts
from tests.installation import Ofrecord, install
from tests.wire import CLOSE, Case, WireServer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

TEXT = b"<p>The council met on Monday and agreed that the bridge will be built next year.</p>" * 20
IDENTICAL = "http://netpreserve.org/warc/1.1/revisit/identical-payload-digest"


def page(name: str, *headers: bytes, meta: bytes = b"", words: bytes = b"") -> Case:
    title = name.encode()
    body = b"<html><head><title>%s</title>%s</head><body><h1>%s</h1>%s%s</body></html>" % (
        title, meta, title, TEXT, words
    )  # fmt: skip
    head = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n" + b"".join(header + b"\r\n" for header in headers)
    return Case(name, (head + b"Content-Length: %d\r\n\r\n" % len(body) + body,))


@pytest.fixture
def server() -> Iterator[WireServer]:
    with WireServer([]) as running:
        yield running


def crawl(ofrecord: Ofrecord, server: WireServer, folder: Path, *cases: Case) -> dict[str, CaptureRow]:
    """Serve *cases*, fetch them, and return the rows of this run by path."""
    server.cases = {case.path: case for case in cases}
    (folder / "urls.txt").write_text("".join(f"http://127.0.0.1:{server.port}{path}\n" for path in server.cases))
    before = set((folder / "archive").glob("segments/*/*/*.warc.gz"))
    ofrecord("crawl", "gazette", "--urls", folder / "urls.txt")
    (new,) = set((folder / "archive").glob("segments/*/*/*.warc.gz")) - before
    rows = [row for row in read_segment(new) if isinstance(row, CaptureRow)]
    return {"/" + row.target_uri.split("/", 3)[3]: row for row in rows}


def read_answer(folder: Path, row: CaptureRow) -> RecordView:
    """Return the response or revisit record of *row*: the only one in the archive at that time and place."""
    found = [
        record
        for path in (folder / "archive").glob("segments/*/*/*.warc.gz")
        for record in read_records(path)
        if record.type in {"response", "revisit"}
        and record.header("WARC-Target-URI") == row.target_uri
        and record.header("WARC-Date") == row.captured_at.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    ]
    assert len(found) == 1
    return found[0]


def installed(folder: Path, server: WireServer, **settings: Any) -> Ofrecord:
    home = f"http://127.0.0.1:{server.port}/"
    return install(folder, {"home": home, "discover": [{"section": home}]}, max_failed=1, **settings)


def test_a_payload_that_is_committed_already_is_not_stored_again(tmp_path: Path, server: WireServer) -> None:
    ofrecord = installed(tmp_path, server)
    first = crawl(ofrecord, server, tmp_path, page("a"), page("b"))
    second = crawl(ofrecord, server, tmp_path, page("a", b"X-Count: 2"), page("b", words=b"<p>More.</p>"))
    third = crawl(ofrecord, server, tmp_path, page("a", b"X-Count: 3"), page("b"))
    assert second["/b"].revisit_of is None
    for row, origin, count in ((second["/a"], first["/a"], b"2"), (third["/a"], first["/a"], b"3")):
        record = read_answer(tmp_path, row)
        assert row.revisit_of is not None
        assert row.revisit_of.n == origin.n
        assert (record.type, record.header("WARC-Profile")) == ("revisit", IDENTICAL)
        assert record.header("WARC-Refers-To-Target-URI") == origin.target_uri
        assert record.header("WARC-Refers-To-Date") == origin.captured_at.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        assert b"X-Count: " + count in record.block
        assert TEXT not in record.block
        assert row.payload_digest == origin.payload_digest == record.header("WARC-Payload-Digest")
        assert row.size_bytes == origin.size_bytes
    assert third["/robots.txt"].revisit_of is not None
    assert third["/b"].revisit_of is not None  # the first text again, and not that in between
    assert third["/b"].payload_digest == first["/b"].payload_digest
    url = first["/a"].url
    pages = [ofrecord("show", url, "--capture", str(n), "--format", "html").stdout for n in (1, 2, 3)]
    assert pages[0] == pages[1] == pages[2]
    assert TEXT.decode() in pages[0]
    assert "WARC-Type: revisit" in ofrecord("show", url, "--capture", "2", "--format", "raw").stdout
    histories = read_histories(tmp_path / "archive")
    assert [verdict for verdict, _, _ in histories["gazette", url]] == ["new", "unchanged", "unchanged"]
    assert [verdict for verdict, _, _ in histories["gazette", first["/b"].url]] == ["new", "revised", "reverted"]
    assert not check_archive(tmp_path / "archive").damaged


ASKING = (
    page("header", b"X-Robots-Tag: noarchive"),
    page("meta", meta=b'<meta name="robots" content="index, NoArchive">'),
    page("ours", b"X-Robots-Tag: ofrecord: noarchive"),
)
NAMED = b'<meta name="robots" content="noarchive">'


def served(case: Case) -> bytes:
    (answer,) = case.script
    assert isinstance(answer, bytes)
    return answer


ASKING_BUT_UNREAD = (
    Case("cut", (served(page("cut", meta=NAMED))[:-30], CLOSE)),
    Case("plain-text", (served(page("plain-text", meta=NAMED)).replace(b"text/html", b"text/plain"),)),
    page("nul", meta=b"\0" + NAMED),
    page("attributes", meta=NAMED + b"<p " + b"".join(b"a%d " % n for n in range(9_000)) + b">"),
)
"""Pages whose text nobody reads, and whose wish is obeyed all the same."""
NOT_ASKING = (
    page("others", b"X-Robots-Tag: otherbot: noarchive"),
    page("plain", b"X-Robots-Tag: noindex"),
    page(
        "said",
        meta=b"<!-- <meta name=robots content=noarchive> --><script>'<meta name=robots content=noarchive>'</script>",
    ),
)


def test_a_page_that_asks_not_to_be_archived_is_not(tmp_path: Path, server: WireServer) -> None:
    ofrecord = installed(tmp_path, server)
    asking = (*ASKING, *ASKING_BUT_UNREAD)
    rows = crawl(ofrecord, server, tmp_path, *asking, *NOT_ASKING)
    for case in asking:
        row, record = rows[case.path], read_answer(tmp_path, rows[case.path])
        assert (row.page_class, row.size_bytes, row.truncated) == ("noarchive", 0, "unspecified")
        assert "noarchive" in row.directives
        assert record.block.endswith(b"\r\n\r\n")
        assert record.block.startswith(b"HTTP/1.1 200 OK\r\n")
        assert record.header("WARC-Truncated") == "unspecified"
    for case in NOT_ASKING:
        row = rows[case.path]
        assert (row.page_class, row.truncated) == ("article", None)
        assert "noarchive" not in row.directives
        assert TEXT in read_answer(tmp_path, row).block
    assert rows["/plain"].directives == ["noindex"]
    verdicts = {
        url.rpartition("/")[2]: history[0][0] for (_, url), history in read_histories(tmp_path / "archive").items()
    }
    assert verdicts == {case.name: "bad" for case in asking} | {case.name: "new" for case in NOT_ASKING}
    assert not check_archive(tmp_path / "archive").damaged


def test_a_setting_says_whether_that_is_obeyed(tmp_path: Path, server: WireServer) -> None:
    ofrecord = installed(tmp_path, server, obey_noarchive=False)
    rows = crawl(ofrecord, server, tmp_path, *ASKING)
    for case in ASKING:
        row = rows[case.path]
        assert (row.page_class, row.truncated) == ("article", None)
        assert "noarchive" in row.directives
        assert TEXT in read_answer(tmp_path, row).block


def serve(name: str, html: str, status: bytes = b"200 OK") -> Case:
    body = html.encode()
    head = b"HTTP/1.1 %s\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: %d\r\n\r\n" % (status, len(body))
    return Case(name, (head + body,))


TEASER = "<li><a href='/n/{n}'>A bridge in the north is closed, number {n}</a><p>Long.</p></li>"
TEASERS = "".join(TEASER.format(n=n) for n in range(12))
WALLED = '<script type="application/ld+json">{"@type":"NewsArticle","isAccessibleForFree":false}</script>'
BAD = {
    "challenge": serve("challenge", "<h1>Are you a robot?</h1><div class='g-recaptcha'></div>"),
    "consent": serve(
        "consent",
        "<div class='consent-form'><h1>The Gazette</h1><p>We and our partners use cookies to store and access"
        " information on your device. You may accept or reject all.</p><button>Accept all</button></div>",
    ),
    "removed": serve("removed", "<title>Page not found</title><h1>Page not found</h1><p>Sorry.</p>"),
    "listing": serve("listing", f"<meta property='og:type' content='website'><h1>World</h1><ul>{TEASERS}</ul>"),
    "truncated": serve(
        "truncated",
        WALLED + "<article><h1>truncated</h1><p>The council met on Monday and agreed.</p>"
        "<div class='paywall'><p>This article is for subscribers only. Subscribe now to continue reading.</p></div>"
        "</article>",
    ),
    "error": serve("error", "<h1>Oops</h1>", b"500 Internal Server Error"),
}


def test_bad_never_replaces_good(tmp_path: Path, server: WireServer) -> None:
    """Each class of what is no article, served in the place of a known one: kept raw, and the text stays."""
    ofrecord = installed(tmp_path, server)
    crawl(ofrecord, server, tmp_path, *(page(name) for name in BAD))
    texts = read_texts(tmp_path / "archive")
    rows = crawl(ofrecord, server, tmp_path, *BAD.values())
    classes = {name: "soft-404" if name == "removed" else name for name in BAD}
    assert {name: rows[f"/{name}"].page_class for name in BAD} == classes
    assert read_texts(tmp_path / "archive") == texts
    assert len(texts) == len(BAD)
    for (_, url), history in read_histories(tmp_path / "archive").items():
        deleted = url.endswith("/removed")
        assert [verdict for verdict, _, _ in history] == ["new", "suspected" if deleted else "bad"], url
        assert read_answer(tmp_path, rows["/" + url.rpartition("/")[2]]).type == "response"
    back = crawl(ofrecord, server, tmp_path, *(page(name) for name in BAD))
    verdicts = {history[-1][0] for history in read_histories(tmp_path / "archive").values()}
    assert verdicts == {"unchanged", "returned"}
    assert all(back[f"/{name}"].revisit_of is not None for name in BAD)
    assert not check_archive(tmp_path / "archive").damaged


def walled(*paragraphs: str) -> Case:
    lines = "".join(f"<p>{words}</p>" for words in paragraphs)
    return serve(
        "walled",
        WALLED + f"<article><h1>The bridge</h1>{lines}"
        "<div class='paywall'><p>This article is for subscribers only. Subscribe now to continue reading.</p></div>"
        "</article>",
    )


def test_what_is_always_behind_a_wall_has_a_history(tmp_path: Path, server: WireServer) -> None:
    """An edit of what a pay wall leaves is one, its removal is evidence, and the whole text is no silent edit."""
    ofrecord = installed(tmp_path, server)
    first = "The council met on Monday and agreed on 12 million."
    later = first.replace("12", "14")
    cases = [
        walled(first),
        walled(first, "It was late."),
        walled(later, "It was late."),
        serve("walled", "<h1>Not found</h1>", b"404 Not Found"),
        serve("walled", "<h1>Not found</h1>", b"404 Not Found"),
        walled(later, "It was late."),
        serve("walled", f"<article><h1>The bridge</h1><p>{later}</p><p>It was late.</p>{TEXT.decode()}</article>"),
        walled("Something else."),
    ]
    rows = [crawl(ofrecord, server, tmp_path, case)["/walled"] for case in cases]
    assert [row.page_class for row in rows] == [*["truncated"] * 3, *["error"] * 2, "truncated", "article", "truncated"]
    (history,) = read_histories(tmp_path / "archive").values()
    verdicts = ["new", "revised", "revised", "suspected", "gone", "returned", "revised", "bad"]
    assert [verdict for verdict, _, _ in history] == verdicts
    events = [one for one in ofrecord("changes", "--json").rows() if one["what"] == "revised"]
    assert [sorted({edit["kind"] for edit in one["edits"]}) for one in events] == [
        ["paragraph_added"],
        ["number"],
        ["paywall_off"],
    ]
    assert events[-1]["silent"] is False
    assert not check_archive(tmp_path / "archive").damaged


def test_a_long_report_of_failed_seeds_holds_nothing_up(tmp_path: Path, server: WireServer) -> None:
    """The run's row is longer than a pipe holds."""
    root = f"http://127.0.0.1:{server.port}"
    seeds = [{"feed": f"{root}/a-feed-of-which-there-is-nothing-any-more/{number}.xml"} for number in range(600)]
    ofrecord = install(tmp_path, {"home": f"{root}/", "discover": seeds})
    report = ofrecord("crawl", "gazette", "--json", code=3).json()
    assert len(report["discovery"]) == 600
    assert len(str(report["discovery"])) > 65_536
    assert all(seed["error"] == "status 404, expected 200" for seed in report["discovery"])
