"""Pages that were built to keep the extractor busy: none takes more than a part of a worker's two seconds."""

from __future__ import annotations

import json
import math
import time
from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from config.errors import ExtractError
from config.rules import ExtractRules
from crawler.extract import extract_article
from crawler.extract.page.parsing import parse_page
from crawler.prescan import prescan
from tests.meters import scale_seconds

if TYPE_CHECKING:
    from collections.abc import Callable

SECONDS = 1.2
TRIES = 3
"""The least of them counts: another process on the same core makes any of them longer."""
TITLE = "The council keeps the old library open"
PARAGRAPH = f"<p>{'The council of the town met again on Monday and said little of what it had decided. ' * 4}</p>"
STORY = f"<h1>{TITLE}</h1>{PARAGRAPH * 8}"
PAGES: dict[str, Callable[[], str]] = {}


def hostile(build: Callable[[], str]) -> Callable[[], str]:
    PAGES[build.__name__] = build
    return build


def page(body: str, head: str = "") -> str:
    return f"<html lang=en><head><title>{TITLE}</title>{head}</head><body>{body}</body></html>"


def stated(data: object) -> str:
    return page(f"<article>{STORY}</article>", f'<script type="application/ld+json">{json.dumps(data)}</script>')


@hostile
def objects_with_a_date_each() -> str:
    text = ("1/1/1 1 Ja 1 1999/1 2 " * 10)[:200]
    return stated([{"@type": "Thing", "datePublished": f"{text}{number}"} for number in range(5_000)])


@hostile
def a_long_type() -> str:
    return stated({"@type": "/" * 4_000_000, "headline": "x"})


@hostile
def names_of_marks() -> str:
    return stated({"@type": "NewsArticle", "author": [{"name": "<" * 100_000} for _ in range(45)]})


@hostile
def names_in_brackets() -> str:
    name = ("(aaaa redaktio correspondent x 1) " * 270)[:4_000]
    return stated({"@type": "NewsArticle", "author": [{"name": [name] * 12} for _ in range(100)]})


@hostile
def many_authors_in_meta() -> str:
    author = f'<meta name=author content="{("by (xq) 1 and , " * 130)[:1_990]}">'
    return page(f"<article>{STORY}</article>", author * 4_900)


@hostile
def labels_of_corrections() -> str:
    return page(STORY + f"<div><span>Hello there</span>{'<span>oprava: x</span>' * 300}</div>" * 165)


@hostile
def class_names_of_lines() -> str:
    figure = f"<figure><img src=a.jpg><span class='{'_' * 490}'>abc</span></figure>"
    return page(f"<article>{STORY}{figure * 2_000}</article>")


@hostile
def a_long_page_that_says_it_is_not_found() -> str:
    text = f"<p>{'page page page page page page was no longer the the pag ' * 5}</p>"
    return f"<title>404 not found</title><h1>Not found</h1><article>{text * 32_000}</article>"


@hostile
def links_in_quotes_in_quotes() -> str:
    links = "".join(f"<a href='../../x/{number}'>x</a>" for number in range(50))
    return page(f"<article>{STORY}{('<blockquote>' * 50 + links + '</blockquote>' * 50) * 490}</article>")


@hostile
def lists_in_lists() -> str:
    item = "<li>Sport and its matters <a href=x>A headline of another article there</a></li>"
    return page(STORY + ("<ul>" * 100 + item * 99 + "<li>no link</li>" + "</ul>" * 100) * 110)


@hostile
def near_descriptions_in_each_other() -> str:
    text = "Something that is long enough to be a description, really is it, yes. " * 20
    head = f'<meta name=description content="{text[:66]}no.">'
    boxes = (f"{'<div>' * 55}<i>{text}</i>{'</div>' * 55}") * 900
    return page(f"<h1>{TITLE}</h1>{boxes}<article>{PARAGRAPH * 400}</article>", head)


def read(html: str) -> float:
    """Return the seconds that it takes to read *html*, which a parser may see, tried again where they are many.

    In seconds of the core that the limit was set on: see `scale_seconds`.
    """
    assert prescan(html.encode()) is None
    least = math.inf
    for _ in range(TRIES):
        taken = read_once(html)
        least = min(least, scale_seconds(taken, SECONDS))
        if least < SECONDS:
            break
    return least


def read_once(html: str) -> float:
    started = time.process_time()
    with suppress(ExtractError):
        extract_article(
            html,
            url="https://gazette.example/news/library",
            status=200,
            captured_at=datetime(2026, 11, 22, tzinfo=UTC),
            timezone="Europe/Berlin",
            language=None,
            rules=ExtractRules(),
        )
    return time.process_time() - started


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_read_in_good_time(name: str) -> None:
    html = PAGES[name]()
    parse_page(html)  # it is not refused
    assert read(html) < SECONDS


def test_white_space_counts_among_the_characters_that_lie_deep() -> None:
    html = page(f"{'<ul class=x>' * 300}{' ' * 9_000_000}<b>xxxx</b>{'</ul>' * 300}<article>{STORY}</article>")
    with pytest.raises(ExtractError, match="characters lie deep"):
        parse_page(html)
    assert read(html) < SECONDS  # each list was looked at for its first words, and each time the white space was read
