"""Derives earlier captures again, so that a page is compared only with texts that the same rules made.

Reads raw records from the store, extracts in killable workers, returns snapshot rows; puts nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog

from config.errors import ExtractError, RecordError, StoreError
from crawler.derivation import Ingredients
from crawler.rows import CaptureReference, Row, SnapshotRow
from crawler.segment import snapshot_row
from jobs.archive.ranges import fetch_range
from jobs.segments.pages import CapturePlaces, DerivingLimits, derive_pages, read_capture

if TYPE_CHECKING:
    from collections.abc import Iterator

    from config.sources import Source
    from crawler.model import Exchange
    from crawler.outcome import PageContext
    from jobs.catalog import StoredCapture
    from jobs.context import OpenArchive

log = structlog.get_logger()


class EarlierTexts:
    """The earlier revisions that the texts of one segment are compared with and that have no text of the same rules.

    Is told of the segment's rows as they are sealed, which reads each of them in any case.
    """

    def __init__(self, archive: OpenArchive, source: Source) -> None:
        self._archive = archive
        self._source = source
        self._given = Ingredients(source.extract, source.timezone, source.language, source.render)
        self._derivation = self._given.derive().digest
        self._seen: set[str] = set()
        self._wanted: list[StoredCapture] = []

    def note(self, row: Row) -> None:
        """Take in a row of the segment."""
        if isinstance(row, SnapshotRow) and row.derivation == self._derivation and row.url not in self._seen:
            self._seen.add(row.url)
            self._wanted += self._archive.catalog.list_underived(self._source.id, row.url, self._derivation)

    def derive(self) -> Iterator[SnapshotRow]:
        """Yield snapshots, under present rules, of the revisions that are wanted by the rows noted so far.

        A capture whose raw record cannot be had, or for which no worker starts, is left out with a log line: its
        comparison then makes no statement.
        """
        if not self._wanted:
            return
        limits = DerivingLimits.of(self._archive.settings, workers=1)
        context = limits.make_context(self._given, self._derivation)
        pages = (
            (capture, exchange, context)
            for capture in self._wanted
            if (exchange := _read_exchange(self._archive, capture, context)) is not None
        )
        done = 0
        try:
            for capture, outcome in derive_pages(pages, limits):
                if outcome.snapshot is None:
                    reason = outcome.extraction_error or outcome.class_reason
                    log.warning("failed_rederivation", url=capture.url, error=reason)
                    continue
                place = CaptureReference(capture.segment, capture.n)
                yield snapshot_row(outcome.snapshot, url=capture.url, captured_at=capture.captured_at, of=place)
                done += 1
        except (ExtractError, OSError) as error:  # no worker starts: what was captured is to be committed all the same
            log.warning("failed_rederivation", error=str(error))
        log.info("rederived_captures", source=self._source.id, wanted=len(self._wanted), done=done)


def _read_exchange(archive: OpenArchive, capture: StoredCapture, context: PageContext) -> Exchange | None:
    places = CapturePlaces.of(capture)
    if places is None or not places.serve(context):
        return None
    try:
        return read_capture(
            lambda place: fetch_range(archive.store, place.key, place.offset, place.length), places, context
        )
    except (StoreError, RecordError) as error:
        log.warning("failed_rederivation", url=capture.url, error=f"{archive.store.url}: {error}")
        return None
