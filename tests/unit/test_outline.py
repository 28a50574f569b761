"""A page's lines with the elements that hold them, and the rules that were learned, on real pages of HTML."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from config.errors import ConfigError, ExtractError
from config.rules import ExtractRules, LearnedRules
from crawler.extract import check_rules
from crawler.extract.outline import is_stable_name
from crawler.model import Exchange, Outline, PageClass, Purpose
from crawler.outcome import PageContext, decode_outline, encode_outline
from crawler.workers.batch import run_outlines
from crawler.workers.task import outline_page, process_page

TITLE = "The old bridge will be built anew"
PROSE = "".join(
    f"<p>The council met on day {day} and agreed that the bridge will be built at last.</p>" for day in range(9)
)
PAGE = f"""<html><body><nav class="top-menu"><a href="/">Home</a></nav>
<div class="story css-1x9ab2c"><h1>{TITLE}</h1>{PROSE}<div class="kiosk wide" id="kiosk-7731" data-n="4">
<p>The harbour choir sings on Sunday, and everyone in town may come.</p></div>
<p>See too: <a href="/2">The ferry stops for the winter</a></p>
<ul><li>Ferry: <a href="/2">The ferry stops for the winter</a></li></ul>
<p>Follow us everywhere and never miss a story.</p></div></body></html>"""


def exchange_of(html: str) -> Exchange:
    return Exchange(
        url="https://gazette.example/2026/bridge",
        purpose=Purpose.ARTICLE,
        started_at=datetime(2026, 11, 22, 3, 45, tzinfo=UTC),
        seconds=0.1,
        request_head=b"",
        status=200,
        response_head=b"HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\n\r\n",
        body=html.encode(),
    )


def context_of(rules: ExtractRules | None = None) -> PageContext:
    return PageContext(rules or ExtractRules(), timezone=None, language=None, derivation="sha256:0", record=False)


def names_of(page: Outline, beginning: str) -> list[str]:
    (line,) = [one for one in page.lines if one.line.startswith(beginning)]
    return [page.names[name] for name in line.names]


def text_of(html: str, rules: ExtractRules) -> str:
    outcome = process_page(exchange_of(html), context_of(rules))
    assert outcome.snapshot is not None, outcome
    return outcome.snapshot.text


def test_lines_have_the_names_of_the_boxes_around_them() -> None:
    page = outline_page(exchange_of(PAGE), context_of())
    assert page.page_class is PageClass.ARTICLE
    assert names_of(page, "The harbour choir") == ["div.kiosk.wide", "div.kiosk", "div.wide"]
    assert names_of(page, "Follow us") == []  # a plain paragraph in the element that holds the article
    assert names_of(page, "Ferry:") == ["div.story > ul"]
    assert names_of(page, "Home") == ["nav.top-menu"]


def test_lines_are_in_the_text_or_not() -> None:
    page = outline_page(exchange_of(PAGE), context_of())
    kept = {one.line: one for one in page.lines}
    assert kept[TITLE].head
    assert kept["The harbour choir sings on Sunday, and everyone in town may come."].kept
    assert not kept["Home"].kept
    assert kept["See too: The ferry stops for the winter"].label == "See too:"
    assert not any(one.label for one in page.lines if one.line.startswith(("Follow", "The council")))
    assert page.text[0] == TITLE
    assert page.missed == 0


@pytest.mark.parametrize("name", ["kiosk", "related-box", "storyFooter", "box_2", "c-card__title", "p_1", "h2"])
def test_names_that_a_person_gave(name: str) -> None:
    assert is_stable_name(name)


@pytest.mark.parametrize(
    "name",
    [
        "css-1x9ab2c",
        "css-kqwzrt",
        "sc-bdVaJa",
        "astro-abcdef",
        "fKzqWB",
        "kiosk-7731",
        "a1b2c3",
        "x:y",
        "",
        "é",
        "w" * 80,
        "a b",
    ],
)
def test_names_that_a_build_or_a_visit_made(name: str) -> None:
    assert not is_stable_name(name)


def test_learned_rules_take_out_what_they_name() -> None:
    plain = text_of(PAGE, ExtractRules())
    assert "harbour choir" in plain
    assert "Follow us" in plain
    assert "See too: The ferry" in plain
    learned = LearnedRules(
        remove=["div.kiosk"], lines=["Follow us everywhere and never miss a story."], labels=["See too:"]
    )
    text = text_of(PAGE, ExtractRules(learned=learned))
    gone = ("harbour choir", "Follow us", "See too:")
    assert text.split("\n") == [line for line in plain.split("\n") if not any(word in line for word in gone)]


def test_an_element_that_is_to_go_where_it_holds_links_stays_with_other_text() -> None:
    rules = ExtractRules(learned=LearnedRules(links=["div.story > ol"]))
    link = "<a href='/3'>the ferry stops for the winter, and does not sail again before the ice has gone</a>"
    item = f"<li>What the harbour says of the bay, of the boats and of the cold of winter: {link}</li>"
    more = "<li>Three things were said, of which <a href='/3'>one</a> was new to all who had come to the hall.</li>"
    for items, stays in ((item * 3, False), (more * 3, True)):
        html = PAGE.replace("<p>Follow", f"<ol>{items}</ol><p>Follow")
        words = items[4:25]
        assert words in text_of(html, ExtractRules())
        assert (words in text_of(html, rules)) is stays


def test_a_rule_of_a_person_and_the_headline_come_before_learned_ones() -> None:
    learned = LearnedRules(remove=["div.kiosk", "div.story", "h1"])
    assert text_of(PAGE, ExtractRules(learned=learned)).startswith(f"{TITLE}\nThe council met on day 0")
    chosen = text_of(PAGE, ExtractRules(include=["div.kiosk p", "div.story > p"], learned=LearnedRules(remove=["p"])))
    assert "harbour choir" in chosen


def test_bad_learned_css_is_named() -> None:
    with pytest.raises(ConfigError, match=r"extract\.learned\.remove"):
        check_rules(ExtractRules(learned=LearnedRules(remove=["p:foo(1)"])))


def test_pages_without_text_or_with_too_much_have_no_outline() -> None:
    with pytest.raises(ExtractError):
        outline_page(exchange_of("<html><body><p>Nothing here</p></body></html>"), context_of())
    many = PAGE.replace("<nav", "<ul>" + "<li>An item of a menu" * 4_001 + "</ul><nav")
    with pytest.raises(ExtractError, match="more than 4000 lines"):
        outline_page(exchange_of(many), context_of())


def test_what_a_worker_answers_is_checked() -> None:
    page = outline_page(exchange_of(PAGE), context_of())
    assert decode_outline(encode_outline(page)) == page
    for key, value in {"names": [], "lines": [{}], "page_class": "novel", "text": 5}.items():
        with pytest.raises(ExtractError, match="a worker's answer"):
            decode_outline(json.dumps({**json.loads(encode_outline(page)), key: value}).encode())


@pytest.mark.slow
def test_workers_outline_pages_in_order_and_go_on_after_one_that_kills() -> None:
    slow = "<html><body><h1>T</h1>" + "".join(f"<p class='date-{n} info' id=n{n}>some text" for n in range(50_000))
    pages = [exchange_of(html) for html in (PAGE, slow, PAGE)]
    found = list(
        run_outlines(
            ((page, context_of()) for page in pages),
            count=1,
            deadline_seconds=20,
            memory_bytes=1 << 30,
            cpu_seconds=0.3,
        )
    )
    assert found[0] == found[2] == outline_page(pages[0], context_of())
    assert isinstance(found[1], ExtractError)


def test_a_learned_element_that_holds_the_article_stays() -> None:
    html = f"<html><body><h1>{TITLE}</h1><div class='note'>{PROSE}</div></body></html>"
    plain = text_of(html, ExtractRules())
    assert plain.count("The council met") == 9
    assert text_of(html, ExtractRules(learned=LearnedRules(remove=["div.note"]))) == plain


def test_a_learned_short_line_goes_at_the_ends_of_a_text_only() -> None:
    ask = "<p>Will it be built before the winter comes?</p><p>Yes.</p><p>The money for it is there, she says.</p>"
    html = PAGE.replace("<p>Follow", f"{ask}<p>Follow").replace("a story.</p>", "a story.</p><p>Yes.</p><p>Print</p>")
    learned = LearnedRules(lines=["Yes.", "Print", "Follow us everywhere and never miss a story."])
    text = text_of(html, ExtractRules(learned=learned)).split("\n")
    assert text[-3:] == ["Will it be built before the winter comes?", "Yes.", "The money for it is there, she says."]
