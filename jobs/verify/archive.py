"""The whole check: identity, logs, files, and in a full check every byte of them. A store in, a report out."""

from __future__ import annotations

import tempfile
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from config.errors import ArchiveMissing, DamageFound, StoreError
from jobs.archive.commit import SEGMENT_KINDS, digest
from jobs.archive.identity import INFO_KEY, list_sources, read_info
from jobs.verify.captures import Captures
from jobs.verify.chain import Identity, LogTrace, walk_log
from jobs.verify.deriving import Deriving, compare_texts
from jobs.verify.files import CommittedFiles, valid_files
from jobs.verify.packs import NamedObjects
from jobs.verify.references import check_snapshot_of, find_referred
from jobs.verify.report import Notes, VerifyReport
from jobs.verify.segment import look_inside
from jobs.verify.signatures import LogSignatures, check_keys

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Sequence

    from crawler.rows import SnapshotRow
    from jobs.archive.commit import Commit
    from jobs.archive.keys import KeyRing
    from jobs.segments.pages import DerivingLimits
    from jobs.store import ObjectStore
    from jobs.verify.deriving import Job
    from jobs.verify.report import Progress


def verify_archive(
    store: ObjectStore,
    *,
    full: bool,
    sources: list[str] | None = None,
    progress: Progress | None = None,
    rederive: DerivingLimits | None = None,
    trusted: Sequence[str] = (),
) -> VerifyReport:
    """Check the archive in *store*: its logs and that every file is there; if *full*, every byte of every file.

    *sources*: only these. *progress* is told before and after each file that is read. *rederive*: also make every text
    anew that the running program made, within these limits; such a check is full. *trusted*: fingerprints of keys that
    the log must be signed by. Damage is in the report, never an exception. Raises ArchiveMissing, FormatTooNew and,
    where the store fails as a whole, StoreError.
    """
    report = VerifyReport(full=full or rederive is not None)
    identity = _read_identity(store, report)
    logged = list_sources(store)
    ring = check_keys(store, identity, report, trusted)
    chosen = sorted({*logged, *store.folders("segments/"), *ring.sources}) if sources is None else sources
    for source in chosen:
        if source not in logged and sources is not None:
            Notes(report, f"log/{source}/").notice("this source has no log here")
    deriving = None if rederive is None else Deriving(store, rederive)
    checks = (
        _SourceCheck(store, identity, source, report, ring, progress=progress, deriving=deriving) for source in chosen
    )
    with closing(_run_all(checks)) as jobs:
        if rederive is not None:
            compare_texts(jobs, rederive, report)
        for _ in jobs:
            pass  # the checks run as their jobs are asked for, and without *rederive* there is none
    _note_limits(report)
    return report


def _run_all(checks: Iterable[_SourceCheck]) -> Generator[Job]:
    for check in checks:
        yield from check.run()


def _read_identity(store: ObjectStore, report: VerifyReport) -> Identity:
    notes = Notes(report, INFO_KEY)
    try:
        info = read_info(store)
    except ArchiveMissing:
        if not _has_logs(store):
            raise
        notes.damage("missing, but there are logs")
        return Identity(None, "")
    except DamageFound as error:
        notes.damage(str(error))
        return Identity(None, digest(store.get(INFO_KEY)))
    return Identity(info.archive, info.digest)


def _has_logs(store: ObjectStore) -> bool:
    try:
        return bool(list_sources(store))
    except StoreError:
        return False


def _note_limits(report: VerifyReport) -> None:
    if report.heads:
        Notes(report, "log/").notice(
            "only a head kept outside tells whether the last commit of a log was changed or later ones were taken away"
        )


@dataclass(frozen=True, slots=True)
class _Pending:
    """A snapshot of a capture whose segment was committed later."""

    row: SnapshotRow
    line: int
    notes: Notes


class _SourceCheck:
    """The check of one source."""

    def __init__(
        self,
        store: ObjectStore,
        identity: Identity,
        source: str,
        report: VerifyReport,
        ring: KeyRing,
        *,
        progress: Progress | None,
        deriving: Deriving | None,
    ) -> None:
        self._store = store
        self._identity = identity
        self._source = source
        self._report = report
        self._files = CommittedFiles(store, source, report, progress)
        self._named = NamedObjects(store, source, report)
        self._deriving = deriving
        self._ring = ring

    def run(self) -> Generator[Job]:
        """Walk the log, then look for the files, then read them; yield the texts that are to be made anew."""
        commits: list[Commit] = []
        segments: dict[str, int] = {}
        trace = LogTrace()
        signatures = LogSignatures(self._ring, self._source, self._report)
        for stored in walk_log(self._store, self._identity, self._source, self._report, trace, signatures=signatures):
            commit = stored.commit
            self._note_repeat(commit, segments)
            self._files.expect(commit)
            self._named.expect(commit)
            if self._report.full:
                commits.append(replace(commit, detail={}, since=(), files=tuple(valid_files(commit))))
        self._report.counts.segments += len(segments)
        self._files.look()
        with tempfile.TemporaryDirectory(prefix="ofrecord-verify-") as name:
            self._named.check(trace, Path(name))
        if commits:
            yield from self._read_all(commits, segments)

    def _note_repeat(self, commit: Commit, segments: dict[str, int]) -> None:
        if commit.segment is None or commit.kind not in SEGMENT_KINDS:
            return
        first = segments.setdefault(commit.segment, commit.seq)
        if first != commit.seq:
            Notes(self._report, f"log/{self._source}/{commit.seq:012d}").notice(
                f"repeats segment {commit.segment} of commit {first}; it counts once, there"
            )

    def _read_all(self, commits: list[Commit], segments: dict[str, int]) -> Generator[Job]:
        known: set[str] = set()
        pending: list[_Pending] = []
        with Captures(self._source, segments) as captures:
            for commit in commits:
                yield from self._read_commit(commit, captures, known, pending)
                known |= commit.derivations.keys()
            for one in pending:
                _finish_reference(one, captures)

    def _read_commit(
        self, commit: Commit, captures: Captures, known: set[str], pending: list[_Pending]
    ) -> Generator[Job]:
        with tempfile.TemporaryDirectory(prefix="ofrecord-verify-") as name:
            local: dict[str, Path] = {}
            for number, file in enumerate(commit.files):
                path = self._files.fetch(file.key, commit.seq, Path(name) / str(number))
                if path is not None:
                    local[file.key] = path
            if commit.kind not in SEGMENT_KINDS:
                return
            if self._deriving is not None:
                self._deriving.learn(commit.derivations)
            found = look_inside(commit, local, captures, known, self._report)
            pending += [_Pending(row, line, found.notes) for line, row in found.pending]
            if self._deriving is not None and found.rows is not None:
                yield from self._deriving.list_jobs(found.rows, found.segment, captures, found.notes.key, found.notes)


def _finish_reference(pending: _Pending, captures: Captures) -> None:
    """Check a snapshot that named a capture before its segment was read."""
    row, line = pending.row, pending.line
    if row.of is None:
        return
    fact, fault = find_referred(captures, row.of)
    if fault is not None:
        pending.notes.damage(f"a snapshot of what is not there: {fault}", line=line)
    for one in check_snapshot_of(row, fact) if fact else ():
        pending.notes.damage(f"{one} {row.of.n} of {row.of.segment[:120]!a}", line=line)
