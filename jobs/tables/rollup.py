"""New commits of all logs → the tables of the days that they touch, then a manifest that lists them.

What is made depends on the facts alone: whoever makes it, however often and in however many steps, makes the same
files. Deletes nothing.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING, Any

import structlog

from config.errors import DamageFound, FormatTooNew, RecordError, StoreUnavailable
from jobs.archive.commit import writer_name
from jobs.archive.identity import list_sources
from jobs.checkpoint.restoring import refresh_catalog
from jobs.tables.days import make_day, put_table, read_tables, scan_segments, scratch_folder
from jobs.tables.files import WRITER, write_files
from jobs.tables.manifest import Manifest, append_manifest, read_newest
from jobs.tables.plan import choose_start, find_ends, make_plan
from jobs.tables.schema import REVISIONS
from jobs.tables.sorting import merge_rows

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator
    from pathlib import Path

    from jobs.catalog import Catalog, StoredSegment
    from jobs.context import OpenArchive
    from jobs.store import ObjectStore
    from jobs.tables.days import DayTask, MadeDay, SegmentDays
    from jobs.tables.manifest import StoredManifest, TableFile
    from jobs.tables.plan import Plan, Runner
    from jobs.tables.schema import Row

    Others = Callable[[str], Iterable[Row]]

log = structlog.get_logger()

_MAX_RACES = 20


class LocalRunner:
    """Does the work in this process, a day at a time."""

    def __init__(self, store: ObjectStore, *, put: bool = True) -> None:
        self._store = store
        self._put = put

    def scan(self, segments: Iterable[StoredSegment]) -> Iterator[SegmentDays]:
        """Yield what each of *segments* has facts of."""
        return scan_segments(self._store, segments)

    def make(self, tasks: Iterable[DayTask]) -> Iterator[MadeDay]:
        """Make each of *tasks*."""
        return (make_day(self._store, task, put=self._put) for task in tasks)


@dataclass(slots=True)
class BuildReport:
    """What one roll-up did."""

    manifest: int = 0
    """Number of the newest manifest, 0 if there is none."""
    wrote: bool = False
    """Whether this roll-up put it."""
    segments: int = 0
    """Whose rows were read."""
    days: list[str] = field(default_factory=list)
    """Made anew, in part or whole."""
    files: int = 0
    """Made and not listed before."""
    dropped: int = 0
    """Listed before and no longer."""
    nulled: Counter[str] = field(default_factory=Counter)
    """`table.column` → values that did not fit and became null."""
    stuck: dict[str, str] = field(default_factory=dict)
    """Source → why its log could not be read to its end."""


def build_tables(archive: OpenArchive, runner: Runner | None = None, *, since: str | None = None) -> BuildReport:
    """Bring the tables up to the ends of the logs; put no manifest where nothing is new. Safe to repeat at any point.

    *since*: make the days from that one on (`yyyy-mm-dd`) anew from the log, whatever files they have. Of sources whose
    log cannot be read to its end, the facts up to there are in. Raises ConfigError, DamageFound, FormatTooNew and
    StoreError.
    """
    archive.require_signer()
    worker = runner or LocalRunner(archive.store)
    for _ in range(_MAX_RACES):
        previous = read_newest(archive.store, archive.info)
        report = BuildReport(stuck=refresh_logs(archive))
        with archive.catalog.frozen():
            manifest = _roll_up(archive, worker, previous, since, report)
        if manifest is None:
            return report
        if append_manifest(archive.store, manifest, archive.signer):
            report.manifest, report.wrote = manifest.n, True
            log.info("built_tables", manifest=manifest.n, days=len(report.days), files=report.files)
            return report
    raise StoreUnavailable(f"{archive.store.url}: others put {_MAX_RACES} manifests meanwhile; try again")


def refresh_logs(archive: OpenArchive) -> dict[str, str]:
    """Fold all logs into the catalog; return source → what stopped one. Raises StoreError."""
    stuck = {}
    for source in list_sources(archive.store):
        try:
            refresh_catalog(archive.catalog, archive.store, archive.log(source), full=True)
        except (DamageFound, RecordError, FormatTooNew) as error:
            stuck[source] = str(error)
    return stuck


def write_revisions(
    catalog: Catalog, days: Iterable[str], folder: Path, *, without: Collection[str] = (), others: Others | None = None
) -> Iterator[tuple[Path, TableFile]]:
    """Write the revisions that the fold has on each of *days* into *folder*; yield where each file lies and what it is.

    *without*: sources that are left out. *others*: what gives the rows to put in beside, of a day.
    """
    wanted = sorted(set(days))
    found = groupby(catalog.list_revisions_of_days(wanted), itemgetter("day"))
    group = next(found, None)
    for day in wanted:
        rows: Iterator[Row] = iter(())
        if group is not None and group[0] == day:
            rows = (_make_row(record) for record in group[1] if record["source"] not in without)
        beside = others(day) if others else ()
        yield from write_files(REVISIONS, day, merge_rows(REVISIONS, rows, beside), folder)
        if group is not None and group[0] == day:
            group = next(found, None)


def _roll_up(
    archive: OpenArchive, runner: Runner, previous: StoredManifest | None, since: str | None, report: BuildReport
) -> Manifest | None:
    """Make what is to be made and return the manifest that lists it; `None` if the newest one does."""
    last = previous.manifest if previous else None
    report.manifest = last.n if last else 0
    ends = find_ends(archive.catalog, last)
    report.stuck = {**ends.behind, **report.stuck}
    start = choose_start(last, since)
    if not ends.heads or (last and start is None and ends.heads == last.heads):
        return None
    with scratch_folder() as folder:
        plan = make_plan(archive.catalog, runner, last, folder, ends=ends, start=start)
        files = [*plan.kept]
        for made in runner.make(plan.tasks):
            files += made.files
            report.nulled += made.nulled
            log.info("rolled_up_day", day=made.task.day, tables=made.task.tables, files=len(made.files))
    old = last.files if last else ()
    files += _put_revisions(archive, plan, ends.behind, old)
    listed = tuple(sorted(set(files), key=lambda file: (file.table, file.day, file.key)))
    report.segments = plan.segments
    report.days = sorted({*plan.days, *plan.revision_days})
    report.files, report.dropped = len({*listed} - {*old}), len({*old} - {*listed})
    if last and ends.heads == last.heads and set(listed) == set(last.files):
        return None
    return Manifest(
        archive=archive.info.archive,
        n=report.manifest + 1,
        previous=previous.digest if previous else archive.info.digest,
        created=datetime.now(UTC).replace(microsecond=0),
        writer=f"{writer_name()} {WRITER}",
        heads=dict(sorted(ends.heads.items())),
        files=listed,
    )


def _put_revisions(
    archive: OpenArchive, plan: Plan, behind: Collection[str], old: Iterable[TableFile]
) -> list[TableFile]:
    """Make and put the revisions; of sources *behind*, the rows that the *old* files have stay."""
    known = [file for file in old if file.table == REVISIONS.name]
    files = []
    with scratch_folder() as folder:

        def read_behind(day: str) -> Iterator[Row]:
            rows = read_tables(archive.store, [file for file in known if file.day == day], folder)
            return (row for row in rows if row[0] in behind)

        others = read_behind if behind else None
        for path, file in write_revisions(archive.catalog, plan.revision_days, folder, without=behind, others=others):
            put_table(archive.store, path, file, known=known)
            path.unlink()
            files.append(file)
    return files


def _make_row(record: dict[str, Any]) -> Row:
    return tuple(record[name] for name in REVISIONS.names)
