"""A head in a bundle: the end of the log as it was written down, who signed it, and the outside stamp on it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from config.errors import DamageFound, FormatTooNew, ObjectMissing
from jobs.archive.ends import MAX_DOCUMENT_BYTES, Chained, LogEnd, decode_chained, read_document
from jobs.archive.keys import Standing
from jobs.evidence.manifest import FOLDER

if TYPE_CHECKING:
    from pathlib import Path

    from jobs.archive.keys import KeyRing
    from jobs.evidence.findings import Findings
    from jobs.store import ObjectStore


MAX_STAMP_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class StampFact:
    """An outside time stamp on a head."""

    at: datetime
    by: str
    """Who stamped it, as the stamp's certificate says."""
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
    source: str,
    end: tuple[int, str],
    ca_file: Path | None,
) -> HeadFact | None:
    """Return head *n*; what is wrong with it goes to *findings*. *end*: the commit of *source* that it must name."""
    where = f"{FOLDER}head-{n:012d}.json"
    try:
        data = store.get(f"heads/{n:012d}.json", length=MAX_DOCUMENT_BYTES + 1)
        document = read_document(data, where, "a head")
        fields = decode_chained(document, Chained, where, "a head")
    except ObjectMissing:
        findings.damage(where, "missing, though the manifest names it")
        return None
    except (DamageFound, FormatTooNew) as error:
        findings.damage(where, str(error).removeprefix(f"{where}: "))
        return None
    if fields.n != n:
        findings.damage(where, f"holds head {fields.n}")
    named = fields.ends.get(source)
    if named != LogEnd(*end):
        said = f"commit {named.seq} with {named.sha256}" if named else "nothing"
        findings.damage(where, f"says of {source} {said}, expected commit {end[0]} with {end[1]}")
        return None
    judged, _ = ring.judge_document(document.signed, document.signatures, {source: end[0]})
    if judged.standing is Standing.FAULTY:
        findings.damage(where, judged.reason)
    created = datetime.fromisoformat(fields.created)
    return HeadFact(
        n, created, end[0], document.digest, judged.standing, _check_stamp(store, n, data, findings, ca_file=ca_file)
    )


def _check_stamp(
    store: ObjectStore, n: int, data: bytes, findings: Findings, *, ca_file: Path | None
) -> StampFact | None:
    """Return what the stamp on head *n* says; `None`: it has none."""
    del data, ca_file
    try:
        store.get(f"heads/{n:012d}.tsr", length=MAX_STAMP_BYTES + 1)
    except ObjectMissing:
        return None
    findings.damage(f"{FOLDER}head-{n:012d}.tsr", "time stamps cannot be read by this version")
    return None
