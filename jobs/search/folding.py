"""The catalog → the index, article by article: texts to be found, and what happened.

Takes in the articles that commits have touched since, in the order of the log, some hundred in one transaction; so it
goes on where it was stopped. A text that is to be found otherwise than before is taken out and put in anew.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import zstandard

from jobs.changes import ChangeLister, EditReporter
from jobs.feeds.items import make_item
from jobs.moves import list_leading
from jobs.search.facts import NEW
from jobs.search.instants import to_micros
from jobs.search.texts import TextWriter

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Iterator

    from jobs.catalog import Catalog, StoredRevision, TouchedArticle
    from jobs.changes import Change, EditSummary

BATCH = 500
"""Articles in one transaction."""
MAX_TITLE_CHARS = 300


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


def born_of(source: str) -> str:
    """Return the name of the fact that says up to which commit *source* was known when this file first took it in.

    What was taken out before that never was in the file, not even in what SQLite has deleted.
    """
    return f"born {source}"


class _Folding:
    def __init__(self, db: sqlite3.Connection, catalog: Catalog, archive: str) -> None:
        self._db = db
        self._catalog = catalog
        self._archive = archive
        self._changes = ChangeLister(catalog)
        self._reporter = EditReporter(catalog)
        self._packer = zstandard.ZstdCompressor(level=3)
        self._texts = TextWriter(db, catalog)

    def take_in(self, source: str, seq: int, head: str) -> Iterator[int]:
        """Take in *source* up to commit *seq*, which has the digest *head*; yield numbers of articles."""
        thin = self._catalog.thin_until(source)
        mark = self._db.execute("SELECT seq, url, head, thin FROM marks WHERE source = ?", (source,)).fetchone()
        if mark is not None and mark["seq"] > seq:
            return  # a catalog that is being made anew
        if mark is None or mark["thin"] != thin or (mark["seq"] == seq and mark["head"] not in {"", head}):
            self._forget(source)
            self._db.execute("INSERT OR IGNORE INTO facts VALUES (?,?)", (born_of(source), seq))
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
            self._texts.flush()
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
            self._texts.remove(row)
        for table in ("events", "articles", "marks"):
            self._db.execute(f"DELETE FROM {table} WHERE source = ?", (source,))  # noqa: S608 - names of ours
        self._db.execute("COMMIT")

    def _take_article(self, source: str, article: TouchedArticle) -> None:
        revisions = self._catalog.list_revisions(source, article.url)
        if not revisions:
            self._drop_article(source, article.url)
            return
        number = self._name_article(source, article, revisions[-1].number)
        changes = [(one, self._reporter.summarise(one)) for one in self._changes.list_article(source, article.url)]
        self._texts.take(number, source, article, revisions, changes)
        self._take_events(number, source, revisions[0], changes)

    def _drop_article(self, source: str, url: str) -> None:
        """Take out an article that has no text any more, if it was there."""
        row = self._db.execute("SELECT id FROM articles WHERE source = ? AND url = ?", (source, url)).fetchone()
        if row is None:
            return
        for text in self._db.execute("SELECT * FROM documents WHERE article = ?", (row["id"],)).fetchall():
            self._texts.remove(text)
        self._db.execute("DELETE FROM events WHERE article = ?", (row["id"],))
        self._db.execute("DELETE FROM articles WHERE id = ?", (row["id"],))

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


def _cut(title: str | None) -> str | None:
    return title if title is None or len(title) <= MAX_TITLE_CHARS else title[: MAX_TITLE_CHARS - 1] + "…"
