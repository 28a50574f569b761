"""Documents as rendered, in an archive: recorded, recovered, read back, proved, and named where they were changed."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from config.errors import ExtractError, RecordError
from crawler.derivation import read_ingredients
from crawler.model import Exchange, PageClass, Rendition
from crawler.outcome import decode_outcome, decode_page, encode_outcome, encode_page
from crawler.recovery import recover_segments
from crawler.rows import CaptureRow, decode_row, encode_row
from crawler.warc import encode_exchange, read_member, read_records
from crawler.workers.listings import discover
from crawler.workers.task import process_page
from jobs.segments.pages import CapturePlaces, RecordPlace, read_capture
from jobs.verify import VerifyReport, verify_archive
from tests.archives import NOON, SOURCE, copy_store, cover_up, file_keys, open_segment, put, read_lines
from tests.contract.test_verify_texts import LIMITS
from tests.faults import WARC, damage, flip
from tests.faults.rows import edit_rows
from tests.real_archives import Growing, derive_of, make_context, make_exchange, make_row, site_pages

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from jobs.store.memory import MemoryStore

SHELL = b"<!doctype html><html><body><div id=root></div><script src=/app.js></script></body></html>"
BROWSER = "Chromium/150.0.7871.100"
RENDER = "playwright"
PAGE = next(page for url, page in site_pages().items() if "library" in url)
URL = next(url for url in site_pages() if "library" in url)


def render(exchange: Exchange, document: bytes = PAGE) -> Exchange:
    return replace(exchange, rendition=Rendition(document, BROWSER))


def shell(hours: int = 0, url: str = URL, **fields: Any) -> Exchange:
    return make_exchange(url, NOON + timedelta(hours=hours, microseconds=7), SHELL, **fields)


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> MemoryStore:
    """Three shells, rendered; then one of them again, as a revisit, with another document; and one as served."""
    growing = Growing(tmp_path_factory.mktemp("spool"))
    pages = [(url, page) for url, page in site_pages().items() if "library" in url or "rain" in url][:3]
    growing.add_segment(
        [render(shell(n, url, gzipped=True), page) for n, (url, page) in enumerate(pages)], render=RENDER
    )
    again = growing.refer(shell(30, pages[0][0], gzipped=True))
    assert again.refers_to is not None
    edited = pages[0][1].replace(b"</h1>", b" And more.</h1>", 1)
    growing.add_segment([render(again, edited)], render=RENDER)
    growing.add_segment([make_exchange(pages[1][0], NOON + timedelta(days=3), pages[1][1])])
    return growing.store


def check(store: MemoryStore) -> VerifyReport:
    return verify_archive(store, full=True, rederive=LIMITS)


def test_texts_are_made_anew_from_what_was_rendered(sound: MemoryStore) -> None:
    report = check(sound)
    assert damage(report) == []
    assert report.counts.rederived == 5
    rows = [row for key in file_keys(sound, WARC) for row in read_lines(sound, key)]
    captures = [row["warc"] for row in rows if row["type"] == "capture"]
    assert [bool(place.get("rendered")) for place in captures] == [True, True, True, True, False]
    assert "rendered" not in captures[-1]  # as such rows were before there was such a thing
    texts = [row["text"] for row in rows if row["type"] == "snapshot"]
    assert " And more." in texts[3]
    assert texts[4] == texts[1]  # what was rendered was the page that was later served


def test_the_document_lies_between_answer_and_request(sound: MemoryStore) -> None:
    for key in file_keys(sound, WARC)[:2]:
        data = sound.get(key)
        for row in (one for one in read_lines(sound, key) if one["type"] == "capture"):
            place = row["warc"]
            start = place["response"]["offset"] + place["response"]["length"]
            assert place["rendered"] == {"offset": start, "length": place["request"]["offset"] - start}
            record = read_member(data[start : place["request"]["offset"]])
            answer = read_member(data[place["response"]["offset"] : start])
            assert (record.type, record.find_faults()) == ("conversion", [])
            assert record.header("WARC-Refers-To") == answer.header("WARC-Record-ID")
            assert record.header("WARC-Target-URI") == row["target_uri"]
            assert record.header("WARC-Rendered-By") == BROWSER
            assert record.header("Content-Type") == "text/html; charset=utf-8"


def _edit(change: Callable[[dict[str, Any], dict[str, Any]], object]) -> Callable[[list[dict[str, Any]]], Any]:
    """*change*: of the `warc` of the first two captures."""

    def edit(lines: list[dict[str, Any]]) -> list[dict[str, Any]]:
        change(*[row["warc"] for row in lines if row["type"] == "capture"][:2])
        return lines

    return edit


FAULTS: dict[str, tuple[Callable[[dict[str, Any], dict[str, Any]], object], str]] = {
    "no row": (lambda one, _: one.update(rendered=None), "0 captures point at it"),
    "another's": (lambda one, other: one.update(rendered=dict(other["rendered"])), "does not follow the answer"),
    "a request": (
        lambda one, _: one.update(rendered=dict(one["request"])),
        "found a request record, expected conversion",
    ),
    "the answer": (
        lambda one, _: one.update(rendered=dict(one["response"])),
        "found a response record, expected conversion",
    ),
    "longer": (lambda one, _: one["rendered"].update(length=one["rendered"]["length"] + 1), "length: the row says"),
    "no answer": (lambda one, _: one.update(response=None), "does not follow the answer"),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_pointer_that_was_changed_is_found(sound: MemoryStore, name: str) -> None:
    change, message = FAULTS[name]
    store = copy_store(sound)
    edit_rows(store, file_keys(store, WARC)[0], _edit(change))
    assert any(message in line for line in damage(verify_archive(store, full=True))), damage(check(store))


def test_a_document_that_was_changed_is_found(sound: MemoryStore) -> None:
    key = file_keys(sound, WARC)[0]
    place = next(row for row in read_lines(sound, key) if row["type"] == "capture")["warc"]["rendered"]
    store = copy_store(sound)
    put(store, key, flip(store.get(key), 8 * (place["offset"] + place["length"] // 2)))
    cover_up(store)
    assert any(f"offset {place['offset']}" in line for line in damage(verify_archive(store, full=True)))


def test_a_page_goes_through_the_workers_pipe_as_it_is() -> None:
    failed = replace(shell(), rendition=Rendition(browser=BROWSER, error="time-out"))
    for exchange in (shell(), render(shell(gzipped=True)), failed):
        data, body = encode_page(exchange, make_context(None, render=RENDER))
        assert decode_page(data, body) == exchange
    outcome = process_page(render(shell()), make_context(None, render=RENDER))
    assert outcome.recorded.rendered is not None
    assert decode_outcome(*encode_outcome(outcome)) == outcome
    moved = replace(outcome.recorded, rendered=replace(outcome.recorded.rendered, offset=1))
    with pytest.raises(ExtractError, match="records are said to lie"):
        decode_outcome(*encode_outcome(replace(outcome, recorded=moved)))


def test_the_context_says_what_is_read() -> None:
    both = render(make_exchange(URL, NOON, PAGE.replace(b"</h1>", b" As served.</h1>", 1)))
    served, rendered = (process_page(both, make_context(None, render=word)).snapshot for word in (None, RENDER))
    assert served is not None
    assert rendered is not None
    assert (" As served." in served.text, " As served." in rendered.text) == (True, False)
    assert served.derivation != rendered.derivation
    assert not process_page(both, make_context(None, render=RENDER)).repeatable


@pytest.mark.parametrize(
    ("exchange", "error"),
    [
        (shell(), "the page was not rendered"),
        (
            replace(shell(), rendition=Rendition(error="the browser ended")),
            "the page could not be rendered: the browser ended",
        ),
        (replace(shell(), truncated="length"), f"the body was cut (length) after {len(SHELL)} bytes"),
    ],
)
def test_a_page_that_was_not_rendered_has_no_text(exchange: Exchange, error: str) -> None:
    outcome = process_page(exchange, make_context(None, render=RENDER))
    assert (outcome.snapshot, outcome.page_class, outcome.extraction_error) == (None, PageClass.ERROR, error)
    assert outcome.recorded.response is not None


def test_what_is_no_page_needs_no_rendering() -> None:
    missing = shell(status=404)
    picture = replace(shell(), response_head=b"HTTP/1.1 200 OK\r\nContent-Type: image/png\r\n\r\n")
    for exchange, reason in ((missing, "status 404"), (picture, "image/png is no web page")):
        outcome = process_page(exchange, make_context(None, render=RENDER))
        assert outcome.extraction_error is None
        assert outcome.class_reason.startswith(reason)


@pytest.mark.parametrize("where", ["served", "rendered"])
def test_noarchive_is_heard_wherever_it_is_said(where: str) -> None:
    tag = b'<meta name="robots" content="noarchive">'
    body = SHELL.replace(b"<body>", b"<head>" + tag + b"</head><body>") if where == "served" else SHELL
    document = PAGE.replace(b"<head>", b"<head>" + tag, 1) if where == "rendered" else PAGE
    exchange = render(replace(shell(), body=body), document)
    outcome = process_page(exchange, make_context(None, obey_noarchive=True, render=RENDER))
    assert (outcome.withheld, outcome.recorded.rendered) == (True, None)
    kept = process_page(exchange, make_context(None, render=RENDER))
    assert "noarchive" in kept.directives
    assert kept.snapshot is not None


def test_links_are_read_off_the_document() -> None:
    section = replace(shell(gzipped=True), purpose=type(shell().purpose)("section"))
    links = b"<html><body><a href=/2026/1>One of the articles</a></body></html>"
    assert not discover(section, 10).links
    found = discover(render(section, links).as_rendered(), 10).links
    assert [link.url.rpartition("/")[2] for link in found] == ["1"]


def test_a_segment_that_was_torn_within_a_document_is_cut_before_its_capture(tmp_path: Path) -> None:
    context = make_context(None, render=RENDER)
    derivation = derive_of(None, RENDER)
    run = "gazette-20261122T120000Z-0123456789abcdef"
    writer = open_segment(tmp_path, source=SOURCE, run=run, archive="0" * 32, now=NOON, derivation=derivation)
    for hours in range(2):
        exchange = render(shell(hours))
        outcome = process_page(exchange, context)
        writer.append(make_row(exchange, outcome), outcome.recorded, outcome.snapshot)
    writer.abandon()
    (warc,) = tmp_path.glob("open/*/records.warc.gz")
    with warc.open("rb") as file:
        last = [record for record in read_records(file) if record.type == "conversion"][1]
    with warc.open("r+b") as file:
        file.truncate(last.offset + last.length // 2)
    recover_segments(tmp_path, NOON)
    (folder,) = (tmp_path / "closed").iterdir()
    rows = [decode_row(line) for line in (folder / "rows.jsonl").read_bytes().splitlines(keepends=True)]
    captures = [row for row in rows if isinstance(row, CaptureRow)]
    assert len(captures) == 1
    assert captures[0].warc is not None
    assert captures[0].warc.rendered is not None
    assert decode_row(encode_row(captures[0])) == captures[0]
    with (folder / "records.warc.gz").open("rb") as file:
        kinds = [record.type for record in read_records(file)]
    assert kinds == ["warcinfo", "response", "conversion", "request", "metadata"]


def test_a_record_that_is_none_is_not_taken_for_a_document() -> None:
    recorded = encode_exchange(render(shell()))
    assert recorded.response is not None
    assert recorded.rendered is not None
    assert recorded.request is not None

    def read(place: RecordPlace) -> bytes:
        return recorded.data[place.offset : place.offset + place.length]

    response, rendered, request = (
        RecordPlace("x", extent.offset, extent.length)
        for extent in (recorded.response, recorded.rendered, recorded.request)
    )
    found = read_capture(read, CapturePlaces(response, response, rendered))
    assert found.rendition == Rendition(PAGE, BROWSER)
    assert found.as_rendered().header("Content-Type") == "text/html; charset=utf-8"
    assert read_capture(read, CapturePlaces(response, response, rendered), make_context(None)).rendition is None
    served, rendering = CapturePlaces(response, response), make_context(None, render=RENDER)
    assert (served.serve(make_context(None)), served.serve(rendering)) == (True, False)
    assert CapturePlaces(response, response, rendered).serve(rendering)
    with pytest.raises(RecordError, match="found a record of type 'request'"):
        read_capture(read, CapturePlaces(response, response, request))


def test_the_derivation_is_read_back_with_what_renders() -> None:
    made = derive_of("en", RENDER)
    ingredients = read_ingredients(made.digest, made.meaning)
    assert ingredients is not None
    assert LIMITS.make_context(ingredients, made.digest).render == RENDER
