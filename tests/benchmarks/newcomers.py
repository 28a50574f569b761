"""`make bench-newcomers`: what `sources add --yes` and a crawl find of sites that nobody has described yet, as a table.

`python -m tests.benchmarks.newcomers [--varied 30] [--mirror DIR] [--only NAME] [--at-once 2] [--out FILE]`. The sites
are those of tests/newcomers, so many more by the dice, and those of a mirror: a folder DIR whose `mirror.py` can
`build`, `start` and `stop` sites and writes `mirror/edition-1/sources.json` and `urls.txt` below `$BENCH_ROOT`. Ends
with 1 if a site falls short: 95 % of its articles found, 2 % of the captures no articles, 40 requests before the crawl.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter, defaultdict
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from tests.newcomers import trials
from tests.newcomers.desk import Newcomer, canonical
from tests.newcomers.registry import SITES, find_site, number_of
from tests.newcomers.server import Served, serve

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.newcomers.scoring import Score

_HEAD = ("site", "articles", "found", "captures", "wrong", "requests", "seconds", "announced by", "what fell short")
_FLUSH_SECONDS = 1.5
"""After which the mirror's server has written its log."""


@dataclass(frozen=True)
class Trial:
    """What became of one site."""

    name: str
    score: Score | None
    seconds: float
    """That `sources add` took."""
    requests: int
    kinds: str
    fault: str = ""

    @property
    def fell_short(self) -> str:
        """Return why this is no success, or nothing."""
        return self.fault or "; ".join(self.score.find_faults() if self.score else ["no crawl"])

    def row(self) -> tuple[str, ...]:
        """Return the cells of the table."""
        score = self.score
        counts = ("", "", "", "") if score is None else _count(score)
        return (self.name, *counts, str(self.requests), f"{self.seconds:.1f}", self.kinds, self.fell_short)


def _count(score: Score) -> tuple[str, str, str, str]:
    found, wrong = f"{score.found} ({score.share_found:.1%})", f"{len(score.wrong)} ({score.share_wrong:.1%})"
    return str(score.articles), found, str(score.captures), wrong


def try_site(served: Served, count_requests: Callable[[], int]) -> Trial:
    """Add the site, crawl it, score that."""
    with tempfile.TemporaryDirectory(prefix="ofrecord-newcomers-") as scratch:
        ofrecord = trials.prepare(Path(scratch), resolve=served.resolve)
        began = time.monotonic()
        added = trials.add(ofrecord, served.site.home, "--json", code=None)
        seconds, requests = time.monotonic() - began, count_requests()
        if added.returncode:
            said = (added.stderr.strip() or added.stdout.strip()).splitlines()
            return Trial(served.site.name, None, seconds, requests, "", f"add: {added.returncode}: {said[-1:]}")
        (source,) = ofrecord("sources", "list", "--json").rows()
        counts = Counter(kind for seed in source["seeds"] for kind in seed)
        kinds = ", ".join(f"{number} {kind}" for kind, number in sorted(counts.items()))
        try:
            score = trials.crawl(ofrecord, served, requests=requests)
        except AssertionError as error:
            return Trial(served.site.name, None, seconds, requests, kinds, f"crawl: {str(error)[-300:]}")
        return Trial(served.site.name, score, seconds, requests, kinds)


def try_newcomer(name: str) -> Trial:
    """Serve and try one of our own sites."""
    with serve(find_site(name), number_of(name)) as served:
        served.site.name = name
        return try_site(served, lambda: len(served.requests))


@contextmanager
def serve_mirror(folder: Path) -> Iterator[tuple[list[Served], Path]]:
    """Build and serve the sites of *folder*; yield them and the log of their requests."""
    with tempfile.TemporaryDirectory(prefix="ofrecord-mirror-") as scratch:
        environment = {**os.environ, "BENCH_ROOT": scratch}
        control = [sys.executable, str(folder / "mirror.py")]
        call = partial(subprocess.run, env=environment, stdout=subprocess.DEVNULL, check=True)
        call([*control, "build"])
        call([*control, "start", "--edition", "1", "--minutes", "120"])
        try:
            yield _read_mirror(Path(scratch) / "mirror" / "edition-1"), Path(scratch) / "access.log"
        finally:
            call([*control, "stop"])


def _read_mirror(edition: Path) -> list[Served]:
    urls: dict[str, set[str]] = defaultdict(set)
    for url in (edition / "urls.txt").read_text("utf-8").split():
        urls[urlsplit(url).netloc].add(canonical(url))
    sites = []
    for told in json.loads((edition / "sources.json").read_text("utf-8")):
        home = urlsplit(told["home"])
        site = Newcomer(told["name"], told["home"], articles=urls[home.netloc])
        sites.append(Served(site, home.hostname or "", home.port or 80))
    return sites


def _count_logged(log: Path, home: str) -> int:
    time.sleep(_FLUSH_SECONDS)
    return sum(home in line for line in log.read_text("utf-8", "replace").splitlines())


def write_table(trials_made: list[Trial]) -> str:
    """Return the table, as Markdown."""
    rows = [_HEAD, tuple("---" for _ in _HEAD), *(trial.row() for trial in trials_made)]
    return "\n".join(f"| {' | '.join(cell.replace('|', '¦') for cell in row)} |" for row in rows)


def main(argv: list[str] | None = None) -> int:
    """Try all sites, print the table, return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mirror", type=Path, help="folder with mirror.py")
    parser.add_argument("--varied", type=int, default=0, help="so many sites more, by the dice")
    parser.add_argument("--first", type=int, default=0, help="the number of the first of these")
    parser.add_argument("--only", default="", help="sites whose names have that in them")
    parser.add_argument("--at-once", type=int, default=2)
    parser.add_argument("--out", type=Path, help="the table goes there, too")
    words = parser.parse_args(argv)
    names = [*SITES, *(f"varied_{number}" for number in range(words.first, words.first + words.varied))]
    made: list[Trial] = []
    with ThreadPoolExecutor(words.at_once) as pool:
        made += map(_tell, pool.map(try_newcomer, [name for name in names if words.only in name]))
        if words.mirror is not None:
            with serve_mirror(words.mirror) as (sites, log):
                chosen = [one for one in sites if words.only in one.site.name]
                counts = [partial(_count_logged, log, one.site.home) for one in chosen]
                made += map(_tell, pool.map(try_site, chosen, counts))
    table = write_table(made)
    sys.stdout.write(f"\n{table}\n")
    if words.out is not None:
        words.out.parent.mkdir(parents=True, exist_ok=True)
        words.out.write_text(f"{table}\n", encoding="utf-8")
    return 1 if any(trial.fell_short for trial in made) else 0


def _tell(trial: Trial) -> Trial:
    sys.stdout.write(f"{' · '.join(trial.row())}\n")
    sys.stdout.flush()
    return trial


if __name__ == "__main__":
    sys.exit(main())
