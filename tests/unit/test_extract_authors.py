"""Who is credited: people, agencies and roles, each apart."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from config.rules import ExtractRules
from crawler.extract import extract_article
from crawler.extract.fields.credits import Credit, is_agency, read_credits
from crawler.model import FieldValue

TEXT = "<p>The council voted on Tuesday to keep the old library open, after a debate of more than four hours.</p>" * 3


def fields_of(head: str = "", body: str = "", *, after: str = "", rule: str | None = None) -> dict[str, FieldValue]:
    return extract_article(
        f"<head>{head}</head><body><article><h1>The old library stays open</h1>{body}{TEXT}</article>{after}</body>",
        url="https://www.gazette.example/politics/library",
        status=200,
        captured_at=datetime(2026, 11, 22, tzinfo=UTC),
        timezone=None,
        language=None,
        rules=ExtractRules(authors=rule),
    ).fields


def ld(**values: object) -> str:
    return f'<script type="application/ld+json">{json.dumps({"@type": "NewsArticle", **values})}</script>'


def names(found: list[Credit], *, agencies: bool = False) -> list[str]:
    return [credit.name for credit in found if credit.agency is agencies]


@pytest.mark.parametrize(
    ("text", "people", "agencies"),
    [
        ("By Ana One and Ben Two", ["Ana One", "Ben Two"], []),
        ("Von Ana One, dpa", ["Ana One"], ["dpa"]),
        ("Ana One/AP", ["Ana One"], ["AP"]),
        ("dpa/lno", [], ["dpa/lno"]),
        ("AFP, Manila", [], ["AFP"]),
        ("By Ana One, Reuters Staff", ["Ana One"], ["Reuters Staff"]),
        ("Redaktion 1. November 2023 10:29", [], ["Redaktion"]),
        ("Ana One (ano)", ["Ana One"], []),
        ("Ana One (AFP)", ["Ana One"], ["AFP"]),
        ("Posted on May 3, 2026 by Ana One", ["Ana One"], []),
        ("Ana One - Apr 16, 2015 8:02 pm UTC", ["Ana One"], []),
        ("By |Ana One| and |Ben Two|", ["Ana One", "Ben Two"], []),
        ("Ana One for The Gazette", ["Ana One"], []),
        ("Ana One, MD", ["Ana One"], []),
        ("Par Ana One et Ben Two (avec AFP)", ["Ana One", "Ben Two"], ["AFP"]),
        ("Por Ana Uno y Ben Dos, agencias", ["Ana Uno", "Ben Dos"], ["agencias"]),
        ("بقلم أحمد علي، رويترز", ["أحمد علي"], ["رويترز"]),
        ("作者：王小明", ["王小明"], []),
        ("https://gazette.example/ana | ana@gazette.example | Alle Beiträge", [], []),
    ],
)
def test_names_in_bylines(text: str, people: list[str], agencies: list[str]) -> None:
    found = read_credits([text], shown=True)
    assert (names(found), names(found, agencies=True)) == (people, agencies)


def test_von_and_di_are_parts_of_names_where_no_byline_says_otherwise() -> None:
    assert names(read_credits(["Ursula von der Leyen", "Di Marzio"])) == ["Ursula von der Leyen", "Di Marzio"]
    assert names(read_credits(["Von Ana One"], shown=True)) == ["Ana One"]
    assert names(read_credits(["Wordsworth Bystander", "Avery Textor"], shown=True)) == [
        "Wordsworth Bystander",
        "Avery Textor",
    ]


def test_each_name_stands_once_however_it_is_written() -> None:
    assert names(read_credits(["By Ana One", "ANA ONE", "ana-one"])) == ["Ana One"]


@pytest.mark.parametrize(
    ("text", "roles"),
    [
        ("Ana One, Political correspondent", [("Ana One", "Political correspondent", True)]),
        ("Political correspondent Ana One", [("Ana One", "Political correspondent", True)]),
        ("By Ana One; photographs by Cy Three", [("Ana One", None, True), ("Cy Three", "photographs", False)]),
        ("Text: Ana One, Fotos: Cy Three", [("Ana One", None, True), ("Cy Three", "Fotos", False)]),
        ("Ana One|Edited by| Ben Two", [("Ana One", None, True), ("Ben Two", "Edited", False)]),
        ("신현주 기자", [("신현주", "기자", True)]),
        (
            "Ana One, fakulteto profesorius, Lrt.lt",
            [("Ana One", "fakulteto profesorius", True), ("Lrt.lt", None, True)],
        ),
    ],
)
def test_roles_in_bylines(text: str, roles: list[tuple[str, str | None, bool]]) -> None:
    assert [(credit.name, credit.role, credit.wrote) for credit in read_credits([text], shown=True)] == roles


@pytest.mark.parametrize(
    "name",
    ["Reuters", "AP", "dpa", "SID", "新华社", "Gazette Newsroom", "Web Desk", "BR24 Redaktion", "mbl.is", "وكالات"],
)
def test_agencies(name: str) -> None:
    assert is_agency(name)


@pytest.mark.parametrize("name", ["Sid", "Ana One", "Efe Kaya", "J.R. Stone", "Stafford Newsome", "אנה אחת"])
def test_people_are_no_agencies(name: str) -> None:
    assert not is_agency(name)


def test_a_name_of_the_site_is_no_person() -> None:
    fields = fields_of('<meta property="og:site_name" content="The Gazette"><meta name="author" content="The Gazette">')
    assert fields["authors"] == FieldValue(["The Gazette"], "meta")
    assert fields["agencies"] == FieldValue(["The Gazette"], "meta")


def test_people_stand_in_authors_and_agencies_apart() -> None:
    stated = [
        {"@type": "Person", "name": "Ana One", "jobTitle": "Political correspondent"},
        {"@type": "Organization", "name": "Northern Wire"},
        {"@type": "Person", "name": "AP"},
    ]
    fields = fields_of(ld(author=stated, editor={"@type": "Person", "name": "Ed Four"}))
    assert fields["authors"] == FieldValue(["Ana One"], "json-ld")
    assert fields["agencies"] == FieldValue(["Northern Wire", "AP"], "json-ld")
    assert fields["roles"].value == [
        {"name": "Ana One", "role": "Political correspondent"},
        {"name": "Ed Four", "role": "editor"},
    ]


def test_an_agency_alone_is_whom_the_page_credits() -> None:
    fields = fields_of(ld(author={"@type": "Organization", "name": "Reuters"}))
    assert fields["authors"].value == fields["agencies"].value == ["Reuters"]


def test_given_and_family_names_and_references_in_json_ld() -> None:
    assert fields_of(ld(author={"givenName": "Ana", "familyName": "One"}))["authors"].value == ["Ana One"]
    graph = {
        "@graph": [
            {"@type": "Person", "@id": "#a", "name": "Ana One"},
            {"@type": "NewsArticle", "author": {"@id": "#a"}},
        ]
    }
    fields = fields_of(f'<script type="application/ld+json">{json.dumps(graph)}</script>')
    assert fields["authors"].value == ["Ana One"]


def test_a_byline_that_names_people_comes_before_a_newsroom_in_the_metadata() -> None:
    head = ld(author={"@type": "Organization", "name": "Gazette"}, publisher={"name": "Gazette"})
    assert fields_of(head, '<p class="byline">By Ana One</p>')["authors"] == FieldValue(["Ana One"], "visible")
    assert fields_of(head, '<p class="byline">Local news</p>')["authors"] == FieldValue(["Gazette"], "json-ld")


def test_names_in_links_and_beside_each_other_are_several() -> None:
    body = '<div class="byline">By <a href="/a">Ana One</a> <a href="/b">Ben Two</a><span>City reporter</span></div>'
    fields = fields_of("", body)
    assert fields["authors"].value == ["Ana One", "Ben Two"]
    assert fields["roles"].value == [{"name": "Ben Two", "role": "City reporter"}]


def test_who_signs_comments_pictures_and_other_articles_is_no_author() -> None:
    comments = '<section id="comments"><p class="comment-author">Reader Five</p></section>'
    teaser = '<aside class="related"><a href="/2"><span class="author">Other Six</span> writes</a></aside>'
    figure = (
        '<figure><img src="/a.jpg"><figcaption>The roof <span class="author">Cam Seven</span></figcaption></figure>'
    )
    assert "authors" not in fields_of("", figure, after=teaser + comments)
    form = '<form><p class="comment-form-author"><label>Name *</label></p></form>'
    assert "authors" not in fields_of("", "", after=form)


def test_what_other_places_say_makes_authors_more_or_less_sure() -> None:
    head = ld(author="Ana One")
    alone = fields_of(head)["authors"].confidence or 0
    agreed = fields_of(head, '<p class="byline">By Ana One</p>')["authors"].confidence or 0
    denied = fields_of(head, '<p class="byline">By Ben Two</p>')["authors"].confidence or 0
    assert denied < alone < agreed < 1


def test_a_rule_comes_before_everything_even_where_it_names_an_agency() -> None:
    fields = fields_of(ld(author="Ana One"), '<b class="wire">Reuters</b>', rule=".wire")
    assert fields["authors"] == fields["agencies"] == FieldValue(["Reuters"], "rule")
