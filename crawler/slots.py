"""The adapter between a host's pace and Scrapy's downloader: a download slot that asks how long to wait each time."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from scrapy.core.downloader import Slot
from twisted.python.failure import Failure

from crawler.throttle import Pace, parse_retry_after

if TYPE_CHECKING:
    from scrapy import Request
    from scrapy.crawler import Crawler

    from crawler.leash import Leash
    from crawler.model import Exchange
    from crawler.throttle import DelayBounds


ASK_AGAIN_SECONDS = 0.1
"""While no request may begin."""


class HostSlot(Slot):
    """Scrapy's queue of requests to one host, at the host's own pace, none while the leash is held."""

    __slots__ = ("leash", "pace")

    def __init__(self, concurrency: int, pace: Pace, leash: Leash) -> None:
        super().__init__(concurrency, pace.delay, jitter=0.0)
        self.pace = pace
        self.leash = leash

    def download_delay(self) -> float:
        """Return how long after its last request the next one may be sent; Scrapy asks before it sends any."""
        if self.leash.held and not self.pace.halted:
            self.delay = time.monotonic() - self.lastseen + ASK_AGAIN_SECONDS
        else:
            self.delay = self.pace.seconds_after(self.lastseen)
        return self.delay

    def note_answer(self, exchange: Exchange, *, latency: float) -> None:
        """Tell the pace of an answer that came just now, *latency* seconds after its request.

        In place of Scrapy's AutoThrottle, which knows one least delay for all hosts, and neither 429 nor Retry-After.
        """
        wish, now = exchange.header("Retry-After"), datetime.now(UTC)
        self.pace.note_answer(
            exchange.status or 0,
            latency=latency,
            now=time.monotonic(),
            retry_after=parse_retry_after(wish, date=exchange.header("Date"), now=now) if wish else None,
        )


def open_slot(crawler: Crawler, request: Request, bounds: DelayBounds, leash: Leash) -> HostSlot:
    """Return the slot that *request* will wait in. It lasts for the run: Scrapy clears away only what it opened."""
    downloader = crawler.engine.downloader
    key = downloader.get_slot_key(request)
    slot = downloader.slots.get(key)
    if slot is None:
        slot = downloader.slots[key] = HostSlot(downloader.domain_concurrency, Pace(bounds), leash)
    if not isinstance(slot, HostSlot):
        raise TypeError(f"{request!r}: its slot was not opened by us")
    # the first is where Scrapy looks before it takes the URL apart, which it would do three times
    request.meta.update(download_slot=key, host_slot=slot)
    return slot


def give_up_waiting(crawler: Crawler, error: Exception) -> None:
    """Let requests that wait for their politeness delay fail with *error*: a stop must not take a minute."""
    for slot in crawler.engine.downloader.slots.values():
        if isinstance(slot, HostSlot):
            slot.pace.halted = True
        waiting = list(slot.queue)
        slot.queue.clear()
        for _, answer in waiting:
            answer.errback(Failure(error))  # type: ignore[no-untyped-call]


def slot_of(request: Request) -> HostSlot | None:
    """Return the slot that `open_slot` gave *request*, if it did."""
    slot: HostSlot | None = request.meta.get("host_slot")
    return slot
