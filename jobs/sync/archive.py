"""The whole sync: identity, keys, each source with its log last, tables, heads. Two stores in, a report out.

Never copies `feeds/`, `lease/`, `probe/`, `raw/` and `clean/`, nor what no commit names. Puts create-only, deletes
nothing but what redactions and replacements let go.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import TYPE_CHECKING

from config.errors import ArchiveMissing, ConfigError, DamageFound
from jobs.archive.identity import INFO_KEY, list_sources, read_info
from jobs.store.probe import probe_store
from jobs.sync.context import Sync
from jobs.sync.copying import Copier
from jobs.sync.report import SyncReport
from jobs.sync.scratch import Room, open_scratch
from jobs.sync.series import HEADS, MANIFESTS, copy_keys, copy_series, copy_tables, list_series
from jobs.sync.source import SourceSync

if TYPE_CHECKING:
    from collections.abc import Collection

    from jobs.archive.identity import ArchiveInfo
    from jobs.store import ObjectStore
    from jobs.verify import Progress

THREADS = 4
SCRATCH_BYTES = 1 << 30
"""Of temporary files at once; a single longer object takes what it has."""


def sync_archive(
    origin: ObjectStore,
    target: ObjectStore,
    *,
    sources: Collection[str] | None = None,
    full: bool = False,
    dry_run: bool = False,
    progress: Progress | None = None,
) -> SyncReport:
    """Bring the archive in *target* up to the one in *origin*; make it there if there is none.

    *sources*: only these. *full*: also compare the digest of each object that is there already. *dry_run*: put
    nothing.
    What is wrong with single objects is in the report. Raises ArchiveMissing, ConfigError (another archive is there, no
    such source), DamageFound, FormatTooNew, StoreError; may be repeated after any end.
    """
    info = read_info(origin)
    report = SyncReport(info.archive, origin.url, target.url, full=full, dry_run=dry_run)
    absent = _meet(target, info)
    known = list_sources(origin)
    # Those that only the copy has are reported: there is nothing to copy for them.
    chosen = sorted({*known, *([] if absent else list_sources(target))}) if sources is None else sorted(sources)
    for source in chosen if sources is not None else ():
        if source not in known:
            raise ConfigError(f"no source {source!r} in {origin.url}; it has {', '.join(known) or 'none'}")
    with ExitStack() as stack:
        folder = stack.enter_context(open_scratch())
        pool = ThreadPoolExecutor(THREADS, thread_name_prefix="sync")
        stack.callback(pool.shutdown, cancel_futures=True)
        copier = Copier(origin, target, folder, Room(SCRATCH_BYTES))
        sync = Sync(origin, target, info, copier, pool, report, absent=absent, progress=progress)
        if absent:
            _make_copy(sync)
        else:
            report.objects_there += 1
        _copy_all(sync, chosen, whole=sources is None)
    return report


def _meet(target: ObjectStore, info: ArchiveInfo) -> bool:
    """Return whether nothing is there yet. Raises ConfigError if it is another archive."""
    try:
        found = read_info(target)
    except ArchiveMissing:
        if list_sources(target):
            raise ConfigError(
                f"{target.url}: found logs but no {INFO_KEY}; mend that archive or sync to another place"
            ) from None
        return True
    if found.archive != info.archive:
        raise ConfigError(
            f"{target.url}: found archive {found.archive}, expected a copy of {info.archive} or an empty place"
        )
    if found.digest != info.digest:
        raise DamageFound(f"{target.url}/{INFO_KEY}: found {found.digest}, expected {info.digest}: run ofrecord verify")
    return False


def _make_copy(sync: Sync) -> None:
    if not sync.report.dry_run:
        probe_store(sync.target, single_writer=sync.info.single_writer)
    sync.put_small(INFO_KEY, sync.origin.get(INFO_KEY))
    sync.absent = sync.report.dry_run


def _copy_all(sync: Sync, sources: Collection[str], *, whole: bool) -> None:
    # Listed before the logs, since they speak of no commit that was not there then.
    heads, manifests = list_series(sync, HEADS), list_series(sync, MANIFESTS)
    copy_keys(sync)
    for source in sources:
        SourceSync(sync, source).run()
    copy_keys(sync, again=True)  # a log may name one that is younger than the first listing
    report = sync.report
    if whole and report.whole:
        copy_tables(sync, manifests)
        copy_series(sync, heads)
    elif heads.keys or manifests.keys:
        report.notes.append("tables and heads speak of all sources: they are copied when all of these are")
    for name in ("raw", "clean"):
        if sync.origin.folders(f"{name}/"):
            report.notes.append(f"{name}/ is left out: it proves nothing and is no part of the archive")
