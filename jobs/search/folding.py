"""The catalog → the index, article by article: texts to be found, and what happened.

Takes in the articles that commits have touched since, in the order of the log, some hundred in one transaction; so it
goes on where it was stopped. A text that is to be found otherwise than before is taken out and put in anew.
"""

from __future__ import annotations

import sqlite3
from collections import Counter
from datetime import UTC, datetime
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

import zstandard

from jobs.changes import ChangeLister, EditReporter, What
from jobs.feeds.items import make_item
from jobs.moves import list_leading
from jobs.search.facets import MAX_VALUES, list_facets
from jobs.search.facts import NEW
from jobs.search.letters import fold_words

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from jobs.catalog import Catalog, StoredRevision, TouchedArticle
    from jobs.changes import Change, EditSummary

BATCH = 500
"""Articles in one transaction."""
ROWS_A_SECOND = 1_024
MAX_TITLE_CHARS, MAX_STATED_CHARS = 300, 100
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_OF_TEXTS = frozenset({What.REVISED, What.REVERTED, What.ALTERNATING})


def fold_catalog(
    db: sqlite3.Connection, catalog: Catalog, archive: str, *, tell: Callable[[int], None] | None = None
) -> int:
    """Take in what *catalog* has folded since; return how many articles that touched. *archive*: its id."""
    folding = _Folding(db, catalog, archive)
    number = 0
    for source, seq, head in catalog.list_heads():
        for taken in folding.take_in(source, seq, head):
            number += taken
            if tell is not None:
                tell(number)
    return number


class _Folding:
    def __init__(self, db: sqlite3.Connection, catalog: Catalog, archive: str) -> None:
        self._db = db
        self._catalog = catalog
        self._archive = archive
        self._changes = ChangeLister(catalog)
        self._reporter = EditReporter(catalog)
        self._packer = zstandard.ZstdCompressor(level=3)
        self._stated: Counter[tuple[str, str]] = Counter()

    def take_in(self, source: str, seq: int, head: str) -> Iterator[int]:
        """Take in *source* up to commit *seq*, which has the digest *head*; yield numbers of articles."""
        thin = self._catalog.thin_until(source)
        mark = self._db.execute("SELECT seq, url, head, thin FROM marks WHERE source = ?", (source,)).fetchone()
        if mark is not None and mark["seq"] > seq:
            return  # a catalog that is being made anew
        if mark is None or mark["thin"] != thin or (mark["seq"] == seq and mark["head"] not in {"", head}):
            self._forget(source)
            self._db.execute("INSERT OR REPLACE INTO marks VALUES (?,0,'','',?)", (source, thin))
            at = (0, "")
        elif mark["head"] == head:
            return
        else:
            at = (mark["seq"], mark["url"])
        while touched := self._catalog.list_touched_after(source, *at, BATCH):
            at = touched[-1].seq, touched[-1].url
            self._take_batch(source, touched)
            yield len(touched)
        self._db.execute("UPDATE marks SET seq = ?, url = ?, head = ? WHERE source = ?", (seq, at[1], head, source))

    def _take_batch(self, source: str, touched: list[TouchedArticle]) -> None:
        self._reporter.flush()
        self._db.execute("BEGIN IMMEDIATE")
        try:
            for article in touched:
                self._take_article(source, article)
            self._take_origins(source, touched)
            self._keep_stated()
            last = touched[-1]
            self._db.execute(
                "UPDATE marks SET seq = ?, url = ?, head = '' WHERE source = ?", (last.seq, last.url, source)
            )
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")
        self._reporter.flush()

    def _forget(self, source: str) -> None:
        """Take out all of *source*."""
        self._db.execute("BEGIN IMMEDIATE")
        query = "SELECT d.* FROM articles a JOIN documents d ON d.article = a.id WHERE a.source = ?"
        for row in self._db.execute(query, (source,)).fetchall():
            self._remove_text(row)
        for table in ("events", "articles", "marks"):
            self._db.execute(f"DELETE FROM {table} WHERE source = ?", (source,))  # noqa: S608 - names of ours
        self._db.execute("COMMIT")

    def _take_article(self, source: str, article: TouchedArticle) -> None:
        revisions = self._catalog.list_revisions(source, article.url)
        if not revisions:
            return
        number = self._name_article(source, article, revisions[-1].number)
        changes = [(one, self._reporter.summarise(one)) for one in self._changes.list_article(source, article.url)]
        self._take_texts(number, source, article, revisions, changes)
        self._take_events(number, source, revisions[0], changes)

    def _take_origins(self, source: str, touched: list[TouchedArticle]) -> None:
        """Tell anew what happened to articles that lead to those: that one moved is seen where it moved to."""
        done = {article.url for article in touched}
        for article in touched:
            for url in list_leading(self._catalog, source, article.url):
                row = self._db.execute("SELECT id FROM articles WHERE source = ? AND url = ?", (source, url)).fetchone()
                if row is None or url in done:
                    continue
                done.add(url)
                first = self._catalog.list_revisions(source, url)[:1]
                changes = [(one, self._reporter.summarise(one)) for one in self._changes.list_article(source, url)]
                if first:
                    self._take_events(row["id"], source, first[0], changes)

    def _name_article(self, source: str, article: TouchedArticle, latest: int) -> int:
        row = self._db.execute(
            "INSERT INTO articles (source, url, state, latest) VALUES (?,?,?,?) ON CONFLICT (source, url)"
            " DO UPDATE SET state = excluded.state, latest = excluded.latest RETURNING id",
            (source, article.url, article.state, latest),
        ).fetchone()
        return int(row["id"])

    def _take_texts(
        self,
        number: int,
        source: str,
        article: TouchedArticle,
        revisions: list[StoredRevision],
        changes: list[tuple[Change, EditSummary | None]],
    ) -> None:
        edits = {
            change.after.revision: summary
            for change, summary in reversed(changes)
            if change.what in _OF_TEXTS and change.after is not None and summary is not None
        }
        known = {
            (row["number"], row["segment"], row["n"], row["facets"], row["text_digest"]): row
            for row in self._db.execute("SELECT * FROM documents WHERE article = ?", (number,))
        }
        for revision in revisions:
            snapshot = self._catalog.read_snapshot(revision.segment, revision.n)
            if snapshot is None:
                continue
            edit = edits.get(revision.number) if revision.number > 1 else None
            kinds, silent = (edit.kinds, bool(edit.silent)) if edit else ([], False)
            facets = _facets_of(source, article.state, snapshot["fields"], kinds, silent=silent)
            key = (revision.number, revision.segment, revision.n, facets, snapshot["text_digest"])
            if known.pop(key, None) is None:
                self._add_text(number, revision, snapshot, kinds, silent=silent, facets=facets)
        for old in known.values():
            self._remove_text(old)

    def _add_text(
        self,
        number: int,
        revision: StoredRevision,
        snapshot: dict[str, Any],
        kinds: list[str],
        *,
        silent: bool,
        facets: str,
    ) -> None:
        row = self._find_free_row(revision.captured_at)
        tokens = _fold_snapshot(snapshot)
        values = (
            *(row, number, revision.number, revision.segment, revision.n, _to_text(revision.captured_at)),
            *(" ".join(kinds), silent, facets, snapshot["text_digest"], _digest(tokens)),
        )
        self._db.execute("INSERT INTO documents VALUES (?,?,?,?,?,?,?,?,?,?,?)", values)
        self._db.execute("INSERT INTO words (rowid, title, body, facets) VALUES (?,?,?,?)", (row, *tokens, facets))
        self._count_rows(1)
        fields = snapshot["fields"]
        stated = [(name, read_field(fields, name)) for name in ("language", "section")]
        stated += [("author", author) for author in read_authors(fields)[:MAX_VALUES]]
        self._stated.update((name, value) for name, value in stated if 0 < len(value) <= MAX_STATED_CHARS)

    def _remove_text(self, row: sqlite3.Row) -> None:
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

    def _keep_stated(self) -> None:
        stated, self._stated = self._stated, Counter()
        self._db.executemany(
            "INSERT INTO stated VALUES (?,?,?,?) ON CONFLICT DO UPDATE SET texts = texts + excluded.texts",
            [(name, fold_words(value), value, number) for (name, value), number in stated.items()],
        )

    def _find_free_row(self, at: datetime) -> int:
        """Return a row that no text has, nor a dead one, as near behind *at* as there is one."""
        row = max(0, to_micros(at)) * ROWS_A_SECOND // 1_000_000
        for taken in self._db.execute("SELECT id FROM words_docsize WHERE id >= ? ORDER BY id", (row,)):
            if taken["id"] != row:
                break
            row += 1
        return row

    def _take_events(
        self,
        number: int,
        source: str,
        first: StoredRevision,
        changes: list[tuple[Change, EditSummary | None]],
    ) -> None:
        self._db.execute("DELETE FROM events WHERE article = ?", (number,))
        capture = self._catalog.find_capture(first.segment, first.n)
        title = self._catalog.find_title((first.segment, first.n))
        new = (
            *(number, source, NEW, to_micros(first.captured_at), "", None, False, _cut(title), None, first.number),
            *(None, None, capture.run if capture else "", first.segment, first.n, None),
        )
        rows = [new, *(self._event_of(number, change, summary) for change, summary in changes)]
        self._db.executemany(
            "INSERT INTO events (article, source, what, at, kinds, silent, backdated, title, before, after, evidence,"
            " target, run, segment, n, item) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
            rows,
        )

    def _event_of(self, number: int, change: Change, summary: EditSummary | None) -> tuple[Any, ...]:
        shown = change.after or change.before
        title = self._catalog.find_title(shown.places[0]) if shown else None
        item = make_item(change, summary, headline=title, archive=self._archive)
        return (
            *(number, change.source, change.what.value, to_micros(change.at)),
            " ".join(summary.kinds) if summary else "",
            summary.silent if summary else None,
            bool(summary and summary.backdated),
            _cut(title),
            change.before.revision if change.before else None,
            change.after.revision if change.after else None,
            *(change.evidence, change.target, change.run, *change.place),
            self._packer.compress(item.model_dump_json(by_alias=True).encode()) if item else None,
        )


def split_text(title: str | None, text: str) -> tuple[str, str]:
    """Return title and body of a text whose first line is its title."""
    first, _, rest = text.partition("\n")
    return (title, rest) if title and first == title else (title or "", text)


def read_field(fields: dict[str, Any], name: str) -> str:
    """Return a field's value where that is a text; else nothing."""
    told = fields.get(name)
    value = told.get("value") if isinstance(told, dict) else None
    return value if isinstance(value, str) else ""


def read_authors(fields: dict[str, Any]) -> tuple[str, ...]:
    """Return the authors that a page states."""
    told = fields.get("authors")
    value = told.get("value") if isinstance(told, dict) else None
    return tuple(one for one in value if isinstance(one, str)) if isinstance(value, list) else ()


def to_micros(at: datetime) -> int:
    """Return microseconds since 1970."""
    span = at - _EPOCH
    return (span.days * 86_400 + span.seconds) * 1_000_000 + span.microseconds


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


def _cut(title: str | None) -> str | None:
    return title if title is None or len(title) <= MAX_TITLE_CHARS else title[: MAX_TITLE_CHARS - 1] + "…"


def _to_text(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
