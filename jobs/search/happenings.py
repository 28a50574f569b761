"""What happened to articles, the newest first, from the index."""

from __future__ import annotations

import heapq
import json
import re
from typing import TYPE_CHECKING

import zstandard

from jobs.feeds.items import FeedItem, make_news
from jobs.search.facts import ARTICLE_EVENTS, NEW, Event, Events
from jobs.search.instants import from_micros, to_micros
from jobs.search.queries import QueryError

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence
    from datetime import datetime

    from jobs.search.facts import EventFilter

_LAST = 2**62
_PLACE = re.compile(r"([0-9]{1,18})-([0-9]{1,18})")
_MOST_KEYS = 60
"""Places in indexes that are looked into for one page."""


def list_events(db: sqlite3.Connection, wanted: EventFilter, *, limit: int, after: str | None) -> Events:
    """Return a page of *limit* events. *after*: as the page before says. Raises QueryError."""
    if unknown := set(wanted.whats) - set(ARTICLE_EVENTS):
        raise QueryError(f"what: found {min(unknown)[:40]!a}, expected {', '.join(ARTICLE_EVENTS)}")
    numbers = _find_numbers(db, wanted, limit + 1, _read_after(after))
    query = (
        "SELECT e.*, a.url FROM json_each(?) j CROSS JOIN events e ON e.id = j.value"
        " JOIN articles a ON a.id = e.article ORDER BY e.at DESC, e.id DESC"
    )
    rows = db.execute(query, (json.dumps(numbers[:limit]),)).fetchall()
    following = f"{rows[-1]['at']}-{rows[-1]['id']}" if len(numbers) > limit else None
    archive = db.execute("SELECT value FROM facts WHERE name = 'archive'").fetchone()
    return Events(tuple(_to_event(row, archive[0] if archive else "") for row in rows), following)


def _find_numbers(db: sqlite3.Connection, wanted: EventFilter, limit: int, before: tuple[int, int]) -> list[int]:
    """Return the rows of the newest *limit* events: the newest of each index that has some of them in order of time."""
    clauses, values = _choose(wanted)
    keys = _list_keys(wanted)
    bounds = "e.at <= ? AND (e.at, e.id) < (?, ?)"
    found: list[tuple[int, int]] = []
    for index, key in keys:
        told = " AND ".join([*(f"e.{name} = ?" for name in key), bounds, *clauses])
        query = f"SELECT e.at, e.id FROM events e{index} WHERE {told} ORDER BY e.at DESC, e.id DESC LIMIT ?"  # noqa: S608 - texts of ours
        rows = db.execute(query, (*key.values(), before[0], *before, *values, limit))
        found += [(row["at"], row["id"]) for row in rows]
    return [number for _, number in heapq.nlargest(limit, found)]


def _list_keys(wanted: EventFilter) -> list[tuple[str, dict[str, str]]]:
    """Return the indexes to look into, and where in each."""
    sources = [{"source": one} for one in dict.fromkeys(wanted.sources)]
    whats = [{"what": one} for one in dict.fromkeys(wanted.whats)]
    if wanted.url:
        return [(" INDEXED BY events_by_article", {})]
    edits = "silent_edits" if wanted.silent else "edits" if wanted.kinds else ""
    if edits or len(sources) * len(whats) > _MOST_KEYS:
        whats = []
    if len(sources) > _MOST_KEYS:
        sources = []
    if sources and whats:
        both = [source | what for source in sources for what in whats]
        return [(" INDEXED BY events_by_source_and_what", key) for key in both]
    if sources:
        return [(f" INDEXED BY {edits or 'events'}_by_source", key) for key in sources]
    if whats:
        return [(" INDEXED BY events_by_what", key) for key in whats]
    return [(f" INDEXED BY {edits or 'events'}_by_time", {})]


def _choose(wanted: EventFilter) -> tuple[list[str], list[object]]:
    clauses: list[str] = []
    values: list[object] = []

    def add(clause: str, *more: object) -> None:
        clauses.append(clause)
        values.extend(more)

    if wanted.url:
        # a look-up for each source: no index by URL alone is kept for this
        owners = "SELECT a.id FROM marks m CROSS JOIN articles a ON a.source = m.source AND a.url = ?"
        add(f"e.article IN ({owners})", wanted.url)
    if wanted.sources:
        add(f"e.source IN ({_marks(wanted.sources)})", *wanted.sources)
    if wanted.whats:
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
    found = _PLACE.fullmatch(after)
    if found is None:
        raise QueryError(f"after: found {after[:40]!a}, expected what the page before says")
    return int(found[1]), int(found[2])


def _to_event(row: sqlite3.Row, archive: str) -> Event:
    at = from_micros(row["at"])
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
