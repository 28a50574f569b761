"""The one spider of every source: seeds in, requests and `PageItem`s out. Pages are read by workers, never here."""

from __future__ import annotations

import asyncio
import sys
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import structlog
from scrapy import Request, Spider

from crawler.assets import TOO_MANY_HOSTS
from crawler.compare import AnnouncementBudget, is_wanted, may_fill
from crawler.conditional import ConditionalRequests
from crawler.exchanges import OwnHeaders, exchange_of, failed_exchange
from crawler.frontier import ASSET, BATCH, FOUND, TAKEN, WaitingAsset, WaitingLink
from crawler.items import PageItem, RunStopped
from crawler.model import Link, Purpose
from crawler.outcome import find_redirect
from crawler.room import write_when_there_is_room
from crawler.rows import LinkRow, encode_row
from crawler.scope import describe_scope, is_announced_outside
from crawler.sites import Sites, list_own_urls
from crawler.urls import MAX_URL_CHARACTERS, normalise_url

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Container, Iterator

    from scrapy.http import Response
    from twisted.python.failure import Failure

    from config.sources import Source
    from crawler.announcement import LinkStream
    from crawler.items import Run
    from crawler.model import Exchange
    from crawler.validators import Validators

log = structlog.get_logger()

LISTING_PURPOSES = frozenset({Purpose.FEED, Purpose.SITEMAP, Purpose.SECTION})
LISTINGS_AT_A_TIME = 1
"""So many documents are gone through at a time: the links of one may take some megabytes, in a worker and here."""
_PRIORITIES = {Purpose.FEED: 20, Purpose.SITEMAP: 20, Purpose.SECTION: 10, Purpose.ARTICLE: 0, Purpose.ASSET: 0}


class NewsSpider(Spider):
    """Crawls one source once."""

    name = "news"

    def __init__(self, *, run: Run, **kwargs: Any) -> None:  # noqa: ANN401 - Scrapy's own arguments
        super().__init__(**kwargs)
        self.run = run
        self._own_headers = OwnHeaders(run)
        self._own_sites = Sites(list_own_urls(run.source))
        self._conditional = ConditionalRequests(run)
        self._articles = 0
        self._scope = describe_scope(run.source)
        self._announced = AnnouncementBudget(run.plan.announced, self._scope)
        self._reading = asyncio.Semaphore(LISTINGS_AT_A_TIME)

    async def start(self) -> AsyncIterator[Request]:
        """Yield the first requests: given pages and nothing else, or seeds and known pages to look at again."""
        plan = self.run.plan
        if plan.urls_file is not None:
            self.run.tally.seeded = True
            async for request in self._request_listed(plan.urls_file, known=False):
                yield request
            return
        for number, entry in enumerate(self.run.source.discover):
            self.run.tally.discovery.append({"url": entry.url, "purpose": entry.kind, "links": 0, "error": None})
            if self._is_first_sight(entry.url):
                self.run.tally.listings += 1
                yield _mark_start(self._request(entry.url, Purpose(entry.kind), seed=number))
        self.run.tally.seeded = True
        if plan.recheck_file is not None:
            async for request in self._request_listed(plan.recheck_file, known=True):
                yield request

    @property
    def has_waiting(self) -> bool:
        """Whether there is anything that waits for `next_page`."""
        return self.run.frontier.has_waiting

    def next_page(self) -> Request | None:
        """Return the request of the page whose turn it is, behind all pages that of an asset; `None` if nothing waits.

        A disk that refuses ends the run.
        """
        try:
            link = self.run.frontier.pop()
            asset = self.run.frontier.pop_asset() if link is None else None
        except OSError as error:
            self.run.fail(error)
            return None
        if link is None:
            return None if asset is None else self._request_asset(asset)
        self.run.waiting[link.row.url] = link.row
        via, validators = None if link.listed else link.row.via, self._conditional.find_page(link)
        return self._request(link.target, Purpose.ARTICLE, via=via, normal=link.row.url, validators=validators)

    async def parse_answer(self, response: Response) -> AsyncIterator[PageItem | Request]:
        """Yield the exchange itself, then what follows from it: a redirect's target, or the links of a listing."""
        exchange, meta = exchange_of(response), response.meta
        self._arrived(meta)
        item = PageItem(
            exchange,
            meta["url"],
            validators=meta.get("validators"),
            conditional=meta.get("conditional", False),
            page=meta.get("page", ""),
            depth=meta["depth"],
        )
        yield item
        target = find_redirect(exchange)
        if target is not None:
            hop = self._follow_redirect(target, exchange, meta)
            if hop is not None:
                yield hop
        elif exchange.purpose not in LISTING_PURPOSES:
            return
        elif item.confirmed:
            self._note_discovery(meta, 0, None)
            self.run.tally.note_settled(meta["seed"], self.run.listing_rules)
        elif exchange.status != 200:
            self._note_discovery(meta, 0, f"status {exchange.status}, expected 200")
        else:
            async with self._reading:
                discovery = await self.run.pool.links(exchange, self.run.settings.max_links)
                async for request in self._follow_links(discovery, exchange, meta):
                    yield request

    async def parse_failure(self, failure: Failure) -> AsyncIterator[PageItem]:
        """Yield the attempt that got no answer as an exchange with an error; nothing if it is left to do."""
        request: Request = failure.request  # type: ignore[attr-defined]  # Scrapy puts it there
        error, meta = failure.value, request.meta
        if isinstance(error, RunStopped):
            if not self.run.stopping and Purpose(meta["purpose"]) in LISTING_PURPOSES:
                self._note_discovery(meta, 0, str(error))  # the run goes on without this listing
            return
        self._arrived(meta)
        exchange = failed_exchange(request.url, Purpose(meta["purpose"]), error, via=meta["via"])
        if exchange.purpose in LISTING_PURPOSES:
            self._note_discovery(meta, 0, exchange.error)
        yield PageItem(exchange, meta["url"])

    async def _request_listed(self, path: str, *, known: bool) -> AsyncIterator[Request]:
        """Let each URL in the file *path*, one a line, wait in its order; yield the request of one now and then.

        *known*: these are of the archive.
        """
        with Path(path).open(encoding="utf-8", errors="replace") as lines:  # noqa: ASYNC230 - of this disk, a few KiB at a time
            urls = (url for line in lines if (url := line.strip()) and not url.startswith("#"))
            while batch := list(islice(urls, BATCH)):
                self.run.tally.listed += len(batch)
                links: dict[str, Link] = {}
                for url in batch:
                    if (normal := self._normalise(url)) is not None:
                        links.setdefault(normal, Link(url=url, via=url))
                before = self.run.frontier.mark(list(links), TAKEN)
                new = [one for one, marks in zip(links.items(), before, strict=True) if not marks & TAKEN]
                await self._let_wait(new, listed=True, known={url for url, _ in new} if known else ())
                if (request := self._wake()) is not None:
                    yield request

    def _follow_redirect(self, target: str, exchange: Exchange, meta: dict[str, Any]) -> Request | None:
        own, error = meta["url"], None
        if meta["hops"] >= self.run.settings.max_redirects:
            error = f"more than {self.run.settings.max_redirects} redirects"
        elif normalise_url(target) != own and not self._is_first_sight(target, exchange.purpose):
            error = "redirects to a page that this run has already"
        elif exchange.purpose is Purpose.ASSET and not (self.run.assets and self.run.assets.may_ask(target)):
            error = TOO_MANY_HOSTS
        if error is not None:
            log.info("skipped_page", url=target, via=exchange.url, reason=error)
            if exchange.purpose in LISTING_PURPOSES:
                self._note_discovery(meta, 0, error)
            return None
        if exchange.purpose is Purpose.ASSET:
            asset = WaitingAsset(target, exchange.url, meta["page"], meta["depth"])
            return self._request_asset(asset, hops=meta["hops"] + 1)
        return self._request(
            target, exchange.purpose, via=exchange.url, seed=meta["seed"], depth=meta["depth"], hops=meta["hops"] + 1
        )

    async def _follow_links(
        self, discovery: LinkStream, exchange: Exchange, meta: dict[str, Any]
    ) -> AsyncIterator[Request]:
        """Let the pages in one document wait, some at a time; yield the requests of the listings that it names."""
        found, settled, gaps = 0, True, self.run.plan.gaps
        left: dict[str, tuple[str, int]] = {}
        numbered: list[Link] = []
        for links in discovery:
            numbered += [link for link in links if link.numbered and _find_article(self.run.source, link) is None]
            listings = [link for link in links if link.purpose in LISTING_PURPOSES and not link.numbered]
            for link in self._choose_listings(listings, exchange, meta, left):
                yield self._request(
                    link.url, link.purpose, via=exchange.url, seed=meta["seed"], depth=meta["depth"] + 1
                )
            pages = [one for one in links if one.numbered or one.purpose not in LISTING_PURPOSES]
            pages = [one for one in pages if may_fill(one, gaps)]
            number, settled = await self._consider(pages, settled=settled and not listings)
            found += number
            if (request := self._wake()) is not None:
                yield request
        for link in self._choose_listings([] if settled else numbered, exchange, meta, left):
            yield self._request(link.url, link.purpose, via=exchange.url, seed=meta["seed"], depth=meta["depth"] + 1)
        for reason, (url, number) in left.items():
            log.info("skipped_page", url=url, via=exchange.url, reason=reason, pages=number)
        error = discovery.error or ("cut: " + exchange.truncated if exchange.truncated else None)
        self._note_discovery(meta, found, error)
        if settled and error is None and not discovery.truncated:
            self.run.tally.note_settled(meta["seed"], self.run.listing_rules, exchange.url)
        log.debug("discovered_links", url=exchange.url, links=found, truncated=discovery.truncated, error=error)

    def _choose_listings(
        self, links: list[Link], exchange: Exchange, meta: dict[str, Any], left: dict[str, tuple[str, int]]
    ) -> Iterator[Link]:
        """Yield those of the listings in one document that are to be fetched; count in *left* why others are not."""
        settings = self.run.settings
        here = Sites([exchange.url])
        named: dict[str, Link] = {}
        for link in links:
            if (url := self._normalise(link.url)) is not None:
                named.setdefault(url, link)
        own = {url: link for url, link in named.items() if link.url in here or link.url in self._own_sites}
        deep = meta["depth"] >= settings.max_depth
        before = [TAKEN] * len(own) if deep else self.run.frontier.mark(list(own), TAKEN)
        seen = {url for url, marks in zip(own, before, strict=True) if marks & TAKEN}
        for url, link in named.items():
            if deep:
                reason = f"deeper than max_depth: {settings.max_depth}"
            elif url not in own:
                reason = "a listing on another site: add it to the source's discover, if it is the source's own"
            elif url in seen:
                continue
            elif self.run.tally.listings >= settings.max_listings:
                reason = f"more than max_listings: {settings.max_listings}"
                if not self.run.stopping:
                    self.run.reason = "limit"
            else:
                self.run.tally.listings += 1
                yield link
                continue
            first, number = left.get(reason, (link.url, 0))
            left[reason] = first, number + 1

    async def _consider(self, links: list[Link], *, settled: bool) -> tuple[int, bool]:
        """Let those of *links* wait that are to be fetched now; return how many are articles first found here.

        Also whether none of them, those that wait already among them, is one that the archive lacks; *settled*: whether
        that may still be so.
        """
        run, raw_only = self.run, self.run.plan.raw_only
        pairs = [(url, link) for link in links if (url := _find_article(run.source, link)) is not None]
        if not pairs:
            await asyncio.sleep(0)  # who fetches must not wait for a long list
            return 0, settled
        urls = [url for url, _ in pairs]
        before = run.frontier.mark(urls, FOUND)
        open_urls = {url for url, marks in zip(urls, before, strict=True) if not marks & TAKEN}
        known = run.last_versions.find_looks(list(dict.fromkeys(urls) if settled else open_urls))
        new: dict[str, Link] = {}
        now = datetime.now(UTC)
        for url, link in pairs:
            if url in new or not (settled or url in open_urls):
                continue
            last = known.get(url)
            wanted = is_wanted(link, last, now=now, raw_only=raw_only, scope=self._scope)
            settled = settled and not wanted
            if (wanted or run.plan.recheck_all) and url in open_urls and self._announced.take(last, raw_only=raw_only):
                new[url] = link
        run.frontier.mark(list(new), TAKEN)
        await self._let_wait(list(new.items()), listed=False, known=known)
        return sum(not marks & FOUND for marks in before), settled

    async def _let_wait(self, links: list[tuple[str, Link]], *, listed: bool, known: Container[str]) -> None:
        """Put *links*, with their normalised URLs, into the frontier; write down those that there is no time for.

        *known*: normalised URLs of which the archive has captures.
        """
        rows = [(_link_row(link, url), link.url) for url, link in links]
        room = max(0, self._room())
        self._articles += len(rows[:room])
        self.run.frontier.add(WaitingLink(row, target, listed, row.url in known) for row, target in rows[:room])
        if rows[room:]:
            if not self.run.stopping:
                self.run.reason = "limit"
            self.run.tally.links += len(rows[room:])
            lines = [encode_row(row) for row, _ in rows[room:]]
            await write_when_there_is_room(self.run, lambda: self.run.segments.add_links(lines))
        await asyncio.sleep(0)

    def _wake(self) -> Request | None:
        """Return the request of a page for the engine, which does not look by itself for what was put by."""
        enough = len(self.run.waiting) >= self.crawler.settings.getint("CONCURRENT_REQUESTS")
        return None if enough or self.run.stopping else self.next_page()

    def _request(
        self,
        url: str,
        purpose: Purpose,
        *,
        via: str | None = None,
        seed: int | None = None,
        depth: int = 0,
        hops: int = 0,
        normal: str | None = None,
        validators: Validators | None = None,
    ) -> Request:
        """Return the request of *url*. *normal*: its normal form, where that is known; then so are *validators*."""
        request = Request(
            url.partition("#")[0],
            callback=self.parse_answer,
            errback=self.parse_failure,
            priority=_PRIORITIES[purpose] + hops,
            dont_filter=True,
        )
        if normal is None:
            normal = normalise_url(url)
            validators = self._conditional.find_other(normal, purpose)
        request.meta.update(purpose=purpose.value, via=via, seed=seed, depth=depth, hops=hops, url=normal)
        if purpose is Purpose.ARTICLE and normal not in self.run.waiting:
            self.run.waiting[normal] = _link_row(Link(url=url, via=via or url), normal)
        self._own_headers.put(request)
        if validators is not None:
            self._conditional.apply(request, validators)
        return request

    def _request_asset(self, asset: WaitingAsset, *, hops: int = 0) -> Request:
        request = self._request(asset.target, Purpose.ASSET, via=asset.via, depth=asset.depth, hops=hops)
        request.meta.update(page=asset.page, max_bytes=self.run.settings.max_asset_bytes)
        request.headers.setdefault("Accept", "*/*")
        return request

    def _is_first_sight(self, url: str, purpose: Purpose = Purpose.ARTICLE) -> bool:
        """Remember *url*; tell whether it is new to this run and can be requested. No asset keeps a page from that."""
        normal, mark = self._normalise(url), ASSET if purpose is Purpose.ASSET else TAKEN
        return normal is not None and not self.run.frontier.mark([normal], mark)[0] & mark

    def _normalise(self, url: str) -> str | None:
        try:
            return normalise_url(url)
        except ValueError as error:
            log.warning("skipped_page", url=url[:MAX_URL_CHARACTERS], reason=str(error))
            return None

    def _room(self) -> int:
        """Return how many more pages this run may fetch, and can in its time."""
        if self.run.stopping:
            return 0
        limits = (self.run.plan.limit, self.run.plan.capacity)
        return min((limit for limit in limits if limit is not None), default=sys.maxsize) - self._articles

    def _arrived(self, meta: dict[str, Any]) -> None:
        if meta["purpose"] != Purpose.ASSET:
            self.run.waiting.pop(meta["url"], None)
        self.run.tally.arrived += meta["purpose"] == Purpose.ARTICLE

    def _note_discovery(self, meta: dict[str, Any], links: int, error: str | None) -> None:
        if error is not None and self.run.pool.closed:
            error = None  # that nobody read it is the run's end, and no fault of the listing
        if error is not None:
            log.warning("failed_discovery", url=meta["url"], error=error)
        self.run.tally.note_discovery(meta["seed"], links, error)


def _mark_start(request: Request) -> Request:
    """Let *request* wait behind those of its priority that follow from pages, as Scrapy's own middleware would."""
    request.meta["is_start_request"] = True
    return request


def _find_article(source: Source, link: Link) -> str | None:
    """Return the normal form of a link's URL if it is an article of *source*."""
    try:
        url = normalise_url(link.url)
    except ValueError:
        return None
    return url if source.is_article(url) and not is_announced_outside(source, link) else None


def _link_row(link: Link, url: str | None = None) -> LinkRow:
    """Return the row of *link*. *url*: its normal form, where that is known."""
    return LinkRow(
        url=url or normalise_url(link.url),
        via=link.via,
        found_at=datetime.now(UTC),
        title=link.title,
        published=link.published,
        modified=link.modified,
    )
