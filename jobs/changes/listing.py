"""The catalog → changes of one source or of all, by time, as they were committed, or the newest. Bounded memory."""

from __future__ import annotations

import heapq
from collections import OrderedDict
from typing import TYPE_CHECKING

from jobs.changes.events import What, list_changes

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

    from jobs.catalog import Catalog, ChangedCapture
    from jobs.changes.events import Change
    from jobs.fold import Place

HELD_ARTICLES = 1_000
"""Whose changes are held: an article's captures are read once where its changes stand near one another."""


class ChangeLister:
    """Lists changes. *until*: as they looked at that time, whatever was captured later; `None`: as they look now.

    *metadata*: those too of what is said about an article, where its text did not change.
    """

    def __init__(self, catalog: Catalog, *, until: datetime | None = None, metadata: bool = True) -> None:
        self._catalog = catalog
        self._until = until
        self._metadata = metadata
        self._held: OrderedDict[tuple[str, str], dict[Place, list[Change]]] = OrderedDict()

    def list_article(self, source: str, url: str) -> list[Change]:
        """Return what happened to an article, by time."""
        found = list_changes(source, url, self._catalog.list_sights(source, url, until=self._until))
        return found if self._metadata else [change for change in found if change.what is not What.METADATA]

    def walk(
        self, sources: Iterable[str], *, since: datetime | None = None, newest_first: bool = False
    ) -> Iterator[Change]:
        """Yield the changes of *sources* from *since* on, by time; an alternation stands at its last change."""
        walks = [self._walk_source(source, since, newest_first=newest_first) for source in sources]
        yield from heapq.merge(*walks, key=_sort_key, reverse=newest_first)

    def list_newest(self, sources: Iterable[str], number: int) -> list[Change]:
        """Return the *number* newest changes of *sources*, the newest first."""
        return [change for change, _ in zip(self.walk(sources, newest_first=True), range(number), strict=False)]

    def list_committed(self, source: str, *, after: int) -> Iterator[Change]:
        """Yield the changes that captures of commits after number *after* show, in the order of the log."""
        for capture in self._catalog.list_changed_after(source, after, metadata=self._metadata):
            yield from self._find(source, capture)

    def _walk_source(self, source: str, since: datetime | None, *, newest_first: bool) -> Iterator[Change]:
        captures = self._catalog.walk_changed(
            source, since=since, until=self._until, newest_first=newest_first, metadata=self._metadata
        )
        for capture in captures:
            found = self._find(source, capture)
            yield from reversed(found) if newest_first else found

    def _find(self, source: str, capture: ChangedCapture) -> list[Change]:
        article = source, capture.url
        held = self._held.get(article)
        if held is None:
            held = {}
            for change in self.list_article(*article):
                held.setdefault(change.place, []).append(change)
            self._held[article] = held
            if len(self._held) > HELD_ARTICLES:
                self._held.popitem(last=False)
        return held.get((capture.segment, capture.n), [])


def _sort_key(change: Change) -> tuple[datetime, str, Place]:
    return change.at, change.source, change.place
