"""One page from wire to outcome: WARC records, inflate, decode, extract, normalise, hash. Run by the worker processes.

Pure: nothing here reads the clock, a file or a global. Importing it loads the parsers; see `crawler.outcome` for the
types alone.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from config.errors import ExtractError
from config.rules import ExtractRules
from crawler.directives import NOARCHIVE, find_robots_tags, find_robots_tags_in
from crawler.explanation import failed_explanation
from crawler.extract import explain_article, extract_article, read_outline
from crawler.markup import HTML_TYPES, Html, read_markup, require_simple
from crawler.model import GOOD_CLASSES, Exchange, PageClass, Purpose
from crawler.normalise import make_snapshot
from crawler.outcome import (
    PageContext,
    PageOutcome,
    begin_outcome,
    failed_outcome,
    media_type_of,
)
from crawler.recording import read_beginning, settle_without_reading

if TYPE_CHECKING:
    from crawler.explanation import Explanation
    from crawler.model import Article, Outline

__all__ = [
    "PageContext",
    "PageOutcome",
    "explain_page",
    "failed_outcome",
    "outline_page",
    "process_page",
    "warm_up",
]

_PAGES = frozenset({Purpose.ARTICLE, Purpose.SECTION})
_TEXT_CLASSES = GOOD_CLASSES | {PageClass.TRUNCATED}


def process_page(exchange: Exchange, context: PageContext) -> PageOutcome:
    """Return the records of *exchange*, its class and, for an article page with status 200, the snapshot.

    A page that cannot be read is an outcome with `extraction_error`, not an exception. Raises RecordError where the
    exchange itself cannot be recorded.
    """
    html, unreadable = None, None
    if exchange.purpose in _PAGES and exchange.body:
        try:
            html = _read_html(exchange, context)
        except ExtractError as error:
            unreadable = error
    outcome = begin_outcome(exchange, context, _find_beginning(exchange, html, context.product))
    if outcome.withheld:
        return outcome
    settled = settle_without_reading(exchange, outcome)
    if settled is not None:
        return settled
    try:
        return _read_article(exchange, context, outcome, html, unreadable)
    except ExtractError as error:
        failure = str(error) if exchange.status == 200 else None
        return replace(outcome, class_reason=_describe_status(exchange, str(error)), extraction_error=failure)


def explain_page(exchange: Exchange, context: PageContext, *, whole: bool) -> Explanation:
    """Return why the text of *exchange* is what it is; *whole*: of all the page. Never raises on a bad page."""
    try:
        html = _read_html(exchange, context)
        if html is None:
            return failed_explanation(f"{media_type_of(exchange)} is no web page")
        require_simple(html)
        return explain_article(html.text, utf8=html.utf8, **_given(exchange, context), whole=whole)
    except ExtractError as error:
        return failed_explanation(str(error))


def outline_page(exchange: Exchange, context: PageContext) -> Outline:
    """Return the lines of an article page with the elements that hold them. Raises ExtractError."""
    outcome = process_page(exchange, context)
    html = _read_html(exchange, context) if outcome.snapshot else None
    if html is None:
        raise ExtractError(outcome.extraction_error or outcome.class_reason or "no text was found in the page")
    return read_outline(html.text, outcome.snapshot, outcome.page_class)


def warm_up() -> None:
    """Read one small page, so that what the parsers load late is there before the first real page.

    The page is plain enough to need no fall-back: trafilatura is loaded by the first page that does.
    """
    text = "<p>The library opens its doors again on Monday.</p>" * 8
    date = '<meta property="article:published_time" content="2025-12-31T08:00:00Z">'
    exchange = Exchange(
        url="https://gazette.example/2026/library",
        purpose=Purpose.ARTICLE,
        started_at=datetime(2026, 1, 1, tzinfo=UTC),
        seconds=0.0,
        request_head=b"",
        status=200,
        response_head=b"HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\n\r\n",
        body=f"<html><head>{date}</head><body><article><h1>Library</h1>{text}</article></body></html>".encode(),
    )
    process_page(exchange, PageContext(ExtractRules(), timezone=None, language=None, derivation=""))


def _find_beginning(exchange: Exchange, html: Html | None, product: str) -> str | None:
    """Return what may hold words to robots; of a rendered page, what it says as served and as rendered."""
    if html is not None and html.text and exchange.rendition is None:
        return find_robots_tags_in(html.utf8, product)
    served = read_beginning(exchange)
    return served if html is None or not html.text else find_robots_tags([served or ""], product) + html.text


def _read_html(exchange: Exchange, context: PageContext) -> Html | None:
    """Return the page as text; `None` if it is no web page. Raises ExtractError if it cannot be read.

    As rendered or as served: the context says which.
    """
    if exchange.truncated:
        raise ExtractError(f"the body was cut ({exchange.truncated}) after {len(exchange.body)} bytes")
    if context.render is not None and exchange.purpose is Purpose.ARTICLE and exchange.status == 200:
        exchange = _require_rendered(exchange)
    return read_markup(exchange, context.max_inflated_bytes)


def _require_rendered(exchange: Exchange) -> Exchange:
    rendition = exchange.rendition
    if rendition is None:
        if media_type_of(exchange) in {None, *HTML_TYPES}:
            raise ExtractError("the page was not rendered")
    elif rendition.error is not None:
        raise ExtractError(f"the page could not be rendered: {rendition.error}")
    return exchange.as_rendered()


def _read_article(
    exchange: Exchange, context: PageContext, outcome: PageOutcome, html: Html | None, unreadable: ExtractError | None
) -> PageOutcome:
    if unreadable is not None:
        raise unreadable
    if not exchange.body:
        cut = f"the body was cut ({exchange.truncated}) after 0 bytes"
        raise ExtractError(cut if exchange.truncated else "the body is empty")
    if html is None:
        return replace(outcome, class_reason=_describe_status(exchange, f"{outcome.media_type} is no web page"))
    require_simple(html)
    article = extract_article(html.text, utf8=html.utf8, **_given(exchange, context))
    return _conclude(exchange, context, outcome, article)


def _given(exchange: Exchange, context: PageContext) -> dict[str, Any]:
    """Return what the extractor is given beside the page."""
    return {
        "url": exchange.url,
        "status": exchange.status,
        "captured_at": exchange.started_at,
        "timezone": context.timezone,
        "language": context.language,
        "rules": context.rules,
    }


def _conclude(exchange: Exchange, context: PageContext, outcome: PageOutcome, article: Article) -> PageOutcome:
    outcome = replace(outcome, page_class=article.page_class, class_reason=article.class_reason)
    if exchange.status != 200:
        if article.page_class in _TEXT_CLASSES:  # whatever it looks like, the publisher says that it is no article
            return replace(outcome, page_class=PageClass.ERROR, class_reason=f"status {exchange.status}")
        return outcome
    if article.page_class not in _TEXT_CLASSES:
        return outcome
    snapshot = make_snapshot(article, context.derivation)
    if not snapshot.text:
        return replace(outcome, extraction_error="no text was found in the page")
    as_served = context.render is None  # what scripts make of the same bytes may be another page each time
    repeatable = not article.clock_bound and NOARCHIVE not in outcome.directives and as_served
    return replace(outcome, snapshot=snapshot, repeatable=repeatable)


def _describe_status(exchange: Exchange, reason: str) -> str:
    return reason if exchange.status == 200 else f"status {exchange.status}; {reason}"
