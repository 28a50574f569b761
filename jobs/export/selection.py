"""What is asked for → texts, by source, URL and number: read one at a time from index and catalog."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import groupby
from typing import TYPE_CHECKING, Any

from crawler.rows import format_time
from jobs.search import Query
from jobs.search.fields import read_authors, read_field

if TYPE_CHECKING:
    from jobs.catalog import Catalog
    from jobs.search import Found
    from jobs.search.index import SearchIndex


@dataclass(frozen=True, slots=True)
class Selection:
    """Which texts. All that is given must hold."""

    query: Query = field(default_factory=Query)
    urls: tuple[str, ...] = ()
    """Normalised; any of these."""
    page_classes: tuple[str, ...] = ()
    """Any of these (`article`, `live`, …)."""
    all_revisions: bool = False
    """Every text that is found; else the last found of each article."""


@dataclass(frozen=True, slots=True)
class Text:
    """A text with what is known of it."""

    found: Found
    snapshot: dict[str, Any]

    def describe(self) -> dict[str, Any]:
        """Return it as values for a row; times as text, lists as lists."""
        found, snapshot = self.found, self.snapshot
        fields = snapshot["fields"]
        return {
            "source": found.source,
            "url": found.url,
            "number": found.number,
            "latest": found.latest,
            "captured_at": format_time(found.captured_at),
            "title": snapshot["title"],
            "lead": snapshot["lead"],
            "text": snapshot["text"],
            "class": snapshot["class"],
            "language": read_field(fields, "language") or None,
            "section": read_field(fields, "section") or None,
            "authors": list(read_authors(fields)),
            "published": read_field(fields, "published") or None,
            "modified": read_field(fields, "modified") or None,
            "state": found.state,
            "kinds": list(found.kinds),
            "silent": found.silent,
            "text_digest": snapshot["text_digest"],
            "derivation": snapshot["derivation"],
            "segment": found.segment,
            "n": found.n,
        }


def list_texts(index: SearchIndex, catalog: Catalog, selection: Selection) -> Iterator[Text | None]:
    """Yield the texts of *selection* by source, URL and number; `None` for one that the catalog has not any more.

    Raises QueryError.
    """
    found = index.list_texts(selection.query, urls=selection.urls)
    for _, article in groupby(found, lambda one: (one.source, one.url)):
        last: Text | None = None
        missing = False
        for one in article:
            snapshot = catalog.read_snapshot(one.segment, one.n)
            if snapshot is None:
                missing = True
                continue
            if selection.page_classes and snapshot["class"] not in selection.page_classes:
                continue
            if selection.all_revisions:
                yield Text(one, snapshot)
            last = Text(one, snapshot)
        if missing:
            yield None
        if last is not None and not selection.all_revisions:
            yield last
