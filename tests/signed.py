"""Makes small signed archives, and hands them over from key to key, for tests that look at who signed."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from jobs.archive.handover import hand_over
from jobs.archive.identity import create_archive, read_info
from jobs.archive.log import Log
from jobs.archive.signing import Signer, encode_document, split_document
from jobs.store.memory import MemoryStore
from tests.archives import NOON, PAGES, Page, commit_segment, put, write_segment

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from jobs.archive.commit import StoredCommit
    from jobs.store import ObjectStore

FIRST, SECOND, FOREIGN = Signer.generate(), Signer.generate(), Signer.generate()


def rotate(
    store: ObjectStore, new: Signer, old: Signer | None = None, *, instead: bool = False, hours: int = 100
) -> None:
    """Make *new* the key of the archive."""
    hand_over(store, read_info(store), new, old, now=NOON + timedelta(hours=hours), instead=instead)


def build_signed(folder: Path) -> MemoryStore:
    """Return a sound archive of two logs and two keys.

    gazette: 1 unsigned, 2 hands over to FIRST, 3 by FIRST, 4 hands over to SECOND, 5 by SECOND. herald: the last alone.
    """
    store = MemoryStore()
    info = create_archive(store, single_writer=False, now=NOON)
    last = add_segment(store, folder, "gazette", 1)
    rotate(store, FIRST)
    last = add_segment(store, folder, "gazette", 2, after=read_end(store, last), signer=FIRST)
    rotate(store, SECOND, FIRST)
    add_segment(store, folder, "gazette", 3, after=read_end(store, last), signer=SECOND)
    add_segment(store, folder, "herald", 4, signer=SECOND)
    assert info.archive == read_info(store).archive
    return store


def add_segment(
    store: MemoryStore,
    folder: Path,
    source: str,
    number: int,
    *,
    after: StoredCommit | None = None,
    signer: Signer | None = None,
) -> StoredCommit:
    """Commit one more segment of *source*."""
    now = NOON + timedelta(hours=number)
    pages: Iterable[Page] = [Page(page.path, f"{page.words} {number}", page.status) for page in PAGES]
    run = f"{source}-20261122T120000Z-0123456789abcdef"
    info = read_info(store)
    closed = write_segment(folder, pages, archive=info.archive, now=now, source=source, run=run)
    return commit_segment(store, info, closed, now=now, after=after, signer=signer)


def read_end(store: ObjectStore, like: StoredCommit) -> StoredCommit:
    """Return the last commit of the log that *like* is of."""
    end = Log(store, read_info(store), like.commit.source).find_end()
    assert end is not None
    return end


def resign(store: MemoryStore, key: str, signers: Iterable[Signer] = (), *, line: bytes | None = None) -> None:
    """Put the document at *key* with other signatures, and with another line 1 if one is given."""
    old = split_document(store.get(key), key, "a document", 10**8)[0]
    put(store, key, encode_document(line or old, signers))
