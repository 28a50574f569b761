"""The sources that an import takes pages in for: their turn, their spool, and what is uploaded of it meanwhile.

A source's turn is taken when its first page comes, and given back at the import's end.
"""

from __future__ import annotations

import os
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Self

import structlog

from config.errors import RunLocked
from crawler.ids import new_id
from crawler.leash import Word
from jobs.catalog import Catalog
from jobs.checkpoint.restoring import refresh_catalog
from jobs.context import CATALOG_FILE, lock_source, lock_uploads
from jobs.runs.pressure import Pressure
from jobs.runs.spool import bring_segments, has_closed, list_damaged
from jobs.runs.tenure import leave_lease, take_lease
from jobs.runs.uploading import Uploader, may_pass
from jobs.spool_use import SpoolUse, measure_spool

if TYPE_CHECKING:
    from collections.abc import Generator

    from config.sources import Source
    from jobs.archive.lease import Lease
    from jobs.context import OpenArchive

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Turn:
    """What an import holds of one source."""

    source: Source
    run: str
    lease: Lease


class Desk:
    """The turns of one import, and the thread that uploads for all of them. A context: at its end all is given back."""

    def __init__(self, archive: OpenArchive) -> None:
        self._archive = archive
        self._held = ExitStack()
        self._pressure = Pressure(
            max_bytes=archive.settings.spool_max_bytes, min_free_bytes=archive.settings.spool_min_free_bytes
        )
        self.turns: dict[str, Turn] = {}
        self.uploader = Uploader(self._bring_all, self._has_closed, grace_seconds=archive.settings.grace_seconds)

    def __enter__(self) -> Self:
        self.uploader.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.uploader.abandon()
        self._held.close()

    def open(self, source: Source) -> Turn:
        """Take the source's turn: what its spool still holds is committed, and the catalog knows all of its log.

        Raises RunLocked, StoreError, DamageFound, OSError.
        """
        archive = self._archive
        spool = archive.spool(source.id)
        with ExitStack() as held:
            held.enter_context(lock_source(spool, source.id))
            refresh_catalog(archive.catalog, archive.store, archive.log(source.id), full=True)
            with lock_uploads(spool):
                for _ in bring_segments(archive, source):
                    self.poll()
            run = new_id(source.id, datetime.now(UTC))
            turn = Turn(source, run, take_lease(archive, source.id, run))
            self._held.enter_context(held.pop_all())
        self.turns[source.id] = turn
        log.info("started_run", run_id=run, source=source.id, trigger="import")
        return turn

    def poll(self) -> None:
        """Renew what is to be renewed. Raises RunLocked if a lease is lost, and what ended the uploader or will."""
        for turn in self.turns.values():
            turn.lease.poll()
            if turn.lease.lost.is_set():
                raise RunLocked(f"{turn.source.id}: the lease could not be renewed in time; import again to go on")
        self.uploader.require_sound()
        trouble = self.uploader.trouble  # once: its thread may be over it the next moment
        if trouble is not None and not may_pass(trouble):
            raise trouble  # a file ends only once all of it is committed: nobody would come to that

    def next_word(self) -> Word:
        """Return what the child is to be told: whether there is room, and until when all turns are ours."""
        self._pressure.update(self.measure())
        return Word(self._pressure.paused, min((lease.valid_until for lease in self.leases), default=None))

    @property
    def leases(self) -> list[Lease]:
        """Those of all turns."""
        return [turn.lease for turn in self.turns.values()]

    @property
    def is_settled(self) -> bool:
        """Whether all that is closed is committed."""
        return not self._has_closed()

    def leave(self) -> None:
        """Give back the leases of an import whose segments are all committed. Raises StoreError."""
        for lease in self.leases:
            leave_lease(self._archive, lease)

    def list_damaged(self) -> list[str]:
        """Return a line for each segment that was set aside."""
        return [line for name in self.turns for line in list_damaged(self._archive.spool(name))]

    def measure(self) -> SpoolUse:
        """Return what waits in the spools of all turns."""
        found = [measure_spool(self._archive.spool(name)) for name in self.turns]
        disk = os.statvfs(self._archive.state)
        return SpoolUse(
            sum(one.segments for one in found),
            sum(one.size_bytes for one in found),
            disk.f_bavail * disk.f_frsize,
            disk.f_blocks * disk.f_frsize,
        )

    def _bring_all(self) -> Generator[bool, None, None]:
        for turn in list(self.turns.values()):
            spool = self._archive.spool(turn.source.id)
            if not has_closed(spool):
                continue
            with lock_uploads(spool), Catalog.open(self._archive.state / CATALOG_FILE) as catalog:
                yield from bring_segments(replace(self._archive, catalog=catalog), turn.source)

    def _has_closed(self) -> bool:
        return any(has_closed(self._archive.spool(name)) for name in list(self.turns))
