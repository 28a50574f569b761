"""Which of a page's words are the article: boxes, containers, headings, leads, blocks."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from config.errors import ConfigError, ExtractError
from config.rules import ExtractRules
from crawler.extract import check_rules, extract_article
from crawler.extract.page.parsing import MAX_DEPTH, MAX_ELEMENTS, parse_page
from crawler.normalise import make_snapshot

if TYPE_CHECKING:
    from crawler.model import Article

AT = datetime(2026, 11, 22, tzinfo=UTC)
TITLE = "The council keeps the old library open"
FIRST = "The council voted on Tuesday to keep the old library open, after a debate of more than four hours."
SECOND = "Members of three parties said that the building, which dates from 1911, could be repaired within a year."
THIRD = "The mayor, who had wanted to sell it, said she would respect the vote and publish the costs in March."
BODY = f"<p>{FIRST}</p><p>{SECOND}</p><p>{THIRD}</p>"
META = f'<meta property="og:type" content="article"><meta property="og:title" content="{TITLE} | The Gazette">'


def page(body: str, head: str = META) -> str:
    return f'<!DOCTYPE html><html lang="en"><head>{head}</head><body>{body}</body></html>'


def read(html: str, rules: ExtractRules | None = None, status: int | None = 200) -> Article:
    return extract_article(
        html,
        url="https://gazette.example/news/library",
        status=status,
        captured_at=AT,
        timezone="Europe/Berlin",
        language=None,
        rules=rules or ExtractRules(),
    )


def text_of(html: str, rules: ExtractRules | None = None) -> list[str]:
    return make_snapshot(read(html, rules), "sha256:00").text.split("\n")


WHOLE = [TITLE, FIRST, SECOND, THIRD]
LINK = '<a href="/news/other">A bridge in the north is closed for repairs until May</a>'


@pytest.mark.parametrize(
    "box",
    [
        f'<div class="related-inline"><b>Related</b><ul><li>{LINK}</li></ul></div>',
        f'<div class="c-x1"><h3>Read also</h3><ul><li>{LINK}</li><li>{LINK}</li></ul></div>',
        f"<aside><h4>More on this</h4><p>{LINK}</p></aside>",
        f"<section><article><h3>{LINK}</h3><p>Drivers have to take the long way round.</p></article></section>",
        "<div><h3>The morning letter</h3><p>All the news, every day.</p><form><input><button>Go</button></form></div>",
        "<figure><img src='a.jpg' alt='x'><figcaption>The library in winter (Photo: A. Writer)</figcaption></figure>",
        "<div class='ad-slot'><span>Advertisement</span></div>",
        "<p>ADVERTISEMENT</p>",
        "<div style='display: none'><p>A text that no reader of this page ever gets to see in the browser.</p></div>",
        "<div aria-hidden='true'>A text that no reader of this page ever gets to see in the browser.</div>",
        "<script>document.write('A text by a script, long enough to be taken for a paragraph of prose')</script>",
        "<template><p>A text in a template, long enough to be taken for a paragraph of prose, is none.</p></template>",
        "<noscript><p>Please switch on scripts to see our films, our maps and our games on this page.</p></noscript>",
        f"<p>{LINK}</p>",
    ],
)
def test_a_box_between_the_paragraphs_is_no_text(box: str) -> None:
    html = page(f"<article><h1>{TITLE}</h1><p>{FIRST}</p>{box}<p>{SECOND}</p><p>{THIRD}</p></article>")
    assert text_of(html) == WHOLE


@pytest.mark.parametrize(
    "around",
    [
        "<div class='col'><h1>{title}</h1>{body}</div><aside class='most-read'><h3>Most read</h3>{link}{link}</aside>",
        "<div id='cookie-notice'><p>We use cookies.</p></div><main><h1>{title}</h1><div>{body}</div></main>",
        "<form id='aspnet'><h1>{title}</h1><div>{body}</div></form>",
        "<h1>{title}</h1><div><div>{body}</div></div><div id='comments'><p>I do not agree, and told them so.</p></div>",
        "<table><tr><td><h1>{title}</h1>{body}</td><td><ul><li>{link}</li><li>{link}</li></ul></td></tr></table>",
        "<article class='has-sidebar share-enabled'><h1>{title}</h1>{body}<footer>Follow us</footer></article>",
        "<h1>{title}</h1><div class='paywall-article'>{body}</div>",
    ],
)
def test_the_body_is_found_in_pages_of_many_builds(around: str) -> None:
    assert text_of(page(around.format(title=TITLE, body=BODY, link=LINK))) == WHOLE


def test_a_body_in_several_parts_is_whole() -> None:
    parts = "".join(f"<div class='chunk'><div><p>{text}</p></div></div>" for text in (FIRST, SECOND, THIRD))
    assert text_of(page(f"<div><header><h1>{TITLE}</h1></header>{parts}</div>")) == WHOLE


def test_paragraphs_may_be_parted_by_line_breaks_alone() -> None:
    body = f"{FIRST}<br><br>{SECOND}<br>\n<br>{THIRD}"
    assert text_of(page(f"<div><h1>{TITLE}</h1><div class='t'>{body}</div></div>")) == WHOLE


def test_headings_lists_quotes_and_embedded_posts_are_lines_in_order() -> None:
    post = (
        '<blockquote class="twitter-tweet"><p>The doors stay open. pic.twitter.com/abc</p>&mdash; A. Writer (@writer) '
        '<a href="https://twitter.com/writer/status/1?s=20">March 5, 2026</a></blockquote>'
    )
    inner = (
        f"<p>{FIRST}</p><h2>What comes next</h2><ul><li>New windows</li><li>A new roof</li></ul>{post}<p>{SECOND}</p>"
    )
    article = read(page(f"<article><h1>{TITLE}</h1>{inner}<p>{THIRD}</p></article>"))
    assert [line for block in article.blocks for line in block.split("\n")] == [
        FIRST,
        "What comes next",
        "New windows",
        "A new roof",
        "The doors stay open. pic.twitter.com/abc",
        "— A. Writer (@writer) March 5, 2026",
        SECOND,
        THIRD,
    ]
    assert article.fields["subheads"].value == ["What comes next"]
    assert article.fields["embeds"].value == [
        {
            "platform": "x",
            "text": "The doors stay open. pic.twitter.com/abc",
            "author": "A. Writer",
            "handle": "writer",
            "date_text": "March 5, 2026",
            "date": "2026-03-05",
            "url": "https://twitter.com/writer/status/1",
            "media_link": "pic.twitter.com/abc",
        }
    ]


def test_a_label_before_a_link_is_text() -> None:
    label = '<p><strong>Read next: <a href="/x">A bridge is closed</a></strong></p>'
    article = read(page(f"<article><h1>{TITLE}</h1>{BODY}{label}</article>"))
    assert article.blocks[-1] == "Read next: A bridge is closed"
    assert article.fields["inline_links"].value == [
        {"label": "Read next", "text": "A bridge is closed", "url": "https://gazette.example/x"}
    ]


def test_the_lead_is_found_by_its_name_or_as_the_description() -> None:
    lead = "A vote after four hours of debate saves the building."
    named = page(f'<h1>{TITLE}</h1><p class="article__standfirst">{lead}</p><div class="b">{BODY}</div>')
    described = page(
        f"<h1>{TITLE}</h1><div><p>{lead}</p></div><div class='b'>{BODY}</div>",
        META + f'<meta name="description" content="{lead}">',
    )
    for html in (named, described):
        assert read(html).lead == lead
        assert text_of(html) == [TITLE, lead, FIRST, SECOND, THIRD]


def test_the_visible_headline_comes_before_what_the_page_states() -> None:
    edited = page(f"<article><h1>{TITLE} until 2030</h1>{BODY}</article>")
    assert read(edited).title == f"{TITLE} until 2030"
    assert read(page(f"<h1>The Gazette</h1><article><h2>{TITLE}</h2>{BODY}</article>")).title == TITLE
    assert read(page(f"<article>{BODY}</article>")).title == TITLE


def test_rules_come_before_everything() -> None:
    html = page(
        f"<div><h1>{TITLE}</h1><i class='sub'>Its roof</i><div class='odd'>{BODY}<p class='x'>Buy now.</p></div></div>"
    )
    rules = ExtractRules(include=["div.odd"], remove=["p.x"], title="h1", lead="i.sub", section="i.sub")
    article = read(html, rules)
    assert (article.title, article.lead, article.blocks) == (TITLE, "Its roof", (FIRST, SECOND, THIRD))
    assert (article.fields["section"].value, article.fields["section"].origin) == ("Its roof", "rule")


def test_a_rule_that_is_no_css_is_refused_by_name() -> None:
    with pytest.raises(ConfigError, match=r"extract\.remove\[1\]: found 'p >', expected a CSS selector"):
        check_rules(ExtractRules(remove=["p >"]))


def test_elements_that_html_does_not_know_keep_their_names_from_page_to_page() -> None:
    for number in range(20):  # Lexbor's number of such a tag is one that the next page gives to another
        read_page = parse_page(f"<p>text</p><gazette-{number}>more</gazette-{number}>")
        assert [element.tag for element in read_page.body.walk()] == ["body", "p", f"gazette-{number}"]
        read_page.release()
        del read_page


def test_deep_and_vast_pages_are_bounded() -> None:
    deep = parse_page("<div>" * 5_000 + "text" + "</div>" * 5_000)
    assert max(sum(1 for _ in element.ancestors()) for element in deep.root.walk()) <= MAX_DEPTH
    assert deep.body.text() == "text"
    assert parse_page("<p>" + "<b></b>" * (MAX_ELEMENTS - 10)).size <= MAX_ELEMENTS


@pytest.mark.parametrize(
    ("html", "reason"),
    [
        ("<p>" + "<b></b>" * (MAX_ELEMENTS + 10), f"page: more than {MAX_ELEMENTS} elements"),
        ("a<!---->" * 130_000, "page: more than 250000 elements, texts and comments"),
        (f"<p {' '.join(f'a{n}' for n in range(500))}>" * 210, "page: more than 100000 attributes"),
        (f"<p class='{'a ' * 2_000}'>" * 510, "page: more than 2000000 characters of class names and ids"),
        (("<div>" * 390 + "</div>" * 390) * 50, "page: more than 3000000 levels that its elements lie deep, in all"),
        ("<div>" * 390 + "word " * 120_000, "page: more than 200000000 levels that its characters lie deep, in all"),
    ],
    ids=["elements", "texts", "attributes", "classes", "levels of elements", "levels of texts"],
)
def test_pages_that_would_take_too_long_are_refused_with_the_limit(html: str, reason: str) -> None:
    with pytest.raises(ExtractError) as caught:
        read(html)
    assert str(caught.value) == reason


def test_options_are_not_mirrored_at_a_cost_that_grows_with_their_square() -> None:
    started = time.process_time()
    page = parse_page("<select>" + "<option selected>a" * 20_000 + "</select><p>text")
    assert page.body.text() == "text"
    assert time.process_time() - started < 0.5  # with events 1.3 s, of 60,000 options 11 s


def test_a_sentence_in_an_element_in_another_is_one_lead() -> None:
    lead = "A vote after four hours of debate saves the building, and nobody is surprised."
    html = page(f"<main><h1>{TITLE}</h1><p><span>{lead}</span></p><div class='b'>{BODY * 4}</div></main>")
    assert read(html).lead == lead


def test_a_lead_that_stands_there_for_two_widths_of_screen_is_read_once() -> None:
    lead = "A vote after four hours of debate saves the building, and nobody is surprised."
    twice = f"<p class='lead wide'>{lead}</p><p class='lead narrow'>{lead}</p>"
    assert read(page(f"<main><h1>{TITLE}</h1>{twice}<div class='b'>{BODY * 8}</div></main>")).lead == lead


def test_a_lead_that_a_rule_names_in_the_body_is_not_repeated_there() -> None:
    first, second = "A vote saves the building.", "It comes after four hours of debate."
    kicker = "This is what the members of the council said on their way into the town hall in the evening."
    intro = f"<div class='intro'><p>{first}</p><p>{second}</p></div>"
    html = page(f"<article><h1>{TITLE}</h1><p>{kicker}</p>{intro}{BODY}</article>")
    assert read(html, ExtractRules(lead="div.intro")).lead == f"{first}\n{second}"
    assert text_of(html, ExtractRules(lead="div.intro")) == [TITLE, first, second, kicker, FIRST, SECOND, THIRD]


def test_a_rule_that_calls_all_of_the_body_the_lead_does_not_empty_it() -> None:
    html = page(f"<h1>{TITLE}</h1><div class='b'>{BODY}</div>")
    assert read(html, ExtractRules(lead="div.b")).blocks == (FIRST, SECOND, THIRD)
