"""The program of a deep discovery: reads a site's lists from the newest to the oldest and notes the articles in them.

Nothing is kept of the lists: what they name is fetched and recorded by a crawl. Loads neither Scrapy nor a parser.
"""

from __future__ import annotations

import heapq
import re
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin, urlsplit

import structlog

from crawler.deep.series import find_place, follow_series, is_dated_list
from crawler.model import Purpose
from crawler.robots import list_sitemaps
from crawler.scope import is_announced_outside
from crawler.sites import Sites
from crawler.urls import normalise_url, resolve_link
from crawler.visit import VisitOver

if TYPE_CHECKING:
    from crawler.model import Exchange, Link
    from crawler.visit import Visit

log = structlog.get_logger()

COMMON_SITEMAPS = ("/sitemap.xml", "/sitemap_index.xml")
MAX_WAITING = 20_000
"""Lists that wait at a time; more are let go."""
MAX_FOUND = 200_000
"""Articles that one part of a deep discovery notes; then it ends, and the next goes on."""
_MAX_RECENT = 20_000
_FIRST = date.max.toordinal()
_LISTINGS = frozenset({Purpose.SITEMAP, Purpose.SECTION})


@dataclass(order=True, slots=True)
class _Waiting:
    """A list that is to be read; the newest first, seeds before all."""

    rank: int
    number: int
    url: str = field(compare=False)
    purpose: str = field(compare=False)
    misses: int = field(compare=False, default=0)
    """How many lists of its series before it brought nothing."""


class Digging:
    """How far a deep discovery is: what was read, what waits, what was found. JSON data between its parts."""

    def __init__(self, data: dict[str, Any] | None = None) -> None:
        known = data or {}
        self.read: set[str] = set(known.get("read", ()))
        self.waiting: list[_Waiting] = [_Waiting(*row) for row in known.get("waiting", ())]
        self.begun = bool(known.get("begun"))
        self.lists = 0
        """Read in this part, those among them that could not be had."""
        self.found: dict[str, None] = {}
        """Normalised URLs of articles, found in this part, in the order of finding."""
        self._recent: dict[str, None] = dict.fromkeys(known.get("recent", ()))
        """Articles that earlier parts found last."""
        self._queued = {one.url for one in self.waiting}
        self._number = max((one.number for one in self.waiting), default=0)
        heapq.heapify(self.waiting)

    def encode(self) -> dict[str, Any]:
        """Return how far it is as JSON data, for the next part."""
        rows = [[one.rank, one.number, one.url, one.purpose, one.misses] for one in self.waiting]
        recent = [*self._recent, *self.found][-_MAX_RECENT:]
        return {"begun": self.begun, "read": sorted(self.read), "waiting": rows, "recent": recent}

    def note_article(self, url: str) -> bool:
        """Note the article at the normalised *url*; tell whether it was not found before."""
        new = url not in self.found and url not in self._recent
        self.found[url] = None
        return new

    def add(self, url: str, purpose: Purpose, *, misses: int = 0, seed: bool = False) -> None:
        """Let the list at *url* wait, unless it was read or waits already."""
        try:
            normal = normalise_url(url)
        except ValueError:
            return
        if normal in self.read or normal in self._queued or len(self.waiting) >= MAX_WAITING:
            return
        place = find_place(normal)
        day = _FIRST if seed else place.newest.toordinal() if place is not None and place.newest is not None else 0
        self._number += 1
        self._queued.add(normal)
        heapq.heappush(self.waiting, _Waiting(-day, self._number, normal, purpose.value, misses))

    def take(self) -> _Waiting | None:
        """Return the list whose turn it is."""
        if not self.waiting:
            return None
        one = heapq.heappop(self.waiting)
        self._queued.discard(one.url)
        return one

    def put_back(self, one: _Waiting) -> None:
        """Let *one*, which was taken and could not be asked for, wait again."""
        self._queued.add(one.url)
        heapq.heappush(self.waiting, one)


async def dig(visit: Visit, parameters: dict[str, Any]) -> dict[str, Any]:
    """Read lists of the visit's source until none waits or the visit is over.

    *parameters*: `position`, as the part before returned it, `begin` and `end`, days that lists are to be of (ISO, each
    may be null). Returns `position`, `found`, `lists`, `requests`, and whether it is `done`.
    """
    digging = Digging(parameters.get("position"))
    begin, end = (date.fromisoformat(text) if (text := parameters.get(name)) else None for name in ("begin", "end"))
    done = False
    try:
        if not digging.begun:
            await _begin(visit, digging)
        done = await _read_all(visit, digging, begin, end)
    except VisitOver:
        pass
    return {
        "position": digging.encode(),
        "found": list(digging.found),
        "lists": digging.lists,
        "requests": visit.requests,
        "done": done,
    }


async def _begin(visit: Visit, digging: Digging) -> None:
    """Let those lists wait from which all others are found."""
    source = visit.source
    origin = "{0.scheme}://{0.netloc}".format(urlsplit(source.home))
    robots = await visit.read_robots(origin)
    for url in list_sitemaps(robots.body) if robots.status == 200 else ():
        if (sitemap := resolve_link(origin, url)) is not None:
            digging.add(sitemap, Purpose.SITEMAP, seed=True)
    for entry in source.discover:
        if entry.kind != "feed":  # which has the newest only
            digging.add(entry.url, Purpose(entry.kind), seed=True)
    for path in COMMON_SITEMAPS:
        digging.add(urljoin(origin, path), Purpose.SITEMAP, seed=True)
    digging.add(source.home, Purpose.SECTION, seed=True)
    digging.begun = True


async def _read_all(visit: Visit, digging: Digging, begin: date | None, end: date | None) -> bool:
    """Read lists as long as there are any; tell whether there are no more."""
    own = Sites([visit.source.home, *(entry.url for entry in visit.source.discover)])
    while (one := digging.take()) is not None:
        place = find_place(one.url)
        newest = place.newest if place is not None else None
        if begin is not None and newest is not None and newest < begin:
            continue
        if end is not None and newest is not None and newest > end and place is not None and place.step != "page":
            # not read, but what comes before it may be wanted
            if (before := follow_series(one.url, 0)) is not None:
                digging.add(before, Purpose(one.purpose))
            continue
        try:
            exchange = (await visit.follow(one.url, Purpose(one.purpose)))[-1]
        except VisitOver:
            digging.put_back(one)
            raise
        digging.read.add(one.url)
        digging.lists += 1
        new = await _take_links(visit, digging, exchange, own)
        misses = 0 if new else one.misses + 1
        if (following := follow_series(one.url, misses)) is not None:
            digging.add(following, Purpose(one.purpose), misses=misses)
        log.debug("discovered_links", url=one.url, links=new, error=exchange.error)
        if len(digging.found) >= MAX_FOUND:
            return False
    return True


async def _take_links(visit: Visit, digging: Digging, exchange: Exchange, own: Sites) -> int:
    """Note what *exchange* names; return how many articles were named there for the first time."""
    if exchange.status != 200 or exchange.error is not None:
        return 0
    new = 0
    for links in await visit.pool.links(exchange, visit.settings.max_links):
        for link in links:
            new += _take_link(visit, digging, link, own)
    return new


def _take_link(visit: Visit, digging: Digging, link: Link, own: Sites) -> bool:
    """Note where *link* leads; tell whether that is an article found for the first time."""
    try:
        url = normalise_url(link.url)
    except ValueError:
        return False
    if link.purpose in _LISTINGS:
        if url in own:
            digging.add(url, link.purpose)
    elif visit.source.is_article(url):
        if is_announced_outside(visit.source, link):
            return False
        return digging.note_article(url)
    elif url in own and (is_dated_list(url) or _is_page_of(url, link.via)):
        digging.add(url, Purpose.SECTION)
    return False


def _is_page_of(url: str, listing: str) -> bool:
    """Tell whether *url* is a numbered page of *listing*, or another one beside it."""
    place = find_place(url)
    if place is None or place.step != "page":
        return False
    there, here = urlsplit(url), urlsplit(listing)
    if there.netloc != here.netloc:
        return False
    if there.query:
        return there.path.rstrip("/") == here.path.rstrip("/")
    stem = re.sub(r"/[a-z]+[/-]\d+/?$", "", there.path)
    return stem == re.sub(r"/[a-z]+[/-]\d+/?$", "", here.path).rstrip("/")
