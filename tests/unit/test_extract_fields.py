"""Fields beside the text and where each came from."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from config.rules import ExtractRules
from crawler.extract import extract_article
from crawler.extract.fields import find_credit, split_names
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


@pytest.mark.parametrize("script", ["{", "3", "null", '"x"', "[" * 100_000, '{"@type": 3, "author": 4}', "{}" * 9])
def test_json_ld_that_is_none_is_passed_over(script: str) -> None:
    fields = fields_of(f'<script type="application/ld+json">{script}</script><meta name="author" content="Ana One">')
    assert fields["authors"] == FieldValue(["Ana One"], "meta")


def test_names() -> None:
    assert split_names(["By Ana One and Ben Two", "ana one", "https://gazette.example/ana", "@ana"]) == [
        "Ana One",
        "Ben Two",
    ]
    assert split_names(["Ursula von der Leyen", "Di Marzio"]) == ["Ursula von der Leyen", "Di Marzio"]
    assert split_names(["Von Ana One"], shown=True) == ["Ana One"]


@pytest.mark.parametrize(
    ("caption", "credit"),
    [
        ("The roof (AP)", "AP"),
        ("The roof. Photo: A. Writer", "A. Writer"),
        ("The roof © Agency", "Agency"),
        ("The roof", None),
    ],
)
def test_credits(caption: str, credit: str | None) -> None:
    assert find_credit(caption) == credit


def test_language_from_page_then_locale_then_source() -> None:
    assert fields_of('<meta property="og:locale" content="de_AT">', language="fr")["language"] == FieldValue(
        "de-at", "meta"
    )
    assert fields_of(language="fr")["language"] == FieldValue("fr", "guess")


def test_a_date_ahead_of_the_capture_is_not_believed() -> None:
    fields = fields_of(ld(datePublished="2031-01-01T00:00:00Z") + '<meta name="date" content="2026-03-05T08:00:00">')
    assert fields["published"] == FieldValue("2026-03-05T08:00:00+01:00", "meta", "Europe/Berlin")


def test_addresses_that_are_none_harm_nothing() -> None:
    fields = fields_of(
        '<link rel="canonical" href="http://[::1">', '<a href="http://[">x</a><img src="http://[" alt="">'
    )
    assert "canonical_url" not in fields
