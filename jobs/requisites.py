"""What a recorded page or style sheet is shown with, as far as it names it: for exports and the reading room alike."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from crawler.model import Exchange
    from crawler.workers.batch import SharedPool

MAX_NAMED = 400
"""Addresses of one document that are looked for."""
_ENDINGS = (".jpg", ".jpeg", ".png", ".gif", ".webp", ".avif", ".svg", ".woff", ".woff2", ".js", ".ico")


def list_named(exchange: Exchange, pool: SharedPool) -> list[str]:
    """Return the addresses that *exchange* names, at most MAX_NAMED; a worker reads it. None if that fails."""
    return pool.ask(lambda workers: workers.requisites(exchange, MAX_NAMED))


def is_leaf(url: str) -> bool:
    """Whether what is at *url* names nothing more, by its ending: most assets, which need not be read for it."""
    return urlsplit(url).path.endswith(_ENDINGS)
