"""From a proposal to the draft of a file."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from config.drafts import check_draft, encode_draft
from config.sources import ID_PATTERN
from crawler.survey.drafting import draft_source, make_id
from crawler.survey.patterns import LearnedPatterns, Pattern
from crawler.survey.proposal import Choice, Proposal, Reasoned

NOON = datetime(2026, 11, 27, 12, tzinfo=UTC)
PROPOSAL = Proposal(
    name="The \x1b[2J Gazette\nnetwork: private",
    home="https://gazette.example/",
    discover=(
        Choice("feed", "https://gazette.example/feed", kept=True, why="30 articles"),
        Choice("section", "https://gazette.example/%D9%88", kept=True, why="12 articles\nid: evil"),
    ),
    left=(Choice("feed", "https://gazette.example/old", kept=False, why="is empty"),),
    patterns=LearnedPatterns(
        include=(Pattern(r"^https://gazette\.example/\d+$", 30, "https://gazette.example/1"),),
        exclude=(Pattern("/tag/", 3),),
    ),
    languages=("en",),
    language=Reasoned("en", "of 3 pages"),
    timezone=Reasoned("Europe/London", "a guess"),
    articles_per_day=4.0,
    schedule=Reasoned("every 30 minutes", "4 articles a day"),
    delay_seconds=10.0,
    delay_why="robots.txt asks for it",
    samples=(),
    hints=("a hint\nthat: breaks",),
    sound=True,
)


def test_a_proposal_becomes_a_sound_file() -> None:
    draft = draft_source(PROPOSAL, source_id="gazette", looked_at=NOON)
    source = check_draft(draft)
    assert source.name == "The [2J Gazette network: private"
    assert [(one.kind, one.url) for one in source.discover] == [
        ("feed", "https://gazette.example/feed"),
        ("section", "https://gazette.example/و"),
    ]
    assert source.articles.include == [r"^https://gazette\.example/\d+$"]
    assert (source.politeness.delay_seconds, source.schedule, source.network) == (10.0, "every 30 minutes", "public")
    text = encode_draft(draft)
    assert "# robots.txt asks for it" in text
    assert "# a hint that: breaks\n" in text
    assert "# 12 articles id: evil\n" in text


def test_what_a_person_says_comes_before_what_was_found() -> None:
    draft = draft_source(PROPOSAL, source_id="g", looked_at=NOON, name="Mine", delay_seconds=0.0, network="private")
    source = check_draft(draft)
    assert (source.name, source.politeness.delay_seconds, source.network) == ("Mine", 0, "private")


@pytest.mark.parametrize(
    ("url", "source_id"),
    [
        ("https://www.gazette.example/", "gazette"),
        ("https://news.gazette.co.uk/", "news-gazette"),
        ("https://english.gazette.example/", "english-gazette"),
        ("https://com.example/", "com"),
        ("http://localhost:8000/", "localhost-8000"),
        ("http://127.0.0.1:8080/", "127-0-0-1-8080"),
        ("http://[::1]/", "1"),
        ("https://xn--gzette-3nf.example/", "xn--gzette-3nf"),
        (f"https://{'a' * 63}.{'b' * 60}.example/", "a" * 63),
    ],
)
def test_an_id_comes_from_the_host(url: str, source_id: str) -> None:
    assert make_id(url) == source_id
    assert ID_PATTERN.fullmatch(source_id)
