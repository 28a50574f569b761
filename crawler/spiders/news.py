"""The one spider of every source: seeds in, requests and `PageItem`s out. Pages are read by workers, never here."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import structlog
from scrapy import Request, Spider

from crawler.compare import is_wanted
from crawler.items import AttemptFailed, ExchangeResponse, PageItem, RequestForbidden, RunStopped
from crawler.model import Exchange, Link, Purpose
from crawler.outcome import find_redirect
from crawler.rows import LinkRow
from crawler.sites import Sites
from crawler.urls import MAX_URL_CHARACTERS, normalise_url

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from scrapy.http import Response
    from twisted.python.failure import Failure

    from crawler.items import Run
    from crawler.model import Discovery

log = structlog.get_logger()

Origin = tuple[str, str | None, int | None]
"""Scheme, host and port."""
LISTING_PURPOSES = frozenset({Purpose.FEED, Purpose.SITEMAP, Purpose.SECTION})
_PRIORITIES = {Purpose.FEED: 20, Purpose.SITEMAP: 20, Purpose.SECTION: 10, Purpose.ARTICLE: 0}


class NewsSpider(Spider):
    """Crawls one source once."""

    name = "news"

    def __init__(self, *, run: Run, **kwargs: Any) -> None:  # noqa: ANN401 - Scrapy's own arguments
        super().__init__(**kwargs)
        self.run = run
        self._headers = dict(run.headers)
        own_urls = [normalise_url(url) for url in (run.source.home, *(seed.url for seed in run.source.discover))]
        self._own_origins = {origin_of(url) for url in own_urls}
        self._own_sites = Sites(own_urls)
        self._seen: set[str] = set()
        self._found: set[int] = set()
        self._articles = 0

    async def start(self) -> AsyncIterator[Request]:
        """Yield the first requests: given pages and nothing else, or seeds and known pages to look at again."""
        plan = self.run.plan
        if plan.urls_file is not None:
            self.run.tally.seeded = True
            for request in self._request_listed(plan.urls_file):
                yield request
            return
        for number, entry in enumerate(self.run.source.discover):
            self.run.tally.discovery.append({"url": entry.url, "purpose": entry.kind, "links": 0, "error": None})
            if self._is_first_sight(entry.url):
                self.run.tally.listings += 1
                yield _mark_start(self._request(entry.url, Purpose(entry.kind), seed=number))
        self.run.tally.seeded = True
        if plan.recheck_file is not None:
            for request in self._request_listed(plan.recheck_file):
                yield request

    async def parse_answer(self, response: Response) -> AsyncIterator[PageItem | Request]:
        """Yield the exchange itself, then what follows from it: a redirect's target, or the links of a listing."""
        exchange, meta = exchange_of(response), response.meta
        self._arrived(meta)
        yield PageItem(exchange, meta["url"])
        target = find_redirect(exchange)
        if target is not None:
            hop = self._follow_redirect(target, exchange, meta)
            if hop is not None:
                yield hop
        elif exchange.purpose not in LISTING_PURPOSES:
            return
        elif exchange.status != 200:
            self._note_discovery(meta, 0, f"status {exchange.status}, expected 200")
        else:
            discovery = await self.run.pool.links(exchange, self.run.settings.max_links)
            for request in self._follow_links(discovery, exchange, meta):
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
        if isinstance(error, AttemptFailed):
            exchange = error.exchange
        else:
            exchange = Exchange(
                url=request.url,
                purpose=Purpose(meta["purpose"]),
                started_at=datetime.now(UTC),
                seconds=0.0,
                request_head=b"",
                via=meta["via"],
                error=str(error) if isinstance(error, RequestForbidden) else f"not requested: {error}",
            )
        if exchange.purpose in LISTING_PURPOSES:
            self._note_discovery(meta, 0, exchange.error)
        yield PageItem(exchange, meta["url"])

    def _request_listed(self, path: str) -> Iterator[Request]:
        """Yield a request for each URL in the file *path*, one a line, in its order."""
        with Path(path).open(encoding="utf-8", errors="replace") as lines:
            for line in lines:
                url = line.strip()
                if not url or url.startswith("#"):
                    continue
                self.run.tally.listed += 1
                if not self._is_first_sight(url):
                    continue
                if self._is_full():
                    self._leave(Link(url=url, via=url))
                    continue
                self._articles += 1
                yield _mark_start(self._request(url, Purpose.ARTICLE))

    def _follow_redirect(self, target: str, exchange: Exchange, meta: dict[str, Any]) -> Request | None:
        own, error = meta["url"], None
        if meta["hops"] >= self.run.settings.max_redirects:
            error = f"more than {self.run.settings.max_redirects} redirects"
        elif normalise_url(target) != own and not self._is_first_sight(target):
            error = "redirects to a page that this run has already"
        if error is not None:
            log.info("skipped_page", url=target, via=exchange.url, reason=error)
            if exchange.purpose in LISTING_PURPOSES:
                self._note_discovery(meta, 0, error)
            return None
        return self._request(
            target, exchange.purpose, via=exchange.url, seed=meta["seed"], depth=meta["depth"], hops=meta["hops"] + 1
        )

    def _follow_links(self, discovery: Discovery, exchange: Exchange, meta: dict[str, Any]) -> Iterator[Request]:
        found = 0
        listings = [link for link in discovery.links if link.purpose in LISTING_PURPOSES]
        for link in self._choose_listings(listings, exchange, meta):
            yield self._request(link.url, link.purpose, via=exchange.url, seed=meta["seed"], depth=meta["depth"] + 1)
        for link in discovery.links:
            if link.purpose not in LISTING_PURPOSES:
                request, first = self._consider(link)
                found += first
                if request is not None:
                    yield request
        error = discovery.error or ("cut: " + exchange.truncated if exchange.truncated else None)
        self._note_discovery(meta, found, error)
        log.info("discovered_links", url=exchange.url, links=found, truncated=discovery.truncated, error=error)

    def _choose_listings(self, links: list[Link], exchange: Exchange, meta: dict[str, Any]) -> Iterator[Link]:
        """Yield those of the listings in one document that are to be fetched; log why others are not."""
        settings = self.run.settings
        here = Sites([exchange.url])
        left: dict[str, list[str]] = {}
        for link in links:
            if meta["depth"] >= settings.max_depth:
                reason = f"deeper than max_depth: {settings.max_depth}"
            elif link.url not in here and link.url not in self._own_sites:
                reason = "a listing on another site: add it to the source's discover, if it is the source's own"
            elif not self._is_first_sight(link.url):
                continue
            elif self.run.tally.listings >= settings.max_listings:
                reason = f"more than max_listings: {settings.max_listings}"
                if not self.run.stopping:
                    self.run.reason = "limit"
            else:
                self.run.tally.listings += 1
                yield link
                continue
            left.setdefault(reason, []).append(link.url)
        for reason, urls in left.items():
            log.info("skipped_page", url=urls[0], via=exchange.url, reason=reason, pages=len(urls))

    def _consider(self, link: Link) -> tuple[Request | None, bool]:
        """Return the request of a link that is to be fetched now, and whether it is an article first found here."""
        run = self.run
        try:
            url = normalise_url(link.url)
        except ValueError:
            return None, False
        if not run.source.is_article(url):
            return None, False
        first = hash(url) not in self._found
        self._found.add(hash(url))
        if url in self._seen or not is_wanted(link, run.last_versions.last(url), recheck_all=run.plan.recheck_all):
            return None, first
        self._seen.add(url)
        if self._is_full():
            self._leave(link)
            return None, first
        self._articles += 1
        run.waiting[url] = _link_row(link, url)  # with what the announcement says beside the URL
        return self._request(link.url, Purpose.ARTICLE, via=link.via), first

    def _request(
        self,
        url: str,
        purpose: Purpose,
        *,
        via: str | None = None,
        seed: int | None = None,
        depth: int = 0,
        hops: int = 0,
    ) -> Request:
        request = Request(
            url.partition("#")[0],
            callback=self.parse_answer,
            errback=self.parse_failure,
            priority=_PRIORITIES[purpose] + hops,
            dont_filter=True,
        )
        normal = normalise_url(url)
        request.meta.update(purpose=purpose.value, via=via, seed=seed, depth=depth, hops=hops, url=normal)
        if purpose is Purpose.ARTICLE and normal not in self.run.waiting:
            self.run.waiting[normal] = _link_row(Link(url=url, via=via or url), normal)
        if self._headers and origin_of(request.url) in self._own_origins:
            request.headers.update(self._headers)
        return request

    def _is_first_sight(self, url: str) -> bool:
        """Remember *url*; tell whether it is new to this run and can be requested."""
        try:
            normal = normalise_url(url)
        except ValueError as error:
            log.warning("skipped_page", url=url[:MAX_URL_CHARACTERS], reason=str(error))
            return False
        if normal in self._seen:
            return False
        self._seen.add(normal)
        return True

    def _is_full(self) -> bool:
        limit = self.run.plan.limit
        return self.run.stopping or (limit is not None and self._articles >= limit)

    def _leave(self, link: Link) -> None:
        """Write down a link that is not fetched in this run."""
        if not self.run.stopping:
            self.run.reason = "limit"
        self.run.tally.links += 1
        self.run.segments.add(_link_row(link))

    def _arrived(self, meta: dict[str, Any]) -> None:
        self.run.waiting.pop(meta["url"], None)
        self.run.tally.arrived += meta["purpose"] == Purpose.ARTICLE

    def _note_discovery(self, meta: dict[str, Any], links: int, error: str | None) -> None:
        if error is not None and self.run.pool.closed:
            error = None  # that nobody read it is the run's end, and no fault of the listing
        if error is not None:
            log.warning("failed_discovery", url=meta["url"], error=error)
        self.run.tally.note_discovery(meta["seed"], links, error)


def exchange_of(response: Response) -> Exchange:
    """Return the exchange that *response* carries."""
    if not isinstance(response, ExchangeResponse):
        raise TypeError(f"{response!r} did not come from our download handler")
    return response.exchange


def origin_of(url: str) -> Origin:
    """Return scheme, host and port of *url*."""
    parts = urlsplit(url)
    return parts.scheme, parts.hostname, parts.port or {"http": 80, "https": 443}.get(parts.scheme)


def _mark_start(request: Request) -> Request:
    """Let *request* wait behind those of its priority that follow from pages, as Scrapy's own middleware would."""
    request.meta["is_start_request"] = True
    return request


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
