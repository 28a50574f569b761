"""Folds commits into the catalog: facts of their rows, then the verdicts of every article that they touch."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing, contextmanager, suppress
from datetime import datetime
from typing import TYPE_CHECKING

import structlog
import zstandard

from config.errors import DamageFound, ObjectMissing
from crawler.rows import CaptureReference, CaptureRow, RunRow, SegmentRow, SnapshotRow, format_time
from jobs.archive import (
    SEGMENT_KINDS,
    StoredCommit,
    commit_key,
    digest,
    owns_segment,
    require_format,
    require_supported,
)
from jobs.catalog.queries import CatalogQueries
from jobs.catalog.schema import TABLES, connect, explain
from jobs.fold import CaptureFact, History, fold_article
from jobs.seal import read_rows

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from jobs.archive import Commit, CommittedFile, Log
    from jobs.store import ObjectStore

log = structlog.get_logger()

MAX_ROWS_BYTES = 2 * 1024**3
"""A rows file that is longer is refused unread: FORMAT.md § 5."""


class Catalog(CatalogQueries):
    """One SQLite file. One writer at a time; readers do not block."""

    @classmethod
    @contextmanager
    def open(cls, path: Path, *, read_only: bool = False) -> Iterator[Catalog]:
        """Open the catalog at *path*; a writer finds an empty one where there was none that it can use."""
        try:
            with closing(connect(path, read_only=read_only)) as connection:
                yield cls(connection)
        except sqlite3.DatabaseError as error:
            raise explain(error, path) from error

    def refresh(self, store: ObjectStore, source_log: Log) -> int:
        """Fold the commits beyond the catalog's head; return how many. Raises DamageFound and StoreError."""
        seq, head = self.head(source_log.source)
        folded = 0
        for stored in source_log.read(after=seq, head=head):
            self.add_commit(store, stored)
            folded += 1
        if folded:
            log.info("indexed_run", source=source_log.source, commits=folded)
        return folded

    def add_commit(self, store: ObjectStore, stored: StoredCommit) -> None:
        """Fold one commit, the next one of its source, in one transaction."""
        commit = stored.commit
        require_supported(commit.requires, f"{store.url}/{commit_key(commit.source, commit.seq)}")
        rows_file = next((file for file in commit.files if file.key.endswith(".rows.jsonl.zst")), None)
        data = _fetch_rows(store, rows_file) if rows_file and commit.kind in SEGMENT_KINDS else None
        with self._transaction():
            if self.head(commit.source)[0] >= commit.seq:
                return
            known = self._db.execute("SELECT 1 FROM segments WHERE segment = ?", (commit.segment,)).fetchone()
            self._db.execute(
                "INSERT INTO commits VALUES (?,?,?,?,?,?,?,?,?)",
                (
                    commit.source,
                    commit.seq,
                    stored.digest,
                    commit.kind,
                    format_time(commit.committed),
                    commit.run,
                    commit.segment,
                    stored.signature,
                    commit.epoch,
                ),
            )
            for derivation, meaning in commit.derivations.items():
                self._db.execute(
                    "INSERT OR IGNORE INTO derivations VALUES (?,?)", (derivation, json.dumps(meaning, sort_keys=True))
                )
            if data is not None and rows_file is not None and not known:
                self._add_segment(commit_files(stored), stored, data, rows_file.key)
            self._db.execute(
                "INSERT OR REPLACE INTO logs VALUES (?,?,?)",
                (commit.source, commit.seq, stored.digest),
            )

    def clear(self) -> None:
        """Forget everything."""
        with self._transaction():
            for table in TABLES:
                self._db.execute(f"DELETE FROM {table}")  # noqa: S608 - names of ours

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
        except sqlite3.IntegrityError as error:
            self._db.execute("ROLLBACK")
            raise DamageFound(f"rows that contradict each other: {error}") from error
        except BaseException:
            with suppress(sqlite3.DatabaseError):  # a full disk has rolled it back already
                self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")

    def _add_segment(self, files: tuple[str, str], stored: StoredCommit, data: bytes, where: str) -> None:
        commit = stored.commit
        self._db.execute(
            "INSERT INTO segments VALUES (?,?,?,?,?,?,?,?,?)",
            (
                commit.segment,
                commit.source,
                commit.seq,
                commit.run,
                *files,
                format_time(commit.opened) if commit.opened else None,
                format_time(commit.closed) if commit.closed else None,
                sum(file.size_bytes for file in commit.files),
            ),
        )
        touched: set[str] = set()
        for line, row in read_rows(data, where):
            if isinstance(row, SegmentRow):
                _require_own(row, commit, f"{where}: line {line}")
            elif isinstance(row, CaptureRow):
                self._add_capture(commit.source, commit.segment or "", commit.run or "", row)
                if row.purpose == "article":
                    touched.add(row.url)
            elif isinstance(row, SnapshotRow):
                if row.of is not None and not owns_segment(commit.source, row.of.segment):
                    raise DamageFound(f"{where}: line {line}: a snapshot of another source's capture: {row.of.segment}")
                self._add_snapshot(commit.segment or "", row)
                touched.add(row.url)
            elif isinstance(row, RunRow):
                self._add_run(commit.source, row)
        for url in sorted(touched):
            self._fold(commit.source, url)

    def _add_capture(self, source: str, segment: str, run: str, row: CaptureRow) -> None:
        response = row.warc.response if row.warc else None
        request = row.warc.request if row.warc else None
        self._db.execute(
            "INSERT INTO captures VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,NULL,NULL)",
            (
                source,
                row.url,
                format_instant(row.captured_at),
                segment,
                row.n,
                run,
                row.target_uri,
                row.purpose,
                row.status,
                row.page_class,
                row.class_reason,
                row.payload_digest,
                row.size_bytes,
                row.seconds,
                row.etag,
                row.last_modified,
                row.redirect,
                row.error,
                row.extraction_error,
                response.offset if response else None,
                response.length if response else None,
                request.offset if request else None,
                request.length if request else None,
                row.truncated,
                row.revisit_of.segment if row.revisit_of else None,
                row.revisit_of.n if row.revisit_of else None,
            ),
        )

    def _add_snapshot(self, segment: str, row: SnapshotRow) -> None:
        if digest(row.text.encode()) != row.text_digest:
            raise DamageFound(f"segment {segment}: the text of {row.url} does not have the digest {row.text_digest}")
        place = row.of or CaptureReference(segment, row.n if row.n is not None else -1)
        self._db.execute(
            "INSERT OR IGNORE INTO texts VALUES (?,?)", (row.text_digest, zstandard.compress(row.text.encode(), 3))
        )
        self._db.execute(
            "INSERT INTO snapshots VALUES (?,?,?,?,?,?,?,?,?,?,?,?) ON CONFLICT DO UPDATE SET native = excluded.native,"
            " text_digest = excluded.text_digest, title = excluded.title, lead = excluded.lead, class = excluded.class,"
            " fields = excluded.fields, confidence = excluded.confidence WHERE excluded.native > native"
            " OR (excluded.native = native AND excluded.text_digest < text_digest)",
            (
                place.segment,
                place.n,
                row.url,
                format_instant(row.captured_at),
                row.derivation,
                int(row.of is None),
                row.text_digest,
                row.title,
                row.lead,
                row.page_class,
                json.dumps(row.fields, ensure_ascii=False, sort_keys=True),
                row.confidence,
            ),
        )

    def _add_run(self, source: str, row: RunRow) -> None:
        self._db.execute(
            "INSERT OR IGNORE INTO runs VALUES (?,?,?,?,?,?,?,?,?)",
            (
                row.run,
                source,
                row.trigger,
                format_time(row.slot) if row.slot else None,
                format_time(row.started),
                format_time(row.finished),
                row.reason,
                json.dumps(row.counts, sort_keys=True),
                json.dumps(row.discovery, ensure_ascii=False, sort_keys=True),
            ),
        )

    def _fold(self, source: str, url: str) -> None:
        facts = self._read_facts(source, url)
        if not facts:
            return
        history = fold_article(facts)
        self._db.executemany(
            "UPDATE captures SET verdict = ?, revision = ? WHERE segment = ? AND n = ?",
            [(j.verdict.value, j.revision, j.fact.segment, j.fact.n) for j in history.captures],
        )
        self._db.execute("DELETE FROM revisions WHERE source = ? AND url = ?", (source, url))
        self._db.executemany(
            "INSERT INTO revisions VALUES (?,?,?,?,?,?,?,?)",
            [
                (
                    source,
                    url,
                    r.number,
                    r.first.segment,
                    r.first.n,
                    format_instant(r.first.captured_at),
                    r.captures,
                    json.dumps(r.texts, sort_keys=True),
                )
                for r in history.revisions
            ],
        )
        self._write_article(source, url, history)

    def _write_article(self, source: str, url: str, history: History) -> None:
        captures = [j.fact for j in history.captures]
        good = [j.fact for j in history.captures if j.fact.good]
        title = None
        if good:
            title = self._db.execute(
                "SELECT title FROM snapshots WHERE segment = ? AND n = ? ORDER BY native DESC LIMIT 1",
                (good[-1].segment, good[-1].n),
            ).fetchone()["title"]
        self._db.execute(
            "INSERT OR REPLACE INTO articles VALUES (?,?,?,?,?,?,?,?,?)",
            (
                source,
                url,
                title,
                format_instant(captures[0].captured_at),
                format_instant(captures[-1].captured_at),
                format_instant(good[-1].captured_at) if good else None,
                history.state.value,
                len(captures),
                len(history.revisions),
            ),
        )

    def _read_facts(self, source: str, url: str) -> list[CaptureFact]:
        rows = self._db.execute(
            "SELECT c.captured_at, c.segment, c.n, c.run, c.status, c.class, s.derivation, s.native, s.text_digest"
            " FROM captures c LEFT JOIN snapshots s"
            " ON s.segment = c.segment AND s.n = c.n AND s.url = c.url AND s.captured_at = c.captured_at"
            " WHERE c.source = ? AND c.url = ? AND c.purpose = 'article' ORDER BY c.segment, c.n",
            (source, url),
        )
        facts: dict[tuple[str, int], CaptureFact] = {}
        for row in rows:
            place = (row["segment"], row["n"])
            fact = facts.get(place)
            texts = dict(fact.texts) if fact else {}
            native = fact.native if fact else None
            if row["derivation"] is not None:
                texts[row["derivation"]] = row["text_digest"]
                native = row["derivation"] if row["native"] else native
            facts[place] = CaptureFact(
                captured_at=datetime.fromisoformat(row["captured_at"]),
                segment=row["segment"],
                n=row["n"],
                run=row["run"],
                status=row["status"],
                page_class=row["class"],
                native=native,
                texts=texts,
            )
        return list(facts.values())


def format_instant(value: datetime) -> str:
    """Return *value* with all six decimals, so that instants sort as text."""
    return format_time(value.replace(microsecond=0))[:-1] + f".{value.microsecond:06d}Z"


def commit_files(stored: StoredCommit) -> tuple[str, str]:
    """Return the keys of a segment's WARC and rows files; empty where it has none."""
    keys = [file.key for file in stored.commit.files]
    return (
        next((key for key in keys if key.endswith(".warc.gz")), ""),
        next((key for key in keys if key.endswith(".rows.jsonl.zst")), ""),
    )


def _require_own(row: SegmentRow, commit: Commit, where: str) -> None:
    """Raise DamageFound unless the rows are those of the segment that *commit* names."""
    require_format(row.format, where)
    require_supported(row.requires, where)
    found, expected = (row.source, row.segment), (commit.source, commit.segment)
    if found != expected:
        raise DamageFound(f"{where}: rows of {found[1][:100]!a}, {found[0][:70]!a}; the commit says {expected[1]!a}")


def _fetch_rows(store: ObjectStore, file: CommittedFile) -> bytes:
    if file.size_bytes > MAX_ROWS_BYTES:
        raise DamageFound(f"{store.url}/{file.key}: {file.size_bytes} bytes of rows; at most {MAX_ROWS_BYTES} are read")
    try:
        data = store.get(file.key, length=file.size_bytes + 1)
    except ObjectMissing as error:
        raise DamageFound(f"{store.url}/{file.key}: missing, though it was committed: run ofrecord verify") from error
    if digest(data) != file.sha256:
        raise DamageFound(
            f"{store.url}/{file.key}: found {len(data)} bytes with {digest(data)},"
            f" the commit says {file.size_bytes} with {file.sha256}: run ofrecord verify"
        )
    return data
