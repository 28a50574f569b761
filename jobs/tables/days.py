"""The two pieces of work that a roll-up is made of: which days segments have facts of, and the files of one day.

Each is a function of the store and its arguments alone and may be repeated anywhere, by this process or by Dask's.
"""

from __future__ import annotations

import tempfile
from collections import Counter, deque
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from config.errors import DamageFound, ObjectMissing
from crawler.waits import wait_for
from jobs.archive.commit import CommittedFile
from jobs.archive.facts import fetch_rows, read_rows
from jobs.segments.seal import hash_file
from jobs.segments.upload import put_file
from jobs.tables.convert import Converter, place_fact
from jobs.tables.files import read_file, write_files
from jobs.tables.schema import TABLES
from jobs.tables.sorting import Sorter, merge_rows

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from crawler.rows import Row as Fact
    from jobs.catalog import StoredSegment
    from jobs.store import ObjectStore
    from jobs.tables.manifest import TableFile
    from jobs.tables.schema import Row

FETCH_THREADS = 8
_AHEAD = 2 * FETCH_THREADS
"""Segments whose rows are fetched, or waited for, while an earlier one is read."""


@dataclass(frozen=True, slots=True)
class SegmentDays:
    """What one segment has facts of."""

    segment: StoredSegment
    touched: frozenset[tuple[str, str]]
    """Table and day."""
    urls: frozenset[str]
    """Articles with a capture or a snapshot."""


@dataclass(frozen=True, slots=True)
class DayTask:
    """One day to be made."""

    day: str
    tables: tuple[str, ...]
    segments: tuple[StoredSegment, ...]
    """Those whose facts of that day are to be in the files."""
    old: tuple[TableFile, ...] = ()
    """Files of that day and those tables whose rows are to be in the new ones, too."""


@dataclass(slots=True)
class MadeDay:
    """The files of a day; none where there are no facts."""

    task: DayTask
    files: list[TableFile] = field(default_factory=list)
    nulled: Counter[str] = field(default_factory=Counter)
    """`table.column` → values of new facts that did not fit."""


@contextmanager
def scratch_folder() -> Iterator[Path]:
    """Yield an empty folder on local disk (TMPDIR says where) that is gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="ofrecord-tables-") as folder:
        yield Path(folder)


def scan_segments(store: ObjectStore, segments: Iterable[StoredSegment]) -> Iterator[SegmentDays]:
    """Yield what each of *segments* has facts of, in their order. Raises DamageFound, RecordError and StoreError."""
    for segment, facts in _read_segments(store, segments):
        touched, urls = set(), set()
        for fact in facts:
            place = place_fact(fact)
            if place is not None:
                touched.add(place)
                if place[0] != "links":
                    urls.add(getattr(fact, "url", ""))
        yield SegmentDays(segment, frozenset(touched), frozenset(urls))


def make_day(store: ObjectStore, task: DayTask, *, put: bool = True) -> MadeDay:
    """Make the files of one day and put them, unless told not to; what is there already stays."""
    with scratch_folder() as folder:
        made = MadeDay(task)
        for path, file in _write_day(store, task, folder, made.nulled):
            made.files.append(file)
            if put:
                put_table(store, path, file, known=task.old)
        return made


def put_table(store: ObjectStore, path: Path, file: TableFile, *, known: Iterable[TableFile] = ()) -> None:
    """Put a file at its key, unless it is among those *known* to be there."""
    if file not in known:
        put_file(store, CommittedFile(file.key, file.size_bytes, file.sha256, file.rows), path)


def read_tables(store: ObjectStore, files: Iterable[TableFile], folder: Path) -> Iterator[Row]:
    """Yield the rows of *files*, parts of one table and day, in order. Raises DamageFound and StoreError."""
    runs = [(TABLES[file.table], read_file(fetch_table(store, file, folder), file)) for file in files]
    return merge_rows(runs[0][0], *(rows for _, rows in runs)) if runs else iter(())


def fetch_table(store: ObjectStore, file: TableFile, folder: Path) -> Path:
    """Return where the bytes of *file* lie below *folder*, checked. Raises DamageFound and StoreError."""
    path = folder / f"{file.table}-{file.sha256.removeprefix('sha256:')}.old"
    where, advice = f"{store.url}/{file.key}", f"ofrecord tables build --since {file.day} makes it anew"
    try:
        store.fetch(file.key, path)
    except ObjectMissing as error:
        raise DamageFound(f"{where}: missing, though a manifest lists it; {advice}") from error
    size, found = path.stat().st_size, hash_file(path)
    if (size, found) != (file.size_bytes, file.sha256):
        path.unlink()
        raise DamageFound(
            f"{where}: found {size} bytes with {found}, expected {file.size_bytes} with {file.sha256}; {advice}"
        )
    return path


def _write_day(
    store: ObjectStore, task: DayTask, folder: Path, nulled: Counter[str]
) -> Iterator[tuple[Path, TableFile]]:
    sorters = {name: Sorter(TABLES[name], folder) for name in task.tables}
    converter = Converter()
    for segment, facts in _read_segments(store, task.segments):
        for fact in facts:
            place = place_fact(fact)
            if place is not None and place[1] == task.day and place[0] in sorters:
                sorters[place[0]].add(converter.convert(segment, fact))
    nulled.update(converter.nulled)
    for name, sorter in sorters.items():
        old = read_tables(store, [file for file in task.old if file.table == name], folder)
        yield from write_files(TABLES[name], task.day, sorter.merge(old), folder)


def _read_segments(
    store: ObjectStore, segments: Iterable[StoredSegment]
) -> Iterator[tuple[StoredSegment, Iterator[Fact]]]:
    """Yield each segment with its facts; fetches some ahead, so that few are held at a time."""
    waiting: deque[tuple[StoredSegment, Future[bytes]]] = deque()
    left = iter(segments)
    pool = ThreadPoolExecutor(FETCH_THREADS, thread_name_prefix="rows")
    try:
        for segment in islice(left, _AHEAD):
            waiting.append((segment, pool.submit(fetch_rows, store, segment.rows)))
        while waiting:
            segment, fetched = waiting.popleft()
            yield segment, _read_facts(store, segment, wait_for(fetched))
            for further in islice(left, 1):
                waiting.append((further, pool.submit(fetch_rows, store, further.rows)))
    finally:
        pool.shutdown(cancel_futures=True)


def _read_facts(store: ObjectStore, segment: StoredSegment, data: bytes) -> Iterator[Fact]:
    return (fact for _, fact in read_rows(data, f"{store.url}/{segment.rows.key}"))
