"""Who signed: the archive's keys, and each commit of a log against the key that was valid then."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from config.units import count
from jobs.archive.commit import commit_key
from jobs.archive.keys import PREFIX, Standing, keys_key, read_ring
from jobs.archive.signing import parse_signatures, split_document
from jobs.verify.report import MAX_FINDINGS_PER_OBJECT, Notes, ReportedKey
from jobs.verify.unreadable import note_unreadable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from jobs.archive.commit import StoredCommit
    from jobs.archive.keys import KeyRing
    from jobs.store import ObjectStore
    from jobs.verify.report import VerifyReport
    from jobs.verify.trace import Identity, LogTrace


def check_keys(store: ObjectStore, identity: Identity, report: VerifyReport, trusted: Sequence[str] = ()) -> KeyRing:
    """Return the sound keys of the archive; what is wrong with the others, and who vouches for them, goes to *report*.

    *trusted*: fingerprints that the reader has from elsewhere. Raises StoreError where the store fails as a whole.
    """
    ring, faults = read_ring(store, identity.archive, identity.info_digest)
    for fault in faults:
        notes = Notes(report, fault.key)
        if fault.error is not None:
            note_unreadable(store, notes, fault.error)
        else:
            notes.damage(fault.message)
    report.unsigned = not ring.keys and not faults
    signatures = report.signatures
    signatures.keys = [ReportedKey(key.n, key.key_id, key.created, key.key_id in trusted) for key in ring.keys]
    signatures.anchored = ring.anchors(trusted) is not None
    signatures.why = _explain_anchor(ring, trusted)
    notes = Notes(report, PREFIX)
    (notes.damage if trusted and not signatures.anchored else notes.notice)(signatures.why)
    return ring


def _explain_anchor(ring: KeyRing, trusted: Sequence[str]) -> str:
    """Say whether the keys stand by one that the reader trusts, and what to do if not."""
    anchor, newest = ring.anchors(trusted), ring.newest
    if trusted and anchor is None:
        found = ", ".join(str(key) for key in ring.keys) or "no sound key"
        named = ", ".join(one[:16] + "…" for one in trusted)
        return f"of the trusted keys ({named}) none is here, found {found}: this log is signed by nobody you trust"
    if newest is None:
        return "unsigned: whoever may write to the store could have rewritten all of it"
    if anchor is None:
        return (
            "not anchored: a key that lies in the archive which it protects proves nothing; compare the fingerprint"
            f" {newest.key_id} with the one that was noted outside, and give that as --trusted-key"
        )
    if newest is anchor:
        return f"anchored in {newest}, which is trusted"
    return (
        f"anchored in {anchor}, and by the rotations from or to it in {newest}, which signs now; where that came by a"
        " rotation because a key was stolen, trust the newest fingerprint alone"
    )


class LogSignatures:
    """The check of the signatures of one log, commit by commit in order."""

    def __init__(self, ring: KeyRing, source: str, report: VerifyReport) -> None:
        self._ring = ring
        self._source = source
        self._report = report
        self._counts: Counter[Standing] = Counter()
        self._open: tuple[str, Notes, str] | None = None
        """The key that the last `key` commit hands over to, if keys/ has none such, and why that is damage."""

    def judge(self, stored: StoredCommit, data: bytes, seq: int, notes: Notes) -> None:
        """Check the signature of commit *seq*, whose object is *data*."""
        line, signatures = split_document(data, notes.key, "a commit", len(data))
        try:
            given = parse_signatures(signatures)
        except ValueError as error:
            notes.damage(str(error))
            return
        judged = self._ring.judge(self._source, seq, line + b"\n", given)
        self._counts[judged.standing] += 1
        self._report.signatures.counts[judged.standing] += 1
        if judged.standing is Standing.FAULTY and self._counts[Standing.FAULTY] <= MAX_FINDINGS_PER_OBJECT:
            notes.damage(f"signature: {judged.reason}")
        if stored.commit.kind == "key":
            self._check_handover(stored, seq, notes)
        elif self._open is not None:
            self._close()

    def finish(self, trace: LogTrace) -> None:
        """Compare the ends that keys name with the log that was walked, and sum up."""
        self._close()
        for key in self._ring.keys:
            end = key.heads.get(self._source)
            if end is None:
                continue
            found, place = trace.digests.get(end.seq), commit_key(self._source, end.seq)
            if found is None:
                Notes(self._report, place).damage(f"missing, though {key.place} names it: the log was cut")
            elif found != end.sha256:
                Notes(self._report, place).damage(
                    f"found {found}, but {key.place} names {end.sha256}: the log was written anew"
                )
        notes = Notes(self._report, f"log/{self._source}/")
        faulty, earlier = self._counts[Standing.FAULTY], self._counts[Standing.EARLIER]
        if faulty > MAX_FINDINGS_PER_OBJECT:
            notes.damage(
                f"signature: of {count(faulty, 'commit')} in all; the first {MAX_FINDINGS_PER_OBJECT} are named"
            )
        if earlier:
            notes.notice(
                f"{count(earlier, 'commit')} from before the first key: {self._ring.keys[0].place} vouches for them"
            )
        if unverified := self._counts[Standing.UNVERIFIED]:
            notes.notice(f"{count(unverified, 'commit')} signed by an algorithm that this version does not know")

    def _check_handover(self, stored: StoredCommit, seq: int, notes: Notes) -> None:
        """Check what a `key` commit says of the key that the log is handed over to."""
        detail = stored.commit.detail
        named = str(detail.get("key", ""))[:64]
        if self._open is not None and detail.get("instead") == self._open[0]:
            self._open[1].notice(f"hands the log over to the key {self._open[0][:16]}…, which commit {seq} revokes")
            self._open = None
        self._close()
        last = {"seq": seq - 1, "sha256": stored.commit.previous} if seq > 1 else None
        if detail.get("last_head") != last:
            notes.damage(f"last_head: found {str(detail.get('last_head'))[:120]!a}, expected commit {seq - 1}")
        if not named or named not in stored.signature:
            notes.damage(f"hands the log over to the key {named[:16]!a}…, which did not sign it")
        key = next((one for one in self._ring.keys if one.key_id == named), None)
        if key is None:
            missing = keys_key(len(self._ring.keys) + 1)
            why = (
                f"hands the log over to the key {named[:16]!a}…, which {missing} does not hold: it was taken away,"
                " or the rotation was not finished (ofrecord keys rotate finishes it)"
            )
            self._open = (named, notes, why)
        elif (end := key.heads.get(self._source)) is None or end.seq != seq - 1:
            begin = end.seq + 1 if end else 1
            notes.damage(f"hands the log over to {key}, which {key.place} lets begin at commit {begin}")

    def _close(self) -> None:
        if self._open is not None:
            _, notes, message = self._open
            notes.damage(message)
            self._open = None
