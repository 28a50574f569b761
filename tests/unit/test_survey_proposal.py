"""From what a survey saw to a proposal: which URLs are articles, which listings stay, how often, by which clock."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from crawler.discover.page_facts import PageFacts, SeenLink
from crawler.survey.facts import AnnouncedLink, ListingFacts, Problem, RobotsFacts, SampleFacts, Survey
from crawler.survey.labels import label_urls
from crawler.survey.proposal import make_filter, propose
from crawler.survey.rates import measure_rate, propose_schedule, time_of
from crawler.survey.zones import guess_zone
from tests.layouts import Writer

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
HOME = "https://gazette.example/"
TITLES = [Writer(seed).title() for seed in range(60)]
ARTICLES = [f"{HOME}news/{title}-{10_000 + number}" for number, title in enumerate(TITLES)]
MENU = [SeenLink(f"{HOME}{name}/", name, "nav") for name in ("world", "sport", "culture")]
HEADLINES = [SeenLink(url, "A headline of more than a few words", "main") for url in ARTICLES[:12]]


def announce(urls: list[str], *, every: timedelta = timedelta(hours=3)) -> tuple[AnnouncedLink, ...]:
    return tuple(AnnouncedLink(url, "Title", NOW - number * every) for number, url in enumerate(urls))


def list_page(url: str, urls: list[str]) -> tuple[PageFacts, ListingFacts]:
    links = tuple(SeenLink(one, "A headline of more than a few words", "main") for one in urls)
    facts = ListingFacts(url, "section", 200, links=announce(urls), total=len(urls))
    return PageFacts(url, links=links), facts


def sample(url: str, page_class: str = "article", **fields: Any) -> SampleFacts:
    told = {name: {"value": value, "from": "meta"} for name, value in fields.items()}
    return SampleFacts(url, 200, page_class, "", title="Title", fields=told, chars=2_000, confidence=0.9)


FEED = ListingFacts(f"{HOME}rss.xml", "feed", 200, links=announce(ARTICLES[:30]), total=30)
SURVEY = Survey(
    asked=HOME,
    home=HOME,
    looked_at=NOW,
    requests=12,
    robots=(RobotsFacts(f"{HOME}robots.txt", 200),),
    pages=(PageFacts(HOME, title="Home | Example Gazette", language="en", links=(*MENU, *HEADLINES)),),
    listings=(FEED,),
    samples=tuple(
        sample(url, published="2026-11-20T12:00:00+02:00", language="ar", authors=["A"]) for url in ARTICLES[:4]
    ),
)


def kept(survey: Survey) -> list[str]:
    return [choice.url for choice in propose(survey).discover]


def test_a_plain_site() -> None:
    found = propose(SURVEY)
    assert found.sound
    assert found.name == "Example Gazette"
    assert [(one.kind, one.articles) for one in found.discover] == [("feed", 30), ("section", 12)]
    assert [one.expression for one in found.patterns.include] == [r"^https?://gazette\.example/news/[^/?.]+-\d{4,}/?$"]
    assert found.languages == ("ar",)
    assert found.articles_per_day == pytest.approx(8, rel=0.1)
    assert (found.schedule.value, found.delay_seconds) == ("every 1 hour", 5)
    assert len(found.samples) == 3
    assert make_filter(found.patterns)(ARTICLES[59])


def test_what_announces_nothing_new_is_left() -> None:
    comments = replace(FEED, url=f"{HOME}comments.xml", links=announce([f"{url}#c1" for url in ARTICLES[:5]]))
    empty = ListingFacts(f"{HOME}empty.xml", "feed", 200)
    gone = ListingFacts(f"{HOME}old.xml", "feed", 404, error="status 404")
    tags = ListingFacts(f"{HOME}tags.xml", "sitemap", 200, links=(AnnouncedLink(f"{HOME}tag/rain"),), total=1)
    found = propose(replace(SURVEY, listings=(FEED, comments, empty, gone, tags)))
    assert [one.url for one in found.discover] == [FEED.url, HOME]
    assert {one.url: one.why for one in found.left} == {
        comments.url: "has nothing that the feeds above do not have",
        empty.url: "is empty",
        gone.url: "status 404",
        tags.url: "none of its 1 link is an article",
    }


def test_what_is_new_comes_first_and_what_is_complete_last() -> None:
    members = tuple(f"{HOME}sitemap-{number}.xml" for number in (1, 2))
    index = ListingFacts(f"{HOME}sitemap.xml", "sitemap", 200, listings=members)
    month = ListingFacts(members[0], "sitemap", 200, links=tuple(map(AnnouncedLink, ARTICLES)), total=60)
    news = ListingFacts(f"{HOME}news.xml", "sitemap", 200, links=announce(ARTICLES[:10]), total=10)
    assert kept(replace(SURVEY, listings=(index, month, news, FEED))) == [FEED.url, news.url, index.url]


def test_an_index_without_articles_is_not_kept() -> None:
    """Sitemaps of sitemaps of sitemaps, in which nobody has found an article."""

    def name(*path: int) -> str:
        return f"{HOME}bomb{'-'.join(map(str, path))}.xml"

    def index(*path: int) -> ListingFacts:
        return ListingFacts(name(*path), "sitemap", 200, listings=tuple(name(*path, n) for n in range(9)))

    bomb = [index(0), index(0, 1), index(0, 1, 1), index(0, 2), index(7)]
    assert kept(replace(SURVEY, listings=(*bomb, FEED))) == [FEED.url, HOME]
    leaf = ListingFacts(name(0, 1, 1, 3), "sitemap", 200, links=tuple(map(AnnouncedLink, ARTICLES)))
    assert kept(replace(SURVEY, listings=(*bomb, leaf, FEED))) == [FEED.url, bomb[0].url]


def test_sections_stay_where_nothing_has_all() -> None:
    pages, facts = zip(*(list_page(link.url, ARTICLES[at : at + 10]) for at, link in enumerate(MENU[:2])), strict=True)
    survey = replace(SURVEY, pages=(*SURVEY.pages, *pages), listings=(FEED, *facts))
    assert kept(survey) == [FEED.url, HOME, MENU[0].url, MENU[1].url, MENU[2].url]
    why = propose(survey).discover[-1].why
    assert "not looked at" in why


def test_further_pages_of_a_list_are_for_the_crawl_to_find() -> None:
    page, facts = list_page(f"{HOME}archive/", ARTICLES[30:40])
    facts = replace(facts, listings=(f"{HOME}archive/?page=2", f"{HOME}archive/?page=5"))
    found = kept(replace(SURVEY, pages=(*SURVEY.pages, page), listings=(FEED, facts)))
    assert f"{HOME}archive/" in found
    assert not [url for url in found if "page=" in url]


def test_pages_that_only_read_like_articles_are_none() -> None:
    """Articles state their day; a hub of the same form, that no feed announces, states none."""
    hubs = [f"{HOME}news/all-about-{title}" for title in TITLES[:8]]
    sitemap = ListingFacts(
        f"{HOME}sitemap.xml",
        "sitemap",
        200,
        links=tuple(map(AnnouncedLink, [*ARTICLES, *hubs])),
        total=68,
    )
    survey = replace(SURVEY, listings=(FEED, sitemap), samples=(*SURVEY.samples, *map(sample, hubs[:3])))
    accept = make_filter(propose(survey).patterns)
    assert all(map(accept, ARTICLES))
    assert not any(map(accept, hubs))


def test_one_page_that_went_wrong_says_nothing_of_its_address() -> None:
    survey = replace(SURVEY, samples=(*SURVEY.samples, sample(ARTICLES[20], "soft-404")))
    found = propose(survey)
    assert make_filter(found.patterns)(ARTICLES[20])


def test_the_house_s_own_pages_are_no_articles() -> None:
    about = f"{HOME}how-we-work-here-and-why-12345"
    home = SURVEY.pages[0]
    footer = SeenLink(about, "How we work", "footer")
    survey = replace(
        SURVEY, pages=(replace(home, links=(*home.links, footer)),), samples=(*SURVEY.samples, sample(about))
    )
    assert about in label_urls(survey).others


def test_links_to_other_sites_are_counted_and_left_out() -> None:
    foreign = tuple(AnnouncedLink(f"https://xn--gzette-9ta.example/news/{title}") for title in TITLES[:3])
    found = propose(replace(SURVEY, listings=(replace(FEED, links=(*FEED.links, *foreign)),)))
    assert any("3 links to other sites, as xn--gzette-9ta.example" in hint for hint in found.hints)
    assert not make_filter(found.patterns)(foreign[0].url)


def test_nothing_is_proposed_of_nothing() -> None:
    problem = Problem("unreachable", "https://gazette.example/ cannot be had", HOME)
    found = propose(Survey(HOME, HOME, NOW, 1, problems=(problem,)))
    assert not found.sound
    assert (found.discover, found.patterns.include, found.hints) == ((), (), (problem.text,))
    closed = replace(SURVEY, robots=(RobotsFacts(f"{HOME}robots.txt", 200, forbids_all=True),))
    assert not propose(closed).sound


def test_terms_and_delay() -> None:
    samples = tuple(replace(one, directives=("noai",), tdm_reservation=True) for one in SURVEY.samples)
    robots = (RobotsFacts(f"{HOME}robots.txt", 200, crawl_delay=12),)
    found = propose(replace(SURVEY, samples=samples, robots=robots))
    assert found.delay_seconds == 12
    assert any("`noai`" in hint for hint in found.hints)
    assert any("text and data mining" in hint for hint in found.hints)


@pytest.mark.parametrize(
    ("home", "languages", "times", "zone"),
    [
        ("https://zeitung.de/", ["de"], [], "Europe/Berlin"),
        ("https://www.news.co.uk/", ["en"], [], "Europe/London"),
        ("https://gazette.example/", ["ar"], ["2026-11-20T12:00:00+02:00"], None),
        ("https://gazette.example/", ["ar-LB"], ["2026-11-20T12:00:00+02:00"], "Asia/Beirut"),
        ("https://noticias.com.br/", ["pt-BR"], [], None),
        ("https://noticias.com.br/", ["pt-BR"], ["2026-11-20T12:00:00-03:00"], "America/Sao_Paulo"),
        ("https://noticias.com.br/", ["pt-BR"], ["2026-11-20T12:00:00-04:00"], "America/Campo_Grande"),
        ("https://start.io/", ["de"], [], "Europe/Berlin"),
        ("https://lemonde.example/", ["fr"], [], None),
        (
            "https://lemonde.example/",
            ["fr"],
            ["2026-07-20T12:00:00+02:00", "2026-11-20T12:00:00+01:00"],
            "Europe/Paris",
        ),
        ("https://zeitung.de/", ["de"], ["2026-11-20T12:00:00+05:30"], None),
        ("http://127.0.0.1:8080/", ["en"], ["2026-11-20T12:00:00+00:00"], None),
    ],
)
def test_time_zones(home: str, languages: list[str], times: list[str], zone: str | None) -> None:
    found = guess_zone(home, languages, map(datetime.fromisoformat, times))
    assert (found.value if found else None) == zone


def test_rates_and_schedules() -> None:
    times = [NOW - timedelta(hours=2 * number) for number in range(30)]
    assert measure_rate(times) == pytest.approx(12)
    assert measure_rate(times[:3]) is None
    assert measure_rate([NOW] * 40) is None
    assert propose_schedule(12, []).value == "every 30 minutes"
    assert propose_schedule(100, []).value == "every 15 minutes"
    assert propose_schedule(0.1, []).value == "every 12 hours"
    quick = propose_schedule(3, [2 * 3_600])
    assert (quick.value, "2 hours" in quick.why) == ("every 30 minutes", True)
    assert time_of(AnnouncedLink(f"{HOME}2026/11/05/x")) == datetime(2026, 11, 5, tzinfo=UTC)
    assert time_of(AnnouncedLink(f"{HOME}20261105/x")) == datetime(2026, 11, 5, tzinfo=UTC)
    assert time_of(AnnouncedLink(f"{HOME}2026/13/45/x")) is None
    assert time_of(AnnouncedLink(f"{HOME}2026/11/x")) is None
