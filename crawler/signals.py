"""Less of what Scrapy tells for every page: signals that nobody listens to, and log lines that nobody reads.

Both by documented means: `Crawler.signals` is a `SignalManager`, a `LogFormatter` may answer `None`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from scrapy.logformatter import LogFormatter
from scrapy.signalmanager import SignalManager

if TYPE_CHECKING:
    from scrapy import Request, Spider
    from scrapy.http import Response
    from twisted.python.failure import Failure


class HeardSignals(SignalManager):
    """Sends a signal only if somebody connected to it: of the seven of a page, none is heard. 35 µs a page."""

    def __init__(self, sender: Any) -> None:  # noqa: ANN401 - the crawler
        super().__init__(sender)
        self._heard: list[Any] = []

    def connect(self, receiver: Any, signal: Any, **kwargs: Any) -> None:  # noqa: ANN401 - as Scrapy has it
        """Connect *receiver* to *signal*."""
        self._heard.append(signal)
        super().connect(receiver, signal, **kwargs)

    def send_catch_log(self, signal: Any, **kwargs: Any) -> list[tuple[Any, Any]]:  # noqa: ANN401
        """Send *signal*; return who heard it and what they answered."""
        return super().send_catch_log(signal, **kwargs) if signal in self._heard else []

    async def send_catch_log_async(self, signal: Any, **kwargs: Any) -> list[tuple[Any, Any]]:  # noqa: ANN401
        """Send *signal*; return who heard it and what they answered."""
        return await super().send_catch_log_async(signal, **kwargs) if signal in self._heard else []


class FaultsOnly(LogFormatter):
    """Says nothing of pages that were fetched and items that were scraped: we have a line of our own for each."""

    def crawled(self, request: Request, response: Response, spider: Spider) -> None:  # type: ignore[override]
        """Say nothing."""

    def scraped(self, item: Any, response: Response | Failure | None, spider: Spider) -> None:  # type: ignore[override]  # noqa: ANN401
        """Say nothing."""
