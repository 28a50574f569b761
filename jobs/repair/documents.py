"""Keys and heads that are damaged or missing, out of the copy: they belong to no log, so no commit says so.

The copy's word alone counts for nothing: a key is put back where a log here names it or is signed by it, a head where
the next one here names it or the archive's key has signed it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from config.errors import DamageFound, FormatTooNew, StoreError
from jobs.archive.commit import MAX_COMMIT_BYTES
from jobs.archive.heads import PREFIX, find_newest, head_key, parse_head_name, read_head
from jobs.archive.identity import list_sources
from jobs.archive.keys import KeyRing, Standing, keys_key, read_ring
from jobs.archive.signing import parse_signatures, split_document
from jobs.repair.log import read_commits
from jobs.repair.mending import require_store
from jobs.repair.report import Left
from jobs.sync.copying import Item
from jobs.verify.documents import find_head_faults

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from jobs.archive.heads import ArchiveHead
    from jobs.archive.identity import ArchiveInfo
    from jobs.archive.keys import ArchiveKey
    from jobs.repair.mending import Mender
    from jobs.store import ObjectStore
    from jobs.sync.log import LoggedCommit


def mend_keys(mender: Mender, info: ArchiveInfo) -> KeyRing:
    """Put back the keys that the copy has and this archive lacks, as far as its logs name them; return all that count.

    Another key is the copy's own: by such keys a lie would be signed, and a redaction void.
    Raises StoreError.
    """
    ring, _ = read_ring(mender.store, info.archive, info.digest)
    theirs, _ = read_ring(mender.copy, info.archive, info.digest)
    known = len(ring.keys)
    same = [one.document.digest for one in ring.keys] == [one.document.digest for one in theirs.keys[:known]]
    if not same or len(theirs.keys) <= known:
        return ring
    vouched = _find_vouched(mender.store, info, theirs.keys[known:])
    for key in theirs.keys[known:]:
        if key.key_id not in vouched:
            why = f"no log here hands over to {key.key_id[:16]}…, which the copy has as key {key.n}, or is signed by it"
            mender.report.left.append(Left(keys_key(key.n), why))
            break
        size_bytes = mender.copy.stat(keys_key(key.n)).size_bytes
        mender.mend(Item(keys_key(key.n), size_bytes, key.document.digest))
        ring = KeyRing((*ring.keys, key))
    return ring


def mend_heads(mender: Mender, info: ArchiveInfo, ring: KeyRing, damaged: Collection[str]) -> None:
    """Put back the heads among *damaged* keys, and the one before each, which it may be that was altered."""
    parsed = (parse_head_name(key.removeprefix(PREFIX)) for key in damaged if key.startswith(PREFIX))
    numbers = [found[0] for found in parsed if found is not None and found[1] == "json"]
    if not numbers:
        return
    wanted: str | None = None
    for n in range(max(*numbers, find_newest(mender.store)[0]), max(0, min(numbers) - 2), -1):
        ours = _read_head(mender.store, n)
        if ours is not None and _is_believed(ours, wanted, info, ring):
            wanted = ours.previous
            continue
        theirs = _read_head(mender.copy, n)
        if theirs is not None and (theirs.document.digest == wanted or _is_signed(theirs, wanted, info, ring)):
            mender.mend(Item(head_key(n), len(theirs.data), theirs.document.digest))
            wanted = theirs.previous
            continue
        wanted = None
        if head_key(n) in damaged:
            why = "the copy has none that a later head here names" + (" or a key signed" if ring.keys else "")
            mender.report.left.append(Left(head_key(n), why))


def _find_vouched(store: ObjectStore, info: ArchiveInfo, keys: Sequence[ArchiveKey]) -> set[str]:
    """Return the fingerprints of those of *keys* that a log here was handed over to, or that signed a commit of one."""
    numbers, by_id = {key.key_id: key.n for key in keys}, {key.key_id: key for key in keys}
    vouched = set()
    for source in list_sources(store):
        for one in read_commits(store, info, source):
            detail = one.stored.commit.detail
            named = detail.get("key") if one.stored.commit.kind == "key" else None
            if isinstance(named, str) and named in numbers and detail.get("n") == numbers[named]:
                vouched.add(named)
            vouched |= {key_id for key_id in by_id.keys() - vouched if _has_signed(by_id[key_id], one)}
    return vouched


def _has_signed(key: ArchiveKey, one: LoggedCommit) -> bool:
    if key.public is None or key.key_id not in one.stored.signature:
        return False
    try:
        line, said = split_document(one.data, key.place, "a commit", MAX_COMMIT_BYTES)
        given = [found for found in parse_signatures(said) if found.key_id == key.key_id]
    except (DamageFound, ValueError):
        return False
    return any(key.public.has_signed(line + b"\n", found) for found in given)


def _read_head(store: ObjectStore, n: int) -> ArchiveHead | None:
    try:
        return read_head(store, n)
    except (DamageFound, FormatTooNew):
        return None
    except StoreError:
        require_store(store)
        return None


def _is_believed(head: ArchiveHead, wanted: str | None, info: ArchiveInfo, ring: KeyRing) -> bool:
    if wanted is not None:
        return head.document.digest == wanted
    return not list(find_head_faults(head, ring, info.archive))


def _is_signed(head: ArchiveHead, wanted: str | None, info: ArchiveInfo, ring: KeyRing) -> bool:
    """Whether a key of the archive has signed *head*, of which no later one says what it must be."""
    if wanted is not None or head.archive != info.archive:
        return False
    ends = {source: end.seq for source, end in head.ends.items()}
    judged, _ = ring.judge_document(head.document.signed, head.document.signatures, ends)
    return judged.standing is Standing.SIGNED
