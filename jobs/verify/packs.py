"""Packs and checkpoints that commits name: there, as long and with the digest as named, and a pack what it sums up.

A pack that can be believed also says which missing or altered commits could be put back from it.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from config.errors import ObjectMissing, StoreError
from jobs.archive.commit import MAX_COMMIT_BYTES, commit_key
from jobs.archive.log import withdraws
from jobs.segments.seal import hash_file
from jobs.store.keys import fault_of_key
from jobs.verify.files import MAX_EXCESS_BYTES, fetch_object
from jobs.verify.report import Notes
from jobs.verify.unreadable import note_unreadable

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from jobs.archive.commit import Commit
    from jobs.store import ObjectStore
    from jobs.verify.plan import Plan
    from jobs.verify.report import VerifyReport
    from jobs.verify.trace import LogTrace

PACK_COMMITS = 1_000
"""Commits in a pack."""


@dataclass(frozen=True, slots=True)
class _Named:
    """A pack or checkpoint, as commit *seq* names it."""

    seq: int
    kind: str
    key: str
    size_bytes: object
    sha256: object
    first: object
    last: object
    read: bool
    """Whether it is to be read back."""


class NamedObjects:
    """The packs and checkpoints of one source."""

    def __init__(self, store: ObjectStore, source: str, report: VerifyReport, plan: Plan) -> None:
        self._store = store
        self._source = source
        self._report = report
        self._plan = plan
        self._named: list[_Named] = []
        self._withdrawn = 0
        """The last commit after which no earlier checkpoint may be believed."""
        self._pack = re.compile(rf"log/{re.escape(source)}/pack-([0-9]{{12}})-([0-9]{{12}})")

    def expect(self, commit: Commit) -> None:
        """Take in what *commit* names."""
        if withdraws(commit):
            self._withdrawn = commit.seq
        for kind in ("checkpoint", "pack"):
            fields: dict[str, Any] | None = getattr(commit, kind)
            if fields is not None:
                key = str(fields.get("key"))
                size_bytes, sha256, first, last = (fields.get(n) for n in ("size_bytes", "sha256", "first", "last"))
                read = self._plan.reads(commit, str(sha256))
                self._named.append(_Named(commit.seq, kind, key, size_bytes, sha256, first, last, read))

    def check(self, trace: LogTrace, folder: Path) -> None:
        """Check what was named; if the check is full, every byte of it, with *folder* as a place to work in."""
        known = {named.key for named in self._named if named.kind == "pack"}
        for key in trace.others:
            if self._pack.fullmatch(key) and key not in known:
                Notes(self._report, key).notice("no commit names this pack: nobody may believe it")
        newest = next((named.key for named in reversed(self._named) if self._counts(named)), "")
        looked_at: set[str] = set()
        for number, named in enumerate(self._named):
            fault = self._find_fault(named)
            if fault is not None:
                Notes(self._report, commit_key(self._source, named.seq)).damage(f"{named.kind}: {fault}")
            same = repr(replace(named, seq=0))  # most commits name the checkpoint that the one before named
            if fault_of_key(named.key) is not None or not self._is_own(named) or same in looked_at:
                continue
            looked_at.add(same)
            may_go = named.kind == "checkpoint" and named.key != newest
            self._check_object(named, trace, folder / f"named-{number}", may_go=may_go)

    def _counts(self, named: _Named) -> bool:
        return named.kind == "checkpoint" and named.seq > self._withdrawn

    def _is_own(self, named: _Named) -> bool:
        folder = "checkpoint" if named.kind == "checkpoint" else "log"
        return named.key.startswith(f"{folder}/{self._source}/")

    def _find_fault(self, named: _Named) -> str | None:
        if fault_of_key(named.key) is not None or not self._is_own(named):
            return f"names {named.key[:200]!a}, which is no key of a {named.kind} of {self._source}"
        if named.kind == "checkpoint":
            return None
        match = self._pack.fullmatch(named.key)
        if match is None or (int(match[1]), int(match[2])) != (named.first, named.last):
            return f"names {named.key[:200]!a} for commits {named.first!a} to {named.last!a}"
        first, last = int(match[1]), int(match[2])
        if last % PACK_COMMITS or first != last - PACK_COMMITS + 1:
            return f"names a pack of commits {first} to {last}, expected {PACK_COMMITS} that end at a multiple of that"
        if last >= named.seq:
            return f"names a pack of commits up to {last}, which are not all before it"
        return None

    def _check_object(self, named: _Named, trace: LogTrace, target: Path, *, may_go: bool) -> None:
        """Check what lies there. *may_go*: a checkpoint that is not the newest named may have been removed."""
        notes = Notes(self._report, named.key)
        try:
            found_bytes = self._store.stat(named.key).size_bytes
        except ObjectMissing:
            if not may_go:
                notes.damage(f"missing; commit {named.seq} names it")
            return
        except StoreError as error:
            note_unreadable(self._store, notes, error)
            return
        if found_bytes != named.size_bytes:
            notes.damage(f"found {found_bytes} bytes, commit {named.seq} says {named.size_bytes!a}")
        if not named.read:
            return
        most = named.size_bytes if isinstance(named.size_bytes, int) else 0
        if found_bytes > most + MAX_EXCESS_BYTES or not fetch_object(self._store, named.key, target, notes):
            return
        self._report.counts.packs += named.kind == "pack"
        found = hash_file(target)
        if found != named.sha256:
            notes.damage(f"the bytes were changed: found {found}, commit {named.seq} says {str(named.sha256)[:80]!a}")
        if named.kind == "pack" and isinstance(named.first, int) and isinstance(named.last, int):
            self._compare(named.first, named.last, target, notes, trace, believed=found == named.sha256)
        target.unlink()

    def _compare(self, first: int, last: int, path: Path, notes: Notes, trace: LogTrace, *, believed: bool) -> None:
        """Hold the commits in the pack *path* against those in the log."""
        held = 0
        for seq, line, found in _read_pack(path, first):
            held += 1
            if seq > last:
                notes.damage(f"goes on after commit {last}", line=line)
                return
            there = trace.digests.get(seq)
            if there == found:
                continue
            claimed = trace.claims.get(seq)
            if believed and there is None and claimed in (None, found):
                notes.notice(f"holds commit {seq}, which is missing: it can be put back from here", line=line)
            elif believed and claimed == found:
                notes.notice(f"holds commit {seq} as it was before it was altered", line=line)
            else:
                notes.damage(f"its commit {seq} has {found}, the one in the log {there or 'is missing'}", line=line)
        if held < last - first + 1:
            notes.damage(f"holds {held} commits, expected {last - first + 1}", line=2 * held + 1)


def _read_pack(path: Path, first: int) -> Iterator[tuple[int, int, str]]:
    """Yield number, first line and digest of each commit object in a pack; stops where there is none."""
    with path.open("rb") as file:
        seq, line = first, 1
        while head := file.readline(MAX_COMMIT_BYTES + 1):
            tail = file.readline(MAX_COMMIT_BYTES + 1)
            yield seq, line, "sha256:" + hashlib.sha256(head + tail).hexdigest()
            seq, line = seq + 1, line + 2
