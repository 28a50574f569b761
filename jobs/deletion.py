"""What redactions let go and may be deleted now → deleted with every version, and a second commit that says so."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import structlog

from config.errors import DamageFound, ObjectMissing, StoreRefused
from crawler.rows import format_time
from jobs.archive.commit import REPLACING_KINDS, Commit, writer_name
from jobs.archive.keys import find_forgery, require_ring
from jobs.archive.replacing import collect_replacements
from jobs.store.clock import measure_skew

if TYPE_CHECKING:
    from jobs.archive.commit import StoredCommit
    from jobs.archive.replacing import ReplacementIndex
    from jobs.context import OpenArchive

log = structlog.get_logger()

KEYS_A_COMMIT = 10_000


@dataclass(slots=True)
class FinishReport:
    """What became of the objects that redactions of one source let go."""

    source: str
    deleted: list[str] = field(default_factory=list)
    """Keys; in a dry run, what would be."""
    waiting: dict[str, datetime] = field(default_factory=dict)
    """Key → the earliest time at which it may be deleted: the grace period, or retention, holds it."""
    kept: dict[str, str] = field(default_factory=dict)
    """Key → why the store, or a segment that still lies there, keeps it."""
    commits: list[int] = field(default_factory=list)

    def to_json(self) -> dict[str, Any]:
        """Return the report as JSON data."""
        data = {name: getattr(self, name) for name in FinishReport.__slots__}
        return {**data, "waiting": {key: format_time(at) for key, at in self.waiting.items()}}


def finish_redactions(
    archive: OpenArchive, source: str, *, dry_run: bool = False, kinds: frozenset[str] = frozenset({"redact"})
) -> FinishReport:
    """Delete, with every version, what commits of *kinds* let go and nothing holds any more; then commit that.

    Safe to repeat at any point. Raises ConfigError, DamageFound, StoreError.
    """
    archive.require_signer()
    archive.refresh(source)
    report = FinishReport(source)
    index = collect_replacements(read_withdrawing(archive, source))
    now = archive.store.read_clock() or datetime.now(UTC)
    for key, by in sorted(index.objects.items()):
        if by.kind not in kinds or key in index.deleted:
            continue
        if archive.catalog.is_place_of_rows(source, key):
            report.kept[key] = "a segment still lies there"
        elif by.delete_after is not None and by.delete_after > now:
            report.waiting[key] = by.delete_after
        elif (held := find_retention(archive, key)) is not None and held > now:
            report.waiting[key] = held
        elif dry_run:
            report.deleted.append(key)
        else:
            _purge(archive, key, report)
    for first in range(0, 0 if dry_run else len(report.deleted), KEYS_A_COMMIT):
        _commit(archive, source, report.deleted[first : first + KEYS_A_COMMIT], index, report)
    return report


def read_withdrawing(archive: OpenArchive, source: str) -> list[StoredCommit]:
    """Return the commits that say what was let go. Raises DamageFound where one is not signed as it must be."""
    ring = require_ring(archive.store, archive.info)
    found = [one for one in archive.log(source).read() if one.commit.kind in REPLACING_KINDS]
    for one in found:
        fault = find_forgery(archive.store, ring, one)
        if fault is not None:
            raise DamageFound(f"{archive.store.url}/{fault}; so nothing is deleted; ofrecord verify")
    return found


def find_retention(archive: OpenArchive, key: str) -> datetime | None:
    """Return until when the store keeps *key* from being deleted; `None`: nothing holds it, or it is gone."""
    try:
        retention = archive.store.read_retention(key)
    except ObjectMissing:
        return None
    return retention.until if retention else None


def _purge(archive: OpenArchive, key: str, report: FinishReport) -> None:
    try:
        archive.store.purge(key)
    except StoreRefused as error:
        report.kept[key] = str(error)
    else:
        report.deleted.append(key)


def _commit(archive: OpenArchive, source: str, keys: list[str], index: ReplacementIndex, report: FinishReport) -> None:
    kind = index.objects[keys[0]].kind
    draft = Commit(
        source,
        kind,
        datetime.now(UTC).replace(microsecond=0),
        archive.info.archive,
        id=secrets.token_hex(16),
        clock_skew_seconds=measure_skew(archive.store),
        writer=writer_name(),
        detail={"deleted": keys},
    )
    seq, head = archive.catalog.head(source)
    stored, others = archive.log(source).append(draft, after=seq, head=head)
    for one in (*others, stored):
        archive.catalog.add_commit(archive.store, one)
    report.commits.append(stored.commit.seq)
    log.info("deleted_redacted", source=source, seq=stored.commit.seq, objects=len(keys))
