"""Exchanges that are only recorded: what is kept, what is said of them, and what robots are told is obeyed."""

from __future__ import annotations

import gzip
import random
import zlib
from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING

import brotli
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawler.directives import find_robots_tags, find_robots_tags_in, read_directives
from crawler.encoding import decode_beginning, decode_by_steps, inflate_beginning, inflate_by_steps
from crawler.items import PageItem, Tally
from crawler.model import PageClass, Purpose
from crawler.outcome import decode_exchange_data, encode_exchange_data
from crawler.recording import read_beginning, read_robots_tags, record_only
from crawler.warc import read_response
from tests.unit.test_task import CONTEXT, PAGE, exchange_of

if TYPE_CHECKING:
    from collections.abc import Callable

OBEYING = replace(CONTEXT, obey_noarchive=True)
ASKING = b"<html><head><title>Budget</title>%b<meta name=robots content='noarchive'></head><body>Text.</body></html>"
PIECES = (
    "<!--",
    "-->",
    "<script>",
    "</script>",
    "<meta name=robots content=noarchive>",
    "<meta ",
    "content='a>b'",
    ">",
    '<META NAME="&#114;obots" CONTENT="noindex">',
    "</head>",
    "<body",
    "x" * 99,
    "'",
    '"',
    "<meta name=x content=y>",
)
ODD = "<title>é 行</title><meta name=robots content='näher, нет, noarchive' data-x='行'>"
STEPS = (10, 100, 1_000, 5_000)


def test_a_page_is_recorded_and_not_read() -> None:
    outcome = record_only(exchange_of(), OBEYING)
    assert (outcome.page_class, outcome.class_reason) == (PageClass.UNREAD, "recorded only: no text was asked for")
    assert (outcome.snapshot, outcome.extraction_error, outcome.withheld) == (None, None, False)
    assert outcome.recorded.response is not None
    assert read_response(outcome.recorded.data[: outcome.recorded.response.length]).body == PAGE


@pytest.mark.parametrize(
    ("status", "purpose", "page_class", "reason"),
    [
        (404, Purpose.ARTICLE, PageClass.ERROR, "status 404"),
        (301, Purpose.ARTICLE, PageClass.ERROR, "status 301"),
        (None, Purpose.ARTICLE, PageClass.ERROR, "no answer"),
        (200, Purpose.FEED, PageClass.LISTING, "fetched as feed"),
        (500, Purpose.SECTION, PageClass.ERROR, "status 500"),
    ],
)
def test_the_class_is_what_the_status_tells(
    status: int | None, purpose: Purpose, page_class: PageClass, reason: str
) -> None:
    outcome = record_only(exchange_of(status=status, purpose=purpose), OBEYING)
    assert (outcome.page_class, outcome.class_reason, outcome.extraction_error) == (page_class, reason, None)


def test_a_redirect_home_is_evidence_of_deletion() -> None:
    outcome = record_only(exchange_of(b"", status=302, head="Location: /\r\n"), OBEYING)
    assert (outcome.page_class, outcome.class_reason) == (
        PageClass.SOFT_404,
        "status 302, leads to /, the site's home or a section",
    )


@pytest.mark.parametrize(
    ("purpose", "forbidden", "page_class"),
    [
        (Purpose.ARTICLE, True, PageClass.BLOCKED),
        (Purpose.ARTICLE, False, PageClass.ERROR),
        (Purpose.FEED, True, PageClass.ERROR),
    ],
)
def test_what_robots_txt_disallows_is_blocked_and_what_it_may_disallow_is_not(
    purpose: Purpose, forbidden: bool, page_class: PageClass
) -> None:
    asked = replace(exchange_of(b"", status=None, purpose=purpose), error="the reason", forbidden=forbidden)
    passed = decode_exchange_data(encode_exchange_data(asked), b"")
    assert passed == asked  # a worker reads it
    outcome = record_only(passed, OBEYING)
    assert (outcome.page_class, outcome.class_reason, outcome.recorded.response) == (page_class, "the reason", None)


@pytest.mark.parametrize(("hint", "failed"), [("suspected", 0), ("gone", 0), ("bad", 1)])
def test_what_is_blocked_has_failed_unless_it_is_evidence(hint: str, failed: int) -> None:
    exchange = replace(exchange_of(b"", status=None), error="the reason", forbidden=True)
    tally = Tally()
    tally.count_page(PageItem(exchange, exchange.url, hint=hint))
    assert (tally.articles, tally.failed, tally.errors) == (1, failed, 1)


@pytest.mark.parametrize("before", [b"", b"<style>" + b"x" * 20_000 + b"</style>", b"<!--" + b"x" * 300_000 + b"-->"])
@pytest.mark.parametrize(
    ("coding", "code"),
    [("identity", bytes), ("gzip", gzip.compress), ("deflate", zlib.compress), ("br", brotli.compress)],
)
def test_a_page_that_asks_not_to_be_archived_is_withheld(
    before: bytes, coding: str, code: Callable[[bytes], bytes]
) -> None:
    exchange = exchange_of(code(ASKING % before), head=f"Content-Encoding: {coding}\r\n")
    outcome = record_only(exchange, OBEYING)
    assert (outcome.page_class, outcome.withheld, outcome.directives) == (PageClass.NOARCHIVE, True, ("noarchive",))
    assert outcome.recorded.response is not None
    assert read_response(outcome.recorded.data[: outcome.recorded.response.length]).body == b""
    assert record_only(exchange, CONTEXT).page_class is PageClass.UNREAD


@given(
    st.lists(st.sampled_from([*PIECES, "<meta name=robots content='a > b, noarchive'>", ODD]), max_size=40), st.data()
)
def test_a_head_is_read_part_by_part(pieces: list[str], data: st.DataObject) -> None:
    page = "".join(pieces)
    ends = sorted(data.draw(st.lists(st.integers(0, len(page)), max_size=6)))
    parts = [page[start:end] for start, end in pairwise([0, *ends, len(page)])]
    told = read_directives([], page, "ofrecord")
    assert read_directives([], find_robots_tags(parts, "ofrecord"), "ofrecord") == told
    assert read_directives([], find_robots_tags_in(page.encode(), "ofrecord"), "ofrecord") == told


@given(st.lists(st.sampled_from(PIECES), max_size=600), st.integers(0, 40_000))
def test_as_much_of_a_head_is_read_as_robots_are_told_in(pieces: list[str], filling: int) -> None:
    body = ("<head>" + "<!--" + "y" * filling + "-->" + "".join(pieces)).encode()
    exchange = exchange_of(gzip.compress(body, 1), head="Content-Encoding: gzip\r\n")
    few, all_of_it = read_robots_tags(exchange, "ofrecord"), read_beginning(exchange)
    assert read_directives([], few, "ofrecord") == read_directives([], all_of_it, "ofrecord")


@given(st.integers(0, 1 << 32), st.integers(0, 2_000), st.sampled_from(["gzip", "deflate"]), st.sampled_from([0, 1, 9]))
def test_a_body_is_inflated_step_by_step(seed: int, size: int, coding: str, level: int) -> None:
    rng = random.Random(seed)
    some = [b"<p>", b"news ", rng.randbytes(9), bytes(90)]
    plain = b"".join(rng.choice(some) for _ in range(size))
    body = gzip.compress(plain, level) if coding == "gzip" else zlib.compress(plain, level)
    pieces = list(inflate_by_steps(body, [coding], STEPS))
    assert pieces == [plain[start:limit] for start, limit in pairwise([0, *STEPS])]
    assert b"".join(pieces) == inflate_beginning(body, [coding], limit=STEPS[-1])


def test_what_comes_before_a_fault_is_read() -> None:
    body = gzip.compress(random.Random(1).randbytes(4_000))
    pieces = list(inflate_by_steps(body[:3_000] + b"?" * 200, ["gzip"], STEPS))
    assert [len(piece) for piece in pieces[:3]] == [10, 90, 900]
    assert b"".join(pieces) == inflate_beginning(body[:3_000] + b"?" * 200, ["gzip"], limit=STEPS[-1])
    assert list(inflate_by_steps(b"no gzip", ["gzip"], STEPS)) == [b""] * len(STEPS)


@pytest.mark.parametrize("codec", ["utf-16", "utf-16-be", "utf-8-sig", "latin-1"])
def test_a_page_in_any_encoding_is_decoded_by_steps(codec: str) -> None:
    page = ("\ufeff" if codec == "utf-16-be" else "") + "<p>né</p>" * 90
    data = page.encode(codec)
    pieces = [data[at : at + 101] for at in range(0, len(data), 101)]
    assert "".join(decode_by_steps(pieces)) == decode_beginning(data)
    assert list(decode_by_steps([])) == [""]
