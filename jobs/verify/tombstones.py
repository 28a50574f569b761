"""What stands in the place of records that were taken out: by which commit, and signed by whom: FORMAT.md § 5."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jobs.archive.signing import parse_signatures
from jobs.verify.report import Notes

if TYPE_CHECKING:
    from jobs.archive.commit import Commit
    from jobs.archive.keys import KeyRing
    from jobs.verify.reading import ReadFile
    from jobs.verify.report import VerifyReport

_SIGNATURE = b"signature: "
_END = b"\r\n"


class Tombstones:
    """The check of those in one source's files, against the `redact` commits of its log and the archive's keys."""

    def __init__(self, ring: KeyRing, source: str) -> None:
        self._ring = ring
        self._source = source
        self._commits: dict[str, int] = {}

    def take(self, commit: Commit) -> None:
        """Take in a commit of the log; all of them, before anything is checked."""
        if commit.kind == "redact":
            self._commits[commit.id] = commit.seq

    def check(self, read: dict[str, ReadFile], report: VerifyReport) -> None:
        """Check the tombstones in files as they were *read*, by their keys; what is wrong goes to *report*."""
        for key, file in read.items():
            for record in file.walked.records if file.walked is not None else ():
                fault = self._find_fault(record.tombstone) if record.tombstone else None
                if fault is not None:
                    Notes(report, key).damage(f"a tombstone {fault}", record=record.number, offset=record.offset)

    def _find_fault(self, block: bytes) -> str | None:
        *lines, last = block.removesuffix(_END).split(_END)
        signed = last.startswith(_SIGNATURE)
        fields = dict(line.partition(b": ")[::2] for line in (*lines, last))
        commit_id = fields.get(b"commit-id", b"").decode("ascii", "replace")
        seq = self._commits.get(commit_id)
        if seq is None:
            return f"of the commit {commit_id[:40]!a}, which is none of the redactions in this log"
        if not signed:
            return None  # there was no room for it, or nobody signed: the commit has its object's digest
        above = b"".join(line + _END for line in lines)
        return self._find_foreign(above, last.removeprefix(_SIGNATURE).decode("ascii", "replace"), seq)

    def _find_foreign(self, above: bytes, text: str, seq: int) -> str | None:
        """Return why the signature *text* is not by the key of commit *seq*, or a later one, over the lines *above*."""
        try:
            given = parse_signatures(text)
        except ValueError as error:
            return str(error)
        for one in given:
            key = next((key for key in self._ring.keys if key.key_id == one.key_id), None)
            if key is None:
                return f"signed by {one.key_id[:16]}…, a key that keys/ does not have"
            if key.public is None:
                continue
            if not key.public.has_signed(above, one):
                return f"whose signature by {key} does not fit the lines above it: one of them was altered"
            owner = self._ring.find_owner(self._source, seq)
            if owner is not None and key.n < owner.n:
                return f"signed by {key}, which was rotated out before commit {seq}"
        return None
