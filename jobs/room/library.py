"""Lends out desks: a few catalogs and indexes opened to be read, each to one request at a time."""

from __future__ import annotations

import time
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from queue import Empty, LifoQueue
from typing import TYPE_CHECKING, Any

from config.errors import ArchiveError, CatalogDamaged
from crawler.workers.batch import SharedPool
from jobs.catalog import Catalog
from jobs.catalog.schema import is_damage
from jobs.context import CATALOG_FILE
from jobs.room.desk import Desk
from jobs.room.endpoints import BadRequest, NotThere, TookTooLong
from jobs.room.files import identify_files
from jobs.search.index import INDEX_FILE, SearchIndex
from jobs.search.queries import QueryError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from config.settings import Settings
    from config.sources import Source
    from jobs.archive.identity import ArchiveInfo
    from jobs.health import HealthMemory
    from jobs.room.desk import ReadingStore
    from jobs.room.files import Files

QUERY_SECONDS = 10.0
"""For all that one request asks of catalog and index."""
_WORKERS = 2
"""Processes of 45 MB that read hostile pages, once one is to be shown."""


@dataclass(frozen=True, slots=True)
class _Pair:
    catalog: Catalog
    index: SearchIndex
    files: Files
    opened: ExitStack


@dataclass(slots=True)
class Library:
    """What all desks share. Close it when the room closes."""

    store: ReadingStore
    info: ArchiveInfo
    settings: Settings
    sources: Mapping[str, Source]
    state: Path
    doubt: Callable[[], None] = lambda: None
    """Called where catalog or index are missing or damaged, for them to be made anew."""
    health: HealthMemory = field(default_factory=dict)
    years: dict[str, Any] = field(default_factory=dict)
    _free: LifoQueue[_Pair] = field(default_factory=LifoQueue)
    _pool: SharedPool = field(init=False)

    def __post_init__(self) -> None:
        """Make the pool, which starts no process yet."""
        settings = self.settings
        limits = (_WORKERS, settings.page_seconds, settings.worker_memory_bytes)
        self._pool = SharedPool(*limits, cpu_seconds=settings.page_cpu_seconds)

    @contextmanager
    def lend(self, base: str, wanted_time: str | None = None) -> Iterator[Desk]:
        """Lend a desk for one request; *base*, *wanted_time* are its. Raises CatalogDamaged, OSError, TookTooLong."""
        deadline = time.monotonic() + QUERY_SECONDS
        pair = self._take()
        pair.catalog.stop_after(deadline)
        pair.index.stop_after(deadline)
        try:
            yield Desk(
                catalog=pair.catalog,
                index=pair.index,
                store=self.store,
                info=self.info,
                settings=self.settings,
                sources=self.sources,
                state=self.state,
                now=datetime.now(UTC),
                base=base,
                pool=self._pool,
                wanted_time=wanted_time,
                health=self.health,
                years=self.years,
            )
        except (NotThere, BadRequest, QueryError, ArchiveError):
            self._free.put(pair)
            raise
        except Exception as error:
            pair.opened.close()  # nobody knows what state it is in
            if time.monotonic() > deadline:
                raise TookTooLong("that takes longer than this room gives one reader: ask for less") from error
            if is_damage(error):
                self.doubt()
                raise CatalogDamaged(f"{self.state}: catalog or index cannot be read ({error})") from error
            raise
        self._free.put(pair)

    def close(self) -> None:
        """Close what is not lent out; no desk may be asked for any more."""
        self._pool.close()
        while True:
            try:
                self._free.get_nowait().opened.close()
            except Empty:
                return

    def _take(self) -> _Pair:
        files = identify_files(self.state)
        if None in files:
            self.doubt()
            raise CatalogDamaged(f"{self.state}: catalog or index is not there")
        while True:
            try:
                pair = self._free.get_nowait()
            except Empty:
                return self._open(files)
            if pair.files == files:
                return pair
            pair.opened.close()

    def _open(self, files: Files) -> _Pair:
        try:
            with ExitStack() as stack:
                catalog = stack.enter_context(Catalog.open(self.state / CATALOG_FILE, read_only=True))
                index = stack.enter_context(SearchIndex.open(self.state / INDEX_FILE, read_only=True))
                return _Pair(catalog, index, files, stack.pop_all())
        except CatalogDamaged:
            self.doubt()
            raise
