"""Which segments hold facts of which days, kept on local disk while a roll-up is planned: a file for each day.

So the memory that a plan takes is that of its longest day, however long the archive is.
"""

from __future__ import annotations

import json
from collections import defaultdict
from datetime import datetime
from typing import TYPE_CHECKING

from jobs.archive.commit import RowsPlace
from jobs.catalog.rollup import StoredSegment

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

_HELD_LINES = 10_000
"""Before they are written."""


class PlannedDays:
    """Segments by day and table, in the empty folder *folder*."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._held: dict[str, list[str]] = defaultdict(list)
        self._number = 0
        self.tables: dict[str, set[str]] = defaultdict(set)
        """Day → the tables that have facts of it."""

    def add(self, segment: StoredSegment, day: str, tables: Collection[str]) -> None:
        """Note that *segment* has facts of *tables* on *day* (`yyyy-mm-dd`)."""
        self.tables[day].update(tables)
        self._held[day].append(_encode(segment))
        self._number += 1
        if self._number >= _HELD_LINES:
            self._write()

    def read(self, day: str) -> tuple[StoredSegment, ...]:
        """Return the segments of *day* by their ids, each once."""
        self._write()
        path = self._folder / day
        found = {}
        if path.exists():
            with path.open(encoding="utf-8") as file:
                for line in file:
                    segment = _decode(line)
                    found[segment.segment] = segment
        return tuple(found[name] for name in sorted(found))

    def _write(self) -> None:
        for day, lines in self._held.items():
            with (self._folder / day).open("a", encoding="utf-8") as file:
                file.writelines(lines)
        self._held.clear()
        self._number = 0


def _encode(segment: StoredSegment) -> str:
    rows = segment.rows
    place = [rows.key, rows.offset, rows.size_bytes, rows.sha256, rows.count]
    closed = segment.closed.isoformat() if segment.closed else None
    return json.dumps([segment.source, segment.seq, segment.segment, segment.run, place, closed]) + "\n"


def _decode(line: str) -> StoredSegment:
    source, seq, segment, run, place, closed = json.loads(line)
    return StoredSegment(
        source, seq, segment, run, RowsPlace(*place), datetime.fromisoformat(closed) if closed else None
    )
