"""Which copies are asked for, in which stretches of time, and what was recorded once, out of what an archive serves."""

from __future__ import annotations

import json
import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest

from config.webarchives import WebArchive, parse_web_archive
from crawler.model import Exchange, Purpose
from crawler.outcome import find_redirect
from crawler.webarchive import (
    Copy,
    NotACopy,
    Pending,
    Position,
    Window,
    Windows,
    raw_form,
    raw_url,
    rebuild_exchange,
)

if TYPE_CHECKING:
    from pathlib import Path

PAGE = "https://gazette.example/2020/01/02/mayor"
THEN = datetime(2020, 1, 2, 3, 4, 5, tzinfo=UTC)
DAY = timedelta(days=1)


def copy(day: int, digest: str | None = "A", url: str = PAGE, **told: Any) -> Copy:
    return replace(Copy(url, THEN + day * DAY, 200, "text/html", digest), **told)


def days(pending: Pending) -> list[int]:
    far = timedelta(days=10_000)
    return [(one.captured_at - THEN).days for _, one in pending.list_newest_first(THEN - far, THEN + far)]


def wait_for(*lists: list[Copy], every: bool = False) -> Pending:
    pending = Pending()
    for copies in lists:
        pending.add(copies, is_article=lambda url: "/2020/" in url, every=every)
    assert len(pending) == len(days(pending))
    return pending


# --- what is asked for


def test_of_copies_with_the_same_payload_in_a_row_the_oldest_is_asked_for() -> None:
    copies = [copy(0), copy(1), copy(2, "B"), copy(3, "B"), copy(4), copy(5, None), copy(6, None)]
    random.Random(1).shuffle(copies)
    assert days(wait_for(copies)) == [6, 5, 4, 2, 0]
    assert days(wait_for(copies, every=True)) == [6, 5, 4, 3, 2, 1, 0]


def test_a_row_may_go_on_in_older_lists() -> None:
    lists = [copy(10, "B"), copy(11, "C")], [copy(7), copy(8, "B"), copy(9, "B")], [copy(6)], [copy(5, "D")]
    assert days(wait_for(*lists)) == [11, 8, 6, 5]
    assert days(wait_for(*lists, every=True)) == [11, 10, 9, 8, 7, 6, 5]


def test_a_row_may_go_on_in_lists_of_any_time() -> None:
    """As where an earlier backfill asked for an earlier range of time."""
    assert days(wait_for([copy(0), copy(2, "B")], [copy(5), copy(9, "B")], [copy(3, "B")])) == [9, 5, 2, 0]
    assert days(wait_for([copy(0)], [copy(9)])) == [0]
    assert days(wait_for([copy(0)], [copy(9)], every=True)) == [9, 0]


def test_only_pages_of_articles_that_were_answered_well() -> None:
    copies = [
        copy(0, url="https://gazette.example/about"),
        copy(1, status=404),
        copy(2, status=301),
        copy(3, media_type="image/png"),
        copy(4, url="https://gazette.example:99999/2020/x"),
        copy(5, status=None, media_type="warc/revisit"),
    ]
    assert days(wait_for(copies)) == [5]


def test_addresses_that_differ_in_form_are_one_page() -> None:
    pending = wait_for([copy(0, url="https://GAZETTE.example:443/2020/01/02/mayor?utm_source=x"), copy(1)])
    assert days(pending) == [0]


def test_what_waits_is_written_down_and_taken_away() -> None:
    pending = wait_for([copy(0), copy(1, "B"), copy(2, None, url=PAGE + "-2")])
    again = Pending.decode(json.loads(json.dumps(pending.encode())))
    assert days(again) == [2, 1, 0]
    assert [page for page, _ in again.list_newest_first(THEN, THEN + DAY)] == [PAGE]
    for page, one in again.list_newest_first(THEN, THEN + 9 * DAY)[:2]:
        again.remove(page, one)
    assert (days(again), len(again)) == ([0], 1)


# --- the windows


def test_windows_cover_all_time_once_from_the_newest() -> None:
    windows, seen = Windows(0, 100_000_000), []
    while (window := windows.next()) is not None:
        seen.append(window)
        windows.finish(window, found=0, usual=8_000)
    assert seen[0].end == 100_000_000
    assert seen[-1].begin == 0
    assert all(later.begin == earlier.end for later, earlier in pairwise(seen))
    assert len(seen) < 6
    assert windows.done == [(0, 100_000_000)]


def test_a_window_that_is_too_much_is_halved_to_a_second() -> None:
    windows = Windows(0, 64)
    window = windows.next()
    assert window == Window(0, 64)
    halves = []
    while window is not None and windows.narrow(window):
        window = windows.next()
        halves.append(window)
    assert halves == [Window(64 - size, 64) for size in (32, 16, 8, 4, 2, 1)]


def test_what_is_done_is_not_listed_again() -> None:
    windows = Windows(0, 1_000, done=[(-50, 100), (200, 300), (900, 2_000)])
    assert windows.next() == Window(300, 900)
    windows.finish(Window(300, 900), found=1, usual=10)
    assert windows.next() == Window(100, 200)
    windows.finish(Window(100, 200), found=1, usual=10)
    assert windows.next() is None
    assert windows.done == [(-50, 2_000)]


def test_windows_that_end_at_random_places_leave_no_second_out() -> None:
    for seed in range(200):
        dice = random.Random(seed)
        windows = Windows(0, 300, width=dice.randint(1, 400), done=[(dice.randint(0, 100), dice.randint(101, 300))])
        covered = {second for begin, end in windows.done for second in range(begin, end)}
        while (window := windows.next()) is not None:
            if dice.random() < 0.3 and windows.narrow(window):
                continue
            seconds = set(range(window.begin, window.end))
            assert seconds
            assert not seconds & covered
            covered |= seconds
            windows.finish(window, found=dice.randint(0, 9), usual=8)
        assert covered == set(range(300))


# --- the position


def test_the_position_is_kept_and_a_broken_one_is_none(tmp_path: Path) -> None:
    path = tmp_path / "backfill.json"
    assert Position.read(path) == Position()
    position = Position({"a": [(1, 5), (9, 12)]}, {"a": wait_for([copy(3)])}, {"b": {PAGE}})
    position.write(path)
    found = Position.read(path)
    assert (found.windows, found.pages) == (position.windows, position.pages)
    assert found.pending["a"].encode() == position.pending["a"].encode()
    for text in ("", "[]", "{}", '{"windows": {"a": [[1]]}, "pending": {}, "pages": {}}', "[" * 100_000):
        path.write_text(text)
        assert Position.read(path) == Position()


# --- addresses


def test_where_archives_are_is_read() -> None:
    found = parse_web_archive(" cdx=http://127.0.0.1:8080/news/cdx  replay=http://127.0.0.1:8080/news/ ")
    assert found == WebArchive("http://127.0.0.1:8080/news/cdx", "http://127.0.0.1:8080/news/")
    assert raw_url(found.replay or "", copy(0)) == f"http://127.0.0.1:8080/news/20200102030405id_/{PAGE}"
    assert parse_web_archive("timemap=https://a.example/timemap/link/").address == "https://a.example/timemap/link/"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "https://a.example/cdx",
        "cdx=https://a.example/cdx",
        "cdx=https://a.example/cdx replay=https://a.example",
        "cdx=https://a.example/cdx replay=https://a.example/ timemap=https://a.example/",
        "timemap=ftp://a.example/",
        "timemap=https://me:secret@a.example/",
        "timemap=https://a.example/#x/",
        "timemap=https://a.example/ timemap=https://a.example/",
        "other=https://a.example/",
        "timemap=https:///",
        "timemap=https://a.example:0/",
    ],
)
def test_what_is_no_archive_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="URL"):
        parse_web_archive(text)


def test_the_raw_form_of_a_memento() -> None:
    raw = f"https://a.example/web/20200102030405id_/{PAGE}"
    for form in ("", "mp_", "id_", "if_"):
        assert raw_form(f"https://a.example/web/20200102030405{form}/{PAGE}") == raw
    assert raw_form("https://a.example/copy?of=1") == "https://a.example/copy?of=1"


# --- the exchange

PYWB = f"""HTTP/1.1 200 OK
Content-Type: text/html; charset=utf-8
Set-Cookie: session=of-the-archive
X-Archive-Orig-Server: gazette
X-Archive-Orig-Last-Modified: Wed, 01 Jan 2020 00:00:00 GMT
X-Archive-Orig-Transfer-Encoding: chunked
X-Archive-Orig-X-Robots-Tag: noai
Memento-Datetime: Thu, 02 Jan 2020 03:04:05 GMT
Link: <{PAGE}>; rel="original", <https://a.example/timegate/{PAGE}>; rel="timegate"
Content-Location: https://a.example/news/20200102030405id_/{PAGE}
Date: Fri, 27 Nov 2026 13:10:54 GMT
Transfer-Encoding: chunked
"""
ASKED = f"https://a.example/news/20200102030405id_/{PAGE}"


def answer(head: str = PYWB, body: bytes = b"<p>Mayor", **more: Any) -> Exchange:
    told = head.replace("\n", "\r\n") + "\r\n"
    status = int(head.split()[1])
    made = Exchange(
        ASKED,
        Purpose.ARTICLE,
        datetime(2026, 11, 27, tzinfo=UTC),
        0.4,
        b"GET / HTTP/1.1\r\n\r\n",
        status,
        told.encode("latin-1"),
        body,
        peer="192.0.2.1",
    )
    return replace(made, **more)


def test_the_exchange_is_as_it_was_recorded() -> None:
    found = rebuild_exchange(answer(), copy(0))
    assert (found.url, found.started_at, found.status, found.body) == (PAGE, THEN, 200, b"<p>Mayor")
    assert found.response_head.decode().split("\r\n") == [
        "HTTP/1.1 200 OK",
        "Server: gazette",
        "Last-Modified: Wed, 01 Jan 2020 00:00:00 GMT",
        "X-Robots-Tag: noai",
        "Content-Type: text/html; charset=utf-8",
        "Content-Length: 8",
        "",
        "",
    ]
    assert (found.request_head, found.peer, found.tls, found.via) == (b"", None, None, None)


def test_the_coding_is_that_of_the_bytes_that_came() -> None:
    head = PYWB.replace("Date:", "X-Archive-Orig-Content-Encoding: br\nContent-Encoding: gzip\nDate:")
    assert rebuild_exchange(answer(head), copy(0)).header_values("Content-Encoding") == ["gzip"]
    bare = PYWB.replace("Date:", "X-Archive-Orig-Content-Encoding: br\nDate:")
    assert rebuild_exchange(answer(bare), copy(0)).header_values("Content-Encoding") == []


@pytest.mark.parametrize(
    "location",
    [
        "https://gazette.example/2020/01/02/other",
        "https://a.example/news/20200102030405id_/https://gazette.example/2020/01/02/other",
        "/news/20200102030405id_/https://gazette.example/2020/01/02/other",
    ],
)
def test_a_recorded_redirect_leads_where_it_led(location: str) -> None:
    head = PYWB.replace("200 OK", "301 Moved").replace("Date:", f"Location: {location}\nDate:")
    found = rebuild_exchange(answer(head), copy(0))
    assert found.status == 301
    assert find_redirect(found) == "https://gazette.example/2020/01/02/other"


@pytest.mark.parametrize(
    ("head", "reason", "transient"),
    [
        (PYWB.replace("02 Jan", "03 Jan"), "another time: 2020-01-03", False),
        (PYWB.replace(f"<{PAGE}>", "<https://other.example/>"), "another page", False),
        ("HTTP/1.1 404 Not Found\n", "no such copy", False),
        ("HTTP/1.1 302 Found\nLocation: /news/20200104030405id_/x\n", "no such copy", False),
        ("HTTP/1.1 200 OK\nContent-Type: text/html\n", "no such copy", False),
        ("HTTP/1.1 429 Slow\nRetry-After: 60\n", "answered 429", True),
        ("HTTP/1.1 503 Busy\n", "answered 503", True),
    ],
)
def test_an_answer_that_is_no_copy_is_none(head: str, reason: str, transient: bool) -> None:
    with pytest.raises(NotACopy, match=reason) as caught:
        rebuild_exchange(answer(head), copy(0))
    assert caught.value.transient is transient


def test_no_answer_is_none_and_robots_txt_is_final() -> None:
    lost = replace(answer(), status=None, response_head=b"", error="no connection")
    with pytest.raises(NotACopy, match="no connection") as caught:
        rebuild_exchange(lost, copy(0))
    assert caught.value.transient
    with pytest.raises(NotACopy) as caught:
        rebuild_exchange(replace(lost, forbidden=True), copy(0))
    assert not caught.value.transient
    with pytest.raises(NotACopy, match="cut: disconnect") as caught:
        rebuild_exchange(answer(truncated="disconnect"), copy(0))
    assert caught.value.transient
    assert rebuild_exchange(answer(truncated="length"), copy(0)).truncated == "length"


def test_an_archive_without_memento_headers_is_believed_where_it_shows_the_original_ones() -> None:
    head = "".join(line + "\n" for line in PYWB.splitlines() if not line.startswith(("Memento", "Link")))
    assert rebuild_exchange(answer(head), copy(0)).started_at == THEN


def test_no_header_of_an_archive_can_break_a_record() -> None:
    head = PYWB.replace("gazette\n", "gaz\x00ette\x7f\x1b\n folded\n")
    found = rebuild_exchange(answer(head), copy(0))
    assert found.header("Server") == "gaz?ette?? folded"
