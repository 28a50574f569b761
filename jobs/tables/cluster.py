"""The work of a roll-up as tasks of a Dask cluster. The result is the same."""

from __future__ import annotations

from contextlib import contextmanager
from itertools import islice
from typing import TYPE_CHECKING

from jobs.archive.commit import writer_name
from jobs.cluster import open_cluster as connect
from jobs.cluster import work_at
from jobs.tables.days import make_day, scan_segments
from jobs.tables.files import WRITER

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from config.settings import Settings
    from jobs.catalog import StoredSegment
    from jobs.cluster import Cluster, StorePlace
    from jobs.tables.days import DayTask, MadeDay, SegmentDays

SCAN_SEGMENTS = 200
"""How many one task looks through."""


@contextmanager
def open_cluster(address: str, settings: Settings) -> Iterator[ClusterRunner]:
    """Connect to the scheduler at *address* and wait for a worker; starts none. Raises ConfigError."""
    with connect(address, settings, _name_program()) as cluster:
        yield ClusterRunner(cluster)


class ClusterRunner:
    """Does the work on a cluster's workers: segments by the hundred, then a day a task."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster

    def scan(self, segments: Iterable[StoredSegment]) -> Iterator[SegmentDays]:
        """Yield what each of *segments* has facts of."""
        left = iter(segments)
        batches = iter(lambda: tuple(islice(left, SCAN_SEGMENTS)), ())
        for found in self._cluster.run(_scan, batches):
            yield from found

    def make(self, tasks: Iterable[DayTask]) -> Iterator[MadeDay]:
        """Make each of *tasks* and put its files."""
        return self._cluster.run(_make, tasks)


def _name_program() -> str:
    return f"{writer_name()} {WRITER}"


def _scan(place: StorePlace, segments: tuple[StoredSegment, ...]) -> list[SegmentDays]:
    return work_at(place, _name_program(), lambda store: list(scan_segments(store, segments)))


def _make(place: StorePlace, task: DayTask) -> MadeDay:
    return work_at(place, _name_program(), lambda store: make_day(store, task))
