"""Which validators are fit to be sent, and what an answer says of them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from crawler.model import Exchange, Purpose, RecordReference
from crawler.validators import MAX_ETAG_CHARS, Validators, choose_date, choose_etag

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
RECORD = RecordReference("https://gazette.example/a", NOON, "gazette-1", 3)


def answer(status: int, *headers: str, truncated: str | None = None) -> Exchange:
    head = f"HTTP/1.1 {status} Some Words\r\n" + "".join(f"{line}\r\n" for line in headers) + "\r\n"
    return Exchange(
        url=RECORD.target_uri,
        purpose=Purpose.ARTICLE,
        started_at=NOON,
        seconds=0.1,
        request_head=b"",
        status=status,
        response_head=head.encode("latin-1"),
        truncated=truncated,
    )


def known(etag: str | None = '"a"', last_modified: str | None = None) -> Validators:
    return Validators(RECORD, etag, last_modified)


@pytest.mark.parametrize("etag", ['"a"', 'W/"a"', '""', '"a,b;c=\\d"', f'"{"x" * (MAX_ETAG_CHARS - 2)}"'])
def test_a_tag_of_the_form_of_the_standard_is_sent_as_it_was(etag: str) -> None:
    assert choose_etag(etag) == etag
    assert known(etag).headers() == {"If-None-Match": etag}


@pytest.mark.parametrize(
    "etag",
    [
        None, "", "*", "a", '"a', 'a"', '"a", "b"', '"a" "b"', 'w/"a"', '"a b"', '"a\tb"', '"a\r\nX: b"', '"a\x00"',
        '"a\x7f"', '"caf\xe9"', '"日"', '"a"\n', f'"{"x" * MAX_ETAG_CHARS}"', '"a"' * 1_000_000,
    ],
)  # fmt: skip
def test_any_other_tag_is_not_sent(etag: str | None) -> None:
    assert choose_etag(etag) is None


def test_a_date_is_sent_as_it_was() -> None:
    date = "Sun, 22 Nov 2026 11:58:59 GMT"
    assert choose_date(date, NOON) == date
    assert known(None, date).headers() == {"If-Modified-Since": date}
    assert known('"a"', date).headers() == {"If-None-Match": '"a"', "If-Modified-Since": date}


@pytest.mark.parametrize(
    "date",
    [
        None, "", "now", "2026-11-22T11:00:00Z", "Sun, 22 Nov 2026 11:00:00", "Sun, 22 Nov 2026 11:00:00 +0200",
        "Sunday, 22-Nov-26 11:00:00 GMT", "Sun Nov 22 11:00:00 2026", "Sun, 32 Nov 2026 11:00:00 GMT",
        "Sun, 22 Nov 0000 11:00:00 GMT", "Sun, 22 Foo 2026 11:00:00 GMT", "Sun, 22 Nov 2026 25:00:00 GMT",
        "Sun, 22 Nov 2026 11:00:00 GMT\r\nX: y", "Sun, ٢٢ Nov 2026 11:00:00 GMT", "Sun, 22 Nov 2026 11:00:00 GMT" * 9,
        "Sun, 22 Nov 2026 11:59:30 GMT", "Sun, 22 Nov 2026 12:00:00 GMT", "Fri, 01 Jan 2038 00:00:00 GMT",
    ],
)  # fmt: skip
def test_what_is_no_date_or_too_fresh_to_tell_pages_apart_is_not_sent(date: str | None) -> None:
    assert choose_date(date, NOON) is None


def test_every_month_is_read() -> None:
    moments = [NOON - timedelta(days=30 * number) for number in range(1, 13)]
    dates = [moment.strftime("%a, %d %b %Y %H:%M:%S GMT") for moment in moments]
    assert [choose_date(date, NOON) for date in dates] == dates


@pytest.mark.parametrize("tag", ['"a"', 'W/"a"', '"a-gzip"', '"a--gzip"', '"a;gzip"', 'W/"a-br"', None])
def test_a_304_confirms_unless_it_has_another_tag(tag: str | None) -> None:
    headers = [] if tag is None else [f"ETag: {tag}"]
    assert known('"a"').confirmed_by(answer(304, *headers))
    assert known('W/"a"').confirmed_by(answer(304, *headers))
    assert known('"a-gzip"').confirmed_by(answer(304, *headers))
    assert known(None, "Sun, 22 Nov 2026 11:00:00 GMT").confirmed_by(answer(304, *headers))
    assert not known('"b"').confirmed_by(answer(304, 'ETag: "a"'))
    assert not known('"a"').confirmed_by(answer(200, *headers))
    assert not known('"a"').confirmed_by(answer(304, *headers, truncated="length"))


def test_what_has_the_same_name_is_told_by_the_tag_or_else_the_date() -> None:
    date, later = "Sun, 22 Nov 2026 11:00:00 GMT", "Sun, 22 Nov 2026 11:30:00 GMT"
    assert known('"a"', date).same_as(answer(200, 'ETag: W/"a"', f"Last-Modified: {later}"))
    assert not known('"a"', date).same_as(answer(200, 'ETag: "b"', f"Last-Modified: {date}"))
    assert not known('"a"', date).same_as(answer(200, f"Last-Modified: {date}"))
    assert known(None, date).same_as(answer(200, 'ETag: "b"', f"Last-Modified: {date}"))
    assert not known(None, date).same_as(answer(200, f"Last-Modified: {later}"))
    assert not known(None, date).same_as(answer(200))
