"""Two downloader middlewares: robots.txt by RFC 9309, its exchanges recorded; a cookie jar that lives for one run."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from scrapy import Request
from scrapy.http.cookies import CookieJar
from scrapy.http.request import NO_CALLBACK
from scrapy.robotstxt import ProtegoRobotParser

from config.errors import ExtractError
from crawler.encoding import inflate
from crawler.items import AttemptFailed, PageItem, RequestForbidden, RunStopped
from crawler.spiders.news import Origin, exchange_of, find_redirect, origin_of
from crawler.urls import normalise_url

if TYPE_CHECKING:
    from scrapy.crawler import Crawler
    from scrapy.http import Response

    from crawler.items import Run
    from crawler.model import Exchange

MAX_RULES_BYTES = 500 * 1024
"""RFC 9309 § 2.5 asks for no less; what comes after is not read."""
MAX_INFLATED_BYTES = 4 * MAX_RULES_BYTES
MAX_HOPS = 5
"""RFC 9309 § 2.3.1.2: at least five redirects are followed."""
PRIORITY = 1000
"""Before every page: others wait for it."""


class RobotsRules:
    """Lets a request pass if its origin's robots.txt, which is fetched once and recorded, allows it.

    A server error, 429 or no answer forbids everything; other 4xx allow everything; redirects are followed.
    Scrapy's own middleware (2.19) gives the rules to the first of several requests that wait, and lets the rest pass.
    """

    def __init__(self, crawler: Crawler) -> None:
        self._crawler = crawler
        self._run: Run = crawler.spider.run  # type: ignore[union-attr]  # the spider exists before its middlewares
        self._token: str = crawler.settings["ROBOTSTXT_USER_AGENT"]
        self._rules: dict[Origin, asyncio.Task[ProtegoRobotParser]] = {}

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> RobotsRules:
        """Return the middleware of *crawler*."""
        return cls(crawler)

    async def process_request(self, request: Request) -> None:
        """Wait for the rules of the request's origin. Raises RequestForbidden, or RunStopped while there are none."""
        if request.callback is NO_CALLBACK:  # our own, for rules
            return
        origin = origin_of(request.url)
        if origin not in self._rules:
            self._rules[origin] = asyncio.create_task(self._fetch(request.url))
        rules = await asyncio.shield(self._rules[origin])  # one that gives up must not take the rules from the others
        if not rules.allowed(request.url, self._token):
            raise RequestForbidden("robots.txt forbids it")

    async def _fetch(self, page: str) -> ProtegoRobotParser:
        """Return the rules of the origin of the URL *page*. Raises RequestForbidden if they cannot be read."""
        parts = urlsplit(page)
        host = parts.netloc.rpartition("@")[2]
        url, reached = f"{parts.scheme}://{host}/robots.txt", ""
        exchange = await self._ask(url, via=None)
        for _ in range(MAX_HOPS):
            target = find_redirect(exchange)
            if target is None:
                break
            reached = f"it leads to {target}: "
            exchange = await self._ask(target, via=exchange.url)
        try:
            return ProtegoRobotParser.from_crawler(self._crawler, read_rules(exchange))
        except ExtractError as error:
            reason = f"{host}/robots.txt could not be read ({reached}{error}), so nothing of this host is fetched"
            raise RequestForbidden(reason) from error

    async def _ask(self, url: str, *, via: str | None) -> Exchange:
        """Fetch *url* and record the exchange, whatever comes of it. Raises RunStopped."""
        if self._run.stopping:
            raise RunStopped("the run is being stopped")
        request = Request(url, callback=NO_CALLBACK, priority=PRIORITY, meta={"via": via})
        try:
            exchange = exchange_of(await self._crawler.engine.download_async(request))
        except AttemptFailed as error:
            exchange = error.exchange
        item = PageItem(exchange, normalise_url(exchange.url))
        await self._crawler.engine.scraper.start_itemproc_async(item, response=None)
        if self._run.stopping:  # then a missing answer is our doing
            raise RunStopped("the run is being stopped")
        return exchange


def read_rules(exchange: Exchange) -> bytes:
    """Return the rules that the answer to a robots.txt request stands for. Raises ExtractError where it has none."""
    status = exchange.status
    if status is None:
        raise ExtractError(exchange.error or "no answer")
    if status >= 500 or status == 429:
        raise ExtractError(f"status {status}")
    if not 200 <= status < 300:
        return b""
    limit = max(len(exchange.body), MAX_INFLATED_BYTES)
    rules = inflate(exchange.body, exchange.header_values("Content-Encoding"), limit=limit)
    if len(rules) > MAX_RULES_BYTES:
        end = max(rules.rfind(mark, 0, MAX_RULES_BYTES) for mark in (b"\n", b"\r"))
        return rules[: end + 1]  # half a line would be another rule
    if exchange.truncated is not None:
        raise ExtractError(f"the answer was cut ({exchange.truncated}) after {len(exchange.body)} bytes")
    return rules


class RunCookies:
    """Keeps a site's cookies for the run. Scrapy's own would fetch a list of domains from the internet."""

    def __init__(self) -> None:
        self._jar = CookieJar()

    def process_request(self, request: Request) -> None:
        """Add the cookies that belong to *request*; a Cookie header of the source's own stays as it is."""
        self._jar.add_cookie_header(request)

    def process_response(self, request: Request, response: Response) -> Response:
        """Take in the cookies of *response*."""
        self._jar.extract_cookies(response, request)
        return response
