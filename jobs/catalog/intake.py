"""Folds commits into the catalog: facts of their rows, then the verdicts of every article that they touch."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, BinaryIO

import structlog

from config.errors import CatalogDamaged, DamageFound
from crawler.rows import SegmentRow, format_time
from jobs.archive.adoption import read_adopts
from jobs.archive.commit import (
    REPLACING_KINDS,
    SEGMENT_KINDS,
    Commit,
    CommittedFile,
    StoredCommit,
    commit_key,
    owns_segment,
    require_supported,
)
from jobs.archive.facts import read_rows
from jobs.archive.replacing import Replacements, fetch_segment
from jobs.catalog.health import HealthCatalog
from jobs.catalog.rechecks import RecheckCatalog
from jobs.catalog.replacing import ReplacingCatalog
from jobs.catalog.schema import LOCAL_TABLES, TABLES, connect, explain
from jobs.catalog.sights import SightCatalog

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from jobs.archive.commit import CommitLink, RowsPlace
    from jobs.archive.log import Log
    from jobs.store import ObjectStore

log = structlog.get_logger()


_NEVER = datetime(1970, 1, 1, tzinfo=UTC)


class Catalog(ReplacingCatalog, SightCatalog, RecheckCatalog, HealthCatalog):
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
        ahead = Replacements(source_log)
        for stored in source_log.read(after=seq, head=head):
            ahead.move_on(stored)
            self.add_commit(store, stored, ahead=ahead)
            folded += 1
        if folded:
            log.debug("indexed_run", source=source_log.source, commits=folded)
        return folded

    def add_commit(
        self,
        store: ObjectStore,
        stored: StoredCommit,
        *,
        rows: BinaryIO | None = None,
        ahead: Replacements | None = None,
    ) -> None:
        """Fold one commit, the next one of its source, in one transaction; nothing is done if it was folded already.

        *rows*: a file that holds its rows from where it stands to its end, as this process has just written them, each
        line checked; else they are fetched. *ahead*: says of a segment whose object is gone what took its place. A
        segment that is replaced has a transaction of its own; `sweep` wipes what was taken out. Raises DamageFound,
        FormatTooNew, StoreError; CatalogDamaged if commits between are not folded.
        """
        commit = stored.commit
        require_supported(commit.requires, f"{store.url}/{commit_key(commit.source, commit.seq)}")
        adopts = read_adopts(commit)
        data: bytes | BinaryIO | None = rows
        known = self.has_segment(commit.segment or "")  # a repeat counts once, and may have been replaced since
        if data is None and commit.rows and commit.kind in SEGMENT_KINDS and not known:
            commit, data = fetch_segment(store, commit, ahead)
        if commit.kind in REPLACING_KINDS and self.head(commit.source)[0] < commit.seq:
            _require_next(commit, self.head(commit.source)[0])
            self._replace_segments(store, stored, ahead)
        with self.transaction():
            last = self.head(commit.source)[0]
            if last >= commit.seq:
                return
            _require_next(commit, last)
            known = self.has_segment(commit.segment or "")
            self._add_commit_row(stored)
            self._adopt(commit.source, commit.seq, adopts)
            if data is not None and commit.rows is not None and not known:
                self._add_segment(commit, data, commit.rows, checked=rows is not None)
            self._fold_adopted(commit.source, commit.seq, adopts)
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
                "UPDATE segments SET run = ?, opened = ?, closed = ?,"
                " size_bytes = CASE WHEN replaced IS NULL THEN ? ELSE size_bytes END WHERE segment = ? AND seq = ?",
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


def _require_next(commit: Commit, last: int) -> None:
    """Raise CatalogDamaged unless *commit* comes right after commit *last*: another process made the cache anew."""
    if commit.seq != last + 1:
        raise CatalogDamaged(
            f"{commit_key(commit.source, commit.seq)}: the catalog ends at commit {last}, expected commit {last + 1}:"
            " another process made it anew meanwhile; run this again, or ofrecord index --rebuild"
        )


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
