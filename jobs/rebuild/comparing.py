"""Texts as they were just derived against those that decide now: what differs, by how much, and some to look at."""

from __future__ import annotations

import hashlib
import heapq
from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from jobs.diff import split_words
from jobs.metadata import digest_metadata
from jobs.rebuild.parts import Without, read_snapshot

if TYPE_CHECKING:
    from datetime import datetime

    from crawler.rows import SnapshotRow
    from jobs.catalog import Catalog
    from jobs.rebuild.parts import Part
    from jobs.rebuild.planning import PageTask, StretchTask

SMALL = 0.9
"""Texts that have at least this share of their words in common differ little."""


class Difference(StrEnum):
    """What becomes of a capture's text. The first that holds, from the last member to the first."""

    SAME = "same"
    HEADING = "heading"
    """Only title or lead."""
    SMALL = "small"
    LARGE = "large"
    """Less than nine tenths of the words are in both."""
    CLASS = "class"
    """The page is of another class; its text may differ too."""
    NEW = "new"
    """There was none."""
    LOST = "lost"
    """None comes. Adopted or not, the capture keeps the text that it has."""
    NONE = "none"
    """There was none, and none comes."""
    FAILED = "failed"
    """The page could not be read, or was stopped at a limit; the capture keeps what it has."""


_TOLD = (
    *(Difference.LOST, Difference.CLASS, Difference.LARGE, Difference.NEW),
    *(Difference.SMALL, Difference.HEADING, Difference.FAILED),
)
"""In the order in which a person should look at them."""


@dataclass(frozen=True, slots=True)
class ComparedCapture:
    """A capture's text before and after."""

    url: str
    captured_at: datetime
    segment: str
    n: int
    difference: Difference
    removed: int = 0
    """Words that stand in the text before alone."""
    added: int = 0
    likeness: float | None = None
    """Share of words that both have, 0 to 1; `None` where there is one text at most."""
    classes: tuple[str | None, str | None] = (None, None)
    """Of the page, before and after."""
    metadata: bool = False
    """Whether what is said about the article differs."""
    reason: str | None = None
    """Why no text came."""


@dataclass(slots=True)
class ComparedArticle:
    """An article of which some text differs."""

    url: str
    captures: int
    """Whose text differs."""
    worst: ComparedCapture


@dataclass(frozen=True, slots=True)
class SampleText:
    """A capture with both texts, as `Catalog.read_snapshot` returns one."""

    compared: ComparedCapture
    before: dict[str, Any]
    after: dict[str, Any]


@dataclass(slots=True)
class ComparisonReport:
    """What was compared of one source."""

    source: str
    derivation: str
    samples_wanted: int = 5
    """Of each difference."""
    counts: Counter[Difference] = field(default_factory=Counter)
    metadata: int = 0
    """Captures of which other metadata is told, whatever their text."""
    digest: str = ""
    """Of all parts, in order: equal where the same came of the same pages."""
    articles: dict[str, ComparedArticle] = field(default_factory=dict)
    _samples: dict[Difference, list[tuple[str, SampleText]]] = field(default_factory=dict)
    _sum: Any = field(default_factory=hashlib.sha256)

    @property
    def captures(self) -> int:
        """How many were compared."""
        return self.counts.total()

    @property
    def differing(self) -> list[ComparedArticle]:
        """The articles that differ: what a person should look at first, by what was lost or came."""

        def rank(one: ComparedArticle) -> tuple[int, int, str]:
            worst = one.worst
            return _TOLD.index(worst.difference), -(worst.removed + worst.added), one.url

        return sorted(self.articles.values(), key=rank)

    @property
    def samples(self) -> list[SampleText]:
        """Some of each difference, chosen by digest: the same ones each time."""
        return [sample for name in _TOLD for _, sample in sorted(self._samples.get(name, []), key=lambda one: one[0])]

    def add(self, catalog: Catalog, task: StretchTask, part: Part) -> None:
        """Compare what came of *task* with what decides now."""
        self._sum.update(part.digest.encode())
        self.digest = f"sha256:{self._sum.hexdigest()}"
        rows = {row.of.n: row for line in part.rows if (row := read_snapshot(line, checked=True)).of is not None}
        without = {one.n: one for one in part.without}
        for page in task.pages:
            self._compare(catalog, task, page, rows.get(page.n) or without[page.n])

    def _compare(self, catalog: Catalog, task: StretchTask, page: PageTask, found: SnapshotRow | Without) -> None:
        before = catalog.read_snapshot(task.segment, page.n)
        compared = compare_texts(task.segment, page, before, found)
        self.counts[compared.difference] += 1
        self.metadata += compared.metadata
        if compared.difference not in _TOLD:
            return
        article = self.articles.get(page.url)
        if article is None:
            self.articles[page.url] = ComparedArticle(page.url, 1, compared)
        else:
            article.captures += 1
            article.worst = min(article.worst, compared, key=lambda one: _TOLD.index(one.difference))
        self._keep_sample(compared, before, found)

    def _keep_sample(
        self, compared: ComparedCapture, before: dict[str, Any] | None, found: SnapshotRow | Without
    ) -> None:
        key = hashlib.sha256(f"{compared.segment} {compared.n}".encode()).hexdigest()
        after = {} if isinstance(found, Without) else _to_snapshot(found)
        kept = self._samples.setdefault(compared.difference, [])
        kept.append((key, SampleText(compared, before or {}, after)))
        if len(kept) > self.samples_wanted:
            self._samples[compared.difference] = heapq.nsmallest(self.samples_wanted, kept, key=lambda one: one[0])


def compare_texts(
    segment: str, page: PageTask, before: dict[str, Any] | None, found: SnapshotRow | Without
) -> ComparedCapture:
    """Return what becomes of a capture's text. *before*: its own snapshot; `None`: it has none."""
    old_class = before["class"] if before else None
    place = (page.url, page.captured_at, segment, page.n)
    if isinstance(found, Without):
        difference = Difference.FAILED if found.failed else Difference.LOST if before else Difference.NONE
        removed = _count(before["text"]).total() if before and difference is Difference.LOST else 0
        return ComparedCapture(*place, difference, removed, classes=(old_class, found.page_class), reason=found.reason)
    if before is None:
        return ComparedCapture(
            *place, Difference.NEW, added=_count(found.text).total(), classes=(None, found.page_class)
        )
    removed = added = 0
    likeness = 1.0
    if before["text_digest"] != found.text_digest:
        old, new = _count(before["text"]), _count(found.text)
        both, whole = (old & new).total(), old.total() + new.total()
        removed, added = old.total() - both, new.total() - both
        likeness = 2 * both / whole if whole else 1.0
    return ComparedCapture(
        *place,
        _judge(before, found, likeness),
        removed,
        added,
        round(likeness, 4),
        (old_class, found.page_class),
        digest_metadata(before["fields"]) != digest_metadata(found.fields),
    )


def _judge(before: dict[str, Any], found: SnapshotRow, likeness: float) -> Difference:
    if before["class"] != found.page_class:
        return Difference.CLASS
    headings = (before["title"], before["lead"]), (found.title, found.lead)
    if before["text_digest"] == found.text_digest:
        return Difference.SAME if headings[0] == headings[1] else Difference.HEADING
    if _list_body(before["text"], *headings[0]) == _list_body(found.text, *headings[1]):
        return Difference.HEADING
    return Difference.SMALL if likeness >= SMALL else Difference.LARGE


def _list_body(text: str, title: str | None, lead: str | None) -> list[str]:
    """Return the lines of *text* behind title and lead, with which it begins (FORMAT.md § 6)."""
    lines = text.split("\n")
    for part in (title, lead):
        above = part.split("\n") if part else []
        if above and lines[: len(above)] == above:
            lines = lines[len(above) :]
    return lines


def _count(text: str) -> Counter[str]:
    return Counter(word for word in split_words(text) if not word.isspace())


def _to_snapshot(row: SnapshotRow) -> dict[str, Any]:
    return {
        "derivation": row.derivation,
        "text_digest": row.text_digest,
        "title": row.title,
        "lead": row.lead,
        "class": row.page_class,
        "confidence": row.confidence,
        "fields": row.fields,
        "text": row.text,
    }


def report_to_json(report: ComparisonReport, *, most: int | None = None) -> dict[str, Any]:
    """Return *report* as JSON data. *most*: articles that are listed; `None`: all."""
    articles = [_article_to_json(one) for one in report.differing[:most]]
    return {
        "source": report.source,
        "derivation": report.derivation,
        "captures": report.captures,
        "counts": {name.value: report.counts[name] for name in Difference},
        "metadata": report.metadata,
        "digest": report.digest,
        "differing": len(report.articles),
        "articles": articles,
    }


def _article_to_json(article: ComparedArticle) -> dict[str, Any]:
    worst = article.worst
    return {
        "url": article.url,
        "captures": article.captures,
        "difference": worst.difference.value,
        "captured_at": worst.captured_at,
        "removed": worst.removed,
        "added": worst.added,
        "likeness": worst.likeness,
        "classes": list(worst.classes),
        "metadata": worst.metadata,
        "reason": worst.reason,
    }
