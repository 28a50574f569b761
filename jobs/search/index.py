"""The index's file: opened, folded from the catalog, asked."""

from __future__ import annotations

import sqlite3
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from jobs.catalog import Catalog
    from jobs.search.facts import EventFilter, Events, Hits, Query

INDEX_FILE = "search.sqlite"
"""Beside the catalog."""


class SearchIndex:
    """One SQLite file. One writer at a time; readers do not block."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db

    @classmethod
    @contextmanager
    def open(cls, path: Path, *, read_only: bool = False) -> Iterator[Self]:
        """Open the index at *path*; a writer finds an empty one where there was none that it can use."""
        mode = "ro" if read_only else "rwc"
        connection = sqlite3.connect(
            f"{path.absolute().as_uri()}?mode={mode}", uri=True, timeout=60, isolation_level=None
        )
        with closing(connection):
            yield cls(connection)

    def fold(self, catalog: Catalog, archive: str, *, tell: Callable[[int], None] | None = None) -> int:
        """Take in what the catalog has folded since, of all sources; return how many articles that touched.

        *archive*: its id, of which the ids of events are made. *tell*: told of the number so far.
        """
        raise NotImplementedError

    def search(self, query: Query, catalog: Catalog, *, limit: int = 20, after: str | None = None) -> Hits:
        """Return the texts that *query* finds, with snippets. *after*: of the page before. Raises QueryError."""
        raise NotImplementedError

    def list_events(self, wanted: EventFilter, *, limit: int = 50, after: str | None = None) -> Events:
        """Return what happened, the newest first. *after*: of the page before."""
        raise NotImplementedError

    def count_heads(self) -> dict[str, int]:
        """Return source → the last commit that is taken in."""
        raise NotImplementedError
