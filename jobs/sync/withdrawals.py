"""What a log's redactions and replacements mean for a copy: what must not be brought there, and what must go from it.

A copy never gets an object that a commit of the part that it gets has let go. What it has of those goes as soon as
that commit allows it; checkpoints that know what was taken out, and other versions of all this, at once.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from config.errors import DamageFound, FormatTooNew, ObjectMissing, StoreRefused
from jobs.archive.commit import REPLACING_KINDS, commit_key
from jobs.archive.log import Log
from jobs.archive.replacing import ReplacementIndex
from jobs.sync.keys import find_forged

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from jobs.store import ObjectStore, StoredVersion
    from jobs.sync.context import Sync

REDACT = "redact"


@dataclass(slots=True)
class Withdrawals:
    """What the commits of one source up to number *end* have let go."""

    source: str
    index: ReplacementIndex = field(default_factory=ReplacementIndex)
    named: set[str] = field(default_factory=set)
    """What these commits make exist."""
    redacted: int = 0
    """The last commit that took something out; 0: none did."""

    def lets_go(self, key: str, seq: int) -> bool:
        """Whether what commit *seq* names as *key* is needed no more: a later one let it go."""
        by = self.index.objects.get(key)
        return (by is not None and by.seq > seq) or self.is_old_layer(key)

    def is_old_layer(self, key: str) -> bool:
        """Whether *key* is of a checkpoint that may know what was taken out after it."""
        prefix = f"checkpoint/{self.source}/"
        return key.startswith(prefix) and key.removeprefix(prefix) < f"{self.redacted:012d}"

    def is_due(self, key: str, now: datetime) -> bool:
        """Whether the object *key* is to be removed by now."""
        if self.is_old_layer(key):
            return True
        by = self.index.objects.get(key)
        if by is None:
            return False
        return key in self.index.deleted or (by.kind == REDACT and (by.delete_after is None or by.delete_after <= now))

    def is_twin(self, key: str) -> bool:
        """Whether *key* is another object of a segment that lies elsewhere since a redaction: no commit names it."""
        segment = key.rpartition("/")[2].partition(".")[0]
        found = self.index.segments.get(segment)
        return found is not None and found[0].kind == REDACT and key not in self.named


def read_withdrawals(sync: Sync, source: str, *, after: int, head: str, end: int) -> Withdrawals:
    """Return what the commits *after* + 1 to *end* of the original's log let go, as far as they can be read.

    *head*: digest of commit *after*. Where a commit cannot be read none after it is copied, nor obeyed. One that is not
    signed as it must be is not obeyed either, nor is any after it.
    """
    found = Withdrawals(source)
    commits = Log(sync.origin, sync.info, source).read(after=after, head=head)
    try:
        while True:
            with sync.copier.reading(f"log/{source}/"):
                stored = next(commits, None)
            if stored is None or stored.commit.seq > end:
                return found
            if stored.commit.kind in REPLACING_KINDS:
                fault = find_forged(sync, stored)
                if fault is not None:
                    where = commit_key(source, stored.commit.seq)
                    sync.complain(where, f"{fault.removeprefix(f'{where}: ')}; what it lets go stays in the copy")
                    return found
            found.named.update(file.key for file in stored.commit.files)
            told = found.index.take(stored.commit)
            if told is not None and told.kind == REDACT and told.segments:
                found.redacted = told.seq
    except (DamageFound, FormatTooNew, ObjectMissing):
        return found  # whoever copies the log tells what is wrong with it


def let_go(sync: Sync, found: Withdrawals, there: set[str], *, sweep: bool) -> None:
    """Remove from the copy what *found* says is due. *there*: keys that it has now.

    *sweep*: also what it only has older versions of.
    """
    now = sync.target.read_clock() or datetime.now(UTC)
    due = {key for key in there if found.is_due(key, now)}
    if sweep:
        segments = _list_versions(sync, f"segments/{found.source}/")
        due |= {one.key for one in segments if found.is_due(one.key, now) or found.is_twin(one.key)}
        due |= {one.key for one in _list_versions(sync, f"checkpoint/{found.source}/") if found.is_old_layer(one.key)}
    for key in sorted(due):
        by = found.index.objects.get(key)
        purge_key(sync, key, for_good=by is None or by.kind == REDACT)


def purge_key(sync: Sync, key: str, *, for_good: bool = True) -> None:
    """Remove *key* from the copy, with all its versions if it is to go *for_good*, and take that down."""
    if not sync.report.dry_run:
        try:
            remove: Callable[[str], object] = sync.target.purge if for_good else sync.target.delete
            remove(key)
        except StoreRefused as error:
            sync.keep(key, str(error))
            return
    sync.report.purged.append(key)


def sweep_tables(sync: Sync, listed: set[str], there: set[str], *, sweep: bool) -> None:
    """Remove from the copy the tables' files that the newest manifest does not list and the original has no more.

    *listed*: by that manifest. *there*: keys that the copy has below `tables/`. *sweep*: older versions, too.
    """
    unlisted = there - listed
    if sweep:
        for name in sync.target.folders("tables/"):
            unlisted |= {one.key for one in _list_versions(sync, f"tables/{name}/")} - listed
    if unlisted:
        unlisted -= {one.key for one in sync.origin.list("tables/")}
    for key in sorted(unlisted):
        purge_key(sync, key)


def _list_versions(sync: Sync, prefix: str) -> Iterator[StoredVersion]:
    store: ObjectStore = sync.target
    try:
        yield from store.list_versions(prefix)
    except StoreRefused as error:
        sync.keep(prefix, f"older versions cannot be looked for: {error}")
