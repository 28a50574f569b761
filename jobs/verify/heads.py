"""Ends of logs that somebody saw before, against the log as it is now: tells a tail that was taken away or changed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from config.errors import ObjectMissing, StoreError
from jobs.archive.commit import MAX_COMMIT_BYTES, commit_key, digest
from jobs.verify.report import Notes
from jobs.verify.unreadable import note_unreadable

if TYPE_CHECKING:
    from collections.abc import Iterable

    from jobs.store import ObjectStore
    from jobs.verify.report import VerifyReport


def check_heads(store: ObjectStore, report: VerifyReport, heads: Iterable[tuple[str, int, str]]) -> None:
    """Add damage to *report* for each of *heads* (source, number, digest of the commit) that is not there as it was."""
    for source, seq, seen in sorted(set(heads)):
        key = commit_key(source, seq)
        notes = Notes(report, key)
        try:
            found = digest(store.get(key, length=MAX_COMMIT_BYTES + 1))
        except ObjectMissing:
            notes.damage(f"missing, though it was seen with {seen}: the end of the log was taken away")
            continue
        except StoreError as error:
            note_unreadable(store, notes, error)
            continue
        if found != seen:
            notes.damage(f"found {found}, but it was seen with {seen}: the log was written anew")
