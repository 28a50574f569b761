"""What jobs.changes asks of the catalog: captures that are changes, by time or by commit; and kept edit reports.

Listings are read page by page: no statement stays open, so whoever reads on may write in between.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

import zstandard

from jobs.archive.commit import RowsPlace
from jobs.catalog.histories import READ_AT_COLUMNS, READ_AT_JOIN, tell_reason
from jobs.catalog.instants import format_instant
from jobs.catalog.layers import LayeredCatalog

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Iterator

    from jobs.fold import Place

_TOLD = "verdict IN ('revised', 'reverted', 'returned', 'uncompared', 'suspected', 'gone')"
_CHANGED = f"({_TOLD} OR metadata = 1 OR redirect IS NOT NULL)"
"""As the index `captures_by_change` has it, so that SQLite takes that one."""

_PAGE_ROWS = 500
_LATEST = "~"
"""After every time and every id, as text."""


@dataclass(frozen=True, slots=True)
class Sight:
    """A capture that says something of its article."""

    captured_at: datetime
    segment: str
    n: int
    run: str
    verdict: str
    revision: int | None
    status: int | None
    page_class: str
    class_reason: str
    metadata: bool = False
    """Whether what is said about the article is other than at the last good capture."""
    read_at: Place | None = None
    """The earlier capture that an answer of status 304 stands for; `page_class` is that one's."""

    @property
    def place(self) -> Place:
        """Its segment and number."""
        return self.segment, self.n


@dataclass(frozen=True, slots=True)
class ChangedCapture:
    """A capture that is a change of its article, or part of one, or may be: a redirect."""

    captured_at: datetime
    segment: str
    n: int
    url: str


@dataclass(frozen=True, slots=True)
class ReportKey:
    """What an edit report was made of; one that was made of anything else does not count."""

    source: str
    before: Place
    after: Place
    derivation: str
    texts: tuple[str, str]
    """Digests of both."""
    rules: int
    """The version of the rules that it was made by."""


@dataclass(frozen=True, slots=True)
class TouchedArticle:
    """An article as the last commit that touched it left it."""

    url: str
    seq: int
    """Number of that commit."""
    state: str
    revisions: int


class SightCatalog(LayeredCatalog):
    """The catalog as far as it tells what changed when."""

    def list_touched_after(self, source: str, seq: int, url: str, limit: int) -> list[TouchedArticle]:
        """Return the next *limit* articles of *source* behind the one at *url*, touched last by commit *seq*.

        By number of that commit, then URL, so that whoever goes on from the last one of them misses none.
        """
        rows = self._db.execute(
            "SELECT url, seq, state, revisions FROM articles INDEXED BY articles_by_commit WHERE source = ?1"
            " AND seq >= ?2 AND (seq, url) > (?2, ?3) ORDER BY seq, url LIMIT ?4",
            (source, seq, url, limit),
        )
        return [TouchedArticle(*row) for row in rows]

    def list_sights(self, source: str, url: str, *, until: datetime | None = None) -> list[Sight]:
        """Return the captures of an article that are not bad, in the order of the fold, up to *until* inclusive."""
        rows = self._db.execute(
            "SELECT c.captured_at, c.segment, c.n, c.run, c.verdict, c.revision, c.status, c.class,"  # noqa: S608 - the same
            " c.class_reason, c.judged_class,"
            f" c.metadata, {READ_AT_COLUMNS} FROM captures c {READ_AT_JOIN}"
            " WHERE c.source = ?1 AND c.url = ?2 AND (?3 IS NULL OR c.captured_at <= ?3) AND c.purpose = 'article'"
            " AND c.verdict != 'bad' ORDER BY c.captured_at, c.segment, c.n",
            (source, url, format_instant(until) if until else None),
        )
        return [
            Sight(
                captured_at=datetime.fromisoformat(row["captured_at"]),
                segment=row["segment"],
                n=row["n"],
                run=row["run"] or "",
                verdict=row["verdict"],
                revision=row["revision"],
                status=row["status"],
                page_class=row["read_class"] or row["judged_class"] or row["class"],
                class_reason=tell_reason(row),
                metadata=bool(row["metadata"]),
                read_at=None if row["read_segment"] is None else (row["read_segment"], row["read_n"]),
            )
            for row in rows
        ]

    def walk_changed(
        self,
        source: str,
        *,
        since: datetime | None,
        until: datetime | None,
        newest_first: bool = False,
        metadata: bool = True,
    ) -> Iterator[ChangedCapture]:
        """Yield the captures of *source* that are changes, by time; both bounds are inclusive. Holds a page of them.

        *metadata*: those too that changed nothing but that, and redirects, which may tell of a move.
        """
        order, beyond = ("DESC", "<") if newest_first else ("ASC", ">")
        query = (
            "SELECT captured_at, segment, n, url FROM captures INDEXED BY captures_by_change"  # noqa: S608 - texts of ours
            f" WHERE source = ?1 AND captured_at >= ?2 AND captured_at <= ?3 AND {_CHANGED if metadata else _TOLD}"
            f" AND (captured_at, segment, n) {beyond} (?4, ?5, ?6)"
            f" ORDER BY captured_at {order}, segment {order}, n {order} LIMIT {_PAGE_ROWS}"
        )
        first, last = format_instant(since) if since else "", format_instant(until) if until else _LATEST
        place: tuple[str, str, int] = (last, _LATEST, 0) if newest_first else (first, "", -1)
        while rows := self._db.execute(query, (source, first, last, *place)).fetchall():
            yield from map(_to_changed, rows)
            place = rows[-1]["captured_at"], rows[-1]["segment"], rows[-1]["n"]
            first, last = (first, place[0]) if newest_first else (place[0], last)

    def list_changed_after(self, source: str, seq: int, *, metadata: bool = True) -> Iterator[ChangedCapture]:
        """Yield the captures that are changes and were brought by commits after number *seq*, in the log's order.

        *metadata*: those too that changed nothing but that, and redirects, which may tell of a move.
        """
        query = "SELECT segment FROM segments INDEXED BY segments_by_commit WHERE source = ? AND seq > ? ORDER BY seq"
        segments = [row["segment"] for row in self._db.execute(query, (source, seq))]
        told = _CHANGED if metadata else _TOLD
        query = f"SELECT captured_at, segment, n, url FROM captures WHERE segment = ? AND {told} ORDER BY n"  # noqa: S608
        for segment in segments:
            yield from map(_to_changed, self._db.execute(query, (segment,)).fetchall())

    def find_leaving(self, source: str, url: str, after: Sight, *, until: datetime | None = None) -> Sight | None:
        """Return the first redirect from an article behind *after*, its last capture that was not bad, or `None`."""
        row = self._db.execute(
            "SELECT captured_at, segment, n, run, status, class, class_reason FROM captures"
            " WHERE source = ?1 AND url = ?2 AND captured_at >= ?3 AND (captured_at, segment, n) > (?3, ?4, ?5)"
            " AND (?6 IS NULL OR captured_at <= ?6) AND purpose = 'article' AND redirect IS NOT NULL"
            " ORDER BY captured_at, segment, n LIMIT 1",
            (source, url, format_instant(after.captured_at), *after.place, format_instant(until) if until else None),
        ).fetchone()
        if row is None:
            return None
        at = datetime.fromisoformat(row["captured_at"])
        place = row["segment"], row["n"]
        return Sight(at, *place, row["run"] or "", "bad", None, row["status"], row["class"], row["class_reason"] or "")

    def list_logs(self) -> list[str]:
        """Return the sources of which something is folded, sorted."""
        return [row["source"] for row in self._db.execute("SELECT source FROM logs ORDER BY source")]

    def list_snapshot_texts(self, place: Place) -> dict[str, str]:
        """Return derivation → text digest of a capture's snapshots."""
        query = "SELECT derivation, text_digest FROM snapshots WHERE segment = ? AND n = ? ORDER BY own, derivation"
        return {row["derivation"]: row["text_digest"] for row in self._db.execute(query, place)}

    def find_own(self, place: Place) -> str | None:
        """Return a capture's own derivation (FORMAT.md § 7), or `None`."""
        query = "SELECT derivation FROM snapshots WHERE segment = ? AND n = ? AND own LIMIT 1"
        row = self._db.execute(query, place).fetchone()
        return row["derivation"] if row else None

    def find_title(self, place: Place) -> str | None:
        """Return the title that a capture had, in its own derivation."""
        query = "SELECT title FROM snapshots WHERE segment = ? AND n = ? ORDER BY own DESC, derivation LIMIT 1"
        row = self._db.execute(query, place).fetchone()
        return row["title"] if row else None

    def find_snapshot_rows(self, place: Place, derivation: str) -> RowsPlace | None:
        """Return where the rows lie in which a snapshot stands whose text is not here; `None` if nobody knows."""
        query = (
            "SELECT g.warc_key, g.rows_offset, g.rows_bytes, g.rows_sha256 FROM snapshots s"
            " JOIN segments g ON g.source = s.source AND g.seq = s.seq"
            " WHERE s.segment = ? AND s.n = ? AND s.derivation = ? AND g.rows_bytes IS NOT NULL"
        )
        row = self._db.execute(query, (*place, derivation)).fetchone()
        return RowsPlace(row[0], row[1], row[2], row[3], 0) if row else None

    def find_report(self, key: ReportKey) -> dict[str, Any] | None:
        """Return the edit report that was kept for *key*, or `None`."""
        query = (
            "SELECT report FROM edit_reports WHERE source = ? AND after_segment = ? AND after_n = ?"
            " AND before_segment = ? AND before_n = ? AND derivation = ? AND texts = ? AND rules = ?"
        )
        values = (key.source, *key.after, *key.before, key.derivation, " ".join(key.texts), key.rules)
        row = self._db.execute(query, values).fetchone()
        return json.loads(zstandard.decompress(row["report"])) if row else None

    def keep_reports(self, reports: Iterable[tuple[ReportKey, dict[str, Any]]]) -> None:
        """Keep edit reports, in place of those that other rules made of the same captures."""
        packer = zstandard.ZstdCompressor(level=3)
        rows = [
            (
                key.source,
                *key.after,
                *key.before,
                key.derivation,
                " ".join(key.texts),
                key.rules,
                packer.compress(json.dumps(report, ensure_ascii=False).encode("utf-8", "surrogatepass")),
            )
            for key, report in reports
        ]
        if rows:
            with self.transaction():
                self._db.executemany("INSERT OR REPLACE INTO edit_reports VALUES (?,?,?,?,?,?,?,?,?)", rows)


def _to_changed(row: sqlite3.Row) -> ChangedCapture:
    return ChangedCapture(datetime.fromisoformat(row["captured_at"]), row["segment"], row["n"], row["url"])
