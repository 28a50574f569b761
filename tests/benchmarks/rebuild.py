"""What it costs to start a job without state, and to rebuild the catalog, where a log is a year long.

Builds the log of one synthetic source through the code that a crawl commits with (48 commits a day, each with new
articles, rechecks and feeds), then counts requests and seconds. `python -m tests.benchmarks.rebuild [DAYS [FOLDER]]`
"""

from __future__ import annotations

import random
import resource
import sys
import tempfile
import time
from collections import Counter
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from config.logs import configure_logging
from jobs.archive.identity import create_archive, read_info
from jobs.catalog import Catalog
from jobs.checkpoint.restoring import refresh_catalog
from jobs.store.local import LocalStore
from tests.machines import SOURCE, START, CountingStore, Look, Machine

if TYPE_CHECKING:
    from jobs.archive.identity import ArchiveInfo
    from jobs.store import ObjectStore

COMMITS_A_DAY, ARTICLES_A_DAY, RECHECKS_A_DAY, FEEDS = 48, 30, 240, 2
VOCABULARY = [f"{a}{b}{c}" for a in ("ta", "me", "lo", "ri", "su", "pa") for b in "bdgklmnprst" for c in "aeiouy"]


class Site:
    """A site that grows, and is now and then revised."""

    def __init__(self) -> None:
        self._random = random.Random(4)
        self._articles: list[tuple[str, str]] = []
        self._owed = 0.0

    def look(self, number: int) -> list[Look]:
        """Return what one run sees."""
        looks = [Look(f"feed-{one}", f"{number}", purpose="feed") for one in range(FEEDS)]
        self._owed += ARTICLES_A_DAY / COMMITS_A_DAY
        for _ in range(int(self._owed)):
            self._owed -= 1
            self._articles.append((f"2026/{len(self._articles)}/{self._word()}-{self._word()}", self._write(450)))
            looks.append(self._see(len(self._articles) - 1))
        recent = range(max(len(self._articles) - 900, 0), len(self._articles))
        for index in self._random.sample(recent, min(RECHECKS_A_DAY // COMMITS_A_DAY, len(recent))):
            if self._random.random() < 0.06:
                path, words = self._articles[index]
                self._articles[index] = path, f"{words} {self._write(12)}"
            looks.append(self._see(index))
        return looks

    def _see(self, index: int) -> Look:
        path, words = self._articles[index]
        found = {"value": [path[-9:], words[:24]], "from": "json-ld"}
        names = ("authors", "published", "modified", "section", "tags", "image", "canonical_url", "language")
        return Look(path, words, fields=dict.fromkeys(names, found))

    def _write(self, words: int) -> str:
        return " ".join(self._word() for _ in range(words))

    def _word(self) -> str:
        return self._random.choice(VOCABULARY)


def say(line: str) -> None:
    """Print a line at once."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def build(store: ObjectStore, info: ArchiveInfo, folder: Path, days: float) -> None:
    """Write the log."""
    site = Site()
    begun = time.monotonic()
    with Catalog.open(folder / "writer.sqlite") as catalog:
        machine = Machine(store, info, catalog)
        commits = int(days * COMMITS_A_DAY)
        for number in range(commits):
            machine.commit(site.look(number), number=number, opened=START + timedelta(minutes=30 * number))
    say(f"built {commits} commits in {time.monotonic() - begun:.0f} s")


def weigh(store: ObjectStore) -> None:
    """Say how large things are."""
    sizes: Counter[str] = Counter()
    numbers: Counter[str] = Counter()
    for item in store.list(""):
        kind = "packs" if "/pack-" in item.key else item.key.partition("/")[0]
        sizes[kind] += item.size_bytes
        numbers[kind] += 1
    for kind, size in sorted(sizes.items()):
        say(f"  {kind}: {numbers[kind]} objects, {size / 1e6:.1f} MB")


def measure(store: ObjectStore, folder: Path, name: str, *, full: bool) -> None:
    """Bring an empty catalog to the end of the log."""
    counting = CountingStore(store)
    info = read_info(counting)
    begun, used = time.monotonic(), time.process_time()
    with Catalog.open(folder / f"{name}.sqlite") as catalog:
        refresh_catalog(catalog, counting, Machine(counting, info, catalog).log, full=full)
        seconds, worked = time.monotonic() - begun, time.process_time() - used
        counts = catalog.count_all()
        head = catalog.head(SOURCE)[0]
    kinds = Counter(line.partition(" ")[0] for line in counting.asked)
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    size = (folder / f"{name}.sqlite").stat().st_size / 1e6
    say(f"{name}: {len(counting.asked)} requests {dict(kinds)}, {seconds:.2f} s (CPU {worked:.2f} s)")
    say(f"  to commit {head}: {counts}; catalog {size:.1f} MB; peak memory {memory:.0f} MB")


def main(argv: list[str]) -> None:
    """Build or open the archive in FOLDER, and measure."""
    configure_logging(level="warning")
    days = float(argv[0]) if argv else 365.0
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(argv[1]) if len(argv) > 1 else Path(scratch)
        store = LocalStore(folder / "archive")
        if not (folder / "archive").exists():
            (folder / "archive").mkdir(parents=True)
            build(store, create_archive(store, single_writer=False, now=START), folder, days)
        weigh(store)
        measure(store, Path(scratch), "start", full=False)
        measure(store, Path(scratch), "rebuild", full=True)


if __name__ == "__main__":
    main(sys.argv[1:])
