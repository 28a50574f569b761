"""Derives earlier captures again, so that a page is compared only with texts that the same rules made.

Reads raw records from the store, extracts in killable workers, returns snapshot rows; puts nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog

from config.errors import RecordError, StoreError
from crawler.derivation import derive
from crawler.model import Exchange, Purpose
from crawler.outcome import PageContext
from crawler.rows import CaptureReference, SnapshotRow, decode_row
from crawler.segment import snapshot_row
from crawler.spool import ROWS_FILE
from crawler.warc import read_response

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from config.sources import Source
    from jobs.catalog import StoredCapture
    from jobs.context import OpenArchive

log = structlog.get_logger()

MAX_MEMBER_BYTES = 64 * 1024 * 1024


def derive_earlier(archive: OpenArchive, source: Source, closed: Path) -> list[SnapshotRow]:
    """Return snapshots, under present rules, of the earlier revisions that segment *closed* is compared with.

    A capture whose raw record cannot be had is left out with a log line: its comparison then makes no statement.
    """
    derivation = derive(source.extract, timezone=source.timezone, language=source.language).digest
    wanted = list(_list_wanted(archive, source.id, closed, derivation))
    if not wanted:
        return []
    from crawler.workers import run_pages  # noqa: PLC0415 - only after a change of rules is there anything to do

    exchanges = [(capture, exchange) for capture in wanted if (exchange := _read_exchange(archive, capture))]
    context = PageContext(
        rules=source.extract,
        timezone=source.timezone,
        language=source.language,
        derivation=derivation,
        record=False,
    )
    rows = []
    outcomes = run_pages(
        [(exchange, context) for _, exchange in exchanges],
        count=1,
        deadline_seconds=archive.settings.page_seconds,
        memory_bytes=archive.settings.worker_memory_bytes,
    )
    for (capture, _), outcome in zip(exchanges, outcomes, strict=True):
        if outcome.snapshot is None:
            log.warning("failed_rederivation", url=capture.url, error=outcome.extraction_error or outcome.class_reason)
            continue
        place = CaptureReference(capture.segment, capture.n)
        rows.append(snapshot_row(outcome.snapshot, url=capture.url, captured_at=capture.captured_at, of=place))
    log.info("rederived_captures", source=source.id, wanted=len(wanted), done=len(rows))
    return rows


def _list_wanted(archive: OpenArchive, source: str, closed: Path, derivation: str) -> Iterator[StoredCapture]:
    seen: set[str] = set()
    with (closed / ROWS_FILE).open("rb") as file:
        for line in file:
            row = decode_row(line)
            if isinstance(row, SnapshotRow) and row.derivation == derivation and row.url not in seen:
                seen.add(row.url)
                yield from archive.catalog.list_underived(source, row.url, derivation)


def _read_exchange(archive: OpenArchive, capture: StoredCapture) -> Exchange | None:
    offset, length = capture.response_offset, capture.response_length
    if offset is None or length is None:
        return None
    where = f"{archive.store.url}/{capture.warc_key}: offset {offset}"
    try:
        if length > MAX_MEMBER_BYTES:
            raise RecordError(f"{where}: record of {length} bytes; at most {MAX_MEMBER_BYTES} are read")
        member = archive.store.get(capture.warc_key, offset=offset, length=length)
        return read_response(member, where=where, limit=MAX_MEMBER_BYTES * 4).exchange(Purpose.ARTICLE)
    except (StoreError, RecordError) as error:
        log.warning("failed_rederivation", url=capture.url, error=str(error))
        return None
