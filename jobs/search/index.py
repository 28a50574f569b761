"""The index's file: opened, folded from the catalog, asked."""

from __future__ import annotations

import sqlite3
import time
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Self

import structlog

from config.errors import CatalogDamaged
from jobs.catalog.queries import STEPS
from jobs.search.finding import find_address, find_texts, list_texts
from jobs.search.folding import born_of, fold_catalog
from jobs.search.happenings import list_events
from jobs.search.schema import connect, is_whole, remove

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from jobs.catalog import Catalog
    from jobs.search.facts import EventFilter, Events, Found, Hit, Hits, Query

log = structlog.get_logger()

INDEX_FILE = "search.sqlite"
"""Beside the catalog."""


def discard_redacted(path: Path, catalog: Catalog) -> bool:
    """Take the index at *path* away if it may hold words that were redacted; return whether it was.

    Nothing is left of it but what readers have open just now. The next writer makes it anew.
    """
    if not catalog.has_redacted() or not path.exists():
        return False
    try:
        with SearchIndex.open(path, read_only=True) as index:
            stale = index.holds_redacted(catalog)
    except (sqlite3.DatabaseError, CatalogDamaged):
        stale = True  # nobody can say what it holds
    if stale:
        remove(path)
        log.info("removed_index", path=str(path), reason="redaction")
    return stale


class SearchIndex:
    """One SQLite file. One writer at a time; readers do not block."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db

    @classmethod
    @contextmanager
    def open(cls, path: Path, *, read_only: bool = False) -> Iterator[Self]:
        """Open the index at *path*; a writer finds an empty one where there was none that it can use.

        Raises CatalogDamaged, of which a writer takes away what is damaged: the next one makes it anew.
        """
        with closing(connect(path, read_only=read_only)) as connection:
            try:
                yield cls(connection)
            except sqlite3.DatabaseError as error:
                if not read_only and not is_whole(connection):
                    remove(path)
                    raise CatalogDamaged(f"{path}: was damaged ({error}) and is taken away: start again") from error
                raise

    def is_whole(self) -> bool:
        """Whether all of the file can be read, which is read for that. For a writer."""
        return is_whole(self._db)

    def fold(self, catalog: Catalog, archive: str, *, tell: Callable[[int], None] | None = None) -> int:
        """Take in what the catalog has folded since, of all sources; return how many articles that touched.

        *archive*: its id, of which the ids of events are made. *tell*: told of the number so far. *catalog* is opened
        to be written: reports on edits that are worked out are kept there.
        """
        self._db.execute("INSERT OR REPLACE INTO facts VALUES ('archive', ?)", (archive,))
        return fold_catalog(self._db, catalog, archive, tell=tell)

    def holds_redacted(self, catalog: Catalog) -> bool:
        """Whether the file may hold words of texts that were taken out since: full-text segments keep deleted ones."""
        return catalog.has_redacted() and any(
            one.replaced > self._find_birth(source)
            for source in self.count_heads()
            for one in catalog.list_redacted(source)
        )

    def _find_birth(self, source: str) -> int:
        row = self._db.execute("SELECT value FROM facts WHERE name = ?", (born_of(source),)).fetchone()
        return int(row["value"]) if row is not None else 0

    def search(self, query: Query, catalog: Catalog, *, limit: int = 20, after: str | None = None) -> Hits:
        """Return the texts that *query* finds, with snippets. *after*: of the page before. Raises QueryError."""
        return find_texts(self._db, catalog, query, limit=limit, after=after)

    def list_texts(self, query: Query, *, urls: Sequence[str] = ()) -> Iterator[Found]:
        """Yield all texts that *query* finds by source, URL and number, in constant memory. Raises QueryError."""
        return list_texts(self._db, query, urls)

    def find_address(self, urls: Sequence[str], catalog: Catalog) -> tuple[Hit, ...]:
        """Return the latest text of each source's article at the first of the normalised *urls* that any has."""
        return find_address(self._db, catalog, urls)

    def list_events(self, wanted: EventFilter, *, limit: int = 50, after: str | None = None) -> Events:
        """Return what happened, the newest first. *after*: of the page before. Raises QueryError."""
        return list_events(self._db, wanted, limit=limit, after=after)

    def stop_after(self, deadline: float) -> None:
        """As `Catalog.stop_after`."""
        self._db.set_progress_handler(lambda: time.monotonic() > deadline, STEPS)

    def count_heads(self) -> dict[str, int]:
        """Return source → the last commit that is taken in."""
        return {row["source"]: row["seq"] for row in self._db.execute("SELECT source, seq FROM marks")}

    def list_values(self, name: str, limit: int = 50) -> tuple[str, ...]:
        """Return the *limit* values of `language`, `section` or `author` that most texts state, sorted."""
        query = "SELECT value FROM stated WHERE name = ? ORDER BY texts DESC LIMIT ?"
        return tuple(sorted(row["value"] for row in self._db.execute(query, (name, limit))))

    def count_texts(self) -> int:
        """Return how many texts there are."""
        return int(self._db.execute("SELECT COUNT(*) FROM documents").fetchone()[0])
