"""Why a page's text is what it is: every reason is named, every selector names its element, and nothing is changed."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from config.errors import ExtractError
from config.rules import ExtractRules, LearnedRules
from config.selectors import check_selector
from crawler.explanation import decode_explanation, encode_explanation
from crawler.extract import explain_article, extract_article
from crawler.extract.explain import MAX_PASSAGES
from crawler.extract.naming import Namer
from crawler.extract.page.parsing import parse_page
from crawler.extract.page.rules import select
from crawler.model import Exchange, PageClass, Purpose
from crawler.outcome import PageContext
from crawler.workers.batch import explain_pages
from crawler.workers.task import explain_page
from jobs.cli.explaining import iterate_json_lines, print_explanation

if TYPE_CHECKING:
    from crawler.explanation import Explanation, Passage

SITE = Path(__file__).parents[1] / "site"
PAGES = sorted([*(SITE / "versions").glob("*.html"), *(SITE / "hosts").rglob("index.html")])
GIVEN: dict[str, Any] = {
    "url": "https://gazette.example/news/library",
    "status": 200,
    "captured_at": datetime(2026, 11, 22, tzinfo=UTC),
    "timezone": "Europe/Berlin",
    "language": None,
}
TITLE = "The council keeps the old library open"
FIRST = "The council voted on Tuesday to keep the old library open, after a debate of more than four hours."
SECOND = "Members of three parties said that the building, which dates from 1911, could be repaired within a year."
THIRD = "The mayor, who had wanted to sell it, said she would respect the vote and publish the costs in March."
META = f'<meta property="og:type" content="article"><meta property="og:title" content="{TITLE} | The Gazette">'
LINK = '<a href="/news/other">A bridge in the north is closed for repairs until May</a>'


def page(inner: str, *, around: str = "", head: str = META) -> str:
    story = f'<div class="story-text"><p>{FIRST}</p>{inner}<p>{SECOND}</p><p>{THIRD}</p></div>'
    return (
        f'<!DOCTYPE html><html lang="en"><head>{head}</head><body><main><h1>{TITLE}</h1>{around}{story}</main>'
        "<div class='bottom'><p>The Gazette has been printed in this town since the year 1874, by four families.</p>"
        "</div></body></html>"
    )


def explain(html: str, rules: ExtractRules | None = None, *, whole: bool = False) -> Explanation:
    return explain_article(html, **GIVEN, rules=rules or ExtractRules(), whole=whole)


def find(explanation: Explanation, beginning: str) -> Passage:
    """Return the one passage whose text begins so."""
    found = [passage for passage in explanation.passages if passage.text.startswith(beginning)]
    assert len(found) == 1, [asdict(passage) for passage in explanation.passages]
    return found[0]


def test_what_was_kept_is_in_document_order_with_title_lead_and_subheads() -> None:
    lead = '<p class="standfirst">A long night ends with a narrow vote.</p>'
    found = explain(page("<h2>A narrow vote</h2>", around=lead))
    kept = [(one.reason, one.selector, one.matches, one.text) for one in found.passages if one.kept]
    assert kept == [
        ("title", "h1", 1, TITLE),
        ("lead: named 'standfirst'", "p.standfirst", 1, "A long night ends with a narrow vote."),
        ("", "div.story-text p", 3, FIRST),
        ("subhead", "div.story-text h2", 1, "A narrow vote"),
        ("", "div.story-text p", 3, SECOND),
        ("", "div.story-text p", 3, THIRD),
    ]
    assert (found.page_class, found.container, found.has_text) == (PageClass.ARTICLE, "div.story-text", True)
    assert [(one.name, one.origin) for one in found.statements[:2]] == [
        ("title", "visible"),
        ("lead", "named 'standfirst'"),
    ]


@pytest.mark.parametrize(
    ("box", "beginning", "reason", "selector"),
    [
        ('<div class="wide promo"><p>Try us for a month.</p></div>', "Try", "furniture: named 'promo'", "div.promo"),
        ('<p id="x" class="credits">Photo: A. Reader</p>', "Photo", "furniture: named 'credits'", "p#x"),
        (f'<div class="most-read">{LINK}</div>', "A bridge", "related: named 'most-read'", "div.most-read"),
        (f"<div><b>Read also</b> {LINK}</div>", "Read also", "related: begins with 'Read also'", "div.story-text div"),
        (
            f"<section><h3>{LINK}</h3><p>Drivers take the long way.</p></section>",
            "A bridge",
            "related: a teaser",
            "section",
        ),
        (f"<ul>{f'<li>{LINK}</li>' * 2}</ul>", "A bridge", "links", "ul"),
        ("<aside><p>All about the library.</p></aside>", "All about", "a tag: <aside>", "aside"),
        ('<div role="search">Find a book</div>', "Find", "role search", 'div[role="search"]'),
        ("<figure><p>The hall</p></figure>", "The hall", "a figure", "figure"),
        ('<div class="comments">Nobody asked me.</div>', "Nobody", "comments: named 'comments'", "div.comments"),
        ('<div class="cookie-banner">We set some.</div>', "We set", "consent: named 'cookie-banner'", "banner"),
        ('<p style="display:none">An old version.</p>', "An old", "hidden: by style", "div.story-text p"),
        ("<div><input> Your address</div>", "Your address", "a box with controls", "div.story-text div"),
        ("<p>Advertisement</p>", "Advertisement", "a line of furniture", "div.story-text p"),
        ('<p class="fKzqWB">Advertisement</p>', "Advertisement", "a line of furniture", "div.story-text p"),
        ("<p>Related news:</p>", "Related news", "the label of a box", "div.story-text p"),
        ("<p>* * *</p>", "* * *", "no letter or digit", "div.story-text p"),
        ("<p>© The Gazette 2026</p>", "©", "a copyright line", "div.story-text p"),
        (f"<p>{LINK}</p>", "A bridge", "a link as a whole", "div.story-text p"),
        (f"<p>{TITLE}</p>", TITLE, "the headline again", "div.story-text p"),
    ],
)
def test_each_box_and_line_that_was_dropped_says_why(box: str, beginning: str, reason: str, selector: str) -> None:
    found = [one for one in explain(page(box)).passages if one.text.startswith(beginning) and one.reason != "title"]
    assert [(one.kept, one.reason) for one in found] == [(False, reason)]
    assert selector in found[0].selector


def test_what_was_trimmed_at_head_and_tail_says_why() -> None:
    html = (
        f"<body><article><p>From our own correspondent</p><h1>{TITLE}</h1><p>By Ada Reader</p>"
        f"<p>{FIRST}</p><p>{SECOND}</p><p>{THIRD}</p><h3>More of this town</h3></article></body>"
    )
    found = explain(html)
    reasons = {one.text: one.reason for one in found.passages if not one.kept}
    assert reasons == {
        "From our own correspondent": "above the headline",
        "By Ada Reader": "trimmed at the head: a date, a byline or a short item",
        "More of this town": "a heading that heads nothing",
    }


def test_a_box_is_one_line_with_its_size_and_the_place_where_it_stands() -> None:
    box = f'<div class="related"><h4>Read also</h4><ul>{f"<li>{LINK}</li>" * 3}</ul></div>'
    found = explain(page(box))
    boxed = find(found, "Read also")
    assert (boxed.elements, boxed.chars) == (9, 9 + 3 * 53)
    texts = [one.text for one in found.passages]
    assert texts.index(FIRST) + 1 == texts.index(boxed.text) == texts.index(SECOND) - 1


def test_each_rule_is_named_where_it_took_effect_and_counted() -> None:
    rules = ExtractRules(
        remove=[".nothing", ".gone"],
        related=".more",
        lead=".about",
        title="main > h1",
        learned=LearnedRules(remove=[".strip"]),
    )
    inner = "<p class=gone>Ask the editor.</p><div class=more>More at seven.</div><div class=strip>Week 47.</div>"
    found = explain(page(inner, around="<p class=about>A long night.</p>"), rules)
    assert find(found, "Ask").reason == "rule extract.remove[2]: .gone"
    assert find(found, "More at").reason == "rule extract.related: .more"
    assert find(found, "Week").reason == "rule extract.learned.remove[1]: .strip"
    assert find(found, "A long night").reason == "lead: rule extract.lead"
    assert {(one.key, one.matches) for one in found.rules} == {
        ("extract.remove[1]", 0),
        ("extract.remove[2]", 1),
        ("extract.related", 1),
        ("extract.lead", 1),
        ("extract.title", 1),
        ("extract.learned.remove[1]", 1),
    }
    assert [one.origin for one in found.statements[:2]] == ["rule extract.title", "rule extract.lead"]


def test_an_included_element_and_what_is_left_outside_of_it() -> None:
    around = "<div class='box'><p>The weather will be fine in all parts.</p></div>"
    found = explain(page("", around=around), ExtractRules(include=[".story-text"]))
    assert found.container_reason.startswith("rule extract.include[1]: .story-text; holds ")
    assert find(found, "The weather").reason == "outside of the body's element"
    assert (find(found, "The weather").selector, find(found, FIRST).kept) == ("div.box", True)


def test_a_long_part_outside_of_the_body_is_opened() -> None:
    story = "".join(f"<p>Paragraph {number}: {SECOND} {THIRD}</p>" for number in range(5))
    found = explain(page("", around=f"<div class='other'>{story}</div>"), ExtractRules(include=[".story-text"]))
    outside = [one for one in found.passages if one.reason == "outside of the body's element"]
    assert [one.text[:12] for one in outside] == [f"Paragraph {number}:" for number in range(5)]
    assert {one.selector for one in outside} == {"div.other p"}


def test_the_rest_of_the_page_is_shown_on_demand() -> None:
    part, whole = explain(page("")), explain(page(""), whole=True)
    assert not any("printed in this town" in one.text for one in part.passages)
    assert any("--all shows them" in note for note in part.notes)
    assert find(whole, "The Gazette has").reason == "outside of the body's element"
    assert not whole.notes


def test_a_page_without_text_and_one_that_others_read_say_so() -> None:
    gone = explain((SITE / "versions" / "gone.html").read_text("utf-8"))
    assert (gone.has_text, gone.page_class) == (False, PageClass.SOFT_404)
    assert gone.notes[0].startswith("no text is taken of a page of class soft-404")
    script = json.dumps({"@type": "NewsArticle", "headline": TITLE, "articleBody": f"{FIRST}\n{SECOND}\n{THIRD}"})
    empty = f"<head><script type='application/ld+json'>{script}</script></head><body><h1>{TITLE}</h1></body>"
    assert any("are from its JSON-LD or scripts" in note for note in explain(empty).notes)


@pytest.mark.slow
def test_a_page_that_trafilatura_took_over_says_so() -> None:
    shown = "<p>The mayor says that books are here. <a href='/x'>one long text of a link after the other</a></p>"
    hidden = f"<dialog>{f'<p>{FIRST} {SECOND}</p>' * 4}</dialog>"
    html = f'<head><meta property="og:type" content="article"></head><body><div>{shown}</div>{hidden}</body>'
    article = extract_article(html, **GIVEN, rules=ExtractRules())
    found = explain(html)
    assert article.confidence == found.confidence < 0.35
    assert any(f"trafilatura took over: the text is its {len(article.blocks)} blocks" in note for note in found.notes)


@pytest.mark.slow
def test_trafilatura_does_not_bring_back_what_a_learned_rule_took_out() -> None:
    shown = "<p>The mayor says that books are here. <a href='/x'>one long text of a link after the other</a></p>"
    box = f"<div class='kiosk'><p>{THIRD}</p></div>"
    hidden = f"<dialog>{box}{f'<p>{FIRST} {SECOND}</p>' * 4}</dialog>"
    html = f'<head><meta property="og:type" content="article"></head><body><div>{shown}</div>{hidden}</body>'
    assert THIRD in extract_article(html, **GIVEN, rules=ExtractRules()).blocks
    rules = ExtractRules(learned=LearnedRules(remove=["div.kiosk"]))
    blocks = extract_article(html, **GIVEN, rules=rules).blocks
    assert THIRD not in blocks
    assert f"{FIRST} {SECOND}" in blocks


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(SITE)))
def test_it_says_what_the_extractor_did(path: Path) -> None:
    """The kept blocks are the article's, in order; asking changes nothing; every selector is one for a rule."""
    html = path.read_text("utf-8")
    before = extract_article(html, **GIVEN, rules=ExtractRules())
    found = explain(html, whole=True)
    assert extract_article(html, **GIVEN, rules=ExtractRules()) == before
    assert (found.page_class, found.class_reason, found.confidence) == (
        before.page_class,
        before.class_reason,
        before.confidence,
    )
    blocks = [one.text.rstrip("…") for one in found.passages if one.kept and one.reason in {"", "subhead"}]
    if before.blocks and before.page_class is not PageClass.GALLERY:
        assert len(blocks) == len(before.blocks)
        assert all(
            " ".join(whole.split()).startswith(block) for whole, block in zip(before.blocks, blocks, strict=True)
        )
    parsed = parse_page(html)
    for one in found.passages:
        check_selector(one.selector)
        assert one.matches == len(select(parsed, [one.selector])) > 0


def test_every_selector_names_its_element() -> None:
    names = (
        'class="a:b md:w-1/2 story"', 'class="x{y}"', 'id="post-12345" class="post"', 'id="7up"', 'id="a b"',
        'class="css-1x2y3z4"', 'class="Body_text__x7Ga2 Body"', 'role="note"', 'data-testid="pull &quot; quote"',
        'class="é"', 'class="-"', 'class="--x"', 'class="sc-aXZVg"', 'data-component="Byline"', "class", "id=''",
    )  # fmt: skip
    inner = "".join(f"<section {name}><o:p>{name}</o:p><my-box>x</my-box></section>" for name in names)
    parsed = parse_page(f"<body><div class='row'>{inner}</div><p>{'<div>' * 420}deep")
    namer = Namer(parsed)
    for element in parsed.body.walk():
        selector = namer.name(element)
        check_selector(selector)
        assert element in select(parsed, [selector]), (selector, element)
    found = {namer.name(element) for element in parsed.body.walk() if element.tag == "section"}
    wanted = {"section.story", "section.post", "section.Body", "div.row section"}
    assert found == wanted | {'section[role="note"]', 'section[data-component="Byline"]'}


def test_the_class_that_counted_comes_before_rarer_ones() -> None:
    found = explain(page('<div class="box-left promo lila">Try us.</div><div class="promo">Now.</div>'))
    assert (find(found, "Try us").selector, find(found, "Try us").matches) == ("div.promo", 2)


def test_a_page_of_very_many_blocks_is_cut_and_says_so() -> None:
    inner = "".join(f"<div><p class='{'abc'[n % 3]}{'klm'[n // 3 % 3]}n'>{n} {SECOND}</p></div>" for n in range(2_500))
    found = explain(page(inner))
    assert len(found.passages) == MAX_PASSAGES
    assert any(note.endswith("more blocks are not shown") for note in found.notes)


def test_too_many_selectors_are_not_counted() -> None:
    names = [f"{a}{b}{c}x" for a in "abcdefghij" for b in "abcdefghij" for c in "abcdefghij"]
    inner = "".join(f"<p class='{name}'>{SECOND}</p><i></i><i></i><i></i><i></i><i></i>" for name in names)
    counts = {one.matches for one in explain(page(inner)).passages}
    assert {1, None} <= counts


def exchange_of(body: bytes, media_type: str = "text/html; charset=utf-8") -> Exchange:
    return Exchange(
        url=GIVEN["url"],
        purpose=Purpose.ARTICLE,
        started_at=GIVEN["captured_at"],
        seconds=0.1,
        request_head=b"",
        status=200,
        response_head=f"HTTP/1.1 200 OK\r\nContent-Type: {media_type}\r\n\r\n".encode(),
        body=body,
    )


@pytest.mark.parametrize(
    ("exchange", "reason"),
    [
        (exchange_of(b""), "the body is empty"),
        (exchange_of(b"%PDF", "application/pdf"), "application/pdf is no web page"),
        (exchange_of(b"\x7fELF" + bytes(99)), "this is no HTML"),
        (exchange_of(b"<p>x" * 60_000), "page: more than"),
    ],
)
def test_a_page_that_cannot_be_read_says_why(exchange: Exchange, reason: str) -> None:
    context = PageContext(ExtractRules(), timezone=None, language=None, derivation="")
    found = explain_page(exchange, context, whole=False)
    assert (found.page_class, found.passages) == (PageClass.ERROR, ())
    assert reason in (found.error or "")


@pytest.mark.slow
def test_a_worker_says_the_same_and_one_that_is_killed_is_no_loss() -> None:
    context = PageContext(ExtractRules(remove=["aside"]), timezone=None, language=None, derivation="")
    good = exchange_of(page("<aside>x</aside>").encode())
    slow = exchange_of(b"".join(b"<p class='date-%d info' id=n%d>some text" % (n, n) for n in range(50_000)))
    found = explain_pages(
        [(good, context), (slow, context), (good, context)],
        whole=True,
        count=1,
        deadline_seconds=60,
        memory_bytes=1 << 30,
        cpu_seconds=0.3,
    )
    first, killed, last = found
    assert first == last == explain_page(good, context, whole=True)
    assert killed.error == killed.class_reason == "time-out: more than 0.3 s of CPU time"


def test_it_goes_through_the_pipe_whole_and_nothing_else_does() -> None:
    found = explain(page("<aside>x</aside>"), ExtractRules(remove=[".x"]), whole=True)
    data = json.loads(json.dumps(encode_explanation(found)))
    assert decode_explanation(data) == found
    for key, value in (("page_class", "gossip"), ("passages", [{"kept": True}]), ("notes", 7)):
        with pytest.raises(ExtractError, match="no explanation"):
            decode_explanation({**data, key: value})


ESCAPES = "\x1b[31mred\x1b]0;title\x07\x9b2J\u202e\u2066over"


def test_what_a_page_says_does_not_steer_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    inner = f'<p title="x">{ESCAPES} {SECOND}</p><div class="promo {ESCAPES}">{ESCAPES}</div>'
    head = f'<meta name="author" content="{ESCAPES}"><meta property="og:type" content="article">'
    found = explain(page(inner, head=head), whole=True)
    assert any("\x1b" in one.text for one in found.passages)
    print_explanation(f"{ESCAPES}.html", found, as_json=False)
    lines = list(iterate_json_lines(f"{ESCAPES}.html", found))
    for line in [*capsys.readouterr().out.splitlines(), *lines]:
        assert line.isprintable(), repr(line)
    rows = [json.loads(line) for line in lines]
    assert [row["text"] for row in rows[1:]] == [one.text for one in found.passages]
    assert (rows[0]["kind"], rows[0]["file"]) == ("article", f"{ESCAPES}.html")


def test_a_lead_that_a_property_names_is_not_called_unnamed() -> None:
    lead = "A vote after four hours of debate saves the building, and nobody is surprised."
    found = explain(page(f"<p>{THIRD} {SECOND}</p>" * 4, around=f"<p itemprop='description'>{lead}</p>"))
    assert [one.origin for one in found.statements if one.name == "lead"] == ["named 'description'"]
