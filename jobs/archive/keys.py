"""The keys of an archive, `keys/<n>.json` (FORMAT.md § 4), and which of them a commit or document must be signed by.

Reads and writes an ObjectStore. Which key can be trusted is nobody's to say but the reader's: see `KeyRing.anchors`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from itertools import islice
from typing import TYPE_CHECKING

from pydantic import Field

from config.errors import DamageFound, FormatTooNew, ObjectExists, StoreError
from jobs.archive.commit import MAX_COMMIT_BYTES, commit_key, digest
from jobs.archive.ends import (
    MAX_DOCUMENT_BYTES,
    Chained,
    LogEnd,
    StoredDocument,
    decode_chained,
    encode_chained,
    encode_ends,
    find_step_back,
    read_document,
)
from jobs.archive.signing import UNSIGNED, PublicKey, parse_signatures, split_document

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping
    from datetime import datetime

    from jobs.archive.commit import StoredCommit
    from jobs.archive.identity import ArchiveInfo
    from jobs.archive.signing import Signature, Signer
    from jobs.store import ObjectStore

PREFIX = "keys/"
MAX_KEYS = 1_000
_KEY = re.compile(r"keys/([0-9]{6})\.json")
_ED25519 = "ed25519"


class _KeyDocument(Chained):
    key: str = Field(pattern="^[0-9a-f]{64}$")
    public: str = Field(max_length=16 * 1024)


@dataclass(frozen=True, slots=True)
class ArchiveKey:
    """One `keys/<n>.json`."""

    n: int
    key_id: str
    pem: str
    heads: Mapping[str, LogEnd]
    """The last commits that belong to the key before it."""
    created: str
    document: StoredDocument
    public: PublicKey | None
    """`None`: of an algorithm that this version does not know."""

    @property
    def place(self) -> str:
        """The key of its object."""
        return keys_key(self.n)

    def __str__(self) -> str:
        return f"key {self.n} ({self.key_id[:16]}…)"


class Standing(StrEnum):
    """What a signature line comes to."""

    SIGNED = "signed"
    """By the key that was valid then."""
    EARLIER = "earlier"
    """From before the first key: nobody had to sign."""
    UNSIGNED = "unsigned"
    """The archive has no keys, and this has no signature."""
    UNVERIFIED = "unverified"
    """The key that was valid then is of an algorithm that we do not know."""
    FAULTY = "faulty"
    """Not signed by the key that was valid then."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """What a signature line comes to, and why."""

    standing: Standing
    reason: str = ""
    """Of what is faulty, in words."""


@dataclass(frozen=True, slots=True)
class KeyRing:
    """The sound keys of an archive, in order: what is not signed by one of them is signed by nobody known."""

    keys: tuple[ArchiveKey, ...] = ()

    @property
    def newest(self) -> ArchiveKey | None:
        """The key that signs now."""
        return self.keys[-1] if self.keys else None

    @property
    def sources(self) -> frozenset[str]:
        """The sources whose logs were there when a key was made."""
        return frozenset(source for key in self.keys for source in key.heads)

    def anchors(self, trusted: Collection[str]) -> ArchiveKey | None:
        """Return the first key whose fingerprint is among *trusted*: all before and after it stands by it."""
        return next((key for key in self.keys if key.key_id in trusted), None)

    def find_owner(self, source: str, seq: int) -> ArchiveKey | None:
        """Return the key that commit *seq* of *source* belongs to; `None`: it is from before the first key."""
        for key in reversed(self.keys):
            end = key.heads.get(source)
            if end is None or end.seq < seq:
                return key
        return None

    def judge(self, source: str, seq: int, signed: bytes, signatures: Iterable[Signature]) -> Judgement:
        """Judge commit *seq* of *source*: *signed* is line 1 with its newline, *signatures* what line 2 says."""
        return self._judge(self.find_owner(source, seq), signed, tuple(signatures))

    def judge_document(
        self, signed: bytes, signatures: Iterable[Signature], heads: Mapping[str, int], least: int = 0
    ) -> tuple[Judgement, int]:
        """Judge a head or a manifest that speaks of the commits *heads* (source → number).

        Return its judgement and the number of the key that signed it (0: none). It may be signed by the key that its
        newest commit belongs to or by a later one, and by none before number *least*, that of the document before it.
        """
        given = tuple(signatures)
        owners = (self.find_owner(source, seq) for source, seq in heads.items())
        least = max([least, *(owner.n for owner in owners if owner)])
        names = {one.key_id for one in given}
        by = next((key for key in reversed(self.keys) if key.key_id in names and key.n >= least), None)
        if by is None and least == 0 and not given:
            return Judgement(Standing.EARLIER if self.keys else Standing.UNSIGNED), 0
        judged = self._judge(by or (self.keys[max(least, 1) - 1] if self.keys else None), signed, given)
        return judged, by.n if by else least

    def _judge(self, owner: ArchiveKey | None, signed: bytes, signatures: tuple[Signature, ...]) -> Judgement:
        if not self.keys:
            return self._judge_keyless(signatures)
        for one in signatures:
            known = next((key for key in self.keys if key.key_id == one.key_id), None)
            if one.algorithm == _ED25519 and known and known.public and not known.public.has_signed(signed, one):
                return Judgement(
                    Standing.FAULTY, f"the signature by {known} does not fit line 1: one of them was altered"
                )
        if owner is None:
            return Judgement(Standing.EARLIER)
        if owner.public is None:
            return Judgement(Standing.UNVERIFIED)
        if any((one.algorithm, one.key_id) == (_ED25519, owner.key_id) for one in signatures):
            return Judgement(Standing.SIGNED)
        return Judgement(Standing.FAULTY, f"{self._describe(signatures, owner)}, expected a signature by {owner}")

    @staticmethod
    def _judge_keyless(signatures: tuple[Signature, ...]) -> Judgement:
        if not signatures:
            return Judgement(Standing.UNSIGNED)
        return Judgement(
            Standing.FAULTY,
            f"signed by {signatures[0].key_id[:16]}…, but the archive has no sound key: keys/ was taken away or"
            " altered, or a registration was not finished (ofrecord keys new finishes it)",
        )

    def _describe(self, signatures: tuple[Signature, ...], owner: ArchiveKey) -> str:
        """Say who signed in place of *owner*."""
        if not signatures:
            return "unsigned"
        names = {one.key_id for one in signatures if one.algorithm == _ED25519}
        if not names:
            return f"signed by an algorithm that is not known here ({signatures[0].algorithm})"
        for key in self.keys:
            if key.key_id in names:
                when = "was rotated out before that" if key.n < owner.n else "was not valid yet"
                return f"signed by {key}, which {when}"
        return f"signed by {min(names)[:16]}…, a key that keys/ does not have"


@dataclass(frozen=True, slots=True)
class KeyFault:
    """What is wrong with one of the objects below `keys/`."""

    key: str
    message: str
    error: StoreError | None = None
    """Why it could not be read."""


def keys_key(n: int) -> str:
    """Return the key of key object *n*."""
    return f"{PREFIX}{n:06d}.json"


def read_ring(store: ObjectStore, archive: str | None, origin: str) -> tuple[KeyRing, list[KeyFault]]:
    """Return the keys that chain from the first on, and what is wrong with the others; behind a fault none counts.

    *archive*: its id; `None`: not known. *origin*: digest of `ofrecord.json`. Raises StoreError where nothing can be
    listed.
    """
    found = [item.key for item in islice(store.list(PREFIX), MAX_KEYS + 1)]
    numbers = [int(match[1]) for key in found if (match := _KEY.fullmatch(key))]
    keys: list[ArchiveKey] = []
    faults = [KeyFault(PREFIX, f"more than {MAX_KEYS} objects")] if len(found) > MAX_KEYS else []
    for n in numbers[:MAX_KEYS]:
        before = keys[-1] if keys else None
        if n != len(keys) + 1:
            faults.append(KeyFault(keys_key(len(keys) + 1), f"missing, but {keys_key(n)} is there"))
            break
        try:
            key = _decode(store.get(keys_key(n), length=MAX_DOCUMENT_BYTES + 1), n)
            fault = _find_fault(key, keys, archive, before.document.digest if before else origin)
        except StoreError as error:
            faults.append(KeyFault(keys_key(n), str(error), error))
            break
        except (DamageFound, FormatTooNew) as error:
            fault, key = str(error).removeprefix(f"{keys_key(n)}: "), None
        if fault or key is None:
            faults.append(KeyFault(keys_key(n), fault or "cannot be read"))
            break
        keys.append(key)
    if faults and len(keys) + 1 < max(numbers, default=0):
        faults.append(KeyFault(PREFIX, f"the keys after {keys_key(len(keys) + 1)} count for nothing without it"))
    return KeyRing(tuple(keys)), faults


def require_ring(store: ObjectStore, info: ArchiveInfo) -> KeyRing:
    """Return the keys of an archive that is written to. Raises DamageFound at the first fault, StoreError."""
    ring, faults = read_ring(store, info.archive, info.digest)
    if faults:
        raise faults[0].error or DamageFound(f"{store.url}/{faults[0].key}: {faults[0].message}; ofrecord verify")
    return ring


def find_forgery(store: ObjectStore, ring: KeyRing, stored: StoredCommit, data: bytes | None = None) -> str | None:
    """Return why *stored*, which lets something go, must not be obeyed: its signature is not the one it needs.

    *data*: its object; `None`: takes a request where there are keys. Raises StoreError.
    """
    if not ring.keys and stored.signature == UNSIGNED:
        return None
    source, seq = stored.commit.source, stored.commit.seq
    key = commit_key(source, seq)
    data = store.get(key, length=MAX_COMMIT_BYTES + 1) if data is None else data
    if digest(data) != stored.digest:
        return f"{key}: is another than was read just now"
    try:
        line, signatures = split_document(data, key, "a commit", MAX_COMMIT_BYTES)
        judged = ring.judge(source, seq, line + b"\n", parse_signatures(signatures))
    except (DamageFound, ValueError) as error:
        return f"{key}: {error}"
    return f"{key}: {judged.reason}" if judged.standing is Standing.FAULTY else None


def append_key(
    store: ObjectStore,
    info: ArchiveInfo,
    ring: KeyRing,
    signers: tuple[Signer, ...],
    heads: Mapping[str, LogEnd],
    *,
    now: datetime,
) -> ArchiveKey | None:
    """Put the next key object after *ring*; `None`: another took its number. Safe to repeat.

    *signers*: the new key, and behind it the one before, if there is one.
    """
    new = signers[0]
    n = len(ring.keys) + 1
    fields = {
        "archive": info.archive,
        "n": n,
        "previous": ring.newest.document.digest if ring.newest else info.digest,
        "key": new.public.key_id,
        "public": new.public.pem,
        "heads": encode_ends(heads),
    }
    data = encode_chained(fields, now, signers)
    try:
        store.create(keys_key(n), data, sha256=digest(data))
    except ObjectExists:
        data = store.get(keys_key(n), length=MAX_DOCUMENT_BYTES + 1)
        found = _decode(data, n)
        return found if found.key_id == new.public.key_id else None  # the answer to our own earlier try was lost
    return _decode(data, n)


def _decode(data: bytes, n: int) -> ArchiveKey:
    place = keys_key(n)
    document = read_document(data, place, "a key")
    fields = decode_chained(document, _KeyDocument, place, "a key")
    if fields.n != n:
        raise DamageFound(f"{place}: holds key {fields.n}")
    return ArchiveKey(
        n, fields.key, fields.public, fields.ends, fields.created, document, _read_public(fields.public, place)
    )


def _read_public(pem: str, place: str) -> PublicKey | None:
    try:
        return PublicKey.read(pem)
    except ValueError as error:
        if "expected an Ed25519" in str(error):
            return None
        raise DamageFound(f"{place}: public: {error}") from error


def _find_fault(key: ArchiveKey, before: list[ArchiveKey], archive: str | None, previous: str) -> str | None:
    """Return what is wrong with *key*, which follows those *before*."""
    fields = decode_chained(key.document, _KeyDocument, key.place, "a key")
    last = before[-1] if before else None
    if archive is not None and fields.archive != archive:
        return f"is of archive {fields.archive[:80]!a}, expected {archive}"
    if fields.previous != previous:
        place = last.place if last else "ofrecord.json"
        return (
            f"the chain breaks: names {fields.previous[:80]!a} before it, but {place} has {previous}: one was altered"
        )
    if key.public is not None and key.public.key_id != key.key_id:
        return f"names its key {key.key_id}, but that has the fingerprint {key.public.key_id}"
    if any(one.key_id == key.key_id for one in before):
        return f"takes up key {key.key_id[:16]}… again, which was rotated out"
    back = find_step_back(last.heads, key.heads) if last else None
    if back:
        return back
    for signer in [key, last] if last else [key]:
        signed = [one for one in key.document.signatures if one.key_id == signer.key_id]
        if signer.public is not None and not any(signer.public.has_signed(key.document.signed, one) for one in signed):
            return f"is not signed by {'itself' if signer is key else signer}"
    return None
