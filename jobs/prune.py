"""What maintenance may take out of an archive, as FORMAT.md § 2 allows: nothing that a commit or a reader still needs.

The only place that deletes anything but probes. Crawls never delete, so their credentials need not allow it.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

import structlog

from config.errors import DamageFound, ExitCode, FormatTooNew, ObjectMissing, RecordError, StoreUnavailable
from jobs.archive.commit import REPLACING_KINDS
from jobs.archive.identity import list_sources
from jobs.archive.lease import list_old_leases
from jobs.archive.replacing import collect_replacements
from jobs.checkpoint.layer import layer_key
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
"""A spool may come back and name what it uploaded: as long as that is younger than `upload.REUSE_AGE`."""


@dataclass(slots=True)
class PruneReport:
    """What was, or would be, taken out."""

    dry_run: bool
    removed: dict[str, int] = field(default_factory=lambda: dict.fromkeys(KINDS, 0))
    """Kind → number of objects."""
    kept: int = 0
    """Uncommitted objects that are too young to go."""
    left_out: dict[str, str] = field(default_factory=dict)
    """Source, or `tables` → why nothing of it was removed."""
    exit_code: ExitCode = ExitCode.DONE
    """What is wrong with what was left out: damage, or a format that this version does not know."""


def prune_archive(archive: OpenArchive, *, dry_run: bool) -> PruneReport:
    """Remove old leases, superseded checkpoints and tables, forgotten uploads and probes. Raises StoreError.

    *dry_run*: only count them. Of a source whose log or segments are damaged nothing is removed: see the report.
    """
    report = PruneReport(dry_run)
    now = archive.store.read_clock()
    if now is None:
        raise StoreUnavailable(f"{archive.store.url}: tells no time, so nobody can say what is old; try again")
    logged = set(list_sources(archive.store))
    for source in sorted(logged.union(archive.store.folders("segments/"))):
        with _leaving_out(source, report):
            _prune_source(archive, source, now, report, logged=source in logged)
    with _leaving_out("tables", report):
        _remove(archive, report, "tables", list(_list_old_tables(archive, now)))
    probes = [one.key for one in archive.store.list("probe/") if _is_older(one, now, DAY)]
    _remove(archive, report, "probes", probes)
    return report


@contextmanager
def _leaving_out(name: str, report: PruneReport) -> Iterator[None]:
    """Note in *report* what is wrong within, so that the rest goes on."""
    try:
        yield
    except (DamageFound, RecordError, ObjectMissing, FormatTooNew) as error:
        code = error.exit_code if isinstance(error, FormatTooNew) else ExitCode.DAMAGE
        report.left_out[name] = str(error)
        report.exit_code = max(report.exit_code, code)


def _prune_source(archive: OpenArchive, source: str, now: datetime, report: PruneReport, *, logged: bool) -> None:
    """Remove what nobody needs of *source*, once its whole log was read and found sound."""
    # Listed before the log is read: an object that a commit names by then is seen to be named.
    uploads = list(archive.store.list(f"segments/{source}/"))
    if not logged:
        report.kept += len(uploads)  # the log may only be missing: it could be made anew from them
        return
    archive.refresh(source)
    _require_whole(archive, source)
    leases = list_old_leases(archive.store, source)
    checkpoints = list(_list_old_checkpoints(archive, source, now))
    forgotten = _list_forgotten(archive, source, uploads)
    old = [one.key for one in forgotten if _is_older(one, now, UNCOMMITTED_AGE)]
    report.kept += len(forgotten) - len(old)
    for kind, keys in (("uncommitted", old), ("leases", leases), ("checkpoints", checkpoints)):
        _remove(archive, report, kind, keys)


def _require_whole(archive: OpenArchive, source: str) -> None:
    """Raise DamageFound if a checkpoint goes beyond the log: it was put after the last commit that it sums up."""
    end = archive.catalog.head(source)[0]
    beyond = [one.key for one in archive.store.list(f"checkpoint/{source}/") if one.key > layer_key(source, end)]
    if beyond:
        raise DamageFound(
            f"log/{source}/: ends with commit {end}, but {beyond[-1]} sums up later ones; see to it first"
        )


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


def _list_forgotten(archive: OpenArchive, source: str, uploads: list[StoredObject]) -> list[StoredObject]:
    """Return those of *uploads* whose segment no commit names; the catalog is at the end of the log."""
    kinds = archive.catalog.list_kinds(source) - PLAIN_KINDS
    if kinds - REPLACING_KINDS:
        return []
    named: set[str] = set()
    if kinds:
        index = collect_replacements(archive.log(source).read())
        named = set(index.objects).union(file.key for by, _ in index.segments.values() for file in by.files)
    segments = ((one, one.key.rpartition("/")[2].removesuffix(".warc.gz")) for one in uploads if one.key not in named)
    return [one for one, segment in segments if not archive.catalog.names_object(segment, one.key)]


def _is_older(one: StoredObject, now: datetime, age: timedelta) -> bool:
    return one.modified is not None and now - one.modified > age


def _remove(archive: OpenArchive, report: PruneReport, kind: str, keys: tuple[str, ...] | list[str]) -> None:
    report.removed[kind] += len(keys)
    if report.dry_run:
        return
    for key in keys:
        archive.store.delete(key)
        log.info("removed_object", key=key, kind=kind)
