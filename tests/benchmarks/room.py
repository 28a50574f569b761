"""What the reading room costs over a large archive: fold, index, pages and searches, memory. Real server, real port.

`python -m tests.benchmarks.room [ARTICLES [FOLDER]]`. FOLDER keeps archive and state, and is used again if it is there.
A library of 300,000 articles takes about ten minutes of CPU time to write, as long to fold, and 5 GB.
"""

from __future__ import annotations

import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from http.client import HTTPConnection
from pathlib import Path
from typing import TYPE_CHECKING

from config.logs import configure_logging
from config.settings import Settings
from jobs.archive.identity import read_info
from jobs.catalog import Catalog
from jobs.context import CATALOG_FILE, find_state
from jobs.room import addresses
from jobs.search import EventFilter
from jobs.search.index import INDEX_FILE, SearchIndex
from jobs.store.local import LocalStore
from tests.benchmarks.library import PAPERS, Words, build_library
from tests.installation import ROOT
from tests.machines import START

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

ARTICLES = 20_000
REQUESTS = 400
"""Of each kind of page."""
CLIENTS, LOAD_SECONDS = 8, 10.0
LIMITS = {"front": 50.0, "article": 50.0, "compare": 50.0, "search": 100.0}
"""Milliseconds in which 95 of 100 requests are to be answered."""
MOST_MB = 300.0


@dataclass(frozen=True, slots=True)
class Place:
    """Where a library is."""

    archive: Path
    state: Path

    @property
    def options(self) -> tuple[str, ...]:
        return ("--archive", str(self.archive), "--state", str(self.state))


@dataclass(slots=True)
class Cost:
    """What was measured. Seconds, milliseconds, megabytes."""

    articles: int
    fold: float = 0.0
    """CPU time of the first fold."""
    texts: int = 0
    catalog_mb: float = 0.0
    index_mb: float = 0.0
    pages: dict[str, list[float]] = field(default_factory=dict)
    """Kind of page → time of each request, one at a time."""
    work: dict[str, float] = field(default_factory=dict)
    """Kind of page → CPU time of the server for one request: what is left where nothing else wants the machine."""
    rate: float = 0.0
    """Requests a second of all kinds, from several clients at once."""
    server_mb: float = 0.0
    keeper_mb: float = 0.0
    """Largest resident memory."""


def list_searches(words: dict[str, Words], chance: random.Random, number: int) -> list[str]:
    """Return the mix of searches: what people of a newsroom type, and what filters they set. One page each."""
    latin, spanish, arabic, chinese = (words[name].words for name in ("gazette", "cronica", "sahifa", "ribao"))

    def pick(of: Sequence[str], first: int, last: int) -> str:
        return of[min(len(of) - 1, int(first * (last / first) ** chance.random()))]

    def about(days: int) -> str:
        return f"{START - timedelta(days=days):%Y-%m-%d}"

    makers: list[Callable[[], str]] = [
        *[lambda: addresses.search(words=pick(latin, 50, 20_000))] * 4,  # one word
        *[lambda: addresses.search(words=f"{pick(latin, 50, 5_000)} {pick(latin, 50, 5_000)}")] * 4,
        *[lambda: addresses.search(words=f"{pick(latin, 1, 50)} {pick(latin, 500, 20_000)}")] * 2,
        lambda: addresses.search(words=" ".join(pick(latin, 1, 2_000) for _ in range(4))),
        lambda: addresses.search(words=f'"{pick(latin, 1, 200)} {pick(latin, 1, 200)}"'),
        lambda: addresses.search(words=pick(latin, 1, 20)),  # in most texts
        lambda: addresses.search(words=f"{pick(latin, 100, 5_000)[:4]}*"),
        lambda: addresses.search(words=f"{pick(latin, 100, 5_000)[:2]}*"),
        lambda: addresses.search(words=f"title:{pick(latin, 20, 5_000)}"),
        lambda: addresses.search(words=f"{pick(latin, 50, 1_000)} -{pick(latin, 1, 50)}"),
        lambda: addresses.search(words=pick(spanish, 20, 5_000)),
        lambda: addresses.search(words=f"{pick(arabic, 20, 500)} {pick(arabic, 1, 100)}"),
        lambda: addresses.search(words=pick(chinese, 20, 5_000)),
        lambda: addresses.search(words=pick(latin, 10, 500), source="observer", language="en"),
        lambda: addresses.search(words=pick(latin, 10, 2_000), section="Sport"),
        lambda: addresses.search(author=f"{latin[chance.randrange(400)]} {latin[400]}"),
        lambda: addresses.search(words=pick(latin, 10, 500), deleted=True),
        lambda: addresses.search(kind=["wording", "paragraph_added"], words=pick(latin, 10, 500)),
        lambda: addresses.search(words=pick(latin, 5, 500), since=about(90), until=about(30)),
        lambda: addresses.search(words=pick(latin, 300, 5_000), since=about(600)),
        addresses.search,
        lambda: addresses.search(words="nosuchword"),
    ]
    return [chance.choice(makers)() for _ in range(number)]


def list_fronts(chance: random.Random, number: int) -> list[str]:
    """Return front pages: mostly the first, some narrowed."""
    names = [paper.source for paper in PAPERS]
    makers: list[Callable[[], str]] = [
        *[addresses.front] * 6,
        lambda: addresses.front(source=chance.choice(names)),
        lambda: addresses.front(what=["revised", "reverted"]),
        lambda: addresses.front(what="gone", source=chance.sample(names, 2)),
        lambda: addresses.front(kind="paragraph_removed"),
        lambda: addresses.front(silent=True),
    ]
    return [chance.choice(makers)() for _ in range(number)]


def list_articles(
    catalog: Catalog, index: SearchIndex, chance: random.Random, number: int
) -> tuple[list[str], list[str]]:
    """Return paths of articles, and of their texts compared."""
    known = [(paper.source, url) for paper in PAPERS for url in catalog.list_newest(paper.source, 5_000)]
    articles = [addresses.article(*one) for one in chance.choices(known, k=number)]
    changed: list[str] = []
    after: str | None = None
    while len(changed) < 5 * number:
        page = index.list_events(EventFilter(whats=("revised",)), limit=500, after=after)
        changed += [addresses.compare(one.source, one.url, one.before or 1, one.after or 1) for one in page.events]
        after = page.after
        if after is None:
            break
    return articles, chance.choices(changed, k=number)


def make_place(folder: Path, articles: int) -> Place:
    """Write a library below *folder*, if there is none."""
    place = Place(folder / "archive", folder / "state")
    if not place.archive.exists():
        place.archive.mkdir(parents=True)
        build = folder / "build.sqlite"
        with Catalog.open(build) as catalog:
            build_library(LocalStore(place.archive), catalog, articles)
        state = find_place(place)
        state.mkdir(parents=True)
        build.rename(state / CATALOG_FILE)
    return place


def find_place(place: Place) -> Path:
    """Return the folder of catalog and index."""
    store = LocalStore(place.archive)
    settings = Settings(archive=str(place.archive), state_dir=place.state)
    return find_state(settings, store, read_info(store).archive)


def fold(place: Place, cost: Cost) -> None:
    """Fold the index, if it is not there, and say what it cost."""
    state = find_place(place)
    archive = read_info(LocalStore(place.archive)).archive
    begun = time.process_time()
    with Catalog.open(state / CATALOG_FILE) as catalog, SearchIndex.open(state / INDEX_FILE) as index:
        index.fold(catalog, archive)
        cost.fold = time.process_time() - begun
        cost.texts = index.count_texts()
    cost.catalog_mb = (state / CATALOG_FILE).stat().st_size / 1e6
    cost.index_mb = (state / INDEX_FILE).stat().st_size / 1e6


@contextmanager
def serve(place: Place) -> Iterator[tuple[str, int, int]]:
    """Run `ofrecord serve`; yield host, port and the process's id."""
    command = [sys.executable, "-m", "jobs", "serve", "--listen", "127.0.0.1:0", "--json", *place.options]
    environment = {**os.environ, "OFRECORD_ROOM_REQUESTS_PER_MINUTE": "0"}
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment)
    try:
        if process.stdout is None:
            raise RuntimeError("no pipe")
        host, _, port = json.loads(process.stdout.readline())["url"].strip("/").rpartition("/")[2].partition(":")
        yield host, int(port), process.pid
    finally:
        process.terminate()
        process.communicate(timeout=30)


def measure_pages(address: tuple[str, int], paths: Sequence[str]) -> list[float]:
    """Return how long each of *paths* takes, one at a time, in milliseconds."""
    connection = HTTPConnection(*address)
    took = []
    for path in paths:
        begun = time.perf_counter()
        connection.request("GET", path)
        answer = connection.getresponse()
        answer.read()
        took.append(1e3 * (time.perf_counter() - begun))
        if answer.status != 200:
            raise AssertionError(f"{answer.status} for {path}")
    connection.close()
    return took


def measure_rate(address: tuple[str, int], paths: Sequence[str], seconds: float) -> float:
    """Return how many requests a second are answered to several clients at once."""
    end = time.perf_counter() + seconds
    counts = [0] * CLIENTS

    def run(client: int) -> None:
        connection = HTTPConnection(*address)
        at = client
        while time.perf_counter() < end:
            connection.request("GET", paths[at % len(paths)])
            connection.getresponse().read()
            counts[client] += 1
            at += CLIENTS
        connection.close()

    clients = [threading.Thread(target=run, args=(client,)) for client in range(CLIENTS)]
    for one in clients:
        one.start()
    for one in clients:
        one.join()
    return sum(counts) / seconds


def read_peak_mb(pid: int) -> float:
    """Return the largest resident memory that a process had."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1e3


def read_cpu_seconds(pid: int) -> float:
    """Return the CPU time that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def find_child(pid: int) -> int:
    """Return the process that *pid* started."""
    threads = Path(f"/proc/{pid}/task").glob("*/children")
    return next(int(one) for thread in threads for one in thread.read_text().split())


def measure(articles: int, folder: Path, *, requests: int = REQUESTS, load_seconds: float = LOAD_SECONDS) -> Cost:
    """Build, fold, serve and ask."""
    cost = Cost(articles)
    place = make_place(folder, articles)
    fold(place, cost)
    chance = random.Random(11)
    words = {paper.source: Words(paper, random.Random(f"7 {paper.source}")) for paper in PAPERS}
    state = find_place(place)
    with (
        Catalog.open(state / CATALOG_FILE, read_only=True) as catalog,
        SearchIndex.open(state / INDEX_FILE, read_only=True) as index,
    ):
        told, compared = list_articles(catalog, index, chance, requests)
    mix = {
        "front": list_fronts(chance, requests),
        "article": told,
        "compare": compared,
        "search": list_searches(words, chance, requests),
    }
    with serve(place) as (host, port, pid):
        for kind, paths in mix.items():
            measure_pages((host, port), paths[:20])  # what is loaded at first is not counted
            before = read_cpu_seconds(pid)
            cost.pages[kind] = measure_pages((host, port), paths)
            cost.work[kind] = 1e3 * (read_cpu_seconds(pid) - before) / len(paths)
        everything = [path for paths in mix.values() for path in paths]
        chance.shuffle(everything)
        cost.rate = measure_rate((host, port), everything, load_seconds)
        cost.server_mb, cost.keeper_mb = read_peak_mb(pid), read_peak_mb(find_child(pid))
    return cost


def describe(cost: Cost) -> str:
    """Return what was measured, with what it may be."""
    lines = [
        f"{cost.articles:,} articles, {cost.texts:,} texts, folded in {cost.fold:,.0f} s of CPU time",
        f"catalog {cost.catalog_mb:,.0f} MB, index {cost.index_mb:,.0f} MB",
        f"{'':10}{'p50 ms':>10}{'p95 ms':>10}{'limit':>10}{'longest':>10}{'CPU ms':>10}",
    ]
    for kind, took in cost.pages.items():
        middle, most = statistics.median(took), find_p95(took)
        lines.append(
            f"{kind:10}{middle:>10.1f}{most:>10.1f}{LIMITS[kind]:>10.0f}{max(took):>10.1f}{cost.work[kind]:>10.1f}"
        )
    lines.append(f"{cost.rate:.0f} requests a second from {CLIENTS} clients")
    lines.append(f"memory: server {cost.server_mb:.0f} MB (limit {MOST_MB:.0f}), keeper {cost.keeper_mb:.0f} MB")
    return "\n".join(lines)


def find_p95(took: Sequence[float]) -> float:
    """Return the time that 95 of 100 do not exceed."""
    return sorted(took)[max(0, -(-len(took) * 95 // 100) - 1)]


def main(argv: list[str]) -> None:
    """Measure and print."""
    configure_logging(level="warning")
    articles = int(argv[0]) if argv else ARTICLES
    with tempfile.TemporaryDirectory(prefix="ofrecord-room-") as folder:
        sys.stdout.write(describe(measure(articles, Path(argv[1] if len(argv) > 1 else folder))) + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])
