"""A Scrapy extension that ends a run early and in good order."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import structlog
from scrapy import signals
from scrapy.exceptions import CloseSpider

from crawler.items import RunStopped
from crawler.slots import give_up_waiting

if TYPE_CHECKING:
    from scrapy import Request
    from scrapy.crawler import Crawler
    from scrapy.http import Response
    from twisted.python.failure import Failure

    from crawler.items import PageItem, Run

log = structlog.get_logger()


class RunGuard:
    """Closes the spider when the run is stopped. A disk that refuses ends the run; one bad page never does."""

    def __init__(self, crawler: Crawler) -> None:
        self._crawler = crawler
        self._opened = False
        self._closing: asyncio.Task[None] | None = None
        self._run: Run = crawler.spider.run  # type: ignore[union-attr]  # the spider exists before its extensions
        self._run.on_stop.append(self._close)
        crawler.signals.connect(self._on_item_error, signal=signals.item_error)
        crawler.signals.connect(self._on_spider_error, signal=signals.spider_error)
        crawler.signals.connect(self._on_open, signal=signals.spider_opened)

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> RunGuard:
        """Return the extension of *crawler*."""
        return cls(crawler)

    def _on_item_error(self, item: PageItem, failure: Failure) -> None:
        error = failure.value
        log.error("rejected_page", url=item.url, error=f"{type(error).__name__}: {error}")
        if isinstance(error, OSError | MemoryError):
            self._run.fail(error)
        else:
            self._run.tally.count_loss(item)

    def _on_spider_error(self, response: Response | Failure, failure: Failure) -> None:
        request: Request = response.request  # type: ignore[union-attr,assignment]  # Scrapy puts it on both
        error = f"{type(failure.value).__name__}: {failure.value}"
        log.error("failed_discovery", url=request.url, error=error)
        if isinstance(failure.value, OSError):
            self._run.fail(failure.value)
        self._run.tally.note_discovery(request.meta.get("seed"), 0, error)

    def _on_open(self) -> None:
        self._opened = True
        if self._run.stopping:
            raise CloseSpider(self._run.reason)

    def _close(self) -> None:
        if self._opened and self._closing is None and self._crawler.engine.spider is not None:
            give_up_waiting(self._crawler, RunStopped("the run is being stopped"))
            self._closing = asyncio.ensure_future(self._crawler.engine.close_spider_async(reason=self._run.reason))
