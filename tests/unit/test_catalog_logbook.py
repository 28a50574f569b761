"""Runs, their captures and the commits of a log, page by page from a catalog that is only read."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from jobs.catalog import Catalog
from jobs.rechecks import RecheckPolicy
from tests.machines import SOURCE, START, Look, Machine

if TYPE_CHECKING:
    from pathlib import Path

    from jobs.archive.identity import ArchiveInfo
    from jobs.store.memory import MemoryStore
    from tests.unit.conftest import MakeCatalog

DAILY = RecheckPolicy((86_400,))
NOW = START + timedelta(days=3)


@pytest.fixture
def machine(store: MemoryStore, info: ArchiveInfo, catalogs: MakeCatalog) -> Machine:
    """One that captured three articles five times each, in five runs, of which the third has two segments."""
    found = Machine(store, info, catalogs("machine"), sums_up=False)
    looks = [Look("feed", purpose="feed", words=None), *(Look(f"{number}", words=f"{number}") for number in range(3))]
    for number in range(1, 6):
        found.commit(looks, number=number, run=None)
    return found


def test_runs_are_told_from_the_last_one_on_in_pages_that_meet(machine: Machine) -> None:
    catalog = machine.catalog
    runs = [run.run for run in catalog.list_last_runs(SOURCE, limit=10)]
    assert runs == sorted(runs, reverse=True)
    assert len(runs) == 5
    paged: list[str] = []
    before: tuple[str, str] | None = None
    while found := catalog.list_last_runs(SOURCE, limit=2, before=before):
        paged += [run.run for run in found]
        before = (catalog.find_start(SOURCE, paged[-1]) or "", paged[-1])
    assert paged == runs
    assert catalog.list_last_runs("other", limit=10) == []
    assert catalog.find_run(SOURCE, runs[0]) == catalog.list_last_runs(SOURCE, limit=1)[0]
    assert catalog.find_run("other", runs[0]) is None


def test_captures_of_a_run_come_in_the_order_of_the_record(machine: Machine) -> None:
    catalog = machine.catalog
    run = catalog.list_last_runs(SOURCE, limit=1)[0].run
    found = catalog.list_run_captures(SOURCE, run, limit=10)
    assert [(one.n, one.purpose) for one in found] == [(0, "feed"), (1, "article"), (2, "article"), (3, "article")]
    counts = catalog.count_run(SOURCE, run, most=4)
    assert (counts.purposes, counts.verdicts, counts.whole) == ({"article": 3, "feed": 1}, {"unchanged": 3}, True)
    assert not catalog.count_run(SOURCE, run, most=3).whole
    assert catalog.count_run("other", run, most=9).purposes == {}
    behind = catalog.list_run_captures(SOURCE, run, limit=2, after=(found[0].segment, 0))
    assert behind == found[1:3]
    assert catalog.list_run_captures(SOURCE, run, limit=9, verdict="article") == found[1:]
    assert catalog.list_run_captures(SOURCE, run, limit=9, verdict="unchanged") == found[1:]
    assert catalog.list_run_captures(SOURCE, run, limit=9, verdict="new") == []
    assert [one.segment for one in catalog.list_run_segments(SOURCE, run)] == [found[0].segment]
    assert [(one.url, one.links, one.error) for one in catalog.list_listings(SOURCE, run)] == [("feed", 0, None)]


def test_commits_are_told_from_the_last_one_on(machine: Machine) -> None:
    catalog = machine.catalog
    last = catalog.list_commits(SOURCE, limit=2)
    assert [one.seq for one in last] == [5, 4]
    assert (last[0].seq, last[0].digest) == catalog.head(SOURCE)
    assert [one.seq for one in catalog.list_commits(SOURCE, limit=9, before=4)] == [3, 2, 1]
    assert last[0].key is not None
    assert machine.store.stat(last[0].key).size_bytes == last[0].size_bytes


def test_a_catalog_opened_to_be_read_tells_the_plan_that_was_made_last(machine: Machine, tmp_path: Path) -> None:
    path = tmp_path / "machine.sqlite"
    with Catalog.open(path, read_only=True) as reader:
        assert reader.planned_until(SOURCE, DAILY) is None
        planned = machine.catalog.measure_plan(SOURCE, DAILY, NOW, hours=3)
        assert reader.planned_until(SOURCE, DAILY) == 5
        assert reader.measure_plan(SOURCE, DAILY, NOW, hours=3) == planned
        assert planned[0].overdue == 3
        machine.commit([Look("new")], number=6)
        assert reader.planned_until(SOURCE, DAILY) == 5
        assert reader.measure_plan(SOURCE, DAILY, NOW, hours=3) == planned
        assert reader.planned_until(SOURCE, RecheckPolicy((3_600,))) is None
