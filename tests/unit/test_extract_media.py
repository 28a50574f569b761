"""Pictures with caption and credit, each apart, however a page marks them up."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from config.rules import ExtractRules
from crawler.extract import extract_article
from crawler.extract.fields.media import find_credit
from crawler.extract.fields.targets import resolve
from crawler.model import FieldValue

TEXT = "<p>The council voted on Tuesday to keep the old library open, after a debate of more than four hours.</p>" * 3


def fields_of(body: str, *, head: str = "") -> dict[str, FieldValue]:
    return extract_article(
        f"<head>{head}</head><body><article><h1>The old library stays open</h1>{body}{TEXT}</article></body>",
        url="https://gazette.example/politics/library",
        status=200,
        captured_at=datetime(2026, 11, 22, tzinfo=UTC),
        timezone=None,
        language=None,
        rules=ExtractRules(),
    ).fields


def image_of(body: str) -> dict[str, Any]:
    images: list[dict[str, Any]] = fields_of(body)["images"].value
    assert len(images) == 1
    return images[0]


@pytest.mark.parametrize(
    "body",
    [
        (
            '<figure><img src="/a.jpg"><figcaption>The roof <span class="credit">Photo: A. Writer'
            "</span></figcaption></figure>"
        ),
        '<figure><img src="/a.jpg"><figcaption>The roof</figcaption><small>A. Writer</small></figure>',
        '<figure><img src="/a.jpg"><figcaption>The roof <small>© A. Writer</small></figcaption></figure>',
        (
            '<figure><img data-src="/a.jpg" src="data:image/gif;base64,AA"><figcaption><p>The roof</p>'
            '<p itemprop="copyrightHolder">A. Writer</p></figcaption></figure>'
        ),
        (
            '<figure><amp-img src="/a.jpg"></amp-img><figcaption>The roof '
            '<i class="Image__photographer">A. Writer</i></figcaption>'
            "</figure>"
        ),
        '<figure data-x="1"><img src="/a.jpg" data-credit="A. Writer"><figcaption>The roof</figcaption></figure>',
        (
            '<div class="picture"><a><img src="/a.jpg"></a><div class="caption">The roof '
            '<span class="copyright">A. Writer</span></div></div>'
        ),
        (
            '<div><div class="wrap"><picture><source srcset="/a-1.webp 1x">'
            '<img srcset="/b.jpg 300w, /a.jpg 900w"></picture></div>'
            '<p class="wp-caption-text">The roof <span class="bildquelle">Bild: A. Writer</span></p></div>'
        ),
        '<div><img src="/a.jpg" data-caption="The roof" data-copyright="A. Writer"></div>',
    ],
)
def test_caption_and_credit_stand_apart(body: str) -> None:
    image = image_of(body)
    assert image["url"] == "https://gazette.example/a.jpg"
    assert (image["caption"], image["credit"]) == ("The roof", "A. Writer")


def test_a_credit_in_the_words_of_the_caption_stays_there_and_is_given_too() -> None:
    image = image_of('<figure><img src="/a.jpg"><figcaption>The roof in May (AP)</figcaption></figure>')
    assert (image["caption"], image["credit"]) == ("The roof in May (AP)", "AP")


@pytest.mark.parametrize(
    ("caption", "credit"),
    [
        ("The roof (AP)", "AP"),
        ("The roof. Photo: A. Writer", "A. Writer"),
        ("The roof © Agency", "Agency"),
        ("The town in many pictures. Photo: A. Writer", "A. Writer"),
        ("Photographers wait by the roof on Monday", None),
        ("The imagery of the old roof in winter", None),
        ("The roof. Photo AP", "AP"),
        ("The roof. Photos by A. Writer", "A. Writer"),
        ("Photo: The roof. Credit: A. Writer", "A. Writer"),
        ("Il tetto (Foto Ansa)", "Foto Ansa"),
        ("The mayor takes a picture by the old mill", None),
        ("The roof", None),
    ],
)
def test_credits(caption: str, credit: str | None) -> None:
    assert find_credit(caption) == credit


def test_the_lead_picture_has_its_caption_from_the_figure_that_shows_it_in_another_size() -> None:
    head = '<meta property="og:image" content="https://media.example/roof-1200x630.jpg">'
    body = '<figure><img src="https://media.example/roof-800x420.jpg"><figcaption>The roof (AP)</figcaption></figure>'
    image = fields_of(body, head=head)["image"]
    assert image.value == {
        "url": "https://media.example/roof-1200x630.jpg",
        "caption": "The roof (AP)",
        "credit": "AP",
    }
    other = '<figure><img src="https://media.example/door.jpg"><figcaption>The door</figcaption></figure>'
    assert fields_of(other, head=head)["image"].value == {"url": "https://media.example/roof-1200x630.jpg"}
    assert (image.confidence or 0) > (fields_of(other, head=head)["image"].confidence or 1)


def test_the_lead_picture_of_json_ld_brings_its_own_caption_and_credit() -> None:
    stated = {"url": "/a.jpg", "caption": "The roof", "creditText": "A. Writer"}
    head = f'<script type="application/ld+json">{json.dumps({"@type": "NewsArticle", "image": [stated]})}</script>'
    assert fields_of("", head=head)["image"] == FieldValue(
        {"url": "https://gazette.example/a.jpg", "caption": "The roof", "credit": "A. Writer"}, "json-ld"
    )


def test_pictures_of_other_articles_are_not_this_ones() -> None:
    teaser = (
        '<div class="related"><figure><img src="/b.jpg"><figcaption>A ferry</figcaption></figure>'
        '<a href="/2">The ferry stops in winter</a></div>'
    )
    assert "images" not in fields_of(teaser)


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        ("/a.jpg", "https://gazette.example/a.jpg"),
        (" //media.example/a.jpg ", "https://media.example/a.jpg"),
        ("../a.jpg?w=1", "https://gazette.example/a.jpg?w=1"),
        ("HTTPS://media.example/a", "https://media.example/a"),
        ("https://media.example/a?b=c#d", "https://media.example/a?b=c#d"),
        ("data:image/gif;base64,AA", None),
        ("javascript:void(0)", None),
        ("http://[", None),
        ("x" * 30_000, None),
        ("", None),
        (None, None),
    ],
)
def test_addresses(target: str | None, expected: str | None) -> None:
    assert resolve("https://gazette.example/politics/library", target) == expected


@pytest.mark.parametrize(
    "credit",
    [
        "Fot. Maciej Duda",
        "Фото: Maciej Duda",
        "تصوير: Maciej Duda",
        "फ़ोटो: Maciej Duda",
        "फोटो: Maciej Duda",
        "撮影・Maciej Duda",
        "사진: Maciej Duda",
        "Foto: Maciej Duda",
    ],
)
def test_the_word_before_a_credit_is_no_part_of_it(credit: str) -> None:
    image = image_of(
        f'<figure><img src="/a.jpg"><figcaption>The roof <i class="credit">{credit}</i></figcaption></figure>'
    )
    assert (image["caption"], image["credit"]) == ("The roof", "Maciej Duda")
    assert find_credit(f"The roof. {credit}") == "Maciej Duda"
