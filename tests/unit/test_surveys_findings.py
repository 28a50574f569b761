"""What a check says of a source whose site changed: what needs a hand, what is good to know, and what to write."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from config.editing import Addition, Replacement, Withdrawal
from config.sources import Source
from crawler.survey.facts import ListingFacts, Problem, RobotsFacts, Survey
from crawler.survey.proposal import propose
from jobs.cli.checking import count_fields, make_diff
from jobs.surveys import CheckMemory, Finding, find_changes, read_memory, remember, write_memory
from tests.unit.test_survey_proposal import ARTICLES, FEED, HOME, NOW, SURVEY, TITLES, announce, list_page, sample

WORLD = list_page(f"{HOME}world/", ARTICLES[10:20])
SEEN = replace(SURVEY, pages=(*SURVEY.pages, WORLD[0]), listings=(FEED, WORLD[1]))


def configure(**keys: Any) -> Source:
    data: dict[str, Any] = {
        "name": "Example Gazette",
        "home": HOME,
        "discover": [{"feed": FEED.url}, {"section": WORLD[1].url}],
        "articles": {"include": [r"/news/[^/?]+-\d+$"]},
    }
    return Source(id="gazette", **(data | keys))


def check(
    survey: Survey, source: Source | None = None, before: CheckMemory | None = None, **shares: tuple[int, int]
) -> dict[str, Finding]:
    found = find_changes(source or configure(), survey, propose(survey), before, shares)
    return {one.kind: one for one in found}


def fail(listing: ListingFacts, error: str, status: int | None) -> ListingFacts:
    return replace(listing, links=(), total=0, error=error, status=status)


PAST = remember(SEEN, configure().is_article)


def test_nothing_is_said_of_what_is_as_it_was() -> None:
    assert check(SEEN) == check(SEEN, before=PAST) == {}


def test_a_dead_feed() -> None:
    survey = replace(SEEN, listings=(fail(FEED, "status 404", 404), WORLD[1]))
    found = check(survey, before=PAST)["dead_feed"]
    assert found.hand
    assert "at the last check it had 30 articles" in found.text
    assert found.edits == (Withdrawal(("discover", 0), "status 404 on 2026-11-20"),)
    other = replace(FEED, url=f"{HOME}new.xml")
    found = check(replace(survey, listings=(*survey.listings, other)))["dead_feed"]
    assert found.edits == (Replacement(("discover", 0, "feed"), other.url),)


def test_one_failure_is_none_two_are() -> None:
    survey = replace(SEEN, listings=(fail(FEED, "status 503", 503), WORLD[1]))
    found = check(survey, before=PAST)
    assert not found["failing_feed"].hand
    again = check(survey, before=remember(survey, configure().is_article))
    assert again["dead_feed"].hand


def test_a_section_that_moved_and_one_that_leads_home() -> None:
    moved = replace(WORLD[1], asked=WORLD[1].url, url=f"{HOME}desk/world/")
    found = check(replace(SEEN, listings=(FEED, moved)))["moved_section"]
    assert not found.hand
    assert found.edits == (Replacement(("discover", 1, "section"), moved.url),)
    gone = replace(WORLD[1], asked=WORLD[1].url, url=HOME)
    assert check(replace(SEEN, listings=(FEED, gone)))["dead_section"].hand


def test_a_stale_feed() -> None:
    old = replace(FEED, links=tuple(replace(link, published=NOW - timedelta(days=90)) for link in FEED.links))
    fresh = replace(FEED, url=f"{HOME}other.xml", links=announce(ARTICLES[:20]))
    assert check(replace(SEEN, listings=(old, WORLD[1], fresh)))["stale_feed"].hand


def test_another_feed_that_has_much_more() -> None:
    more = replace(FEED, url=f"{HOME}all.xml", links=announce(ARTICLES), total=60)
    found = check(replace(SEEN, listings=(*SEEN.listings, more)))["new_feed"]
    assert not found.hand
    (edit,) = found.edits
    assert isinstance(edit, Addition)
    assert edit.text == f"feed: {more.url}"


def test_articles_that_the_patterns_miss() -> None:
    moved = [f"{HOME}story/{title}-{20_000 + number}" for number, title in enumerate(TITLES)]
    pages = (replace(SURVEY.pages[0], links=()),)
    samples = tuple(sample(url, published="2026-11-20T12:00:00Z") for url in moved[:4])
    feed = replace(FEED, links=announce(moved[:30]))
    survey = replace(SEEN, pages=pages, listings=(feed,), samples=samples)
    source = configure(discover=[{"feed": FEED.url}])
    found = check(survey, source, before=PAST)
    assert found["patterns_miss"].hand
    (edit,) = found["patterns_miss"].edits
    assert edit == Addition(
        ("articles", "include"),
        r"'^https?://gazette\.example/story/[^/?.]+-\d{4,}/?$'",
        f"30 articles, as {moved[0]}",
    )
    assert "at the last check they took 100%" in found["patterns_miss"].text


def test_what_a_person_leaves_out_is_not_missed() -> None:
    narrow = configure(articles={"include": [r"/news/[^/?]+-\d+$"], "exclude": [r"-\d*[13579]$"]})
    assert check(SEEN, narrow) == {}
    some = configure(articles={"include": [r"/news/[^/?]+-\d*[02468]$"]})
    memory = remember(SEEN, some.is_article)
    assert not any(one.hand for one in check(SEEN, some, before=memory).values()), "it was so before"


def test_pages_that_the_patterns_take_and_are_none() -> None:
    wide = configure(articles={"include": ["."]})
    survey = replace(SEEN, samples=(*SEEN.samples, *(sample(f"{HOME}tag/{name}", "listing") for name in "abc")))
    found = check(survey, wide)["patterns_catch"]
    assert found.hand
    expression = r"'^https?://gazette\.example/news/[^/?.]+-\d{4,}/?$'"
    assert found.edits == (Replacement(("articles", "include", 0), expression),)


def test_fields_that_are_lost() -> None:
    bare = replace(SEEN, samples=tuple(replace(one, fields={}) for one in SEEN.samples))
    assert "published" not in str(check(bare))
    found = find_changes(configure(), bare, propose(bare), PAST)
    assert {(one.kind, one.hand) for one in found} == {("field_lost", True)}
    assert [one.text for one in found] == [
        f"0 of 4 articles have {what}; 4 of 4 at the last check" for what in ("a time of publication", "an author")
    ]
    assert "300 of 310 in the archive" in check(bare, published=(310, 300))["field_lost"].text
    assert not check(bare, published=(310, 100)), "it was never usual"


def test_pages_of_the_house_are_no_texts_without_a_day() -> None:
    house = tuple(sample(f"{HOME}{name}") for name in ("about", "contact", "imprint", "terms", "jobs"))
    memory = remember(replace(SEEN, samples=(*SEEN.samples, *house)), configure().is_article)
    assert (memory.samples, memory.fields["published"]) == (4, 4)


def test_what_stands_in_the_way_of_all() -> None:
    down = Survey(HOME, HOME, NOW, 2, problems=(Problem("unreachable", f"{HOME} gave no answer", HOME),))
    assert [(kind, one.hand) for kind, one in check(down).items()] == [("unreachable", True)]


def test_a_home_that_moved_and_a_longer_delay() -> None:
    there = replace(SEEN, home=f"{HOME}en/", robots=(RobotsFacts(f"{HOME}robots.txt", 200, crawl_delay=30),))
    found = check(there)
    assert found["moved_home"].edits == (Replacement(("home",), f"{HOME}en/"),)
    assert not found["longer_delay"].hand


def test_terms_that_are_new() -> None:
    said = replace(SEEN, samples=tuple(replace(one, directives=("noarchive",)) for one in SEEN.samples))
    assert "`noarchive`" in check(said, before=PAST)["new_terms"].text
    assert "new_terms" not in check(said)


def test_memory_is_kept_and_may_be_lost(tmp_path: Path) -> None:
    assert read_memory(tmp_path, "gazette") is None
    write_memory(tmp_path, "gazette", PAST)
    assert read_memory(tmp_path, "gazette") == PAST
    (file,) = (tmp_path / "checks").iterdir()
    file.write_text("{")
    assert read_memory(tmp_path, "gazette") is None


def test_edits_that_leave_no_source_are_left_out(tmp_path: Path) -> None:
    path = tmp_path / "gazette.yaml"
    path.write_text(f"name: A\nhome: {HOME}\ndiscover:\n  - feed: {FEED.url}\narticles: {{include: '/news/'}}\n")
    gone = Finding("dead_feed", "", hand=True, edits=(Withdrawal(("discover", 0), "status 404"),))
    more = Finding("new_feed", "", hand=False, edits=(Addition(("discover",), f"feed: {HOME}b.xml"),))
    diff, left = make_diff(path, "gazette", [gone, more])
    assert "+  - feed: https://gazette.example/b.xml" in diff
    assert "404" not in diff
    assert len(left) == 1
    assert left[0].startswith("dead_feed: ")
    assert make_diff(path, "gazette", []) == ("", [])


@pytest.mark.parametrize(("days", "share"), [(1, (400, 380)), (3, (800, 760))])
def test_fields_are_counted_of_the_newest_days(days: int, share: tuple[int, int]) -> None:
    counts = [Counter({"text": 400, "has published": 380})] * days
    assert count_fields(counts)["published"] == share
