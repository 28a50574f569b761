"""Derives earlier captures again, so that a page is compared only with texts that the same rules made.

Reads raw records from the store, extracts in killable workers, returns snapshot rows; puts nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog

from config.errors import ExtractError, RecordError, StoreError
from crawler.derivation import Ingredients, derive
from crawler.rows import CaptureReference, SnapshotRow, decode_row
from crawler.segment import snapshot_row
from crawler.spool import ROWS_FILE
from jobs.segments.pages import DerivingLimits, derive_pages, place_record, read_exchange

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from config.sources import Source
    from crawler.model import Exchange
    from jobs.catalog import StoredCapture
    from jobs.context import OpenArchive

log = structlog.get_logger()


def derive_earlier(archive: OpenArchive, source: Source, closed: Path) -> list[SnapshotRow]:
    """Return snapshots, under present rules, of the earlier revisions that segment *closed* is compared with.

    A capture whose raw record cannot be had, or for which no worker starts, is left out with a log line: its comparison
    then makes no statement.
    """
    derivation = derive(source.extract, timezone=source.timezone, language=source.language).digest
    ingredients = Ingredients(source.extract, source.timezone, source.language)
    limits = DerivingLimits.of(archive.settings, workers=1)
    context = limits.make_context(ingredients, derivation)
    wanted = list(_list_wanted(archive, source.id, closed, derivation))
    if not wanted:
        return []
    pages = (
        (capture, exchange, context) for capture in wanted if (exchange := _read_exchange(archive, capture)) is not None
    )
    rows = []
    try:
        for capture, outcome in derive_pages(pages, limits):
            if outcome.snapshot is None:
                reason = outcome.extraction_error or outcome.class_reason
                log.warning("failed_rederivation", url=capture.url, error=reason)
                continue
            place = CaptureReference(capture.segment, capture.n)
            rows.append(snapshot_row(outcome.snapshot, url=capture.url, captured_at=capture.captured_at, of=place))
    except (ExtractError, OSError) as error:  # no worker starts: what was captured is to be committed all the same
        log.warning("failed_rederivation", error=str(error))
    log.info("rederived_captures", source=source.id, wanted=len(wanted), done=len(rows))
    return rows


def _list_wanted(archive: OpenArchive, source: str, closed: Path, derivation: str) -> Iterator[StoredCapture]:
    seen: set[str] = set()
    with (closed / ROWS_FILE).open("rb") as file:
        for line in file:
            row = decode_row(line) if b'"snapshot"' in line else None
            if isinstance(row, SnapshotRow) and row.derivation == derivation and row.url not in seen:
                seen.add(row.url)
                yield from archive.catalog.list_underived(source, row.url, derivation)


def _read_exchange(archive: OpenArchive, capture: StoredCapture) -> Exchange | None:
    record = place_record(capture.warc_key, capture.response_offset, capture.response_length)
    body = place_record(capture.payload_key, capture.payload_offset, capture.payload_length)
    if record is None:
        return None
    try:
        return read_exchange(
            lambda place: archive.store.get(place.key, offset=place.offset, length=place.length), record, body
        )
    except (StoreError, RecordError) as error:
        log.warning("failed_rederivation", url=capture.url, error=f"{archive.store.url}: {error}")
        return None
