"""A search → the texts that it finds, by rank or by date, a page at a time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from jobs.search.facts import Hit, Hits, Order
from jobs.search.folding import ROWS_A_SECOND, read_authors, read_field, split_text
from jobs.search.queries import QueryError, make_expression, read_query
from jobs.search.snippets import make_snippet, mark_title

if TYPE_CHECKING:
    import sqlite3

    from jobs.catalog import Catalog
    from jobs.search.facts import Query
    from jobs.search.queries import Term

COMMON = 50
"""A word that more than one in so many texts has is common: what it finds is ordered by date."""
MAX_COUNTED = 1_000
"""So many hits are counted, and so many of those by rank can be turned to."""
_TITLE_WEIGHT = 8.0
_COLUMNS = "d.id, d.number, d.segment, d.n, d.captured_at, d.kinds, d.silent, a.source, a.url, a.state, a.latest"
_ALL = f"SELECT {_COLUMNS} FROM documents d JOIN articles a ON a.id = d.article WHERE d.id BETWEEN ? AND ?"  # noqa: S608 - texts of ours
_FOUND = (
    f"SELECT {_COLUMNS} FROM words w CROSS JOIN documents d ON d.id = w.rowid"  # noqa: S608 - the same
    " CROSS JOIN articles a ON a.id = d.article WHERE words MATCH ? AND w.rowid BETWEEN ? AND ?"
)


@dataclass(frozen=True, slots=True)
class _Search:
    expression: str | None
    first: int
    last: int
    """The rows between which times lie."""


def find_texts(db: sqlite3.Connection, catalog: Catalog, query: Query, *, limit: int, after: str | None) -> Hits:
    """Return the texts that *query* finds, a page of *limit*; *after*: as the page before says. Raises QueryError."""
    terms = read_query(query.words)
    search = _Search(make_expression(terms, query), _row_of(query.since, 0), _row_of(query.until, 1))
    order = _choose_order(db, terms)
    at = _read_after(after, order)
    if order is Order.DATE:
        rows = _find_newest(db, search, limit + 1, at)
        following = str(rows[limit - 1]["id"]) if len(rows) > limit else None
    else:
        rows = _find_best(db, search, limit + 1, at or 0)
        reached = (at or 0) + limit
        following = str(reached) if len(rows) > limit and reached < MAX_COUNTED else None
    total = _count(db, search)
    hits = (_to_hit(row, catalog, terms) for row in rows[:limit])
    return Hits(
        hits=tuple(hit for hit in hits if hit is not None),
        total=min(total, MAX_COUNTED),
        exact=total <= MAX_COUNTED,
        order=order,
        after=following,
    )


def _choose_order(db: sqlite3.Connection, terms: list[Term]) -> Order:
    """Return relevance where some word is so rare that what it finds can be weighed."""
    tokens = {term.tokens[-1] for term in terms if not term.without and not term.prefix}
    if not tokens:
        return Order.DATE
    texts = db.execute("SELECT value FROM facts WHERE name = 'rows'").fetchone()
    total = int(texts[0]) if texts else 0
    query = "SELECT doc FROM terms WHERE term = ?"
    counts = [row[0] if (row := db.execute(query, (token,)).fetchone()) else 0 for token in tokens]
    return Order.RELEVANCE if min(counts) * COMMON <= max(total, 1_000) else Order.DATE


def _find_newest(db: sqlite3.Connection, search: _Search, limit: int, before: int | None) -> list[sqlite3.Row]:
    last = search.last if before is None else min(search.last, before - 1)
    if search.expression is None:
        return db.execute(f"{_ALL} ORDER BY d.id DESC LIMIT ?", (search.first, last, limit)).fetchall()
    values = (search.expression, search.first, last, limit)
    return db.execute(f"{_FOUND} ORDER BY w.rowid DESC LIMIT ?", values).fetchall()


def _find_best(db: sqlite3.Connection, search: _Search, limit: int, offset: int) -> list[sqlite3.Row]:
    rank = f"bm25(words, {_TITLE_WEIGHT}, 1.0, 0.0)"
    values = (search.expression, search.first, search.last, limit, offset)
    return db.execute(f"{_FOUND} ORDER BY {rank}, w.rowid DESC LIMIT ? OFFSET ?", values).fetchall()


def _count(db: sqlite3.Connection, search: _Search) -> int:
    """Return how many texts are found, counting one more than MAX_COUNTED at the most."""
    if search.expression is None:
        query = "SELECT COUNT(*) FROM (SELECT 1 FROM documents WHERE id BETWEEN ? AND ? LIMIT ?)"
        found = db.execute(query, (search.first, search.last, MAX_COUNTED + 1))
    else:
        query = (
            "SELECT COUNT(*) FROM (SELECT 1 FROM words w CROSS JOIN documents d ON d.id = w.rowid"
            " WHERE words MATCH ? AND w.rowid BETWEEN ? AND ? LIMIT ?)"
        )
        found = db.execute(query, (search.expression, search.first, search.last, MAX_COUNTED + 1))
    return int(found.fetchone()[0])


def _row_of(at: datetime | None, seconds: int) -> int:
    """Return the first row of that second; *seconds* 1: the last."""
    if at is None:
        return (2**62) * seconds
    return (max(0, int(at.timestamp())) + seconds) * ROWS_A_SECOND - seconds


def _read_after(after: str | None, order: Order) -> int | None:
    if after is None:
        return None
    if not after.isdigit() or len(after) > 18 or (order is Order.RELEVANCE and int(after) > MAX_COUNTED):
        raise QueryError(f"after: found {after[:40]!a}, expected what the page before says")
    return int(after)


def _to_hit(row: sqlite3.Row, catalog: Catalog, terms: list[Term]) -> Hit | None:
    snapshot: dict[str, Any] | None = catalog.read_snapshot(row["segment"], row["n"])
    if snapshot is None:
        return None
    fields = snapshot["fields"]
    title, body = split_text(snapshot["title"], snapshot["text"])
    return Hit(
        source=row["source"],
        url=row["url"],
        number=row["number"],
        latest=row["latest"],
        captured_at=datetime.fromisoformat(row["captured_at"]),
        published=read_field(fields, "published") or None,
        title=mark_title(title, terms),
        snippet=make_snippet(body, terms),
        language=read_field(fields, "language"),
        section=read_field(fields, "section"),
        authors=read_authors(fields),
        state=row["state"],
        kinds=tuple(row["kinds"].split()),
        silent=bool(row["silent"]),
        text_digest=snapshot["text_digest"],
    )
