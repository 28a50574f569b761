"""Two downloader middlewares: robots.txt by RFC 9309, its exchanges recorded; a cookie jar that lives for one run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scrapy.http import Response
from scrapy.http.cookies import CookieJar
from scrapy.http.request import NO_CALLBACK

from config.errors import ExtractError
from crawler.encoding import inflate
from crawler.items import AttemptFailed, ExchangeResponse, PageItem
from crawler.spiders.news import find_redirect
from crawler.urls import normalise_url

if TYPE_CHECKING:
    from scrapy import Request
    from scrapy.crawler import Crawler

    from crawler.model import Exchange

MAX_RULES_BYTES = 512 * 1024
"""RFC 9309 § 2.5 asks for at least 500 KiB; what comes after is not read."""
MAX_HOPS = 5
"""RFC 9309 § 2.3.1.2: at least five redirects are followed."""
FORBID_ALL = b"User-agent: *\nDisallow: /\n"


class RobotsRecorder:
    """Stands between Scrapy's robots.txt middleware and the handler: records exchanges, answers in rules.

    A server error, 429 or no answer forbids everything; 4xx allows everything; a redirect is followed.
    """

    def __init__(self, crawler: Crawler) -> None:
        self._crawler = crawler

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> RobotsRecorder:
        """Return the middleware of *crawler*."""
        return cls(crawler)

    async def process_response(self, request: Request, response: Response) -> Response | Request:
        """Record the answer to a robots.txt request; return rules, or the request for a redirect's target."""
        if request.callback is not NO_CALLBACK or not isinstance(response, ExchangeResponse):
            return response
        exchange = response.exchange
        await self._record(exchange)
        target = find_redirect(exchange)
        hops: int = request.meta.get("hops", 0)
        if target is not None and hops < MAX_HOPS:
            return request.replace(url=target, meta={"dont_obey_robotstxt": True, "hops": hops + 1})
        return Response(request.url, body=read_rules(exchange), request=request)

    async def process_exception(self, request: Request, exception: Exception) -> Response | None:
        """Record an attempt at robots.txt that got no answer; it forbids everything."""
        if request.callback is not NO_CALLBACK:
            return None
        if isinstance(exception, AttemptFailed):
            await self._record(exception.exchange)
        return Response(request.url, body=FORBID_ALL, request=request)

    async def _record(self, exchange: Exchange) -> None:
        item = PageItem(exchange, normalise_url(exchange.url))
        await self._crawler.engine.scraper.start_itemproc_async(item, response=None)


def read_rules(exchange: Exchange) -> bytes:
    """Return the rules that the answer to a robots.txt request stands for."""
    status = exchange.status
    if status is None or status >= 500 or status == 429:
        return FORBID_ALL
    if not 200 <= status < 300:
        return b""
    try:
        rules = inflate(exchange.body, exchange.header_values("Content-Encoding"), limit=4 * MAX_RULES_BYTES)
    except ExtractError:
        return FORBID_ALL
    return rules[:MAX_RULES_BYTES]


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
