"""Corrections wherever they stand, boxes of facts, and what says that an article must be paid for."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from config.rules import ExtractRules
from crawler.extract import extract_article

if TYPE_CHECKING:
    from crawler.model import Article

TEXT = "<p>The council voted on Tuesday to keep the old library open, after a debate of more than four hours.</p>" * 3


def read(body: str, *, head: str = "") -> Article:
    return extract_article(
        f"<head>{head}</head><body><article><h1>The old library stays open</h1>{body}</article></body>",
        url="https://gazette.example/politics/library",
        status=200,
        captured_at=datetime(2026, 11, 22, tzinfo=UTC),
        timezone=None,
        language=None,
        rules=ExtractRules(),
    )


def ld(**values: object) -> str:
    return f'<script type="application/ld+json">{json.dumps({"@type": "NewsArticle", **values})}</script>'


NOTES = [
    "Correction: The debate took four hours, not five.",
    "Correction (May 3): The debate took four hours, not five.",
    "CLARIFICATION — The debate took four hours, not five.",
    "[For the record, 1:04 p.m. May 3: The debate took four hours.]",
    "An earlier version of this article said that the debate took five hours.",
    "This article was amended on 3 May 2026 to say that the debate took four hours.",
    "This story has been corrected to say how long the debate took.",
    "Editor’s note: The mayor’s name was misspelt at first.",
    "Korrektur: In der ersten Fassung stand, die Debatte habe fünf Stunden gedauert.",
    "In einer früheren Version dieses Artikels hieß es, die Debatte habe fünf Stunden gedauert.",
    "Anmerkung der Redaktion: Der Name des Bürgermeisters wurde berichtigt.",
    "Rectificatif : le débat a duré quatre heures et non cinq.",
    "Une version précédente de cet article disait que le débat avait duré cinq heures.",
    "Fe de errores: el debate duró cuatro horas y no cinco, como se dijo.",
    "Una versión anterior de este artículo decía que el debate duró cinco horas.",
    "Errata corrige: il dibattito è durato quattro ore e non cinque.",
    "Correção: o debate durou quatro horas, e não cinco.",
    "In een eerdere versie van dit artikel stond dat het debat vijf uur duurde.",
    "Rättelse: debatten varade i fyra timmar, inte fem.",
    "I en tidligere versjon av saken sto det at debatten varte i fem timer.",
    "Oikaisu: väittely kesti neljä tuntia, ei viittä.",
    "Sprostowanie: debata trwała cztery godziny, nie pięć.",
    "सुधार: बहस पाँच नहीं, चार घंटे चली थी।",
    "इस ख़बर के पिछले संस्करण में बहस पाँच घंटे की बताई गई थी।",
    "সংশোধন: বিতর্কটি পাঁচ নয়, চার ঘণ্টা চলেছিল।",
    "תיקון: הדיון נמשך ארבע שעות ולא חמש, כפי שנכתב.",
    "แก้ไข: การอภิปรายใช้เวลาสี่ชั่วโมง ไม่ใช่ห้าชั่วโมง",
    "Düzeltme: Tartışma beş değil dört saat sürdü.",
    "Уточнение: дебаты длились четыре часа, а не пять.",
    "В предыдущей версии статьи говорилось, что дебаты длились пять часов.",
    "تصحيح: استمر النقاش أربع ساعات وليس خمس ساعات.",
    "訂正：討論は五時間ではなく四時間でした。おわびします。",
    "更正：辩论持续了四个小时，而不是五个小时，特此说明，并向读者致歉。",
]


@pytest.mark.parametrize("note", NOTES)
@pytest.mark.parametrize(
    "shape", ["<p>{}</p>", "<p><em>{}</em></p>", "<aside><p>{}</p></aside>", "<footer>{}</footer>"]
)
@pytest.mark.parametrize("first", [True, False])
def test_corrections_are_found_wherever_they_stand(note: str, shape: str, *, first: bool) -> None:
    box = shape.format(note)
    article = read(box + TEXT if first else TEXT + box)
    assert article.fields["corrections"].value == [note]


def test_a_correction_that_is_a_paragraph_of_the_text_stays_in_it_and_one_in_a_box_does_not() -> None:
    note = NOTES[0]
    assert note in read(f"{TEXT}<p>{note}</p>").blocks
    assert note not in read(f"{TEXT}<aside><p>{note}</p></aside>").blocks


@pytest.mark.parametrize(
    "note",
    [
        "Correction: The debate took four hours, not five.",
        "The debate took four hours, and not five as was said here on Tuesday.",
        "Sudan ta' żball: id-dibattitu dam erba' sigħat.",
    ],
)
@pytest.mark.parametrize(
    "box",
    [
        '<div class="correction"><p>{}</p></div>',
        '<div class="article__corrections">{}</div>',
        '<section id="editors-note"><h4>Note</h4><p>{}</p></section>',
        '<div class="Article-correctionBox"><ul><li>{}</li></ul></div>',
    ],
)
def test_a_box_that_is_named_a_correction_is_one_whatever_it_says(box: str, note: str) -> None:
    article = read(TEXT + box.format(note))
    assert note not in "\n".join(article.blocks)
    assert [text.removeprefix("Note ") for text in article.fields["corrections"].value] == [note]


def test_a_paragraph_that_is_named_a_correction_stays() -> None:
    article = read(f'{TEXT}<p class="correction">{NOTES[0]}</p>')
    assert NOTES[0] in article.blocks
    assert article.fields["corrections"].value == [NOTES[0]]


@pytest.mark.parametrize(
    "box",
    [
        "<div><p><strong>Correction:</strong> The debate took four hours, not five.</p></div>",
        "<div><strong>Correction:</strong><p>The debate took four hours, not five.</p></div>",
        "<div><h4>Correction:</h4><p>The debate took four hours, not five.</p></div>",
    ],
)
def test_a_label_and_its_text_are_one_correction(box: str) -> None:
    assert read(TEXT + box).fields["corrections"].value == ["Correction: The debate took four hours, not five."]


@pytest.mark.parametrize(
    "line",
    [
        "Correction facilities in the county are full, the council heard on Tuesday.",
        "Corrections officers voted on Tuesday to keep their club open for another year.",
        "The mayor said that an earlier version of this law had been better for all.",
        "Clarifications were asked for by the council, and given after four hours of debate.",
        "Note that the library is closed on Mondays, as it has been for many years.",
    ],
)
def test_sentences_that_begin_like_it_are_no_corrections(line: str) -> None:
    assert "corrections" not in read(f"{TEXT}<p>{line}</p>").fields


def test_corrections_of_readers_and_of_other_articles_are_theirs() -> None:
    comment = f'<section id="comments"><p>{NOTES[0]}</p></section>'
    related = f'<div class="related"><p>{NOTES[0]}</p><a href="/2">The ferry stops in winter</a></div>'
    assert "corrections" not in read(TEXT + comment + related).fields


def test_json_ld_may_state_the_correction() -> None:
    head = ld(correction={"@type": "CorrectionComment", "text": "The debate took four hours."})
    found = read(TEXT, head=head).fields["corrections"]
    assert (found.value, found.origin) == (["The debate took four hours."], "json-ld")


FACTS = "The library was built in 1911. It holds 40,000 books. It was closed twice, in 1944 and in 1987, for repairs."


@pytest.mark.parametrize(
    "box",
    [
        f"<aside><h3>The library</h3><p>{FACTS}</p></aside>",
        f'<div class="widget infobox"><h4>The library</h4><p>{FACTS}</p></div>',
        f"<details><summary>The library</summary><p>{FACTS}</p></details>",
    ],
)
def test_boxes_of_facts_are_a_field_and_no_text(box: str) -> None:
    article = read(TEXT + box + TEXT)
    assert article.fields["fact_boxes"].value == [{"title": "The library", "text": FACTS}]
    assert not any("1911" in block for block in article.blocks)


@pytest.mark.parametrize(
    "box",
    [
        f'<aside class="related"><h3>The library</h3><p>{FACTS}</p></aside>',
        f"<aside><h3>Our newsletter</h3><p>{FACTS}</p><form><input><button>Go</button></form></aside>",
        f'<aside class="author-bio byline"><h3>Ana One</h3><p>{FACTS}</p></aside>',
        f"<aside><p>{FACTS}</p></aside>",
    ],
)
def test_other_boxes_hold_no_facts(box: str) -> None:
    assert "fact_boxes" not in read(TEXT + box + TEXT).fields


@pytest.mark.parametrize(
    ("head", "access", "origin"),
    [
        (ld(isAccessibleForFree=True), "free", "json-ld"),
        (ld(isAccessibleForFree="False"), "paid", "json-ld"),
        (ld(hasPart={"isAccessibleForFree": False, "cssSelector": ".wall"}), "paid", "json-ld"),
        (ld(hasPart=[{"isAccessibleForFree": "False", "cssSelector": ".wall"}]), "paid", "json-ld"),
        ('<meta property="article:content_tier" content="metered">', "metered", "meta"),
        ('<meta property="article:content_tier" content="locked">', "paid", "meta"),
        ('<meta itemprop="isAccessibleForFree" content="false">', "paid", "meta"),
    ],
)
def test_access_as_stated(head: str, access: str, origin: str) -> None:
    found = read(TEXT, head=head).fields["access"]
    assert (found.value, found.origin) == (access, origin)


def test_a_wall_on_the_page_says_paid_where_nothing_is_stated() -> None:
    wall = '<div class="paywall"><p>This article is for subscribers. Subscribe to continue reading.</p></div>'
    found = read(TEXT + wall).fields["access"]
    assert (found.value, found.origin) == ("paid", "visible")
    assert read(TEXT + wall, head=ld(isAccessibleForFree=True)).fields["access"].value == "free"
    assert "access" not in read(TEXT).fields


@pytest.mark.parametrize("label", ["<h3>Correction</h3>", "<p><b>Berichtigung</b></p>", "<div>Fe de errores</div>"])
def test_a_label_without_a_colon_heads_the_note_in_its_box(label: str) -> None:
    article = read(f"{TEXT}<aside>{label}<p>The debate took four hours, and not five.</p></aside>")
    assert len(article.fields["corrections"].value) == 1
    assert article.fields["corrections"].value[0].endswith(" The debate took four hours, and not five.")


def test_an_article_that_such_a_word_heads_is_no_note() -> None:
    assert "corrections" not in read(f"<h2>Correction</h2>{TEXT}").fields
