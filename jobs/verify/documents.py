"""The archive's own heads and manifests: their chain, who signed them, what stamps say. Not what tables hold."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from config.errors import ArchiveError, ConfigError, DamageFound, FormatTooNew, ObjectMissing, StoreError
from crawler.rows import read_json_object
from jobs.archive.ends import LogEnd, find_step_back, read_document
from jobs.archive.heads import MAX_STAMP_BYTES, ArchiveHead, find_newest, head_key, read_head, stamp_key
from jobs.archive.keys import Standing
from jobs.archive.stamps import read_stamp
from jobs.verify.report import Notes, ReportedHead
from jobs.verify.unreadable import note_unreadable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from jobs.archive.keys import Judgement, KeyRing
    from jobs.store import ObjectStore
    from jobs.verify.report import VerifyReport
    from jobs.verify.trace import Identity

Roots = list[Any]
"""Certificates that stamps may lead to."""
NEWEST = 100
"""Heads and manifests that are looked at where not every byte is read."""
_MANIFESTS = "tables/manifest-"
_MAX_MANIFEST_BYTES = 64 * 1024 * 1024


@dataclass(slots=True)
class _Chain:
    """Where a chain of numbered documents has come to."""

    digest: str | None
    """Of the one before; `None`: not known."""
    signer: int = 0
    """Number of the key that signed the one before."""
    ends: Mapping[str, LogEnd] = field(default_factory=dict)


def check_own_heads(
    store: ObjectStore, identity: Identity, ring: KeyRing, report: VerifyReport, roots: Roots | None
) -> ArchiveHead | None:
    """Check `heads/` and the stamps there; return the newest head that is sound. *roots*: of stamps, if any."""
    newest, _ = find_newest(store)
    first = 1 if report.full else max(1, newest - NEWEST + 1)
    chain = _Chain(identity.info_digest if first == 1 else None)
    last = None
    for n in range(first, newest + 1):
        notes = Notes(report, head_key(n))
        try:
            head = read_head(store, n)
        except ObjectMissing:
            notes.damage("missing, but later heads are there")
            chain.digest = None
            continue
        except StoreError as error:
            note_unreadable(store, notes, error)
            chain.digest = None
            continue
        except (DamageFound, FormatTooNew) as error:
            notes.damage(str(error).removeprefix(f"{store.url}/{head_key(n)}: "))
            chain.digest = None
            continue
        if _is_sound(head, identity, ring, chain, notes):
            last = head
        _check_stamp(store, head, report, roots)
    return last


def _is_sound(head: ArchiveHead, identity: Identity, ring: KeyRing, chain: _Chain, notes: Notes) -> bool:
    faults = list(find_head_faults(head, ring, identity.archive, chain.signer))
    if chain.digest is not None and head.previous != chain.digest:
        faults.append(f"the chain breaks: names {head.previous[:80]!a} before it, found {chain.digest}")
    back = find_step_back(chain.ends, head.ends)
    for fault in [*faults, back] if back else faults:
        notes.damage(fault)
    chain.digest, chain.ends = head.document.digest, head.ends
    chain.signer = _judge(head, ring, chain.signer)[1]
    return not faults


def find_head_faults(head: ArchiveHead, ring: KeyRing, archive: str | None, least: int = 0) -> Iterator[str]:
    """Yield what is wrong with a head by itself. *archive*: its id; *least*: see KeyRing.judge_document."""
    if archive is not None and head.archive != archive:
        yield f"is of archive {head.archive[:80]!a}, expected {archive}"
    judged, _ = _judge(head, ring, least)
    if judged.standing is Standing.FAULTY:
        yield f"signature: {judged.reason}"


def _judge(head: ArchiveHead, ring: KeyRing, least: int) -> tuple[Judgement, int]:
    ends = {source: end.seq for source, end in head.ends.items()}
    return ring.judge_document(head.document.signed, head.document.signatures, ends, least)


def _check_stamp(store: ObjectStore, head: ArchiveHead, report: VerifyReport, roots: Roots | None) -> None:
    key = stamp_key(head.n)
    notes = Notes(report, key)
    try:
        answer = store.get(key, length=MAX_STAMP_BYTES + 1)
    except ObjectMissing:
        return
    except StoreError as error:
        note_unreadable(store, notes, error)
        return
    note_stamp(head, answer, report, notes, roots)


def note_stamp(head: ArchiveHead, answer: bytes, report: VerifyReport, notes: Notes, roots: Roots | None) -> None:
    """Check a stamp on *head* and say by when it existed, as far as that can be told."""
    try:
        stamp = read_stamp(head.data, answer, notes.key, roots)
    except DamageFound as error:
        notes.damage(str(error).removeprefix(f"{notes.key}: "))
        return
    except ConfigError as error:
        notes.notice(f"a stamp that was not looked at: {error}")
        return
    anchors = report.anchors
    if stamp.checked:
        anchors.stamped = ReportedHead(notes.key, head.n, stamp.at, head.document.digest)
    else:
        anchors.unchecked_stamps += 1


def check_manifests(store: ObjectStore, ring: KeyRing, report: VerifyReport) -> None:
    """Check who signed the manifests of tables: in a signed archive, those that speak of signed commits."""
    if not ring.keys:
        return
    keys = [item.key for item in store.list(_MANIFESTS)]
    least = 0
    for key in keys if report.full else keys[-1:]:
        notes = Notes(report, key)
        try:
            data = store.get(key, length=_MAX_MANIFEST_BYTES + 1)
            document = read_document(data, key, "a manifest", _MAX_MANIFEST_BYTES)
            heads = read_json_object(document.signed)["heads"]
            ends = {str(source): int(end["seq"]) for source, end in heads.items()}
        except StoreError as error:
            note_unreadable(store, notes, error)
            continue
        except (ArchiveError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
            continue  # `tables check` tells what is wrong with it
        judged, least = ring.judge_document(document.signed, document.signatures, ends, least)
        if judged.standing is Standing.FAULTY:
            notes.damage(f"signature: {judged.reason}")
