"""Rows of a segment → rows of the tables. What does not fit its column becomes null, and is counted; nothing fails."""

from __future__ import annotations

import json
import math
from collections import Counter
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from crawler.rows import CaptureRow, LinkRow, SnapshotRow
from jobs.tables.schema import CAPTURES, LINKS, SNAPSHOTS, day_of

if TYPE_CHECKING:
    from crawler.rows import Row as Fact
    from jobs.catalog import StoredSegment
    from jobs.tables.schema import Row

_SMALL = 1 << 31
_DATE_LENGTH = len("2026-11-22")


def place_fact(fact: Fact) -> tuple[str, str] | None:
    """Return table and day of *fact*; `None` for one that no table has."""
    if isinstance(fact, CaptureRow):
        return (CAPTURES.name, day_of(fact.captured_at)) if fact.purpose == "article" else None
    if isinstance(fact, SnapshotRow):
        return SNAPSHOTS.name, day_of(fact.captured_at)
    if isinstance(fact, LinkRow):
        return LINKS.name, day_of(fact.found_at)
    return None


class Converter:
    """Makes table rows of facts, and counts in `nulled` what had to be left out: `table.column` → how often."""

    def __init__(self) -> None:
        self.nulled: Counter[str] = Counter()

    def convert(self, segment: StoredSegment, fact: Fact) -> Row:
        """Return the row of a *fact* of *segment* that has a place in a table."""
        if isinstance(fact, CaptureRow):
            return self._convert_capture(segment, fact)
        if isinstance(fact, SnapshotRow):
            return self._convert_snapshot(segment, fact)
        if isinstance(fact, LinkRow):
            return _convert_link(segment, fact)
        raise TypeError(f"{type(fact).__name__} has no table")

    def _convert_capture(self, segment: StoredSegment, row: CaptureRow) -> Row:
        response = row.warc.response if row.warc else None
        return (
            segment.source,
            row.url,
            row.captured_at,
            segment.segment,
            row.n,
            segment.run,
            row.target_uri,
            row.via,
            self._fit_status(row.status),
            row.page_class,
            row.class_reason,
            row.media_type,
            row.payload_digest,
            row.size_bytes,
            self._fit_real(row.seconds, "captures.seconds"),
            row.redirect,
            row.etag,
            row.last_modified,
            row.truncated,
            row.error,
            row.extraction_error,
            row.directives,
            row.revisit_of.segment if row.revisit_of else None,
            row.revisit_of.n if row.revisit_of else None,
            segment.rows.key,
            response.offset if response else None,
            response.length if response else None,
            row.origin.kind if row.origin else None,
            row.origin.where if row.origin else None,
        )

    def _convert_snapshot(self, segment: StoredSegment, row: SnapshotRow) -> Row:
        return (
            segment.source,
            row.url,
            row.captured_at,
            row.of.segment if row.of else segment.segment,
            row.of.n if row.of else row.n,
            row.of is None,
            row.derivation,
            row.text_digest,
            row.title,
            row.lead,
            row.text,
            row.page_class,
            row.class_reason,
            self._fit_real(row.confidence, "snapshots.confidence"),
            self._fit_fields(row.fields),
            self._fit_text(row.fields.get("language")),
            self._fit_time(row.fields.get("published")),
            self._fit_texts(row.fields.get("authors")),
        )

    def _fit_status(self, value: int | None) -> int | None:
        if value is not None and not -_SMALL <= value < _SMALL:
            self._leave_out("captures.status")
            return None
        return value

    def _fit_real(self, value: float, column: str) -> float | None:
        if math.isfinite(value):
            return value
        self._leave_out(column)
        return None

    def _fit_fields(self, fields: dict[str, Any]) -> str | None:
        try:
            return json.dumps(fields, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False)
        except (ValueError, RecursionError):
            self._leave_out("snapshots.fields")
            return None

    def _fit_text(self, field: object) -> str | None:
        value = _value_of(field)
        if value is not None and not isinstance(value, str):
            self._leave_out("snapshots.language")
            return None
        return value

    def _fit_texts(self, field: object) -> list[str] | None:
        value = _value_of(field)
        if isinstance(value, list) and all(isinstance(part, str) for part in value):
            return value
        if value is not None:
            self._leave_out("snapshots.authors")
        return None

    def _fit_time(self, field: object) -> datetime | None:
        """Return a time with its offset in UTC; a date alone is its midnight in UTC."""
        value = _value_of(field)
        if value is None:
            return None
        try:
            if not isinstance(value, str):
                raise TypeError
            time = datetime.fromisoformat(value)
            if time.tzinfo is not None:
                return time.astimezone(UTC)
            if len(value) == _DATE_LENGTH:
                return time.replace(tzinfo=UTC)
        except (TypeError, ValueError, OverflowError):
            pass
        self._leave_out("snapshots.published")
        return None

    def _leave_out(self, column: str) -> None:
        self.nulled[column] += 1


def _convert_link(segment: StoredSegment, row: LinkRow) -> Row:
    return (segment.source, row.url, row.found_at, segment.segment, row.via, row.title, row.published, row.modified)


def _value_of(field: object) -> object:
    """Return what stands in a field, whatever a page's JSON held."""
    return field.get("value") if isinstance(field, dict) else field
