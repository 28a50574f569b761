"""What it costs that an archive is large: crawl start, look-ups, `history`, `show` and memory, at several sizes.

Builds the archive of one source through the code that commits real ones, of rows alone. A minute for 100,000 articles.
`python -m tests.benchmarks.size [ARTICLES … [PLOT.svg]]`; a plot needs the extra `bench`.
"""

from __future__ import annotations

import contextlib
import io
import math
import random
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from config.logs import configure_logging
from config.settings import Settings
from config.sources import DEFAULT_RECHECK
from jobs.archive.identity import create_archive
from jobs.catalog import Catalog, SourceVersions
from jobs.cli import main as run_command
from jobs.context import CATALOG_FILE, find_state, open_archive
from jobs.rechecks import RecheckPolicy
from jobs.store.local import LocalStore
from tests.installation import ROOT
from tests.machines import SOURCE, START, Look, Machine

if TYPE_CHECKING:
    from collections.abc import Iterator

    from jobs.store import ObjectStore

SIZES = (10_000, 100_000)
AGE_DAYS = 400
"""Beyond the last of the default ages: an article of that age that was looked at just now is never due again."""
DUE = 200
LOOKS, BATCH, TURNS = 2_000, 500, 5
_WORDS = [
    *("bridge", "council", "tax", "vote", "river", "school"),
    *("station", "market", "winter", "harbour", "union", "court"),
]

_MEASURE = """
import resource, subprocess, sys
subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL, check=True)
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print(used.ru_utime + used.ru_stime, used.ru_maxrss / 1000)
"""
"""A child's memory counts from its parent's: this one is small."""


class Library:
    """The log of one source that grows, and a catalog that has folded all of it."""

    def __init__(self, store: ObjectStore, catalog: Catalog) -> None:
        self.catalog = catalog
        self.info = create_archive(store, single_writer=False, now=START)
        self._machine = Machine(store, self.info, catalog, sums_up=False)
        self._commits = self._articles = 0

    def grow(self, articles: int, *, per_commit: int = 500, until: datetime = START, due: bool = False) -> None:
        """Commit so many more articles, each seen `AGE_DAYS` before *until* and now: not due; or then alone: *due*."""
        while articles > 0:
            share = min(articles, per_commit)
            looks = [Look("rss.xml", f"feed {self._commits}", purpose="feed")]
            for number in range(self._articles, self._articles + share):
                path, words = f"2026/{number % 365}/{_name(number)}", f"{_name(number)} {_name(number * 7)}"
                looks.append(Look(path, words, minutes=-AGE_DAYS * 1_440))
                looks += [] if due else [Look(path, words)]
            self._machine.commit(looks, number=self._commits, opened=until)
            self._commits += 1
            self._articles += share
            articles -= share


@dataclass(frozen=True, slots=True)
class Cost:
    """What was measured at one size, the best of five. Milliseconds and megabytes."""

    articles: int
    catalog_mb: float
    start: float
    """Open the archive, come to the log's end, list what is due."""
    look_up: float
    """What is known of one article."""
    batch: float
    """Which of 500 links are known, and since when."""
    history: float
    """The whole command, but for loading Python and the program."""
    show: float
    command: float
    """`history` as a process of its own: its CPU time."""
    peak_mb: float
    """Of that process."""


def measure(articles: int, folder: Path) -> Cost:
    """Build an archive of that size below *folder* and measure."""
    (folder / "archive").mkdir(parents=True)
    store = LocalStore(folder / "archive")
    settings = Settings(archive=str(folder / "archive"), state_dir=folder / "state")
    build = folder / "build.sqlite"
    with Catalog.open(build) as catalog:
        library = Library(store, catalog)
        library.grow(max(0, articles - DUE))
        library.grow(DUE, due=True)
    state = find_state(settings, store, library.info.archive)
    state.mkdir(parents=True)
    build.rename(state / CATALOG_FILE)
    with _open(settings) as (catalog, _):
        list(catalog.list_due(SOURCE, RecheckPolicy(DEFAULT_RECHECK), START))  # the first time, all are looked at
        chosen = random.Random(7).sample(list(catalog.list_known(SOURCE)), min(LOOKS, articles // 2))
    starts, looks = [], []
    for _ in range(TURNS):
        with _open(settings) as (catalog, seconds):
            starts.append(seconds)
            versions = SourceVersions(catalog, SOURCE)
            looks.append(_time_look_ups(versions, chosen))
    place = ("--archive", str(settings.archive), "--state", str(settings.state_dir))
    history, show = (_time_inside(name, *place, chosen[0]) for name in ("history", "show"))
    command, peak = _time_command("history", *place, chosen[0])
    return Cost(
        articles=articles,
        catalog_mb=(state / CATALOG_FILE).stat().st_size / 1e6,
        start=1e3 * min(starts),
        look_up=1e3 * min(one for one, _ in looks),
        batch=1e3 * min(batch for _, batch in looks),
        history=1e3 * history,
        show=1e3 * show,
        command=1e3 * command,
        peak_mb=peak,
    )


def describe(costs: list[Cost]) -> str:
    """Return the table."""
    figures = ("start", "look-up", "500 links", "history", "show", "command")
    names = ("articles", "catalog MB", *(f"{name} ms" for name in figures), "RSS MB")
    lines = ["".join(f"{name:>13}" for name in names)]
    for cost in costs:
        values = (cost.start, cost.look_up, cost.batch, cost.history, cost.show, cost.command)
        lines.append(
            f"{cost.articles:>13,}{cost.catalog_mb:>13.0f}"
            + "".join(f"{one:>13.2f}" for one in values)
            + f"{cost.peak_mb:>13.0f}"
        )
    return "\n".join(lines)


def plot(path: Path, costs: list[Cost]) -> None:
    """Draw milliseconds against articles."""
    import matplotlib as mpl

    mpl.use("svg")
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(figsize=(7, 4))
    for name in ("start", "look_up", "batch", "history", "show"):
        axes.plot([cost.articles for cost in costs], [getattr(cost, name) for cost in costs], marker="o", label=name)
    axes.set(xscale="log", yscale="log", xlabel="articles in the catalog", ylabel="ms")
    axes.legend()
    figure.tight_layout()
    figure.savefig(path)


def main(argv: list[str] | None = None) -> None:
    """Measure and print."""
    arguments = argv or []
    configure_logging(level="warning")
    sizes = [int(one) for one in arguments if one.isdigit()] or list(SIZES)
    costs = []
    for articles in sizes:
        with tempfile.TemporaryDirectory(prefix="ofrecord-size-") as folder:
            costs.append(measure(articles, Path(folder)))
    sys.stdout.write(describe(costs) + "\n")
    if arguments and arguments[-1].endswith(".svg"):
        plot(Path(arguments[-1]), costs)


@contextlib.contextmanager
def _open(settings: Settings) -> Iterator[tuple[Catalog, float]]:
    """Do what a crawl does before it fetches; give its catalog, and how long that took."""
    begun = time.perf_counter()
    with open_archive(settings) as archive:
        archive.prepare(SOURCE)
        archive.catalog.is_released(SOURCE, archive.catalog.last_epoch(SOURCE))
        due = sum(
            1 for _ in archive.catalog.list_due(SOURCE, RecheckPolicy(DEFAULT_RECHECK), START + timedelta(days=1))
        )
        seconds = time.perf_counter() - begun
        if not due:
            raise AssertionError("nothing is due")
        yield archive.catalog, seconds


def _time_look_ups(versions: SourceVersions, urls: list[str]) -> tuple[float, float]:
    begun = time.perf_counter()
    for url in urls:
        if versions.last(url) is None:
            raise AssertionError(f"{url} is not known")
    between = time.perf_counter()
    batches = [urls[at : at + BATCH] for at in range(0, len(urls), BATCH)]
    for batch in batches:
        if len(versions.find_looks(batch)) != len(batch):
            raise AssertionError("not all are known")
    return (between - begun) / len(urls), (time.perf_counter() - between) / len(urls) * BATCH


def _time_inside(*arguments: str) -> float:
    """Return the least time of a command in this process, in seconds."""
    least = math.inf
    for _ in range(TURNS + 1):  # the first also loads what it needs
        begun = time.perf_counter()
        with contextlib.redirect_stdout(io.StringIO()):
            code = run_command(list(arguments))
        if code:
            raise AssertionError(f"{arguments} ended with {code}")
        least = min(least, time.perf_counter() - begun)
    return least


def _time_command(*arguments: str) -> tuple[float, float]:
    """Return the least CPU time of a command of its own in seconds, and its largest memory in MB."""
    times, peaks = [], []
    for _ in range(TURNS):
        measured = subprocess.run(
            [sys.executable, "-c", _MEASURE, sys.executable, "-m", "jobs", *arguments],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            check=True,
        )
        seconds, peak = map(float, measured.stdout.split())
        times.append(seconds)
        peaks.append(peak)
    return min(times), max(peaks)


def _name(number: int) -> str:
    return f"{_WORDS[number % 12]}-{_WORDS[number // 12 % 12]}-{number}"


if __name__ == "__main__":
    main(sys.argv[1:])
