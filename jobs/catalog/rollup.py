"""What the tables are made by: which segments the logs have, and the revisions of some days as the fold has them."""

from __future__ import annotations

import json
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from jobs.archive.commit import RowsPlace

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Iterator


@dataclass(frozen=True, slots=True)
class StoredSegment:
    """A committed segment, and where its rows lie."""

    source: str
    seq: int
    """Of the first commit that names it."""
    segment: str
    run: str | None
    rows: RowsPlace
    """Without their number, which the catalog does not keep."""
    closed: datetime | None


class RollupQueries:
    """The queries of jobs.tables."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._db = connection

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """Let all that is read within be of one state, whatever another process folds meanwhile."""
        self._db.execute("BEGIN")
        try:
            yield
        finally:
            self._db.execute("ROLLBACK")

    def find_commit(self, source: str, seq: int) -> str | None:
        """Return the digest of that commit, `None` if it is not known."""
        row = self._db.execute("SELECT digest FROM commits WHERE source = ? AND seq = ?", (source, seq)).fetchone()
        return row["digest"] if row else None

    def list_segments(self, source: str, *, after: int) -> Iterator[StoredSegment]:
        """Yield the segments that commits after number *after* brought, in the order of the log, each once."""
        query = (
            "SELECT seq, segment, run, warc_key, rows_offset, rows_bytes, rows_sha256, closed FROM segments"
            " WHERE source = ? AND seq > ? ORDER BY seq"
        )
        for row in self._db.execute(query, (source, after)):
            yield StoredSegment(
                source=source,
                seq=row["seq"],
                segment=row["segment"],
                run=row["run"],
                rows=RowsPlace(row["warc_key"], row["rows_offset"], row["rows_bytes"], row["rows_sha256"], 0),
                closed=datetime.fromisoformat(row["closed"]) if row["closed"] else None,
            )

    def list_replaced(self, source: str, *, after: int) -> Iterator[StoredSegment]:
        """Yield the segments of which commits after number *after* said that they lie elsewhere, or otherwise."""
        query = "SELECT segment FROM segments INDEXED BY segments_replaced WHERE source = ? AND replaced > ?"
        names = {row["segment"] for row in self._db.execute(query, (source, after))}
        if names:
            yield from (one for one in self.list_segments(source, after=0) if one.segment in names)

    def list_segments_of_days(self, source: str, days: Iterable[str]) -> set[str]:
        """Return the segments that may hold facts of *source* of one of *days*."""
        wanted = json.dumps(sorted(set(days)))
        query = (
            "SELECT segment FROM captures WHERE source = ?1 AND substr(captured_at, 1, 10) IN (SELECT value FROM"
            " json_each(?2)) UNION SELECT g.segment FROM snapshots s JOIN segments g ON g.source = s.source AND"
            " g.seq = s.seq WHERE s.source = ?1 AND substr(s.captured_at, 1, 10) IN (SELECT value FROM json_each(?2))"
            " UNION SELECT segment FROM segments, json_each(?2) WHERE source = ?1 AND (opened IS NULL OR closed IS NULL"
            " OR value BETWEEN substr(opened, 1, 10) AND substr(closed, 1, 10))"
        )
        return {row["segment"] for row in self._db.execute(query, (source, wanted))}

    def find_segment(self, segment: str) -> StoredSegment | None:
        """Return that committed segment."""
        row = self._db.execute("SELECT source, seq FROM segments WHERE segment = ?", (segment,)).fetchone()
        if row is None:
            return None
        return next(one for one in self.list_segments(row["source"], after=row["seq"] - 1) if one.segment == segment)

    def find_replacing(self, segment: str) -> int | None:
        """Return the newest commit that says that a segment lies elsewhere, or otherwise; `None`: none does."""
        row = self._db.execute("SELECT replaced FROM segments WHERE segment = ?", (segment,)).fetchone()
        return row["replaced"] if row else None

    def list_capture_days(self, source: str, url: str) -> list[str]:
        """Return the days on which an article was captured."""
        query = (
            "SELECT DISTINCT substr(captured_at, 1, 10) AS day FROM captures"
            " WHERE source = ? AND url = ? AND purpose = 'article'"
        )
        return [row["day"] for row in self._db.execute(query, (source, url))]

    def list_revision_days(self, since: str) -> list[str]:
        """Return the days from *since* on, on which an article had a revision for the first time."""
        query = "SELECT DISTINCT substr(captured_at, 1, 10) AS day FROM revisions WHERE captured_at >= ?"
        return [row["day"] for row in self._db.execute(query, (since,))]

    def list_revisions_of_days(self, days: Iterable[str]) -> Iterator[dict[str, Any]]:
        """Yield the revisions first captured on one of *days* with the title of that capture, day by day.

        Within a day by source, URL, time, segment and number.
        """
        query = (
            "SELECT substr(r.captured_at, 1, 10) AS day, r.source, r.url, r.captured_at, r.segment, r.n, r.number,"
            " r.captures, s.title, s.text_digest, s.derivation FROM revisions r LEFT JOIN snapshots s"
            " ON s.segment = r.segment AND s.n = r.n AND s.own = 1"
            " WHERE substr(r.captured_at, 1, 10) IN (SELECT value FROM json_each(?))"
            " ORDER BY day, r.source, r.url, r.captured_at, r.segment, r.n, s.derivation"
        )
        for row in self._db.execute(query, (json.dumps(sorted(set(days))),)):
            yield {**dict(row), "captured_at": datetime.fromisoformat(row["captured_at"])}
