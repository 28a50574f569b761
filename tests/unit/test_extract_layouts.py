"""Layouts in which an article's text is easily lost, or a stranger's taken for it."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime

import pytest

from config.rules import ExtractRules
from crawler.extract import extract_article
from crawler.model import Article, PageClass

SENTENCE = "The council of Fernmoor met on Monday to speak about the bridge, and heard from those who cross it daily."
PARAGRAPHS = "".join(f"<p>{SENTENCE} It was the meeting of week {number}.</p>" for number in range(7))


def read(body: str, head: str = "", *, stated: str | None = "The bridge of Fernmoor") -> Article:
    title = f"<title>{stated}</title>" if stated else ""
    return extract_article(
        f"<html><head>{title}{head}</head><body>{body}</body></html>",
        url="https://gazette.example/2026/bridge",
        status=200,
        captured_at=datetime(2026, 11, 26, tzinfo=UTC),
        timezone=None,
        language=None,
        rules=ExtractRules(),
    )


@pytest.mark.parametrize(
    ("following", "kept"),
    [
        (
            "<div>"
            + "".join(f"<p>“It is late, and it is dear,” said neighbour {number}.</p>" for number in range(8))
            + "</div>",
            "said neighbour 7",
        ),
        (
            "<section><h2>Method</h2><ol>"
            + "".join(f"<li>Take plank {number} and lay it down by the one before.</li>" for number in range(5))
            + "</ol></section>",
            "Take plank 4",
        ),
        (
            "<div class=interview>"
            + "".join(
                f"<p>Why week {number}?</p><p>Because it rained, as anyone could see for miles.</p>"
                for number in range(8)
            )
            + "</div>",
            "Why week 7?",
        ),
        (f"<div class=b><h2>What now</h2><p>{SENTENCE} {SENTENCE}</p></div>", "What now"),
        (f"<div class=part2><div>{SENTENCE} Again.</div><div>{SENTENCE} And again.</div></div>", "And again."),
        (f"<div class=card><h3>The mayor</h3><div>{SENTENCE} So she said.</div></div>", "So she said."),
    ],
)
def test_what_goes_on_behind_the_longest_part_stays(following: str, kept: str) -> None:
    article = read(f"<article><h1>The bridge of Fernmoor</h1><div class=a>{PARAGRAPHS}</div>{following}</article>")
    assert kept in "\n".join(article.blocks)
    assert len(article.blocks) > 7


def test_links_and_crumbs_behind_the_text_go() -> None:
    links = "".join(
        f"<div class=x{number}><a href=/{number}>News of week {number}</a> today</div>" for number in range(4)
    )
    tail = f"<div class=more><div>PRINT SPONSOR</div><div>FEATURES</div>{links}<div>A word from us</div></div>"
    article = read(f"<article><h1>The bridge of Fernmoor</h1><div class=a>{PARAGRAPHS}</div>{tail}</article>")
    assert len(article.blocks) == 7


def test_a_wrapper_that_is_named_a_gallery_is_the_article_all_the_same() -> None:
    figures = "<figure><img src=/a.jpg></figure>" * 3
    body = f"<h1>The bridge of Fernmoor</h1><div class='post format-gallery'>{PARAGRAPHS}{figures}</div>"
    notice = "<div class=disclaimer>" + "<p>What is said here is said without any warranty at all, by anybody.</p>" * 12
    assert SENTENCE in "\n".join(read(body + notice + "</div>").blocks)


def test_chapters_in_articles_of_their_own_are_one_story() -> None:
    chapters = "".join(
        f"<article><h1>Chapter {number}</h1><p>{SENTENCE}</p>{PARAGRAPHS}</article>" for number in (2, 3, 4)
    )
    text = f"<main><article><h1>The bridge of Fernmoor</h1><p>{SENTENCE * 6}</p></article>{chapters}</main>"
    assert "Chapter 3" in read(text).blocks


def test_two_articles_in_a_row_are_two() -> None:
    other = PARAGRAPHS.replace("bridge", "ferry")
    text = f"<article><h1>The bridge of Fernmoor</h1>{PARAGRAPHS}</article><article><h1>The ferry</h1>{other}</article>"
    assert not any("ferry" in block for block in read(f"<main>{text}</main>").blocks)


SAYS_ARTICLE = '<meta property="og:type" content="article">'


def test_a_text_that_only_a_script_holds_is_read() -> None:
    script = f"<script>window.state = {json.dumps({'html': PARAGRAPHS})}</script>"
    article = read(f"<div id=root></div>{script}", SAYS_ARTICLE)
    assert (article.page_class, len(article.blocks)) == (PageClass.ARTICLE, 7)


@pytest.mark.parametrize("head", ["", SAYS_ARTICLE])
def test_a_notice_in_a_script_is_no_text(head: str) -> None:
    notice = "<p>We use cookies and other trackers. Accept all, or see your choices in the privacy settings.</p>" * 5
    article = read(f"<div id=root></div><script>var banner = {json.dumps(notice)}</script>", head)
    assert article.blocks == ()


def test_signs_in_a_stated_text_are_no_tags() -> None:
    stated = {"@type": "NewsArticle", "headline": "The bridge", "articleBody": f"If a<b then x. {SENTENCE}\n" * 3}
    article = read("<div id=root></div>", f'<script type="application/ld+json">{json.dumps(stated)}</script>')
    assert [block[:15] for block in article.blocks] == ["If a<b then x. "] * 3


@pytest.mark.parametrize(
    "script",
    [
        '\\"' * 400_000,
        '"' + '\\"' * 400_000,
        json.dumps("<p>" + "<div>" * 90_000),
        json.dumps("<p>" + "<b c=i>" * 2_000 + "<p>x" * 4_000),
        ",".join([json.dumps("<p>word " * 7_000)] * 50),
    ],
)
def test_hostile_scripts_cost_little(script: str) -> None:
    started = time.process_time()
    read(f"<div id=root></div><script>{script}</script>", SAYS_ARTICLE)
    assert time.process_time() - started < 2


def test_a_text_in_several_parts_with_h1_as_subheads_is_one() -> None:
    first = f"<h1>The bridge of Fernmoor</h1>{PARAGRAPHS}<h1>How it was built</h1><p>{SENTENCE} By hand.</p>"
    parts = "".join(
        f"<div class=part><div><h1>Part {number} of the matter</h1><p>{SENTENCE} In part {number}.</p></div></div>"
        for number in range(2, 5)
    )
    text = "\n".join(read(f"<section><div class=part><div>{first}</div></div>{parts}</section>").blocks)
    assert "By hand." in text
    assert "In part 4." in text


def test_the_terms_in_a_form_are_no_article_however_long() -> None:
    terms = "".join(
        f"<p>Clause {number}: what is sent to us is ours to keep, and yours to lose, whatever may come of it.</p>"
        for number in range(60)
    )
    form = f"<form action=/join><input name=mail><div class=terms>{terms}</div></form>"
    text = "\n".join(read(f"<div><h1>The bridge of Fernmoor</h1><div>{PARAGRAPHS}</div></div><div>{form}</div>").blocks)
    assert SENTENCE in text
    assert "Clause" not in text


def test_a_page_that_is_one_form_keeps_its_text() -> None:
    body = f"<form id=aspnet><input type=hidden><h1>The bridge of Fernmoor</h1><div>{PARAGRAPHS}</div></form>"
    assert SENTENCE in "\n".join(read(body).blocks)


def test_a_list_of_headlines_that_are_links_goes_with_the_words_before_them() -> None:
    items = "".join(
        f"<li><strong>{matter}:</strong> <a href=/{matter}>The {matter} of Harrowdale is not what it was</a></li>"
        for matter in ("weather", "market")
    )
    text = "\n".join(read(f"<h1>The bridge of Fernmoor</h1><div>{PARAGRAPHS}<ul>{items}</ul>{PARAGRAPHS}</div>").blocks)
    assert SENTENCE in text
    assert "Harrowdale" not in text


def test_a_list_of_sentences_with_links_stays() -> None:
    items = "".join(
        f"<li>The plank of {name}, which <a href=/{name}>the smith of {name} has measured</a>, is too short.</li>"
        for name in ("Fernmoor", "Harrowdale")
    )
    text = "\n".join(read(f"<h1>The bridge of Fernmoor</h1><div>{PARAGRAPHS}<ul>{items}</ul>{PARAGRAPHS}</div>").blocks)
    assert "The plank of Harrowdale" in text


STANDFIRST = "After eleven years the people of Fernmoor walk over the river again."


@pytest.mark.parametrize(
    "standfirst",
    [
        f"<p class='x_lead_9f2'>{STANDFIRST}</p><p class='x_lead_9f2'>The mayor went first, in her boots.</p>",
        f"<div class='q7'><span>Fernmoor.</span> <span>{STANDFIRST} The mayor went first, in her boots.</span></div>",
    ],
)
def test_a_standfirst_is_read_whole_and_without_a_name(standfirst: str) -> None:
    head = f"<header><h1>The bridge of Fernmoor</h1>{standfirst}<figure><img src=/a.jpg></figure></header>"
    article = read(f"<main>{head}<div class=article-body>{PARAGRAPHS}</div></main>")
    assert article.lead is not None
    assert STANDFIRST in article.lead
    assert article.lead.endswith("in her boots.")


@pytest.mark.parametrize(
    "between",
    [
        "<p>By Ada Moor, in Fernmoor, for the Gazette of the valley and of the moor</p>",
        "<p><a href=/a>All that we have written on the bridges of the valley, and of the moor.</a></p>",
        "<figure><figcaption>The bridge, as it was seen from the mill on Monday, in the rain.</figcaption></figure>",
    ],
)
def test_what_stands_by_the_headline_and_is_no_sentence_is_no_lead(between: str) -> None:
    body = f"<main><header><h1>The bridge of Fernmoor</h1>{between}</header><div>{PARAGRAPHS}</div></main>"
    assert read(body).lead is None


@pytest.mark.parametrize("title", ["Мост закрыт", "旧桥关闭", "Bridge shut"])
def test_a_short_headline_is_one_where_nothing_else_is_stated(title: str) -> None:
    article = read(f"<a href='/'>Gazette</a><article><h1>{title}</h1>{PARAGRAPHS}</article>", stated=None)
    assert (article.title, article.page_class) == (title, PageClass.ARTICLE)


def test_a_short_name_of_the_site_is_no_headline() -> None:
    article = read(f"<h1><a href='/'>Gazette</a></h1><article>{PARAGRAPHS}</article>")
    assert article.title == "The bridge of Fernmoor"
