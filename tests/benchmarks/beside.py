"""What sealing, upload and commits cost a crawl that they go on beside: to a folder, to an S3 server, and not at all.

`python -m tests.benchmarks.beside [--rounds 5] [--pages 3000] [--segment-mib 16] [--raw-only]`. In turns: the crawl's
process alone, whose segments stay where it closes them, and the whole command. The whole loads and plans more before it
fetches, so that is measured with one page and taken off. With the default a segment is closed every few seconds; as
configured by default, 64 MiB, it would be rarer.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

import yaml

from config.logs import configure_logging, describe_logging
from config.settings import Settings
from config.sources import load_source
from crawler.leash import Word
from crawler.model import CrawlPlan
from jobs.context import CATALOG_FILE, open_archive
from jobs.runs.child import encode_assignment
from tests.benchmarks.compare import read_count, write_pages
from tests.benchmarks.contenders import CONCURRENT_REQUESTS
from tests.benchmarks.measuring import measure
from tests.benchmarks.newspaper import path_of, site_of
from tests.benchmarks.newspaper_server import address_of, serve
from tests.benchmarks.report import show_table
from tests.installation import install, install_on_s3
from tests.seaweed import s3_server

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.installation import Ofrecord
    from tests.seaweed import S3Server

SOURCE = "gazette"
ALONE, FOLDER, S3 = "the crawl alone", "with a folder", "with an S3 server"


@dataclass(frozen=True, slots=True)
class Taken:
    """What one crawl took."""

    fetching: float
    """Seconds from the first page's line in the log to the last one's."""
    cpu: float
    """Seconds of all processes of ours."""
    segments: int
    requests: int
    """To the store; 0 where it is a folder."""


@dataclass(frozen=True, slots=True)
class Trial:
    """The same crawl, over and over."""

    scratch: Path
    urls: Sequence[str]
    segment_bytes: int
    raw_only: bool
    server: S3Server

    def run(self, name: str, number: int, *, pages: int) -> Taken:
        """Crawl the first *pages* as *name* says into a new archive, below a folder of its own."""
        folder = self.scratch / f"{name}-{number}-{pages}".replace(" ", "-")
        folder.mkdir()
        listed = folder / "urls.txt"
        listed.write_text("".join(f"{url}\n" for url in self.urls[:pages]), encoding="utf-8")
        home = self.urls[0].rpartition("/20")[0] + "/"
        source = {
            "home": home,
            "discover": [{"feed": f"{home}rss.xml"}],
            "politeness": {"delay_seconds": 0, "concurrent_requests": CONCURRENT_REQUESTS},
        }
        settings: dict[str, Any] = {"workers": 0, "segment_bytes": self.segment_bytes}
        if name == S3:
            place = f"s3://{self.server.bucket}/{folder.name}"
            ofrecord = install_on_s3(
                folder, source, self.server, place, endpoint_url=self.server.endpoint_url, **settings
            )
        else:
            ofrecord = install(folder, source, **settings)
        words: list[str | Path] = [
            "crawl",
            SOURCE,
            "--urls",
            listed,
            "--json",
            *(["--raw-only"] if self.raw_only else []),
        ]
        command = self._plan(ofrecord, folder, listed) if name == ALONE else ofrecord.command(*words)
        log = folder / "stderr.txt"
        cost = measure(command, folder, log=log, environment=ofrecord.variables())
        if cost.code:
            raise RuntimeError(f"{name}: exit code {cost.code}\n{log.read_text('utf-8', 'replace')[-2000:]}")
        said = cost.result()
        counted = said["counts"] if name == ALONE else said
        if not isinstance(counted, dict) or counted["articles"] != pages:
            raise RuntimeError(f"{name}: {said}, expected {pages} articles")
        closed = len(list(folder.rglob("closed/*/rows.jsonl"))) if name == ALONE else said["segments"]
        return Taken(
            fetching=read_span(log),
            cpu=cost.cpu_seconds,
            segments=int(str(closed)),
            requests=0 if name == ALONE else int(str(said["store_requests"])),
        )

    def _plan(self, ofrecord: Ofrecord, folder: Path, listed: Path) -> list[str]:
        """Return the command of the crawl's process, as the whole command would start it, and nobody beside it."""
        values = yaml.safe_load((ofrecord.config / "settings.yaml").read_text("utf-8"))
        settings = Settings(**values)
        source = load_source(ofrecord.config / "sources" / f"{SOURCE}.yaml")
        with open_archive(settings) as archive:
            spool = archive.spool(SOURCE)
            spool.mkdir(parents=True)
            plan = CrawlPlan(
                run=f"{SOURCE}-alone",
                source=SOURCE,
                archive=archive.info.archive,
                trigger="crawl",
                spool=str(spool),
                urls_file=str(listed),
                raw_only=self.raw_only,
            )
            catalog = archive.state / CATALOG_FILE
        text = encode_assignment(
            plan, source, settings, catalog=catalog, logging=describe_logging(), word=Word(), progress=False
        )
        assignment = folder / "plan.json"
        assignment.write_text(text, encoding="utf-8")
        os.mkfifo(words := folder / "words")  # opened for both, it never ends: a child whose parent is gone would stop
        return ["sh", "-c", 'exec "$0" -m jobs.runs.child "$1" 0<>"$2"', sys.executable, str(assignment), str(words)]


def read_span(log: Path) -> float:
    """Return the seconds between the first and the last page in a log of JSON lines."""
    lines = [json.loads(line) for line in log.read_text("utf-8").splitlines() if '"captured_page"' in line]
    times = [datetime.fromisoformat(line["timestamp"]) for line in lines]
    return (max(times) - min(times)).total_seconds()


def describe(taken: dict[str, list[Taken]], starts: dict[str, list[Taken]], pages: int) -> str:
    """Return the table: medians, and of what it costs beside the crawl alone the least and the most of the rounds."""
    head = ("", "fetching s", "× alone", "CPU s/1,000", "more than alone", "segments", "requests/1,000")
    rows: list[tuple[str, ...]] = [head]
    begun = {name: median(one.cpu for one in runs) for name, runs in starts.items()}
    for name, runs in taken.items():
        pairs = list(zip(taken[ALONE], runs, strict=True))
        longer = [run.fetching / alone.fetching for alone, run in pairs]
        more = [(run.cpu - begun[name]) / (alone.cpu - begun[ALONE]) - 1 for alone, run in pairs]
        rows.append((
            name,
            f"{median(run.fetching for run in runs):.2f}",
            f"{median(longer):.3f} [{min(longer):.3f} … {max(longer):.3f}]",
            f"{1000 * (median(run.cpu for run in runs) - begun[name]) / (pages - 1):.2f}",
            f"{median(more):+.1%} [{min(more):+.1%} … {max(more):+.1%}]",
            f"{median(run.segments for run in runs):.0f}",
            f"{1000 * median(run.requests for run in runs) / pages:.1f}",
        ))  # fmt: skip
    return show_table(rows)


def main(argv: list[str] | None = None) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=read_count, default=5)
    parser.add_argument("--pages", type=read_count, default=3000)
    parser.add_argument("--segment-mib", type=int, default=16)
    parser.add_argument("--raw-only", action="store_true")
    words = parser.parse_args(argv)
    configure_logging(json=True)
    names = (ALONE, FOLDER, S3)
    taken: dict[str, list[Taken]] = {name: [] for name in names}
    starts: dict[str, list[Taken]] = {name: [] for name in names}
    with ExitStack() as stack:
        scratch = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="ofrecord-beside-")))
        files = write_pages(scratch / "pages", words.pages)
        _, port = stack.enter_context(serve(scratch / "pages", scratch / "server"))
        urls = [f"http://{address_of(site_of(number))}:{port}{path_of(number)}" for number in range(len(files))]
        server = stack.enter_context(s3_server())
        trial = Trial(scratch, urls, words.segment_mib << 20, words.raw_only, server)
        for number in range(words.rounds):
            first = number % len(names)
            for name in names[first:] + names[:first]:
                starts[name].append(trial.run(name, number, pages=1))
                taken[name].append(trial.run(name, number, pages=words.pages))
                sys.stderr.write(f"round {number + 1}  {name}: {taken[name][-1]}\n")
    sys.stdout.write(describe(taken, starts, words.pages) + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])
