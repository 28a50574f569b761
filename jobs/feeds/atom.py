"""Entries → an Atom feed (RFC 4287), written by the standard library's XML."""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

from crawler.rows import format_time

if TYPE_CHECKING:
    from collections.abc import Iterable

    from jobs.feeds.items import FeedItem

NAMESPACE = "http://www.w3.org/2005/Atom"
MEDIA_TYPE = "application/atom+xml"


def encode_entry(item: FeedItem, *, page_url: str | None = None) -> str:
    """Return an entry as XML; it belongs into the feed's namespace.

    *page_url*: a page about what happened, to be linked in place of the article, which is related then.
    """
    entry = ET.Element("entry")
    _add(entry, "id", item.id)
    _add(entry, "title", item.title)
    _add(entry, "updated", format_time(item.told.at))
    _add(entry, "published", format_time(item.told.since))
    ET.SubElement(entry, "link", {"rel": "alternate", "href": page_url or item.url})
    if page_url:
        ET.SubElement(entry, "link", {"rel": "related", "href": item.url})
    for tag in item.tags:
        ET.SubElement(entry, "category", {"term": tag})
    _add(entry, "summary", item.summary)
    _add(entry, "content", item.html, type="html")
    return ET.tostring(entry, encoding="unicode")


def encode_feed(
    title: str,
    feed_id: str,
    updated: str,
    entries: Iterable[str],
    *,
    feed_url: str | None,
    generator: str,
    page_url: str | None = None,
) -> bytes:
    """Return a feed of encoded *entries*. *page_url*: a page that tells the same."""
    head = ET.Element("feed", {"xmlns": NAMESPACE})
    _add(head, "id", feed_id)
    _add(head, "title", title)
    _add(head, "updated", updated)
    _add(ET.SubElement(head, "author"), "name", "ofrecord")
    _add(head, "generator", generator)
    if feed_url:
        ET.SubElement(head, "link", {"rel": "self", "href": feed_url, "type": MEDIA_TYPE})
    if page_url:
        ET.SubElement(head, "link", {"rel": "alternate", "href": page_url, "type": "text/html"})
    start = ET.tostring(head, encoding="unicode").removesuffix("</feed>")
    return ('<?xml version="1.0" encoding="utf-8"?>\n' + "\n".join([start, *entries, "</feed>"]) + "\n").encode()


def _add(parent: ET.Element, name: str, text: str, **attributes: str) -> None:
    ET.SubElement(parent, name, attributes).text = text
