"""The adapter between a host's pace and Scrapy's downloader: a download slot that asks how long to wait each time."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from scrapy.core.downloader import Slot

from crawler.throttle import Pace

if TYPE_CHECKING:
    from scrapy import Request
    from scrapy.crawler import Crawler

    from crawler.leash import Leash
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


def open_slot(crawler: Crawler, request: Request, bounds: DelayBounds, leash: Leash) -> HostSlot:
    """Return the slot that *request* will wait in. It lasts for the run: Scrapy clears away only what it opened."""
    downloader = crawler.engine.downloader
    key = downloader.get_slot_key(request)
    if key not in downloader.slots:
        downloader.slots[key] = HostSlot(downloader.domain_concurrency, Pace(bounds), leash)
    return find_slot(crawler, request)


def find_slot(crawler: Crawler, request: Request) -> HostSlot:
    """Return the slot of *request*, which `open_slot` has opened."""
    slot = crawler.engine.downloader.slots[crawler.engine.downloader.get_slot_key(request)]
    if not isinstance(slot, HostSlot):
        raise TypeError(f"{request!r}: its slot was not opened by us")
    return slot
