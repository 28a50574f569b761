"""Lends out desks: a few catalogs and indexes opened to be read, each to one request at a time."""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from queue import Empty, LifoQueue
from typing import TYPE_CHECKING

from jobs.catalog import Catalog
from jobs.context import CATALOG_FILE
from jobs.room.desk import Desk
from jobs.search.index import INDEX_FILE, SearchIndex

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from config.settings import Settings
    from config.sources import Source
    from jobs.archive.identity import ArchiveInfo
    from jobs.health import HealthMemory
    from jobs.room.desk import ReadingStore


@dataclass(slots=True)
class Library:
    """What all desks share. Close it when the room closes."""

    store: ReadingStore
    info: ArchiveInfo
    settings: Settings
    sources: Mapping[str, Source]
    state: Path
    health: HealthMemory = field(default_factory=dict)
    _free: LifoQueue[tuple[Catalog, SearchIndex]] = field(default_factory=LifoQueue)
    _opened: ExitStack = field(default_factory=ExitStack)

    @contextmanager
    def lend(self, base: str, wanted_time: str | None = None) -> Iterator[Desk]:
        """Lend a desk for one request. *base*, *wanted_time*: as `Desk` has them."""
        try:
            pair = self._free.get_nowait()
        except Empty:
            pair = (
                self._opened.enter_context(Catalog.open(self.state / CATALOG_FILE, read_only=True)),
                self._opened.enter_context(SearchIndex.open(self.state / INDEX_FILE, read_only=True)),
            )
        try:
            yield Desk(
                catalog=pair[0],
                index=pair[1],
                store=self.store,
                info=self.info,
                settings=self.settings,
                sources=self.sources,
                state=self.state,
                now=datetime.now(UTC),
                base=base,
                wanted_time=wanted_time,
                health=self.health,
            )
        finally:
            self._free.put(pair)

    def close(self) -> None:
        """Close what was opened; no desk may be lent out any more."""
        self._opened.close()
