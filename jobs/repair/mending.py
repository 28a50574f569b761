"""One object: looked at and, if it is not what the log demands, put again from the copy.

Nothing is taken away before the good bytes are here and checked.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING

from config.errors import DamageFound, ObjectExists, ObjectMissing, StoreError
from jobs.archive.identity import INFO_KEY
from jobs.repair.report import Left, Mended
from jobs.segments.seal import hash_file

if TYPE_CHECKING:
    from pathlib import Path

    from jobs.repair.report import RepairReport
    from jobs.store import ObjectStore
    from jobs.sync.copying import Item


@dataclass(frozen=True, slots=True)
class Mender:
    """Puts objects back."""

    store: ObjectStore
    copy: ObjectStore
    folder: Path
    """A place to work in."""
    report: RepairReport

    def mend(self, item: Item) -> bool:
        """Put *item* back unless it is there as it must be; return whether it is now, or would be.

        Raises StoreError where a store fails as a whole, and OSError where this disk is full.
        """
        found = self._look(item)
        if found == item.sha256:
            return True
        path = self.folder / secrets.token_hex(8)
        try:
            why = self._bring(item, path)
            if why is not None:
                self.report.left.append(Left(item.key, why))
                return False
            if not self.report.dry_run:
                self._put(item, path, there=found != "missing")
        finally:
            path.unlink(missing_ok=True)
        self.report.mended.append(Mended(item.key, item.size_bytes, item.sha256, found))
        return True

    def _look(self, item: Item) -> str:
        """Return the digest of what lies there, `missing` or `unreadable`; of a longer object `longer`."""
        path = self.folder / secrets.token_hex(8)
        try:
            size = self.store.stat(item.key).size_bytes
            if size > item.size_bytes:
                return f"{size} bytes"  # it could fill the disk
            self.store.fetch(item.key, path)
            return hash_file(path)
        except ObjectMissing:
            return "missing"
        except StoreError:
            require_store(self.store)
            return "unreadable"
        finally:
            path.unlink(missing_ok=True)

    def _bring(self, item: Item, path: Path) -> str | None:
        """Bring the copy's object to *path*; return in words why it is no help."""
        where = f"the copy, {self.copy.url},"
        try:
            size = self.copy.stat(item.key).size_bytes
            if size != item.size_bytes:
                return f"{where} has {size} bytes, the log demands {item.size_bytes}"
            self.copy.fetch(item.key, path)
        except ObjectMissing:
            return f"{where} does not have it either"
        except StoreError as error:
            require_store(self.copy)
            return f"{where} cannot hand it out: {error}"
        found = hash_file(path)
        return None if found == item.sha256 else f"{where} has {found}, the log demands {item.sha256}"

    def _put(self, item: Item, path: Path, *, there: bool) -> None:
        if there:
            self.store.delete(item.key)
        try:
            self.store.create(item.key, path, sha256=item.sha256)
        except ObjectExists as error:  # somebody else mends, too
            if self._look(item) != item.sha256:
                raise DamageFound(
                    f"{self.store.url}/{item.key}: somebody puts other bytes there just now; stop who writes and repeat"
                ) from error


def require_store(store: ObjectStore) -> None:
    """Raise StoreError if *store* hands out nothing at all: then no single object is at fault."""
    try:
        store.get(INFO_KEY, length=1)
    except ObjectMissing:
        return
