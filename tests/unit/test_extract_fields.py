"""Fields beside the text and where each came from."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from config.rules import ExtractRules
from crawler.extract import extract_article
from crawler.model import FieldValue

TEXT = "<p>The council voted on Tuesday to keep the old library open, after a debate of more than four hours.</p>" * 2


def fields_of(head: str = "", body: str = "", *, language: str | None = None) -> dict[str, FieldValue]:
    article = extract_article(
        f"<head>{head}</head><body><article><h1>The old library stays open</h1>{body}{TEXT}</article></body>",
        url="https://gazette.example/politics/library",
        status=200,
        captured_at=datetime(2026, 11, 22, tzinfo=UTC),
        timezone="Europe/Berlin",
        language=language,
        rules=ExtractRules(),
    )
    return article.fields


def ld(**values: object) -> str:
    return f'<script type="application/ld+json">{json.dumps({"@type": "NewsArticle", **values})}</script>'


def test_json_ld_comes_before_meta_and_meta_before_what_is_visible() -> None:
    meta = '<meta name="author" content="Meta Author"><meta property="article:section" content="City">'
    body = '<span class="byline">By Visible Author</span>'
    whole = fields_of(ld(author=[{"name": "Ana One"}, {"name": "Ben Two"}], articleSection=["Politics"]) + meta, body)
    assert whole["authors"] == FieldValue(["Ana One", "Ben Two"], "json-ld")
    assert whole["section"] == FieldValue("Politics", "json-ld")
    assert whole["byline"] == FieldValue("By Visible Author", "visible")
    assert fields_of(meta, body)["authors"] == FieldValue(["Meta Author"], "meta")
    assert fields_of("", body)["authors"] == FieldValue(["Visible Author"], "visible")
    assert fields_of()["section"] == FieldValue("politics", "guess")


@pytest.mark.parametrize(
    "script",
    [
        '{"@graph": [{"@type": "WebSite"}, {"@type": ["NewsArticle"], "author": "Ana One"}]}',
        '[{"@type": "https://schema.org/NewsArticle", "author": {"@type": "Person", "name": "Ana One"}}]',
        '<!-- {"@type": "Article", "author": {"name": ["Ana One"]}} -->',
        '{"@type": "Article", "text": "a\nb", "author": "By Ana One",}',
        '{"@type": "WebPage", "mainEntity": {"@type": "Article", "author": "Ana One"}}',
    ],
)
def test_json_ld_of_many_makes(script: str) -> None:
    assert fields_of(f'<script type="application/ld+json">{script}</script>')["authors"].value == ["Ana One"]


def test_headlines_for_engines_and_networks_are_kept_as_they_are_said() -> None:
    found = fields_of('<title>Library\n saved | Gazette</title><meta property="og:title" content="What a vote!">')
    assert found["title_tag"] == FieldValue("Library saved | Gazette", "meta")
    assert found["social_title"] == FieldValue("What a vote!", "meta")
    assert found["title"].value == "The old library stays open"
    assert not fields_of().keys() & {"title_tag", "social_title"}


@pytest.mark.parametrize("script", ["{", "3", "null", '"x"', "[" * 100_000, '{"@type": 3, "author": 4}', "{}" * 9])
def test_json_ld_that_is_none_is_passed_over(script: str) -> None:
    fields = fields_of(f'<script type="application/ld+json">{script}</script><meta name="author" content="Ana One">')
    assert fields["authors"] == FieldValue(["Ana One"], "meta")


def test_a_date_ahead_of_the_capture_is_not_believed() -> None:
    fields = fields_of(ld(datePublished="2031-01-01T00:00:00Z") + '<meta name="date" content="2026-03-05T08:00:00">')
    assert fields["published"] == FieldValue("2026-03-05T08:00:00+01:00", "meta", "Europe/Berlin")


def test_addresses_that_are_none_harm_nothing() -> None:
    fields = fields_of(
        '<link rel="canonical" href="http://[::1">', '<a href="http://[">x</a><img src="http://[" alt="">'
    )
    assert "canonical_url" not in fields


def test_every_field_has_a_confidence_and_a_rule_the_highest() -> None:
    head = ld(author="Ana One", headline="The old library stays open", datePublished="2026-11-20T08:00:00Z")
    fields = fields_of(head + '<meta name="description" content="It does.">')
    assert all(0 < (found.confidence or 0) <= 1 for found in fields.values())
    assert {"title", "authors", "published", "url", "language", "description"} <= set(fields)


def test_statements_that_agree_make_a_field_surer_and_others_less_sure() -> None:
    def title_confidence(head: str) -> float:
        return fields_of(head)["title"].confidence or 0

    alone = title_confidence("")
    agreed = title_confidence('<meta property="og:title" content="The old library stays open">')
    twice = title_confidence(
        ld(headline="The old library stays open") + "<title>The old library stays open | Gazette</title>"
    )
    denied = title_confidence('<meta property="og:title" content="Why we love books: the library stays">')
    assert denied < alone < agreed < twice < 1


def test_times_are_weighed_by_their_other_candidates() -> None:
    stated = ld(datePublished="2026-11-20T08:00:00+01:00")

    def confidence(head: str) -> float:
        return fields_of(stated + head)["published"].confidence or 0

    agreed = confidence('<meta property="article:published_time" content="2026-11-20T07:00:00Z">')
    denied = confidence('<meta property="article:published_time" content="2026-11-19T07:00:00Z">')
    assert denied < confidence("") < agreed


def test_the_lead_is_a_field_with_its_origin() -> None:
    lead = "After four hours of debate the council wants to keep the house."
    fields = fields_of(f'<meta name="description" content="{lead}">', f"<p>{lead}</p>")
    assert fields["lead"] == FieldValue(lead, "visible")
    assert (fields["lead"].confidence or 0) > (fields["url"].confidence or 1)
    assert "lead" not in fields_of()


def test_a_source_is_what_a_line_with_its_label_names() -> None:
    fields = fields_of("", "<ul><li><b>Source:</b> Northern Wire</li></ul>")
    assert (fields["source"].value, fields["source_text"].value) == ("Northern Wire", "Source: Northern Wire")
    assert fields_of("", "<p>Quelle: <a href='/w'>Northern Wire</a></p>")["source"].value == "Northern Wire"
    assert "source" not in fields_of("", "<p>Sources said that the debate took four hours, and then one more.</p>")


def test_tags_come_from_metadata_then_from_links() -> None:
    links = '<p><a rel="tag" href="/t/1">Libraries</a> <a rel="tag" href="/t/2">Council</a></p>'
    assert fields_of("", links)["tags"] == FieldValue(["Libraries", "Council"], "visible")
    assert fields_of('<meta name="keywords" content="books, books, roof">', links)["tags"] == FieldValue(
        ["books", "roof"], "meta"
    )


def test_a_canonical_address_is_made_absolute() -> None:
    assert (
        fields_of('<link rel="canonical" href="/library">')["canonical_url"].value == "https://gazette.example/library"
    )
    assert fields_of('<meta property="og:url" content="//gazette.example/l">')["canonical_url"] == FieldValue(
        "https://gazette.example/l", "meta"
    )


def test_a_page_of_no_address_is_read_all_the_same() -> None:
    article = extract_article(
        "<html><body><h1>The bridge of Fernmoor</h1><p>5 March 2026</p><p>" + "It was a wet day in the valley. " * 20,
        url="",
        status=None,
        captured_at=datetime(2026, 11, 26, tzinfo=UTC),
        timezone=None,
        language=None,
        rules=ExtractRules(),
    )
    assert "url" not in article.fields
    assert article.fields["published"].value == "2026-03-05"
