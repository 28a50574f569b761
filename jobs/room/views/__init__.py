"""What each page tells: the catalog, the index and the store → shapes. Nothing of HTML is known here."""

from typing import Any

from jobs.room.endpoints import Download, Page
from jobs.room.views import (
    about,
    article,
    capture,
    commits,
    compare,
    front,
    ledgers,
    memento,
    rechecks,
    runs,
    search,
    sources,
    texts,
    watches,
)

ENDPOINTS: tuple[Page[Any, Any] | Download[Any], ...] = (
    *front.ENDPOINTS,
    *about.ENDPOINTS,
    *search.ENDPOINTS,
    *sources.ENDPOINTS,
    *runs.ENDPOINTS,
    *ledgers.ENDPOINTS,
    *rechecks.ENDPOINTS,
    *commits.ENDPOINTS,
    *article.ENDPOINTS,
    *compare.ENDPOINTS,
    *texts.ENDPOINTS,
    *capture.ENDPOINTS,
    *watches.ENDPOINTS,
    *memento.ENDPOINTS,
)
"""In the order in which routes are tried."""
