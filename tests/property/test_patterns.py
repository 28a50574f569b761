"""Patterns are learned from some articles of a site and tried on others: new days, ids, sections, and what is none."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from config.rules import ArticlePatterns
from crawler.survey.patterns import LearnedPatterns, learn_patterns
from crawler.survey.shapes import group_by_shape, read_parts
from crawler.urls import normalise_url
from tests.layouts import LAYOUTS, SECTIONS, Layout, Writer


def compile_patterns(found: LearnedPatterns) -> ArticlePatterns:
    return ArticlePatterns(
        include=[pattern.expression for pattern in found.include],
        exclude=[pattern.expression for pattern in found.exclude],
    )


def take(patterns: ArticlePatterns, urls: list[str]) -> list[str]:
    return [url for url in urls if patterns.match(normalise_url(url))]


@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda layout: layout.name)
@pytest.mark.parametrize("number", [20, 60])
def test_they_take_the_articles_of_tomorrow_and_nothing_else(layout: Layout, number: int) -> None:
    for seed in range(4):
        writer = Writer(seed)
        articles, others = [layout.article(writer) for _ in range(number)], layout.others(writer)
        found = learn_patterns(articles, others, home=layout.home)
        patterns = compile_patterns(found)
        assert (found.covered, found.caught) == (found.articles, 0)
        assert len(take(patterns, articles)) == len(articles)
        assert not take(patterns, others)

        later = Writer(seed + 1_000)
        later.number, later.sections = writer.number + 1_000, SECTIONS  # with sections that nobody has seen
        new = [layout.article(later) for _ in range(100)]
        assert len(take(patterns, new)) >= 97, found
        unseen = layout.others(later)
        assert not take(patterns, unseen), found


@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda layout: layout.name)
def test_they_keep_out_what_nobody_has_shown_them(layout: Layout) -> None:
    """Only articles are known: tags, authors, pages of lists, files and other dresses of an article are kept out."""
    writer = Writer(3)
    articles = [layout.article(writer) for _ in range(40)]
    patterns = compile_patterns(learn_patterns(articles, home=layout.home))
    assert len(take(patterns, articles)) == len(articles)
    home = layout.home
    lists = [f"{home}{word}/some-long-name-of-it-2026" for word in ("tag", "tags", "author", "category", "topic")]
    pages = [f"{home}page/2", f"{home}page/2/", f"{home}author/ada-lovelace/page/3/", f"{home}search?q=flood", home]
    files = [
        f"{home}2026/11/27/picture-of-a-flood-in-town.jpg",
        f"{home}feed.xml",
        f"{home}news/a-report-of-the-year.pdf",
    ]
    assert not take(patterns, [*lists, *pages, *files])


@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda layout: layout.name)
def test_they_are_few_anchored_and_short(layout: Layout) -> None:
    writer = Writer(5)
    found = learn_patterns([layout.article(writer) for _ in range(60)], layout.others(writer), home=layout.home)
    assert 1 <= len(found.include) <= 3
    assert len(found.exclude) <= 4
    for pattern in found.include:
        assert pattern.expression.startswith("^https?://")
        assert pattern.expression.endswith("$")
        assert len(pattern.expression) < 200
        assert "%" not in pattern.expression, "letters of all scripts are to be read as such"


def test_they_are_what_a_person_would_write() -> None:
    titles = [Writer(seed).title() for seed in range(1, 28)]
    articles = [f"https://gazette.example/2026/11/{day:02d}/{title}" for day, title in enumerate(titles, 1)]
    others = ["https://gazette.example/tag/rain", "https://gazette.example/about", "https://gazette.example/2026/11/"]
    found = learn_patterns(articles, others)
    assert [one.expression for one in found.include] == [r"^https?://gazette\.example/\d{4}/\d{2}/\d{2}/[^/?.]+/?$"]
    story = [f"https://gazette.example/story/{number}/{title}" for number, title in enumerate(titles, 10_000)]
    assert [one.expression for one in learn_patterns(story).include] == [
        r"^https?://gazette\.example/story/\d{4,}/[^/?.]+/?$"
    ]


def test_hosts_below_others_are_not_taken_for_one_site() -> None:
    articles = [
        f"https://{host}.co.uk/news/title-of-an-article-{n}" for n in range(20) for host in ("gazette", "herald")
    ]
    (pattern,) = learn_patterns(articles, home="https://www.gazette.co.uk/").include
    patterns = ArticlePatterns(include=[pattern.expression])
    assert patterns.match("https://gazette.co.uk/news/title-of-an-article-99")
    assert not patterns.match("https://bank.co.uk/news/title-of-an-article-99")


def test_what_is_no_site_teaches_nothing() -> None:
    assert learn_patterns([]).include == ()
    assert learn_patterns(["mailto:a@b.example", "javascript:void(0)", ""]).include == ()


hosts = st.sampled_from(["gazette.example", "www.gazette.example", "sport.gazette.example", "127.0.0.1:8080"])
words = st.text(alphabet="abcxyz0189-_.,~%+()[]{}|\\^$*?&=#'\" é中ع", max_size=30)
urls = st.builds(lambda host, parts: f"https://{host}/" + "/".join(parts), hosts, st.lists(words, max_size=6))


@settings(max_examples=150, deadline=None)
@given(st.lists(urls, max_size=25), st.lists(urls, max_size=25), st.lists(urls, max_size=10))
def test_whatever_the_urls_are_expressions_hold(articles: list[str], others: list[str], unknown: list[str]) -> None:
    found = learn_patterns(articles, others, unknown, home="https://gazette.example/")
    assert found.covered <= found.articles
    if not found.include:
        return
    patterns = compile_patterns(found)  # RE2 takes them all, and says the same of each URL
    readable = [parts.url for url in articles if (parts := read_parts(url)) is not None]
    assert sum(patterns.match(normalise_url(url)) for url in set(readable)) == found.covered


@settings(max_examples=100, deadline=None)
@given(st.lists(urls, max_size=30))
def test_each_url_has_one_shape(given_urls: list[str]) -> None:
    grouped = [url for members in group_by_shape(given_urls).values() for url in members]
    assert sorted(grouped) == sorted({url for url in given_urls if read_parts(url) is not None})


def test_hostile_urls_cost_no_time() -> None:
    """Long digits, hyphens and dots in the places where expressions look for them."""
    parts = ["1" * 3_000, "-" * 3_000, "a-" * 1_500, "1a" * 1_500, "." * 3_000, "%20" * 1_000, "a" * 3_000 + "1"]
    articles = [f"https://gazette.example/{one}/{other}{n}" for one in parts for other in parts for n in range(6)]
    found = learn_patterns(articles, articles[::7])
    assert found.articles
    assert not found.include or compile_patterns(found)


def test_many_lists_make_no_endless_excludes() -> None:
    """Where there are more other words than anybody reads, those of the articles are written down instead."""
    writer = Writer(1)
    articles = [f"https://gazette.example/{writer.section()}/{writer.title()}" for _ in range(60)]
    others = [f"https://gazette.example/p{number}/{writer.title()}" for number in range(5_000)]
    found = learn_patterns(articles, others)
    patterns = compile_patterns(found)
    assert (found.covered, found.caught) == (found.articles, 0)
    assert sum(len(pattern.expression) for pattern in (*found.include, *found.exclude)) < 1_000
    assert not take(patterns, ["https://gazette.example/p777777/another-one-of-them"])
