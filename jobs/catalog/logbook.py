"""What a reader asks of a source's runs and of its log, the newest first and page by page."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from jobs.catalog.slots import StoredRun, read_certificates, to_run

if TYPE_CHECKING:
    import sqlite3

    from crawler.rows import Certificate
    from jobs.fold import Place

MOST_LISTINGS = 1_000
"""Of a run's row, which may come from anybody."""
SHOWN = "CASE WHEN class = 'unread' AND verdict = 'bad' THEN 'unread' ELSE verdict END"
"""A verdict in the words of people: nothing is bad of what was only recorded."""
_RUN = "SELECT run, trigger, slot, started, finished, reason, counts FROM runs WHERE source = ?1"


@dataclass(frozen=True, slots=True)
class Listing:
    """A feed, sitemap or section as a run read it."""

    url: str
    purpose: str
    links: int
    """Articles found there first in that run."""
    error: str | None


@dataclass(frozen=True, slots=True)
class RunCapture:
    """A capture of a run, of an article or of anything else."""

    segment: str
    n: int
    url: str
    captured_at: datetime
    purpose: str
    status: int | None
    page_class: str
    verdict: str | None
    revision: int | None
    error: str | None
    redirect: str | None
    seconds: float | None
    from_elsewhere: bool
    """Whether it was imported or backfilled."""


@dataclass(frozen=True, slots=True)
class RunCounts:
    """What the captures of a run are, and what those of articles came to."""

    purposes: dict[str, int]
    verdicts: dict[str, int]
    whole: bool
    """Whether all were counted."""


@dataclass(frozen=True, slots=True)
class RunSegment:
    """A segment of a run."""

    segment: str
    seq: int
    """Of the commit that brought it."""
    key: str | None
    """Of its object; `None`: only its rows were read here."""
    size_bytes: int | None


@dataclass(frozen=True, slots=True)
class LoggedCommit:
    """A commit as the catalog folded it, when it had been checked against the one before."""

    seq: int
    digest: str
    kind: str | None
    """`None`: only its rows were read here; so of what follows, but for the segment."""
    committed: datetime | None
    run: str | None
    segment: str | None
    key: str | None
    """Of the segment's object."""
    size_bytes: int | None
    signature: str | None
    epoch: int | None


class LogQueries:
    """The queries of runs and logs."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._db = connection

    def list_last_runs(self, source: str, *, limit: int, before: tuple[str, str] | None = None) -> list[StoredRun]:
        """Return the *limit* runs that began last, the newest first. *before*: start (as kept) and id of a run."""
        query = f"{_RUN} AND (started, run) < (?2, ?3) ORDER BY started DESC, run DESC LIMIT ?4"
        started, run = before or ("~", "~")
        return [to_run(row) for row in self._db.execute(query, (source, started, run, limit))]

    def find_run(self, source: str, run: str) -> StoredRun | None:
        """Return a run that ended in good order; `None`: there is none, or it died."""
        row = self._db.execute(f"{_RUN} AND run = ?2", (source, run)).fetchone()
        return None if row is None else to_run(row)

    def find_start(self, source: str, run: str) -> str | None:
        """Return when that run began, as it is kept, for who asks for those before it."""
        row = self._db.execute("SELECT started FROM runs WHERE source = ? AND run = ?", (source, run)).fetchone()
        return None if row is None else str(row["started"])

    def list_listings(self, source: str, run: str) -> list[Listing]:
        """Return what a run read to find articles, in its order."""
        row = self._db.execute("SELECT discovery FROM runs WHERE source = ? AND run = ?", (source, run)).fetchone()
        told = json.loads(row["discovery"]) if row is not None else []
        entries = (told if isinstance(told, list) else [])[:MOST_LISTINGS]
        return [_to_listing(one) for one in entries if isinstance(one, dict) and isinstance(one.get("url"), str)]

    def list_certificates(self, source: str, run: str) -> list[tuple[str, Certificate]]:
        """Return host and certificate of what a run reached by TLS."""
        row = self._db.execute("SELECT certificates FROM runs WHERE source = ? AND run = ?", (source, run)).fetchone()
        told = json.loads(row["certificates"] or "{}") if row is not None else {}
        return sorted(read_certificates(told), key=lambda pair: pair[0])

    def list_run_segments(self, source: str, run: str) -> list[RunSegment]:
        """Return the segments of a run, in the order of the log."""
        query = (
            "SELECT segment, seq, warc_key, size_bytes FROM segments INDEXED BY segments_by_commit"
            " WHERE source = ? AND run = ? ORDER BY seq"
        )
        return [RunSegment(*row) for row in self._db.execute(query, (source, run))]

    def count_run(self, source: str, run: str, *, most: int) -> RunCounts:
        """Return what the captures of a run are and came to. *most*: so many are counted."""
        query = (
            f"SELECT purpose, shown, COUNT(*) FROM (SELECT purpose, {SHOWN} AS shown FROM captures"  # noqa: S608 - a text of ours
            " INDEXED BY captures_by_run WHERE run = ? AND source = ? LIMIT ?) GROUP BY 1, 2"
        )
        purposes: Counter[str] = Counter()
        verdicts: Counter[str] = Counter()
        for purpose, verdict, number in self._db.execute(query, (run, source, most + 1)):
            purposes[purpose] += number
            if purpose == "article" and verdict:
                verdicts[verdict] += number
        return RunCounts(dict(purposes), dict(verdicts), whole=purposes.total() <= most)

    def list_run_captures(
        self, source: str, run: str, *, limit: int, after: Place | None = None, verdict: str | None = None
    ) -> list[RunCapture]:
        """Return *limit* captures of a run in the order in which they were recorded, those behind *after*.

        *verdict*: only captures of articles that came to that; "article": only captures of articles.
        """
        query = (
            f"SELECT segment, n, url, captured_at, purpose, status, coalesce(judged_class, class) AS class,"  # noqa: S608 - texts of ours
            f" {SHOWN} AS shown, revision, error, redirect, seconds, origin IS NOT NULL AS elsewhere"
            " FROM captures INDEXED BY captures_by_run"
            " WHERE run = ?1 AND source = ?2 AND (segment, n) > (?3, ?4)"
            " AND (?5 IS NULL OR (purpose = 'article' AND ?5 IN ('article', shown))) ORDER BY segment, n LIMIT ?6"
        )
        segment, n = after or ("", -1)
        return [_to_capture(row) for row in self._db.execute(query, (run, source, segment, n, verdict, limit))]

    def find_first_sign(self, source: str) -> datetime | None:
        """Return when the first run began, or the ledger, whichever was earlier; `None`: neither is known."""
        query = (
            "SELECT MIN(at) FROM (SELECT MIN(started) AS at FROM runs WHERE source = ?1"
            " UNION ALL SELECT MIN(slot) FROM slots WHERE source = ?1)"
        )
        at = self._db.execute(query, (source,)).fetchone()[0]
        return datetime.fromisoformat(at) if at else None

    def count_articles(self, source: str) -> int:
        """Return the number of articles of *source*."""
        query = "SELECT COUNT(*) FROM articles INDEXED BY articles_by_commit WHERE source = ?"
        return int(self._db.execute(query, (source,)).fetchone()[0])

    def list_commits(self, source: str, *, limit: int, before: int | None = None) -> list[LoggedCommit]:
        """Return the *limit* commits of a log before number *before* (default: its last ones), the last one first."""
        query = (
            "SELECT c.seq, c.digest, c.kind, c.committed, c.run, c.segment, s.warc_key, s.size_bytes, c.signature,"
            " c.epoch FROM commits c LEFT JOIN segments s ON s.segment = c.segment AND s.source = c.source"
            " WHERE c.source = ?1 AND (?2 IS NULL OR c.seq < ?2) ORDER BY c.seq DESC LIMIT ?3"
        )
        return [_to_commit(row) for row in self._db.execute(query, (source, before, limit))]


def _to_listing(told: dict[str, Any]) -> Listing:
    links, error = told.get("links"), told.get("error")
    return Listing(
        url=told["url"][:2_000],
        purpose=str(told.get("purpose") or "")[:40],
        links=links if isinstance(links, int) else 0,
        error=str(error)[:1_000] if error else None,
    )


def _to_capture(row: sqlite3.Row) -> RunCapture:
    return RunCapture(
        segment=row["segment"],
        n=row["n"],
        url=row["url"],
        captured_at=datetime.fromisoformat(row["captured_at"]),
        purpose=row["purpose"],
        status=row["status"],
        page_class=row["class"] or "",
        verdict=row["shown"],
        revision=row["revision"],
        error=row["error"],
        redirect=row["redirect"],
        seconds=row["seconds"],
        from_elsewhere=bool(row["elsewhere"]),
    )


def _to_commit(row: sqlite3.Row) -> LoggedCommit:
    return LoggedCommit(
        seq=row["seq"],
        digest=row["digest"],
        kind=row["kind"],
        committed=datetime.fromisoformat(row["committed"]) if row["committed"] else None,
        run=row["run"],
        segment=row["segment"],
        key=row["warc_key"],
        size_bytes=row["size_bytes"],
        signature=row["signature"],
        epoch=row["epoch"],
    )
