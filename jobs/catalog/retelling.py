"""What newer layers leave out of an article that they tell again: none needs it, and its verdicts may be others now."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import sqlite3

_UNTOLD = "(segment, n) IN (SELECT segment, n FROM untold)"


class Retelling:
    """Follows the thin parts of one source's layers, older ones first, while their lines are put into a catalog."""

    def __init__(self, connection: sqlite3.Connection, source: str) -> None:
        self._db = connection
        self._source = source
        self._db.execute("CREATE TEMP TABLE IF NOT EXISTS untold (segment, n, PRIMARY KEY (segment, n)) WITHOUT ROWID")
        self._db.execute("DELETE FROM untold")

    def tell_article(self, url: str) -> None:
        """Take away what is judged of an article, and doubt its captures: those that are needed are told next."""
        place = (self._source, url)
        if self._db.execute("DELETE FROM articles WHERE source = ? AND url = ?", place).rowcount:
            self._db.execute("DELETE FROM revisions WHERE source = ? AND url = ?", place)
            query = "SELECT segment, n FROM captures WHERE source = ? AND url = ? AND purpose = 'article'"
            self._db.execute(f"INSERT OR IGNORE INTO untold {query}", place)

    def tell_capture(self, segment: str, n: int) -> None:
        """Doubt a capture no longer."""
        self._db.execute("DELETE FROM untold WHERE segment = ? AND n = ?", (segment, n))

    def drop_untold(self) -> None:
        """Forget the captures that are in doubt, but for records that captures of other URLs refer to."""
        if self._db.execute("SELECT 1 FROM untold LIMIT 1").fetchone() is None:
            return
        referred = f"SELECT revisit_segment, revisit_n FROM captures WHERE source = ? AND NOT {_UNTOLD}"  # noqa: S608
        self._db.execute(f"DELETE FROM untold WHERE (segment, n) IN ({referred})", (self._source,))  # noqa: S608
        for table in ("captures", "snapshots"):
            self._db.execute(f"DELETE FROM {table} WHERE {_UNTOLD}")  # noqa: S608 - texts of ours
