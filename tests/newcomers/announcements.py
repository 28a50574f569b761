"""How a site announces its articles: RSS, RDF, Atom, JSON Feed, sitemaps and their indexes, lists of URLs."""

from __future__ import annotations

import gzip
import json
from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tests.newcomers.prose import Story

Entry = tuple["Story", str]
"""A story and its address."""
_XML = '<?xml version="1.0" encoding="UTF-8"?>\n'
_SITEMAPS = 'xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"'
_NEWS = 'xmlns:news="http://www.google.com/schemas/sitemap-news/0.9"'


def write_rss(title: str, home: str, entries: Iterable[Entry]) -> bytes:
    """Return an RSS 2.0 feed."""
    items = "".join(
        f"<item><title>{escape(story.title)}</title><link>{escape(url)}</link><guid>{escape(url)}</guid>"
        f"<description>{escape(story.lead)}</description>"
        f"<pubDate>{story.published:%a, %d %b %Y %H:%M:%S} +0000</pubDate></item>\n"
        for story, url in entries
    )
    return (
        f'{_XML}<rss version="2.0"><channel><title>{escape(title)}</title><link>{escape(home)}</link>{items}</channel>'
        "</rss>"
    ).encode()


def write_rdf(title: str, home: str, entries: Iterable[Entry]) -> bytes:
    """Return an RSS 1.0 feed, which is RDF."""
    items = "".join(
        f'<item rdf:about="{escape(url)}"><title>{escape(story.title)}</title><link>{escape(url)}</link>'
        f"<dc:date>{story.published.isoformat()}</dc:date></item>\n"
        for story, url in entries
    )
    spaces = (
        'xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns="http://purl.org/rss/1.0/" '
        'xmlns:dc="http://purl.org/dc/elements/1.1/"'
    )
    return (
        f'{_XML}<rdf:RDF {spaces}><channel rdf:about="{escape(home)}"><title>{escape(title)}</title>'
        f"</channel>{items}</rdf:RDF>"
    ).encode()


def write_atom(title: str, home: str, entries: Iterable[Entry]) -> bytes:
    """Return an Atom feed."""
    items = "".join(
        f'<entry><title>{escape(story.title)}</title><link rel="alternate" href="{escape(url)}"/>'
        f"<id>{escape(url)}</id><published>{story.published.isoformat()}</published>"
        f"<updated>{story.published.isoformat()}</updated></entry>\n"
        for story, url in entries
    )
    return (
        f'{_XML}<feed xmlns="http://www.w3.org/2005/Atom"><title>{escape(title)}</title>'
        f'<link href="{escape(home)}"/><id>{escape(home)}</id>{items}</feed>'
    ).encode()


def write_json_feed(title: str, home: str, entries: Iterable[Entry]) -> bytes:
    """Return a JSON Feed."""
    items = [
        {
            "id": url,
            "url": url,
            "title": story.title,
            "summary": story.lead,
            "date_published": story.published.isoformat(),
        }
        for story, url in entries
    ]
    data = {"version": "https://jsonfeed.org/version/1.1", "title": title, "home_page_url": home, "items": items}
    return json.dumps(data, ensure_ascii=False).encode()


def write_broken_feed(title: str, entries: Iterable[Entry]) -> bytes:
    """Return what some sites take for RSS: bare ampersands, HTML entities, Latin-1 bytes, paths for links, no end."""
    items = "".join(
        f"<item><title>{story.title} & más&nbsp;&raquo;</title><link>{url}</link>"
        f"<description><b>{story.lead}</description><pubDate>{story.published:%d/%m/%Y %H:%M}</pubDate></item>\n"
        for story, url in entries
    )
    return f'\n<?xml version="1.0" encoding="UTF-8"?><rss version=2.0><channel><title>{title}</title>{items}'.encode(
        "latin-1", "replace"
    )


def write_sitemap(entries: Iterable[tuple[Story | None, str]]) -> bytes:
    """Return a sitemap; pages that are no stories have no time."""
    items = "".join(
        f"<url><loc>{escape(url)}</loc>{f'<lastmod>{story.published.isoformat()}</lastmod>' if story else ''}</url>\n"
        for story, url in entries
    )
    return f"{_XML}<urlset {_SITEMAPS}>{items}</urlset>".encode()


def write_news_sitemap(title: str, entries: Iterable[Entry]) -> bytes:
    """Return a news sitemap."""
    items = "".join(
        f"<url><loc>{escape(url)}</loc><news:news><news:publication><news:name>{escape(title)}</news:name>"
        f"<news:language>{story.language}</news:language></news:publication>"
        f"<news:publication_date>{story.published.isoformat()}</news:publication_date>"
        f"<news:title>{escape(story.title)}</news:title></news:news></url>\n"
        for story, url in entries
    )
    return f"{_XML}<urlset {_SITEMAPS} {_NEWS}>{items}</urlset>".encode()


def write_sitemap_index(urls: Iterable[str]) -> bytes:
    """Return an index of sitemaps."""
    items = "".join(f"<sitemap><loc>{escape(url)}</loc></sitemap>\n" for url in urls)
    return f"{_XML}<sitemapindex {_SITEMAPS}>{items}</sitemapindex>".encode()


def pack(data: bytes) -> bytes:
    """Return *data* as a `.gz` file."""
    return gzip.compress(data, mtime=0)
