"""Which pages a source wants, by what they say of themselves."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from config.sources import Source
from crawler.compare import LastVersion
from crawler.languages import may_be
from crawler.model import FieldValue, Link, PageClass, Snapshot
from crawler.outcome import PageOutcome
from crawler.scope import describe_scope, is_announced_outside, leave_out
from crawler.warc import NOTHING_RECORDED

URL = "https://gazette.example/2026/1"


def make_source(**keys: Any) -> Source:
    given = {"home": "https://gazette.example/", "articles": {"include": ["/2026/", "/sport/"]}, **keys}
    return Source(id="gazette", name="G", discover=[{"feed": "https://gazette.example/feed"}], **given)


def read(**fields: FieldValue) -> PageOutcome:
    snapshot = Snapshot(PageClass.ARTICLE, "", "T", None, "T", "sha256:0", "sha256:1", fields, 0.9)
    return PageOutcome(NOTHING_RECORDED, PageClass.ARTICLE, "an article", snapshot=snapshot, repeatable=True)


def said(value: str, origin: str = "meta", confidence: float | None = None) -> FieldValue:
    return FieldValue(value, origin, confidence=confidence)


@pytest.mark.parametrize(
    ("keys", "fields", "reason"),
    [
        ({}, {"language": said("de")}, None),
        ({"languages": ["en"]}, {}, None),
        ({"languages": ["en"]}, {"language": said("en-us")}, None),
        ({"languages": ["en-GB"]}, {"language": said("en")}, None),
        ({"languages": ["en-GB"]}, {"language": said("en-us")}, "in en-us; wanted languages: en-GB"),
        ({"languages": ["en", "fr"]}, {"language": said("de")}, "in de; wanted languages: en, fr"),
        ({"languages": ["en"]}, {"language": said("de", "guess", 0.5)}, None),
        ({"languages": ["en"]}, {"language": said("de", "guess", 0.95)}, "in de; wanted languages: en"),
        ({"languages": ["no"]}, {"language": said("da", "guess", 0.95)}, None),
        ({"languages": ["no"]}, {"language": said("da")}, "in da; wanted languages: no"),
        ({"sections": ["Science"]}, {}, None),
        ({"sections": ["Science"]}, {"section": said(" SCIENCE ")}, None),
        ({"sections": ["Science"]}, {"section": said("Sport")}, "of section Sport; wanted sections: Science"),
        ({"sections": ["/2026/", "Science"]}, {"section": said("Sport")}, None),
        ({"sections": ["/sport/"]}, {"section": said("Sport")}, "in none of the sections; wanted sections: /sport/"),
        (
            {"sections": ["Science"], "languages": ["en"]},
            {"section": said("Science"), "language": said("de")},
            "in de; wanted sections: Science; languages: en",
        ),
    ],
)
def test_a_page_that_is_not_wanted_has_no_text(
    keys: dict[str, Any], fields: dict[str, FieldValue], reason: str | None
) -> None:
    source, outcome = make_source(**keys), read(**fields)
    last = LastVersion(datetime(2026, 1, 1, tzinfo=UTC), state="none")
    judged = leave_out(source, URL, outcome, last)
    if reason is None:
        assert judged is outcome
    else:
        assert (judged.page_class, judged.class_reason, judged.snapshot) == (PageClass.OUTSIDE, reason, None)
        assert not judged.repeatable
        assert reason.endswith(describe_scope(source))
        assert leave_out(source, URL, outcome, None) == judged
        assert leave_out(source, URL, outcome, replace(last, state="gone")) is outcome


def test_what_has_no_text_is_left_as_it_is() -> None:
    outcome = PageOutcome(NOTHING_RECORDED, PageClass.ERROR, "status 500")
    assert leave_out(make_source(languages=["en"]), URL, outcome, None) is outcome


@pytest.mark.parametrize(("language", "outside"), [(None, False), ("en", False), ("en-us", False), ("de", True)])
def test_what_a_listing_says_of_a_language(language: str | None, *, outside: bool) -> None:
    link = Link(URL, "https://gazette.example/map", language=language)
    assert is_announced_outside(make_source(languages=["en"]), link) is outside
    assert not is_announced_outside(make_source(), link)


@pytest.mark.parametrize(
    ("one", "other", "alike"),
    [
        ("he", "iw", True),
        ("nn", "no", True),
        ("zh-hant", "zh-TW", True),
        ("zh-hant", "zh-Hans", False),
        ("pt", "pt-BR", True),
        ("pt-pt", "pt-BR", False),
        ("pt", "es", False),
    ],
)
def test_tags_that_may_mean_the_same(one: str, other: str, *, alike: bool) -> None:
    assert may_be(one, other) is may_be(other, one) is alike
