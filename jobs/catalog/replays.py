"""What is asked of a page as it was captured: where its records lie, what shows it, when else it was captured."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from crawler.urls import find_normal
from jobs.catalog.histories import CAPTURES, HistoryQueries, to_capture
from jobs.catalog.instants import format_instant

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable

    from jobs.catalog.histories import StoredCapture

MAX_REDIRECTS = 3
"""Of a picture."""
_SHOWABLE = "response_offset IS NOT NULL AND purpose = 'article' AND status >= 200"


@dataclass(frozen=True, slots=True)
class StoredExchange:
    """A capture of any purpose, with what the catalog knows of its exchange and of where its records lie."""

    capture: StoredCapture
    purpose: str
    payload_digest: str | None
    size_bytes: int
    seconds: float
    truncated: str | None
    extraction_error: str | None
    revisit_of: tuple[str, int] | None
    """The capture that has the payload."""
    end: int | None
    """Where all its records end in the segment's file; `None`: the catalog knows of no record."""
    sure_end: int | None = None
    """Where a neighbour was taken out: they may end here, or anywhere up to `end` (jobs/segments/extents.py)."""


@dataclass(frozen=True, slots=True)
class DatedCapture:
    """A capture of a URL by which it can be shown as it was then."""

    source: str
    captured_at: datetime
    segment: str
    n: int
    status: int


class ReplayQueries(HistoryQueries):
    """The queries of pages as captured."""

    def find_exchange(self, segment: str, n: int) -> StoredExchange | None:
        """Return capture *n* of a segment with its exchange."""
        row = self._db.execute(f"{CAPTURES} WHERE c.segment = ? AND c.n = ?", (segment, n)).fetchone()
        if row is None:
            return None
        end, sure_end = self._find_ends(row)
        revisits = row["revisit_segment"] is not None
        return StoredExchange(
            capture=to_capture(row),
            purpose=row["purpose"],
            payload_digest=row["payload_digest"],
            size_bytes=row["size_bytes"] or 0,
            seconds=row["seconds"] or 0.0,
            truncated=row["truncated"],
            extraction_error=row["extraction_error"],
            revisit_of=(row["revisit_segment"], row["revisit_n"]) if revisits else None,
            end=end,
            sure_end=sure_end,
        )

    def _find_ends(self, row: sqlite3.Row) -> tuple[int | None, int | None]:
        """Return `end` and `sure_end` of the capture in *row*."""
        if row["response_offset"] is None:
            return None, None
        request_end = (row["request_offset"] or 0) + (row["request_length"] or 0)
        known = max(row["response_offset"] + row["response_length"], request_end)
        # behind them may be records that no column tells of: how the connection was secured
        after = (row["segment"], row["n"])
        query = (
            "SELECT response_offset, n FROM captures WHERE segment = ? AND n > ? AND response_offset IS NOT NULL"
            " ORDER BY n LIMIT 1"
        )
        following, n = self._db.execute(query, after).fetchone() or (None, None)
        if following is None:
            (following,) = self._db.execute("SELECT rows_offset FROM segments WHERE segment = ?", after[:1]).fetchone()
        end = max(known, following or 0)
        if end == known:
            return end, None
        # one that was taken out is told like one that got no answer, but for the error
        gone = self._db.execute(
            "SELECT 1 FROM captures WHERE segment = ?1 AND n > ?2 AND (?3 IS NULL OR n < ?3) AND error IS NULL"
            " AND class != 'blocked' LIMIT 1",
            (*after, n),
        ).fetchone()
        return end, known if gone else None

    def has_assets(self, source: str) -> bool:
        """Whether any asset of *source* was captured. Looks through its captures where none was."""
        query = "SELECT 1 FROM captures WHERE source = ? AND purpose = 'asset' AND status = 200 LIMIT 1"
        return self._db.execute(query, (source,)).fetchone() is not None

    def count_redacted(
        self, sources: Iterable[str], urls: Iterable[str], since: datetime | None, until: datetime | None
    ) -> int:
        """Return how many captures of articles were redacted, of *sources*, *urls* (empty: of all) and times."""
        row = self._db.execute(
            "SELECT COUNT(*) FROM captures WHERE purpose = 'article' AND class = 'redacted'"
            " AND (?1 = '[]' OR source IN (SELECT value FROM json_each(?1)))"
            " AND (?2 = '[]' OR url IN (SELECT value FROM json_each(?2)))"
            " AND (?3 IS NULL OR captured_at >= ?3) AND (?4 IS NULL OR captured_at <= ?4)",
            (
                json.dumps(list(sources)),
                json.dumps(list(urls)),
                format_instant(since) if since else None,
                format_instant(until) if until else None,
            ),
        ).fetchone()
        return int(row[0])

    def find_shown_with(self, source: str, urls: Iterable[str], at: datetime) -> dict[str, tuple[StoredCapture, ...]]:
        """Return the captures of *urls* (normalised) as assets of *source* that are nearest to *at*.

        Of each URL redirects first, then the answer; none where there is no answer of status 200. Some look-ups each.
        """
        ways = {url: self._follow_asset(source, url, format_instant(at)) for url in urls}
        return {url: way for url, way in ways.items() if way}

    def _follow_asset(self, source: str, url: str, at: str) -> tuple[StoredCapture, ...]:
        query = (
            f"{CAPTURES} WHERE c.source = ?1 AND c.url = ?2 AND c.purpose = 'asset' AND c.response_offset IS NOT NULL"
            " AND (c.status = 200 OR c.redirect IS NOT NULL)"
            " ORDER BY ABS(julianday(c.captured_at) - julianday(?3)), c.segment, c.n LIMIT 1"
        )
        way: list[StoredCapture] = []
        wanted: str | None = url
        while wanted is not None and len(way) <= MAX_REDIRECTS:
            row = self._db.execute(query, (source, wanted, at)).fetchone()
            if row is None:
                break
            way.append(to_capture(row))
            if row["status"] == 200:
                return tuple(way)
            wanted = find_normal(row["redirect"])
        return ()

    def list_dated(self, url: str) -> list[DatedCapture]:
        """Return the captures of the article *url* (normalised), of all sources, that can be shown, by time."""
        query = (
            "SELECT c.source, captured_at, segment, n, status FROM logs CROSS JOIN captures c USING (source)"  # noqa: S608 - texts of ours
            f" WHERE url = ? AND {_SHOWABLE} ORDER BY captured_at, segment, n"
        )
        return [
            DatedCapture(
                row["source"], datetime.fromisoformat(row["captured_at"]), row["segment"], row["n"], row["status"]
            )
            for row in self._db.execute(query, (url,))
        ]
