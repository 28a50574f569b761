"""One page from wire to outcome: WARC records, inflate, decode, extract, normalise, hash. Run by the worker processes.

Pure: nothing here reads the clock, a file or a global. Importing it loads the parsers; see `crawler.outcome` for the
types alone.
"""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from config.errors import ExtractError
from config.rules import ExtractRules
from crawler.announcement import encode_links
from crawler.directives import NOARCHIVE, find_robots_tags
from crawler.discover import discover_links
from crawler.discover.pages import read_page_facts
from crawler.discover.requisites import find_requisites, find_style_requisites
from crawler.discover.unpack import GZIP_MAGIC, unpack_file
from crawler.encoding import find_html_encoding, inflate, read_html
from crawler.explanation import encode_explanation, failed_explanation
from crawler.extract import explain_article, extract_article, read_outline
from crawler.extract.page.still import still_page
from crawler.model import GOOD_CLASSES, Discovery, Exchange, PageClass, Purpose
from crawler.normalise import make_snapshot
from crawler.outcome import (
    MAX_INFLATED_BYTES,
    PageContext,
    PageOutcome,
    begin_outcome,
    decode_page,
    encode_outcome,
    encode_outline,
    failed_outcome,
    media_type_of,
)
from crawler.prescan import prescan
from crawler.recording import read_beginning, settle_without_reading
from crawler.survey.transport import encode_page_facts
from crawler.webarchive import CopyList, encode_copies, read_cdx, read_timemap

if TYPE_CHECKING:
    from crawler.explanation import Explanation
    from crawler.model import Article, Outline
    from crawler.survey.facts import PageFacts

__all__ = [
    "PageContext",
    "PageOutcome",
    "discover",
    "explain_page",
    "failed_outcome",
    "list_copies",
    "outline_page",
    "perform",
    "process_page",
    "quiet_page",
    "read_facts",
    "warm_up",
]

_HTML = frozenset({"text/html", "application/xhtml+xml"})
_PAGES = frozenset({Purpose.ARTICLE, Purpose.SECTION})
_SNIFFED_BYTES = 1_024
_TEXT_CLASSES = GOOD_CLASSES | {PageClass.TRUNCATED}
_read: list[tuple[dict[str, Any], PageContext]] = []
"""The context that was read last, and the data that it was made from."""


class _Html(NamedTuple):
    text: str
    utf8: bytes
    """The same, for who reads bytes."""


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
        _require_simple(html)
        return explain_article(html.text, utf8=html.utf8, **_given(exchange, context), whole=whole)
    except ExtractError as error:
        return failed_explanation(str(error))


def quiet_page(exchange: Exchange, *, max_inflated_bytes: int = MAX_INFLATED_BYTES) -> str:
    """Return the page of *exchange* as something to look at. Raises ExtractError if it cannot be read, or is none."""
    body = inflate(exchange.body, exchange.header_values("Content-Encoding"), limit=max_inflated_bytes)
    content_type = exchange.header("Content-Type")
    if not _is_html(media_type_of(exchange), body):
        raise ExtractError(f"{media_type_of(exchange)} is no web page")
    if (reason := _find_binary(body, content_type)) is not None:
        raise ExtractError(reason)
    html = _Html(*read_html(body, content_type))
    _require_simple(html)
    return still_page(html.text)


def discover(exchange: Exchange, limit: int, *, max_inflated_bytes: int = MAX_INFLATED_BYTES) -> Discovery:
    """Return the links of a feed, sitemap or listing page, at most *limit*. Never raises on bad input."""
    body, codings = exchange.body, exchange.header_values("Content-Encoding")
    if [coding.strip().lower() for coding in codings] != ["gzip"] or not body.startswith(GZIP_MAGIC):
        try:
            body = inflate(body, codings, limit=max_inflated_bytes)
        except ExtractError as error:
            return Discovery(links=(), error=str(error), truncated=False)
    # gzip is left to the reader, who makes do with what came of it
    media_type = exchange.header("Content-Type")
    return discover_links(body, url=exchange.url, purpose=exchange.purpose, media_type=media_type, limit=limit)


def read_facts(exchange: Exchange, product: str) -> PageFacts:
    """Return what a web page says of itself and leads to. Raises ExtractError if it cannot be read, or is none."""
    body = inflate(exchange.body, exchange.header_values("Content-Encoding"), limit=MAX_INFLATED_BYTES)
    media_type = media_type_of(exchange)
    if not body.strip():
        raise ExtractError("the body is empty")
    if not _is_html(media_type, body):
        raise ExtractError(f"{media_type} is no web page")
    content_type = exchange.header("Content-Type")
    if (reason := _find_binary(body, content_type)) is not None:
        raise ExtractError(reason)
    return read_page_facts(
        body,
        url=exchange.url,
        content_type=content_type,
        robots_tags=exchange.header_values("X-Robots-Tag"),
        product=product,
        reserved=exchange.header("tdm-reservation"),
    )


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


def list_requisites(exchange: Exchange, limit: int, *, max_inflated_bytes: int = MAX_INFLATED_BYTES) -> tuple[str, ...]:
    """Return what a page or a style sheet takes to be shown, at most *limit* absolute URLs; none of what is neither.

    Raises ExtractError if it cannot be read.
    """
    media_type = media_type_of(exchange)
    if exchange.truncated or media_type not in {"text/css", *_HTML}:
        return ()
    body = inflate(exchange.body, exchange.header_values("Content-Encoding"), limit=max_inflated_bytes)
    if media_type == "text/css":
        return find_style_requisites(body.decode("utf-8", "replace"), exchange.url, limit)
    html = _Html(*read_html(body, exchange.header("Content-Type")))
    _require_simple(html)
    return find_requisites(html.text, exchange.url, limit)


def perform(name: str, data: dict[str, Any], body: bytes) -> tuple[bytes, bytes]:
    """Do what the pipe's other end asks; return JSON and raw bytes.

    `page`, `outline`, `explain`, `still`, `links`, `facts`, `copies`, `requisites` or `beginning`.
    """
    exchange = decode_page(data, body)
    if name == "links":
        discovery = discover(exchange, data["limit"])
        lines, cut = encode_links(discovery)
        return json.dumps({"error": discovery.error, "truncated": discovery.truncated or cut}).encode(), lines
    if name == "facts":
        return encode_page_facts(read_facts(exchange, data["product"])), b""
    if name == "copies":
        return encode_copies(list_copies(exchange, data["original"])), b""
    if name == "still":
        return b"{}", quiet_page(exchange).encode("utf-8", "replace")
    if name == "requisites":
        return json.dumps({"urls": list_requisites(exchange, data["limit"])}).encode(), b""
    if name == "beginning":
        return json.dumps({"text": read_beginning(exchange)}).encode(), b""
    if name in {"page", "outline", "explain"}:
        context = _read_context(data["context"])
        if name == "explain":
            return json.dumps(encode_explanation(explain_page(exchange, context, whole=data["whole"]))).encode(), b""
        if name == "outline":
            return encode_outline(outline_page(exchange, context)), b""
        return encode_outcome(process_page(exchange, context))
    raise ValueError(f"asked for {name!r}, expected page, outline, explain, still, links, facts, copies or beginning")


def _read_context(data: dict[str, Any]) -> PageContext:
    last = _read[0] if _read else None
    if last is None or last[0] != data:  # checking a source's rules takes longer than many a page
        last = data, PageContext(**{**data, "rules": ExtractRules.model_validate(data["rules"])})
        _read[:] = [last]
    return last[1]


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


def _find_beginning(exchange: Exchange, html: _Html | None, product: str) -> str | None:
    """Return what may hold words to robots; of a rendered page, what it says as served and as rendered."""
    if html is not None and html.text and exchange.rendition is None:
        return html.text
    served = read_beginning(exchange)
    return served if html is None or not html.text else find_robots_tags([served or ""], product) + html.text


def _read_html(exchange: Exchange, context: PageContext) -> _Html | None:
    """Return the page as text; `None` if it is no web page. Raises ExtractError if it cannot be read.

    As rendered or as served: the context says which.
    """
    if exchange.truncated:
        raise ExtractError(f"the body was cut ({exchange.truncated}) after {len(exchange.body)} bytes")
    if context.render is not None and exchange.purpose is Purpose.ARTICLE and exchange.status == 200:
        exchange = _require_rendered(exchange)
    body = inflate(exchange.body, exchange.header_values("Content-Encoding"), limit=context.max_inflated_bytes)
    if not body.strip():
        raise ExtractError("the body is empty")
    if not _is_html(media_type_of(exchange), body):
        return None
    content_type = exchange.header("Content-Type")
    if (reason := _find_binary(body, content_type)) is not None:
        raise ExtractError(reason)
    return _Html(*read_html(body, content_type))


def _require_rendered(exchange: Exchange) -> Exchange:
    rendition = exchange.rendition
    if rendition is None:
        if media_type_of(exchange) in {None, *_HTML}:
            raise ExtractError("the page was not rendered")
    elif rendition.error is not None:
        raise ExtractError(f"the page could not be rendered: {rendition.error}")
    return exchange.as_rendered()


def _read_article(
    exchange: Exchange, context: PageContext, outcome: PageOutcome, html: _Html | None, unreadable: ExtractError | None
) -> PageOutcome:
    if unreadable is not None:
        raise unreadable
    if not exchange.body:
        cut = f"the body was cut ({exchange.truncated}) after 0 bytes"
        raise ExtractError(cut if exchange.truncated else "the body is empty")
    if html is None:
        return replace(outcome, class_reason=_describe_status(exchange, f"{outcome.media_type} is no web page"))
    _require_simple(html)
    article = extract_article(html.text, utf8=html.utf8, **_given(exchange, context))
    return _conclude(exchange, context, outcome, article)


def _require_simple(html: _Html) -> None:
    """Raise ExtractError if *html* would keep a parser busy for too long."""
    if (reason := prescan(html.utf8)) is not None:
        raise ExtractError(reason)


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


def _is_html(media_type: str | None, body: bytes) -> bool:
    if media_type is not None:
        return media_type in _HTML
    beginning = body[:_SNIFFED_BYTES].lower()
    return b"<html" in beginning or b"<!doctype html" in beginning


def _find_binary(body: bytes, content_type: str | None) -> str | None:
    """Return why *body* is no text in any encoding, or `None`. UTF-16 has NULs, but it, or the header, says so."""
    beginning = body[:_SNIFFED_BYTES]
    if b"\0" not in beginning or find_html_encoding(beginning, content_type)[0].startswith(("utf-16", "utf-32")):
        return None
    return f"this is no HTML: it begins with {beginning[:8]!r} and holds NUL bytes"


def _describe_status(exchange: Exchange, reason: str) -> str:
    return reason if exchange.status == 200 else f"status {exchange.status}; {reason}"
