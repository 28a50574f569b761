"""Pages read one after another by a pool of workers of their own, for callers without an event loop."""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from config.errors import ExtractError
from crawler.waits import wait_for
from crawler.workers.pool import CPU_SECONDS, WorkerPool

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterable, Iterator
    from concurrent.futures import Future

    from crawler.explanation import Explanation
    from crawler.model import Exchange, Outline
    from crawler.outcome import PageContext, PageOutcome

_Answer = TypeVar("_Answer")


class SharedPool:
    """A pool of workers for many threads that have no event loop. Started when it is first asked; close it at the end.

    *count* and the limits are those of `WorkerPool`.
    """

    def __init__(
        self, count: int, deadline_seconds: float, memory_bytes: int, *, cpu_seconds: float = CPU_SECONDS
    ) -> None:
        self._make = partial(WorkerPool, count, deadline_seconds, memory_bytes, cpu_seconds=cpu_seconds)
        self._lock = threading.Lock()
        self._running: tuple[WorkerPool, asyncio.AbstractEventLoop, threading.Thread] | None = None

    def ask(self, call: Callable[[WorkerPool], Coroutine[None, None, _Answer]]) -> _Answer:
        """Return what *call* makes of the pool. Raises what it raises; ExtractError, OSError where none can start."""
        with self._lock:
            pool, loop, _ = self._running = self._running or self._start()
        return asyncio.run_coroutine_threadsafe(call(pool), loop).result()

    def close(self) -> None:
        """End the workers; who waits for one hears of it. Safe to repeat."""
        with self._lock:
            running, self._running = self._running, None
        if running is not None:
            _end_loop(*running)

    def _start(self) -> tuple[WorkerPool, asyncio.AbstractEventLoop, threading.Thread]:
        pool, (loop, thread) = self._make(), _begin_loop()
        try:
            # the thread that starts a worker must outlive it, so it is the loop's
            asyncio.run_coroutine_threadsafe(pool.start(), loop).result()
        except BaseException:
            _end_loop(pool, loop, thread)
            raise
        return pool, loop, thread


def run_pages(
    items: Iterable[tuple[Exchange, PageContext]],
    *,
    count: int,
    deadline_seconds: float,
    memory_bytes: int,
    cpu_seconds: float = CPU_SECONDS,
) -> Iterator[PageOutcome]:
    """Yield the outcome of each item in order, read by a pool of its own; for callers without an event loop.

    Takes from *items* only a few ahead of what was yielded.
    """
    pool = WorkerPool(count, deadline_seconds, memory_bytes, cpu_seconds=cpu_seconds)
    return _run(items, pool, pool.page, ahead=2 * count)


def run_outlines(
    items: Iterable[tuple[Exchange, PageContext]],
    *,
    count: int,
    deadline_seconds: float,
    memory_bytes: int,
    cpu_seconds: float = CPU_SECONDS,
) -> Iterator[Outline | ExtractError]:
    """Yield the outline of each item in order, or why there is none; else as `run_pages`."""
    pool = WorkerPool(count, deadline_seconds, memory_bytes, cpu_seconds=cpu_seconds)

    async def ask(exchange: Exchange, context: PageContext) -> Outline | ExtractError:
        try:
            return await pool.outline(exchange, context)
        except ExtractError as error:
            return error

    return _run(items, pool, ask, ahead=2 * count)


def explain_pages(
    items: Iterable[tuple[Exchange, PageContext]],
    *,
    whole: bool,
    count: int,
    deadline_seconds: float,
    memory_bytes: int,
    cpu_seconds: float = CPU_SECONDS,
) -> Iterator[Explanation]:
    """Yield why the text of each item is what it is, in order; else as `run_pages`. *whole*: of all the page."""
    pool = WorkerPool(count, deadline_seconds, memory_bytes, cpu_seconds=cpu_seconds)
    return _run(items, pool, partial(pool.explain, whole=whole), ahead=2 * count)


def _run(
    items: Iterable[tuple[Exchange, PageContext]],
    pool: WorkerPool,
    ask: Callable[[Exchange, PageContext], Coroutine[None, None, _Answer]],
    *,
    ahead: int,
) -> Iterator[_Answer]:
    loop, thread = _begin_loop()
    waiting: deque[Future[_Answer]] = deque()
    try:
        wait_for(asyncio.run_coroutine_threadsafe(pool.start(), loop))
        for exchange, context in items:
            waiting.append(asyncio.run_coroutine_threadsafe(ask(exchange, context), loop))
            if len(waiting) >= ahead:
                yield wait_for(waiting.popleft())
        while waiting:
            yield wait_for(waiting.popleft())
    finally:
        _end_loop(pool, loop, thread)


def _begin_loop() -> tuple[asyncio.AbstractEventLoop, threading.Thread]:
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="ofrecord-workers", daemon=True)
    thread.start()
    return loop, thread


def _end_loop(pool: WorkerPool, loop: asyncio.AbstractEventLoop, thread: threading.Thread) -> None:
    wait_for(asyncio.run_coroutine_threadsafe(_stop(pool), loop))
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()


async def _stop(pool: WorkerPool) -> None:
    await pool.close()
    others = asyncio.all_tasks() - {asyncio.current_task()}
    await asyncio.gather(*others, return_exceptions=True)
