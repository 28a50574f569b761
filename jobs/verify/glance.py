"""Some commits that were seen before, read again from the store: whether each is still there as it was.

For who looks at a log and not at an archive: a few small objects, and none of what they name is read.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from config.errors import DamageFound, FormatTooNew, ObjectMissing
from jobs.archive.commit import MAX_COMMIT_BYTES, commit_key, decode_commit, digest, parse_commit_key
from jobs.archive.signing import UNSIGNED
from jobs.store.keys import fault_of_key

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from jobs.archive.commit import StoredCommit
    from jobs.store import StoredObject

MOST_BEYOND = 1_000
"""So many commits behind the end that is known are counted."""
MOST_FILES = 8
"""Of a commit: those of ours name one or two."""


class Readable(Protocol):
    """A store, as far as it is needed here."""

    def get(self, key: str, *, offset: int = 0, length: int | None = None) -> bytes:
        """As `ObjectStore.get`."""

    def stat(self, key: str) -> StoredObject:
        """As `ObjectStore.stat`."""

    def list(self, prefix: str, *, after: str = "") -> Iterator[StoredObject]:
        """As `ObjectStore.list`."""


@dataclass(frozen=True, slots=True)
class SeenCommit:
    """A commit as it was seen."""

    seq: int
    digest: str


@dataclass(frozen=True, slots=True)
class Finding:
    """What the store has of a commit that was seen."""

    seq: int
    fault: str | None
    """What is otherwise than it was; `None`: nothing."""
    signed: bool = False
    """Whether it carries a signature, which nothing here checks."""
    writer: str = ""


def glance_at(store: Readable, source: str, archive: str, seen: Sequence[SeenCommit]) -> list[Finding]:
    """Return what *store* has of each of *seen*, commits of *source* by number, whatever is wrong with one.

    Each must have the digest that was seen, be that commit of that archive, name the digest that was seen of the one
    before (where that is among *seen*), and what it names must be there in its size. Raises StoreError where the store
    does not answer.
    """
    known = {one.seq: one.digest for one in seen}
    return [_check(store, source, archive, one, known.get(one.seq - 1)) for one in seen]


def count_beyond(store: Readable, source: str, seq: int) -> int:
    """Return how many commits the log has behind number *seq*, MOST_BEYOND at most. Raises StoreError."""
    number = 0
    for item in store.list(f"log/{source}/", after=commit_key(source, seq)):
        number += parse_commit_key(item.key) is not None
        if number == MOST_BEYOND:
            break
    return number


def _check(store: Readable, source: str, archive: str, seen: SeenCommit, before: str | None) -> Finding:
    key = commit_key(source, seen.seq)
    try:
        data = store.get(key, length=MAX_COMMIT_BYTES + 1)
    except ObjectMissing:
        return Finding(seen.seq, "missing: the end of the log was taken away, or this object alone")
    found = digest(data)
    if found != seen.digest:
        return Finding(seen.seq, f"found {found}, but it was seen with {seen.digest}: it was written anew")
    try:
        stored = decode_commit(data, key)
    except (DamageFound, FormatTooNew) as error:
        return Finding(seen.seq, str(error))
    commit = stored.commit
    fault = None
    if (commit.source, commit.seq, commit.archive) != (source, seen.seq, archive):
        fault = "it is another log's commit"
    elif before is not None and commit.previous != before:
        fault = f"the chain breaks: it names {commit.previous} before it, but that one has {before}"
    return Finding(
        seen.seq,
        fault or _find_missing(store, stored),
        signed=stored.signature != UNSIGNED,
        writer=commit.writer[:100],
    )


def _find_missing(store: Readable, stored: StoredCommit) -> str | None:
    """Return which of the objects that a commit names is not there as it says; `None`: all are, by their sizes."""
    for file in stored.commit.files[:MOST_FILES]:
        if (fault := fault_of_key(file.key)) is not None:
            return f"it names {file.key[:200]!a}, which {fault}"
        try:
            size = store.stat(file.key).size_bytes
        except ObjectMissing:
            return f"{file.key}: missing"
        if size != file.size_bytes:
            return f"{file.key}: has {size} bytes, committed were {file.size_bytes}"
    return None
