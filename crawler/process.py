"""One crawl of one source: starts workers, segments and Scrapy, ends them in good order, returns the run row.

Blocks until the run is over. To be called in a process of its own: it takes over SIGTERM and SIGINT.
"""

from __future__ import annotations

import asyncio
import math
import os
import signal
from contextlib import closing
from datetime import UTC, datetime
from functools import partial
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

import structlog
import uvloop
from scrapy.crawler import AsyncCrawlerRunner

from config.errors import ExtractError
from config.settings import program_version
from crawler.assets import AssetList
from crawler.conditional import describe_listing_rules
from crawler.derivation import derive
from crawler.frontier import Frontier
from crawler.items import Run
from crawler.leash import boot_clock
from crawler.outcome import make_context
from crawler.render.renderer import make_renderer
from crawler.room import write_when_there_is_room
from crawler.rows import RunRow, SlotRow, decode_row, encode_row
from crawler.segment import SegmentStream
from crawler.settings import fetch_options, scrapy_settings
from crawler.signals import HeardSignals
from crawler.spiders.news import NewsSpider
from crawler.undocumented import require_undocumented
from crawler.workers.pool import make_pool

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from config.settings import Settings
    from config.sources import Source
    from crawler.compare import LastVersions
    from crawler.leash import Leash
    from crawler.model import CrawlPlan
    from crawler.progress import CrawlProgress
    from crawler.workers.pool import WorkerPool

log = structlog.get_logger()

FRONTIER_FILE = "frontier"
"""In the spool, as long as the run lasts."""
DRAIN_SECONDS = 3.0
"""After a stop: for pages that workers are at. Then they are kept without their text."""
LINKS_SECONDS = 0.5
"""After a stop: for writing down what was not fetched, some 100,000 links. The next run finds the rest again."""
STOP_SECONDS = 4.5
"""After a stop: until the segment is closed, whatever else is still going on."""
ROTATE_SECONDS = 5.0
LEASH_SECONDS = 0.5
PROGRESS_SECONDS = 0.25
LAPSE_TICKS = 20
"""A run whose leash has lapsed for so many looks at it, ten seconds awake, is ended."""


def crawl(
    plan: CrawlPlan,
    source: Source,
    settings: Settings,
    last_versions: LastVersions,
    *,
    environment: Mapping[str, str] | None = None,
    pool: WorkerPool | None = None,
    leash: Leash | None = None,
    tell: Callable[[CrawlProgress], None] | None = None,
) -> RunRow:
    """Carry out *plan* and return its run row, which also stands in the run's last segment.

    *environment*: where the secrets of the source's headers are; by default this process's. *pool*: workers that may be
    launched already; they are killed in any case. *leash*: asked before each request. *tell*: told four times a second
    how far the run is; must not block. Ends early, in good order, on SIGTERM, on SIGINT, after `plan.max_seconds`, at
    `plan.fetch_until` and where the leash stays lapsed. Raises OSError if the disk refuses, ConfigError (a secret that
    is not there, a Scrapy that we do not fit), ExtractError if a worker does not start; what was captured until then is
    in closed segments or can be recovered.
    """
    workers = pool or make_pool(settings, plan.count_workers(settings.workers))
    renderer = None
    try:
        require_undocumented()
        renderer = None if plan.raw_only else make_renderer(source, settings)
        headers = source.resolve_headers(os.environ if environment is None else environment)
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            run = _prepare(plan, source, settings, last_versions, headers=headers, pool=workers)
            run.leash = leash or run.leash
            run.renderer = renderer
            with closing(run.frontier):
                return runner.run(_crawl(run, tell))
    finally:
        workers.kill()
        if renderer is not None:
            renderer.kill()


async def _crawl(run: Run, tell: Callable[[CrawlProgress], None] | None) -> RunRow:
    loop = asyncio.get_running_loop()
    stop_signal = asyncio.Event()
    run.on_stop.append(stop_signal.set)
    if run.renderer is not None:
        run.on_stop.append(run.renderer.kill)
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, _on_signal, run, number)
    limit = loop.call_later(_seconds_left(run), run.stop, "limit")
    watches = [asyncio.create_task(_rotate(run)), asyncio.create_task(_watch_leash(run))]
    if tell is not None:
        watches.append(asyncio.create_task(_tell_progress(run, tell)))
    starting = asyncio.create_task(_start_workers(run))
    try:
        await _run_scrapy(run, stop_signal)
        if not run.stopping:
            await starting  # a run that needed no worker is still to say that one is broken
    finally:
        limit.cancel()
        for task in (*watches, starting):
            task.cancel()
        await run.pool.close()
        row = await _finish(run)
        loop.remove_signal_handler(signal.SIGTERM)
        signal.signal(signal.SIGTERM, signal.SIG_IGN)  # all is done but for telling it
    if run.fatal is not None:
        raise run.fatal
    return row


def _seconds_left(run: Run) -> float:
    plan = run.plan
    until_then = math.inf if plan.fetch_until is None else plan.fetch_until - boot_clock()
    return max(0.0, min(plan.max_seconds or run.settings.max_run_seconds, until_then))


async def _start_workers(run: Run) -> None:
    """Wait for the workers while the first requests are under way; if one does not start, end the run for it."""
    if not run.plan.count_workers(run.settings.workers):
        return
    try:
        await run.pool.start()
    except (ExtractError, OSError) as error:
        if not run.stopping:  # then the pool was closed under the workers, and none of them is to blame
            run.fail(error)


def _prepare(
    plan: CrawlPlan,
    source: Source,
    settings: Settings,
    last_versions: LastVersions,
    *,
    headers: Mapping[str, str],
    pool: WorkerPool,
) -> Run:
    derivation = derive(source.extract, timezone=source.timezone, language=source.language, render=source.render)
    segments = SegmentStream(
        Path(plan.spool),
        source=source.id,
        run=plan.run,
        archive=plan.archive,
        writer=f"ofrecord/{program_version()}",
        max_bytes=settings.segment_bytes,
        max_seconds=settings.segment_seconds,
        derivations={} if plan.raw_only else {derivation.digest: derivation.meaning},
        epoch=plan.epoch,
    )
    run = Run(
        plan=plan,
        source=source,
        settings=settings,
        last_versions=last_versions,
        pool=pool,
        segments=segments,
        context=make_context(source, settings),
        options=fetch_options(source, settings),
        started=datetime.now(UTC),
        frontier=Frontier(Path(plan.spool) / FRONTIER_FILE),
        listing_rules=describe_listing_rules(source, settings, plan, program_version()),
        headers=headers,
    )
    if source.assets != "none":
        run.assets = AssetList(source, settings, frontier=run.frontier, pool=pool, known=last_versions)
    return run


async def _run_scrapy(run: Run, stop_signal: asyncio.Event) -> None:
    """Crawl until Scrapy is done or, after a stop, the time for an orderly end is over."""
    runner = AsyncCrawlerRunner(scrapy_settings(run.source, run.settings))
    crawler = runner.create_crawler(NewsSpider)
    crawler.signals = HeardSignals(crawler)  # before anybody connects
    crawling = runner.crawl(crawler, run=run)
    stopped = asyncio.create_task(stop_signal.wait())
    try:
        await asyncio.wait({crawling, stopped}, return_when=asyncio.FIRST_COMPLETED)
        if not crawling.done():
            await asyncio.wait({crawling}, timeout=DRAIN_SECONDS)
        if not crawling.done():
            await run.pool.close()
            await asyncio.wait({crawling}, timeout=STOP_SECONDS - DRAIN_SECONDS)
    finally:
        stopped.cancel()
    if crawling.done():
        crawling.result()
    else:
        log.warning("failed_run", reason="requests were still going on when the time to stop was over")


async def _rotate(run: Run) -> None:
    """Close segments by age while nothing is captured, and all of them while fetching pauses: they wait for nothing."""
    while True:
        await asyncio.sleep(ROTATE_SECONDS)
        try:
            if run.leash.held and not run.leash.without_room:
                run.segments.close()
            else:
                run.segments.rotate()
        except OSError as error:
            run.fail(error)
            return


async def _watch_leash(run: Run) -> None:
    """End the run where the leash has lapsed and no word comes. Counts looks, not time: nobody can speak in a sleep."""
    lapsed = 0
    while True:
        await asyncio.sleep(LEASH_SECONDS)
        before, lapsed = lapsed, lapsed + 1 if run.leash.lapsed else 0
        if not before and lapsed:
            log.warning("paused_fetching", reason="the lease has run out")
        elif before and not lapsed:
            log.info("resumed_fetching", reason="the lease was renewed")
        if lapsed >= LAPSE_TICKS:
            run.stop("lease")
            return


async def _tell_progress(run: Run, tell: Callable[[CrawlProgress], None]) -> None:
    while True:
        tell(run.progress())
        await asyncio.sleep(PROGRESS_SECONDS)


def _on_signal(run: Run, number: int) -> None:
    log.info("received_signal", signal=signal.Signals(number).name)
    run.stop("stopped")


async def _write_waiting(run: Run) -> None:
    """Write down what nobody fetched. A run that was told to stop takes no longer than it may: see `LINKS_SECONDS`."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + (LINKS_SECONDS if run.stopping else math.inf)
    in_work = [encode_row(link) for link in run.waiting.values()]
    for lines in chain([in_work] if in_work else [], run.frontier.take_rows()):
        await write_when_there_is_room(run, partial(run.segments.add_links, lines))
        if loop.time() >= deadline and len(run.frontier):
            log.warning("skipped_page", reason="no time to write down all links that wait", pages=len(run.frontier))
            return


async def _finish(run: Run) -> RunRow:
    """Write down the links that nobody fetched and the run's own row, and close the last segment."""
    run.tally.links += len(run.waiting) + len(run.frontier)
    row = RunRow(
        run=run.plan.run,
        trigger=run.plan.trigger,
        started=run.started,
        finished=datetime.now(UTC),
        reason=run.reason,
        counts=run.tally.counts(),
        discovery=run.tally.discovery,
        slot=run.plan.slot,
        certificates=run.tally.certificates,
    )
    try:
        await _write_waiting(run)
        for line in run.plan.ledger:
            if isinstance(slot := decode_row(line.encode()), SlotRow):
                await write_when_there_is_room(run, partial(run.segments.add, slot))
        await write_when_there_is_room(run, partial(run.segments.add, row))
        await write_when_there_is_room(run, run.segments.close)
    except OSError as error:
        if run.fatal is None:
            run.fatal = error
    return row
