"""What one may ask of the catalog: articles, captures, revisions, runs, what is due. Reads only."""

from __future__ import annotations

import json
import sqlite3
import time
from datetime import datetime
from typing import TYPE_CHECKING, Any

import zstandard

from crawler.compare import KnownReading, LastAsset, LastLook, LastVersion
from crawler.model import FieldValue, PageClass, RecordReference, Snapshot
from jobs.catalog.instants import format_instant
from jobs.catalog.logbook import SHOWN, LogQueries
from jobs.catalog.replays import ReplayQueries
from jobs.catalog.schema import LOOKED, TABLES, is_damage
from jobs.catalog.slots import SlotQueries
from jobs.catalog.validators import ValidatorQueries

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from jobs.catalog.histories import StoredCapture

STEPS = 50_000
"""Of SQLite's machine between two looks at the clock: some milliseconds."""


class CatalogQueries(ReplayQueries, ValidatorQueries, SlotQueries, LogQueries):
    """The reading half of the catalog."""

    def stop_after(self, deadline: float) -> None:
        """From now on end a query with an error of SQLite's that is at work when `time.monotonic()` is past that."""
        self._db.set_progress_handler(lambda: time.monotonic() > deadline, STEPS)

    def is_whole(self) -> bool:
        """Whether all of the file can be read, which is read for that."""
        try:
            return bool(self._db.execute("PRAGMA quick_check(1)").fetchone()[0] == "ok")
        except sqlite3.DatabaseError as error:
            if is_damage(error):
                return False
            raise

    def head(self, source: str) -> tuple[int, str]:
        """Return number and digest of the last commit folded; (0, "") where there is none."""
        row = self._db.execute("SELECT seq, head FROM logs WHERE source = ?", (source,)).fetchone()
        return (row["seq"], row["head"]) if row else (0, "")

    def list_heads(self) -> list[tuple[str, int, str]]:
        """Return source, number and digest of the last commit folded of each log."""
        return [tuple(row) for row in self._db.execute("SELECT source, seq, head FROM logs ORDER BY source")]

    def last_epoch(self, source: str) -> int:
        """Return the greatest lease epoch that a folded commit names; 0 where none does."""
        return int(self._db.execute("SELECT MAX(epoch) FROM commits WHERE source = ?", (source,)).fetchone()[0] or 0)

    def is_released(self, source: str, epoch: int) -> bool:
        """Whether a commit gave up lease *epoch*, as far as the catalog has folded; thin facts tell of the greatest."""
        query = "SELECT 1 FROM commits WHERE source = ? AND epoch = ? AND releases > 0"
        return self._db.execute(query, (source, epoch)).fetchone() is not None

    def list_kinds(self, source: str) -> set[str]:
        """Return the kinds of commits in the log of *source*, as far as the catalog has folded."""
        rows = self._db.execute("SELECT DISTINCT kind FROM commits WHERE source = ?", (source,))
        return {row["kind"] for row in rows}

    def has_segment(self, segment: str) -> bool:
        """Whether that segment is committed, as far as the catalog has folded."""
        return self._db.execute("SELECT 1 FROM segments WHERE segment = ?", (segment,)).fetchone() is not None

    def names_object(self, segment: str, key: str) -> bool:
        """Whether a commit, as far as the catalog has folded, names object *key* as that segment's."""
        row = self._db.execute("SELECT warc_key FROM segments WHERE segment = ?", (segment,)).fetchone()
        return row is not None and row[0] in (None, key)

    def last(self, source: str, url: str) -> LastVersion | None:
        """Return the last known version of an article, or `None` if it was never captured."""
        article = self._db.execute(
            "SELECT state, last_captured FROM articles WHERE source = ? AND url = ?", (source, url)
        ).fetchone()
        if article is None:
            return None
        current = self._db.execute(
            "SELECT r.texts, coalesce(c.judged_class, c.class) AS class"
            " FROM captures c JOIN revisions r USING (source, url) WHERE c.source = ? AND c.url = ?"
            " AND r.number = c.revision ORDER BY c.captured_at DESC, c.segment DESC, c.n DESC LIMIT 1",
            (source, url),
        ).fetchone()
        return LastVersion(
            captured_at=datetime.fromisoformat(article["last_captured"]),
            texts=json.loads(current["texts"]) if current else {},
            excerpt=current is not None and current["class"] == PageClass.TRUNCATED,
            state=article["state"],
        )

    def find_looks(self, source: str, urls: Sequence[str]) -> dict[str, LastLook]:
        """Return the last look at those of *urls* that are articles of *source*: one statement, a look-up each."""
        query = (
            "SELECT url, state, last_captured, unread, CASE WHEN state = 'none' THEN (SELECT c.class_reason FROM"
            " captures c WHERE c.source = a.source AND c.url = a.url AND c.captured_at = a.last_captured"
            " AND c.class = 'outside' LIMIT 1) END AS outside FROM articles a"
            " WHERE source = ? AND url IN (SELECT value FROM json_each(?))"
        )
        return {
            row["url"]: LastLook(
                datetime.fromisoformat(row["last_captured"]), row["state"], bool(row["unread"]), row["outside"]
            )
            for row in self._db.execute(query, (source, json.dumps(urls)))
        }

    def find_record(self, source: str, target_uri: str, payload_digest: str) -> RecordReference | None:
        """Return the latest whole response record of *target_uri* with that payload, or `None`."""
        query = (
            "SELECT target_uri, captured_at, segment, n FROM captures WHERE source = ? AND target_uri = ?"
            " AND payload_digest = ? AND response_offset IS NOT NULL AND revisit_segment IS NULL"
            " AND truncated IS NULL ORDER BY captured_at DESC LIMIT 1"
        )
        return _to_reference(self._db.execute(query, (source, target_uri, payload_digest)).fetchone())

    def find_record_at(self, source: str, target_uri: str, second: datetime) -> RecordReference | None:
        """Return the first whole response record of *target_uri* within the second that begins with *second*."""
        query = (
            "SELECT target_uri, captured_at, segment, n FROM captures WHERE source = ? AND target_uri = ?"
            " AND captured_at BETWEEN ? AND ? AND response_offset IS NOT NULL AND revisit_segment IS NULL"
            " AND truncated IS NULL ORDER BY captured_at LIMIT 1"
        )
        begin = second.replace(microsecond=0)
        until = begin.replace(microsecond=999_999)
        values = (source, target_uri, format_instant(begin), format_instant(until))
        return _to_reference(self._db.execute(query, values).fetchone())

    def has_capture(self, source: str, url: str, captured_at: datetime, payload_digest: str | None) -> bool:
        """Whether a capture at that instant with that payload is committed, as far as the catalog has folded."""
        query = "SELECT 1 FROM captures WHERE source = ? AND url = ? AND captured_at = ? AND payload_digest IS ?"
        values = (source, url, format_instant(captured_at), payload_digest)
        return self._db.execute(query, values).fetchone() is not None

    def has_capture_at(self, source: str, url: str, captured_at: datetime) -> bool:
        """Whether any capture at that instant is committed, as far as the catalog has folded."""
        query = "SELECT 1 FROM captures WHERE source = ? AND url = ? AND captured_at = ?"
        return self._db.execute(query, (source, url, format_instant(captured_at))).fetchone() is not None

    def find_reading(
        self, source: str, url: str, target_uri: str, payload_digest: str, derivation: str
    ) -> KnownReading | None:
        """Return what the last capture of an article came to: crawler.compare.LastVersions."""
        last = self._db.execute(
            "SELECT captured_at, segment, n, target_uri, status, payload_digest, class, class_reason, reading"
            " FROM captures WHERE source = ? AND url = ? ORDER BY captured_at DESC LIMIT 1",
            (source, url),
        ).fetchone()
        if last is None or last["reading"] is None:
            return None
        if (last["target_uri"], last["status"], last["payload_digest"]) != (target_uri, 200, payload_digest):
            return None
        row = self._db.execute(
            "SELECT * FROM snapshots JOIN texts ON digest = text_digest WHERE segment = ? AND n = ? AND derivation = ?"
            " AND native AND url = ? AND captured_at = ? AND class = ? AND fields IS NOT NULL",
            (last["segment"], last["n"], derivation, url, last["captured_at"], last["class"]),
        ).fetchone()
        return None if row is None else _to_reading(last, row)

    def find_assets(self, source: str, urls: Sequence[str]) -> dict[str, LastAsset]:
        """Return the last captures of *urls* as assets: one statement, a look-up each."""
        query = (
            "SELECT c.url, MAX(c.captured_at) AS captured_at, c.status FROM json_each(?2) CROSS JOIN captures c"
            " INDEXED BY captures_by_url ON c.source = ?1 AND c.url = value WHERE c.purpose = 'asset' GROUP BY c.url"
        )
        return {
            row["url"]: LastAsset(datetime.fromisoformat(row["captured_at"]), 200 <= (row["status"] or 0) < 400)
            for row in self._db.execute(query, (source, json.dumps(urls)))
        }

    def list_articles(self, source: str | None = None, state: str | None = None) -> Iterator[dict[str, Any]]:
        """Yield the articles by source and URL. `redacted`: whether any capture of it was taken out of the archive."""
        query = (
            "SELECT source, url, title, first_seen, last_captured, state, captures, revisions, EXISTS"
            " (SELECT 1 FROM captures c INDEXED BY captures_redacted"
            " WHERE c.source = a.source AND c.url = a.url AND c.class = 'redacted') AS redacted FROM articles a"
            " WHERE (?1 IS NULL OR source = ?1) AND (?2 IS NULL OR state = ?2) ORDER BY source, url"
        )
        for row in self._db.execute(query, (source, state)):
            yield dict(row) | {"redacted": bool(row["redacted"])}

    def list_newest(self, source: str, limit: int) -> list[str]:
        """Return the *limit* articles of *source* that were first seen last and had a text, the newest first."""
        query = "SELECT url FROM articles WHERE source = ? AND state != 'none' ORDER BY first_seen DESC, url LIMIT ?"
        return [row["url"] for row in self._db.execute(query, (source, limit))]

    def find_sources(self, url: str) -> list[str]:
        """Return the sources that have an article of that normalised URL."""
        # a look-up for each source: no index by URL alone is kept for this
        query = "SELECT source FROM logs CROSS JOIN articles USING (source) WHERE url = ? ORDER BY source"
        return [row["source"] for row in self._db.execute(query, (url,))]

    def list_underived(self, source: str, url: str, derivation: str) -> list[StoredCapture]:
        """Return the first capture of each revision of an article that has no text in *derivation*."""
        missing = {(r.segment, r.n) for r in self.list_revisions(source, url) if derivation not in r.texts}
        return [c for c in self.list_captures(source, url) if (c.segment, c.n) in missing] if missing else []

    def count_verdicts(self, run: str) -> dict[str, int]:
        """Return verdict → number of captures of articles in *run*."""
        rows = self._db.execute(
            f"SELECT {SHOWN} AS verdict, COUNT(*) AS n FROM captures WHERE run = ? AND purpose = 'article' GROUP BY 1",  # noqa: S608 - a text of ours
            (run,),
        )
        return {row["verdict"]: row["n"] for row in rows if row["verdict"]}

    def count_pages(self, run: str) -> int:
        """Return how many article pages of *run* were answered and recorded."""
        query = "SELECT COUNT(*) FROM captures WHERE run = ? AND purpose = 'article' AND response_offset IS NOT NULL"
        return int(self._db.execute(query, (run,)).fetchone()[0])

    def list_verdicts(self, run: str) -> Iterator[dict[str, Any]]:
        """Yield URL, verdict, class and revision of each article capture of *run*, in order of time."""
        rows = self._db.execute(
            f"SELECT url, {SHOWN} AS verdict, coalesce(judged_class, class) AS class, class_reason, status,"  # noqa: S608 - a text of ours
            " revision, captured_at FROM captures"
            " WHERE run = ? AND purpose = 'article' ORDER BY captured_at, segment, n",
            (run,),
        )
        yield from map(dict, rows)

    def last_started(self, source: str) -> datetime | None:
        """Return when a source was last begun to be crawled, or `None` if it never was."""
        query = f"SELECT MAX(started) AS started FROM runs WHERE source = ? AND {LOOKED}"  # noqa: S608 - a text of ours
        row = self._db.execute(query, (source,)).fetchone()
        return datetime.fromisoformat(row["started"]) if row["started"] else None

    def count_all(self) -> dict[str, int]:
        """Return the number of rows of each kind a person asks for."""
        names = ("commits", "captures", "articles", "revisions")
        return {name: self._db.execute(f"SELECT COUNT(*) FROM {name}").fetchone()[0] for name in names}  # noqa: S608

    def list_known(self, source: str) -> Iterator[str]:
        """Yield every article of *source* that ever had a text, or is still to be read, by URL."""
        query = "SELECT url FROM articles WHERE source = ? AND (state != 'none' OR unread) ORDER BY url"
        for row in self._db.execute(query, (source,)):
            yield row["url"]

    def dump(self) -> dict[str, list[tuple[Any, ...]]]:
        """Return every table's rows in the order of their keys: two catalogs of one archive give equal dumps."""
        return {table: [tuple(row) for row in self._db.execute(f"SELECT * FROM {table}")] for table in TABLES}  # noqa: S608 - names of ours


def _to_reference(row: sqlite3.Row | None) -> RecordReference | None:
    if row is None:
        return None
    return RecordReference(row["target_uri"], datetime.fromisoformat(row["captured_at"]), row["segment"], row["n"])


def _to_reading(last: sqlite3.Row, row: sqlite3.Row) -> KnownReading | None:
    """Return what a capture with that snapshot came to; `None` if the rows say what this version cannot repeat."""
    try:
        read_with, directives = json.loads(last["reading"])
        snapshot = Snapshot(
            page_class=PageClass(row["class"]),
            class_reason=last["class_reason"],
            title=row["title"],
            lead=row["lead"],
            text=zstandard.decompress(row["text"]).decode(),
            text_digest=row["text_digest"],
            derivation=row["derivation"],
            fields={name: _to_field(told) for name, told in json.loads(row["fields"]).items()},
            confidence=row["confidence"],
        )
        captured_at, told = datetime.fromisoformat(last["captured_at"]), tuple(map(str, directives))
    except (AttributeError, KeyError, TypeError, ValueError):
        return None
    return KnownReading(captured_at, read_with, told, snapshot)


def _to_field(told: dict[str, Any]) -> FieldValue:
    """Return the field that a snapshot row has as *told*. Raises ValueError and KeyError where it is none of ours."""
    if told.keys() - {"value", "from", "assumed_zone", "confidence"}:
        raise ValueError(f"found {sorted(told)}")
    return FieldValue(told["value"], told["from"], told.get("assumed_zone"), told.get("confidence"))
