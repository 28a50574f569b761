"""What maintenance may take out of an archive, as FORMAT.md § 2 allows: nothing that a commit or a reader still needs.

The only place that deletes anything but probes. Crawls never delete, so their credentials need not allow it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

import structlog

from config.errors import StoreUnavailable
from jobs.archive.identity import list_sources
from jobs.archive.lease import list_old_leases
from jobs.checkpoint.writing import list_superseded
from jobs.tables.manifest import PREFIX as MANIFEST_PREFIX
from jobs.tables.manifest import read_newest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from jobs.context import OpenArchive
    from jobs.store import StoredObject

log = structlog.get_logger()

KINDS = ("leases", "checkpoints", "tables", "uncommitted", "probes")
PLAIN_KINDS = {"segment", "ledger", "adopt", "pack"}
"""Of whose files the catalog knows all; where a log has others, none of its segments' objects is removed."""
DAY = timedelta(days=1)
UNCOMMITTED_AGE = timedelta(days=30)
"""A spool may come back and name what it uploaded."""


@dataclass(slots=True)
class PruneReport:
    """What was, or would be, taken out."""

    dry_run: bool
    removed: dict[str, int] = field(default_factory=lambda: dict.fromkeys(KINDS, 0))
    """Kind → number of objects."""
    kept: int = 0
    """Uncommitted objects that are too young to go."""


def prune_archive(archive: OpenArchive, *, dry_run: bool) -> PruneReport:
    """Remove old leases, superseded checkpoints and tables, forgotten uploads and probes. Raises StoreError.

    *dry_run*: only count them.
    """
    report = PruneReport(dry_run)
    now = archive.store.read_clock()
    if now is None:
        raise StoreUnavailable(f"{archive.store.url}: tells no time, so nobody can say what is old; try again")
    for source in list_sources(archive.store):
        _remove(archive, report, "leases", list_old_leases(archive.store, source))
        _remove(archive, report, "checkpoints", list(_list_old_checkpoints(archive, source, now)))
        archive.refresh(source)
    _remove(archive, report, "tables", list(_list_old_tables(archive, now)))
    _remove(archive, report, "uncommitted", list(_list_forgotten(archive, now, report)))
    probes = [one.key for one in archive.store.list("probe/") if _is_older(one, now, DAY)]
    _remove(archive, report, "probes", probes)
    return report


def _list_old_checkpoints(archive: OpenArchive, source: str, now: datetime) -> Iterator[str]:
    """Yield the layers that no reader needs, a day after they were put: a job may have read the log just before."""
    superseded = set(list_superseded(archive.store, archive.log(source)))
    for one in archive.store.list(f"checkpoint/{source}/") if superseded else ():
        if one.key in superseded and _is_older(one, now, DAY):
            yield one.key


def _list_old_tables(archive: OpenArchive, now: datetime) -> Iterator[str]:
    """Yield the tables' files that the newest manifest does not list; manifests stay, they are a chain."""
    newest = read_newest(archive.store, archive.info)
    if newest is None:
        return
    live = {file.key for file in newest.manifest.files}
    for one in archive.store.list("tables/"):
        if one.key not in live and not one.key.startswith(MANIFEST_PREFIX) and _is_older(one, now, DAY):
            yield one.key


def _list_forgotten(archive: OpenArchive, now: datetime, report: PruneReport) -> Iterator[str]:
    """Yield objects below `segments/` that no commit names; the catalog is at the end of every log."""
    for one in archive.store.list("segments/"):
        source, segment = one.key.split("/")[1], one.key.rpartition("/")[2].removesuffix(".warc.gz")
        if archive.catalog.has_segment(segment) or archive.catalog.list_kinds(source) - PLAIN_KINDS:
            continue
        if _is_older(one, now, UNCOMMITTED_AGE):
            yield one.key
        else:
            report.kept += 1


def _is_older(one: StoredObject, now: datetime, age: timedelta) -> bool:
    return one.modified is not None and now - one.modified > age


def _remove(archive: OpenArchive, report: PruneReport, kind: str, keys: tuple[str, ...] | list[str]) -> None:
    report.removed[kind] += len(keys)
    if report.dry_run:
        return
    for key in keys:
        archive.store.delete(key)
        log.info("removed_object", key=key, kind=kind)
