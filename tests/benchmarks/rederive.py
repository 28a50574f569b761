"""What a rebuild costs on one worker of a Dask cluster and on two: `python -m tests.benchmarks.rederive [PAGES]`.

Wall time means little on a machine that does other things. Beside it stands the time on idle cores: CPU time of this
process and of the worker that had most to do, those of its extraction processes with it.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import dask
from distributed import Client, LocalCluster

from config.rules import ExtractRules
from config.settings import Settings
from jobs.context import open_archive
from jobs.rebuild import RebuildOptions, rebuild_source
from jobs.rebuild.cluster import open_cluster
from tests.archives import NOON, SOURCE
from tests.daemons import make_source
from tests.real_archives import Growing, make_exchange, site_pages

PAGES_OF_SEGMENT = 50


def main(pages: int = 3_000) -> None:
    """Print seconds for one worker and for two, and the ratio."""
    with tempfile.TemporaryDirectory(prefix="ofrecord-") as name:
        folder = Path(name)
        place = make_archive(folder, pages)
        figures = {workers: measure(folder, place, workers) for workers in (1, 2)}
    for workers, (wall, cpu) in figures.items():
        tell(f"{workers} worker(s): {wall:.1f} s by the clock, {cpu:.1f} s of CPU time on the longest way")
    tell(f"ratio: {figures[1][0] / figures[2][0]:.2f} by the clock, {figures[1][1] / figures[2][1]:.2f} by CPU time")


def make_archive(folder: Path, pages: int) -> Path:
    """Return an archive of the test site's pages, each answer with a word of its own."""
    growing = Growing(folder / "spool")
    bodies = sorted(site_pages().items(), key=lambda item: -len(item[1]))[:6]
    for segment in range(pages // PAGES_OF_SEGMENT):
        at = NOON + timedelta(hours=segment)
        exchanges = []
        for number in range(PAGES_OF_SEGMENT):
            url, body = bodies[number % len(bodies)]
            own = body.replace(b"</p>", f" {segment} {number}</p>".encode(), 1)
            exchanges.append(make_exchange(f"{url}?{number}", at + timedelta(seconds=number), own))
        growing.add_segment(exchanges)
    place = folder / "archive"
    for item in growing.store.list(""):
        target = place / item.key
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(growing.store.get(item.key))
    return place


def measure(folder: Path, place: Path, workers: int) -> tuple[float, float]:
    """Return seconds by the clock, and CPU seconds on the longest way, of deriving all of the archive."""
    source = make_source(None).model_copy(update={"extract": ExtractRules(remove=("aside",))})
    settings = Settings(archive=str(place), workers=1, state_dir=folder / f"state-{workers}")
    with (
        dask.config.set({"temporary_directory": str(folder / "dask")}),
        LocalCluster(
            n_workers=workers, threads_per_worker=1, host="127.0.0.1", dashboard_address=None, silence_logs=50
        ) as running,
        Client(running.scheduler_address, set_as_default=False) as client,
        open_cluster(running.scheduler_address, settings) as runner,
        open_archive(settings) as archive,
    ):
        archive.refresh(SOURCE)
        before, mine = client.run(spent), spent()
        started = time.monotonic()
        done = rebuild_source(archive, source, RebuildOptions(), runner)
        wall = time.monotonic() - started
        here = spent() - mine
        there = [seconds - before[worker] for worker, seconds in client.run(spent).items()]
        assert done.report is not None
        shares = ", ".join(f"{seconds:.1f}" for seconds in there)
        tell(f"{workers} worker(s): {done.derived} parts; CPU seconds here {here:.1f}, of workers {shares}")
        return wall, max(there) + here


def tell(line: str) -> None:
    """Write a line to standard output."""
    sys.stdout.write(f"{line}\n")


def spent(**_: Any) -> float:
    """Return the CPU seconds of this process and of those that it waited for."""
    return sum(os.times()[:4])


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
