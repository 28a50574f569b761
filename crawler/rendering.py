"""A downloader middleware for sources whose pages need JavaScript: has them rendered, and fetches what that takes.

The browser has no network. What scripts of a page ask for is fetched here as anything else is: by our own handler, in
its host's turn, if robots.txt allows it, and recorded.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import structlog
from scrapy import Request
from scrapy.http.request import NO_CALLBACK

from config.errors import ExtractError
from crawler.directives import NOARCHIVE, product_token, read_directives
from crawler.exchanges import OwnHeaders, exchange_of, failed_exchange
from crawler.items import AttemptFailed, ExchangeResponse, PageItem, RequestForbidden, RunStopped
from crawler.markup import HTML_TYPES
from crawler.model import Purpose
from crawler.outcome import find_redirect, media_type_of
from crawler.recording import read_robots_tags
from crawler.render.renderer import WebAnswer
from crawler.sites import Sites, list_own_urls
from crawler.urls import normalise_url
from crawler.visit import VisitOver

if TYPE_CHECKING:
    from scrapy.crawler import Crawler
    from scrapy.http import Response

    from crawler.items import Fetching
    from crawler.model import Exchange
    from crawler.render.renderer import AskedRequest

log = structlog.get_logger()

MAX_HELD_BYTES = 32 * 1024 * 1024
"""Of scripts that are kept for the pages to come: a site's pages share most of them."""
_RENDERED = frozenset({Purpose.ARTICLE, Purpose.SECTION})


class PageRendering:
    """Puts a rendition to each article page and section that was served whole."""

    def __init__(self, crawler: Crawler) -> None:
        self._crawler = crawler
        self._run: Fetching = crawler.spider.run  # type: ignore[union-attr]  # the spider exists before its middlewares
        source = self._run.source
        self._own_urls = list_own_urls(source)
        self._own_headers = OwnHeaders(self._run)
        self._hosts = Sites([f"https://{host}/" for host in source.render_hosts])
        self._held: dict[str, Exchange] = {}
        self._held_bytes = 0

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> PageRendering:
        """Return the middleware of *crawler*."""
        return cls(crawler)

    async def process_response(self, request: Request, response: Response) -> Response:
        """Have the page in *response* rendered, if it is one. Raises RunStopped where the run's end kept it from it."""
        run = self._run
        if run.renderer is None or not isinstance(response, ExchangeResponse):
            return response
        exchange = response.exchange
        if request.callback is NO_CALLBACK or not self._is_page(exchange):
            return response
        try:
            rendition = await run.renderer.render(exchange, partial(self._fetch, exchange.url))
        except ExtractError as error:
            if not run.stopping:
                run.fail(error)
            raise RunStopped("no page is rendered any more") from error
        if run.stopping and rendition.error is not None:
            raise RunStopped("the run was stopped before the page was rendered")
        response.exchange = replace(exchange, rendition=rendition)
        return response

    def _is_page(self, exchange: Exchange) -> bool:
        if exchange.purpose not in _RENDERED or media_type_of(exchange) not in {None, *HTML_TYPES}:
            return False
        if exchange.status != 200 or exchange.truncated or not exchange.body:
            return False
        if not self._run.settings.obey_noarchive:
            return True
        product = product_token(self._run.settings.user_agent)
        told = exchange.header_values("X-Robots-Tag"), read_robots_tags(exchange, product)
        return NOARCHIVE not in read_directives(*told, product)

    async def _fetch(self, page: str, asked: AskedRequest) -> WebAnswer:
        """Return what a script of *page* is answered with. Does not raise for what the web does."""
        held = self._held.get(asked.url)
        if held is not None:
            return WebAnswer(held)
        url, via, sites = asked.url, page, Sites([*self._own_urls, page])
        for _ in range(self._run.settings.max_redirects + 1):
            if not url.startswith(("https://", "http://")) or not (url in sites or url in self._hosts):
                return WebAnswer(refused=True)
            exchange = await self._ask(url, via, asked)
            if exchange is None:
                return WebAnswer()
            if exchange.forbidden:
                return WebAnswer(refused=True)
            target = find_redirect(exchange)
            if target is None:
                self._hold(asked, exchange)
                return WebAnswer(exchange)
            url, via = target, url
        return WebAnswer()

    async def _ask(self, url: str, via: str, asked: AskedRequest) -> Exchange | None:
        """Fetch *url*, record what comes of it, and return that; `None`: the run ends, or no such request is made."""
        try:
            normal = normalise_url(url)
            request = Request(
                url.partition("#")[0], dont_filter=True, meta={"purpose": Purpose.ASSET.value, "via": via}
            )
        except ValueError:
            return None
        request.headers.update({name: value for name, value in asked.headers if _can_be_sent(name, value)})
        self._own_headers.put(request)
        try:
            exchange = exchange_of(await self._crawler.engine.download_async(request))
        except (AttemptFailed, RequestForbidden) as error:
            exchange = failed_exchange(request.url, Purpose.ASSET, error, via=via)
        except (RunStopped, VisitOver):
            return None
        if self._run.stopping:  # then what is missing of the answer is our doing
            return None
        await self._crawler.engine.scraper.start_itemproc_async(PageItem(exchange, normal), response=None)
        return exchange

    def _hold(self, asked: AskedRequest, exchange: Exchange) -> None:
        size = len(exchange.body)
        whole = exchange.status == 200 and not exchange.truncated
        if asked.kind != "script" or not whole or "no-store" in (exchange.header("Cache-Control") or "").lower():
            return
        if self._held_bytes + size <= MAX_HELD_BYTES:
            self._held[asked.url] = exchange
            self._held_bytes += size


def _can_be_sent(name: str, value: str) -> bool:
    text = name + value
    return text.isascii() and text.isprintable() and " " not in name and ":" not in name
