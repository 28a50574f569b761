"""Counts what SQLite does for a question, and finds what reads a whole table: for tests that size costs nothing."""

from __future__ import annotations

import re
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
