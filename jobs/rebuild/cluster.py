"""A rebuild's pages as tasks of a Dask cluster: workers read the store and derive, the parts are written here."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from jobs.archive.commit import writer_name
from jobs.cluster import open_cluster as connect
from jobs.cluster import work_at
from jobs.rebuild.deriving import derive_parts
from jobs.segments.pages import DerivingLimits

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from config.settings import Settings
    from jobs.cluster import Cluster, StorePlace
    from jobs.rebuild.parts import Part
    from jobs.rebuild.planning import StretchTask

PAGES = 300
"""That one task is of, at least: some seconds of work, beside which the start of its worker is little."""

Batch = tuple[tuple["StretchTask", ...], DerivingLimits]


@contextmanager
def open_cluster(address: str, settings: Settings) -> Iterator[ClusterRunner]:
    """Connect to the scheduler at *address* and wait for a worker; starts none. Raises ConfigError."""
    with connect(address, settings, writer_name()) as cluster:
        yield ClusterRunner(cluster, DerivingLimits.of(settings, workers=1))


class ClusterRunner:
    """Derives on a cluster's workers, one page at a time in each of their threads."""

    def __init__(self, cluster: Cluster, limits: DerivingLimits) -> None:
        self._cluster = cluster
        self._limits = limits

    def derive(self, tasks: Iterable[StretchTask]) -> Iterator[Part]:
        """Yield what each of *tasks* came to, as it comes."""
        batches = ((batch, self._limits) for batch in batch_tasks(tasks))
        for parts in self._cluster.run(_derive, batches):
            yield from parts


def batch_tasks(tasks: Iterable[StretchTask]) -> Iterator[tuple[StretchTask, ...]]:
    """Yield *tasks* in batches of PAGES pages or some more."""
    batch: list[StretchTask] = []
    pages = 0
    for task in tasks:
        batch.append(task)
        pages += len(task.pages)
        if pages >= PAGES:
            yield tuple(batch)
            batch, pages = [], 0
    if batch:
        yield tuple(batch)


def _derive(place: StorePlace, batch: Batch) -> list[Part]:
    tasks, limits = batch
    return work_at(place, writer_name(), lambda store: list(derive_parts(store, tasks, limits)))
