"""Folds commits into the catalog: facts of their rows, then the verdicts of every article that they touch."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing, contextmanager
from dataclasses import asdict, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import structlog

from config.errors import CatalogDamaged, DamageFound
from crawler.rows import CaptureReference, CaptureRow, RunRow, SegmentRow, SlotRow, SnapshotRow, format_time
from jobs.archive.commit import (
    SEGMENT_KINDS,
    Commit,
    CommittedFile,
    StoredCommit,
    commit_key,
    digest,
    owns_segment,
    require_format,
    require_supported,
)
from jobs.archive.facts import fetch_rows, read_rows
from jobs.catalog.folding import FirstSight
from jobs.catalog.health import HealthCatalog
from jobs.catalog.instants import format_instant
from jobs.catalog.rechecks import RecheckCatalog
from jobs.catalog.schema import LOCAL_TABLES, TABLES, connect, explain
from jobs.catalog.sights import SightCatalog
from jobs.fold import NOT_MODIFIED, CaptureFact
from jobs.metadata import digest_metadata

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from jobs.archive.commit import CommitLink, RowsPlace
    from jobs.archive.log import Log
    from jobs.store import ObjectStore

log = structlog.get_logger()


_NEVER = datetime(1970, 1, 1, tzinfo=UTC)
_encode_fields = json.JSONEncoder(ensure_ascii=False, sort_keys=True).encode
SIGHTS_AT_A_TIME = 500
"""So many articles that may be new are held before they are judged."""


class _Touched:
    """The articles that the rows of one segment touch: those that may be new, and all others."""

    def __init__(self, segment: str, run: str, derived_before: bool) -> None:  # noqa: FBT001
        self.sights: dict[str, FirstSight] = {}
        self.others: set[str] = set()
        self._segment = segment
        self._run = run
        self._derived_before = derived_before

    def note_capture(self, row: CaptureRow) -> None:
        if row.purpose != "article":
            return
        if self._derived_before or row.url in self.others or self.sights.pop(row.url, None) is not None:
            self.others.add(row.url)
            return
        fact = CaptureFact(row.captured_at, self._segment, row.n, self._run, row.status, row.page_class, None, {})
        self.sights[row.url] = FirstSight(fact)

    def note_snapshot(self, row: SnapshotRow, *, alone: bool) -> None:
        sight = self.sights.get(row.url)
        place = (row.n, row.captured_at)
        if not alone or sight is None or sight.fact.native or (sight.fact.n, sight.fact.captured_at) != place:
            self.sights.pop(row.url, None)
            self.others.add(row.url)
            return
        sight.fact = replace(sight.fact, native=row.derivation, texts={row.derivation: row.text_digest})
        sight.title = row.title

    def take_sights(self) -> dict[str, FirstSight]:
        """Return the articles that may be new, which are not held any more."""
        taken, self.sights = self.sights, {}
        return taken


class Catalog(SightCatalog, RecheckCatalog, HealthCatalog):
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
            log.debug("indexed_run", source=source_log.source, commits=folded)
        return folded

    def add_commit(self, store: ObjectStore, stored: StoredCommit, *, rows: bytes | None = None) -> None:
        """Fold one commit, the next one of its source, in one transaction; nothing is done if it was folded already.

        *rows*: its rows, as this process has just written them, each line checked; else they are fetched. Raises
        DamageFound, FormatTooNew, StoreError; CatalogDamaged if commits between are not folded.
        """
        commit = stored.commit
        require_supported(commit.requires, f"{store.url}/{commit_key(commit.source, commit.seq)}")
        data = rows
        if data is None and commit.rows and commit.kind in SEGMENT_KINDS:
            data = fetch_rows(store, commit.rows)
        with self.transaction():
            last = self.head(commit.source)[0]
            if last >= commit.seq:
                return
            _require_next(commit, last)
            known = self.has_segment(commit.segment or "")
            self._add_commit_row(stored)
            if data is not None and commit.rows is not None and not known:
                self._add_segment(commit, data, commit.rows, checked=rows is not None)
            self._move_on(commit.source, commit.seq, stored.digest, commit.checkpoint)

    def add_rows(self, source: str, link: CommitLink, data: bytes | None, *, checkpoint: dict[str, Any] | None) -> None:
        """Fold the rows *data* of a commit by what a later one repeats of it: `complete_commit` brings the rest."""
        commit = Commit(source, "segment", _NEVER, "", seq=link.seq)
        if link.rows is not None and data is not None:
            commit = _imagine_commit(source, link, link.rows, data)
        with self.transaction():
            known = self.has_segment(commit.segment or "")
            self._db.execute(
                "INSERT INTO commits (source, seq, digest, run, segment, epoch) VALUES (?,?,?,?,?,?)",
                (source, link.seq, link.sha256, commit.run, commit.segment, commit.epoch),
            )
            if data is not None and link.rows is not None and not known:
                self._add_segment(commit, data, link.rows)
            self._move_on(source, link.seq, link.sha256, checkpoint)

    def complete_commit(self, stored: StoredCommit) -> None:
        """Take in the rest of a commit whose rows were folded by `add_rows`. Raises DamageFound if it is another."""
        commit = stored.commit
        expected = self.find_commit(commit.source, commit.seq)
        if stored.digest != expected:
            key = commit_key(commit.source, commit.seq)
            raise DamageFound(f"{key}: found {stored.digest}, a later commit says {expected}")
        with self.transaction():
            self._db.execute("DELETE FROM commits WHERE source = ? AND seq = ?", (commit.source, commit.seq))
            self._add_commit_row(stored)
            self._db.execute(
                "UPDATE segments SET run = ?, opened = ?, closed = ?, size_bytes = ? WHERE segment = ? AND seq = ?",
                (
                    commit.run,
                    format_time(commit.opened) if commit.opened else None,
                    format_time(commit.closed) if commit.closed else None,
                    sum(file.size_bytes for file in commit.files),
                    commit.segment,
                    commit.seq,
                ),
            )

    def clear(self) -> None:
        """Forget everything."""
        with self.transaction():
            for table in (*TABLES, *LOCAL_TABLES):
                self._db.execute(f"DELETE FROM {table}")  # noqa: S608 - names of ours

    def _add_commit_row(self, stored: StoredCommit) -> None:
        commit = stored.commit
        self._db.execute(
            "INSERT INTO commits VALUES (?,?,?,?,?,?,?,?,?,?,?)",
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
                int(commit.releases),
                json.dumps(sorted(commit.derivations)),
            ),
        )
        for derivation, meaning in commit.derivations.items():
            self._db.execute(
                "INSERT OR IGNORE INTO derivations VALUES (?,?)", (derivation, json.dumps(meaning, sort_keys=True))
            )

    def _add_segment(self, commit: Commit, data: bytes, place: RowsPlace, *, checked: bool = False) -> None:
        where = place.key
        self._db.execute(
            "INSERT INTO segments VALUES (?,?,?,?,?,?,?,?,?,?,?)",
            (
                commit.segment,
                commit.source,
                commit.seq,
                commit.run,
                place.key,
                place.offset,
                place.size_bytes,
                place.sha256,
                format_time(commit.opened) if commit.opened else None,
                format_time(commit.closed) if commit.closed else None,
                sum(file.size_bytes for file in commit.files),
            ),
        )
        touched = self._begin_touched(commit)
        for line, row in read_rows(data, where, checked=checked):
            if isinstance(row, SegmentRow):
                _require_own(row, commit, f"{where}: line {line}")
            elif isinstance(row, CaptureRow):
                self._add_capture(commit.source, commit.segment or "", commit.run or "", row)
                touched.note_capture(row)
                if row.status == NOT_MODIFIED and self._lacks_capture(commit.source, row):
                    self._set_wanting(commit.source)
                if len(touched.sights) >= SIGHTS_AT_A_TIME:
                    touched.others.update(self._fold_new(commit.source, touched.take_sights(), commit.seq))
            elif isinstance(row, SnapshotRow):
                if row.of is not None and not owns_segment(commit.source, row.of.segment):
                    raise DamageFound(f"{where}: line {line}: a snapshot of another source's capture: {row.of.segment}")
                touched.note_snapshot(row, alone=self._add_snapshot(commit, row))
                if row.of is not None and self.thin_until(commit.source) and not self._has_capture(row.of):
                    self._set_wanting(commit.source)
            elif isinstance(row, RunRow):
                self._add_run(commit, row)
            elif isinstance(row, SlotRow):
                self.put_slot(commit.source, row, commit.seq)
        touched.others.update(self._fold_new(commit.source, touched.take_sights(), commit.seq))
        for url in sorted(touched.others):
            self._fold(commit.source, url, commit.seq)

    def _begin_touched(self, commit: Commit) -> _Touched:
        known = "SELECT EXISTS (SELECT 1 FROM snapshots WHERE segment = ?)"
        derived_before = bool(self._db.execute(known, (commit.segment,)).fetchone()[0])
        return _Touched(commit.segment or "", commit.run or "", derived_before)

    def _add_capture(self, source: str, segment: str, run: str, row: CaptureRow) -> None:
        response = row.warc.response if row.warc else None
        request = row.warc.request if row.warc else None
        self._db.execute(
            "INSERT INTO captures VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,NULL,NULL,NULL,?)",
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
                json.dumps([row.read_with, row.directives]) if row.read_with else None,
                row.not_modified,
                json.dumps(asdict(row.origin), ensure_ascii=False) if row.origin else None,
            ),
        )

    def _add_snapshot(self, commit: Commit, row: SnapshotRow) -> bool:
        """Return whether it is the first one that is known of its capture under its derivation."""
        if digest(row.text.encode()) != row.text_digest:
            raise DamageFound(
                f"segment {commit.segment}: the text of {row.url} does not have the digest {row.text_digest}"
            )
        place = row.of or CaptureReference(commit.segment or "", row.n if row.n is not None else -1)
        known = "SELECT text_digest FROM snapshots WHERE segment = ? AND n = ? AND derivation = ?"
        replaced = self._db.execute(known, (place.segment, place.n, row.derivation)).fetchone()
        added = self.put_snapshot(
            {
                "segment": place.segment,
                "n": place.n,
                "url": row.url,
                "captured_at": format_instant(row.captured_at),
                "derivation": row.derivation,
                "native": int(row.of is None),
                "text_digest": row.text_digest,
                "title": row.title,
                "lead": row.lead,
                "class": row.page_class,
                "fields": _encode_fields(row.fields),
                "confidence": row.confidence,
                "source": commit.source,
                "seq": commit.seq,
                "meta_digest": digest_metadata(row.fields),
            }
        )
        if added:
            self.put_text(row.text_digest, row.text)
        if added and replaced is not None:
            self._db.execute(
                "DELETE FROM texts WHERE digest = ?1 AND NOT EXISTS (SELECT 1 FROM snapshots WHERE text_digest = ?1)",
                (replaced["text_digest"],),
            )
        return replaced is None

    def _lacks_capture(self, source: str, row: CaptureRow) -> bool:
        """Whether an article's capture refers to one that thin facts may have left out."""
        if row.purpose != "article" or row.revisit_of is None or not self.thin_until(source):
            return False
        return not self._has_capture(row.revisit_of)

    def _has_capture(self, place: CaptureReference) -> bool:
        query = "SELECT 1 FROM captures WHERE segment = ? AND n = ?"
        return self._db.execute(query, (place.segment, place.n)).fetchone() is not None

    def _add_run(self, commit: Commit, row: RunRow) -> None:
        self._db.execute(
            "INSERT OR IGNORE INTO runs VALUES (?,?,?,?,?,?,?,?,?,?,?)",
            (
                row.run,
                commit.source,
                row.trigger,
                format_time(row.slot) if row.slot else None,
                format_time(row.started),
                format_time(row.finished),
                row.reason,
                json.dumps(row.counts, sort_keys=True),
                json.dumps(row.discovery, ensure_ascii=False, sort_keys=True),
                commit.seq,
                _encode_certificates(row) if row.certificates else None,
            ),
        )


def _encode_certificates(row: RunRow) -> str:
    told = {
        host: [format_time(one.not_before), format_time(one.not_after), one.issuer]
        for host, one in row.certificates.items()
    }
    return json.dumps(told, ensure_ascii=False, sort_keys=True)


def _require_next(commit: Commit, last: int) -> None:
    """Raise CatalogDamaged unless *commit* comes right after commit *last*: another process made the cache anew."""
    if commit.seq != last + 1:
        raise CatalogDamaged(
            f"{commit_key(commit.source, commit.seq)}: the catalog ends at commit {last}, expected commit {last + 1}:"
            " another process made it anew meanwhile; run this again, or ofrecord index --rebuild"
        )


def _require_own(row: SegmentRow, commit: Commit, where: str) -> None:
    """Raise DamageFound unless the rows are those of the segment that *commit* names."""
    require_format(row.format, where)
    require_supported(row.requires, where)
    found, expected = (row.source, row.segment), (commit.source, commit.segment)
    if found != expected:
        raise DamageFound(f"{where}: rows of {found[1][:100]!a}, {found[0][:70]!a}; the commit says {expected[1]!a}")


def _imagine_commit(source: str, link: CommitLink, place: RowsPlace, data: bytes) -> Commit:
    """Return the commit that brought these rows, as far as they tell. Raises DamageFound."""
    head = next((row for _, row in read_rows(data, place.key)), None)
    if not isinstance(head, SegmentRow) or head.source != source or not owns_segment(source, head.segment):
        raise DamageFound(f"{place.key}: holds no rows of source {source}")
    size_bytes = place.offset + place.size_bytes
    return Commit(
        source,
        "segment",
        head.opened,
        head.archive or "",
        seq=link.seq,
        run=head.run,
        segment=head.segment,
        files=(CommittedFile(place.key, size_bytes, "", 0),),
        rows=place,
        epoch=head.epoch,
        opened=head.opened,
    )
