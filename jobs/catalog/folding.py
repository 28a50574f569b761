"""Verdicts into the catalog: folds the captures of one article as often as a commit touches it.

Where only thin facts of a source are known, notices what cannot be judged by them.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from crawler.model import PageClass
from jobs.catalog.instants import format_instant
from jobs.catalog.queries import CatalogQueries
from jobs.fold import CaptureFact, Verdict, fold_article

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from jobs.fold import History, Judged


_JUDGE = (
    "UPDATE captures SET verdict = ?, revision = ?, metadata = ?, judged_class = nullif(?, class)"
    " WHERE segment = ? AND n = ?"
)
_DECIDE = "UPDATE snapshots SET own = (derivation = ?1) WHERE segment = ?2 AND n = ?3 AND own != (derivation = ?1)"
_PUT_REVISION = "INSERT INTO revisions VALUES (?,?,?,?,?,?,?,?)"
_PUT_ARTICLE = "INSERT OR REPLACE INTO articles VALUES (?,?,?,?,?,?,?,?,?,?,?)"


@dataclass(slots=True)
class FirstSight:
    """A capture that is, as far as its segment tells, the only one of its article."""

    fact: CaptureFact
    title: str | None = None


class FoldingCatalog(CatalogQueries):
    """The catalog as far as it judges."""

    def thin_until(self, source: str) -> int:
        """Return the last commit of which only those facts are known that a crawl needs; 0: all facts are known."""
        row = self._db.execute("SELECT thin FROM depths WHERE source = ?", (source,)).fetchone()
        return row["thin"] if row else 0

    def is_wanting(self, source: str) -> bool:
        """Whether a commit brought what thin facts cannot judge: the verdicts are to be made anew from all facts."""
        row = self._db.execute("SELECT wanting FROM depths WHERE source = ?", (source,)).fetchone()
        return bool(row and row["wanting"])

    def _fold(self, source: str, url: str, seq: int) -> None:
        """Judge an article anew; commit *seq* was the last to touch it."""
        facts = self.read_facts(source, url)
        if not facts:
            return
        adopted = self.list_adopted(source)
        history = fold_article(facts, adopted)
        if (thin := self.thin_until(source)) and not self._agrees(source, url, history, thin):
            self._set_wanting(source)
        self._db.executemany(_JUDGE, [_judgement_of(judged) for judged in history.captures])
        if adopted:
            own = [(judged.fact.own, *judged.fact.place) for judged in history.captures if judged.read_at is None]
            self._db.executemany(_DECIDE, own)
        self._db.execute("DELETE FROM revisions WHERE source = ? AND url = ?", (source, url))
        self._db.executemany(_PUT_REVISION, _revisions_of(source, url, history))
        self._write_article(source, url, history, seq)

    def _fold_new(self, source: str, sights: Mapping[str, FirstSight], seq: int) -> list[str]:
        """Judge those of *sights* that are the only capture of their article, in one go; return the other articles.

        Does what `_fold` does, for articles of which there is nothing to read.
        """
        if not sights:
            return []
        segment = next(iter(sights.values())).fact.segment
        query = (
            "SELECT value FROM json_each(?1) WHERE EXISTS (SELECT 1 FROM articles WHERE source = ?2 AND url = value)"
            " OR EXISTS (SELECT 1 FROM captures WHERE source = ?2 AND url = value AND segment != ?3)"
        )
        known = [row[0] for row in self._db.execute(query, (json.dumps(list(sights)), source, segment))]
        new = sights if not known else {url: sight for url, sight in sights.items() if url not in set(known)}
        adopted = self.list_adopted(source)
        histories = [(url, sight, fold_article([sight.fact], adopted)) for url, sight in new.items()]
        self._db.executemany(
            _JUDGE, [_judgement_of(judged) for _, _, history in histories for judged in history.captures]
        )
        self._db.executemany(_PUT_REVISION, [row for url, _, h in histories for row in _revisions_of(source, url, h)])
        self._db.executemany(
            _PUT_ARTICLE,
            [
                _article_of(source, url, history, seq, sight.title if history.captures[0].tells else None)
                for url, sight, history in histories
            ],
        )
        return known

    def _write_article(self, source: str, url: str, history: History, seq: int) -> None:
        telling = [judged for judged in history.captures if judged.tells]
        title = None
        if telling:
            title = self._db.execute(
                "SELECT title FROM snapshots WHERE segment = ? AND n = ? ORDER BY own DESC LIMIT 1",
                telling[-1].read_at or telling[-1].fact.place,
            ).fetchone()["title"]
        self._db.execute(_PUT_ARTICLE, _article_of(source, url, history, seq, title))

    def list_adopted(self, source: str) -> list[str]:
        """Return the derivations that the log of *source* has adopted, the newest first, each once."""
        query = "SELECT derivation FROM adoptions WHERE source = ? ORDER BY seq DESC, number DESC"
        return list(dict.fromkeys(row["derivation"] for row in self._db.execute(query, (source,))))

    def _adopt(self, source: str, seq: int, derivations: Sequence[str]) -> None:
        """Let *derivations* decide as of commit *seq*, the last one most; `_fold_adopted` judges what they change."""
        rows = [(source, seq, number, derivation) for number, derivation in enumerate(derivations)]
        self._db.executemany("INSERT INTO adoptions VALUES (?,?,?,?)", rows)

    def _fold_adopted(self, source: str, seq: int, derivations: Sequence[str]) -> None:
        """Judge the articles anew that have a text in one of *derivations* by which they were not judged before."""
        if derivations and self.thin_until(source):  # what thin facts leave out may have other texts
            self._set_wanting(source)
        query = (
            "SELECT DISTINCT url FROM snapshots WHERE source = ?1 AND NOT own"
            " AND derivation IN (SELECT value FROM json_each(?2)) ORDER BY url"
        )
        touched = [row["url"] for row in self._db.execute(query, (source, json.dumps(derivations)))]
        for url in touched:
            self._fold(source, url, seq)

    def read_facts(self, source: str, url: str) -> list[CaptureFact]:
        """Return the captures of an article, by segment and number: what the fold decides on."""
        rows = self._db.execute(
            "SELECT c.captured_at, c.segment, c.n, c.run, c.status, c.class, c.revisit_segment, c.revisit_n,"
            " s.derivation, s.native, s.text_digest, s.meta_digest, s.class AS told"
            " FROM captures c LEFT JOIN snapshots s ON s.segment = c.segment AND s.n = c.n"
            " AND s.url = c.url AND s.captured_at = c.captured_at"
            " WHERE c.source = ? AND c.url = ? AND c.purpose = 'article' ORDER BY c.segment, c.n",
            (source, url),
        )
        facts: dict[tuple[str, int], CaptureFact] = {}
        for row in rows:
            place = (row["segment"], row["n"])
            fact = facts.get(place)
            texts = dict(fact.texts) if fact else {}
            metadata = dict(fact.metadata) if fact else {}
            classes = dict(fact.classes) if fact else {}
            native = fact.native if fact else None
            if row["derivation"] is not None:
                texts[row["derivation"]] = row["text_digest"]
                metadata[row["derivation"]] = row["meta_digest"]
                classes[row["derivation"]] = row["told"]
                native = row["derivation"] if row["native"] else native
            facts[place] = CaptureFact(
                captured_at=datetime.fromisoformat(row["captured_at"]),
                segment=row["segment"],
                n=row["n"],
                run=row["run"],
                status=row["status"],
                page_class=row["class"],
                native=native,
                texts=texts,
                metadata=metadata,
                revisit_of=None if row["revisit_segment"] is None else (row["revisit_segment"], row["revisit_n"]),
                classes=classes,
            )
        return list(facts.values())

    def _set_wanting(self, source: str) -> None:
        self._db.execute("UPDATE depths SET wanting = 1 WHERE source = ?", (source,))

    def _agrees(self, source: str, url: str, history: History, thin: int) -> bool:
        """Whether *history*, made with thin facts up to commit *thin*, is what all facts would make.

        It is if what was judged before stands as it was, and what is new came later than all that may be left out.
        (Whether the text had been away is no matter here: evidence of that may be left out.)
        """
        query = (
            "SELECT segment, n, verdict, revision, metadata FROM captures"
            " WHERE source = ? AND url = ? AND purpose = 'article'"
        )
        before = {(row[0], row[1]): tuple(row)[2:] for row in self._db.execute(query, (source, url))}
        query = (
            "SELECT MAX(captured_at) FROM captures JOIN segments USING (segment)"
            " WHERE captures.source = ? AND url = ? AND purpose = 'article' AND segments.seq <= ?"
        )
        last: str | None = self._db.execute(query, (source, url, thin)).fetchone()[0]
        if last is None:
            return True
        for judged in history.captures:
            if format_instant(judged.fact.captured_at) > last:
                continue
            verdict = "unchanged" if judged.verdict is Verdict.RETURNED else judged.verdict.value
            known = before[judged.fact.place]
            told = "unchanged" if known[0] == "returned" else known[0]
            if (told, *known[1:]) != (verdict, judged.revision, int(judged.metadata)):
                return False
        texts = [revision.texts for revision in history.revisions]
        return all(
            0 < old.number <= len(texts) and old.texts.items() <= texts[old.number - 1].items()
            for old in self.list_revisions(source, url)
        )


def _judgement_of(judged: Judged) -> tuple[Any, ...]:
    told = judged.fact.page_class if judged.read_at is None else None
    return (judged.verdict.value, judged.revision, int(judged.metadata), told, judged.fact.segment, judged.fact.n)


def _revisions_of(source: str, url: str, history: History) -> list[tuple[Any, ...]]:
    return [
        (
            source,
            url,
            r.number,
            r.first.segment,
            r.first.n,
            format_instant(r.first.captured_at),
            r.captures,
            json.dumps(r.texts, sort_keys=True),
        )
        for r in history.revisions
    ]


def _article_of(source: str, url: str, history: History, seq: int, title: str | None) -> tuple[Any, ...]:
    captures = [j.fact for j in history.captures]
    telling = [j.fact for j in history.captures if j.tells]
    return (
        source,
        url,
        title,
        format_instant(captures[0].captured_at),
        format_instant(captures[-1].captured_at),
        format_instant(telling[-1].captured_at) if telling else None,
        history.state.value,
        len(captures),
        len(history.revisions),
        seq,
        1 if captures[-1].page_class == PageClass.UNREAD else None,
    )
