"""A source's log as it was listed once: commits up to a fixed end, read ahead and checked, and two logs compared."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

from config.errors import DamageFound, FormatTooNew
from crawler.waits import wait_for
from jobs.archive.commit import MAX_COMMIT_BYTES, StoredCommit, commit_key, decode_commit, digest, parse_commit_key
from jobs.archive.packs import check_chained

if TYPE_CHECKING:
    from collections.abc import Iterator
    from concurrent.futures import Future, ThreadPoolExecutor
    from datetime import datetime

    from jobs.archive.identity import ArchiveInfo
    from jobs.store import ObjectStore

_READ_AHEAD = 16


@dataclass(frozen=True, slots=True)
class LoggedCommit:
    """A commit and its bytes, which alone may be copied."""

    stored: StoredCommit
    data: bytes

    @property
    def seq(self) -> int:
        """Its number."""
        return self.stored.commit.seq


class ListedLog:
    """The log of one source in one store. What is appended later is not part of it."""

    def __init__(self, store: ObjectStore, info: ArchiveInfo, source: str, *, absent: bool = False) -> None:
        self.store = store
        self.source = source
        self.times: dict[int, datetime | None] = {}
        """Number → when the commit was put, by the store's clock."""
        self.packs: dict[str, int] = {}
        """Key of a pack → its size."""
        self._info = info
        self._digests: dict[int, str] = {}
        for item in () if absent else store.list(f"log/{source}/"):
            parsed = parse_commit_key(item.key)
            if parsed is None:
                self.packs[item.key] = item.size_bytes
            elif parsed[1]:
                self.times[parsed[1]] = item.modified
        self.end = 0
        """The last number that is reached without a gap."""
        while self.end + 1 in self.times:
            self.end += 1

    @property
    def gap(self) -> str | None:
        """What is wrong after the end, in words."""
        beyond = next((seq for seq in sorted(self.times) if seq > self.end), None)
        return None if beyond is None else f"missing, but commit {beyond} is there"

    def get(self, seq: int) -> bytes:
        """Return the bytes of commit *seq*."""
        return self.store.get(commit_key(self.source, seq), length=MAX_COMMIT_BYTES + 1)

    def digest(self, seq: int) -> str:
        """Return the digest of commit *seq* as it lies there; of number 0, that of `ofrecord.json`."""
        if seq not in self._digests:
            self._digests[seq] = digest(self.get(seq)) if seq else self._info.digest
        return self._digests[seq]

    def read(self, pool: ThreadPoolExecutor, *, first: int, previous: str, last: int = 0) -> Iterator[LoggedCommit]:
        """Yield the commits *first* to *last* (or the end), each checked against the one before, several asked ahead.

        *previous*: digest of the commit before. Raises DamageFound, FormatTooNew, StoreError.
        """
        numbers = iter(range(first, (last or self.end) + 1))
        asked: deque[tuple[int, Future[bytes]]] = deque()
        try:
            asked.extend((seq, pool.submit(self.get, seq)) for seq in islice(numbers, _READ_AHEAD))
            while asked:
                seq, future = asked.popleft()
                found = self._check(seq, wait_for(future), previous)
                asked.extend((seq, pool.submit(self.get, seq)) for seq in islice(numbers, 1))
                yield found
                previous = found.stored.digest
        finally:
            for _, future in asked:
                future.cancel()

    def _check(self, seq: int, data: bytes, previous: str) -> LoggedCommit:
        key = commit_key(self.source, seq)
        stored = decode_commit(data, key)
        check_chained(stored, self.source, self._info.archive, seq, previous)
        return LoggedCommit(stored, data)

    def find_fault(self, seq: int, previous: str) -> str | None:
        """Return in words why commit *seq* cannot be what was written here; `None` if nothing speaks against it."""
        try:
            found = self._check(seq, self.get(seq), previous)
            if seq < self.end:
                key = commit_key(self.source, seq + 1)
                after = decode_commit(self.get(seq + 1), key)
                if after.commit.previous != found.stored.digest:
                    return f"found {found.stored.digest}, the commit after it names {after.commit.previous}"
        except (DamageFound, FormatTooNew) as error:
            return str(error)
        return None


def find_fork(one: ListedLog, other: ListedLog) -> int:
    """Return the first number at which two logs differ that differ at the last number of the shorter one."""
    same, differ = 0, min(one.end, other.end)
    while differ - same > 1:
        middle = (same + differ) // 2
        if one.digest(middle) == other.digest(middle):
            same = middle
        else:
            differ = middle
    return differ
