"""The body of an exchange → the text of a web page, or why it is none. What every reading of HTML begins with."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, TypeVar

from config.errors import ExtractError
from crawler.encoding import find_html_encoding, inflate, read_html
from crawler.outcome import media_type_of
from crawler.prescan import prescan

if TYPE_CHECKING:
    from crawler.model import Exchange

HTML_TYPES = frozenset({"text/html", "application/xhtml+xml"})
_SNIFFED_BYTES = 1_024
Found = TypeVar("Found")


class Html(NamedTuple):
    """A page's text."""

    text: str
    utf8: bytes
    """The same, for who reads bytes."""


def inflate_page(exchange: Exchange, limit: int) -> bytes | None:
    """Return the body of a web page, its content coding undone; `None` if it is no web page.

    *limit*: bytes that it may inflate to. Raises ExtractError if it cannot be read.
    """
    body = inflate(exchange.body, exchange.header_values("Content-Encoding"), limit=limit)
    if not body.strip():
        raise ExtractError("the body is empty")
    if not _is_html(media_type_of(exchange), body):
        return None
    if (reason := _find_binary(body, exchange.header("Content-Type"))) is not None:
        raise ExtractError(reason)
    return body


def read_markup(exchange: Exchange, limit: int) -> Html | None:
    """Return a web page as text; `None` if it is none. Raises ExtractError as `inflate_page` does."""
    body = inflate_page(exchange, limit)
    return None if body is None else Html(*read_html(body, exchange.header("Content-Type")))


def require_page(found: Found | None, exchange: Exchange) -> Found:
    """Return *found*. Raises ExtractError if there is none since *exchange* brought no web page."""
    if found is None:
        raise ExtractError(f"{media_type_of(exchange)} is no web page")
    return found


def require_simple(html: Html) -> None:
    """Raise ExtractError if *html* would keep a parser busy for too long."""
    if (reason := prescan(html.utf8)) is not None:
        raise ExtractError(reason)


def _is_html(media_type: str | None, body: bytes) -> bool:
    if media_type is not None:
        return media_type in HTML_TYPES
    beginning = body[:_SNIFFED_BYTES].lower()
    return b"<html" in beginning or b"<!doctype html" in beginning


def _find_binary(body: bytes, content_type: str | None) -> str | None:
    """Return why *body* is no text in any encoding, or `None`. UTF-16 has NULs, but it, or the header, says so."""
    beginning = body[:_SNIFFED_BYTES]
    if b"\0" not in beginning or find_html_encoding(beginning, content_type)[0].startswith(("utf-16", "utf-32")):
        return None
    return f"this is no HTML: it begins with {beginning[:8]!r} and holds NUL bytes"
