"""Scrapy's scheduler: listings and redirects wait in memory, for they are few; pages in the run's frontier, on disk."""

from __future__ import annotations

from heapq import heappop, heappush
from itertools import count
from typing import TYPE_CHECKING

from scrapy.core.scheduler import BaseScheduler

if TYPE_CHECKING:
    from typing import Self

    from scrapy import Request
    from scrapy.crawler import Crawler

    from crawler.spiders.news import NewsSpider


class FrontierScheduler(BaseScheduler):
    """Hands out requests by priority, then those that follow from pages before the first ones, then in their order.

    A page's request is made when its turn has come: two hundred thousand of them would take half a gigabyte.
    """

    def __init__(self, spider: NewsSpider) -> None:
        self._spider = spider
        self._waiting: list[tuple[int, bool, int, Request]] = []
        self._numbers = count()

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """Return the scheduler of *crawler*."""
        return cls(crawler.spider)  # type: ignore[arg-type]  # the one spider there is; it exists before its scheduler

    def has_pending_requests(self) -> bool:
        """Whether anything waits."""
        return bool(self._waiting) or self._spider.has_waiting

    def enqueue_request(self, request: Request) -> bool:
        """Let *request* wait; whether it was seen before is the spider's affair."""
        first = bool(request.meta.get("is_start_request"))
        heappush(self._waiting, (-request.priority, first, next(self._numbers), request))
        return True

    def next_request(self) -> Request | None:
        """Return the request whose turn it is; `None` if there is none, or while the workers are behind.

        Scrapy asks again whenever a page is done with.
        """
        if self._spider.run.pool.is_behind:
            return None
        return heappop(self._waiting)[-1] if self._waiting else self._spider.next_page()
