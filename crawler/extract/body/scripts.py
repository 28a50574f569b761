"""The article's text where the page shows none: in JSON-LD, or as HTML in the strings of its scripts. A last source.

Such pages are put together by the reader's browser. Nothing is run: strings are read as JSON, and as HTML after that.
"""

from __future__ import annotations

import re
from html import escape
from typing import TYPE_CHECKING

from pydantic_core import from_json

from config.errors import ExtractError
from crawler.extract.body.blocks import Block, read_blocks
from crawler.extract.page.metadata import text_of
from crawler.extract.page.parsing import MAX_ELEMENTS, Page, parse_page
from crawler.extract.page.words import CONSENT_PHRASE, PAYWALL_PHRASE
from crawler.prescan import prescan

if TYPE_CHECKING:
    from collections.abc import Iterator

    from crawler.extract.page.metadata import Metadata

MIN_CHARS = 200
"""Less is no article's text."""
_NOTHING = 60
_STRING = re.compile(r'"((?:[^"\\]++|\\.)*+)(?:"|\Z)', re.DOTALL)
"""Each character is looked at once: short strings are matched too, and one without an end is matched to the end."""
_MIN_STRING_CHARS = 300
_MAX_SCRIPT_CHARS = 4_000_000
_MAX_STRING_CHARS = 500_000
_MAX_STRINGS = 200
_MAX_WEIGHED_CHARS = 1_000_000
"""Of texts that are looked at for notices."""
_MAX_DEPTH = 3
_JSON = re.compile(r'"\s*:\s*["\[{]|\\u003c', re.IGNORECASE)
_PARAGRAPH = re.compile(r"<p[ >]|<br[ />]")


def read_scripts(page: Page, found: Metadata, shown: list[Block]) -> list[Block]:
    """Return the blocks of the text that *page* holds beside its elements; *shown* where that is not much more.

    What scripts hold may be other articles, so they are asked only where the page shows next to nothing.
    """
    visible = _measure(shown)
    if visible >= MIN_CHARS:
        return shown
    is_article = bool(found.article) or (found.first("og:type") or "").lower() == "article"
    best: list[Block] = []
    room, letters = MAX_ELEMENTS - page.size, _MAX_WEIGHED_CHARS
    for html in _list_candidates(page, found, scripts=is_article and visible < _NOTHING):
        blocks, size = _read(html)
        room -= size
        if room < 0:
            break
        if _measure(blocks) > _measure(best):
            letters -= _measure(blocks)
            if letters < 0:
                break
            best = best if _is_notice(blocks) else blocks
    return best if _measure(best) >= max(MIN_CHARS, 2 * visible) else shown


def _list_candidates(page: Page, found: Metadata, *, scripts: bool) -> Iterator[str]:
    stated = found.article.get("articleBody")
    if isinstance(stated, str) and (text_of(stated) or ""):
        stated = stated[:_MAX_STRING_CHARS]
        yield stated if _PARAGRAPH.search(stated) else "".join(f"<p>{escape(line)}" for line in stated.split("\n"))
    if not scripts:
        return
    room, strings = _MAX_SCRIPT_CHARS, 0
    for script in page.parser.css("script:not([src])"):
        source = script.text()
        room -= len(source)
        if room < 0:
            return
        for text in _list_html(source, _MAX_DEPTH):
            yield text
            strings += 1
            if strings >= _MAX_STRINGS:
                return


def _list_html(source: str, depth: int) -> Iterator[str]:
    """Yield the strings in *source* that are HTML; what is JSON in a JSON string is looked into in its turn."""
    for match in _STRING.finditer(source):
        literal = match[1]
        if not _MIN_STRING_CHARS <= len(literal) <= _MAX_STRING_CHARS or (
            "<p" not in literal and "003c" not in literal.lower()
        ):
            continue
        try:
            text = from_json(f'"{literal}"')
        except ValueError:
            continue
        if depth and isinstance(text, str) and _JSON.search(text):
            yield from _list_html(text, depth - 1)
        elif isinstance(text, str) and _PARAGRAPH.search(text):
            yield text


def _read(html: str) -> tuple[list[Block], int]:
    """Return the blocks of a piece of HTML and the number of its elements."""
    if prescan(html.encode("utf-8", "replace")) is not None:
        return [], 0
    try:
        inner = parse_page(html)
    except ExtractError:
        return [], MAX_ELEMENTS
    for element in inner.body.below("figure", "figcaption", "aside", "nav", "footer", "button", "iframe"):
        element.dropped = "no text"
    return read_blocks([inner.body]), inner.size


def _is_notice(blocks: list[Block]) -> bool:
    """Whether most of *blocks* speak of cookies or subscriptions."""
    notices = [block for block in blocks if CONSENT_PHRASE.search(block.text) or PAYWALL_PHRASE.search(block.text)]
    return 2 * _measure(notices) >= _measure(blocks)


def _measure(blocks: list[Block]) -> int:
    return sum(block.chars - block.link_chars for block in blocks)
