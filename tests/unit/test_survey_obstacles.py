"""What a person is told of what stood in a survey's way."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from crawler.addresses import find_port_refusal, find_refusal
from crawler.discover.page_facts import Alternate, PageFacts, SeenLink
from crawler.model import Exchange, Purpose
from crawler.survey.obstacles import describe_host, judge_exchanges, judge_login, judge_move, judge_name, judge_names

HOME = "https://gazette.example/"


def exchange(status: int | None = 200, url: str = HOME, error: str | None = None) -> Exchange:
    return Exchange(url, Purpose.SECTION, datetime(2026, 11, 27, tzinfo=UTC), 0.1, b"", status, error=error)


def refuse(address: str) -> str:
    return f"refused to connect: {find_refusal(address, allow_private=False)}"


@pytest.mark.parametrize(
    ("status", "error", "kind", "words"),
    [
        (None, None, "unreachable", "gave no answer"),
        (None, "no connection: name not known", "unreachable", "name not known"),
        (None, "robots.txt could not be read (status 503)", "robots_refuses", "is not to be fetched"),
        (None, f"robots.txt could not be read ({refuse('10.0.0.1')})", "private_address", "--network private allows"),
        (None, refuse("169.254.169.254"), "private_address", "a link-local address"),
        (None, f"refused to connect: {find_port_refusal(25)}", "unreachable", "another protocol than HTTP"),
        (302, "redirects in a circle", "redirect_loop", "leads nowhere"),
        (401, None, "login_wall", "status 401"),
        (403, None, "refused", "ask the publisher"),
        (404, None, "missing", "check the address"),
        (429, None, "rate_limited", "--delay"),
        (503, None, "unreachable", "out of order"),
    ],
)
def test_each_obstacle_has_its_kind_and_says_what_to_do(
    status: int | None, error: str | None, kind: str, words: str
) -> None:
    problem = judge_exchanges(
        [exchange(302, "https://gazette.example/a"), exchange(status, error=error)], "the home page"
    )
    assert problem is not None
    assert (problem.kind, problem.url) == (kind, HOME)
    assert problem.text.startswith(f"the home page {HOME}, to which https://gazette.example/a leads, ")
    assert words in problem.text
    assert ("--network private" in problem.text) is ("network: private" in (error or ""))


def test_what_robots_txt_forbids_is_told() -> None:
    problem = judge_exchanges([replace(exchange(None, error="it forbids it"), forbidden=True)], "the feed")
    assert problem is not None
    assert problem.kind == "robots_refuses"
    assert judge_exchanges([exchange()], "the feed") is None


def test_another_site_is_not_taken_for_the_one_that_was_asked_for() -> None:
    assert judge_move("http://gazette.example/", "https://www.gazette.example/de/") is None
    problem = judge_move(HOME, "https://gazette-news.example/")
    assert problem is not None
    assert (problem.kind, problem.url) == ("other_site", "https://gazette-news.example/")


def test_a_name_that_may_look_like_another_is_told_as_it_reads() -> None:
    assert judge_name(HOME) is None
    assert describe_host("https://xn--gzette-3nf.example/") == "xn--gzette-3nf.example (reads g\u0430zette.example)"
    problem = judge_name("https://xn--gzette-3nf.example/")
    assert problem is not None
    assert problem.kind == "look_alike"
    assert describe_host("https://xn--\x7f.example/").startswith("xn--")


def test_a_page_that_says_it_is_elsewhere_is_not_followed_there() -> None:
    page = PageFacts(HOME, canonical="https://www.gazette.example/")
    assert judge_names(page) is None
    away = judge_names(replace(page, canonical="https://other.example/"))
    assert away is not None
    assert away.kind == "other_site"
    feed = Alternate("https://xn--gzette-3nf.example/feed", "application/rss+xml")
    look_alike = judge_names(replace(page, alternates=(feed,)))
    assert look_alike is not None
    assert look_alike.kind == "look_alike"
    assert judge_names(replace(page, alternates=(replace(feed, hreflang="ru"),))) is None


def test_a_form_in_place_of_the_page_is_a_wall_and_a_form_beside_the_news_is_none() -> None:
    page = PageFacts(HOME, asks_password=True)
    links = tuple(SeenLink(f"{HOME}{number}", "News", "main") for number in range(30))
    assert judge_login([exchange()], replace(page, links=links)) is None
    for exchanges, facts in (
        ([exchange()], page),
        ([exchange(302), exchange(url=f"{HOME}login")], PageFacts(HOME, links=links)),
        ([exchange(302), exchange(url="https://sso.gazette.example/")], PageFacts(HOME, links=links)),
    ):
        wall = judge_login(exchanges, facts)
        assert wall is not None
        assert wall.kind == "login_wall"
