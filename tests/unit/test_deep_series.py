"""Addresses of lists by date and by number: the one before, the next, and where a series ends."""

from __future__ import annotations

import time
from datetime import date

import pytest

from crawler.deep.digging import Digging
from crawler.deep.series import find_place, follow_series, is_dated_list
from crawler.model import Purpose

SITE = "https://gazette.example"


@pytest.mark.parametrize(
    ("path", "following"),
    [
        ("/sitemap-2024-01.xml", "/sitemap-2023-12.xml"),
        ("/sitemaps/2024/01/01/news.xml", "/sitemaps/2023/12/31/news.xml"),
        ("/sitemap-20240301.xml.gz", "/sitemap-20240229.xml.gz"),
        ("/sitemap-2019.xml", "/sitemap-2018.xml"),
        ("/sitemap.xml?yyyy=2024&mm=01&dd=01", "/sitemap.xml?yyyy=2023&mm=12&dd=31"),
        ("/archive?year=2024&month=10", "/archive?year=2024&month=09"),
        ("/archive?year=2024&month=9", "/archive?year=2024&month=8"),
        ("/2024/10/", "/2024/09/"),
        ("/news/2024", "/news/2023"),
        ("/sitemap-posts-3.xml", "/sitemap-posts-4.xml"),
        ("/sitemap9.xml", "/sitemap10.xml"),
        ("/politics?page=2", "/politics?page=3"),
        ("/politics/page/9/", "/politics/page/10/"),
        ("/archive/2024/10/page/2/", "/archive/2024/10/page/3/"),
    ],
)
def test_follows_a_series(path: str, following: str) -> None:
    assert follow_series(SITE + path, 0) == SITE + following


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/politics",
        "/sitemap.xml",
        "/story-20241399",
        "/sitemap-2019-2.xml",
        "/p/1234567890123",
        "/archive/1990/01/01/",
        "/x?id=2",
    ],
)
def test_what_is_no_series_leads_nowhere(path: str) -> None:
    assert follow_series(SITE + path, 0) is None


def test_the_host_is_no_date() -> None:
    assert find_place("https://news2024.example/politics") is None


def test_a_series_ends_where_nothing_comes_any_more() -> None:
    for path, most in (("/2024/10/27/", 14), ("/2024/10/", 3), ("/2024/", 1), ("/a?page=2", 0)):
        assert follow_series(SITE + path, most) is not None
        assert follow_series(SITE + path, most + 1) is None


def test_lists_of_days_are_told_from_articles() -> None:
    for path in ("/2024/10/27/", "/2024/10", "/archive/2024", "/2024/10/page/2/", "/archive/2024-10-27?x=1"):
        assert is_dated_list(SITE + path), path
    for path in ("/2024/10/27/mayor", "/mayor", "/2024/10/27/1234", "/mayor-2024-wins"):
        assert not is_dated_list(SITE + path), path


def test_days_go_back_one_by_one_through_leap_years() -> None:
    url, seen = f"{SITE}/2024/03/02/", []
    for _ in range(800):
        following = follow_series(url, 0)
        assert following is not None
        url = following
        place = find_place(url)
        assert place is not None
        seen.append(place.newest)
    assert seen == [date.fromordinal(date(2024, 3, 2).toordinal() - number) for number in range(1, 801)]


def test_lists_are_read_from_the_newest() -> None:
    digging = Digging()
    for path in ("/a", "/2019/", "/2024/10/", "/2024/11/", "/2024/11/"):
        digging.add(SITE + path, Purpose.SECTION)
    digging.add(SITE + "/sitemap.xml", Purpose.SITEMAP, seed=True)
    again = Digging(digging.encode())
    order = []
    while (one := again.take()) is not None:
        order.append(one.url.removeprefix(SITE))
    assert order == ["/sitemap.xml", "/2024/11/", "/2024/10/", "/2019/", "/a"]


def test_long_addresses_cost_little() -> None:
    began = time.process_time()
    for text in ("2024" * 2_000, "2024-" * 1_600, "y=2024&" * 1_000, "/page/1" * 1_000, "sitemap" * 1_000):
        follow_series(f"{SITE}/{text}", 0)
        is_dated_list(f"{SITE}/{text}")
    assert time.process_time() - began < 2


@pytest.mark.parametrize(
    ("query", "before"),
    [
        ("year=2024&month=0", "year=2023&month=12"),
        ("y=2024&m=03&d=00", "y=2024&m=02&d=29"),
        ("y=2024&m=13", "y=2023&m=13"),
    ],
)
def test_a_month_or_day_of_number_0_is_the_first(query: str, before: str) -> None:
    assert follow_series(f"https://gazette.example/archive?{query}", 0) == f"https://gazette.example/archive?{before}"
