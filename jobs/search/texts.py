"""Texts into the index and out of it: their words, what they are chosen by, and what is stated most."""

from __future__ import annotations

from collections import Counter
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

from jobs.articles import find_reading
from jobs.catalog.instants import format_instant
from jobs.changes import What
from jobs.search.facets import MAX_VALUES, list_facets
from jobs.search.fields import read_authors, read_field, split_text
from jobs.search.instants import row_of
from jobs.search.letters import fold_words

if TYPE_CHECKING:
    import sqlite3
    from datetime import datetime

    from jobs.catalog import Catalog, StoredRevision, TouchedArticle
    from jobs.changes import Change, EditSummary
    from jobs.fold import Place

MAX_STATED_CHARS = 100
_OF_TEXTS = frozenset({What.REVISED, What.REVERTED, What.ALTERNATING})


class TextWriter:
    """Writes the texts of articles, one after another. `flush` ends a transaction."""

    def __init__(self, db: sqlite3.Connection, catalog: Catalog) -> None:
        self._db = db
        self._catalog = catalog
        self._stated: Counter[tuple[str, str]] = Counter()
        self._run = (0, -1)
        """The last rows that were given away one behind the other: many texts may come of one instant."""

    def take(
        self,
        number: int,
        source: str,
        article: TouchedArticle,
        revisions: list[StoredRevision],
        changes: list[tuple[Change, EditSummary | None]],
    ) -> None:
        """Have the texts of an article, *number* in the index, as they are now, and no others."""
        edits = {
            change.after.revision: summary
            for change, summary in reversed(changes)
            if change.what in _OF_TEXTS and change.after is not None and summary is not None
        }
        known = {
            (row["number"], row["segment"], row["n"], row["facets"], row["text_digest"]): row
            for row in self._db.execute("SELECT * FROM documents WHERE article = ?", (number,))
        }
        several = any(revision.captures > 1 for revision in revisions)
        captures = self._catalog.list_captures(source, article.url) if several else []
        for revision in revisions:
            reading = find_reading(self._catalog, revision, captures)
            if reading is None:
                continue
            place, snapshot = reading
            edit = edits.get(revision.number) if revision.number > 1 else None
            kinds, silent = (edit.kinds, bool(edit.silent)) if edit else ([], False)
            facets = _facets_of(source, article.state, snapshot["fields"], kinds, silent=silent)
            key = (revision.number, *place, facets, snapshot["text_digest"])
            if known.pop(key, None) is None:
                self._add_text(number, revision, reading, kinds, silent=silent, facets=facets)
        for old in known.values():
            self.remove(old)

    def _add_text(
        self,
        number: int,
        revision: StoredRevision,
        reading: tuple[Place, dict[str, Any]],
        kinds: list[str],
        *,
        silent: bool,
        facets: str,
    ) -> None:
        place, snapshot = reading
        row = self._find_free_row(revision.captured_at)
        tokens = _fold_snapshot(snapshot)
        values = (
            *(row, number, revision.number, *place, format_instant(revision.captured_at)),
            *(" ".join(kinds), silent, facets, snapshot["text_digest"], _digest(tokens)),
        )
        self._db.execute("INSERT INTO documents VALUES (?,?,?,?,?,?,?,?,?,?,?)", values)
        self._db.execute("INSERT INTO words (rowid, title, body, facets) VALUES (?,?,?,?)", (row, *tokens, facets))
        self._count_rows(1)
        fields = snapshot["fields"]
        stated = [(name, read_field(fields, name)) for name in ("language", "section")]
        stated += [("author", author) for author in read_authors(fields)[:MAX_VALUES]]
        self._stated.update((name, value) for name, value in stated if 0 < len(value) <= MAX_STATED_CHARS)

    def remove(self, row: sqlite3.Row) -> None:
        """Take a text out. Its tokens are wanted for that: where the catalog has them not, they find nothing any more.

        (FTS5 takes out what it is told was put in, so that has to be the very same.)
        """
        self._db.execute("DELETE FROM documents WHERE id = ?", (row["id"],))
        snapshot = self._catalog.read_snapshot(row["segment"], row["n"])
        tokens = _fold_snapshot(snapshot) if snapshot is not None else ("", "")
        if _digest(tokens) == row["tokens"]:
            command = "INSERT INTO words (words, rowid, title, body, facets) VALUES ('delete',?,?,?,?)"
            self._db.execute(command, (row["id"], *tokens, row["facets"]))
            self._count_rows(-1)

    def _count_rows(self, number: int) -> None:
        command = "INSERT INTO facts VALUES ('rows', ?1) ON CONFLICT DO UPDATE SET value = value + ?1"
        self._db.execute(command, (number,))

    def flush(self) -> None:
        """Write down how many texts state what."""
        stated, self._stated = self._stated, Counter()
        self._db.executemany(
            "INSERT INTO stated VALUES (?,?,?,?) ON CONFLICT DO UPDATE SET texts = texts + excluded.texts",
            [(name, fold_words(value), value, number) for (name, value), number in stated.items()],
        )

    def _find_free_row(self, at: datetime) -> int:
        """Return a row that no text has, nor a dead one, as near behind *at* as there is one."""
        row = row_of(at)
        first, last = self._run
        if first <= row <= last:
            row = last + 1
        for taken in self._db.execute("SELECT id FROM words_docsize WHERE id >= ? ORDER BY id", (row,)):
            if taken["id"] != row:
                break
            row += 1
        self._run = (first, row) if row == last + 1 else (row, row)
        return row


def _fold_snapshot(snapshot: dict[str, Any]) -> tuple[str, str]:
    title, body = split_text(snapshot["title"], snapshot["text"])
    return fold_words(title), fold_words(body)


def _digest(tokens: tuple[str, str]) -> int:
    return int.from_bytes(blake2b("\n".join(tokens).encode(), digest_size=7).digest(), "big")


def _facets_of(source: str, state: str, fields: dict[str, Any], kinds: list[str], *, silent: bool) -> str:
    return list_facets(
        source=source,
        language=read_field(fields, "language"),
        section=read_field(fields, "section"),
        authors=read_authors(fields),
        kinds=kinds,
        silent=silent,
        deleted=state in {"suspected", "gone"},
    )
