"""Which articles are due: kept in order of time, and brought up to date by what was touched since the last question."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from jobs.catalog.folding import format_instant
from jobs.catalog.layers import LayeredCatalog

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator, Sequence


class RecheckCatalog(LayeredCatalog):
    """The catalog as far as it knows when articles are to be looked at again."""

    def list_due(
        self, source: str, ages: Sequence[int], now: datetime, *, limit: int | None = None, raw_only: bool = False
    ) -> Iterator[str]:
        """Yield the articles of *source* whose next recheck is due, the oldest due first; at most *limit*.

        *ages*: seconds after first sight. An article is due if an age has passed that its last capture did not cover,
        and at once, after all others, if it is suspected to be gone: a second look must confirm that. One that was only
        recorded is due at once; if what asks is *raw_only*, by its age.
        """
        self.plan_rechecks(source, ages, raw_only=raw_only)
        moment = format_instant(now)
        query = "SELECT url FROM rechecks INDEXED BY rechecks_by_due WHERE source = ?1 AND due <= ?2 ORDER BY due, url"
        left = -1 if limit is None else limit
        for row in self._db.execute(f"{query} LIMIT ?3", (source, moment, left)):
            left -= 1
            yield row["url"]
        query = (
            "SELECT url FROM articles INDEXED BY suspected_articles WHERE source = ?1 AND state = 'suspected' AND"
            " NOT EXISTS (SELECT 1 FROM rechecks r WHERE r.source = ?1 AND r.url = articles.url AND r.due <= ?2)"
            " ORDER BY url LIMIT ?3"
        )
        for row in self._db.execute(query, (source, moment, -1 if limit is None else left)):
            yield row["url"]

    def plan_rechecks(self, source: str, ages: Sequence[int], *, raw_only: bool = False) -> None:
        """Work out anew when those articles are due that commits touched since; all, if it was asked otherwise then.

        All takes 3 s for a million.
        """
        marks = sorted(ages)
        wanted, seq = json.dumps({"raw_only": marks} if raw_only else marks), self.head(source)[0]
        known = self._db.execute("SELECT ages, seq FROM recheck_ages WHERE source = ?", (source,)).fetchone()
        if known is not None and tuple(known) == (wanted, seq):
            return
        with self.transaction():
            since = known["seq"] if known is not None and known["ages"] == wanted else 0
            if not since:
                self._db.execute("DELETE FROM rechecks WHERE source = ?", (source,))
            query = (
                "SELECT url, first_seen, last_captured, state, unread FROM articles INDEXED BY articles_by_commit"
                " WHERE source = ? AND seq > ?"
                if since
                else "SELECT url, first_seen, last_captured, state, unread FROM articles WHERE source = ? AND ? = 0"
            )
            for row in self._db.execute(query, (source, since)):
                due = _find_due(row, marks, raw_only=raw_only)
                if due is not None:
                    self._db.execute("INSERT OR REPLACE INTO rechecks VALUES (?,?,?)", (source, row["url"], due))
                elif since:
                    self._db.execute("DELETE FROM rechecks WHERE source = ? AND url = ?", (source, row["url"]))
            self._db.execute("INSERT OR REPLACE INTO recheck_ages VALUES (?,?,?)", (source, wanted, seq))


def _find_due(article: sqlite3.Row, marks: list[int], *, raw_only: bool) -> str | None:
    """Return when an article is due, as the catalog writes times; `None` for one without a text or beyond all ages."""
    if article["unread"] and not raw_only:
        last: str = article["last_captured"]
        return last
    if article["state"] == "none" and not article["unread"]:
        return None
    first = datetime.fromisoformat(article["first_seen"])
    covered = (datetime.fromisoformat(article["last_captured"]) - first).total_seconds()
    mark = next((one for one in marks if covered < one), None)
    return None if mark is None else format_instant(first + timedelta(seconds=mark))
