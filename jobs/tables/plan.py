"""What a roll-up has to make: the days that new commits touch, by the catalog and by a look at the new rows.

Reads only. A day that is made anew from the log needs all segments that hold facts of it; every other day needs the
new ones and the files that it has. What grows with the archive lies on local disk: see jobs/tables/planned.py.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING, Protocol

from config.errors import DamageFound
from jobs.archive.commit import commit_key
from jobs.archive.ends import LogEnd
from jobs.fold import FOLD
from jobs.tables.days import DayTask
from jobs.tables.planned import PlannedDays
from jobs.tables.schema import FACT_TABLES, REVISIONS, TABLES, day_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from jobs.catalog import Catalog, StoredSegment
    from jobs.tables.days import MadeDay, SegmentDays
    from jobs.tables.manifest import Manifest, TableFile

EVERYTHING = ""
"""As the day to make anew from: before all others."""


class Runner(Protocol):
    """Where the work is done: in this process, or by the workers of a cluster. Results come in any order."""

    def scan(self, segments: Iterable[StoredSegment]) -> Iterator[SegmentDays]:
        """Yield what each of *segments* has facts of."""

    def make(self, tasks: Iterable[DayTask]) -> Iterator[MadeDay]:
        """Make each of *tasks* and put its files."""


@dataclass(slots=True)
class Ends:
    """How far the logs are in."""

    heads: dict[str, LogEnd]
    behind: dict[str, str] = field(default_factory=dict)
    """Sources of which the catalog lacks commits that the tables have → what was found."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be made."""

    segments: int
    """Read to find it out."""
    tasks: Iterator[DayTask]
    """One for each of `days`, in order; once, and only while the plan's folder is there."""
    days: list[str]
    revision_days: list[str]
    kept: list[TableFile]
    """Of the manifest before: what stays as it is."""


def find_ends(catalog: Catalog, previous: Manifest | None) -> Ends:
    """Return up to which commits the catalog has the logs. Raises DamageFound if a log was written anew."""
    ends = Ends({source: LogEnd(seq, head) for source, seq, head in catalog.list_heads() if seq})
    for source, end in (previous.heads if previous else {}).items():
        found = catalog.find_commit(source, end.seq)
        if found is not None and found != end.sha256:
            raise DamageFound(
                f"{commit_key(source, end.seq)}: found {found}, but the tables were made of {end.sha256}:"
                " the log was written anew"
            )
        last = ends.heads.get(source, LogEnd(0, ""))
        if last.seq < end.seq:
            ends.behind[source] = f"can be read up to commit {last.seq}; the tables have it up to {end.seq}"
            ends.heads[source] = end
    return ends


def choose_start(previous: Manifest | None, since: str | None) -> str | None:
    """Return the day from which on all are made anew from the log; `None`: no day is, only touched ones change."""
    return EVERYTHING if previous is None or previous.fold != FOLD else since


def make_plan(
    catalog: Catalog, runner: Runner, previous: Manifest | None, folder: Path, *, ends: Ends, start: str | None
) -> Plan:
    """Find out what to make. *folder*: an empty one on local disk, needed until all tasks are taken.

    *start*: see `choose_start`. Raises DamageFound, RecordError and StoreError.
    """
    if start is not None and ends.behind:
        raise _refuse(ends)
    heads = previous.heads if previous else {}
    afters = {source: heads[source].seq if source in heads else 0 for source in ends.heads.keys() - ends.behind.keys()}
    planned = PlannedDays(folder)
    anew, moved = _find_replaced(catalog, runner, afters, start)
    if anew and ends.behind:
        raise _refuse(ends)
    scans = runner.scan(_list_wanted(catalog, afters, start, anew))
    segments, articles = _group_days(scans, planned, afters, start, anew)
    articles |= moved
    old = previous.files if previous else ()
    revision_days = _find_revision_days(catalog, articles, start)
    for day in anew:
        planned.tables[day].update(table.name for table in FACT_TABLES)  # what is gone may have been all of one
    days = sorted(planned.tables)
    made = {(name, day) for day in days for name in planned.tables[day]}
    made |= {(REVISIONS.name, day) for day in revision_days}
    kept = [
        file
        for file in old
        if file.table in TABLES and (file.table, file.day) not in made and (start is None or file.day < start)
    ]
    tasks = (
        _make_task(day, planned, old if day not in anew and (start is None or day < start) else ()) for day in days
    )
    return Plan(segments, tasks, days, sorted(revision_days), kept)


def _refuse(ends: Ends) -> DamageFound:
    source, found = next(iter(ends.behind.items()))
    return DamageFound(f"source {source}: {found}: no day can be made anew before that is mended")


def _find_replaced(
    catalog: Catalog, runner: Runner, afters: dict[str, int], start: str | None
) -> tuple[set[str], set[tuple[str, str]]]:
    """Return the days of which the tables have rows that were withdrawn or moved since, and the articles of these."""
    if start == EVERYTHING:
        return set(), set()
    replaced = (one for source, after in sorted(afters.items()) for one in catalog.list_replaced(source, after=after))
    days: set[str] = set()
    articles: set[tuple[str, str]] = set()
    for scan in runner.scan(replaced):
        days |= {day for _, day in scan.touched}
        articles |= {(scan.segment.source, url) for url in scan.urls}
    return days, articles


def _list_wanted(
    catalog: Catalog, afters: dict[str, int], start: str | None, anew: set[str]
) -> Iterator[StoredSegment]:
    """Yield the segments to look into. *afters*: source → the last commit that the tables have."""
    for source, after in sorted(afters.items()):
        holding = catalog.list_segments_of_days(source, anew) if anew else set()
        for segment in catalog.list_segments(source, after=0 if start is not None or anew else after):
            late = start is not None and (segment.closed is None or day_of(segment.closed) >= start)
            if segment.seq > after or late or segment.segment in holding:
                yield segment


def _group_days(
    scans: Iterable[SegmentDays], planned: PlannedDays, afters: dict[str, int], start: str | None, anew: set[str]
) -> tuple[int, set[tuple[str, str]]]:
    """Note in *planned* of which segments each day is to be made.

    Returns how many were looked into, and the articles of which there are new facts; none where all is made anew.
    """
    articles: set[tuple[str, str]] = set()
    number = 0
    for scan in scans:
        number += 1
        segment = scan.segment
        is_new = segment.seq > afters[segment.source]
        if is_new and start != EVERYTHING:
            articles |= {(segment.source, url) for url in scan.urls}
        for day, touched in groupby(sorted((day, table) for table, day in scan.touched), itemgetter(0)):
            if is_new or day in anew or (start is not None and day >= start):
                planned.add(segment, day, [table for _, table in touched])
    return number, articles


def _make_task(day: str, planned: PlannedDays, old: Iterable[TableFile]) -> DayTask:
    tables = planned.tables[day]
    return DayTask(
        day=day,
        tables=tuple(table.name for table in FACT_TABLES if table.name in tables),
        segments=planned.read(day),
        old=tuple(file for file in old if file.day == day and file.table in tables),
    )


def _find_revision_days(catalog: Catalog, articles: set[tuple[str, str]], start: str | None) -> set[str]:
    """Return the days of which revisions may have come, gone or changed: those of all captures of *articles*."""
    days = {day for source, url in sorted(articles) for day in catalog.list_capture_days(source, url)}
    return days if start is None else days | set(catalog.list_revision_days(start))
