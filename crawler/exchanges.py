"""Requests in the words of the core: whose headers they get, and as exchanges what became of them. Origins."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from crawler.items import AttemptFailed, ExchangeResponse, RequestForbidden
from crawler.model import Exchange
from crawler.sites import list_own_urls

if TYPE_CHECKING:
    from scrapy import Request
    from scrapy.http import Response

    from crawler.items import Fetching
    from crawler.model import Purpose

WebOrigin = tuple[str, str | None, int | None]
"""Scheme, host and port."""


def exchange_of(response: Response) -> Exchange:
    """Return the exchange that *response* carries."""
    if not isinstance(response, ExchangeResponse):
        raise TypeError(f"{response!r} did not come from our download handler")
    return response.exchange


def failed_exchange(url: str, purpose: Purpose, error: BaseException | None, *, via: str | None) -> Exchange:
    """Return the exchange of a request that got no answer for *error*, as far as there was one."""
    if isinstance(error, AttemptFailed):
        return error.exchange
    return Exchange(
        url=url,
        purpose=purpose,
        started_at=datetime.now(UTC),
        seconds=0.0,
        request_head=b"",
        via=via,
        error=str(error) if isinstance(error, RequestForbidden) else f"not requested: {error}",
        forbidden=isinstance(error, RequestForbidden) and error.explicitly,
    )


def origin_of(url: str) -> WebOrigin:
    """Return scheme, host and port of *url*."""
    parts = urlsplit(url)
    return parts.scheme, parts.hostname, parts.port or {"http": 80, "https": 443}.get(parts.scheme)


class OwnHeaders:
    """A source's own request headers. They may hold its secrets, so they go to its own origins alone."""

    def __init__(self, fetching: Fetching) -> None:
        self._headers = dict(fetching.headers)
        self._origins = {origin_of(url) for url in list_own_urls(fetching.source)}

    def put(self, request: Request) -> None:
        """Put them on *request* if it goes to an origin of the source."""
        if self._headers and origin_of(request.url) in self._origins:
            request.headers.update(self._headers)
