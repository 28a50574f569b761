"""The bytes of a feed, sitemap or listing page → the links that they announce. Never raises on bad input.

What stands before a fault counts. Nothing is fetched, no entity is expanded; run it in a process that can be killed.
"""

from __future__ import annotations

import contextlib

from crawler.discover import feeds, sitemaps
from crawler.discover.decoding import repair_references, to_utf8
from crawler.discover.finder import Finder, StopReadingError
from crawler.discover.json_feeds import read_json_feed
from crawler.discover.loose_feeds import read_loosely
from crawler.discover.sections import find_feeds, read_section
from crawler.discover.sniff import cut_preamble, is_html, name_root
from crawler.discover.unpack import unpack_file
from crawler.model import Discovery, Purpose

__all__ = ["discover_links"]


def discover_links(body: bytes, *, url: str, purpose: Purpose, media_type: str | None, limit: int) -> Discovery:
    """Return the links in *body*, which was served at *url* and fetched for *purpose*.

    *body*: content coding undone; a gzip file (`sitemap.xml.gz`) is inflated here. *media_type*: Content-Type, with or
    without its parameters. *limit*: at most that many links.
    """
    finder = Finder(url, limit)
    body, fault = unpack_file(body)
    try:
        if purpose is Purpose.SECTION:
            error = read_section(body, media_type, finder)
        elif purpose in {Purpose.FEED, Purpose.SITEMAP}:
            error = _read_announcement(body, purpose, media_type, finder)
        else:
            error = f"a page fetched as {purpose} announces nothing"
    except MemoryError:
        raise
    except StopReadingError:
        error = f"the {purpose} is too much to read; only its beginning was"
    except Exception as failure:  # noqa: BLE001 - foreign parsers on hostile bytes: whatever it is, it is the document's fault
        error = f"cannot be read: {type(failure).__name__}: {failure}"
    return finder.result("; ".join(part for part in (fault, error) if part) or None)


def _read_announcement(body: bytes, purpose: Purpose, media_type: str | None, finder: Finder) -> str | None:
    """Read a feed or sitemap by what it is, not by what it was said to be: publishers mix them up."""
    text = to_utf8(body, media_type)
    if not text:
        return f"found nothing where a {purpose} should be"
    root = name_root(text)
    if root not in sitemaps.ROOTS | feeds.ROOTS and (rest := cut_preamble(text, root)) is not text:
        text, root = rest, name_root(rest)
    if is_html(root):
        return _describe_page(body, purpose, media_type, finder.url)
    if root in {"{", "["}:
        return read_json_feed(text, finder)
    if root in sitemaps.ROOTS:
        return sitemaps.SitemapReader(finder).read(repair_references(text))
    if purpose is Purpose.SITEMAP and not root:
        return sitemaps.read_url_list(text, finder)
    return _read_feed(repair_references(text), root, finder)


def _read_feed(text: bytes, root: str, finder: Finder) -> str | None:
    reader = feeds.FeedReader(finder)
    error = reader.read(text)
    broken_root = root in feeds.ROOTS and not reader.recognised and error is not None and reader.fault is None
    if reader.malformed or broken_root:
        loose = Finder(finder.url, finder.limit)
        with contextlib.suppress(StopReadingError):  # what it found until then counts
            read_loosely(text, loose)
        if len(loose.found) > len(finder.found):
            finder.found, finder.truncated = loose.found, loose.truncated
    if not reader.recognised and not finder.found:
        return reader.fault or "found neither RSS, Atom, JSON Feed nor a sitemap"
    return error


def _describe_page(body: bytes, purpose: Purpose, media_type: str | None, url: str) -> str:
    error = f"found HTML where a {purpose} should be"
    if purpose is Purpose.FEED and (named := find_feeds(body, media_type, url)):
        error += f"; the page names {named[0]} as its feed"
    return error
