"""A head in a bundle: the end of the log as it was written down, who signed it, and the outside stamp on it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from config.errors import ConfigError, DamageFound, FormatTooNew, ObjectMissing
from jobs.archive.ends import MAX_DOCUMENT_BYTES, LogEnd
from jobs.archive.heads import MAX_STAMP_BYTES, decode_head, head_key, stamp_key
from jobs.archive.keys import Standing
from jobs.archive.stamps import read_roots, read_stamp
from jobs.evidence.manifest import FOLDER

if TYPE_CHECKING:
    from pathlib import Path

    from jobs.archive.heads import ArchiveHead
    from jobs.archive.keys import KeyRing
    from jobs.evidence.findings import Findings
    from jobs.store import ObjectStore


@dataclass(frozen=True, slots=True)
class StampFact:
    """An outside time stamp on a head."""

    at: datetime | None
    """`None`: the library that reads stamps is not installed."""
    checked: bool
    """Whether it was checked by roots that the reader gave: else anybody may have made it."""


@dataclass(frozen=True, slots=True)
class HeadFact:
    """A head, sound by itself."""

    n: int
    created: datetime
    seq: int
    """Of the commit that it names."""
    digest: str
    standing: Standing
    stamp: StampFact | None


def check_head(
    store: ObjectStore,
    ring: KeyRing,
    n: int,
    findings: Findings,
    *,
    archive: str,
    source: str,
    end: tuple[int, str],
    ca_file: Path | None,
) -> HeadFact | None:
    """Return head *n*; what is wrong with it goes to *findings*. *end*: the commit of *source* that it must name."""
    where = f"{FOLDER}head-{n:012d}.json"
    try:
        head = decode_head(store.get(head_key(n), length=MAX_DOCUMENT_BYTES + 1), where)
    except ObjectMissing:
        findings.damage(where, "missing, though the manifest names it")
        return None
    except (DamageFound, FormatTooNew) as error:
        findings.damage(where, str(error).removeprefix(f"{where}: "))
        return None
    if (head.n, head.archive) != (n, archive):
        findings.damage(where, f"holds head {head.n} of archive {head.archive[:80]!a}")
    named = head.ends.get(source)
    if named != LogEnd(*end):
        said = f"commit {named.seq} with {named.sha256}" if named else "nothing"
        findings.damage(where, f"says of {source} {said}, expected commit {end[0]} with {end[1]}")
        return None
    judged, _ = ring.judge_document(head.document.signed, head.document.signatures, _list_seqs(head))
    if judged.standing is Standing.FAULTY:
        findings.damage(where, judged.reason)
    stamp = _check_stamp(store, n, head.data, findings, ca_file=ca_file)
    return HeadFact(n, head.created, end[0], head.document.digest, judged.standing, stamp)


def _list_seqs(head: ArchiveHead) -> dict[str, int]:
    return {name: one.seq for name, one in head.ends.items()}


def _check_stamp(
    store: ObjectStore, n: int, data: bytes, findings: Findings, *, ca_file: Path | None
) -> StampFact | None:
    """Return what the stamp on head *n* says; `None`: it has none. Raises ConfigError where *ca_file* is of no use."""
    where = f"{FOLDER}head-{n:012d}.tsr"
    try:
        answer = store.get(stamp_key(n), length=MAX_STAMP_BYTES + 1)
    except ObjectMissing:
        return None
    roots = read_roots(ca_file) if ca_file is not None else None
    try:
        stamp = read_stamp(data, answer, where, roots)
    except ConfigError:
        if ca_file is not None:
            raise
        return StampFact(None, checked=False)
    except DamageFound as error:
        findings.damage(where, str(error).removeprefix(f"{where}: "))
        return None
    return StampFact(stamp.at, checked=stamp.checked)
