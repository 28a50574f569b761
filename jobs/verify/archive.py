"""The whole check: identity, logs, files, and in a full check every byte of them. A store in, a report out."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from config.errors import ArchiveMissing, DamageFound, ObjectDiffers, ObjectMissing, StoreError
from jobs.archive import INFO_KEY, CommittedFile, digest, list_sources, read_info
from jobs.seal import hash_file
from jobs.store.keys import fault_of_key
from jobs.verify.chain import Identity, walk_log
from jobs.verify.members import Record, walk_records
from jobs.verify.report import Finding, Notes, Progress, Severity, VerifyReport
from jobs.verify.rows import MAX_CAPTURES, RowsSummary, check_rows

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from jobs.archive import Commit
    from jobs.store import ObjectStore, StoredObject

READ_INSIDE = frozenset({"segment", "ledger", "adopt"})
"""Kinds whose files are a segment as FORMAT.md § 5 has it."""
MAX_EXCESS_BYTES = 16 * 1024 * 1024
"""A file that is longer than committed by more than this is not fetched: it could fill the disk."""

_WARC = ".warc.gz"
_ROWS = ".rows.jsonl.zst"


def verify_archive(
    store: ObjectStore, *, full: bool, sources: list[str] | None = None, progress: Progress | None = None
) -> VerifyReport:
    """Check the archive in *store*: its logs and that every file is there; if *full*, every byte of every file.

    *sources*: only these. *progress* is told each file re-read. Damage is in the report, never an exception.
    Raises ArchiveMissing, FormatTooNew and StoreError where nothing can be checked.
    """
    report = VerifyReport(full=full)
    identity = _read_identity(store, report)
    logged = list_sources(store)
    report.unsigned = next(iter(store.list("keys/")), None) is None
    chosen = sorted({*logged, *store.folders("segments/")}) if sources is None else sources
    for source in chosen:
        if source not in logged and sources is not None:
            Notes(report, f"log/{source}/").notice("this source has no log here")
        _SourceCheck(store, identity, source, report, progress).run()
    _note_limits(report)
    return report


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
    if report.unsigned:
        Notes(report, "keys/").notice("unsigned: whoever may write to the store could have rewritten all of it")
    else:
        Notes(report, "keys/").notice("signed, but this version checks no signatures")


@dataclass(slots=True)
class _Expected:
    """A committed file as the log leaves it."""

    file: CommittedFile
    seq: int
    found_bytes: int | None = None
    """Its size in the store; `None`: not there."""


class _SourceCheck:
    """The check of one source."""

    def __init__(
        self,
        store: ObjectStore,
        identity: Identity,
        source: str,
        report: VerifyReport,
        progress: Progress | None,
    ) -> None:
        self._store = store
        self._identity = identity
        self._source = source
        self._report = report
        self._progress = progress or (lambda _key, _size: None)
        self._expected: dict[str, _Expected] = {}
        self._removed: set[str] = set()
        """Keys that a later commit's files took the place of: they may be there or not."""
        self._captures: dict[str, int] = {}
        """Segment → number of its captures, as far as its rows could be read."""
        self._references: dict[str, tuple[int, int, str]] = {}
        self._store_proves = True

    def run(self) -> None:
        """Walk the log, then look for the files, then read them."""
        commits = []
        segments: dict[str, int] = {}
        for stored in walk_log(self._store, self._identity, self._source, self._report):
            commit = stored.commit
            self._note_repeat(commit, segments)
            self._expect_files(commit)
            self._removed |= _list_replaced(commit) - {file.key for file in commit.files}
            if self._report.full:
                commits.append(replace(commit, detail={}, files=tuple(_valid_files(commit))))
        for key in self._removed:
            self._expected.pop(key, None)
        self._report.counts.segments += len(segments)
        self._report.counts.files += len(self._expected)
        self._report.counts.bytes += sum(one.file.size_bytes for one in self._expected.values())
        self._look_for_files()
        known: set[str] = set()
        for commit in commits:
            self._read_commit(commit, known)
            known |= commit.derivations.keys()
        self._finish_references()

    def _note_repeat(self, commit: Commit, segments: dict[str, int]) -> None:
        if commit.segment is None or commit.kind not in READ_INSIDE:
            return
        first = segments.setdefault(commit.segment, commit.seq)
        if first != commit.seq:
            self._add(
                Severity.NOTICE,
                f"log/{self._source}/{commit.seq:012d}",
                f"repeats segment {commit.segment} of commit {first}; it counts once, there",
            )

    def _expect_files(self, commit: Commit) -> None:
        changes = commit.kind in ("replace", "redact", "repair")
        for file in _valid_files(commit):
            before = self._expected.get(file.key)
            if before is None or changes:
                self._expected[file.key] = _Expected(file, commit.seq)
            elif (before.file.size_bytes, before.file.sha256) != (file.size_bytes, file.sha256):
                self._add(
                    Severity.DAMAGE,
                    f"log/{self._source}/{commit.seq:012d}",
                    f"says of {file.key} what commit {before.seq} contradicts",
                )

    def _look_for_files(self) -> None:
        for item in self._store.list(f"segments/{self._source}/"):
            expected = self._expected.get(item.key)
            if expected is not None:
                self._compare_size(expected, item)
            elif item.key not in self._removed:
                self._report.uncommitted.append(item.key)
        for key, expected in self._expected.items():
            if expected.found_bytes is not None:
                continue
            try:
                self._compare_size(expected, self._store.stat(key))
            except ObjectMissing:
                self._add(
                    Severity.DAMAGE, key, f"missing; commit {expected.seq} says it has {expected.file.size_bytes} bytes"
                )

    def _compare_size(self, expected: _Expected, item: StoredObject) -> None:
        file = expected.file
        expected.found_bytes = item.size_bytes
        if item.size_bytes != file.size_bytes:
            self._add(
                Severity.DAMAGE,
                file.key,
                f"found {item.size_bytes} bytes, commit {expected.seq} says {file.size_bytes}",
            )
            return
        proven = item.sha256 or (None if self._report.full else self._ask_digest(file.key))
        if proven is not None and proven != file.sha256:
            self._add(Severity.DAMAGE, file.key, _tell_digests(proven, file, expected.seq))

    def _ask_digest(self, key: str) -> str | None:
        """Return the digest that the store proves; asks no further once it was seen to prove none."""
        if not self._store_proves:
            return None
        try:
            proven = self._store.stat(key).sha256
        except ObjectMissing:
            return None
        self._store_proves = proven is not None
        return proven

    def _read_commit(self, commit: Commit, known: set[str]) -> None:
        with tempfile.TemporaryDirectory(prefix="ofrecord-verify-") as name:
            local: dict[str, Path] = {}
            for number, file in enumerate(commit.files):
                expected = self._expected.get(file.key)
                if expected is not None and expected.seq == commit.seq:
                    path = self._fetch(expected, Path(name) / str(number))
                    if path is not None:
                        local[file.key] = path
            for kind in ("checkpoint", "pack"):
                self._read_named(getattr(commit, kind), kind, Path(name) / kind)
            if commit.kind in READ_INSIDE:
                self._look_inside(commit, local, known)

    def _fetch(self, expected: _Expected, target: Path) -> Path | None:
        """Bring a committed file here and check its digest; `None` where there is nothing to look into."""
        file = expected.file
        if expected.found_bytes is None or expected.found_bytes > file.size_bytes + MAX_EXCESS_BYTES:
            return None
        try:
            self._store.fetch(file.key, target)
        except (ObjectMissing, ObjectDiffers) as error:
            self._add(Severity.DAMAGE, file.key, str(error))
            return None
        self._progress(file.key, file.size_bytes)
        found = hash_file(target)
        if found != file.sha256:
            self._add(Severity.DAMAGE, file.key, _tell_digests(found, file, expected.seq))
        return target

    def _read_named(self, named: dict[str, object] | None, kind: str, target: Path) -> None:
        if named is None:
            return
        key, sha256 = str(named.get("key")), named.get("sha256")
        folder = "checkpoint/" if kind == "checkpoint" else "log/"
        if fault_of_key(key) is not None or not key.startswith(f"{folder}{self._source}/"):
            self._add(Severity.DAMAGE, key[:200], f"no key of a {kind} of {self._source}, but a commit names it")
            return
        try:
            self._store.fetch(key, target)
        except (ObjectMissing, ObjectDiffers) as error:
            self._add(Severity.DAMAGE, key, str(error))
            return
        found = hash_file(target)
        if found != sha256:
            self._add(Severity.DAMAGE, key, f"found {found}, the commit that names it says {sha256}")

    def _look_inside(self, commit: Commit, local: dict[str, Path], known: set[str]) -> None:
        records: dict[int, Record] | None = None if any(f.key.endswith(_WARC) for f in commit.files) else {}
        for file in commit.files:
            if file.key.endswith(_WARC) and file.key in local:
                records = self._look_into_warc(commit, file, local[file.key])
        if commit.segment is not None and not any(key.endswith(_ROWS) for key in local):
            self._captures.setdefault(commit.segment, MAX_CAPTURES)
        for file in commit.files:
            if file.key.endswith(_ROWS) and file.key in local:
                notes = Notes(self._report, file.key)
                summary = check_rows(local[file.key], commit, records, known, notes)
                self._report.counts.rows += summary.lines
                if summary.lines != file.records:
                    notes.damage(f"found {summary.lines} rows, the commit says {file.records}")
                self._keep(commit, summary, file.key)

    def _look_into_warc(self, commit: Commit, file: CommittedFile, path: Path) -> dict[int, Record]:
        notes = Notes(self._report, file.key)
        records = {record.offset: record for record in walk_records(path, notes)}
        self._report.counts.records += len(records)
        if len(records) != file.records:
            notes.damage(f"found {len(records)} whole records, the commit says {file.records}")
        seen: set[str] = set()
        for record in records.values():
            if (record.kind == "warcinfo") != (record.offset == 0):
                notes.damage(
                    f"found a {record.kind} record, expected one warcinfo, at the beginning",
                    record=record.number,
                    offset=record.offset,
                )
            if record.record_id in seen:
                notes.damage(f"{record.record_id} stands twice", record=record.number, offset=record.offset)
            seen.add(record.record_id)
        first = records.get(0)
        if first is not None and first.filename != f"{commit.segment}{_WARC}":
            notes.damage(
                f"WARC-Filename: found {first.filename!a}, expected that of segment {commit.segment}",
                record=1,
                offset=0,
            )
        return records

    def _keep(self, commit: Commit, summary: RowsSummary, key: str) -> None:
        if commit.segment is not None:
            self._captures.setdefault(commit.segment, summary.captures)
        for segment, (n, line) in summary.references.items():
            if n > self._references.get(segment, (-1,))[0] or n < 0:
                self._references[segment] = (n, line, key)

    def _finish_references(self) -> None:
        for segment, (n, line, key) in self._references.items():
            if not 0 <= n < self._captures.get(segment, 0):
                message = f"a snapshot of capture {n} of segment {segment[:120]}, which no commit brought"
                self._report.findings.append(Finding(Severity.DAMAGE, key, message, line=line))

    def _add(self, severity: Severity, key: str, message: str) -> None:
        self._report.findings.append(Finding(severity, key, message))


def _valid_files(commit: Commit) -> Iterator[CommittedFile]:
    """Yield the files whose keys a store would take; the others are in the report already."""
    return (file for file in commit.files if fault_of_key(file.key) is None)


def _list_replaced(commit: Commit) -> set[str]:
    if commit.kind not in ("replace", "redact"):
        return set()
    return set(_read_keys(commit.replaces))


def _read_keys(named: Iterable[object]) -> Iterator[str]:
    for one in named:
        key = one.get("key") if isinstance(one, dict) else one
        if isinstance(key, str):
            yield key


def _tell_digests(found: str, file: CommittedFile, seq: int) -> str:
    return f"the bytes were changed: found {found}, commit {seq} says {file.sha256}"
