"""What a crawl asks of the catalog, one source's articles at a time. A look-up that fails costs work, never the run."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING

import structlog

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from crawler.compare import KnownReading, LastAsset, LastLook, LastVersion
    from crawler.model import RecordReference
    from crawler.validators import Validators
    from jobs.catalog.queries import CatalogQueries

log = structlog.get_logger()


class SourceVersions:
    """The crawler's view of the catalog: the last versions of one source's articles (crawler.compare.LastVersions)."""

    def __init__(self, catalog: CatalogQueries, source: str) -> None:
        self._catalog = catalog
        self._source = source

    def last(self, url: str) -> LastVersion | None:
        """Return the last known version of the article at the normalised *url*."""
        return self._catalog.last(self._source, url)

    def find_looks(self, urls: Sequence[str]) -> dict[str, LastLook]:
        """Return the last look at those of the normalised *urls* that are known."""
        return self._catalog.find_looks(self._source, urls)

    def find_reading(self, url: str, target_uri: str, payload_digest: str, derivation: str) -> KnownReading | None:
        """Return what the last capture of an article came to: crawler.compare.LastVersions.

        `None` too where the cache cannot be read: then the page is read once more.
        """
        try:
            return self._catalog.find_reading(self._source, url, target_uri, payload_digest, derivation)
        except sqlite3.Error as error:
            log.warning("failed_lookup", url=url, error=str(error))
            return None

    def find_record(self, target_uri: str, payload_digest: str) -> RecordReference | None:
        """Return a committed, whole response record of *target_uri*: crawler.compare.LastVersions.

        `None` too where the cache cannot be read: then the page is stored once more.
        """
        try:
            return self._catalog.find_record(self._source, target_uri, payload_digest)
        except sqlite3.Error as error:
            log.warning("failed_lookup", url=target_uri, error=str(error))
            return None

    def has_capture(self, url: str, captured_at: datetime, payload_digest: str | None) -> bool:
        """Tell whether a capture is committed: crawler.intake.KnownCaptures. Raises where the cache cannot be read."""
        return self._catalog.has_capture(self._source, url, captured_at, payload_digest)

    def has_capture_at(self, url: str, captured_at: datetime) -> bool:
        """Tell whether any capture at that instant is committed: crawler.backfill.PastCaptures. Raises as the last."""
        return self._catalog.has_capture_at(self._source, url, captured_at)

    def find_record_at(self, target_uri: str, second: datetime) -> RecordReference | None:
        """Return a committed, whole response record of that second: crawler.intake.KnownCaptures."""
        return self._catalog.find_record_at(self._source, target_uri, second)

    def find_validators(self, urls: Sequence[str], *, raw_only: bool = False) -> dict[str, Validators]:
        """Return what to ask articles with: crawler.compare.LastVersions.

        Nothing too where the cache cannot be read: then they are asked for as if they were new.
        """
        try:
            return self._catalog.find_validators(self._source, urls, raw_only=raw_only)
        except sqlite3.Error as error:
            log.warning("failed_lookup", url=urls[0], error=str(error))
            return {}

    def find_assets(self, urls: Sequence[str]) -> dict[str, LastAsset]:
        """Return the last captures, as assets, of *urls*: crawler.compare.LastVersions.

        Nothing too where the cache cannot be read: then they are fetched once more.
        """
        try:
            return self._catalog.find_assets(self._source, urls)
        except sqlite3.Error as error:
            log.warning("failed_lookup", url=urls[0], error=str(error))
            return {}

    def find_listing(self, url: str, rules: str) -> Validators | None:
        """Return what to ask a listing with: crawler.compare.LastVersions; `None` where the cache cannot be read."""
        try:
            return self._catalog.find_listing(self._source, url, rules)
        except sqlite3.Error as error:
            log.warning("failed_lookup", url=url, error=str(error))
            return None
