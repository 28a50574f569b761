"""The sites on which `sources add` is tried are what their truth says, and the score tells right from wrong."""

from __future__ import annotations

import html
import re
from typing import Any
from urllib.parse import urljoin, urlsplit

import pytest

from config.rules import ArticlePatterns, readable_url
from crawler.urls import normalise_url
from tests.newcomers.desk import Newcomer, canonical
from tests.newcomers.prose import make_slug, write_stories
from tests.newcomers.registry import SITES, find_site
from tests.newcomers.scoring import score_crawl

ROOT = "http://127.0.0.31:8000"


@pytest.fixture(params=[*SITES, *(f"varied_{number}" for number in range(20))])
def site(request: pytest.FixtureRequest) -> Newcomer:
    return find_site(request.param)(ROOT if request.param != "subdomains" else "http://www.tresrios.example:8000")


def test_a_site_answers_what_its_truth_says(site: Newcomer) -> None:
    assert 30 <= len(site.articles) <= 120
    assert not site.articles & site.either
    assert all(site.answer(url).status == 200 for url in site.articles | site.either)
    assert {canonical(url) for url in site.pages} == set(site.pages)
    assert len({normalise_url(url) for url in site.articles}) == len(site.articles)
    titles = [re.search("<title>(.*?)</title>", site.answer(url).body.decode()) for url in site.articles]
    assert len({title[1] for title in titles if title}) == len(site.articles)


def test_the_patterns_of_who_knows_it_tell_articles_from_the_rest(site: Newcomer) -> None:
    patterns = ArticlePatterns(**site.source["articles"])
    assert all(patterns.match(normalise_url(url)) for url in site.articles), site.source["articles"]
    others = site.pages.keys() - site.articles - site.either
    taken = {readable_url(url) for url in others if patterns.match(normalise_url(url))}
    assert taken == set()


def test_no_link_of_a_site_leads_to_a_page_that_is_not_there(site: Newcomer) -> None:
    """But those that are meant to: what robots.txt forbids, programs and pictures."""
    lost = set()
    for url, answer in site.pages.items():
        if not answer.media_type.startswith("text/html"):
            continue
        hosts = {urlsplit(page).netloc for page in site.pages}
        for href in re.findall(r'<a [^>]*?href="([^"#]+)"', answer.body.decode()):
            target = canonical(urljoin(url, html.unescape(href)))
            if urlsplit(target).netloc in hosts and site.answer(target).status == 404:
                lost.add(urlsplit(target).path)
    assert lost <= {"/search", "/login", "/go"}


def test_stories_are_the_same_each_time_and_all_different() -> None:
    first, again = write_stories("ja", 40, seed=3), write_stories("ja", 40, seed=3)
    assert first == again
    assert len({story.slug for story in first}) == len({story.key for story in first}) == 40
    assert [story.published for story in first] == sorted((story.published for story in first), reverse=True)


def test_slugs() -> None:
    assert make_slug("Straße & Übermut: 3 Äpfel") == "strasse-ubermut-3-apfel"
    assert make_slug("Заречинск: «Ёлка»") == "zarechinsk-elka"
    assert make_slug("وادي الزيتون: المجلس") == "وادي-الزيتون-المجلس"


def test_a_score_counts_what_was_found_and_what_is_wrong() -> None:
    page: dict[str, Any] = {"event": "captured_page", "purpose": "article", "status": 200}
    events = [
        {**page, "url": f"{ROOT}/a"},
        {**page, "url": f"{ROOT}/a"},
        {**page, "url": f"{ROOT}/tag"},
        {**page, "url": f"{ROOT}/video"},
        {**page, "url": f"{ROOT}/c", "status": 404},
        {**page, "url": f"{ROOT}/list", "purpose": "section"},
        {"event": "skipped_page", "url": f"{ROOT}/b"},
    ]
    articles = {f"{ROOT}/{name}" for name in "abc"}
    score = score_crawl(events, articles, {f"{ROOT}/video"}, requests=41)
    assert (score.found, score.articles, score.captures) == (1, 3, 3)
    assert score.wrong == (f"{ROOT}/c", f"{ROOT}/tag")
    assert score.missed == (f"{ROOT}/b", f"{ROOT}/c")
    assert [fault.split(" ", 1)[0] for fault in score.find_faults()] == ["1", "2", "41"]
    whole = score_crawl([{**page, "url": url} for url in articles], articles, requests=40)
    assert whole.find_faults() == []
