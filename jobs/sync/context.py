"""What every step of one sync needs: both stores, the identity, the threads that copy, and the report so far."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from config.errors import DamageFound, ObjectMissing
from crawler.waits import wait_for
from jobs.sync.report import Problem
from jobs.verify import Step

if TYPE_CHECKING:
    from collections.abc import Iterable
    from concurrent.futures import Future, ThreadPoolExecutor

    from jobs.archive.identity import ArchiveInfo
    from jobs.archive.keys import KeyRing
    from jobs.store import ObjectStore, StoredObject
    from jobs.sync.copying import Copier, Item
    from jobs.sync.report import SyncReport
    from jobs.verify import Progress


@dataclass(slots=True)
class Sync:
    """One sync under way. Only the main thread changes it."""

    origin: ObjectStore
    target: ObjectStore
    info: ArchiveInfo
    copier: Copier
    pool: ThreadPoolExecutor
    report: SyncReport
    absent: bool
    """Whether there is nothing at all on the other side, not even a folder that could be listed."""
    progress: Progress | None = None
    redacted: dict[str, int] = field(default_factory=dict)
    """Source → the last of the commits that the copy gets now that took something out."""
    ring: KeyRing | None = None
    """The keys that commits must be signed by, as they were read last."""
    files_known: int = 0
    files_done: int = 0
    bytes_known: int = 0
    bytes_done: int = 0

    def list_target(self, prefix: str) -> Iterable[StoredObject]:
        """Return what the copy has below *prefix*."""
        return () if self.absent else self.target.list(prefix)

    def complain(self, key: str, message: str) -> None:
        """Take down a problem."""
        self.report.problems.append(Problem(key, message))

    def keep(self, key: str, message: str) -> None:
        """Take down that something stays in the copy that should have gone."""
        self.report.kept.append(Problem(key, message))

    def note_copied(self, size_bytes: int) -> None:
        """Count an object that was copied, or would be."""
        self.report.objects_copied += 1
        self.report.bytes_copied += size_bytes

    def put_small(self, key: str, data: bytes) -> None:
        """Put a commit, a key, a manifest: read and checked before. Raises DamageFound, StoreError."""
        if self.report.dry_run or self.copier.put(key, data):
            self.note_copied(len(data))
        else:
            self.report.objects_there += 1

    def ask(self, item: Item, *, there_bytes: int | None, listed_bytes: int | None) -> Future[bool | None]:
        """Begin to bring *item* over; the future says whether it was copied, `None`: it was there.

        *there_bytes*: its size in the copy's listing. *listed_bytes*: in the original's. See `settle`.
        """
        self.files_known += 1
        self.bytes_known += item.size_bytes
        return self.pool.submit(self._bring, item, there_bytes, listed_bytes)

    def settle(self, source: str, item: Item, future: Future[bool | None]) -> Exception | None:
        """Wait for *item* and count it. Returns what is wrong: DamageFound, or ObjectMissing in the original."""
        try:
            copied = wait_for(future)
        except (DamageFound, ObjectMissing) as error:
            return error
        finally:
            self._tell(source, item)
        if copied:
            self.note_copied(item.size_bytes)
        else:
            self.report.objects_there += 1
        return None

    def _bring(self, item: Item, there_bytes: int | None, listed_bytes: int | None) -> bool | None:
        if there_bytes is not None and (self.report.full or there_bytes != item.size_bytes):
            self.copier.check_target(item)
        if there_bytes is not None:
            return None
        if self.report.dry_run:
            if listed_bytes is not None and listed_bytes != item.size_bytes:
                raise DamageFound(
                    f"{self.origin.url}/{item.key}: found {listed_bytes} bytes, expected {item.size_bytes}"
                )
            return True
        return self.copier.copy(item, listed_bytes=listed_bytes) or None

    def _tell(self, source: str, item: Item) -> None:
        self.files_done += 1
        self.bytes_done += item.size_bytes
        if self.progress is not None:
            self.progress(
                Step(
                    source=source,
                    key=item.key,
                    files=self.files_done,
                    files_known=self.files_known,
                    bytes=self.bytes_done,
                    bytes_known=self.bytes_known,
                    damages=len(self.report.problems),
                )
            )
