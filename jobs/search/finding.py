"""A search → the texts that it finds, by rank or by date, a page at a time."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from jobs.search.facts import Found, Hit, Hits, Order
from jobs.search.fields import read_authors, read_field, split_text
from jobs.search.instants import first_row, last_row
from jobs.search.queries import QueryError, make_expression, quote_term, read_query
from jobs.search.snippets import make_snippet, mark_title

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator, Sequence

    from jobs.catalog import Catalog
    from jobs.search.facts import Query
    from jobs.search.queries import Term

COMMON = 50
"""A word that more than one in so many texts has is common: what it finds is ordered by date."""
MAX_COUNTED = 1_000
"""So many hits are counted, and so many of those by rank can be turned to."""
_NUMBER = re.compile(r"[0-9]{1,18}")
_LEAST_TEXTS = 1_000
"""An archive is taken for as large as that: in a small one what few texts have is not common."""
_RANK = "bm25(words, 8.0, 1.0, 0.0)"
"""A word in the title counts as eight in the text."""
_NEWEST = (
    "SELECT w.rowid AS id FROM words w CROSS JOIN documents d ON d.id = w.rowid"
    " WHERE words MATCH ? AND w.rowid BETWEEN ? AND ? ORDER BY w.rowid DESC LIMIT ?"
)
_RARE = "SELECT w.rowid AS id FROM words w WHERE words MATCH ? AND w.rowid BETWEEN ? AND ?"
_AMONG = " AND +w.rowid IN (SELECT f.rowid FROM words f WHERE f.words MATCH ? AND f.rowid BETWEEN ? AND ?)"
"""Ranked by rare words alone: each word in the rank costs a look at all texts that have it."""
_BY_RANK = f" ORDER BY {_RANK}, w.rowid DESC LIMIT ?"


@dataclass(frozen=True, slots=True)
class _Search:
    expression: str | None
    first: int
    last: int
    """The rows between which times lie."""

    @property
    def bounds(self) -> tuple[str | None, int, int]:
        return self.expression, self.first, self.last


def find_texts(db: sqlite3.Connection, catalog: Catalog, query: Query, *, limit: int, after: str | None) -> Hits:
    """Return the texts that *query* finds, a page of *limit*; *after*: as the page before says. Raises QueryError."""
    terms = read_query(query.words)
    search = _Search(make_expression(terms, query), first_row(query.since), last_row(query.until))
    rare = [] if query.newest else [quote_term(term) for term in terms if not term.without and _is_rare(db, term)]
    order = Order.RELEVANCE if rare else Order.DATE
    at = _read_after(after, order)
    if order is Order.DATE:
        # on the first page all that is counted is had at once: both would look through the same texts
        rows = _find_newest(db, search, limit + 1 if at else MAX_COUNTED + 1, at)
        total = _count(db, search) if at else len(rows)
        following = str(rows[limit - 1]) if len(rows) > limit else None
    else:
        rows = _find_best(db, search, " AND ".join(rare))
        total, reached = len(rows), (at or 0) + limit
        rows = rows[at or 0 :]
        following = str(reached) if len(rows) > limit and reached < MAX_COUNTED else None
    hits = (_read_hit(db, row, catalog, terms) for row in rows[:limit])
    return Hits(
        hits=tuple(hit for hit in hits if hit is not None),
        total=min(total, MAX_COUNTED),
        exact=total <= MAX_COUNTED,
        order=order,
        after=following,
    )


def list_texts(db: sqlite3.Connection, query: Query, urls: Sequence[str] = ()) -> Iterator[Found]:
    """Yield all texts that *query* finds by source, URL and number, in constant memory. *urls*: of these alone.

    Raises QueryError. The index must not be written by this connection meanwhile.
    """
    expression = make_expression(read_query(query.words), query)
    values: list[Any] = [first_row(query.since), last_row(query.until)]
    if expression is None:
        source, where = "documents d", "d.id BETWEEN ? AND ?"
    else:
        source, where = "words w CROSS JOIN documents d ON d.id = w.rowid", "w.rowid BETWEEN ? AND ? AND words MATCH ?"
        values.append(expression)
    if urls:
        where += " AND a.url IN (SELECT value FROM json_each(?))"
        values.append(json.dumps(urls))
    statement = (
        "SELECT a.source, a.url, a.state, a.latest, d.number, d.captured_at, d.segment, d.n, d.kinds, d.silent"  # noqa: S608 - texts of ours
        f" FROM {source} JOIN articles a ON a.id = d.article WHERE {where} ORDER BY a.source, a.url, d.number"
    )
    for row in db.execute(statement, values):
        yield Found(
            source=row["source"],
            url=row["url"],
            number=row["number"],
            latest=row["latest"],
            captured_at=datetime.fromisoformat(row["captured_at"]),
            segment=row["segment"],
            n=row["n"],
            state=row["state"],
            kinds=tuple(row["kinds"].split()),
            silent=bool(row["silent"]),
        )


def find_address(db: sqlite3.Connection, catalog: Catalog, urls: Sequence[str]) -> tuple[Hit, ...]:
    """Return the latest text of each article that has the first of the normalised *urls* which any has."""
    query = (
        "SELECT d.id FROM marks m CROSS JOIN articles a ON a.source = m.source AND a.url = ?"
        " JOIN documents d ON d.article = a.id AND d.number = a.latest ORDER BY a.source"
    )
    for url in urls:
        hits = [_read_hit(db, row["id"], catalog, []) for row in db.execute(query, (url,)).fetchall()]
        if hits:
            return tuple(hit for hit in hits if hit is not None)
    return ()


def _is_rare(db: sqlite3.Connection, term: Term) -> bool:
    """Whether so few texts have it that they can be weighed against one another."""
    if term.prefix:
        return False
    row = db.execute("SELECT value FROM facts WHERE name = 'rows'").fetchone()
    most = max(int(row["value"]) if row else 0, _LEAST_TEXTS) // COMMON
    query = "SELECT COUNT(*) FROM (SELECT 1 FROM words WHERE words MATCH ? LIMIT ?)"
    return bool(db.execute(query, (quote_term(term), most + 1)).fetchone()[0] <= most)


def _find_newest(db: sqlite3.Connection, search: _Search, limit: int, before: int | None) -> list[int]:
    last = search.last if before is None else min(search.last, before - 1)
    if search.expression is None:
        query = "SELECT id FROM documents WHERE id BETWEEN ? AND ? ORDER BY id DESC LIMIT ?"
        return [row["id"] for row in db.execute(query, (search.first, last, limit))]
    return [row["id"] for row in db.execute(_NEWEST, (search.expression, search.first, last, limit))]


def _find_best(db: sqlite3.Connection, search: _Search, rare: str) -> list[int]:
    """Return the rows of the best texts, one more than MAX_COUNTED at the most."""
    among, bounds = ("", ()) if search.expression == rare else (_AMONG, search.bounds)
    values = (rare, search.first, search.last, *bounds, MAX_COUNTED + 1)
    rows = [row["id"] for row in db.execute(_RARE + among + _BY_RANK, values)]
    # dead rows are looked for among the best alone: a look for each text would cost as much as the rank
    query = "SELECT id FROM documents WHERE id IN (SELECT value FROM json_each(?))"
    live = {row["id"] for row in db.execute(query, (json.dumps(rows),))}
    return [row for row in rows if row in live]


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


def _read_after(after: str | None, order: Order) -> int | None:
    if after is None:
        return None
    if not _NUMBER.fullmatch(after) or (order is Order.RELEVANCE and int(after) > MAX_COUNTED):
        raise QueryError(f"after: found {after[:40]!a}, expected what the page before says")
    return int(after)


def _read_hit(db: sqlite3.Connection, number: int, catalog: Catalog, terms: list[Term]) -> Hit | None:
    """Return the text in row *number*; `None` where the catalog has it not any more."""
    query = (
        "SELECT d.number, d.segment, d.n, d.captured_at, d.kinds, d.silent, a.source, a.url, a.state, a.latest"
        " FROM documents d JOIN articles a ON a.id = d.article WHERE d.id = ?"
    )
    row = db.execute(query, (number,)).fetchone()
    snapshot: dict[str, Any] | None = catalog.read_snapshot(row["segment"], row["n"]) if row else None
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
