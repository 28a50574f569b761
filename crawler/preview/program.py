"""The program of a preview: reads the listings that a run would read, judges their links, reads some of the pages."""

from __future__ import annotations

import contextlib
import heapq
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime
from itertools import count
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from config.errors import ExtractError
from crawler.directives import product_token
from crawler.model import Link, Purpose
from crawler.outcome import make_context
from crawler.preview.facts import LinkSeen, ListingSeen, PageSeen, Preview, encode_preview
from crawler.preview.judging import judge_by_robots, judge_link, refuse_listing
from crawler.scope import leave_out
from crawler.sites import Sites, list_own_urls
from crawler.urls import normalise_url
from crawler.visit import VisitOver

if TYPE_CHECKING:
    from crawler.model import Exchange, FieldValue
    from crawler.visit import Visit

LISTINGS = (Purpose.FEED, Purpose.SITEMAP, Purpose.SECTION)
"""In the order in which a run reads them: feeds and sitemaps first."""
MAX_LINKS = 50_000
MAX_LINK_CHARS = 16 * 1024 * 1024
"""Of all links that are handed over; more are counted."""
MAX_LISTED = 1_000
"""Listings that are told of, read or not."""
MAX_ORIGINS = 5
"""Hosts of articles whose robots.txt is asked what it forbids."""
REQUESTS_PER_PAGE = 2
"""A page of the sample may lie behind a redirect."""
_OLD = datetime.min.replace(tzinfo=UTC)


async def preview_source(visit: Visit, parameters: dict[str, Any]) -> dict[str, Any]:
    """Return a Preview as JSON data of what a run of the visit's source would fetch now, and make of it.

    *parameters*: `url`, of a page that alone is looked at, or `None`; `pages`, how many pages are read as a sample;
    `still`, whether the pages themselves are wanted, made harmless.
    """
    look = _Look(visit, still=bool(parameters["still"]))
    over = None
    try:
        if parameters["url"] is None:
            pages = int(parameters["pages"])
            reserved = min(REQUESTS_PER_PAGE * pages, visit.limits.requests // 2)
            await look.discover(reserved=reserved)
            await look.ask_robots(reserved=reserved)
            for link in look.choose_sample(pages):
                await look.read_page(link)
        else:
            await look.read_page(judge_link(visit.source, Link(str(parameters["url"]), via="")))
    except VisitOver as error:
        over = str(error)
    return encode_preview(look.sum_up(over))


class _Look:
    """One look at a source: what has been found so far."""

    def __init__(self, visit: Visit, *, still: bool) -> None:
        self._visit = visit
        self._source = visit.source
        self._still = still
        self._context = make_context(visit.source, visit.settings, record=False)
        self._product = product_token(visit.settings.user_agent)
        self._own = Sites(list_own_urls(self._source))
        self._waiting: list[tuple[int, float, int, ListingSeen, int]] = []
        """Rank, age, number, listing, depth: a heap."""
        self._numbers = count()
        self._known: set[str] = set()
        self._origins: set[str] = set()
        """Whose robots.txt was read."""
        self._links: dict[str, LinkSeen] = {}
        self._chars = 0
        self._found = self._wanted = 0
        self._listings: list[ListingSeen] = []
        self._pages: list[PageSeen] = []

    def sum_up(self, over: str | None) -> Preview:
        """Return what was found until now."""
        left = [replace(entry[3], unread=over or "the preview ended before") for entry in sorted(self._waiting)]
        return Preview(
            looked_at=datetime.now(UTC),
            requests=self._visit.requests,
            listings=tuple([*self._listings, *left][:MAX_LISTED]),
            links=tuple(map(self._name_own, self._links.values())),
            links_found=self._found,
            links_wanted=self._wanted,
            pages=tuple(self._pages),
            over=over,
        )

    def _name_own(self, link: LinkSeen) -> LinkSeen:
        """Return *link*, which may be to a listing of the source: that is fetched, and no page."""
        if link.wanted or link.url not in self._known:
            return link
        return replace(link, reason="one of the source's own listings")

    # --- listings

    async def discover(self, *, reserved: int) -> None:
        """Read the source's listings and those that they name, until no more than *reserved* requests are left."""
        for seed in self._source.discover:
            self._let_wait(ListingSeen(seed.url, seed.kind), depth=0)
        while self._waiting:
            if self._count_left() <= reserved:
                reason = f"the other {reserved} requests are kept for the sample" if reserved else "no request is left"
                self._listings += [replace(entry[3], unread=reason) for entry in sorted(self._waiting)]
                self._waiting.clear()
                return
            entry = heapq.heappop(self._waiting)
            try:
                await self._read(entry[3], depth=entry[4])
            except VisitOver:
                heapq.heappush(self._waiting, entry)
                raise

    def _count_left(self) -> int:
        return self._visit.limits.requests - self._visit.requests

    def _let_wait(self, listing: ListingSeen, *, depth: int, modified: datetime | None = None) -> None:
        """Put *listing* among those to be read: seeds first, then feeds and sitemaps, the newest before the others."""
        try:
            normal = normalise_url(listing.url)
        except ValueError as error:
            self._listings.append(replace(listing, error=f"no address of a page: {error}"))
            return
        if normal in self._known:
            return
        self._known.add(normal)
        rank = (0 if depth == 0 else 2) + (listing.purpose == Purpose.SECTION)
        age = -(modified or _OLD).timestamp() if modified else float("inf")
        heapq.heappush(self._waiting, (rank, age, next(self._numbers), listing, depth))

    async def _read(self, listing: ListingSeen, *, depth: int) -> None:
        exchanges = await self._visit.follow(listing.url, Purpose(listing.purpose), via=listing.via)
        last = exchanges[-1]
        self._known |= {normalise_url(one.url) for one in exchanges[1:]}
        self._origins |= {_origin_of(one.url) for one in exchanges}
        listing = replace(listing, status=last.status)
        if last.error is not None or last.status != 200:
            self._listings.append(replace(listing, error=last.error or f"status {last.status}, expected 200"))
            return
        found = articles = first = named = 0
        here = Sites([last.url])
        stream = await self._visit.pool.links(last, self._visit.settings.max_links)
        for links in stream:
            for link in links:
                seen = judge_link(self._source, link)
                if link.purpose in LISTINGS and not (link.numbered and seen.wanted):
                    named += 1
                    self._name_listing(link, here, depth)
                else:
                    found += 1
                    articles += seen.wanted
                    first += self._take(seen) and seen.wanted
        cut = f"cut ({last.truncated}) after {len(last.body)} bytes" if last.truncated else None
        self._listings.append(
            replace(listing, links=found, articles=articles, first=first, listings=named, error=stream.error or cut)
        )

    def _name_listing(self, link: Link, here: Sites, depth: int) -> None:
        listing = ListingSeen(link.url, link.purpose.value, via=link.via)
        max_depth = self._visit.settings.max_depth
        reason = refuse_listing(link.url, here=here, own=self._own, depth=depth, max_depth=max_depth)
        if reason is None:
            self._let_wait(listing, depth=depth + 1, modified=link.modified)
        elif len(self._listings) < MAX_LISTED and link.url not in self._known:
            self._known.add(link.url)
            self._listings.append(replace(listing, error=reason))

    def _take(self, link: LinkSeen) -> bool:
        """Keep *link* unless it is known; tell whether it was not."""
        if link.url in self._links:
            return False
        self._found += 1
        self._wanted += link.wanted
        self._chars += len(link.url) + len(link.target) + len(link.title or "")
        if len(self._links) < MAX_LINKS and self._chars < MAX_LINK_CHARS:
            self._links[link.url] = link
        return True

    # --- pages

    async def ask_robots(self, *, reserved: int) -> None:
        """Find out which of the links robots.txt of their hosts forbids: of those hosts that most of them lead to."""
        origins = Counter(_origin_of(link.url) for link in self._links.values() if link.wanted)
        for origin, _ in origins.most_common(MAX_ORIGINS):
            if origin not in self._origins and self._count_left() <= reserved:
                continue
            exchange = await self._visit.read_robots(origin)
            links = [link for link in self._links.values() if link.wanted and _origin_of(link.url) == origin]
            judged = judge_by_robots(links, exchange, self._product)
            self._links.update((link.url, link) for link in judged)
            self._wanted -= sum(not link.wanted for link in judged)

    def choose_sample(self, number: int) -> list[LinkSeen]:
        """Return *number* of the wanted links: the newest, and of different parts of the site where there are some."""
        wanted = [link for link in self._links.values() if link.wanted]
        wanted.sort(key=lambda link: link.published or link.modified or _OLD, reverse=True)
        chosen: dict[str, LinkSeen] = {}
        for link in wanted:
            chosen.setdefault(_part_of(link.url), link)
        first = [*chosen.values()][:number]
        return [*first, *(link for link in wanted if link not in first)][:number]

    async def read_page(self, link: LinkSeen) -> None:
        """Fetch the page that *link* leads to and read it as a run would."""
        page = PageSeen(link.url, link.wanted, link.reason)
        exchanges = await self._visit.follow(link.target, Purpose.ARTICLE, via=link.via or None)
        last = exchanges[-1]
        page = replace(page, way=tuple(one.url for one in exchanges[1:]), status=last.status, error=last.error)
        self._pages.append(page if last.status is None else await self._read_answer(last, page))

    async def _read_answer(self, exchange: Exchange, page: PageSeen) -> PageSeen:
        pool, context = self._visit.pool, self._context
        outcome = leave_out(self._source, page.url, await pool.page(exchange, context), None)
        page = replace(
            page,
            page_class=outcome.page_class.value,
            class_reason=outcome.class_reason,
            directives=outcome.directives,
            error=page.error or outcome.extraction_error,
        )
        if (snapshot := outcome.snapshot) is not None:
            page = replace(
                page,
                title=snapshot.title,
                lead=snapshot.lead,
                text=snapshot.text,
                fields={name: _describe_field(found) for name, found in snapshot.fields.items()},
                confidence=snapshot.confidence,
            )
        if exchange.body and not outcome.withheld:
            page = replace(page, explanation=await pool.explain(exchange, context, whole=True))
        if self._still and exchange.body and not outcome.withheld:
            with contextlib.suppress(ExtractError):  # what the page is says `page_class`
                page = replace(page, still=await pool.still(exchange.as_rendered()))
        return page


def _describe_field(found: FieldValue) -> dict[str, Any]:
    told = {"assumed_zone": found.assumed_zone, "confidence": found.confidence}
    return {"value": found.value, "from": found.origin} | {key: said for key, said in told.items() if said is not None}


def _origin_of(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def _part_of(url: str) -> str:
    """Return host and first step of the path of *url*: where on a site it lies."""
    parts = urlsplit(url)
    return f"{parts.netloc}/{parts.path.split('/')[1]}"
