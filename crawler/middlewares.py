"""Two downloader middlewares: robots.txt by RFC 9309, its exchanges recorded; a cookie jar that lives for one run."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from scrapy import Request
from scrapy.http.cookies import CookieJar
from scrapy.http.request import NO_CALLBACK

from config.errors import ExtractError
from crawler.exchanges import WebOrigin, exchange_of, origin_of
from crawler.items import AttemptFailed, PageItem, RequestForbidden, RunStopped
from crawler.outcome import find_redirect
from crawler.robots import read_rules
from crawler.slots import open_slot
from crawler.throttle import DelayBounds
from crawler.urls import normalise_url

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterable
    from typing import Self

    from scrapy.crawler import Crawler
    from scrapy.http import Response

    from crawler.items import Fetching
    from crawler.model import Exchange
    from crawler.robots import Rules

MAX_HOPS = 5
"""RFC 9309 § 2.3.1.2: at least five redirects are followed. Where there are more, there are no rules."""
MAX_AGE_SECONDS = 24 * 3_600.0
"""§ 2.4: rules are not used for longer."""
RETRY_SECONDS = 3_600.0
"""Where rules could not be had, they are asked for again after that."""
_MAX_RULE_CHARS = 200
"""Of a rule as it is told; RFC 9309 bounds the file alone."""
PRIORITY = 1000
"""Before every page: others wait for it."""


@dataclass(frozen=True, slots=True)
class _Asked:
    """Rules that were asked for."""

    at: float
    rules: asyncio.Task[Rules]

    def is_stale(self, now: float) -> bool:
        failed = self.rules.done() and (self.rules.cancelled() or self.rules.exception() is not None)
        if failed and not self.rules.cancelled() and isinstance(self.rules.exception(), RunStopped):
            return True  # it was not the host that did not answer
        return now - self.at >= (RETRY_SECONDS if failed else MAX_AGE_SECONDS)


class RulesCache:
    """The rules of each origin, fetched once for all requests that wait for them, and again when they are too old.

    Old rules are not used on where newer ones cannot be had: § 2.4 would let us, § 2.3.1.4 says that all is forbidden.
    """

    def __init__(
        self, fetch: Callable[[str], Coroutine[None, None, Rules]], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._fetch = fetch
        self._clock = clock
        self._asked: dict[WebOrigin, _Asked] = {}

    async def rules_for(self, url: str) -> Rules:
        """Return the rules of the origin of *url*. Raises what *fetch* raises."""
        origin, now = origin_of(url), self._clock()
        asked = self._asked.get(origin)
        if asked is None or asked.is_stale(now):
            asked = self._asked[origin] = _Asked(now, asyncio.create_task(self._fetch(url)))
            asked.rules.add_done_callback(_look_at)
        if asked.rules.done():
            return asked.rules.result()
        return await asyncio.shield(asked.rules)  # one that gives up must not take the rules from the others


def _look_at(rules: asyncio.Task[Rules]) -> None:
    """Take note of a failure that nobody waits for any more, lest it be reported at the end of the process."""
    if not rules.cancelled():
        rules.exception()


class RobotsRules:
    """Lets a request pass if its origin's robots.txt, which is fetched and recorded, allows it; keeps its Crawl-delay.

    A server error, 429 or no answer forbids everything; other 4xx allow everything; redirects are followed.
    Scrapy's own middleware (2.19) gives the rules to the first of several requests that wait, and lets the rest pass.
    """

    def __init__(self, crawler: Crawler) -> None:
        self._crawler = crawler
        self._run: Fetching = crawler.spider.run  # type: ignore[union-attr]  # the spider exists before its middlewares
        self._token: str = crawler.settings["ROBOTSTXT_USER_AGENT"]
        self._cache = RulesCache(self._fetch)
        politeness, settings = self._run.source.politeness, self._run.settings
        self._bounds = DelayBounds(
            least=politeness.delay_seconds,
            concurrency=politeness.concurrent_requests,
            max_crawl_delay=settings.max_crawl_delay_seconds,
            max_retry_after=settings.max_retry_after_seconds,
        )

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """Return the middleware of *crawler*."""
        return cls(crawler)

    async def process_request(self, request: Request) -> None:
        """Wait for the rules of the request's origin. Raises RequestForbidden, or RunStopped while there are none."""
        slot = open_slot(self._crawler, request, self._bounds, self._run.leash)
        if request.callback is NO_CALLBACK:  # our own, for rules
            return
        rules = await self._cache.rules_for(request.url)
        slot.pace.respect(rules.crawl_delay)
        pattern = rules.find_ban(request.url)
        if pattern is not None:
            where, rule = f"{rules_url(request.url)} forbids it", pattern[:_MAX_RULE_CHARS]
            raise RequestForbidden(f"{where} (Disallow: {rule})", explicitly=True)
        if self._run.stopping:  # else it would wait for its politeness delay first
            raise RunStopped("the run is being stopped")

    async def _fetch(self, page: str) -> Rules:
        """Return the rules of the origin of the URL *page*. Raises RequestForbidden if they cannot be read."""
        url, reached = rules_url(page), ""
        exchange = await self._ask(url, via=None)
        for _ in range(MAX_HOPS):
            target = find_redirect(exchange)
            if target is None:
                break
            reached = f"it leads to {target}: "
            exchange = await self._ask(target, via=exchange.url)
        try:
            return read_rules(exchange, self._token)
        except ExtractError as error:
            reason = (
                f"{url.partition('://')[2]} could not be read ({reached}{error}), so nothing of this host is fetched"
            )
            raise RequestForbidden(reason, explicitly=False) from error

    async def _ask(self, url: str, *, via: str | None) -> Exchange:
        """Fetch *url* and record the exchange, whatever comes of it. Raises RunStopped."""
        if self._run.stopping:
            raise RunStopped("the run is being stopped")
        request = Request(url, callback=NO_CALLBACK, priority=PRIORITY, meta={"via": via})
        try:
            exchange = exchange_of(await self._crawler.engine.download_async(request))
        except AttemptFailed as error:
            exchange = error.exchange
        await self._record(exchange)
        if self._run.stopping:  # then a missing answer is our doing
            raise RunStopped("the run is being stopped")
        return exchange

    async def _record(self, exchange: Exchange) -> None:
        item = PageItem(exchange, normalise_url(exchange.url))
        await self._crawler.engine.scraper.start_itemproc_async(item, response=None)


def rules_url(page: str) -> str:
    """Return where the rules for the URL *page* are to be had."""
    parts = urlsplit(page)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}/robots.txt"


class RunCookies:
    """Keeps a site's cookies for the run. Scrapy's own would fetch a list of domains from the internet."""

    def __init__(self, names: Iterable[str] = ()) -> None:
        self._jar: CookieJar | None = None
        self._names = frozenset(names)
        """Of the source's own cookies."""

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> RunCookies:
        """Return the middleware of *crawler*."""
        fetching: Fetching = crawler.spider.run  # type: ignore[union-attr]  # the spider exists before its middlewares
        return cls(fetching.source.cookies)

    def process_request(self, request: Request) -> None:
        """Add the cookies that belong to *request*; a Cookie header of the source's own stays as it is.

        Behind the source's cookies stand those of the site, but for those of the same names.
        """
        if self._jar is None:
            return
        own = request.headers.pop("Cookie", None) if self._names else None
        self._jar.add_cookie_header(request)
        if own:
            given = [pair.strip() for pair in (request.headers.get("Cookie") or b"").decode("latin-1").split(";")]
            kept = [pair for pair in given if pair and pair.partition("=")[0] not in self._names]
            request.headers["Cookie"] = b"; ".join([*own, *(pair.encode("latin-1") for pair in kept)])

    def process_response(self, request: Request, response: Response) -> Response:
        """Take in the cookies of *response*."""
        if response.headers:
            self._jar = CookieJar() if self._jar is None else self._jar
            self._jar.extract_cookies(response, request)
        return response
