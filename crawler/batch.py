"""Pages read one after another by a pool of workers of their own, for callers without an event loop."""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from typing import TYPE_CHECKING

from crawler.waits import wait_for
from crawler.workers import CPU_SECONDS, WorkerPool

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from concurrent.futures import Future

    from crawler.model import Exchange
    from crawler.outcome import PageContext, PageOutcome


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
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="ofrecord-workers", daemon=True)
    thread.start()
    pool = WorkerPool(count, deadline_seconds, memory_bytes, cpu_seconds=cpu_seconds)
    waiting: deque[Future[PageOutcome]] = deque()
    try:
        wait_for(asyncio.run_coroutine_threadsafe(pool.start(), loop))
        for exchange, context in items:
            waiting.append(asyncio.run_coroutine_threadsafe(pool.page(exchange, context), loop))
            if len(waiting) >= 2 * count:
                yield wait_for(waiting.popleft())
        while waiting:
            yield wait_for(waiting.popleft())
    finally:
        wait_for(asyncio.run_coroutine_threadsafe(_stop(pool), loop))
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


async def _stop(pool: WorkerPool) -> None:
    await pool.close()
    others = asyncio.all_tasks() - {asyncio.current_task()}
    await asyncio.gather(*others, return_exceptions=True)
