"""What pages are read for beside text and links, in a worker: what they lead to and need, what a web archive lists.

Pure, as `crawler.workers.task`. Most workers are never asked for it, so it is loaded when one is.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from config.errors import ExtractError
from crawler.discover.pages import read_page_facts
from crawler.discover.requisites import find_requisites, find_style_requisites
from crawler.discover.unpack import unpack_file
from crawler.encoding import inflate, read_html
from crawler.extract.page.still import still_page
from crawler.markup import HTML_TYPES, Html, inflate_page, read_markup, require_page, require_simple
from crawler.outcome import MAX_INFLATED_BYTES, media_type_of
from crawler.replay import replay_page, replay_sheet
from crawler.webarchive import CopyList, read_cdx, read_timemap

if TYPE_CHECKING:
    from collections.abc import Mapping

    from crawler.discover.page_facts import PageFacts
    from crawler.model import Exchange


def read_facts(exchange: Exchange, product: str) -> PageFacts:
    """Return what a web page says of itself and leads to. Raises ExtractError if it cannot be read, or is none."""
    return read_page_facts(
        require_page(inflate_page(exchange, MAX_INFLATED_BYTES), exchange),
        url=exchange.url,
        content_type=exchange.header("Content-Type"),
        robots_tags=exchange.header_values("X-Robots-Tag"),
        product=product,
        reserved=exchange.header("tdm-reservation"),
    )


def quiet_page(exchange: Exchange, *, max_inflated_bytes: int = MAX_INFLATED_BYTES) -> str:
    """Return the page of *exchange* as something to look at. Raises ExtractError if it cannot be read, or is none."""
    html = require_page(read_markup(exchange, max_inflated_bytes), exchange)
    require_simple(html)
    return still_page(html.text)


def replay_document(
    exchange: Exchange, assets: Mapping[str, str], *, max_inflated_bytes: int = MAX_INFLATED_BYTES
) -> str:
    """Return the page, or the style sheet, of *exchange* with what *assets* has for it: `crawler.replay`.

    Raises ExtractError if it cannot be read, or is neither.
    """
    if media_type_of(exchange) == "text/css":
        body = inflate(exchange.body, exchange.header_values("Content-Encoding"), limit=max_inflated_bytes)
        return replay_sheet(body.decode("utf-8", "replace"), exchange.url, assets)
    html = require_page(read_markup(exchange, max_inflated_bytes), exchange)
    require_simple(html)
    return replay_page(html.text, exchange.url, assets)


def list_requisites(exchange: Exchange, limit: int, *, max_inflated_bytes: int = MAX_INFLATED_BYTES) -> tuple[str, ...]:
    """Return what a page or a style sheet takes to be shown, at most *limit* absolute URLs; none of what is neither.

    Raises ExtractError if it cannot be read.
    """
    media_type = media_type_of(exchange)
    if exchange.truncated or media_type not in {"text/css", *HTML_TYPES}:
        return ()
    body = inflate(exchange.body, exchange.header_values("Content-Encoding"), limit=max_inflated_bytes)
    if media_type == "text/css":
        return find_style_requisites(body.decode("utf-8", "replace"), exchange.url, limit)
    html = Html(*read_html(body, exchange.header("Content-Type")))
    require_simple(html)
    return find_requisites(html.text, exchange.url, limit)


def list_copies(exchange: Exchange, original: str | None, *, max_inflated_bytes: int = MAX_INFLATED_BYTES) -> CopyList:
    """Return the copies that a web archive's answer lists. *original*: of which page, if it is a TimeMap.

    Never raises on bad input.
    """
    try:
        body, fault = unpack_file(
            inflate(exchange.body, exchange.header_values("Content-Encoding"), limit=max_inflated_bytes)
        )
    except ExtractError as error:
        return CopyList(error=str(error))
    text = body.decode("utf-8", "replace")
    cut = exchange.truncated is not None or fault is not None
    found = read_cdx(text, cut=cut) if original is None else read_timemap(text, url=exchange.url, original=original)
    return replace(found, error="; ".join(part for part in (fault, found.error) if part) or None)
