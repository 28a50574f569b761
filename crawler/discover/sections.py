"""HTML pages that list articles → links; and where a page stands in a feed's place, the feeds that it names."""

from __future__ import annotations

from dataclasses import replace
from itertools import islice
from typing import TYPE_CHECKING

from selectolax.lexbor import LexborDocumentOptions, LexborHTMLParser

from crawler.discover.pager import find_next
from crawler.encoding import decode_html
from crawler.model import Purpose
from crawler.prescan import prescan
from crawler.sites import bare_host
from crawler.urls import resolve_link

if TYPE_CHECKING:
    from selectolax.lexbor import LexborNode

    from crawler.discover.finder import Finder

MAX_NEXT = 10
"""`rel=next` that are taken from one page."""
_HEAD_BYTES = 256 * 1024
_PAGER_LINKS = 5_000
_FEED_TYPES = frozenset({"application/rss+xml", "application/atom+xml", "application/feed+json", "application/rdf+xml"})


def read_section(body: bytes, content_type: str | None, finder: Finder) -> str | None:
    """Read a page's links, `rel=next` as another page of the list; return what is wrong with it.

    Where no link says `rel=next`, the one with the next page's number is taken for it.
    """
    page = decode_html(body, content_type)
    if (reason := prescan(page.encode("utf-8", "replace"))) is not None:
        return reason
    tree = LexborHTMLParser(page, options=LexborDocumentOptions.WO_EVENTS)
    base = tree.css_first("base[href]")
    finder.base = (resolve_link(finder.url, _attribute(base, "href")) if base else None) or finder.url
    told = _take_next(tree, finder)
    for node in tree.css("a[href]"):
        target = finder.resolve(_attribute(node, "href"))
        if target and not finder.take(target, title=finder.clean_title(node.text(deep=True), plain=True)):
            return None
    if not told and (following := find_next(finder.url, islice(finder.found, _PAGER_LINKS))) is not None:
        finder.found[following] = replace(finder.found[following], purpose=Purpose.SECTION, numbered=True)
    return None if finder.found else "found no links in the page"


def find_feeds(body: bytes, content_type: str | None, url: str) -> list[str]:
    """Return the addresses that a page at *url* names as its feeds, in its order."""
    page = decode_html(body[:_HEAD_BYTES], content_type)
    if prescan(page.encode("utf-8", "replace")) is not None:
        return []
    tree = LexborHTMLParser(page, options=LexborDocumentOptions.WO_EVENTS)
    found = []
    for node in tree.css("link[rel][type][href]"):
        media_type = _attribute(node, "type").partition(";")[0].strip().lower()
        if "alternate" in _attribute(node, "rel").lower().split() and media_type in _FEED_TYPES:
            target = resolve_link(url, _attribute(node, "href"))
            if target is not None and target != url and target not in found:
                found.append(target)
    return found


def _take_next(tree: LexborHTMLParser, finder: Finder) -> int:
    """Take `rel=next`; return how many there were."""
    taken = 0
    for node in tree.css("link[rel][href], a[rel][href]"):
        if "next" not in _attribute(node, "rel").lower().split():
            continue
        target = finder.resolve(_attribute(node, "href"))
        if target and target != finder.url and bare_host(target) == bare_host(finder.url):
            finder.take(target, Purpose.SECTION)
            taken += 1
            if taken >= MAX_NEXT:
                break
    return taken


def _attribute(node: LexborNode, name: str) -> str:
    return node.attributes.get(name) or ""
