"""What a visit offers to the program that makes it: polite requests of which nothing is kept.

Light: no Scrapy here. What carries it out is in `crawler.visiting`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from config.errors import FetchError

if TYPE_CHECKING:
    from config.settings import Settings
    from config.sources import Source
    from crawler.model import Exchange, Purpose
    from crawler.workers.pool import WorkerPool


@dataclass(frozen=True, slots=True)
class VisitLimits:
    """What a visit may cost."""

    requests: int
    """Of all kinds: robots.txt and hops of redirects count."""
    seconds: float
    body_bytes: int
    """Of one answer; what is longer is cut, and the exchange says so."""


class VisitOver(FetchError):
    """No request is made any more: the limit of requests or time is reached, or somebody stopped the visit."""


class Visit(Protocol):
    """The web as the program of a visit sees it."""

    source: Source
    """Decides delays, headers, and which addresses may be reached."""
    settings: Settings
    pool: WorkerPool
    """Reads what was fetched; nothing hostile is parsed in this process."""
    limits: VisitLimits
    requests: int
    """Sent so far."""
    at_limit: bool
    """Whether it is over because a limit is reached."""

    async def fetch(self, url: str, purpose: Purpose, *, via: str | None = None) -> Exchange:
        """Return what one request of *url* came to, after asking robots.txt and waiting for the host's turn.

        Redirects are not followed. Whatever the web does is in the exchange (`error`, `forbidden`, `truncated`).
        Raises VisitOver.
        """
        ...

    async def follow(self, url: str, purpose: Purpose, *, via: str | None = None) -> tuple[Exchange, ...]:
        """Return the exchanges from *url* to where its redirects end, at most `settings.max_redirects` hops.

        The last one is what counts; a loop or too long a way is an `error` of it. Raises VisitOver.
        """
        ...

    async def read_robots(self, origin: str) -> Exchange:
        """Return the exchange of robots.txt of *origin* (`https://host`), fetched once a visit. Raises VisitOver."""
        ...


Program = Callable[[Visit, dict[str, Any]], Awaitable[Any]]
"""What makes a visit: takes it and its parameters (JSON data), returns JSON data."""
