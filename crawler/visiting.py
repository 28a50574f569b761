"""Carries out a visit: a program asks, and each request goes the way of a crawl's, with robots.txt, delays and guards.

Nothing is kept of it. Blocks until the program is done. To be called in a process of its own: it takes over SIGTERM and
SIGINT.
"""

from __future__ import annotations

import asyncio
import os
import signal
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import structlog
import uvloop
from scrapy import Request
from scrapy.crawler import AsyncCrawlerRunner
from scrapy.exceptions import IgnoreRequest, NotSupported

from config.errors import ExtractError, FetchError
from crawler.exchanges import OwnHeaders, exchange_of, failed_exchange
from crawler.items import RunStopped
from crawler.leash import Leash
from crawler.middlewares import MAX_HOPS, RobotsRules, rules_url
from crawler.model import Purpose
from crawler.outcome import find_redirect
from crawler.render.renderer import make_renderer
from crawler.settings import fetch_options, scrapy_settings
from crawler.signals import HeardSignals
from crawler.slots import give_up_waiting
from crawler.spiders.visit import VisitSpider
from crawler.undocumented import require_undocumented
from crawler.urls import normalise_url
from crawler.visit import VisitOver
from crawler.workers.pool import make_pool

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from scrapy.crawler import Crawler

    from config.settings import Settings
    from config.sources import Source
    from crawler.model import Exchange
    from crawler.render.renderer import Renderer
    from crawler.rows import Certificate
    from crawler.visit import Program, VisitLimits
    from crawler.workers.pool import WorkerPool

log = structlog.get_logger()

GRACE_SECONDS = 3.0
"""After a stop: for the program, to make something of what it has."""
END_SECONDS = 1.5
"""After that: until Scrapy is closed."""


def carry_out(
    program: Program,
    parameters: dict[str, Any],
    source: Source,
    settings: Settings,
    limits: VisitLimits,
    *,
    environment: Mapping[str, str] | None = None,
    pool: WorkerPool | None = None,
    tell: Callable[[int, str], None] | None = None,
    leash: Leash | None = None,
) -> Any:  # noqa: ANN401 - JSON data
    """Return what *program* makes of its visit with *parameters*.

    *environment*: where the secrets of the source's headers are; by default this process's. *pool*: workers that may be
    launched already; they are killed in any case. *tell*: told of each request, how many there have been and its URL;
    must not block. *leash*: asked before each request. On SIGTERM, on SIGINT and when the time is over, no further
    request is made, and the program has `GRACE_SECONDS` to return what it has. Raises VisitOver if it returns nothing,
    ConfigError, ExtractError if a worker does not start, and what the program raises.
    """
    workers, renderer = pool or make_pool(settings), None
    try:
        require_undocumented()
        renderer = make_renderer(source, settings)
        headers = source.resolve_headers(os.environ if environment is None else environment)
        visit = WebVisit(source, settings, workers, limits, headers=headers, renderer=renderer, tell=tell)
        visit.leash = leash or visit.leash
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            return runner.run(_carry_out(visit, program, parameters))
    finally:
        workers.kill()
        if renderer is not None:
            renderer.kill()


class WebVisit:
    """A visit by our own download handler and middlewares: fulfils `Visit` for its program and `Fetching` for these."""

    def __init__(
        self,
        source: Source,
        settings: Settings,
        pool: WorkerPool,
        limits: VisitLimits,
        *,
        headers: Mapping[str, str],
        renderer: Renderer | None = None,
        tell: Callable[[int, str], None] | None = None,
    ) -> None:
        self.source = source
        self.settings = settings
        self.pool = pool
        self.limits = limits
        self.requests = 0
        self.at_limit = False
        options = fetch_options(source, settings)
        self.options = replace(options, max_body_bytes=min(options.max_body_bytes, limits.body_bytes))
        self.headers = headers
        self.renderer = renderer
        self.leash = Leash()
        self.stopping = False
        self.on_stop: list[Callable[[], None]] = [] if renderer is None else [renderer.kill]
        self.fatal: BaseException | None = None
        """Why it cannot go on: no worker started."""
        self.rules: _VisitRules | None = None
        """Set by the middleware itself."""
        self.crawler: Crawler | None = None
        self.reason = "its program came to no end"
        """Why no request is made any more."""
        self._own_headers = OwnHeaders(self)
        self._tell = tell

    async def fetch(self, url: str, purpose: Purpose, *, via: str | None = None) -> Exchange:
        """Return what one request of *url* came to: see `Visit`."""
        self._require_going()
        try:
            normalise_url(url)  # refuses what no honest link would be
            request = self._request(url, purpose, via)
            exchange = exchange_of(await self._engine.download_async(request))
        except VisitOver:
            raise
        except RunStopped as error:
            raise VisitOver(self.reason) from error
        except (FetchError, IgnoreRequest, NotSupported, ValueError, OSError) as error:
            exchange = failed_exchange(url, purpose, error, via=via)
        _log(exchange)
        return exchange

    async def follow(self, url: str, purpose: Purpose, *, via: str | None = None) -> tuple[Exchange, ...]:
        """Return the exchanges from *url* to where its redirects end: see `Visit`."""
        found = [await self.fetch(url, purpose, via=via)]
        seen = {normalise_url(url)} if found[0].status is not None else set()
        while (target := find_redirect(found[-1])) is not None:
            last, normal = found[-1], normalise_url(target)
            error = None
            if len(found) > self.settings.max_redirects:
                error = f"more than {self.settings.max_redirects} redirects, the last one to {target}"
            elif normal in seen and normal != normalise_url(last.url):
                error = f"redirects in a circle, back to {target}"
            if error is not None:
                found[-1] = replace(last, error=error)
                break
            seen.add(normal)
            found.append(await self.fetch(target, purpose, via=last.url))
        return tuple(found)

    async def read_robots(self, origin: str) -> Exchange:
        """Return the exchange of robots.txt of *origin*, or of where it leads: see `Visit`."""
        self._require_going()
        url = rules_url(origin)
        try:
            normalise_url(url)
        except ValueError as error:
            return failed_exchange(url, Purpose.ROBOTS, error, via=None)
        if self.rules is None:
            raise RuntimeError("the visit has not begun")
        try:
            return await self.rules.read(url)
        except RunStopped as error:
            raise VisitOver(self.reason) from error

    def note_request(self, url: str) -> None:
        """Count a request that is about to be made. Raises VisitOver if it is one too many."""
        self._require_going()
        if self.requests >= self.limits.requests:
            self.at_limit = True
            raise VisitOver(f"the limit of {self.limits.requests} requests is reached")
        self.requests += 1
        if self._tell is not None:
            self._tell(self.requests, url)

    def note_certificate(self, host: str, certificate: Certificate) -> None:
        """Do nothing: certificates are watched by runs."""

    def stop(self, reason: str, *, at_limit: bool = False) -> None:
        """Make no further request, for *reason*. Safe to call again."""
        if self.stopping:
            return
        self.stopping = True
        self.reason = reason
        self.at_limit = self.at_limit or at_limit
        for call in self.on_stop:
            call()
        if self.crawler is not None and self.crawler.engine is not None:
            give_up_waiting(self.crawler, RunStopped(reason))

    def fail(self, error: BaseException) -> None:
        """End the visit for *error*, which `carry_out` will raise."""
        self.fatal = self.fatal or error
        self.stop(str(error))

    @property
    def _engine(self) -> Any:  # noqa: ANN401 - Scrapy's
        if self.crawler is None:
            raise RuntimeError("the visit has not begun")
        return self.crawler.engine

    def _require_going(self) -> None:
        if self.stopping:
            raise VisitOver(self.reason)

    def _request(self, url: str, purpose: Purpose, via: str | None) -> Request:
        request = Request(url.partition("#")[0], meta={"purpose": purpose.value, "via": via})
        self._own_headers.put(request)
        return request


class _VisitRules(RobotsRules):
    """Obeys robots.txt as a crawl does, keeps what it came to for the program, and counts what is requested."""

    def __init__(self, crawler: Crawler) -> None:
        super().__init__(crawler)
        self._visit: WebVisit = crawler.spider.run  # type: ignore[union-attr]  # the spider exists before its middlewares
        self._visit.rules = self
        self._read: dict[str, Exchange] = {}

    async def process_request(self, request: Request) -> None:
        """Wait for the rules of the request's origin. Raises RequestForbidden, RunStopped, VisitOver."""
        await super().process_request(request)
        self._visit.note_request(request.url)

    async def read(self, url: str) -> Exchange:
        """Return the exchange that the robots.txt at *url* ended in; it is fetched if it was not yet."""
        try:
            await self._cache.rules_for(url)
        except IgnoreRequest:
            if self._visit.stopping or url not in self._read:
                raise
        exchange = self._read[url]
        for _ in range(MAX_HOPS):
            target = find_redirect(exchange)
            if target is None or target not in self._read:
                break
            exchange = self._read[target]
        return exchange

    async def _record(self, exchange: Exchange) -> None:
        self._read[exchange.url] = exchange
        _log(exchange)


def _log(exchange: Exchange) -> None:
    log.debug(
        "visited_page",
        url=exchange.url,
        purpose=exchange.purpose.value,
        status=exchange.status,
        size_bytes=len(exchange.body),
        seconds=round(exchange.seconds, 3),
        error=exchange.error or exchange.truncated,
    )


def visit_settings(source: Source, settings: Settings) -> dict[str, Any]:
    """Return Scrapy's settings for a visit: a crawl's, without what keeps pages and what plans them."""
    crawls = scrapy_settings(source, settings)
    middlewares = {name: place for name, place in crawls["DOWNLOADER_MIDDLEWARES"].items() if "RobotsRules" not in name}
    return crawls | {
        "SPIDER_MODULES": [],
        "EXTENSIONS": {},
        "ITEM_PIPELINES": {},
        "SCHEDULER": "scrapy.core.scheduler.Scheduler",
        "DOWNLOADER_MIDDLEWARES": middlewares | {_VisitRules: 100},
    }


async def _carry_out(visit: WebVisit, program: Program, parameters: dict[str, Any]) -> Any:  # noqa: ANN401 - JSON data
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, visit.stop, "it was stopped")
    over = f"its {visit.limits.seconds:g} seconds are over"
    limit = loop.call_later(visit.limits.seconds, partial(visit.stop, over, at_limit=True))
    starting = asyncio.create_task(_start_workers(visit))
    try:
        task = await _run_scrapy(visit, program, parameters)
        if visit.fatal is not None:
            raise visit.fatal
        if task is None or task.cancelled() or not task.done():
            raise VisitOver(visit.reason)
        return task.result()
    finally:
        limit.cancel()
        starting.cancel()
        await visit.pool.close()
        loop.remove_signal_handler(signal.SIGTERM)
        signal.signal(signal.SIGTERM, signal.SIG_IGN)  # all is done but for telling it


async def _run_scrapy(visit: WebVisit, program: Program, parameters: dict[str, Any]) -> asyncio.Task[Any] | None:
    """Return the task that *program* was, when it has ended and Scrapy too, or the time for that is over."""
    stopped, over = asyncio.Event(), asyncio.Event()
    visit.on_stop.append(stopped.set)
    tasks: list[asyncio.Task[Any]] = []

    async def work() -> None:
        tasks.append(asyncio.ensure_future(program(visit, parameters)))
        await _end_in_time(visit, tasks[0], stopped)
        visit.stop("its program has ended")  # requests that it did not wait for must hold up nobody
        over.set()

    runner = AsyncCrawlerRunner(visit_settings(visit.source, visit.settings))
    visit.crawler = runner.create_crawler(VisitSpider)
    visit.crawler.signals = HeardSignals(visit.crawler)  # before anybody connects
    crawling = runner.crawl(visit.crawler, run=visit, work=work)
    ending = asyncio.create_task(over.wait())
    try:
        await asyncio.wait({crawling, ending}, return_when=asyncio.FIRST_COMPLETED)
        await asyncio.wait({crawling}, timeout=END_SECONDS)
    finally:
        ending.cancel()
    if crawling.done():
        crawling.result()
    return tasks[0] if tasks else None


async def _end_in_time(visit: WebVisit, task: asyncio.Task[Any], stopped: asyncio.Event) -> None:
    """Wait for *task*; after a stop, for `GRACE_SECONDS`, then cancel it."""
    stopping = asyncio.create_task(stopped.wait())
    await asyncio.wait({task, stopping}, return_when=asyncio.FIRST_COMPLETED)
    stopping.cancel()
    if not task.done():
        await asyncio.wait({task}, timeout=GRACE_SECONDS)
    if not task.done():
        await visit.pool.close()
        task.cancel()
        await asyncio.wait({task}, timeout=END_SECONDS)


async def _start_workers(visit: WebVisit) -> None:
    """Wait for the workers while the first requests are under way; if one does not start, end the visit for it."""
    try:
        await visit.pool.start()
    except (ExtractError, OSError) as error:
        if not visit.stopping:  # then the pool was closed under the workers, and none of them is to blame
            visit.fail(error)
