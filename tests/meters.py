"""Counts what SQLite does for a question, finds what reads a whole table, and tells how slow a core is just now."""

from __future__ import annotations

import re
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator


class Meter:
    """Counts the steps of a connection's statements, and keeps the statements. *small*: what may be read whole."""

    def __init__(self, db: sqlite3.Connection, small: str) -> None:
        self._db = db
        self._scan = re.compile(rf"SCAN (?!{small})")
        self.steps = 0
        self.statements: list[str] = []

    @contextmanager
    def watch(self) -> Iterator[None]:
        self._db.set_progress_handler(self._count, 1)
        self._db.set_trace_callback(self.statements.append)
        try:
            yield
        finally:
            self._db.set_progress_handler(None, 1)
            self._db.set_trace_callback(None)

    def list_scans(self) -> list[str]:
        """Return the statements that read a whole table."""
        found = []
        for statement in self.statements:
            if statement.startswith(("SELECT", "DELETE", "UPDATE")):
                plan = [row[3] for row in self._db.execute(f"EXPLAIN QUERY PLAN {statement}")]
                found += [f"{line} in {statement}" for line in plan if self._scan.match(line)]
        return found

    def _count(self) -> int:
        self.steps += 1
        return 0


_SIGNS = re.compile(r"[\W_]+")
_REFERENCE_SECONDS = 0.24
"""What the work below takes on a core on which the limits of time in our tests were set."""


def measure_slowness() -> float:
    """Return how many times longer a core takes just now than the one that limits were set on: at least 1.

    Machines that share their cores are by half slower from one second to the next, in CPU time, too: a limit that is
    multiplied by this is as strict on any of them.
    """
    started = time.process_time()
    kept: dict[str, list[str]] = {}
    for number in range(60_000):
        line = f"The council met {number} times, it is said."
        kept[_SIGNS.sub("", line.casefold())] = line.split()
    return max(1.0, (time.process_time() - started) / _REFERENCE_SECONDS)


def scale_seconds(taken: float, limit: float) -> float:
    """Return CPU seconds as they were *taken*; above *limit* those of the core that limits were set on."""
    return taken if taken <= limit else taken / measure_slowness()
