"""What it costs to tell 10,000 changes: the first time, when each edit is judged, and after that; memory beside it.

`python -m tests.benchmarks.changes [CHANGES]`. Articles of 500 words, one of which is changed at each second look.
"""

from __future__ import annotations

import random
import resource
import sys
import tempfile
import time
from pathlib import Path

from jobs.archive.identity import create_archive
from jobs.catalog import Catalog
from jobs.changes import ChangeLister, EditReporter
from jobs.store.memory import MemoryStore
from tests.days import WORDS
from tests.machines import SOURCE, START, Look, Machine

PER_COMMIT, LINES, LINE_WORDS = 500, 12, 42


def fill(catalog: Catalog, changes: int) -> None:
    """Commit *changes* articles, and each again with another word."""
    store = MemoryStore()
    machine = Machine(store, create_archive(store, single_writer=False, now=START), catalog, sums_up=False)
    chance = random.Random(7)
    number = 0
    for first in range(0, changes, PER_COMMIT):
        texts = [_write(chance) for _ in range(min(PER_COMMIT, changes - first))]
        for edited in (False, True):
            number += 1
            looks = [Look(f"{first + n}", _join(text, chance if edited else None)) for n, text in enumerate(texts)]
            machine.commit(looks, number=number)


def tell(catalog: Catalog, *, summed_up: bool) -> tuple[int, float]:
    """Return how many changes there are, and the CPU seconds that it took to list them."""
    begun, count = time.process_time(), 0
    reporter = EditReporter(catalog)
    for change in ChangeLister(catalog).walk([SOURCE]):
        count += 1
        if summed_up and reporter.summarise(change) is None:
            raise AssertionError("an edit that cannot be told")
    reporter.flush()
    return count, time.process_time() - begun


def main(argv: list[str]) -> None:
    """Run and print."""
    changes = int(argv[0]) if argv else 10_000
    with tempfile.TemporaryDirectory(prefix="ofrecord-changes-") as folder:
        with Catalog.open(Path(folder) / "catalog.sqlite") as catalog:
            fill(catalog, changes)
        with Catalog.open(Path(folder) / "catalog.sqlite") as catalog:
            before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
            for name, summed_up in (("events alone", False), ("edits judged", True), ("edits kept", True)):
                count, seconds = tell(catalog, summed_up=summed_up)
                sys.stdout.write(
                    f"{name}: {count} changes, {seconds:.2f} s CPU, {1_000 * seconds / count:.3f} ms each\n"
                )
            begun = time.process_time()
            found = len(ChangeLister(catalog).list_newest([SOURCE], 100))
            sys.stdout.write(f"the newest {found}: {1_000 * (time.process_time() - begun):.1f} ms\n")
            grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
            size = catalog._db.execute("SELECT SUM(LENGTH(report)) FROM edit_reports").fetchone()[0]
            sys.stdout.write(f"memory: {grown / 1024:.1f} MiB more; reports: {size / count:.0f} bytes each\n")


def _write(chance: random.Random) -> list[list[str]]:
    return [chance.choices(WORDS, k=LINE_WORDS) for _ in range(LINES)]


def _join(text: list[list[str]], chance: random.Random | None) -> str:
    if chance is not None:
        chance.choice(text)[chance.randrange(LINE_WORDS)] = "edited"
    return "\n".join(" ".join(line) for line in text)


if __name__ == "__main__":
    main(sys.argv[1:])
