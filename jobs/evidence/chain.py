"""Commits, keys and heads in a bundle → who vouches for what, and since when it cannot have been altered.

Works on what strangers wrote as on what was just gathered: every digest and signature is computed anew.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from config.errors import ArchiveMissing, DamageFound, FormatTooNew, ObjectMissing
from jobs.archive.commit import MAX_COMMIT_BYTES, CommittedFile, RowsPlace, commit_key, decode_commit
from jobs.archive.identity import read_info
from jobs.archive.keys import KeyRing, Standing, read_ring
from jobs.archive.packs import check_chained
from jobs.archive.replacing import parse_replacement
from jobs.archive.signing import parse_signatures, split_document
from jobs.evidence.heads import HeadFact, check_head
from jobs.evidence.manifest import FOLDER, MANIFEST, MAX_COMMITS, commit_path
from jobs.evidence.parts import open_parts

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime
    from pathlib import Path

    from jobs.archive.commit import StoredCommit
    from jobs.archive.replacing import MovedSegment
    from jobs.evidence.findings import Findings
    from jobs.evidence.manifest import Manifest, RunTold
    from jobs.evidence.parts import Parts
    from jobs.store import ObjectStore


@dataclass(frozen=True, slots=True)
class CommitFact:
    """A commit in the bundle, sound by itself and in its place."""

    seq: int
    digest: str
    committed: datetime
    kind: str
    segment: str | None
    rows: RowsPlace | None
    files: tuple[CommittedFile, ...]
    standing: Standing
    signers: tuple[str, ...]
    """Fingerprints, of the signatures that hold."""
    moved: dict[str, MovedSegment]
    """Segments that it wrote anew → where their rows lie since."""


@dataclass(slots=True)
class ChainFacts:
    """What the commits in a bundle, and what stands above them, come to."""

    archive: str = ""
    keys: tuple[str, ...] = ()
    """Fingerprints of the archive's keys, as the bundle has them, the first one first."""
    anchored: str | None = None
    """The fingerprint that the reader trusts, and that the keys stand by."""
    commits: dict[int, CommitFact] = field(default_factory=dict)
    heads: dict[int, HeadFact] = field(default_factory=dict)
    """By number."""
    runs: list[RunTold] = field(default_factory=list)

    @property
    def signed(self) -> bool:
        """Whether every commit is signed by the key that it had to be signed by."""
        return bool(self.commits) and all(one.standing is Standing.SIGNED for one in self.commits.values())

    def find_run(self, seq: int) -> RunTold | None:
        """Return the run of commits that commit *seq* is in."""
        at = bisect_right(self.runs, seq, key=lambda one: one.first)
        return self.runs[at - 1] if at and seq <= self.runs[at - 1].last else None

    def find_head(self, seq: int) -> HeadFact | None:
        """Return the head that commit *seq* leads to, if one does."""
        run = self.find_run(seq)
        return self.heads.get(run.head) if run and run.head else None


def check_chain(
    parts: Parts, manifest: Manifest, findings: Findings, *, trusted: Collection[str] = (), ca_file: Path | None = None
) -> ChainFacts:
    """Return what commits, keys and heads come to; what is wrong goes to *findings*.

    *trusted*: fingerprints that the reader had from elsewhere. *ca_file*: PEM of the roots that stamps are checked by.
    """
    facts = ChainFacts()
    store = open_parts(parts, manifest.source)
    try:
        info = read_info(store)
    except (ArchiveMissing, DamageFound, FormatTooNew) as error:
        findings.damage(f"{FOLDER}ofrecord.json", str(error))
        return facts
    facts.archive = info.archive
    if info.archive != manifest.archive:
        findings.damage(f"{FOLDER}ofrecord.json", f"is archive {info.archive}, the manifest says {manifest.archive}")
    ring, faults = read_ring(store, info.archive, info.digest)
    for fault in faults:
        findings.damage(f"{FOLDER}{fault.key.replace('keys/', 'key-')}", fault.message)
    facts.keys = tuple(key.key_id for key in ring.keys)
    _anchor(ring, facts, trusted, findings)
    for run in manifest.runs:
        _check_run(store, ring, run, facts, findings, source=manifest.source, origin=info.digest)
    _find_loose(parts, facts, findings)
    seen: set[int] = set()
    for run in facts.runs:
        if run.head in seen:  # it names one commit of the log: that of the first such run
            findings.damage(MANIFEST, f"commits {run.first} to {run.last} lead to head {run.head}, as others do")
        elif run.head is not None:
            seen.add(run.head)
            end = facts.commits[run.last]
            head = check_head(
                store,
                ring,
                run.head,
                findings,
                archive=info.archive,
                source=manifest.source,
                end=(end.seq, end.digest),
                ca_file=ca_file,
            )
            if head is not None:
                facts.heads[run.head] = head
    return facts


def _anchor(ring: KeyRing, facts: ChainFacts, trusted: Collection[str], findings: Findings) -> None:
    if not trusted:
        return
    anchor = ring.anchors(trusted)
    if anchor is None:
        names = ", ".join(f"{one[:16]}…" for one in trusted)
        found = ", ".join(f"{key.key_id[:16]}…" for key in ring.keys) or "no key: the archive is unsigned"
        findings.damage(FOLDER, f"not signed by the key that is trusted ({names}): found {found}")
    else:
        facts.anchored = anchor.key_id


def _check_run(
    store: ObjectStore, ring: KeyRing, run: RunTold, facts: ChainFacts, findings: Findings, *, source: str, origin: str
) -> None:
    """Take the commits of *run* into *facts*, as far as they are sound. *origin*: digest of `ofrecord.json`."""
    before = facts.runs[-1].last if facts.runs else 0
    if run.first <= before or run.last < run.first:
        findings.damage(MANIFEST, f"commits {run.first} to {run.last} do not come after commit {before}")
        return
    previous = origin if run.first == 1 else None
    if run.first - 1 in facts.commits:
        previous = facts.commits[run.first - 1].digest
    for seq in range(run.first, run.last + 1):
        if len(facts.commits) >= MAX_COMMITS:
            findings.damage(MANIFEST, f"more than {MAX_COMMITS} commits")
            return
        where = commit_path(seq)
        try:
            data = store.get(commit_key(source, seq), length=MAX_COMMIT_BYTES + 1)
            stored = decode_commit(data, where)
            check_chained(stored, source, facts.archive, seq, previous)
            fact = _judge_commit(stored, data, ring, findings)
        except ObjectMissing:
            findings.damage(where, "missing, though the manifest names it")
            return
        except (DamageFound, FormatTooNew, ValueError) as error:
            findings.damage(where, str(error).removeprefix(f"{where}: "))
            return
        facts.commits[seq] = fact
        previous = fact.digest
    facts.runs.append(run)


def _judge_commit(stored: StoredCommit, data: bytes, ring: KeyRing, findings: Findings) -> CommitFact:
    """Return what a commit says, and who signed it. Raises DamageFound and ValueError where that cannot be read."""
    commit = stored.commit
    where = commit_path(commit.seq)
    line, signature = split_document(data, where, "a commit", MAX_COMMIT_BYTES)
    signed, signatures = line + b"\n", parse_signatures(signature)
    judged = ring.judge(commit.source, commit.seq, signed, signatures)
    if judged.standing is Standing.FAULTY:
        findings.damage(where, judged.reason)
    replacement = parse_replacement(commit)
    keys = {key.key_id: key.public for key in ring.keys if key.public}
    held = [one.key_id for one in signatures if one.key_id in keys and keys[one.key_id].has_signed(signed, one)]
    return CommitFact(
        seq=commit.seq,
        digest=stored.digest,
        committed=commit.committed,
        kind=commit.kind,
        segment=commit.segment,
        rows=commit.rows,
        files=commit.files,
        standing=judged.standing,
        signers=tuple(dict.fromkeys(held)),
        moved={one.segment: one for one in replacement.segments} if replacement else {},
    )


def _find_loose(parts: Parts, facts: ChainFacts, findings: Findings) -> None:
    """Tell of commits that no run has: nobody checked where they belong."""
    expected = {commit_path(seq) for seq in facts.commits}
    for path in sorted(parts.sizes()):
        if path.startswith(f"{FOLDER}commit-") and path not in expected:
            findings.damage(path, "a commit that leads nowhere: no run of the manifest has it")
