"""The check of one source: its log, the files and objects that it names, and what is read of them."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from jobs.archive.commit import REPLACING_KINDS, SEGMENT_KINDS
from jobs.verify.captures import Captures
from jobs.verify.chain import walk_log
from jobs.verify.compacted import check_compacted
from jobs.verify.files import CommittedFiles, valid_files
from jobs.verify.packs import NamedObjects
from jobs.verify.plan import Depth
from jobs.verify.reading import WARC_ENDING
from jobs.verify.references import check_snapshot_of, find_referred
from jobs.verify.report import Notes
from jobs.verify.segment import look_inside
from jobs.verify.signatures import LogSignatures
from jobs.verify.tombstones import Tombstones
from jobs.verify.trace import LogTrace
from jobs.verify.withdrawn import Withdrawn

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

    from crawler.rows import SnapshotRow
    from jobs.archive.commit import Commit, CommittedFile
    from jobs.archive.keys import KeyRing
    from jobs.store import ObjectStore
    from jobs.verify.deriving import Deriving, Job
    from jobs.verify.plan import Plan
    from jobs.verify.reading import FileReader, ReadFile
    from jobs.verify.report import Progress, VerifyReport
    from jobs.verify.resuming import CheckMemory, Sound
    from jobs.verify.trace import Identity


@dataclass(frozen=True, slots=True)
class Check:
    """What the checks of all sources share."""

    store: ObjectStore
    identity: Identity
    ring: KeyRing
    """The archive's keys."""
    report: VerifyReport
    plan: Plan
    reader: FileReader
    progress: Progress | None
    deriving: Deriving | None
    memory: CheckMemory | None = None
    """Of what an earlier try found sound."""


@dataclass(frozen=True, slots=True)
class _Pending:
    """A snapshot of a capture whose segment was committed later."""

    row: SnapshotRow
    line: int
    notes: Notes


class SourceCheck:
    """The check of one source."""

    def __init__(self, check: Check, source: str) -> None:
        self._check = check
        self._store = check.store
        self._report = check.report
        self._source = source
        self._files = CommittedFiles(check.store, source, check.report, check.plan, check.progress)
        self._withdrawn = Withdrawn(source, check.report)
        self._tombstones = Tombstones(check.ring, source)
        self._named = NamedObjects(check.store, source, check.report, check.plan)

    def run(self) -> Generator[Job]:
        """Walk the log, then look for the files, then read them; yield the texts that are to be made anew."""
        commits: list[Commit] = []
        segments: dict[str, int] = {}
        trace = LogTrace()
        signatures = LogSignatures(self._check.ring, self._source, self._report)
        for stored in walk_log(
            self._store, self._check.identity, self._source, self._report, trace, signatures=signatures
        ):
            commit = stored.commit
            self._note_repeat(commit, segments)
            self._files.expect(commit, replaces=self._withdrawn.take(commit))
            self._tombstones.take(commit)
            self._named.expect(commit)
            if self._check.plan.depth is Depth.READ:
                detail = commit.detail if commit.kind in REPLACING_KINDS else {}
                commits.append(replace(commit, detail=detail, since=(), files=tuple(valid_files(commit))))
        self._report.counts.segments += len(segments)
        self._files.look()
        self._withdrawn.tell()
        with tempfile.TemporaryDirectory(prefix="ofrecord-verify-") as name:
            self._named.check(trace, Path(name))
        if commits:
            yield from self._read_all(commits, segments, trace.digests)

    def _note_repeat(self, commit: Commit, segments: dict[str, int]) -> None:
        if commit.segment is None or commit.kind not in SEGMENT_KINDS:
            return
        first = segments.setdefault(commit.segment, commit.seq)
        if first != commit.seq:
            Notes(self._report, f"log/{self._source}/{commit.seq:012d}").notice(
                f"repeats segment {commit.segment} of commit {first}; it counts once, there"
            )

    def _read_all(self, commits: list[Commit], segments: dict[str, int], digests: dict[int, str]) -> Generator[Job]:
        known: set[str] = set()
        pending: list[_Pending] = []
        commits = self._withdrawn.arrange(commits, self._files)
        self._check.reader.announce(self._files.count_bytes())
        memory = self._check.memory
        sound: dict[int, Sound] = {}
        with Captures(self._source, segments) as captures:
            for commit, read in self._check.reader.read(self._choose(commits, digests, segments, sound)):
                remembered = sound.pop(commit.seq, None)
                if remembered is not None:
                    self._recall(commit, remembered, captures)
                    known |= commit.derivations.keys()
                    continue
                before = self._mark(captures)
                waiting = len(pending)
                yield from self._read_commit(commit, read, captures, known, pending)
                known |= commit.derivations.keys()
                after = self._mark(captures)
                file = next((file for file in commit.files if [*read] == [file.key]), None)
                if memory is not None and file and before[2:] == after[2:] and waiting == len(pending):
                    memory.note(
                        commit, digests[commit.seq], (file, after[0] - before[0], after[1] - before[1]), captures
                    )
            for one in pending:
                _finish_reference(one, captures)

    def _mark(self, captures: Captures) -> tuple[int, int, int, int]:
        """Return what tells whether a commit was found sound: records and rows, findings and open questions so far."""
        report = self._report
        return report.counts.records, report.counts.rows, len(report.findings), captures.untold

    def _choose(
        self, commits: list[Commit], digests: dict[int, str], segments: dict[str, int], sound: dict[int, Sound]
    ) -> Iterator[tuple[Commit, list[CommittedFile]]]:
        """Yield the commits with the files to be read; those of which an earlier try's word holds go to *sound*."""
        memory = self._check.memory
        for commit in commits:
            chosen = self._files.choose(commit)
            first = commit.segment is not None and segments.get(commit.segment) == commit.seq
            if memory is not None and first and [file.key.endswith(WARC_ENDING) for file in chosen] == [True]:
                remembered = memory.find(commit, digests[commit.seq], chosen[0])
                if remembered is not None:
                    sound[commit.seq] = remembered
                    chosen = []
            yield commit, chosen

    def _recall(self, commit: Commit, sound: Sound, captures: Captures) -> None:
        """Take in what an earlier try found."""
        key = next(file.key for file in commit.files if file.key.endswith(WARC_ENDING))
        captures.restore(str(commit.segment), key, sound.keys, sound.captures)
        self._report.counts.records += sound.records
        self._report.counts.rows += sound.rows
        self._files.skip(commit)

    def _read_commit(
        self,
        commit: Commit,
        read: dict[str, ReadFile],
        captures: Captures,
        known: set[str],
        pending: list[_Pending],
    ) -> Generator[Job]:
        local = self._files.take(commit, read)
        self._tombstones.check(read, self._report)
        if commit.kind in REPLACING_KINDS:
            check_compacted(commit, local, self._report, rederiving=self._check.deriving is not None)
        if commit.kind not in SEGMENT_KINDS:
            return
        deriving = self._check.deriving
        if deriving is not None:
            deriving.learn(commit.derivations)
        found = look_inside(commit, local, captures, known, self._report, allow=self._withdrawn.allow)
        pending += [_Pending(row, line, found.notes) for line, row in found.pending]
        if deriving is not None and found.rows is not None:
            yield from deriving.list_jobs(found.rows, found.segment, captures, found.notes.key, found.notes)


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
