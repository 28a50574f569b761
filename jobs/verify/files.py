"""The files that one source's log names: are they there, as long and with the digest as committed?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from config.errors import ObjectMissing, StoreError
from jobs.store.keys import fault_of_key
from jobs.verify.ahead import ask_ahead
from jobs.verify.plan import Depth
from jobs.verify.report import Notes, Step
from jobs.verify.unreadable import note_unreadable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from jobs.archive.commit import Commit, CommittedFile
    from jobs.store import ObjectStore, StoredObject
    from jobs.verify.plan import Plan
    from jobs.verify.reading import ReadFile
    from jobs.verify.report import Progress, VerifyReport

MAX_EXCESS_BYTES = 16 * 1024 * 1024
"""A file that is longer than committed by more than this is not fetched: it could fill the disk."""


@dataclass(slots=True)
class _Expected:
    """A committed file as the log leaves it."""

    file: CommittedFile
    seq: int
    looked_at: bool
    """Whether more than its size is of interest."""
    read: bool
    """Whether it is to be read back."""
    found_bytes: int | None = None
    """Its size in the store; `None`: not there."""
    may_go: bool = False
    """Whether it was replaced: then it may be missing, but not be another."""


class CommittedFiles:
    """What the log of one source says of its files, against the store."""

    def __init__(
        self, store: ObjectStore, source: str, report: VerifyReport, plan: Plan, progress: Progress | None
    ) -> None:
        self._store = store
        self._source = source
        self._report = report
        self._plan = plan
        self._progress = progress or (lambda _step: None)
        self._expected: dict[str, _Expected] = {}
        self._removed: set[str] = set()
        """Keys that a later commit's files took the place of: they may be there or not."""
        self._store_proves = True

    def expect(self, commit: Commit, *, replaces: bool) -> None:
        """Take in what *commit* says; commits in the order of the log. *replaces*: it soundly lets others go."""
        changes = commit.kind in ("replace", "redact")
        for file in valid_files(commit):
            if commit.kind == "repair" and not file.key.startswith("segments/"):
                continue  # a commit, a pack, a checkpoint: looked at as such
            before = self._expected.get(file.key)
            if before is None or changes:
                looked_at, read = self._plan.looks_at(commit), self._plan.reads(commit, file.sha256)
                self._expected[file.key] = _Expected(file, commit.seq, looked_at, read)
            elif (before.file.size_bytes, before.file.sha256) != (file.size_bytes, file.sha256):
                notes = Notes(self._report, f"log/{self._source}/{commit.seq:012d}")
                notes.damage(f"says of {file.key} what commit {before.seq} contradicts")
        if replaces:
            self._removed |= set(_read_keys(commit.replaces)) - {file.key for file in commit.files}

    def look(self) -> None:
        """See which files are there, and how long they are; once the whole log was taken in."""
        for key in self._removed & self._expected.keys():
            self._expected[key].may_go = True
        counts, wanted = self._report.counts, [one for one in self._expected.values() if not one.may_go]
        counts.files += len(wanted)
        counts.bytes += sum(one.file.size_bytes for one in wanted)
        for item, asked in ask_ahead(self._list(), self._prove):
            expected = self._expected.get(item.key)
            if expected is not None:
                self._compare(expected, item, asked.read())
            elif item.key not in self._removed:
                self._report.uncommitted.append(item.key)
        for key, expected in self._expected.items():
            if expected.found_bytes is None and not expected.may_go:
                self._look_for(key, expected)
        self._report.files_to_read += sum(map(_is_read, self._expected.values()))
        self._report.bytes_to_read += self.count_bytes()

    def assign(self, key: str, seq: int) -> bool:
        """Let the file *key* be commit *seq*'s to say; return whether there is such a file."""
        expected = self._expected.get(key)
        if expected is None:
            return False
        expected.seq = seq
        return True

    def count_bytes(self) -> int:
        """Return how many bytes there are to be read, as far as the log tells."""
        return sum(one.file.size_bytes for one in self._expected.values() if _is_read(one))

    def choose(self, commit: Commit) -> list[CommittedFile]:
        """Return those files of *commit* that are to be read back, and can be; tell that they come next."""
        chosen = []
        for file in commit.files:
            expected = self._find(file.key, commit.seq)
            if expected is not None:
                self._tell(file.key)
                size = expected.found_bytes
                if size is not None and size <= expected.file.size_bytes + MAX_EXCESS_BYTES:
                    chosen.append(expected.file)
        return chosen

    def take(self, commit: Commit, read: dict[str, ReadFile]) -> dict[str, ReadFile]:
        """Hold the files of *commit* that were *read* against it; return those that can be looked into, by key."""
        local: dict[str, ReadFile] = {}
        for key in [file.key for file in commit.files]:
            expected = self._find(key, commit.seq)
            if expected is None:
                continue  # it is another commit's to say, or it is not to be read
            one, file = read.get(key), expected.file
            if one is not None and one.error is not None:
                note_unreadable(self._store, Notes(self._report, key), one.error)
            elif one is not None and one.walked is not None:
                local[key] = one
                if one.walked.sha256 != file.sha256:
                    Notes(self._report, key).damage(_tell_digests(one.walked.sha256, file, expected.seq))
            self._report.files_read += 1
            self._report.bytes_read += file.size_bytes
            self._tell(key)
        return local

    def skip(self, commit: Commit) -> None:
        """Count the files of *commit* as read: an earlier try of this check did."""
        for file in commit.files:
            if self._find(file.key, commit.seq) is not None:
                self._report.files_read += 1
                self._report.bytes_read += file.size_bytes
                self._report.bytes_resumed += file.size_bytes
                self._tell(file.key)

    def _find(self, key: str, seq: int) -> _Expected | None:
        expected = self._expected.get(key)
        return expected if expected is not None and _is_read(expected) and expected.seq == seq else None

    def _list(self) -> Iterator[StoredObject]:
        prefix = f"segments/{self._source}/"
        try:
            yield from self._store.list(prefix)
        except StoreError as error:
            note_unreadable(self._store, Notes(self._report, prefix), error, "listed")

    def _look_for(self, key: str, expected: _Expected) -> None:
        notes = Notes(self._report, key)
        try:
            found = self._store.stat(key)
            self._compare(expected, found, found.sha256)
        except ObjectMissing:
            notes.damage(f"missing; commit {expected.seq} says it has {expected.file.size_bytes} bytes")
        except StoreError as error:
            note_unreadable(self._store, notes, error)

    def _prove(self, item: StoredObject) -> str | None:
        """Return the digest that the store proves of *item*, if there is one and it is of interest."""
        expected = self._expected.get(item.key)
        if expected is None or item.sha256 is not None or item.size_bytes != expected.file.size_bytes:
            return item.sha256
        asks = expected.looked_at and not expected.read and self._plan.depth is not Depth.QUICK
        return self._ask_digest(item.key) if asks else None

    def _compare(self, expected: _Expected, item: StoredObject, proven: str | None) -> None:
        file = expected.file
        notes = Notes(self._report, file.key)
        expected.found_bytes = item.size_bytes
        if item.size_bytes != file.size_bytes:
            notes.damage(f"found {item.size_bytes} bytes, commit {expected.seq} says {file.size_bytes}")
        elif proven is not None and proven != file.sha256:
            notes.damage(_tell_digests(proven, file, expected.seq))

    def _ask_digest(self, key: str) -> str | None:
        """Return the digest that the store proves; asks no further once it was seen to prove none."""
        if not self._store_proves:
            return None
        try:
            proven = self._store.stat(key).sha256
        except StoreError:
            return None
        self._store_proves = proven is not None
        return proven

    def _tell(self, key: str) -> None:
        report = self._report
        self._progress(
            Step(
                source=self._source,
                key=key,
                files=report.files_read,
                files_known=report.files_to_read,
                bytes=report.bytes_read,
                bytes_known=report.bytes_to_read,
                damages=report.damages,
                bytes_total=report.bytes_total,
                bytes_resumed=report.bytes_resumed,
            )
        )


def _is_read(one: _Expected) -> bool:
    return one.read and not (one.may_go and one.found_bytes is None)


def fetch_object(store: ObjectStore, key: str, target: Path, notes: Notes) -> bool:
    """Bring the object *key* to *target*; where that cannot be, take it down and return false."""
    try:
        store.fetch(key, target)
    except (StoreError, OSError) as error:
        note_unreadable(store, notes, error)
        return False
    return True


def valid_files(commit: Commit) -> Iterator[CommittedFile]:
    """Yield the files whose keys a store would take; the others are in the report already."""
    return (file for file in commit.files if fault_of_key(file.key) is None)


def _read_keys(named: Iterable[object]) -> Iterator[str]:
    for one in named:
        key = one.get("key") if isinstance(one, dict) else one
        if isinstance(key, str):
            yield key


def _tell_digests(found: str, file: CommittedFile, seq: int) -> str:
    return f"the bytes were changed: found {found}, commit {seq} says {file.sha256}"
