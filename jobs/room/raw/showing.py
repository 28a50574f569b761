"""A capture → bytes for a browser that runs nothing of them, asks nobody for more, and gives them no origin."""

from __future__ import annotations

from base64 import b64encode
from typing import TYPE_CHECKING

from config.errors import ExtractError
from crawler.charset import decode, read_header
from crawler.markup import HTML_TYPES
from crawler.outcome import media_type_of
from jobs.room.endpoints import Document
from jobs.room.raw.media import DRAWING, PICTURES, PLAIN, find_kind, is_text
from jobs.room.raw.reading import read_body
from jobs.room.raw.shelf import Shelf

if TYPE_CHECKING:
    from crawler.model import Exchange
    from jobs.catalog import StoredCapture
    from jobs.room.desk import Desk

SANDBOX = (
    "sandbox; default-src 'none'; img-src data:; style-src 'unsafe-inline' data:; font-src data:; form-action 'none'; "
    "base-uri 'none'; frame-ancestors 'self'"
)
"""No script, no form, no window, no origin; and no address but those that hold what they stand for.

Not stopped by it, so that pages must be tidied: a reader's click, hints (`preconnect`), and what Chromium does for a
frame before it refuses to load it: it connects.
"""
HEADERS = {
    "Content-Security-Policy": SANDBOX,
    # a document in a sandbox that asks for a window of its own is not shown at all
    "Cross-Origin-Opener-Policy": "unsafe-none",
    "X-DNS-Prefetch-Control": "off",
}


def show_exchange(desk: Desk, capture: StoredCapture, exchange: Exchange, *, as_page: bool = True) -> Document:
    """Return what *exchange* brought: a web page with its assets, a picture, a text; else something to be saved.

    *as_page*: show HTML as a page, and not as its text. Raises RecordError.
    """
    media_type = media_type_of(exchange)
    if as_page and media_type in {None, *HTML_TYPES}:
        try:
            page = Shelf(desk, capture.source, capture.captured_at).fill(exchange)
        except ExtractError as error:
            if media_type is not None:
                reason = str(error).removeprefix("ExtractError: ")  # as a worker tells it
                return _say(f"This page cannot be shown here: {reason}. Its record can be saved as it is.")
        else:
            return Document(page.encode("utf-8", "replace"), "text/html; charset=utf-8", dict(HEADERS))
    body = read_body(exchange)
    kind = find_kind(media_type, body)
    if kind == DRAWING:
        return Document(_hold_drawing(body), "text/html; charset=utf-8", dict(HEADERS))
    if kind in PICTURES:
        return Document(body, kind, dict(HEADERS))
    if is_text(kind):
        text = decode(body, read_header(exchange.header("Content-Type")) or "utf-8")
        return Document(text.encode("utf-8", "replace"), PLAIN, dict(HEADERS))
    return Document(body, "application/octet-stream", dict(HEADERS), filename=f"{capture.segment}-{capture.n}.bin")


def _hold_drawing(body: bytes) -> bytes:
    """Return a page that has a drawing as its picture: by itself one is a document, with frames and links."""
    return b'<!DOCTYPE html><html lang="en"><title>Drawing</title><img alt="" src="data:%b;base64,%b"></html>' % (
        DRAWING.encode(),
        b64encode(body),
    )


def _say(text: str) -> Document:
    return Document(text.encode(), PLAIN, dict(HEADERS))
