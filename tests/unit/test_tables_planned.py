"""The plan of a roll-up on local disk: what is put in comes out by day, whatever is held in memory meanwhile."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from jobs.archive.commit import RowsPlace
from jobs.catalog import StoredSegment
from jobs.tables import planned
from jobs.tables.planned import PlannedDays

if TYPE_CHECKING:
    from pathlib import Path


def segment(number: int, *, closed: bool = True) -> StoredSegment:
    name = f"gazette-20261122T120000Z-{number:016x}"
    place = RowsPlace(f"segments/gazette/sealed=2026-11-22/{name}.warc.gz", 10 * number, 5, "sha256:0", 0)
    time = datetime(2026, 11, 22, 12, 0, number, 7, tzinfo=UTC)
    return StoredSegment("gazette", number + 1, name, name if closed else None, place, time if closed else None)


@pytest.mark.parametrize("held", [1, 3, 1_000])
def test_segments_come_back_by_day_each_once_and_in_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, held: int
) -> None:
    monkeypatch.setattr(planned, "_HELD_LINES", held)
    days = PlannedDays(tmp_path)
    for number in (4, 1, 3, 0, 2, 1):
        days.add(segment(number, closed=number != 3), f"2026-11-{22 + number % 2}", ["captures"])
    days.add(segment(5), "2026-11-23", ["links"])
    assert days.tables == {"2026-11-22": {"captures"}, "2026-11-23": {"captures", "links"}}
    assert days.read("2026-11-22") == (segment(0), segment(2), segment(4))
    assert days.read("2026-11-23") == (segment(1), segment(3, closed=False), segment(5))
    assert days.read("2026-11-24") == ()
    assert sum(len(lines) for lines in days._held.values()) < held
