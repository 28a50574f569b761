"""The spider of a visit: it yields nothing; what is asked for, the program of the visit asks the engine for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from scrapy import Spider

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from scrapy import Request

    from crawler.items import Fetching


class VisitSpider(Spider):
    """Keeps Scrapy's engine open as long as *work* goes on, which must not raise."""

    name = "visit"

    def __init__(self, *, run: Fetching, work: Callable[[], Awaitable[None]], **kwargs: Any) -> None:  # noqa: ANN401 - Scrapy's own arguments
        super().__init__(**kwargs)
        self.run = run
        self._work = work

    async def start(self) -> AsyncIterator[Request]:
        """Do the work."""
        await self._work()
        nothing: tuple[Request, ...] = ()
        for request in nothing:
            yield request
