"""One source: what its commits name, then the commits in order, up to the end that its log had when it was listed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from config.errors import DamageFound, ObjectMissing
from jobs.archive.commit import commit_key, digest
from jobs.sync.keys import find_forged
from jobs.sync.log import ListedLog, find_fork
from jobs.sync.names import find_released, list_items
from jobs.sync.report import SourceReport, SourceState
from jobs.sync.withdrawals import Withdrawals, let_go, read_withdrawals
from jobs.verify import Head

if TYPE_CHECKING:
    from collections.abc import Iterator
    from concurrent.futures import Future

    from jobs.store import StoredObject
    from jobs.sync.context import Sync
    from jobs.sync.copying import Item
    from jobs.sync.log import LoggedCommit

_BATCH_COMMITS = 32


class SourceSync:
    """The copy of one source's log and of all that it names."""

    def __init__(self, sync: Sync, source: str) -> None:
        self._sync = sync
        self._source = source
        self._report = sync.report.sources.setdefault(source, SourceReport(source))
        # The log first: what its commits name was put before them, so that later listings show it.
        self._origin = ListedLog(sync.origin, sync.info, source)
        self._copy = ListedLog(sync.target, sync.info, source, absent=sync.absent)
        self._listed: dict[str, StoredObject] = {}
        """What the original has below `segments/`."""
        self._there: dict[str, int] = {}
        """Key → size in the copy."""
        self._named: set[str] = set()
        """Keys that were seen to."""
        self._released: dict[str, int] | None = None
        self._news = Withdrawals(source)
        """What commits that the copy lacks let go."""
        self._withdrawals = self._news
        """What all commits let go, where that matters."""
        self._unreadable: _StoppedError | None = None
        """Why the log cannot be read further."""

    def run(self) -> None:
        """Bring the copy up to the original's end, or take down why not. Raises StoreError, FormatTooNew."""
        origin, copy = self._origin, self._copy
        if origin.gap is not None:
            self._stop(commit_key(self._source, origin.end + 1), origin.gap)
        self._report.origin = self._head(origin)
        self._report.copy = self._head(copy)
        common = min(origin.end, copy.end)
        if common and origin.digest(common) != copy.digest(common):
            self._note_fork()
            return
        if copy.end > origin.end:
            if self._report.state is SourceState.WHOLE:
                self._report.state = SourceState.AHEAD
            return
        self._list_objects()
        self._look_for_withdrawals()
        self._bring(1 if self._sync.report.full else copy.end + 1, origin.end)
        if self._report.state is SourceState.WHOLE and not self._sync.report.full:
            self._heal(copy.end)
        if not self._sync.report.full:
            self._sync.report.objects_there += copy.end + len(self._found_unread())
        if self._report.state is SourceState.WHOLE:
            self._let_go()
            self._sync.report.uncommitted += sum(key not in self._named for key in self._missing())

    def _head(self, log: ListedLog) -> Head | None:
        return Head(log.end, log.digest(log.end)) if log.end else None

    def _list_objects(self) -> None:
        self._listed = {one.key: one for one in self._sync.origin.list(f"segments/{self._source}/")}
        for prefix in (f"segments/{self._source}/", f"checkpoint/{self._source}/"):
            self._there |= {one.key: one.size_bytes for one in self._sync.list_target(prefix)}
        self._there |= self._copy.packs

    def _look_for_withdrawals(self) -> None:
        """Read what the copy must not get, and what it must let go: of the whole log, where anything speaks for it."""
        origin, end = self._origin, self._copy.end
        self._news = read_withdrawals(
            self._sync, self._source, after=end, head=origin.digest(end) if end else "", end=origin.end
        )
        extra = any(key.startswith("segments/") and key not in self._listed for key in self._there)
        lacking = any(self._is_of_before(key, end) for key in self._missing())
        told = self._news.redacted or self._news.index.objects or self._news.index.deleted
        if end and (told or extra or lacking or self._sync.report.full):
            self._withdrawals = read_withdrawals(self._sync, self._source, after=0, head="", end=origin.end)
        else:
            self._withdrawals = self._news
        if self._news.redacted:
            self._sync.redacted[self._source] = self._news.redacted

    def _let_go(self) -> None:
        """Remove from the copy what its commits let go; its older versions, too, where such a commit is new."""
        news = self._news.index
        told = self._news.redacted > 0 or bool(news.deleted) or self._sync.report.full
        there = {key for key in self._there if not key.startswith("log/")}
        let_go(self._sync, self._withdrawals, there, sweep=told and bool(self._withdrawals.redacted))

    def _missing(self) -> list[str]:
        """Return the segments' objects that the copy does not have, as far as sizes tell, and would have to."""
        return [
            key
            for key, one in self._listed.items()
            if self._there.get(key) != one.size_bytes and key not in self._withdrawals.index.objects
        ]

    def _is_of_before(self, key: str, end: int) -> bool:
        """Whether the object *key* of the original may be one that commits up to *end* name: a later one is not."""
        modified, newest = self._listed[key].modified, self._origin.times.get(end)
        return modified is None or newest is None or modified <= newest

    def _found_unread(self) -> list[str]:
        """Return what the copy has of what was named by commits that nobody needed to read."""
        missing = {key for key in self._there if key.startswith("segments/") and key not in self._listed}
        missing.update(self._missing())
        return [key for key in self._there if key not in self._named and key not in missing]

    def _heal(self, end: int) -> None:
        """Put again what commits up to *end*, which the copy has, name and the copy lacks; else it has no commit.

        An object that was put after commit *end* was cannot be one of those: a writer at work puts it just now.
        """
        candidates = [
            self._listed[key].modified
            for key in self._missing()
            if key not in self._named and self._is_of_before(key, end)
        ]
        if not end or not candidates:
            return
        known = [modified for modified in candidates if modified is not None]
        first = 1
        if len(known) == len(candidates):
            later = (
                seq for seq in range(1, end + 1) if (time := self._origin.times[seq]) is None or time >= min(known)
            )
            first = next(later, end)
        self._bring(first, end)

    def _bring(self, first: int, last: int) -> None:
        """Bring commits *first* to *last* and what they name; stops at the first that cannot be had whole."""
        batch: list[tuple[LoggedCommit, list[tuple[Item, Future[bool | None]]]]] = []
        try:
            for one in self._read(first, last):
                batch.append((one, self._ask(one)))
                if len(batch) == _BATCH_COMMITS:
                    self._settle(batch)
            self._settle(batch)
            if self._unreadable is not None:
                raise self._unreadable
        except _StoppedError as stopped:
            self._stop(stopped.key, str(stopped))
        finally:
            for _, asked in batch:
                for _, future in asked:
                    future.cancel()

    def _read(self, first: int, last: int) -> Iterator[LoggedCommit]:
        if first > last:
            return
        previous = self._origin.digest(first - 1)
        commits = self._origin.read(self._sync.pool, first=first, previous=previous, last=last)
        number = first
        while number <= last:
            try:
                with self._sync.copier.reading(commit_key(self._source, number)):
                    one = next(commits)
                    self._require_signed(one)
            except DamageFound as error:
                # Told by the caller once the commits before it are settled.
                self._unreadable = _StoppedError(commit_key(self._source, number), str(error))
                return
            yield one
            number += 1

    def _require_signed(self, one: LoggedCommit) -> None:
        """Raise DamageFound if a commit that the copy lacks is not signed as it must be: nothing undoes it there."""
        if one.seq > self._copy.end and (fault := find_forged(self._sync, one.stored, one.data)) is not None:
            raise DamageFound(fault.removeprefix(f"{commit_key(self._source, one.seq)}: "))

    def _ask(self, one: LoggedCommit) -> list[tuple[Item, Future[bool | None]]]:
        asked = []
        for item, fault in list_items(one.stored.commit):
            if item is None:
                self._sync.report.notes.append(f"{commit_key(self._source, one.seq)}: {fault}; it is not copied")
            elif item.key not in self._named and self._withdrawals.lets_go(item.key, one.seq):
                self._named.add(item.key)
                self._sync.report.withheld += item.key in self._listed and item.key not in self._there
            elif item.key not in self._named:
                self._named.add(item.key)
                listed = self._listed.get(item.key)
                future = self._sync.ask(
                    item,
                    there_bytes=self._there.get(item.key),
                    listed_bytes=None if listed is None else listed.size_bytes,
                )
                asked.append((item, future))
        return asked

    def _settle(self, batch: list[tuple[LoggedCommit, list[tuple[Item, Future[bool | None]]]]]) -> None:
        """Wait for what the commits of *batch* name and put them, in order; empties *batch*."""
        while batch:
            one, asked = batch[0]
            for item, future in asked:
                error = self._sync.settle(self._source, item, future)
                if error is not None:
                    self._judge(one, item, error)
            self._put(one)
            batch.pop(0)

    def _judge(self, one: LoggedCommit, item: Item, error: Exception) -> None:
        if self._is_released(item.key, one):
            self._sync.report.notes.append(f"{item.key}: not as commit {one.seq} says, but a later one lets it go")
            return
        message = f"missing; commit {one.seq} says it has {item.size_bytes} bytes"
        message = message if isinstance(error, ObjectMissing) else str(error)
        if one.seq > self._copy.end:
            raise _StoppedError(item.key, message)
        self._sync.complain(item.key, message)

    def _is_released(self, key: str, one: LoggedCommit) -> bool:
        if self._released is None:
            # As it is now: what a commit of a moment ago let go may be gone already.
            log = ListedLog(self._sync.origin, self._sync.info, self._source)
            later = log.read(self._sync.pool, first=one.seq + 1, previous=one.stored.digest)
            self._released = find_released([one, *later])
        return self._released.get(key, 0) > one.seq

    def _put(self, one: LoggedCommit) -> None:
        key = commit_key(self._source, one.seq)
        if one.seq > self._copy.end:
            try:
                self._sync.put_small(key, one.data)
            except DamageFound as error:
                raise _StoppedError(key, f"{error}; others wrote to the copy") from error
            self._report.copy = Head(one.seq, one.stored.digest)
        elif self._sync.report.full:
            self._sync.report.objects_there += 1
            found = digest(self._copy.get(one.seq))
            if found != one.stored.digest:
                self._sync.complain(key, f"{self._copy.store.url}: found {found}, expected {one.stored.digest}")

    def _note_fork(self) -> None:
        origin, copy = self._origin, self._copy
        seq = find_fork(origin, copy)
        key = commit_key(self._source, seq)
        previous = origin.digest(seq - 1)
        for log in (origin, copy):
            fault = log.find_fault(seq, previous)
            if fault is not None:
                self._stop(key, f"damaged in {log.store.url}: {fault}")
                return
        self._report.state = SourceState.DIVERGED
        self._sync.complain(
            key,
            f"the logs part at commit {seq}: {origin.store.url} has {origin.digest(seq)}, "
            f"{copy.store.url} has {copy.digest(seq)}; the copy was written to by others: "
            "nothing of this source was copied; sync to another place",
        )

    def _stop(self, key: str, message: str) -> None:
        self._report.state = SourceState.STOPPED
        self._sync.complain(key, message)


class _StoppedError(Exception):
    """The log cannot be copied beyond the commit before."""

    def __init__(self, key: str, message: str) -> None:
        super().__init__(message)
        self.key = key
