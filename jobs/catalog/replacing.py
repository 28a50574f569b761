"""Segments that were written anew: their facts in place of those that the catalog has, and the articles judged anew."""

from __future__ import annotations

import json
import sqlite3
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import structlog
import zstandard

from config.errors import DamageFound
from crawler.model import PageClass
from crawler.rows import CaptureRow, SegmentRow, SnapshotRow
from jobs.archive.commit import Commit, commit_key, owns_segment
from jobs.archive.facts import read_rows
from jobs.archive.replacing import fetch_moved, parse_replacement
from jobs.catalog.rows import PLACE_COLUMNS, RowsCatalog, capture_columns, require_own

if TYPE_CHECKING:
    from collections.abc import Iterator

    from jobs.archive.commit import CommittedFile, StoredCommit
    from jobs.archive.replacing import MovedSegment, Replacement, Replacements
    from jobs.store import ObjectStore

log = structlog.get_logger()

_UNSWEPT = 0x5EEB
"""As `application_id` of the file: text was taken out, and may still lie in pages that nobody uses."""
_UNCUT = 0x5EEC
"""The same: it may still lie in the journal."""
_TITLES = ("title", "title_tag", "social_title")
"""Fields of a snapshot that have a headline."""
_OPINIONS = ("edit_reports", "health_marks", "health_days", "health_runs")
"""What this catalog told itself of texts and captures, and tells itself anew when asked."""


class ReplacingCatalog(RowsCatalog):
    """The catalog as far as what it knows can be withdrawn."""

    def sweep(self) -> None:
        """Wipe what was taken out from the file's free pages and its journal, if anything was. May take minutes.

        Where there is no room for that, or readers hold it up, it is said in the log, and tried again the next time.
        """
        state = self._db.execute("PRAGMA application_id").fetchone()[0]
        if self._is_for_reading or state not in (_UNSWEPT, _UNCUT):
            return
        try:
            if state == _UNSWEPT:
                self._db.execute("PRAGMA secure_delete = ON")
                self._db.execute("VACUUM")
                self._db.execute(f"PRAGMA application_id = {_UNCUT}")
            if self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]:
                log.warning("failed_sweep", error="somebody reads what its journal holds")
                return
            self._db.execute("PRAGMA application_id = 0")
        except sqlite3.OperationalError as error:
            log.warning("failed_sweep", error=str(error))

    def read_words(self, source: str, url: str) -> tuple[set[str], set[str]]:
        """Return all titles that the captures of an article had, in whatever derivation, and all their texts."""
        titles: set[str] = set()
        texts: set[str] = set()
        query = (
            "SELECT s.title, s.fields, t.text FROM captures c JOIN snapshots s USING (segment, n)"
            " JOIN texts t ON t.digest = s.text_digest WHERE c.source = ? AND c.url = ?"
        )
        for row in self._db.execute(query, (source, url)):
            fields = json.loads(row["fields"] or "{}")
            stated = [fields.get(name) for name in _TITLES]
            told = [one.get("value") for one in stated if isinstance(one, dict)]
            titles.update(one for one in (row["title"], *told) if isinstance(one, str))
            texts.add(zstandard.decompress(row["text"]).decode())
        return titles, texts

    def find_rows_key(self, segment: str) -> str | None:
        """Return the key of the object that has the rows of *segment* now; `None`: no commit brought it."""
        row = self._db.execute("SELECT warc_key FROM segments WHERE segment = ?", (segment,)).fetchone()
        return None if row is None else str(row["warc_key"])

    def is_place_of_rows(self, source: str, key: str) -> bool:
        """Whether a segment of *source* lies in the object *key* now."""
        query = "SELECT 1 FROM segments WHERE source = ? AND warc_key = ?"
        return self._db.execute(query, (source, key)).fetchone() is not None

    def list_touching(self, source: str, url: str) -> set[str]:
        """Return the segments whose rows have captures of *url* or texts of such, derived again."""
        query = (
            "SELECT segment FROM captures WHERE source = ?1 AND url = ?2 UNION SELECT g.segment FROM captures c"
            " JOIN snapshots s USING (segment, n) JOIN segments g ON g.source = s.source AND g.seq = s.seq"
            " WHERE c.source = ?1 AND c.url = ?2"
        )
        return {row["segment"] for row in self._db.execute(query, (source, url))}

    def _replace_segments(self, store: ObjectStore, stored: StoredCommit, ahead: Replacements | None) -> None:
        """Take in what a commit of kind `redact` or `replace` says, a segment in each transaction: safe to repeat."""
        found = parse_replacement(stored.commit)
        if found is None or not found.segments:
            return
        if self.thin_until(found.source):
            with self.transaction():  # which captures a crawl needs may be others now
                self._set_wanting(found.source)
                self._mark_unswept(found)
            return
        for moved in found.segments:
            newest, file, data = fetch_moved(store, found, moved, ahead)
            with self.transaction():
                self._replace_segment(found, newest, file, data)

    def _replace_segment(self, found: Replacement, moved: MovedSegment, file: CommittedFile, data: bytes) -> None:
        commit = self._find_bringing(found, moved, file)
        self._db.execute(
            "UPDATE segments SET warc_key = ?, rows_offset = ?, rows_bytes = ?, rows_sha256 = ?, size_bytes = ?,"
            " replaced = ? WHERE segment = ?",
            (
                moved.rows.key,
                moved.rows.offset,
                moved.rows.size_bytes,
                moved.rows.sha256,
                file.size_bytes,
                found.seq,
                moved.segment,
            ),
        )
        self._doubt_snapshots(commit)
        before = dict(self._list_snapshots(commit))
        deciding = self._list_deciding(commit)
        self._db.execute("DELETE FROM snapshots WHERE source = ? AND seq = ?", (commit.source, commit.seq))
        changed, redacted = self._take_rows(commit, data)
        after = dict(self._list_snapshots(commit))
        self._db.executemany("UPDATE snapshots SET own = ? WHERE segment = ? AND n = ? AND derivation = ?", deciding)
        changed |= {place[3] for place, _ in before.items() ^ after.items()}
        self._drop_doubted_texts()
        if changed or redacted:
            self._mark_unswept(found)
        for url in sorted(changed | redacted):
            known = "SELECT seq FROM articles WHERE source = ? AND url = ?"
            row = self._db.execute(known, (commit.source, url)).fetchone()
            self._fold(commit.source, url, found.seq if url in redacted or row is None else row["seq"])

    def _take_rows(self, commit: Commit, data: bytes) -> tuple[set[str], set[str]]:
        """Put the rows *data* in the place of what is known; return the articles that changed and those redacted."""
        segment = commit.segment or ""
        known = {row["n"]: row for row in self._db.execute("SELECT * FROM captures WHERE segment = ?", (segment,))}
        changed: set[str] = set()
        redacted: set[str] = set()
        for line, row in read_rows(data, commit.rows.key if commit.rows else ""):
            where = f"{commit.rows.key if commit.rows else ''}: line {line}"
            if isinstance(row, SegmentRow):
                require_own(row, commit, where)
            elif isinstance(row, CaptureRow):
                old = known.pop(row.n, None)
                if (
                    old is None
                    or old["url"] != row.url
                    or datetime.fromisoformat(old["captured_at"]) != row.captured_at
                ):
                    raise DamageFound(f"{where}: capture {row.n} is not the one that was replaced")
                if self._put_anew(commit, old, row) and row.purpose == "article":
                    changed.add(row.url)
                if row.page_class == PageClass.REDACTED and row.purpose == "article":
                    redacted.add(row.url)
            elif isinstance(row, SnapshotRow):
                if row.of is not None and not owns_segment(commit.source, row.of.segment):
                    raise DamageFound(f"{where}: a snapshot of another source's capture: {row.of.segment}")
                self._add_snapshot(commit, row)
        if known:
            raise DamageFound(f"segment {segment}: {len(known)} captures are missing where it was written anew")
        return changed, redacted

    def _put_anew(self, commit: Commit, old: sqlite3.Row, row: CaptureRow) -> bool:
        """Put a capture in the place of *old*; return whether more than the places of its records changed."""
        columns = capture_columns(commit.source, commit.segment or "", commit.run or "", row)
        same = all(old[name] == value for name, value in columns.items() if name not in PLACE_COLUMNS)
        wanted = {name: columns[name] for name in PLACE_COLUMNS} if same else columns
        names = ", ".join(f"{name} = :{name}" for name in wanted)
        query = f"UPDATE captures SET {names} WHERE segment = :segment AND n = :n"  # noqa: S608 - names of ours
        self._db.execute(query, {**wanted, "segment": commit.segment, "n": row.n})
        return not same

    def _find_bringing(self, found: Replacement, moved: MovedSegment, file: CommittedFile) -> Commit:
        """Return the commit that brought a segment, as far as it matters, with the places of its replacement."""
        row = self._db.execute(
            "SELECT seq, run, opened FROM segments WHERE segment = ? AND source = ?", (moved.segment, found.source)
        ).fetchone()
        if row is None:
            where = commit_key(found.source, found.seq)
            raise DamageFound(f"{where}: replaces segment {moved.segment}, which no commit before it brought")
        opened = datetime.fromisoformat(row["opened"]) if row["opened"] else datetime.now(UTC)
        return Commit(
            found.source,
            "segment",
            opened,
            "",
            seq=row["seq"],
            run=row["run"],
            segment=moved.segment,
            files=(file,),
            rows=moved.rows,
        )

    def _list_snapshots(self, commit: Commit) -> Iterator[tuple[tuple[str, int, str, str], tuple[object, ...]]]:
        """Yield place, derivation and URL of each snapshot that the rows of *commit* brought, and what it says."""
        query = (
            "SELECT segment, n, derivation, url, native, text_digest, meta_digest, title, class FROM snapshots"
            " WHERE source = ? AND seq = ?"
        )
        for row in self._db.execute(query, (commit.source, commit.seq)):
            yield (row["segment"], row["n"], row["derivation"], row["url"]), tuple(row)[4:]

    def _list_deciding(self, commit: Commit) -> list[tuple[Any, ...]]:
        """Return whether each of those decides, as it was judged last, and its place."""
        query = "SELECT own, segment, n, derivation FROM snapshots WHERE source = ? AND seq = ?"
        return [tuple(row) for row in self._db.execute(query, (commit.source, commit.seq))]

    def _doubt_snapshots(self, commit: Commit) -> None:
        """Note the texts of what the rows of *commit* brought: some may be nobody's once these are other rows."""
        self._doubt_nothing()
        self._db.execute(
            "INSERT OR IGNORE INTO doubted SELECT text_digest FROM snapshots WHERE source = ? AND seq = ?",
            (commit.source, commit.seq),
        )

    def _mark_unswept(self, found: Replacement) -> None:
        if found.kind != "redact":
            return
        for table in _OPINIONS:
            self._db.execute(f"DELETE FROM {table} WHERE source = ?", (found.source,))  # noqa: S608 - names of ours
        self._db.execute(f"PRAGMA application_id = {_UNSWEPT}")
