"""A page's capture → the recorded captures of what it is shown with: pictures, style sheets, and what these name."""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog

from config.errors import RecordError, StoreError
from crawler.outcome import media_type_of
from crawler.urls import find_normal
from crawler.workers.batch import SharedPool
from jobs.archive.ranges import fetch_range
from jobs.requisites import is_leaf, list_named
from jobs.segments.pages import CapturePlaces, read_capture

if TYPE_CHECKING:
    from collections.abc import Iterator

    from config.settings import Settings
    from crawler.model import Exchange
    from jobs.catalog import Catalog, StoredCapture
    from jobs.export.records import RangeReader
    from jobs.segments.pages import RecordPlace

log = structlog.get_logger()

MAX_SHEETS = 50
"""Of one page, those that sheets import among them."""
_MAX_KNOWN = 10_000
"""Sheets whose names are remembered: pages of a site share them."""
_MAX_INFLATED_BYTES = 32 * 1024 * 1024
_SHEET = "text/css"


class PageAssets:
    """Finds assets. Pages are read by workers that may be killed, started with the first; close it at the end."""

    def __init__(self, store: RangeReader, catalog: Catalog, settings: Settings) -> None:
        self._store = store
        self._catalog = catalog
        self._pool = SharedPool(
            1, settings.page_seconds, settings.worker_memory_bytes, cpu_seconds=settings.page_cpu_seconds
        )
        self._sources: dict[str, bool] = {}
        self._named: dict[tuple[str, int], list[str]] = {}

    def close(self) -> None:
        """End the workers."""
        self._pool.close()

    def find(self, page: StoredCapture) -> Iterator[StoredCapture]:
        """Yield the captures nearest in time of what *page* names; none of a source that records no assets.

        What cannot be read names nothing: the page is shown without it.
        """
        if page.source not in self._sources:
            self._sources[page.source] = self._catalog.has_assets(page.source)
        if not self._sources[page.source]:
            return
        waiting, seen, sheets = [page], {page.place}, 0
        while waiting and sheets <= MAX_SHEETS:
            document = waiting.pop()
            sheets += 1
            named = self._read_named(document)
            normal = dict.fromkeys(found for url in named if (found := find_normal(url)) is not None)
            for way in self._catalog.find_shown_with(page.source, normal, page.captured_at).values():
                for one in way:
                    if one.place in seen:
                        continue
                    seen.add(one.place)
                    yield one
                    if one.status == 200 and not is_leaf(one.url):
                        waiting.append(one)

    def _read_named(self, document: StoredCapture) -> list[str]:
        if document.place in self._named:
            return self._named[document.place]
        try:
            exchange = self._read(document)
        except (RecordError, StoreError) as error:
            log.warning("failed_asset", url=document.url, error=str(error))
            return []
        is_sheet = media_type_of(exchange) == _SHEET if exchange is not None else False
        if exchange is None or (document.revision is None and not is_sheet):
            named = []
        else:
            named = list_named(exchange, self._pool)
        if is_sheet or not named:
            if len(self._named) == _MAX_KNOWN:
                self._named.clear()
            self._named[document.place] = named
        return named

    def _read(self, capture: StoredCapture) -> Exchange | None:
        places = CapturePlaces.of(capture)
        if places is None:
            return None

        def fetch(place: RecordPlace) -> bytes:
            return fetch_range(self._store, place.key, place.offset, place.length)

        return read_capture(fetch, places, limit=_MAX_INFLATED_BYTES).as_rendered()
