"""A day of many sources on a real S3 server, every run a job without state: requests, bytes, and the year computed.

`python -m tests.benchmarks.day [SOURCES [PROCESSES [PLOT.svg]]]`; a plot needs the extra `bench`.
"""

from __future__ import annotations

import os
import sys
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING

from config.logs import configure_logging
from config.settings import Settings
from jobs.archive.identity import create_archive
from jobs.store import open_store
from tests.days import RUNS, Day, run_day
from tests.seaweed import s3_server

if TYPE_CHECKING:
    from jobs.store import ObjectStore

YEAR = 365


def run_days(settings: Settings, sources: list[str], *, processes: int, runs: int = RUNS) -> Day:
    """Let *sources* run for a day, shared out over *processes*."""
    total = Day()
    parts = [sources[number::processes] for number in range(processes)]
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        for day in pool.map(_run_part, [settings.model_dump(mode="json")] * processes, parts, [runs] * processes):
            seconds = max(total.seconds, day.seconds)
            total.add(day)
            total.seconds = seconds
    return total


def weigh(store: ObjectStore) -> tuple[Counter[str], Counter[str]]:
    """Return kind → objects and kind → bytes of what lies in the store."""
    numbers: Counter[str] = Counter()
    sizes: Counter[str] = Counter()
    for item in store.list(""):
        kind = item.key.partition("/")[0]
        numbers[kind] += 1
        sizes[kind] += item.size_bytes
    return numbers, sizes


def describe(day: Day, store: ObjectStore, sources: int) -> str:
    """Return the table."""
    numbers, sizes = weigh(store)
    lines = [
        f"{sources} sources × {day.runs // sources} runs, {day.captures} captures, {day.seconds:.0f} s",
        f"  PUTs a source and day: {day.puts / sources:.1f}",
        f"  and for feeds {day.feed_puts / sources:.1f}, by {day.changed / sources:.1f} runs with changes; each: "
        + ", ".join(f"{name} {n / max(day.changed, 1):.2f}" for name, n in sorted(day.feed_requests.items())),
        f"  requests before a run can begin, the worst: {day.most_at_start}",
        "  requests a run: " + ", ".join(f"{name} {n / day.runs:.2f}" for name, n in sorted(day.requests.items())),
        f"  {'kind':<12} {'objects/day':>12} {'KiB/day':>10} {'MiB/year':>10}   of one source",
    ]
    for kind in sorted(numbers):
        size = sizes[kind] / sources
        lines.append(
            f"  {kind:<12} {numbers[kind] / sources:>12.1f} {size / 1024:>10.1f} {size * YEAR / 1024**2:>10.1f}"
        )
    return "\n".join(lines)


def plot(path: Path, day: Day, store: ObjectStore, sources: int) -> None:
    """Draw requests a source and day, and bytes by kind."""
    import matplotlib as mpl

    mpl.use("svg")
    from matplotlib import pyplot as plt

    _, sizes = weigh(store)
    figure, (left, right) = plt.subplots(1, 2, figsize=(10, 3.5))
    names = sorted(day.requests)
    left.barh(names, [day.requests[name] / sources for name in names])
    left.axvline(150, linestyle=":", label="150")
    left.set_title("requests a source and day")
    kinds = sorted(sizes)
    right.barh(kinds, [sizes[kind] / sources * YEAR / 1024**2 for kind in kinds])
    right.set_title("MiB a source and year")
    figure.tight_layout()
    figure.savefig(path)


def main(argv: list[str]) -> None:
    """Run and print."""
    count = int(argv[0]) if argv else 20
    processes = int(argv[1]) if len(argv) > 1 else 2
    sources = [f"source-{number:03}" for number in range(count)]
    with s3_server() as server:
        os.environ.update(server.environment())
        settings = Settings(
            archive=f"s3://{server.bucket}/day", s3_endpoint_url=server.endpoint_url, s3_path_style=True
        )
        store = open_store(str(settings.archive), settings)
        create_archive(store, single_writer=False, now=datetime.now(UTC))
        day = run_days(settings, sources, processes=processes)
        sys.stdout.write(describe(day, store, count) + "\n")
        if len(argv) > 2:
            plot(Path(argv[2]), day, store, count)


def _run_part(settings: dict[str, object], sources: list[str], runs: int) -> Day:
    configure_logging(level="warning")
    return run_day(Settings.model_validate(settings), sources, runs=runs) if sources else Day()


if __name__ == "__main__":
    main(sys.argv[1:])
