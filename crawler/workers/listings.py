"""A feed, sitemap or listing page from wire to links. Run by the worker processes; pure, as `crawler.workers.task`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from config.errors import ExtractError
from crawler.discover import discover_links
from crawler.discover.unpack import GZIP_MAGIC
from crawler.encoding import inflate
from crawler.model import Discovery
from crawler.outcome import MAX_INFLATED_BYTES

if TYPE_CHECKING:
    from crawler.model import Exchange


def discover(exchange: Exchange, limit: int, *, max_inflated_bytes: int = MAX_INFLATED_BYTES) -> Discovery:
    """Return the links of a feed, sitemap or listing page, at most *limit*. Never raises on bad input."""
    body, codings = exchange.body, exchange.header_values("Content-Encoding")
    if [coding.strip().lower() for coding in codings] != ["gzip"] or not body.startswith(GZIP_MAGIC):
        try:
            body = inflate(body, codings, limit=max_inflated_bytes)
        except ExtractError as error:
            return Discovery(links=(), error=str(error), truncated=False)
    # gzip is left to the reader, who makes do with what came of it
    media_type = exchange.header("Content-Type")
    return discover_links(body, url=exchange.url, purpose=exchange.purpose, media_type=media_type, limit=limit)
