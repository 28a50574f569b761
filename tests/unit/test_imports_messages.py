"""Answers as other tools kept them → exchanges: what is undone, what is left out and why."""

from __future__ import annotations

import gzip
import io
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from config.sources import Source
from crawler.encoding import inflate
from crawler.imports.flows import BEGINNING, Fault
from crawler.imports.messages import LeftOut, agrees, dechunk, read_date, read_message
from crawler.imports.pairs import Answer, AnswerReader
from crawler.imports.selection import NO_ARTICLE, NO_PAGE, NO_SOURCE, SEED, TOO_MANY, Choice, Selection
from crawler.imports.streams import open_flow
from tests.foreign import (
    HOST,
    THEN,
    Record,
    chunk,
    gzipped,
    make_info,
    make_page,
    make_request,
    make_response,
    plain,
    sha1,
)

if TYPE_CHECKING:
    from crawler.imports.messages import Message

NOW = datetime(2026, 11, 27, tzinfo=UTC)
SOURCE = Source.model_validate(
    {
        "id": "gazette",
        "name": "Gazette",
        "home": f"{HOST}/",
        "discover": [{"feed": f"{HOST}/feed.xml"}, {"section": f"{HOST}/2019/all"}],
        "articles": {"include": [r"/2019/"], "exclude": ["/2019/no-"]},
    }
)
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n"


def answers(records: list[Record], **selection: object) -> list[Answer | str]:
    """Return the answers in a file of *records*, and in their places why there are none."""
    flow = open_flow(io.BytesIO(gzipped([make_info(), *records])), start=BEGINNING, begins_at=0)
    reader = AnswerReader(flow, Selection([SOURCE], **selection), limit=1 << 20)  # type: ignore[arg-type]
    found: list[Answer | str] = []
    while True:
        try:
            answer = reader.read()
        except (LeftOut, Fault) as reason:
            found.append(str(reason))
            continue
        if answer is None:
            return found
        found.append(answer)


def message_of(record: Record, request: Record | None = None, *, limit: int = 1 << 20) -> Message:
    (answer,) = answers([record, *([request] if request else [])])
    assert isinstance(answer, Answer)
    return read_message(answer.record, answer.request, now=NOW, limit=limit)


def refusal_of(record: Record, request: Record | None = None, *, limit: int = 1 << 20) -> str:
    with pytest.raises(LeftOut) as refused:
        message_of(record, request, limit=limit)
    return str(refused.value)


def test_an_answer_is_as_it_was() -> None:
    record = make_response(3, WARC_IP_Address="192.0.2.7")
    message = message_of(record, make_request(record))
    exchange = message.exchange
    assert (exchange.url, exchange.status, exchange.peer) == (f"{HOST}/2019/story-3", 200, "192.0.2.7")
    assert exchange.started_at == THEN + timedelta(minutes=3)
    assert exchange.response_head + exchange.body == record.block
    assert exchange.request_head == b"GET / HTTP/1.1\r\nHost: gazette.example\r\n\r\n"
    assert message.record == record.record_id.strip("<>")
    assert message.repairs == ()


@pytest.mark.parametrize("digests", [True, False])
@pytest.mark.parametrize("body", [make_page(1), b"a short text"])
def test_chunks_that_were_kept_are_put_together(body: bytes, digests: bool) -> None:
    head = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
    message = message_of(make_response(1, body=chunk(body), head=head, digests=digests))
    assert message.exchange.body == body
    assert message.exchange.truncated is None
    assert message.repairs == ("body kept in chunks",)


def test_chunks_under_the_digest_of_the_body_without_them_are_put_together() -> None:
    head = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
    record = make_response(
        1, body=chunk(make_page(1)), head=head, digests=False, WARC_Payload_Digest=sha1(make_page(1))
    )
    assert message_of(record).exchange.body == make_page(1)


def test_a_body_without_chunks_under_a_head_that_names_them_stays() -> None:
    head = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
    message = message_of(make_response(1, head=head))
    assert (message.exchange.body, message.repairs) == (make_page(1), ())


@pytest.mark.parametrize("at", [200, 700, -4])
def test_chunks_that_are_cut_are_a_body_that_is(at: int) -> None:
    head = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
    message = message_of(make_response(1, body=chunk(make_page(1))[:at], head=head))
    assert make_page(1).startswith(message.exchange.body)
    assert message.exchange.truncated == "disconnect"


def test_dechunk_takes_time_in_proportion_to_the_body() -> None:
    tiny = b"1\r\nx\r\n" * 200_000
    assert dechunk(tiny + b"0\r\n\r\n") == (b"x" * 200_000, True)
    assert dechunk(b"0" * 1_000_000) == (b"0" * 1_000_000, True)
    assert dechunk(b"1;" + b"a" * 1_000_000)[1]


@pytest.mark.parametrize("line", [b"HTTP/2 200", b"HTTP/2 200 ", b"HTTP/2.0 200 OK", b"HTTP/1.0 200 OK", b"HTTP/3 200"])
def test_status_lines_of_other_versions(line: bytes) -> None:
    message = message_of(make_response(1, head=line + b"\r\ncontent-type: text/html\r\n\r\n"))
    assert message.exchange.status == 200
    assert message.exchange.response_head.startswith(line)


def test_a_head_whose_lines_end_without_cr_gets_one() -> None:
    message = message_of(make_response(1, head=b"HTTP/1.1 200 OK\nContent-Type: text/html\n\n"))
    assert message.exchange.response_head == HEAD + b"\r\n"
    assert message.exchange.body == make_page(1)


def test_a_body_that_was_inflated_gets_a_head_that_says_so() -> None:
    head = HEAD + b"Content-Encoding: gzip\r\n\r\n"
    message = message_of(make_response(1, head=head))
    assert message.exchange.header("Content-Encoding") is None
    assert message.exchange.header("X-Orig-Content-Encoding") == "gzip"
    squeezed = gzip.compress(make_page(1))
    kept = message_of(make_response(1, head=head, body=squeezed))
    assert kept.exchange.response_head == head
    assert inflate(kept.exchange.body, ["gzip"], limit=1 << 20) == make_page(1)


def test_a_payload_digest_of_the_inflated_body_is_taken() -> None:
    head = HEAD + b"Content-Encoding: gzip\r\n\r\n"
    record = make_response(
        1, head=head, body=gzip.compress(make_page(1)), digests=False, WARC_Payload_Digest=sha1(make_page(1))
    )
    assert message_of(record).exchange.header("Content-Encoding") == "gzip"


def test_a_body_shorter_than_its_length_is_cut() -> None:
    head = HEAD + b"Content-Length: 90000\r\n\r\n"
    assert message_of(make_response(1, head=head)).exchange.truncated == "disconnect"
    assert message_of(make_response(1, WARC_Truncated="length")).exchange.truncated == "length"
    assert message_of(make_response(1, WARC_Truncated="whim")).exchange.truncated == "unspecified"


def test_what_was_secret_in_a_request_is_masked() -> None:
    record = make_response(1)
    asked = (
        b"GET / HTTP/1.1\r\nHost: a\r\nCookie: session=s3cret\r\n more=s3cret\r\nAuthorization: Basic czNjcmV0\r\n\r\n"
    )
    exchange = message_of(record, make_request(record, asked)).exchange
    assert b"s3cret" not in exchange.request_head
    assert b"czNjcmV0" not in exchange.request_head
    assert exchange.masked == ("Cookie", "Authorization")


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        (make_response(1, digests=False, WARC_Block_Digest=sha1(b"another")), "its block is not what its digest says"),
        (
            make_response(1, digests=False, WARC_Payload_Digest=sha1(b"another")),
            "its payload is not what its digest says",
        ),
        (make_response(1, head=b"", digests=False), "it does not begin with the status line of an HTTP answer"),
        (make_response(1, date="yesterday"), "it has no date that can be read"),
        (make_response(1, date="1970-01-01T00:00:00Z"), "its date lies before 1990, or in the future"),
        (make_response(1, date="2036-01-01T00:00:00Z"), "its date lies before 1990, or in the future"),
    ],
)
def test_what_cannot_be_believed_is_left_out(record: Record, reason: str) -> None:
    assert refusal_of(record) == reason


def test_an_answer_to_another_request_than_get_is_left_out() -> None:
    record = make_response(1)
    assert refusal_of(record, make_request(record, b"POST / HTTP/1.1\r\n\r\n")) == "it answers another request than GET"


def test_a_body_that_is_too_long_is_left_out() -> None:
    assert refusal_of(make_response(1), limit=100) == "its body is longer than max_body_bytes"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("2019-03-04T05:06:07Z", THEN),
        ("2019-03-04T05:06:07.123456Z", THEN.replace(microsecond=123456)),
        ("2019-03-04T05:06:07.123456789Z", THEN.replace(microsecond=123456)),
        ("2019-03-04T07:06:07+02:00", THEN),
        ("2019-03-04T05:06:07", THEN),
        ("20190304050607", THEN),
    ],
)
def test_dates_as_tools_write_them(text: str, found: datetime) -> None:
    assert read_date(text, NOW) == found


def test_digests_as_tools_state_them() -> None:
    import hashlib

    body = make_page(1)
    stated = [
        sha1(body),
        sha1(body).lower(),
        "sha1:" + hashlib.sha1(body).hexdigest(),
        "md5:" + hashlib.md5(body).hexdigest(),
    ]
    stated += [
        "sha256:" + hashlib.sha256(body).hexdigest(),
        "sha-256:" + hashlib.sha256(body).hexdigest(),
        "",
        "xxh64:1",
        "sha1:?",
    ]
    assert all(agrees(one, body) for one in stated)
    assert not any(agrees(one, body + b"x") for one in stated[:6])


def test_requests_are_found_before_and_after_their_answers() -> None:
    one, two, three = (make_response(number) for number in range(3))
    before = make_request(one, b"GET /one HTTP/1.1\r\n\r\n")
    after = make_request(two, b"GET /two HTTP/1.1\r\n\r\n")
    of_wget = make_request(three, b"GET /three HTTP/1.1\r\n\r\n")
    del of_wget.headers["WARC-Concurrent-To"]
    three.headers["WARC-Concurrent-To"] = of_wget.record_id
    found = answers([before, one, two, of_wget, three, after])
    asked = {one.record.target[-1]: one.request.block for one in found if isinstance(one, Answer) and one.request}
    assert asked == {"0": before.block, "1": after.block, "2": of_wget.block}


def test_the_selection_says_why_a_page_is_left_out() -> None:
    selection = Selection([SOURCE])
    found = {
        f"{HOST}/2019/story": Choice(SOURCE, matched=True),
        "http://www.gazette.example/2019/story": Choice(SOURCE, matched=True),
        f"{HOST}/2019/no-story": NO_ARTICLE,
        f"{HOST}/about": NO_ARTICLE,
        f"{HOST}/2019/all": SEED,
        f"{HOST}/robots.txt": SEED,
        "https://herald.example/2019/story": NO_SOURCE,
        "dns:gazette.example": NO_PAGE,
        "urn:uuid:1": NO_PAGE,
    }
    assert {url: selection.find(url) for url in found} == found


def test_any_page_makes_sources_for_sites_that_have_none_up_to_a_number() -> None:
    selection = Selection([SOURCE], any_page=True, max_sites=1)
    assert selection.find(f"{HOST}/about") == Choice(SOURCE, matched=False)
    made = selection.find("https://www.herald.example:8443/x")
    assert isinstance(made, Choice)
    assert (made.source.id, made.source.home, made.matched) == (
        "herald-example",
        "https://www.herald.example:8443/",
        False,
    )
    assert selection.find("https://herald.example/y") == Choice(made.source, matched=False)
    assert selection.find("https://post.example/") == TOO_MANY
    named = Selection([SOURCE], any_page=True, only_named=True)
    assert named.find("https://herald.example/x") == NO_SOURCE


def test_a_made_source_never_has_the_id_of_another() -> None:
    other = SOURCE.model_copy(update={"id": "herald-example"})
    made = Selection([other], any_page=True).find("https://herald.example/x")
    assert isinstance(made, Choice)
    assert made.source.id.startswith("herald-example-")
    long = Selection([], any_page=True).find(f"https://{'a' * 60}.{'b' * 60}.example/x")
    assert isinstance(long, Choice)
    assert len(long.source.id) <= 64


def test_other_records_are_left_out_by_their_kind() -> None:
    records = [
        Record(kind, b"", {"WARC-Target-URI": f"{HOST}/2019/a"}) for kind in ("resource", "metadata", "conversion", "x")
    ]
    assert answers(records) == [
        "a resource record, no answer to a request",
        "a conversion record, no answer to a request",
        "a strange record, no answer to a request",
    ]
    assert plain(records)
