"""The keys that a copy goes by: its own, and those of the original that chain on from them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jobs.archive.keys import find_forgery, read_ring

if TYPE_CHECKING:
    from jobs.archive.commit import StoredCommit
    from jobs.archive.keys import KeyRing
    from jobs.sync.context import Sync


def find_forged(sync: Sync, stored: StoredCommit, data: bytes | None = None) -> str | None:
    """Return why a commit of the original is not to be believed: its signature is not the one it needs.

    *data*: its object; `None`: takes a request where there are keys. Raises StoreError.
    """
    if sync.ring is not None and find_forgery(sync.origin, sync.ring, stored, data) is None:
        return None
    sync.ring = _read_trusted(sync)  # there may have been a new one since
    return find_forgery(sync.origin, sync.ring, stored, data)


def _read_trusted(sync: Sync) -> KeyRing:
    """Return the keys that the copy has, with those that the original has after them.

    Keys may have been taken away there, or others put in their place, however many.
    """
    theirs = read_ring(sync.origin, sync.info.archive, sync.info.digest)[0]
    if sync.absent:
        return theirs
    own = read_ring(sync.target, sync.info.archive, sync.info.digest)[0]
    known = [key.document.digest for key in own.keys]
    return theirs if [key.document.digest for key in theirs.keys][: len(known)] == known else own
