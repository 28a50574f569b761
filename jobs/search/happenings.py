"""What happened to articles, the newest first, from the index."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import zstandard

from jobs.feeds.items import FeedItem, make_news
from jobs.search.facts import ARTICLE_EVENTS, NEW, Event, Events
from jobs.search.folding import to_micros
from jobs.search.queries import QueryError

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence

    from jobs.search.facts import EventFilter

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LAST = 2**62


def list_events(db: sqlite3.Connection, wanted: EventFilter, *, limit: int, after: str | None) -> Events:
    """Return a page of *limit* events. *after*: as the page before says. Raises QueryError."""
    before = _read_after(after)
    clauses, values = _choose(wanted)
    query = (
        "SELECT e.*, a.url FROM events e JOIN articles a ON a.id = e.article"  # noqa: S608 - texts of ours
        f" WHERE (e.at, e.id) < (?, ?) AND e.at <= ?{''.join(clauses)} ORDER BY e.at DESC, e.id DESC LIMIT ?"
    )
    rows = db.execute(query, (*before, before[0], *values, limit + 1)).fetchall()
    following = f"{rows[limit - 1]['at']}-{rows[limit - 1]['id']}" if len(rows) > limit else None
    archive = db.execute("SELECT value FROM facts WHERE name = 'archive'").fetchone()
    return Events(tuple(_to_event(row, archive[0] if archive else "") for row in rows[:limit]), following)


def _choose(wanted: EventFilter) -> tuple[list[str], list[object]]:
    clauses: list[str] = []
    values: list[object] = []

    def add(clause: str, *more: object) -> None:
        clauses.append(f" AND {clause}")
        values.extend(more)

    if wanted.url:
        add("e.article IN (SELECT id FROM articles WHERE url = ?)", wanted.url)
    if wanted.sources:
        add(f"e.source IN ({_marks(wanted.sources)})", *wanted.sources)
    if wanted.whats:
        if unknown := set(wanted.whats) - set(ARTICLE_EVENTS):
            raise QueryError(f"what: found {min(unknown)[:40]!a}, expected {', '.join(ARTICLE_EVENTS)}")
        add(f"e.what IN ({_marks(wanted.whats)})", *wanted.whats)
    if wanted.kinds:
        told = " OR ".join("instr(' ' || e.kinds || ' ', ?)" for _ in wanted.kinds)
        add(f"e.kinds != '' AND ({told})", *(f" {kind} " for kind in wanted.kinds))
    if wanted.silent:
        add("e.silent = 1")
    if wanted.since:
        add("e.at >= ?", to_micros(wanted.since))
    if wanted.until:
        add("e.at <= ?", to_micros(wanted.until))
    return clauses, values


def _marks(values: Sequence[str]) -> str:
    return ",".join("?" * len(values))


def _read_after(after: str | None) -> tuple[int, int]:
    if after is None:
        return _LAST, _LAST
    at, _, number = after.partition("-")
    if not (at.isdigit() and number.isdigit()) or len(after) > 36:
        raise QueryError(f"after: found {after[:40]!a}, expected what the page before says")
    return int(at), int(number)


def _to_event(row: sqlite3.Row, archive: str) -> Event:
    at = _EPOCH + timedelta(microseconds=row["at"])
    return Event(
        source=row["source"],
        url=row["url"],
        what=row["what"],
        at=at,
        title=row["title"],
        before=row["before"],
        after=row["after"],
        kinds=tuple(row["kinds"].split()),
        silent=None if row["silent"] is None else bool(row["silent"]),
        backdated=bool(row["backdated"]),
        evidence=row["evidence"],
        target=row["target"],
        run=row["run"],
        segment=row["segment"],
        n=row["n"],
        item=_to_item(row, at, archive),
    )


def _to_item(row: sqlite3.Row, at: datetime, archive: str) -> FeedItem | None:
    if row["what"] == NEW:
        place = row["segment"], row["n"]
        return make_news(row["source"], row["url"], at, place, headline=row["title"], archive=archive)
    if row["item"] is None:
        return None
    return FeedItem.model_validate_json(zstandard.decompress(row["item"]))
