"""A small pool of killable processes that read pages: a socket a worker, a deadline, SIGKILL, respawn, a memory limit.

C parsers cannot be interrupted, and hostile pages may take a parser over: so workers get frames of JSON and bytes, no
pickles, hold no secrets, and what they answer is checked. The pool never loses a page: where a worker fails, the
outcome says so and still has the raw records.
"""
# ruff: noqa: PLC0415 - what few pools are asked for is loaded when it is: 0.05 s of the start of each crawl

from __future__ import annotations

import asyncio
import json
import time
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, Self

import structlog

from config.errors import ExtractError
from crawler.announcement import MAX_LINKS_BYTES, LinkStream
from crawler.outcome import decode_outcome, decode_outline, encode_exchange_data, encode_page, failed_outcome
from crawler.workers.main import encode_frame, read_answer
from crawler.workers.worker import WorkerProcess

if TYPE_CHECKING:
    from collections.abc import Sequence

    from config.settings import Settings
    from crawler.discover.page_facts import PageFacts
    from crawler.explanation import Explanation
    from crawler.model import Exchange, Outline
    from crawler.outcome import PageContext, PageOutcome
    from crawler.webarchive import CopyList
    from crawler.workers.channel import Frame

log = structlog.get_logger()

worker_seconds: ContextVar[float] = ContextVar("worker_seconds")
"""How long a worker was at the job that this task asked for last, by the clock; waiting for a worker not counted."""

CPU_SECONDS = 2.0
"""Of CPU time that a page may take, where nothing else is said: ten times the dearest of 1,500 real pages."""
LISTING_SHARE = 5
"""So many times a page's CPU time may a listing take: what is read of one is bounded by counted steps, which all
together take a slow machine more than a page may."""
PAGES_AHEAD = 32
"""So many pages for each worker may wait or be read before no more are fetched: a third of a second's work."""
PAGES_PER_WORKER = 2_000
"""After so many pages a worker is replaced, so that what C libraries leak never becomes some page's fault."""
MAX_ERROR = 1_000
MAX_STILL_BYTES = 16 * 1024 * 1024
"""Of a page that is only to be looked at; its characters are counted in `crawler.extract.page.still`."""
MAX_REPLAY_BYTES = 32 * 1024 * 1024
"""The same of a page that is shown with its assets."""
_SLACK_BYTES = 1 << 20


class WorkerPool:
    """Reads pages in *count* processes, each within *deadline_seconds*, *cpu_seconds* and *memory_bytes* of addresses.

    Has no queue of its own: who asks waits until a worker is free, first come, first served. Belongs to one event loop,
    but may be made, launched and killed before there is one.
    """

    def __init__(
        self, count: int, deadline_seconds: float, memory_bytes: int, *, cpu_seconds: float = CPU_SECONDS
    ) -> None:
        if count < 1:
            raise ValueError(f"count: found {count}, must be at least 1")
        self._count = count
        self._deadline_seconds = deadline_seconds
        self._memory_bytes = memory_bytes
        self._cpu_seconds = cpu_seconds
        self._workers: list[WorkerProcess] = []
        self._idle: asyncio.Queue[int] = asyncio.Queue()
        self._starting = set(range(count))
        """Places that nobody can be given yet."""
        self._restarts: set[asyncio.Task[None]] = set()
        self._closed = False
        self._asked = 0

    def launch(self) -> None:
        """Start the processes and wait for nothing, so that they load while the caller does. Raises OSError."""
        try:
            while len(self._workers) < self._count:
                self._workers.append(self._launch())
        except BaseException:
            self.kill()
            raise

    async def start(self) -> None:
        """Wait until the parsers of all workers are loaded, launched or not; who asks meanwhile waits too.

        Raises ExtractError if one does not start, OSError if there is no room for a process; then all are killed.
        """
        if self._closed:
            raise ExtractError("the workers were stopped")
        self.launch()
        try:
            await asyncio.gather(*(self._start_at(place) for place in range(self._count)))
        except BaseException:
            await self.close()
            raise

    async def page(self, exchange: Exchange, context: PageContext) -> PageOutcome:
        """Return what `task.process_page` makes of *exchange*. Raises only RecordError, as that does."""
        data, body = encode_page(exchange, context)
        heads = len(exchange.request_head) + len(exchange.response_head)
        # of a squeezed body the records are hardly longer, of any other shorter
        limit = len(body) + len(body) // 8 + 2 * heads + _SLACK_BYTES
        try:
            return decode_outcome(*await self._call("page", data, body, url=exchange.url, max_body=limit))
        except ExtractError as error:
            beginning = await self._read_beginning(exchange) if context.obey_noarchive else None
            return failed_outcome(exchange, context, str(error), beginning)

    async def _read_beginning(self, exchange: Exchange) -> str | None:
        """Return what can be read of a page that a worker failed at, so that what robots are told is obeyed."""
        data = {"exchange": encode_exchange_data(exchange)}
        try:
            found, _ = await self._call("beginning", data, exchange.body, url=exchange.url, max_body=0)
            text = _read_object(found).get("text")
        except ExtractError:
            return None
        return text if isinstance(text, str) else None

    async def links(self, exchange: Exchange, limit: int) -> LinkStream:
        """Return what `listings.discover` finds in *exchange*, at most *limit* links. Does not raise."""
        if exchange.rendition is not None and exchange.rendition.error is not None:
            return LinkStream(via=exchange.url, error=f"the page could not be rendered: {exchange.rendition.error}")
        exchange = exchange.as_rendered()
        data = {"exchange": encode_exchange_data(exchange), "limit": limit}
        try:
            found, lines = await self._call(
                "links", data, exchange.body, url=exchange.url, max_body=MAX_LINKS_BYTES, share=LISTING_SHARE
            )
            about = _read_object(found)
        except ExtractError as error:
            return LinkStream(via=exchange.url, error=str(error))
        reason = about.get("error")
        return LinkStream(
            lines,
            via=exchange.url,
            error=None if reason is None else str(reason)[:MAX_ERROR],
            truncated=bool(about.get("truncated")),
        )

    async def copies(self, exchange: Exchange, original: str | None = None) -> CopyList:
        """Return what `documents.list_copies` finds in a web archive's answer. Does not raise."""
        from crawler.webarchive import CopyList, decode_copies

        data = {"exchange": encode_exchange_data(exchange), "original": original}
        try:
            found, _ = await self._call("copies", data, exchange.body, url=exchange.url, max_body=0)
            return decode_copies(found)
        except ExtractError as error:
            return CopyList(error=str(error))

    async def requisites(self, exchange: Exchange, limit: int) -> list[str]:
        """Return what `documents.list_requisites` finds, at most *limit*; none if it fails."""
        data = {"exchange": encode_exchange_data(exchange), "limit": limit}
        try:
            found, _ = await self._call("requisites", data, exchange.body, url=exchange.url, max_body=0)
            urls = _read_object(found).get("urls")
        except ExtractError:
            return []
        return [url for url in urls if isinstance(url, str)][:limit] if isinstance(urls, list) else []

    async def explain(self, exchange: Exchange, context: PageContext, *, whole: bool) -> Explanation:
        """Return what `task.explain_page` says of *exchange*. Does not raise."""
        from crawler.explanation import decode_explanation, failed_explanation

        data, body = encode_page(exchange, context)
        try:
            found, _ = await self._call("explain", {**data, "whole": whole}, body, url=exchange.url, max_body=0)
            return decode_explanation(_read_object(found))
        except ExtractError as error:
            return failed_explanation(str(error))

    async def facts(self, exchange: Exchange, product: str) -> PageFacts:
        """Return what `documents.read_facts` reads off *exchange*. Raises ExtractError."""
        from crawler.workers.transport import decode_page_facts

        data = {"exchange": encode_exchange_data(exchange), "product": product}
        found, _ = await self._call("facts", data, exchange.body, url=exchange.url, max_body=0)
        return decode_page_facts(found)

    async def still(self, exchange: Exchange) -> str:
        """Return what `documents.quiet_page` makes of *exchange*. Raises ExtractError."""
        data = {"exchange": encode_exchange_data(exchange)}
        _, page = await self._call("still", data, exchange.body, url=exchange.url, max_body=MAX_STILL_BYTES)
        return page.decode("utf-8", "replace")

    async def replay(self, exchange: Exchange, assets: Sequence[str], mark: str) -> str:
        """Return what `documents.replay_document` makes of *exchange*. Raises ExtractError.

        In place of asset number n of *assets* it has *mark* with n behind it.
        """
        data = {"exchange": encode_exchange_data(exchange), "assets": list(assets), "mark": mark}
        _, page = await self._call("replay", data, exchange.body, url=exchange.url, max_body=MAX_REPLAY_BYTES)
        return page.decode("utf-8", "replace")

    async def outline(self, exchange: Exchange, context: PageContext) -> Outline:
        """Return what `task.outline_page` makes of *exchange*. Raises ExtractError."""
        data, body = encode_page(exchange, context)
        found, _ = await self._call("outline", data, body, url=exchange.url, max_body=0)
        return decode_outline(found)

    @property
    def is_behind(self) -> bool:
        """Whether as many pages wait as should: each holds its body and some 20 KB more in Scrapy's hands."""
        return self._asked > self._count * PAGES_AHEAD

    @property
    def closed(self) -> bool:
        """Whether no page is read any more."""
        return self._closed

    async def close(self) -> None:
        """Kill all workers; calls that wait or are in flight end with an outcome that says so. Safe to repeat."""
        self.kill()
        await asyncio.gather(*self._restarts, return_exceptions=True)
        await asyncio.sleep(0)  # lets the transports close

    def kill(self) -> None:
        """Do what `close` does, but wait for nothing; for those who have no event loop (yet). Safe to repeat."""
        self._closed = True
        for worker in self._workers:
            worker.kill()
        for place in list(self._starting):
            self._open_place(place)  # who waits is to hear of it

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def _start_at(self, place: int) -> None:
        await self._workers[place].wait_ready()
        self._open_place(place)

    def _open_place(self, place: int) -> None:
        if place in self._starting:
            self._starting.remove(place)
            self._idle.put_nowait(place)

    def _launch(self) -> WorkerProcess:
        return WorkerProcess(deadline_seconds=self._deadline_seconds, memory_bytes=self._memory_bytes)

    async def _call(
        self, name: str, data: dict[str, Any], body: bytes, *, url: str, max_body: int, share: int = 1
    ) -> Frame:
        """Return JSON and raw bytes of the answer to the job *name*. Raises ExtractError.

        *share*: how many times the CPU time of a page it may take.
        """
        if self._closed:
            raise ExtractError("the workers were stopped")
        self._asked += 1
        try:
            place = await self._idle.get()
            try:
                seconds = share * self._cpu_seconds
                frame = encode_frame({**data, "call": name, "cpu_seconds": seconds}, body)
                return await self._call_at(place, frame, url=url, max_body=max_body, cpu_seconds=seconds)
            finally:
                self._give_back(place)
        finally:
            self._asked -= 1

    async def _call_at(self, place: int, frame: bytes, *, url: str, max_body: int, cpu_seconds: float) -> Frame:
        if self._closed:
            raise ExtractError("the workers were stopped")
        worker = self._workers[place]
        usable, started = False, time.monotonic()
        try:
            await worker.wait_ready()
            started = time.monotonic()
            answer, records = await worker.ask(frame, max_body=max_body, cpu_seconds=cpu_seconds)
            usable = worker.pages < PAGES_PER_WORKER
        except TimeoutError as error:
            reason = f"time-out: not done within {self._deadline_seconds:g} s"
            log.warning("killed_worker", url=url, worker=worker.pid, reason=reason)
            raise ExtractError(reason) from error
        except ExtractError as error:
            log.warning("failed_worker", url=url, worker=worker.pid, error=str(error))
            raise
        finally:
            worker_seconds.set(time.monotonic() - started)
            if not usable:
                self._replace(place)
        return read_answer(answer), records

    def _give_back(self, place: int) -> None:
        """Let *place* be given to others: at once, or when its new worker is ready; until then they have the rest."""
        if self._closed or self._workers[place].is_ready:
            self._idle.put_nowait(place)
            return
        self._starting.add(place)
        restart = asyncio.get_running_loop().create_task(self._restart_at(place))
        self._restarts.add(restart)
        restart.add_done_callback(self._restarts.discard)

    async def _restart_at(self, place: int) -> None:
        try:
            await self._workers[place].wait_ready()
        except ExtractError:
            self._workers[place].kill()  # who is sent here next hears of it, and lets another be started
        finally:
            self._open_place(place)

    def _replace(self, place: int) -> None:
        self._workers[place].kill()
        if self._closed:
            return
        try:
            self._workers[place] = self._launch()
        except OSError as error:  # no room for a process now: the next page that is sent here tries again
            log.warning("failed_worker", error=str(error))
        else:
            log.debug("restarted_worker", worker=self._workers[place].pid)


def _read_object(text: bytes) -> dict[str, Any]:
    try:
        data = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ExtractError(f"the worker's answer is not JSON: {error}") from error
    if not isinstance(data, dict):
        raise ExtractError("the worker's answer is not a JSON object")
    return data


def make_pool(settings: Settings, count: int | None = None) -> WorkerPool:
    """Return the pool that *settings* ask for, of *count* workers if that is given; nothing is launched yet."""
    return WorkerPool(
        count or settings.workers,
        settings.page_seconds,
        settings.worker_memory_bytes,
        cpu_seconds=settings.page_cpu_seconds,
    )
