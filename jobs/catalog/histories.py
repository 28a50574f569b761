"""What a reader asks of one article: its captures, revisions and snapshots, and the records that prove them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import zstandard

from crawler.urls import normalise_url
from jobs.catalog.rollup import RollupQueries
from jobs.fold import Place, Verdict, describe_evidence

if TYPE_CHECKING:
    import sqlite3

READ_AT_COLUMNS = "r.segment AS read_segment, r.n AS read_n, coalesce(r.judged_class, r.class) AS read_class"
READ_AT_JOIN = (
    # as the fold looks for what a 304 stands for
    "LEFT JOIN captures r ON c.status = 304 AND r.segment = c.revisit_segment AND r.n = c.revisit_n"
    " AND r.source = c.source AND r.url = c.url AND r.purpose = 'article' AND r.status IS NOT 304"
    " AND (r.captured_at, r.segment, r.n) < (c.captured_at, c.segment, c.n)"
)
CAPTURES = (
    "SELECT c.*, s.warc_key, ps.warc_key AS payload_key, p.response_offset AS payload_offset,"  # noqa: S608 - texts of ours
    f" p.response_length AS payload_length, {READ_AT_COLUMNS}"
    " FROM captures c JOIN segments s USING (segment)"
    " LEFT JOIN captures p ON p.segment = c.revisit_segment AND p.n = c.revisit_n AND p.revisit_segment IS NULL"
    " AND p.source = c.source AND p.target_uri = c.target_uri LEFT JOIN segments ps ON ps.segment = p.segment"
    f" {READ_AT_JOIN}"
)
"""Captures as `to_capture` reads them, as far as the condition of a statement."""
MAX_REDIRECTS = 5
"""Of a robots.txt, as many as a crawl follows."""


@dataclass(frozen=True, slots=True)
class StoredCapture:
    """A capture of an article as the catalog has it: verdict, and where its records lie."""

    url: str
    captured_at: datetime
    segment: str
    n: int
    run: str
    status: int | None
    page_class: str
    class_reason: str
    verdict: str | None
    revision: int | None
    error: str | None
    warc_key: str
    response_offset: int | None
    response_length: int | None
    source: str
    target_uri: str
    payload_key: str
    """Where the body is: of its own record or, of a revisit, of the one that it refers to."""
    payload_offset: int | None
    payload_length: int | None
    request_offset: int | None = None
    redirect: str | None = None
    """Absolute URL that it leads to."""
    metadata: bool = False
    """Whether what is said about the article is other than at the last good capture."""
    read_at: Place | None = None
    """The earlier capture that an answer of status 304 stands for."""
    read_class: str = ""
    """Class of that one, or its own."""
    origin: dict[str, str | None] | None = None
    """Where it was imported or backfilled from: FORMAT.md § 5; `None`: the run fetched it."""

    @property
    def place(self) -> Place:
        """Segment and number."""
        return self.segment, self.n

    @property
    def evidence(self) -> str | None:
        """Which kind of evidence of deletion it is, in words; `None`: it is none."""
        told = self.verdict in {Verdict.SUSPECTED, Verdict.GONE}
        return describe_evidence(self.status, self.read_class) if told else None


@dataclass(frozen=True, slots=True)
class StoredRevision:
    """A revision with one text of it: the one it was first seen with."""

    number: int
    captured_at: datetime
    captures: int
    segment: str
    n: int
    texts: dict[str, str]
    """Derivation → text digest."""


@dataclass(frozen=True, slots=True)
class RedactedArticle:
    """An article of which captures were taken out."""

    url: str
    captures: int
    """How many of them were."""
    replaced: int
    """The last commit that said where a segment with any of them lies; 0: none did, they came so."""
    last: datetime
    """When the latest of them was made."""


class HistoryQueries(RollupQueries):
    """The queries of one article's history."""

    def list_captures(self, source: str, url: str) -> list[StoredCapture]:
        """Return all captures of an article in the order of the fold."""
        where = "WHERE c.source = ? AND c.url = ? AND c.purpose = 'article' ORDER BY c.captured_at, c.segment, c.n"
        return [to_capture(row) for row in self._db.execute(f"{CAPTURES} {where}", (source, url))]

    def find_capture(self, segment: str, n: int) -> StoredCapture | None:
        """Return capture *n* of a segment."""
        row = self._db.execute(f"{CAPTURES} WHERE c.segment = ? AND c.n = ?", (segment, n)).fetchone()
        return None if row is None else to_capture(row)

    def has_redacted(self) -> bool:
        """Whether anything was taken out of any source."""
        query = "SELECT EXISTS (SELECT 1 FROM captures INDEXED BY captures_redacted WHERE class = 'redacted')"
        return bool(self._db.execute(query).fetchone()[0])

    def list_redacted(self, source: str) -> list[RedactedArticle]:
        """Return the articles of which captures were taken out, by URL."""
        query = (
            "SELECT c.url, COUNT(*) AS captures, MAX(COALESCE(g.replaced, 0)) AS replaced, MAX(c.captured_at) AS last"
            " FROM captures c INDEXED BY captures_redacted LEFT JOIN segments g ON g.segment = c.segment"
            " WHERE c.source = ? AND c.class = 'redacted' GROUP BY c.url"
        )
        return [
            RedactedArticle(row["url"], row["captures"], row["replaced"], datetime.fromisoformat(row["last"]))
            for row in self._db.execute(query, (source,))
        ]

    def list_redacted_places(self, source: str) -> list[Place]:
        """Return the captures of *source* that were taken out."""
        query = "SELECT segment, n FROM captures INDEXED BY captures_redacted WHERE source = ? AND class = 'redacted'"
        return [(row["segment"], row["n"]) for row in self._db.execute(query, (source,))]

    def list_derivable(self, source: str, segment: str, derivation: str, *, again: bool = False) -> list[StoredCapture]:
        """Return the captures of a segment that may have a text in *derivation* and have none yet, by number.

        Answers of status 200 to what was asked for as an article, as far as it was kept, and wanted. *again*: those too
        that have one.
        """
        where = (
            "WHERE c.segment = ?2 AND c.source = ?1 AND c.purpose = 'article' AND c.status = 200"
            " AND c.response_offset IS NOT NULL AND c.class NOT IN ('outside', 'noarchive', 'redacted')"
            " AND (?4 OR NOT EXISTS (SELECT 1 FROM snapshots x WHERE x.segment = c.segment AND x.n = c.n"
            " AND x.derivation = ?3)) ORDER BY c.n"
        )
        rows = self._db.execute(f"{CAPTURES} {where}", (source, segment, derivation, again))
        return [to_capture(row) for row in rows]

    def count_derivable(self, source: str, derivation: str) -> tuple[int, int]:
        """Return how many captures `list_derivable` tells of, in all segments: all, and those that have a text yet."""
        query = (
            "SELECT COUNT(*), COUNT(x.derivation) FROM captures c LEFT JOIN snapshots x"
            " ON x.segment = c.segment AND x.n = c.n AND x.derivation = ?2 WHERE c.source = ?1"
            " AND c.purpose = 'article' AND c.status = 200 AND c.response_offset IS NOT NULL"
            " AND c.class NOT IN ('outside', 'noarchive', 'redacted')"
        )
        row = self._db.execute(query, (source, derivation)).fetchone()
        return row[0], row[1]

    def has_undecided(self, source: str, derivation: str) -> bool:
        """Whether a capture of *source* has a text in *derivation* that is not its own."""
        query = "SELECT EXISTS (SELECT 1 FROM snapshots WHERE source = ? AND derivation = ? AND NOT own)"
        return bool(self._db.execute(query, (source, derivation)).fetchone()[0])

    def find_redaction(self, segment: str) -> tuple[int, datetime | None] | None:
        """Return number and time of the `redact` commit that wrote *segment* anew last; `None`: the last was none."""
        query = (
            "SELECT c.seq, c.committed FROM segments g JOIN commits c ON c.source = g.source AND c.seq = g.replaced"
            " WHERE g.segment = ? AND c.kind = 'redact'"
        )
        row = self._db.execute(query, (segment,)).fetchone()
        if row is None:
            return None
        return row["seq"], datetime.fromisoformat(row["committed"]) if row["committed"] else None

    def list_redactions(self, source: str) -> list[int]:
        """Return the numbers of the `redact` commits of a source that are known here, in order."""
        query = "SELECT seq FROM commits INDEXED BY redact_commits WHERE source = ? AND kind = 'redact' ORDER BY seq"
        return [row["seq"] for row in self._db.execute(query, (source,))]

    def list_rules(self, capture: StoredCapture) -> list[StoredCapture]:
        """Return the answers that a capture's run had for the robots.txt that held for it: redirects, then the rules.

        None where nothing was answered.
        """
        parts = urlsplit(capture.target_uri)
        url: str | None = f"{parts.scheme}://{parts.netloc}/robots.txt"
        found: list[StoredCapture] = []
        while url is not None and len(found) <= MAX_REDIRECTS:
            where = (
                "WHERE c.run = ? AND c.source = ? AND c.url = ? AND c.purpose = 'robots' AND c.captured_at <="
                " (SELECT captured_at FROM captures WHERE segment = ? AND n = ?)"
                " AND c.response_offset IS NOT NULL ORDER BY c.captured_at DESC LIMIT 1"
            )
            values = (capture.run, capture.source, normalise_url(url), *capture.place)
            row = self._db.execute(f"{CAPTURES} {where}", values).fetchone()
            if row is None:
                break
            found.append(to_capture(row))
            url = found[-1].redirect
        return found

    def list_leading_to(self, source: str, url: str, limit: int) -> list[str]:
        """Return at most *limit* articles that redirected to an article at some time, by URL."""
        rows = self._db.execute(
            "SELECT DISTINCT url FROM captures INDEXED BY captures_by_redirect WHERE source = ?1 AND url != ?2"
            " AND purpose = 'article' AND redirect IS NOT NULL AND (redirect = ?2 OR redirect IN"
            " (SELECT target_uri FROM captures WHERE source = ?1 AND url = ?2)) ORDER BY url LIMIT ?3",
            (source, url, limit),
        )
        return [row["url"] for row in rows]

    def read_fields(self, place: Place) -> list[tuple[str, dict[str, Any]]]:
        """Return derivation and fields of a capture's snapshots, its own first."""
        query = (
            "SELECT derivation, fields FROM snapshots WHERE segment = ? AND n = ? AND fields IS NOT NULL"
            " ORDER BY own DESC, derivation"
        )
        return [(row["derivation"], json.loads(row["fields"])) for row in self._db.execute(query, place)]

    def list_revisions(self, source: str, url: str) -> list[StoredRevision]:
        """Return the revisions of an article by number."""
        rows = self._db.execute("SELECT * FROM revisions WHERE source = ? AND url = ? ORDER BY number", (source, url))
        return [
            StoredRevision(
                number=row["number"],
                captured_at=datetime.fromisoformat(row["captured_at"]),
                captures=row["captures"],
                segment=row["segment"],
                n=row["n"],
                texts=json.loads(row["texts"]),
            )
            for row in rows
        ]

    def find_text(self, source: str, url: str, text_digest: str) -> tuple[Place, str] | None:
        """Return the first capture of an article that has the text of that digest, and the derivation it has it in."""
        row = self._db.execute(
            "SELECT segment, n, derivation FROM snapshots INDEXED BY snapshots_by_text WHERE text_digest = ?3"
            " AND source = ?1 AND url = ?2 AND fields IS NOT NULL ORDER BY captured_at, segment, n, derivation LIMIT 1",
            (source, url, text_digest),
        ).fetchone()
        return None if row is None else ((row["segment"], row["n"]), row["derivation"])

    def read_snapshot(self, segment: str, n: int, derivation: str | None = None) -> dict[str, Any] | None:
        """Return a capture's snapshot with its `text`: its own, or that of *derivation*.

        `None` where there is none, or thin facts alone are known of it: its text may be here by another capture.
        """
        row = self._db.execute(
            "SELECT * FROM snapshots JOIN texts ON digest = text_digest WHERE segment = ?1 AND n = ?2"
            " AND fields IS NOT NULL AND (?3 IS NULL OR derivation = ?3) ORDER BY own DESC, derivation LIMIT 1",
            (segment, n, derivation),
        ).fetchone()
        if row is None:
            return None
        found = {key: row[key] for key in ("derivation", "text_digest", "title", "lead", "class", "confidence")}
        found["fields"] = json.loads(row["fields"])
        found["text"] = zstandard.decompress(row["text"]).decode()
        return found


def tell_reason(row: sqlite3.Row) -> str:
    """Return why a capture has the class that it is shown with."""
    reason: str = row["class_reason"] or ""
    return reason if row["judged_class"] is None else f"derived again; captured as {row['class']}: {reason}"


def to_capture(row: sqlite3.Row) -> StoredCapture:
    """Return a row of CAPTURES as a capture."""
    revisits = row["revisit_segment"] is not None
    return StoredCapture(
        url=row["url"],
        captured_at=datetime.fromisoformat(row["captured_at"]),
        segment=row["segment"],
        n=row["n"],
        run=row["run"],
        status=row["status"],
        page_class=row["judged_class"] or row["class"],
        class_reason=tell_reason(row),
        verdict="unread" if (row["class"], row["verdict"]) == ("unread", "bad") else row["verdict"],
        revision=row["revision"],
        error=row["error"],
        warc_key=row["warc_key"],
        response_offset=row["response_offset"],
        request_offset=row["request_offset"],
        response_length=row["response_length"],
        source=row["source"],
        target_uri=row["target_uri"],
        payload_key=(row["payload_key"] or "") if revisits else row["warc_key"],
        payload_offset=row["payload_offset" if revisits else "response_offset"],
        payload_length=row["payload_length" if revisits else "response_length"],
        redirect=row["redirect"],
        metadata=bool(row["metadata"]),
        read_at=None if row["read_segment"] is None else (row["read_segment"], row["read_n"]),
        read_class=row["read_class"] or row["judged_class"] or row["class"],
        origin=json.loads(row["origin"]) if row["origin"] else None,
    )
