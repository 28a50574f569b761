"""What is refused before a parser sees it, and what must not be."""

from __future__ import annotations

import random
import tracemalloc

import pytest
from selectolax.lexbor import LexborDocumentOptions, LexborHTMLParser

from crawler.nesting import Nesting
from crawler.prescan import MAX_DEPTH, MAX_PAGE_BYTES, prescan

DEEP = "elements open at byte"
REFUSED = {
    "nested divs": ("<div>" * 100_000, DEEP),
    "stray end tags between": ("<div></x>" * 10_000, DEEP),
    "unknown elements": ("".join(f"<x{n}>" for n in range(5_000)), DEEP),
    "end tags in quotes": ("<div title='</div>'>" * 5_000, DEEP),
    "end tags in comments": ("<div><!--</div>-->" * 5_000, DEEP),
    "end tags in bogus comments": ("<div><?</div><!</div></!</div>" * 5_000, DEEP),
    "end tags that a table keeps in": ("<div><table></div></table>" * 5_000, DEEP),
    "end tags that a cell keeps in": ("<div><table><tr><td></div></table>" * 5_000, DEEP),
    "end tags that a block keeps in": ("<span><div></span></div>" * 5_000, DEEP),
    "end tags that SVG keeps in": ("<div><svg><desc></div></svg>" * 5_000, DEEP),
    "end tags in a CDATA section of SVG": ("<svg><g><![CDATA[</g></svg>]]>" * 5_000, DEEP),
    "end tags in a script in a script": ("<div><script><!--<script></script></div>--></script>" * 5_000, DEEP),
    "styles of SVG, which are markup": ("<svg><style><g>" * 5_000, DEEP),
    "self-closed divs, which are not": ("<div/>" * 5_000, DEEP),
    "self-closed divs in SVG's HTML": ("<svg><desc>" + "<div/>" * 5_000, DEEP),
    "divs in cells": ("<table><tr><td><div>" * 5_000, DEEP),
    "formatting in paragraphs": ("".join(f"<p><b id={n}>" for n in range(5_000)), "formatting elements open"),
    "upper case": ("<P><FONT>" * 5_000, "formatting elements open"),
    "formatting that each paragraph opens anew": ("<p>" + "<b>" * 390 + "<p>x" * 5_000, "opened anew"),
    "attributes": ("<div " + " ".join(f"a{n}" for n in range(20_000)) + ">", "attributes"),
    "attributes parted by slashes": ("<div/" + "/".join(f"a{n}" for n in range(20_000)) + ">", "attributes"),
    "attributes parted by nothing": ("<div " + "".join(f"a{n}='1'" for n in range(20_000)) + ">", "attributes"),
    "attributes with marks in them": ("<div " + " ".join(f"a{n}<" for n in range(20_000)) + ">", "attributes"),
    "attributes of many bodies": ("".join(f"<body a{n}>" for n in range(20_000)), "attributes"),
    "tags": ("<br>" * 200_001, "more than 200000 tags"),
    "a long page": ("x" * (MAX_PAGE_BYTES + 1), f"page: {MAX_PAGE_BYTES + 1} bytes, at most {MAX_PAGE_BYTES} are read"),
    "texts between a table's comments": ("<table>" + ("x" * 1_000 + "<!---->") * 2_000, "bytes to copy of text"),
    "end tags with far to look": ("<x>" * 400 + "<dt></dt>" * 10_000, "open elements to look through"),
}
PASSED = {
    "nothing": "",
    "text": "5 < 6 & 7 > 3 " * 100_000,
    "a long list without end tags": "<ul>" + "<li>one" * 50_000,
    "a long table without end tags": "<table>" + "<tr><td>one<td>two" * 20_000,
    "paragraphs without end tags": "<p>one" * 50_000,
    "paragraphs in spans without end tags": "<p><span>one" * 20_000,
    "definitions without end tags": "<dl>" + "<dt>one<dd>two" * 20_000,
    "options without end tags": "<select>" + "<option>one" * 20_000,
    "headings without end tags": "<h2>one" * 5_000,
    "buttons without end tags": "<button>one" * 5_000,
    "links without end tags": "<a href=/x>one " * 5_000,
    "fonts without end tags in cells": "<table>" + "<tr><td><font color=red>one</td></tr>" * 20_000,
    "many closed elements": "<div><b class=x>one</b></div>" * 20_000,
    "elements that SVG closes": "<svg><g><path d='M0 0'/><use href=#x /></g></svg>" * 10_000,
    "SVG that is never closed": "<svg><path d='M0 0'><p>one</p>" * 400,
    "tags in a script": "<script>" + "'<div><b>'" * 10_000 + "</script>",
    "tags in a comment": "<!--" + "<div><b>" * 10_000 + "-->",
    "tags in a text area": "<textarea>" + "<div><b>" * 10_000 + "</textarea>" + "<p>one" * 3_000,
    "a picture in an attribute": '<img src="data:image/png;base64,' + "QUJD" * 100_000 + '">',
    "a long style": '<div style="' + "color: red; " * 1_000 + '">',
    "data in an attribute": '<div data-videos="[' + "{&quot;a b&quot;: &quot;c/d&quot;} " * 20_000 + '">',
    "a page of many pages": "<html><body class=a><p>one</p></body></html>" * 200,
    "comments in a table": "<table>" + "<!-- row -->\n<tr><td>one</td></tr>\n" * 10_000 + "</table>",
}


@pytest.mark.parametrize(("page", "reason"), REFUSED.values(), ids=REFUSED)
def test_what_parsers_crawl_on_is_refused(page: str, reason: str) -> None:
    assert reason in (prescan(page.encode()) or "")


@pytest.mark.parametrize("page", PASSED.values(), ids=PASSED)
def test_what_people_write_is_not(page: str) -> None:
    assert prescan(page.encode()) is None


def test_the_reason_says_what_was_found_where_and_the_limit() -> None:
    reason = prescan(("<p>one" * 2_000 + "<div>" * 2_000).encode())
    assert reason == f"page: more than {MAX_DEPTH} elements open at byte {6 * 2_000 + 5 * MAX_DEPTH}"


NAMES = (
    *("div", "span", "p", "a", "b", "i", "font", "table", "tr", "td", "th", "tbody", "caption", "ul", "li", "dl", "dd"),
    *("dt", "h1", "h2", "select", "option", "button", "form", "svg", "g", "path", "math", "mi", "desc", "object"),
    *("foreignObject", "ruby", "rb", "rt", "nobr", "section", "x-y", "noscript", "br", "img", "optgroup", "address"),
)


def write_soup(seed: int) -> list[tuple[str, bool]]:
    """Names and whether each is an end tag: a short piece of nonsense, again and again."""
    choose = random.Random(seed)
    few = choose.sample(NAMES, choose.randint(2, 8))
    return [(name, choose.random() < 0.45) for name in choose.choices(few, k=choose.randint(2, 10))] * 100


def measure_tree(html: str) -> int:
    deepest, stack = 0, [(LexborHTMLParser(html, options=LexborDocumentOptions.WO_EVENTS).root, 1)]
    while stack:
        node, depth = stack.pop()
        while node is not None:
            deepest = max(deepest, depth if node.is_element_node else 0)
            if node.first_child is not None:
                stack.append((node.first_child, depth + 1))
            node = node.next
    return deepest


def test_nonsense_is_nested_as_the_parser_nests_it() -> None:
    fooled = []
    for seed in range(400):
        soup, nesting, found = write_soup(seed), Nesting(), 0
        for name, is_end in soup:
            lower = name.lower().encode()
            nesting.close(lower) if is_end else nesting.open(lower, empty=False)
            found = max(found, len(nesting.stack), nesting.formatting, nesting.reopened // 50)
        tree = measure_tree("<body>" + "".join(f"</{name}>" if is_end else f"<{name}>" for name, is_end in soup))
        if tree > 3 * found + 20:
            fooled.append((seed, tree, found))
    assert len(fooled) <= 4, fooled


@pytest.mark.parametrize("sign", ["<", "<a", "</", "<!"])
def test_signs_by_the_million_are_not_taken_apart_all_at_once(sign: str) -> None:
    page = sign.encode() * 1_000_000
    tracemalloc.start()
    prescan(page)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 8 * len(page) + 2_000_000  # 97 MB, and 1 GB for a page of the greatest size
