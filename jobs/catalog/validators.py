"""What the catalog knows of the last answer of a URL, for who asks whether it still holds."""

from __future__ import annotations

import json
from datetime import datetime
from typing import TYPE_CHECKING

from crawler.model import GOOD_CLASSES, PageClass, RecordReference
from crawler.validators import Validators, choose_date, choose_etag
from jobs.catalog.rollup import RollupQueries

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Container, Iterator, Sequence

_LISTINGS = frozenset({"feed", "sitemap", "section"})
_ANSWERS = """
SELECT l.url, l.target_uri, l.captured_at, l.purpose, l.status, l.class, l.truncated, l.run, l.etag, l.last_modified,
    l.not_modified, l.origin, l.revisit_n, r.captured_at AS record_captured_at, r.segment, r.n, r.class AS record_class,
    r.size_bytes AS record_bytes, r.etag AS record_etag, r.last_modified AS record_modified
FROM json_each(?2) CROSS JOIN captures l INDEXED BY captures_by_url ON l.source = ?1 AND l.url = value
    AND l.captured_at = (SELECT captured_at FROM captures WHERE source = ?1 AND url = value
    AND response_offset IS NOT NULL ORDER BY captured_at DESC LIMIT 1) AND l.response_offset IS NOT NULL
LEFT JOIN captures r ON r.segment = COALESCE(l.revisit_segment, l.segment) AND r.n = COALESCE(l.revisit_n, l.n)
    AND r.source = l.source AND r.url = l.url AND r.target_uri = l.target_uri AND r.purpose = l.purpose
    AND r.status = 200 AND r.truncated IS NULL AND r.response_offset IS NOT NULL AND r.revisit_segment IS NULL
ORDER BY l.url, l.segment, l.n
""".strip()
"""The last answer of each URL, and the record that holds its payload. Of two of one instant the latter counts."""
_LIVE = (
    "SELECT url FROM articles WHERE source = ? AND url IN (SELECT value FROM json_each(?))"
    " AND (state = 'live' OR (? AND state = 'none' AND unread))"
)


class ValidatorQueries(RollupQueries):
    """The queries of conditional requests."""

    def find_validators(self, source: str, urls: Sequence[str], *, raw_only: bool = False) -> dict[str, Validators]:
        """Return what to ask articles with: crawler.compare.LastVersions. Two statements, some look-ups for each."""
        live = [row["url"] for row in self._db.execute(_LIVE, (source, json.dumps(urls), raw_only))]
        classes = {*GOOD_CLASSES, PageClass.UNREAD} if raw_only else GOOD_CLASSES
        answers = self._find_answers(source, live, {"article"}, classes)
        told = ((url, _to_validators(row)) for url, row in answers.items())
        return {url: validators for url, validators in told if validators is not None}

    def find_listing(self, source: str, url: str, rules: str) -> Validators | None:
        """Return what to ask a listing with: crawler.compare.LastVersions."""
        row = self._find_answers(source, [url], _LISTINGS, {PageClass.LISTING}).get(url)
        if row is None:
            return None
        query = "SELECT discovery FROM runs WHERE source = ? AND run = ?"
        run = self._db.execute(query, (source, row["run"])).fetchone()
        settled = () if run is None else _list_settled(json.loads(run["discovery"]), rules)
        if not any(row["status"] == 304 or row["target_uri"] in urls for urls in settled):
            return None
        return _to_validators(row)

    def _find_answers(
        self, source: str, urls: Sequence[str], purposes: Container[str], classes: Container[str]
    ) -> dict[str, sqlite3.Row]:
        """Return the last answers of *urls*, if the publisher gave us them: those that are whole and of *classes*.

        Or that stand for one that is.
        """
        last = {row["url"]: row for row in self._db.execute(_ANSWERS, (source, json.dumps(urls)))}
        return {
            url: row
            for url, row in last.items()
            if row["truncated"] is None
            and row["origin"] is None  # a 304 would be taken for our evidence of what somebody else says
            and row["purpose"] in purposes
            and row["record_class"] in classes
            and (
                row["class"] in classes
                if row["status"] == 200
                else row["status"] == 304 and row["revisit_n"] is not None
            )
            # the fold takes a 304 for what its record was: a page that was recorded first and read later is asked for
            and (
                row["status"] == 304 or (row["class"] == PageClass.UNREAD) == (row["record_class"] == PageClass.UNREAD)
            )
        }


def _list_settled(discovery: object, rules: str) -> Iterator[list[object]]:
    """Yield what a run found settled by *rules*, seed by seed; rows are foreign text."""
    for entry in discovery if isinstance(discovery, list) else ():
        settled = entry.get("settled") if isinstance(entry, dict) else None
        if isinstance(settled, dict) and settled.get("rules") == rules and isinstance(settled.get("urls"), list):
            yield settled["urls"]


def _to_validators(row: sqlite3.Row) -> Validators | None:
    """Return the validators of an answer, of a 304 those that it repeats; `None` if none is fit to be sent."""
    answered_at, recorded_at = (datetime.fromisoformat(row[name]) for name in ("captured_at", "record_captured_at"))
    etag, modified = choose_etag(row["etag"]), choose_date(row["last_modified"], answered_at)
    if row["status"] == 304:
        etag = choose_etag(row["record_etag"]) if row["etag"] is None else etag
        modified = choose_date(row["record_modified"], recorded_at) if row["last_modified"] is None else modified
    if etag is None and modified is None:
        return None
    return Validators(
        record=RecordReference(row["target_uri"], recorded_at, row["segment"], row["n"]),
        etag=etag,
        last_modified=modified,
        size_bytes=row["record_bytes"],
        not_modified=max(0, row["not_modified"] or 0),
        unread=row["record_class"] == PageClass.UNREAD,
    )
