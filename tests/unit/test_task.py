"""One page from wire to outcome, and the way of both through the pipe."""

from __future__ import annotations

import gzip
import json
from dataclasses import asdict, replace
from datetime import UTC, datetime
from typing import Any

import brotli
import pytest

from config.errors import ExtractError
from config.rules import ExtractRules
from crawler.model import Exchange, FieldValue, PageClass, Purpose
from crawler.normalise import digest_text
from crawler.outcome import (
    PageContext,
    decode_exchange_data,
    decode_outcome,
    encode_exchange_data,
    encode_outcome,
    encode_page,
    failed_outcome,
)
from crawler.warc import read_response
from crawler.workers.calls import perform
from crawler.workers.listings import discover
from crawler.workers.task import process_page

LINES = [f"The council said on Monday that rule {n} of the budget would be looked at once more." for n in range(8)]
PAGE = (
    "<!doctype html><html lang=en><head><meta charset=utf-8><title>Budget</title>"
    '<meta property="og:type" content="article"></head><body><article><h1>Café budget</h1>'
    + "".join(f"<p>{line}</p>" for line in LINES)
    + "</article></body></html>"
).encode()
HTML = "Content-Type: text/html; charset=utf-8\r\n"
CONTEXT = PageContext(ExtractRules(), timezone="Asia/Beirut", language="en", derivation="sha256:" + "0" * 64)


def exchange_of(
    body: bytes = PAGE, *, status: int | None = 200, head: str = HTML, purpose: Purpose = Purpose.ARTICLE, **more: Any
) -> Exchange:
    return Exchange(
        url="https://gazette.example/2026/budget",
        purpose=purpose,
        started_at=datetime(2026, 11, 22, 3, 45, 0, 7, tzinfo=UTC),
        seconds=0.1,
        request_head=b"GET /2026/budget HTTP/1.1\r\nHost: gazette.example\r\n\r\n",
        status=status,
        response_head=f"HTTP/1.1 {status} Some Words\r\n{head}\r\n".encode("latin-1") if status else b"",
        body=body,
        **more,
    )


def test_an_article() -> None:
    outcome = process_page(exchange_of(), CONTEXT)
    assert (outcome.page_class, outcome.extraction_error) == (PageClass.ARTICLE, None)
    assert (outcome.media_type, outcome.redirect) == ("text/html", None)
    snapshot = outcome.snapshot
    assert snapshot is not None
    assert snapshot.text.split("\n") == ["Café budget", *LINES]
    assert snapshot.text_digest == digest_text(snapshot.text)
    assert snapshot.derivation == CONTEXT.derivation
    assert outcome.recorded.response is not None
    assert read_response(outcome.recorded.data[: outcome.recorded.response.length]).body == PAGE


@pytest.mark.parametrize(
    ("body", "coding"), [(gzip.compress(PAGE), "gzip"), (brotli.compress(PAGE), "br"), (PAGE, "identity")]
)
def test_content_codings_are_undone_for_the_text_and_kept_in_the_record(body: bytes, coding: str) -> None:
    plain = process_page(exchange_of(), CONTEXT)
    coded = process_page(exchange_of(body, head=f"{HTML}Content-Encoding: {coding}\r\n"), CONTEXT)
    assert coded.snapshot == plain.snapshot
    assert coded.recorded.response is not None
    assert read_response(coded.recorded.data[: coded.recorded.response.length]).body == body


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"body": b"\x1f\x8bxx", "head": HTML + "Content-Encoding: gzip\r\n"}, "damaged gzip data"),
        ({"body": gzip.compress(PAGE)[:-9], "head": HTML + "Content-Encoding: gzip\r\n"}, "gzip"),
        ({"body": gzip.compress(bytes(60_000_000)), "head": HTML + "Content-Encoding: gzip\r\n"}, "inflates to more"),
        ({"body": b" \n"}, "the body is empty"),
        ({"body": PAGE[:-20], "truncated": "length"}, "the body was cut (length)"),
        ({"body": b"<div>" * 100_000}, "elements open"),
        ({"body": ("<div>" * 100_000).encode("utf-16")}, "elements open"),
    ],
    ids=["no gzip", "cut gzip", "bomb", "empty", "cut", "nested", "nested in utf-16"],
)
def test_a_page_that_cannot_be_read_is_kept_and_says_why(changes: dict[str, Any], reason: str) -> None:
    outcome = process_page(exchange_of(**changes), CONTEXT)
    assert (outcome.page_class, outcome.snapshot) == (PageClass.ERROR, None)
    assert reason in (outcome.extraction_error or "")
    assert outcome.recorded.records == 2


@pytest.mark.parametrize(
    ("changes", "page_class", "reason"),
    [
        ({"status": 404}, "error", "status 404"),
        ({"status": 410, "body": b""}, "error", "status 410"),
        ({"status": 503, "body": b"busy", "head": "Content-Type: text/plain\r\n"}, "error", "status 503"),
        ({"status": 206}, "error", "status 206"),
        ({"status": 301, "head": "Location: /new\r\n"}, "error", "leads to /new"),
        ({"status": 302, "head": "Location: /\r\n"}, "soft-404", "leads to /, the site's home or a section"),
        ({"status": 302, "head": "Location: /\r\n", "purpose": Purpose.SECTION}, "error", "leads to /"),
        ({"status": 304, "body": b""}, "error", "status 304"),
        ({"body": b"%PDF-1.7", "head": "Content-Type: application/pdf\r\n"}, "error", "application/pdf is no web page"),
        ({"purpose": Purpose.SECTION}, "listing", "section"),
        ({"purpose": Purpose.FEED, "body": b"<rss/>"}, "listing", "feed"),
        ({"purpose": Purpose.FEED, "body": b"", "status": 304}, "listing", "feed"),
        ({"purpose": Purpose.ROBOTS, "status": 404}, "error", "status 404"),
        ({"purpose": Purpose.SITEMAP, "status": 500}, "error", "status 500"),
    ],
)
def test_captures_that_are_no_article(changes: dict[str, Any], page_class: str, reason: str) -> None:
    outcome = process_page(exchange_of(**changes), CONTEXT)
    assert outcome.page_class == page_class
    assert reason in outcome.class_reason
    assert (outcome.snapshot, outcome.extraction_error) == (None, None)
    assert outcome.recorded.response is not None


def test_no_answer() -> None:
    outcome = process_page(exchange_of(b"", status=None, error="connection refused"), CONTEXT)
    assert (outcome.page_class, outcome.class_reason) == (PageClass.ERROR, "connection refused")
    assert (outcome.recorded.data, outcome.extraction_error) == (b"", None)


def test_a_page_without_a_media_type_is_looked_at() -> None:
    assert process_page(exchange_of(head=""), CONTEXT).snapshot is not None
    assert process_page(exchange_of(b"\x00\x01\x02" * 99, head=""), CONTEXT).snapshot is None


@pytest.mark.parametrize(
    ("location", "expected"),
    [
        ("/2026/new?a=1", "https://gazette.example/2026/new?a=1"),
        ("https://other.example/x", "https://other.example/x"),
        ("javascript:alert(1)", None),
    ],
)
def test_redirects(location: str, expected: str | None) -> None:
    assert process_page(exchange_of(b"", status=302, head=f"Location: {location}\r\n"), CONTEXT).redirect == expected


def test_an_old_page_is_derived_again_without_records() -> None:
    recorded = process_page(exchange_of(), CONTEXT)
    assert recorded.recorded.response is not None
    stored = read_response(recorded.recorded.data[: recorded.recorded.response.length])
    again = process_page(stored.exchange(), replace(CONTEXT, record=False))
    assert again.snapshot == recorded.snapshot
    assert (again.recorded.data, again.recorded.response) == (b"", None)


def test_links_of_a_feed() -> None:
    feed = (
        b"<rss version='2.0'><channel><item><title>One</title><link>https://gazette.example/1</link></item>"
        b"<item><title>Two</title><link>https://gazette.example/2</link></item></channel></rss>"
    )
    head = "Content-Type: application/rss+xml\r\nContent-Encoding: gzip\r\n"
    exchange = exchange_of(gzip.compress(feed), head=head, purpose=Purpose.FEED)
    found = discover(exchange, 10)
    assert [link.url for link in found.links] == ["https://gazette.example/1", "https://gazette.example/2"]
    assert len(discover(exchange, 1).links) == 1
    damaged = discover(exchange_of(b"no gzip", head=head, purpose=Purpose.FEED), 10)
    assert damaged.links == ()
    assert "damaged gzip" in (damaged.error or "")


@pytest.mark.parametrize(
    "exchange",
    [exchange_of(masked=("Cookie",), via_proxy=True, peer="192.0.2.1"), exchange_of(b"", status=None, error="x")],
)
def test_exchanges_go_through_the_pipe_whole(exchange: Exchange) -> None:
    data = json.loads(json.dumps(encode_exchange_data(exchange)))
    assert decode_exchange_data(data, exchange.body) == exchange


def test_the_pipe_gives_what_the_function_gives() -> None:
    rules = ExtractRules(remove=["p:first-of-type"])
    context = replace(CONTEXT, rules=rules, warcinfo_id="<urn:uuid:1>")
    data, body = encode_page(exchange_of(), context)
    answer, records = perform("page", json.loads(json.dumps(data)), body)
    outcome = decode_outcome(answer, records)
    assert outcome == process_page(exchange_of(), context)
    assert outcome.snapshot is not None
    assert LINES[0] not in outcome.snapshot.text


def test_half_a_surrogate_pair_is_replaced_on_its_way() -> None:
    """Python's texts can hold one, JSON cannot; the page must not be lost for it."""
    made = process_page(exchange_of(), CONTEXT)
    assert made.snapshot is not None
    odd = {"section": FieldValue("a\ud800b", "meta")}
    outcome = decode_outcome(*encode_outcome(replace(made, snapshot=replace(made.snapshot, fields=odd))))
    assert outcome.snapshot is not None
    assert outcome.snapshot.fields["section"].value == "a?b"


def test_each_page_is_read_by_the_rules_that_come_with_it() -> None:
    """A worker keeps the rules that it read last, and a caller what it made of them."""
    other = replace(CONTEXT, rules=ExtractRules(remove=["p:first-of-type"]))
    for context in (CONTEXT, other, CONTEXT, replace(other)):
        outcome = decode_outcome(*perform("page", *encode_page(exchange_of(), context)))
        assert outcome.snapshot is not None
        assert (LINES[0] in outcome.snapshot.text) == (context is CONTEXT)


def test_what_cannot_be_asked() -> None:
    data, body = encode_page(exchange_of(), CONTEXT)
    with pytest.raises(ValueError, match="expected page, outline, explain"):
        perform("shell", data, body)


@pytest.mark.parametrize(
    "change",
    [
        {"page_class": "root"},
        {"snapshot": {"text": 1}},
        {"recorded": None},
        {"recorded": {"response": {"offset": 5, "length": 10}, "request": None, "payload_digest": None, "records": 1}},
        {"recorded": {"response": None, "request": None, "payload_digest": None, "records": 2}},
    ],
)
def test_a_hostile_answer_is_refused(change: dict[str, Any]) -> None:
    answer, records = encode_outcome(process_page(exchange_of(), CONTEXT))
    assert decode_outcome(answer, records).snapshot is not None
    with pytest.raises(ExtractError, match="worker's answer"):
        decode_outcome(json.dumps(json.loads(answer) | change).encode(), records)
    with pytest.raises(ExtractError, match="worker's answer"):
        decode_outcome(answer, records + b"x")


def test_the_outcome_where_a_worker_failed() -> None:
    outcome = failed_outcome(exchange_of(), CONTEXT, "time-out")
    assert (outcome.page_class, outcome.extraction_error, outcome.snapshot) == (PageClass.ERROR, "time-out", None)
    assert asdict(outcome.recorded) == asdict(process_page(exchange_of(), CONTEXT).recorded)
