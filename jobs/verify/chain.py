"""One source's log, walked to its end whatever is wrong with it. Reads commits only."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from config.errors import DamageFound, FormatTooNew, ObjectMissing, StoreError
from jobs.archive.adoption import read_adopts
from jobs.archive.commit import (
    MAX_COMMIT_BYTES,
    SEGMENT_KINDS,
    SUPPORTED,
    StoredCommit,
    commit_key,
    decode_commit,
    digest,
    parse_commit_key,
)
from jobs.archive.log import MAX_SINCE, covered
from jobs.store.keys import fault_of_key
from jobs.verify.ahead import ask_ahead
from jobs.verify.report import Head, Notes
from jobs.verify.unreadable import note_unreadable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from jobs.archive.commit import Commit
    from jobs.store import ObjectStore, StoredObject
    from jobs.verify.report import VerifyReport
    from jobs.verify.signatures import LogSignatures
    from jobs.verify.trace import Identity, LogTrace

KINDS = frozenset({"segment", "ledger", "pack", "replace", "redact", "repair", "adopt", "key"})

_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")


def walk_log(
    store: ObjectStore,
    identity: Identity,
    source: str,
    report: VerifyReport,
    trace: LogTrace,
    *,
    signatures: LogSignatures,
) -> Iterator[StoredCommit]:
    """Yield the commits of *source* that can be read, by number; every fault of the chain goes to *report*."""
    previous: str | None = identity.info_digest
    expected, epoch = 1, 0
    for item, asked in ask_ahead(_list_log(store, source, report), lambda item: _get(store, item)):
        parsed = parse_commit_key(item.key)
        if parsed is None:
            trace.others.append(item.key)
            continue
        notes = Notes(report, item.key)
        seq = parsed[1]
        if seq == 0:
            notes.damage("commits are numbered from 1")
            continue
        if seq > expected:
            previous = None
            _note_gap(report, source, expected, seq)
        expected = seq + 1
        report.counts.commits += 1
        try:
            data = asked.read()
        except StoreError as error:
            note_unreadable(store, notes, error)
            previous = None
            continue
        found = digest(data)
        report.heads[source] = Head(seq, found)
        trace.digests[seq] = found
        try:
            stored = decode_commit(data, item.key)
        except (DamageFound, FormatTooNew) as error:
            notes.damage(str(error).removeprefix(f"{item.key}: "))
            previous = found
            continue
        commit = stored.commit
        trace.claims[seq - 1] = commit.previous
        _check_place(stored, identity, source, seq, notes)
        signatures.judge(stored, data, seq, notes)
        _check_links(commit, source, seq, previous, trace=trace, notes=notes)
        trace.rows[seq] = commit.rows if commit.kind in SEGMENT_KINDS else None
        trace.rows.pop(seq - MAX_SINCE, None)
        previous = found
        if 0 < commit.epoch < epoch:  # 0: by hand, under no lease, and so it gathers nothing
            notes.notice(f"late: of lease epoch {commit.epoch}, after one of epoch {epoch}")
        epoch = max(epoch, commit.epoch)
        yield stored
    signatures.finish(trace)
    _look_beyond(store, source, expected, report)


def _list_log(store: ObjectStore, source: str, report: VerifyReport) -> Iterator[StoredObject]:
    try:
        yield from store.list(f"log/{source}/")
    except StoreError as error:
        note_unreadable(store, Notes(report, f"log/{source}/"), error, "listed")


def _get(store: ObjectStore, item: StoredObject) -> bytes:
    """Return the object *item* if it is a commit: packs are read by who checks them."""
    return b"" if parse_commit_key(item.key) is None else store.get(item.key, length=MAX_COMMIT_BYTES + 1)


def _look_beyond(store: ObjectStore, source: str, seq: int, report: VerifyReport) -> None:
    """See that what follows the end of the log is not merely hidden from the listing, as a symbolic link would be."""
    key = commit_key(source, seq)
    try:
        store.stat(key)
    except ObjectMissing:
        return
    except StoreError as error:
        note_unreadable(store, Notes(report, key), error)


def _note_gap(report: VerifyReport, source: str, first: int, found: int) -> None:
    missing = "missing" if first == found - 1 else f"missing, and so is every commit up to {found - 1}"
    Notes(report, commit_key(source, first)).damage(f"{missing}, but commit {found} is there")


def _check_place(stored: StoredCommit, identity: Identity, source: str, seq: int, notes: Notes) -> None:
    commit = stored.commit
    if commit.seq != seq:
        notes.damage(f"holds commit {commit.seq}, expected {seq}")
    if commit.source != source:
        notes.damage(f"holds a commit of source {commit.source[:80]!a}, expected {source}")
    if identity.archive is not None and commit.archive != identity.archive:
        notes.damage(f"holds a commit of archive {commit.archive[:80]!a}, expected {identity.archive}")
    if commit.kind not in KINDS:
        notes.notice(f"of a kind that this version does not know: {commit.kind[:40]!a}")
    if unknown := sorted(set(commit.requires) - SUPPORTED):
        notes.notice(
            f"a reader must know {', '.join(unknown)[:200]!a}, which this version does not: not all was checked"
        )
    for fault in _find_faults(commit):
        notes.damage(fault)


def _find_faults(commit: Commit) -> Iterator[str]:
    for file in commit.files:
        fault = fault_of_key(file.key)
        if fault is not None:
            yield f"names a file {file.key[:200]!a}, which {fault}"
        elif not _DIGEST.fullmatch(file.sha256):
            yield f"{file.key}: found {file.size_bytes} bytes with {file.sha256[:80]!a}, expected a size and a digest"
        elif file.key.startswith("segments/"):
            yield from _find_place_faults(commit, file.key)
    if commit.kind in SEGMENT_KINDS:
        yield from _find_segment_faults(commit)
    try:
        read_adopts(commit)
    except DamageFound as error:
        yield str(error).partition(": ")[2]
    for derivation, meaning in commit.derivations.items():
        if derive_digest(meaning) != derivation:
            yield f"derivation {derivation[:80]!a} does not have the digest of what it stands for"


def _find_segment_faults(commit: Commit) -> Iterator[str]:
    """Yield what is wrong with the one file and the rows that *commit* makes a segment of."""
    if commit.releases and not commit.epoch:
        yield "gives up a lease, but was written under none: releases is true, epoch 0"
    if commit.segment is None and (commit.files or commit.kind == "segment"):
        yield "names no segment"
    found = sum(file.key.endswith(".warc.gz") for file in commit.files)
    if found > 1 or (not found and commit.kind == "segment"):
        yield f"names {found} files that end with .warc.gz, expected one"
    if commit.rows is None and (commit.files or commit.kind == "segment"):
        yield "does not say where its rows are"
    elif commit.rows is not None and not commit.rows.key.endswith(".warc.gz"):
        yield f"its rows are in {commit.rows.key[:200]!a}, expected a file that ends with .warc.gz"
    elif commit.rows is not None and not _DIGEST.fullmatch(commit.rows.sha256):
        yield f"its rows have {commit.rows.sha256[:80]!a}, expected a digest"


def _check_links(commit: Commit, source: str, seq: int, previous: str | None, *, trace: LogTrace, notes: Notes) -> None:
    """Hold what commit *seq* says of those before it against them. *previous*: digest of the last, if it is known."""
    if previous is not None and commit.previous != previous:
        before = commit_key(source, seq - 1) if seq > 1 else "ofrecord.json"
        notes.damage(
            f"the chain breaks: names {commit.previous} before it, but {before} has {previous}: one was altered"
        )
    for fault in _find_since_faults(commit, seq, trace):
        notes.damage(f"since: {fault}")


def _find_since_faults(commit: Commit, seq: int, trace: LogTrace) -> Iterator[str]:
    """Yield where `since` does not repeat what the commits before commit *seq* are, or were before an edit."""
    if not commit.since:
        return
    if len(commit.since) > MAX_SINCE:
        yield f"names {len(commit.since)} commits, at most {MAX_SINCE}"
        return
    first = covered(commit.checkpoint) + 1
    named = [link.seq for link in commit.since]
    if named[0] != first or named != list(range(seq - len(named), seq)):
        shown = ", ".join(map(str, named[:5]))
        yield f"names the commits {shown}{', …' if named[5:] else ''}; expected {first} to {seq - 1}, in order"
        return
    for link in commit.since:
        there, claimed = trace.digests.get(link.seq), trace.claims.get(link.seq)
        if link.sha256 not in (there, claimed) and (there or claimed) is not None:
            yield f"names {link.sha256[:80]!a} of commit {link.seq}, which has {there or claimed}"
        elif link.sha256 == there and link.rows != trace.rows.get(link.seq, link.rows):
            yield f"says of the rows of commit {link.seq} what that one contradicts"


def _find_place_faults(commit: Commit, key: str) -> Iterator[str]:
    folder = re.escape(f"segments/{commit.source}/") + r"sealed=\d{4}-\d{2}-\d{2}/"
    if not re.match(folder, key):
        yield f"names {key}, expected a file below segments/{commit.source}/sealed=<date>/"
    elif commit.kind == "segment" and key.rpartition("/")[2].partition(".")[0] != commit.segment:
        yield f"names {key}, expected a file of segment {commit.segment}"


def derive_digest(meaning: object) -> str:
    """Return the digest of *meaning* as FORMAT.md § 6 takes it of a derivation."""
    try:
        canonical = json.dumps(meaning, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    except RecursionError:
        return ""
    return digest(canonical.encode("utf-8", "surrogatepass"))
