"""RFC 7089 as far as it is arithmetic: which Memento is nearest, and what headers and maps say of them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from jobs.catalog.replays import DatedCapture
from jobs.room.mementos import Mementos, read_http_date, read_stamp, to_http_date, to_stamp

URL = "https://gazette.example/2026/a?b=c&d=%2F"
BASE = "https://room.example"
NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


def capture(seconds: float, n: int = 0) -> DatedCapture:
    return DatedCapture("gazette", NOON + timedelta(seconds=seconds), "gazette-1", n, 200)


def make(*seconds: float) -> Mementos:
    return Mementos.of(URL, [capture(one, n) for n, one in enumerate(seconds)])


def test_of_one_second_the_last_counts() -> None:
    mementos = make(0.1, 0.9, 1.5)
    assert [one.n for one in mementos.captures] == [1, 2]


@pytest.mark.parametrize(
    ("asked", "expected"),
    [(-100, 0), (0, 0), (4, 0), (5, 0), (6, 1), (10, 1), (19, 1), (100, 2), (10**6, 2)],
)
def test_the_nearest_is_found(asked: int, expected: int) -> None:
    assert make(0, 10.7, 100).find_nearest(NOON + timedelta(seconds=asked)) == expected


def test_without_a_time_it_is_the_last() -> None:
    assert make(0, 10, 20).find_nearest(None) == 2


def test_a_header_names_all_that_a_client_walks_by() -> None:
    header = make(0, 10, 20).write_header(BASE, 1)
    assert header.split(", <") == [
        f'<{URL}>; rel="original"',
        f'{BASE}/timegate/{URL}>; rel="timegate"',
        f'{BASE}/timemap/link/{URL}>; rel="timemap"; type="application/link-format"',
        f'{BASE}/memento/20261122120000/{URL}>; rel="first prev memento"; datetime="Sun, 22 Nov 2026 12:00:00 GMT"',
        f'{BASE}/memento/20261122120010/{URL}>; rel="memento"; datetime="Sun, 22 Nov 2026 12:00:10 GMT"',
        f'{BASE}/memento/20261122120020/{URL}>; rel="last next memento"; datetime="Sun, 22 Nov 2026 12:00:20 GMT"',
    ]


def test_one_alone_is_first_and_last() -> None:
    assert 'rel="first last memento"' in make(0).write_header(BASE)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "now",
        "2026-11-22",
        "Sun, 22 Nov 2026 12:00:00",
        "Sun, 22 Nov 2026 12:00:00 +0000",
        "Sun, 32 Nov 2026 12:00:00 GMT",
        "Sun, 22 Nov 0000 12:00:00 GMT",
        "Sunday, 22-Nov-26 12:00:00 GMT",
        "Sun, 22 Nov 2026 12:00:00 GMT, x",
        "Sun, 22 Nov ٢٠٢٦ 12:00:00 GMT",
    ],
)
def test_what_is_no_time_is_none(text: str) -> None:
    assert read_http_date(text) is None


def test_times_come_back() -> None:
    assert read_http_date(to_http_date(NOON)) == NOON
    assert read_stamp(to_stamp(NOON + timedelta(seconds=0.9))) == NOON
    assert read_stamp("20261322120000") is None
    assert read_stamp("2026112212000") is None
    assert to_stamp(datetime(1, 1, 1, tzinfo=UTC)) == "00010101000000"
