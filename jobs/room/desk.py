"""What a request has before it: catalog, index and store, all of them only to be read."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime
    from pathlib import Path

    from config.settings import Settings
    from config.sources import Source
    from crawler.workers.batch import SharedPool
    from jobs.archive.identity import ArchiveInfo
    from jobs.catalog import Catalog
    from jobs.health import HealthMemory
    from jobs.search.index import SearchIndex
    from jobs.store import StoredObject


class ReadingStore(Protocol):
    """What the room may ask of a store: nothing that puts or removes."""

    @property
    def url(self) -> str:
        """How a person names this store."""

    def get(self, key: str, *, offset: int = 0, length: int | None = None) -> bytes:
        """As `ObjectStore.get`."""

    def stat(self, key: str) -> StoredObject:
        """As `ObjectStore.stat`."""

    def list(self, prefix: str, *, after: str = "") -> Iterator[StoredObject]:
        """As `ObjectStore.list`."""


@dataclass(frozen=True, slots=True)
class Desk:
    """One request's view of the archive."""

    catalog: Catalog
    """Opened to be read."""
    index: SearchIndex
    """Opened to be read."""
    store: ReadingStore
    info: ArchiveInfo
    settings: Settings
    sources: Mapping[str, Source]
    """As configured; there may be others in the archive."""
    state: Path
    """Local state of the archive: spools below `spool/`."""
    now: datetime
    base: str
    """The room's address as the reader sees it, without a slash at the end: `http://127.0.0.1:8460`."""
    pool: SharedPool
    """Reads hostile pages, in processes of its own; shared by all desks."""
    wanted_time: str | None = None
    """The header Accept-Datetime."""
    health: HealthMemory = field(default_factory=dict)
    """Shared by all desks: what `read_health` need not find out again."""
    years: dict[str, Any] = field(default_factory=dict)
    """Shared by all desks: source → the year of its ledger that was told last."""
