"""The delay of one host: never below what it asked for, longer where it is slow or refuses, shorter by and by."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from crawler.leash import Leash
from crawler.slots import HostSlot
from crawler.throttle import MAX_DELAY_SECONDS, DelayBounds, Pace, most_requests, parse_retry_after

NOW = datetime(2026, 11, 22, 3, 45, tzinfo=UTC)


def _pace(least: float = 5.0, **bounds: Any) -> Pace:
    return Pace(DelayBounds(least=least, **bounds))


def _answer(pace: Pace, *statuses: int, latency: float = 0.1, start: float = 1_000.0, **known: Any) -> list[float]:
    """Note one answer after another, a minute apart; return the delay after each."""
    delays = []
    for number, status in enumerate(statuses):
        pace.note_answer(status, latency=latency, now=start + 60 * number, **known)
        delays.append(round(pace.delay, 3))
    return delays


def test_the_sources_delay_is_the_least() -> None:
    pace = _pace(5.0)
    assert pace.delay == 5.0
    assert _answer(pace, *[200] * 50, latency=0.01) == [5.0] * 50


@pytest.mark.parametrize(
    ("least", "crawl_delay", "delay"),
    [
        pytest.param(5, 10, 10, id="longer than the source's"),
        pytest.param(5, 2, 5, id="shorter than the source's"),
        pytest.param(5, None, 5, id="none"),
        pytest.param(5, 3_600, 60, id="cut"),
        pytest.param(90, 3_600, 90, id="cut, but the source's is longer"),
        pytest.param(0, 3, 3, id="the source has none"),
    ],
)
def test_crawl_delay_is_kept_whatever_the_answers(least: float, crawl_delay: float | None, delay: float) -> None:
    pace = _pace(least)
    pace.respect(crawl_delay)
    assert _answer(pace, *[200] * 50, latency=0.01) == [delay] * 50


def test_of_two_crawl_delays_the_longer_one_holds() -> None:
    pace = _pace(1)
    for seconds in (7, 3, None):
        pace.respect(seconds)
    assert pace.delay == 7


def test_a_slow_host_gets_time_at_once_and_loses_it_by_halves() -> None:
    pace = _pace(2)
    assert _answer(pace, 200, latency=20) == [20]
    assert _answer(pace, 200, 200, 200, 200, 200, latency=0) == [10, 5, 2.5, 2, 2]


def test_latency_is_shared_by_requests_at_a_time() -> None:
    assert _answer(_pace(2, concurrency=4), 200, latency=20) == [5]


def test_no_latency_makes_a_delay_longer_than_a_minute() -> None:
    assert _answer(_pace(2), 200, latency=500) == [MAX_DELAY_SECONDS]
    assert _answer(_pace(90), 200, latency=500) == [90]


@pytest.mark.parametrize("status", [301, 404, 500])
def test_quick_errors_shorten_no_delay(status: int) -> None:
    pace = _pace(2)
    assert _answer(pace, 200, latency=20) == [20]
    assert _answer(pace, status, status, latency=0.01) == [20, 20]
    assert _answer(pace, status, latency=30) == [30]


def test_a_source_without_delay_is_not_slowed_down_by_latency() -> None:
    assert _answer(_pace(0), 200, latency=20) == [0]


@pytest.mark.parametrize("status", [429, 503])
def test_each_refusal_doubles_the_delay_up_to_a_minute(status: int) -> None:
    assert _answer(_pace(5), *[status] * 5) == [10, 20, 40, 60, 60]
    assert _answer(_pace(0), *[status] * 3) == [1, 2, 4]
    assert _answer(_pace(90), status) == [90]


def test_a_back_off_ends_slowly() -> None:
    pace = _pace(5)
    _answer(pace, 429, 429, 429)
    delays = _answer(pace, *[200] * 25, start=2_000)
    assert delays[:3] == [36, 32.4, 29.16]
    assert delays == sorted(delays, reverse=True)
    assert delays[18] > 5
    assert delays[19:] == [5] * 6


def test_refusals_of_requests_in_flight_together_count_once() -> None:
    pace = _pace(5)
    for now in (100.0, 100.2, 100.4):
        pace.note_answer(429, latency=1.0, now=now)
    assert pace.delay == 10
    pace.note_answer(429, latency=1.0, now=111.0)
    assert pace.delay == 20


def test_retry_after_is_waited_for_and_the_delay_is_then_as_before() -> None:
    pace = _pace(5)
    pace.note_answer(503, latency=1.0, now=100.0, retry_after=120.0)
    assert pace.seconds_after(99.0) == 121.0  # from the request to the instant that was asked for
    assert pace.seconds_after(220.0) == 5.0
    pace.note_answer(429, latency=1.0, now=110.0, retry_after=30.0)
    assert pace.seconds_after(99.0) == 121.0  # a shorter one shortens nothing


def test_retry_after_is_cut() -> None:
    pace = _pace(5, max_retry_after=600.0)
    pace.note_answer(429, latency=0.0, now=100.0, retry_after=1e11)
    assert pace.seconds_after(100.0) == 600.0


@pytest.mark.parametrize("seconds", [None, 0.0, 3.0])
def test_a_retry_after_that_is_no_longer_than_the_delay_does_not_save_from_doubling(seconds: float | None) -> None:
    assert _answer(_pace(5), 429, 429, retry_after=seconds) == [10, 20]


def test_retry_after_of_an_answer_that_refuses_nothing_is_ignored() -> None:
    pace = _pace(5)
    pace.note_answer(200, latency=0.1, now=100.0, retry_after=120.0)
    assert pace.seconds_after(100.0) == 5.0


@pytest.mark.parametrize(
    ("value", "date", "seconds"),
    [
        pytest.param("120", None, 120, id="seconds"),
        pytest.param(" 0 ", None, 0, id="none"),
        pytest.param("Sun, 22 Nov 2026 03:47:00 GMT", None, 120, id="an instant"),
        pytest.param("Sunday, 22-Nov-26 03:47:00 GMT", None, 120, id="in the form of RFC 850"),
        pytest.param("Sun Nov 22 03:47:00 2026", None, 120, id="in the form of asctime"),
        pytest.param("Sun, 22 Nov 2026 03:00:00 GMT", None, 0, id="an instant that is over"),
        pytest.param("Sun, 22 Nov 2026 01:02:00 GMT", "Sun, 22 Nov 2026 01:00:00 GMT", 120, id="by a wrong clock"),
        pytest.param("Sun, 22 Nov 2026 03:47:00 GMT", "yesterday", 120, id="a date that is none"),
        pytest.param("soon", None, None, id="a word"),
        pytest.param("-5", None, None, id="negative"),
        pytest.param("1.5", None, None, id="a fraction"),
        pytest.param("", None, None, id="empty"),
        pytest.param("9" * 5_000, None, None, id="digits without end"),
        pytest.param("Sun, 99 Nov 2026 03:47:00 GMT", None, None, id="no such day"),
        pytest.param("Fri, 31 Dec 9999 23:59:59 -2359", None, None, id="past the end of the calendar"),
        pytest.param("٣", None, None, id="digits of another script"),
    ],
)
def test_retry_after(value: str, date: str | None, seconds: float | None) -> None:
    assert parse_retry_after(value, date=date, now=NOW) == seconds


def test_a_slot_asks_its_pace_each_time() -> None:
    pace = _pace(5)
    slot = HostSlot(1, pace, Leash())
    assert (slot.download_delay(), slot.jitter) == (5.0, 0.0)
    pace.respect(8)
    assert slot.download_delay() == 8.0
    slot.lastseen = 90.0
    pace.note_answer(429, latency=1.0, now=100.0, retry_after=50.0)
    assert slot.download_delay() == 60.0
    slot.lastseen = 150.0  # the next request has been sent
    assert slot.download_delay() == slot.delay == 8.0


def test_a_stopped_run_waits_for_nothing() -> None:
    pace = Pace(DelayBounds(least=5.0))
    pace.note_answer(503, latency=0.1, now=100.0, retry_after=500.0)
    assert pace.seconds_after(100.0) >= 500.0
    pace.halted = True
    assert pace.seconds_after(100.0) == 0.0


@pytest.mark.parametrize(
    ("seconds", "delay", "concurrency", "most"),
    [(60, 5, 1, 48), (61, 5, 1, 52), (60, 0, 8, None), (float("inf"), 5, 1, None), (-3, 5, 2, 8), (1, 60, 1, 4)],
)
def test_no_more_requests_than_the_time_lets(seconds: float, delay: float, concurrency: int, most: int | None) -> None:
    assert most_requests(seconds, delay=delay, concurrency=concurrency) == most
