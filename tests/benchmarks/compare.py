"""`make bench`: our crawl beside Scrapy's and wget's, on the same pages, in turns: a table, JSON and plots.

`python -m tests.benchmarks.compare [--rounds 3] [--pages 1500] [--out bench] [--only NAME] [--sizes 10000,100000]`.
Ends with 1 if a round of ours lost a page, changed a byte or does not verify. Read the ratios, which are of runs near
in time, not the speeds. Under ten minutes on an idle machine of two cores.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from tests.benchmarks.checking import check_archive, read_size
from tests.benchmarks.contenders import CONTENDERS, Ours, Task
from tests.benchmarks.measuring import measure
from tests.benchmarks.newspaper import compress_page, make_page, path_of, site_of
from tests.benchmarks.newspaper_server import address_of, serve
from tests.benchmarks.report import Comparison, Run, describe_machine, show_run, write_report

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.benchmarks.contenders import Contender

OURS = CONTENDERS[0]
ROOT = Path(__file__).resolve().parents[2]


@dataclass
class Bench:
    """Pages that are served, and what came of fetching them."""

    scratch: Path
    served: dict[str, Path]
    """URL → file with the body."""
    comparison: Comparison
    problems: list[str] = field(default_factory=list)

    def run(self, contender: Contender, number: int, *, pages: int) -> Run | None:
        """Let *contender* fetch the first *pages* once; `None` if it failed, which is a problem."""
        urls = list(self.served)[:pages]
        task = Task(self.scratch / "urls.txt", self.scratch / "out", f"{urls[0].rpartition('/20')[0]}/")
        task.urls.write_text("".join(f"{url}\n" for url in urls), encoding="utf-8")
        shutil.rmtree(task.folder, ignore_errors=True)
        task.folder.mkdir()
        command, environment = contender.prepare(task)
        log = self.scratch / "stderr.txt"
        cost = measure(command, task.folder, log=log, environment=environment)
        try:
            fetched = contender.count_pages(cost, task)
            if not fetched:
                raise ValueError("no page was fetched")
        except ValueError as error:
            said = log.read_text("utf-8", "replace")[-2000:]
            self.problems.append(f"{contender.name}, round {number}: {error}\n{said}")
            return None
        if fetched != pages:
            self.problems.append(f"{contender.name}, round {number}: {fetched} of {pages} pages")
        if isinstance(contender, Ours):
            found = check_archive(task.folder, {url: self.served[url] for url in urls})
            self.problems += [f"{contender.name}, round {number}: {problem}" for problem in found]
        return Run(contender.name, number, fetched, cost.seconds, cost.cpu_seconds, cost.peak_bytes, cost.disk_bytes)

    def play(self, contenders: list[Contender], rounds: int) -> None:
        """Let each fetch once a round, in an order that moves on, so that no one always follows the same."""
        for number in range(1, rounds + 1):
            first = number % len(contenders)
            for contender in contenders[first:] + contenders[:first]:
                self._keep(self.run(contender, number, pages=max(1, round(len(self.served) * contender.share))))

    def grow(self) -> None:
        """Measure ours with fewer pages, too: a quarter and a half."""
        for part in (4, 2):
            run = self.run(OURS, 0, pages=len(self.served) // part)
            if run is not None:
                self.comparison.growth.append(run)
                _say(show_run(run))
        self.comparison.growth += [run for run in self.comparison.runs if run.name == OURS.name][-1:]

    def _keep(self, run: Run | None) -> None:
        if run is not None:
            self.comparison.runs.append(run)
            _say(show_run(run))


def write_pages(folder: Path, count: int) -> list[Path]:
    """Write *count* pages below *folder* as the server wants them; return their files in order."""
    files = []
    for number in range(count):
        path = folder / f"{path_of(number)}.gz".removeprefix("/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(compress_page(make_page(number)))
        files.append(path)
    return files


def measure_sizes(folder: Path, sizes: list[str]) -> list[str]:
    """Have the cost of an archive's size measured, and drawn into *folder*; return what went wrong."""
    if not sizes or find_spec("tests.benchmarks.size") is None:
        return []
    _say(f"\nwhat it costs that an archive is large: {', '.join(sizes)} articles")
    plot = [str(folder / "size.svg")] if find_spec("matplotlib") else []
    command = [sys.executable, "-m", "tests.benchmarks.size", *sizes, *plot]
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, encoding="utf-8", check=False)
    (folder / "size.txt").write_text(done.stdout, encoding="utf-8")
    _say(f"{done.stdout}\n{' '.join([str(folder / 'size.txt'), *plot])}")
    return [f"tests.benchmarks.size: exit code {done.returncode}"] if done.returncode else []


def read_count(text: str) -> int:
    """Return the number in *text*. Raises ArgumentTypeError unless it is one from 1 on."""
    if not text.isdecimal() or not int(text):
        raise argparse.ArgumentTypeError(f"found {text!r}, expected a number from 1 on")
    return int(text)


def choose(only: str | None) -> Iterator[tuple[Contender, str | None]]:
    """Yield those who are asked for, ours always, each with what stands in its way."""
    for contender in CONTENDERS:
        if contender is OURS or only is None or only in contender.name:
            yield contender, contender.find_obstacle()


def main(argv: list[str] | None = None) -> int:
    """Compare, write the report, return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=read_count, default=3)
    parser.add_argument("--pages", type=read_count, default=1500)
    parser.add_argument("--out", type=Path, default=ROOT / "bench")
    parser.add_argument("--only", help="ours, and those whose names have that in them")
    parser.add_argument(
        "--sizes", default="10000,100000", help="articles of the archives whose cost is measured, or ''"
    )
    words = parser.parse_args(argv)
    chosen = list(choose(words.only))
    with tempfile.TemporaryDirectory(prefix="ofrecord-bench-") as scratch:
        _say(f"writing {words.pages} pages")
        files = write_pages(Path(scratch) / "pages", words.pages)
        with serve(Path(scratch) / "pages", Path(scratch) / "server") as (server, port):
            served = {
                f"http://{address_of(site_of(number))}:{port}{path_of(number)}": path
                for number, path in enumerate(files)
            }
            machine = describe_machine(server, [read_size(path) for path in files])
            skipped = {contender.name: reason for contender, reason in chosen if reason is not None}
            bench = Bench(Path(scratch), served, Comparison(machine, OURS.name, skipped))
            bench.play([contender for contender, reason in chosen if reason is None], words.rounds)
            bench.grow()
    _say("\n" + write_report(words.out, bench.comparison))
    bench.problems += measure_sizes(words.out, [size for size in words.sizes.split(",") if size])
    for problem in bench.problems:
        sys.stderr.write(f"bench: {problem}\n")
    return 1 if bench.problems else 0


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
