"""Where a site may announce its articles: which of the places that were seen, or are common, are worth a request."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import urljoin, urlsplit

from crawler.sites import Sites
from crawler.survey.shapes import DATED_KINDS, Kind, count_words, find_hint, read_parts
from crawler.survey.words import NO_SECTION_WORDS
from crawler.urls import find_normal

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from crawler.discover.page_facts import PageFacts, SeenLink
    from crawler.survey.facts import AnnouncedLink

FEED_TYPES = frozenset(
    {"application/rss+xml", "application/atom+xml", "application/feed+json", "application/rdf+xml", "application/json"}
)
COMMON_FEEDS = ("/feed", "/rss.xml", "/feed.xml", "/rss", "/atom.xml", "/feed.json", "/index.xml")
COMMON_SITEMAPS = ("/sitemap.xml", "/sitemap_index.xml", "/news-sitemap.xml", "/sitemap-news.xml", "/sitemap.txt")

_FEED_PATH = re.compile(
    r"/(?:rss|feeds?|atom)(?:[./_-][^?]{0,100})?/?$|\.(?:rss|atom)$|/[^/]{0,50}(?:rss|feed)\.(?:xml|json)$",
    re.IGNORECASE,
)
_NO_FEED_OF_ARTICLES = re.compile(r"comments?|kommentare|comentarios|podcasts?|replies|oembed|wp-json", re.IGNORECASE)
_NEWS = re.compile(r"news|latest|recent|aktuell|actualit|noticias|today", re.IGNORECASE)
_ARTICLES = re.compile(r"article|artikel|post|stor(?:y|ies)|noticia|content|beitrag", re.IGNORECASE)
_NO_ARTICLES = re.compile(
    r"tags?(?![a-z])|categ|author|autor|user|image|video|photo|gallery|topic|taxonom|page(?![a-z])|pages|static"
    r"|product|forum|profile|event|section",
    re.IGNORECASE,
)
_NUMBERS = re.compile(r"\d+")
_MAX_SECTION_WORDS = 4
_NAMED, _AT_THE_FOOT = 2.0, 0.6
"""Ratings of a link in the navigation, and of one that counts only where there is no navigation."""
_MAX_SECTION_TEXT = 40
_PAGES = frozenset({"", "html", "htm", "php", "asp", "aspx", "jsp", "shtml", "do", "cfm"})


def root_of(url: str) -> str:
    """Return `scheme://host[:port]` of *url*."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def list_named_feeds(page: PageFacts) -> list[str]:
    """Return the feeds that *page* names, those of `<link>` first; none of comments."""
    named = [
        one.url for one in page.alternates if one.media_type in FEED_TYPES and not _is_side_feed(one.url, one.title)
    ]
    own = Sites([page.url])
    linked = [link.url for link in page.links if link.url in own and _FEED_PATH.search(urlsplit(link.url).path)]
    return [url for url in unique([*named, *linked]) if not _NO_FEED_OF_ARTICLES.search(urlsplit(url).path)]


def _is_side_feed(url: str, title: str | None) -> bool:
    return bool(_NO_FEED_OF_ARTICLES.search(f"{urlsplit(url).path} {title or ''}"))


def list_common(home: str, paths: Iterable[str]) -> list[str]:
    """Return the common places of *paths* at the site of *home*; below its folder first, where it has one."""
    base, places = root_of(home), []
    folder = urlsplit(home).path.rpartition("/")[0]
    for path in paths:
        if folder.strip("/"):
            places.append(f"{base}{folder}{path}")
        places.append(f"{base}{path}")
    return unique(places)


def order_members(members: Sequence[AnnouncedLink]) -> list[str]:
    """Return the members of a sitemap index, those first that tell most of the articles of these days.

    Of those that differ in numbers alone, the one that was changed last stands for all; the others follow at the end.
    """
    alike: dict[str, list[AnnouncedLink]] = {}
    for member in members:
        alike.setdefault(_NUMBERS.sub("#", member.url), []).append(member)
    first, rest = [], []
    for group in alike.values():
        ordered = sorted(group, key=_newness, reverse=True)
        first.append(ordered[0].url)
        rest += [member.url for member in ordered[1:]]
    return [*sorted(first, key=_rank_member), *rest]


def _newness(member: AnnouncedLink) -> tuple[float, list[int]]:
    when = member.modified or member.published
    return when.timestamp() if when else 0.0, [int(number[:18]) for number in _NUMBERS.findall(member.url)]


def _rank_member(url: str) -> int:
    path = urlsplit(url).path
    if _NO_ARTICLES.search(path):
        return 3
    return 0 if _NEWS.search(path) else 1 if _ARTICLES.search(path) else 2


def is_news_place(url: str) -> bool:
    """Whether a sitemap at *url* is, by its name, one of the newest articles."""
    return bool(_NEWS.search(urlsplit(url).path))


def choose_sections(page: PageFacts) -> list[str]:
    """Return the links of *page* that may be sections, the likeliest first."""
    own, home = Sites([page.url]), find_normal(page.url)
    rated: dict[str, tuple[float, int]] = {}
    for number, link in enumerate(page.links):
        rating = _rate_section(link) if link.url in own else 0.0
        normal = find_normal(link.url) if rating else None
        if normal is not None and normal != home:
            best, at = rated.get(normal, (0.0, number))
            rated[normal] = max(best, rating), at
    named = any(rating >= _NAMED for rating, _ in rated.values())
    kept = {url: rated[url] for url in rated if not named or rated[url][0] > _AT_THE_FOOT}
    return [url for url, _ in sorted(kept.items(), key=lambda item: (-item[1][0], item[1][1]))]


def _rate_section(link: SeenLink) -> float:
    parts = read_parts(link.url)
    if parts is None or link.headline or not (parts.segments or parts.query or link.place == "nav"):
        return 0.0
    words = {segment.lower() for segment in parts.segments}
    hint = find_hint(parts)
    if hint in {"static", "media"} or words & NO_SECTION_WORDS or parts.suffix.lower() not in _PAGES:
        return 0.0
    if len(link.text) > _MAX_SECTION_TEXT or count_words(link.text) > _MAX_SECTION_WORDS or len(parts.segments) > 4:
        return 0.0
    if any(kind in DATED_KINDS for kind in parts.kinds) or (
        parts.segments and count_words(parts.segments[-1]) > _MAX_SECTION_WORDS
    ):
        return 0.0
    rating = {"nav": 3.0, "header": 2.5, "main": 1.0, "aside": 0.7, "footer": _AT_THE_FOOT}[link.place]
    rating -= 0.2 * max(0, len(parts.segments) - 1) + 0.3 * bool(parts.query)
    return max(rating + (0.5 if hint == "listing" else 0.0), 0.1) if link.text else 0.0


def list_page_numbers(page: PageFacts) -> list[str]:
    """Return the links of *page* to further pages of the same list, where no `rel=next` says so."""
    here = urlsplit(page.url)
    found = []
    for link in page.links:
        there = urlsplit(link.url)
        if there.netloc == here.netloc and _is_next(here.path, there.path, there.query):
            found.append(link.url)
    return unique(found)


_PAGE_QUERY = re.compile(r"(?:^|&)(?:page|paged|p|pg|seite|pagina|start|offset)=\d{1,6}(?:&|$)", re.IGNORECASE)
_PAGE_PATH = re.compile(r"/?(?:page|seite|pagina|p)[/-]?\d{1,6}/?", re.IGNORECASE)


def _is_next(here: str, there: str, query: str) -> bool:
    if here == there and _PAGE_QUERY.search(query):
        return True
    base = here.rstrip("/")
    return there.startswith(base) and bool(_PAGE_PATH.fullmatch(there[len(base) :]))


def join(base: str, url: str) -> str | None:
    """Return *url*, as robots.txt names it at *base*, made absolute; `None` if it is no http(s) URL."""
    try:
        whole = urljoin(base, url)
    except ValueError:
        return None
    return whole if find_normal(whole) is not None else None


def unique(urls: Iterable[str]) -> list[str]:
    """Return *urls*, each once by its normal form, as it came first."""
    found: dict[str, str] = {}
    for url in urls:
        normal = find_normal(url)
        if normal is not None:
            found.setdefault(normal, url)
    return list(found.values())


def iterate_dated(urls: Iterable[str]) -> Iterator[str]:
    """Yield those of *urls* that are pages of a day, a month or a year and of nothing else: calendars, archives."""
    for url in urls:
        parts = read_parts(url)
        if parts is None:
            continue
        dates = sum(kind in DATED_KINDS for kind in parts.kinds)
        named = any(kind in {Kind.SLUG, Kind.CODE} for kind in parts.kinds) or Kind.NUMBER in parts.kinds
        in_query = {"date", "day", "month", "year", "d", "m", "y"} & {name.lower() for name, _ in parts.query}
        if (dates and not named and parts.kinds[-1] in DATED_KINDS) or (in_query and not named):
            yield url
