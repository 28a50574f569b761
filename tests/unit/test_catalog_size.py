"""What the catalog is asked at a crawl's start, for a page and for a reader costs the same however large it is.

Counted, not timed: steps of SQLite's machine at one size and at ten times that, and the plan of each statement.
"""

from __future__ import annotations

import random
import re
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from config.sources import DEFAULT_RECHECK
from jobs.archive.identity import create_archive
from jobs.catalog import Catalog, SourceVersions
from jobs.moves import find_move, list_origins
from jobs.store.memory import MemoryStore
from tests.benchmarks.size import Library
from tests.machines import SOURCE, START, Look, Machine

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

NOW = START + timedelta(days=30)
SMALL = 300
_SCAN = re.compile(r"SCAN (?!logs\b|json_each\b|CONSTANT)")
"""Logs: one for each source, and a look-up for each of them finds who has a URL."""


class Meter:
    """Counts the steps of a catalog's statements, and keeps the statements."""

    def __init__(self, catalog: Catalog) -> None:
        self._db = catalog._db
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
                found += [f"{line} in {statement}" for line in plan if _SCAN.match(line)]
        return found

    def _count(self) -> int:
        self.steps += 1
        return 0


def ask_at_start(catalog: Catalog, _: str) -> None:
    catalog.head(SOURCE)
    catalog.thin_until(SOURCE)
    catalog.is_wanting(SOURCE)
    catalog.list_incomplete(SOURCE)
    catalog.list_unsettled(SOURCE)
    catalog.is_released(SOURCE, catalog.last_epoch(SOURCE))
    catalog.last_started(SOURCE)
    assert not list(catalog.list_due(SOURCE, DEFAULT_RECHECK, NOW))


def ask_of_links(catalog: Catalog, url: str) -> None:
    versions = SourceVersions(catalog, SOURCE)
    assert set(versions.find_looks([url, "https://gazette.example/unknown"])) == {url}


def ask_of_a_page(catalog: Catalog, url: str) -> None:
    versions = SourceVersions(catalog, SOURCE)
    assert versions.last(url) is not None
    assert set(versions.find_validators([url, "https://gazette.example/unknown"])) == {url}
    assert versions.find_record(url, "sha256:" + "0" * 64) is None


def ask_for_history(catalog: Catalog, url: str) -> None:
    assert catalog.find_sources(url) == [SOURCE]
    assert len(catalog.list_captures(SOURCE, url)) == 2
    assert find_move(catalog, SOURCE, url) is None
    assert list_origins(catalog, SOURCE, url) == []


def ask_for_a_text(catalog: Catalog, url: str) -> None:
    (revision,) = catalog.list_revisions(SOURCE, url)
    assert catalog.read_snapshot(revision.segment, revision.n) is not None


ASKED = [ask_at_start, ask_of_links, ask_of_a_page, ask_for_history, ask_for_a_text]


@pytest.fixture(scope="module", params=[10 * SMALL, pytest.param(100_000, marks=pytest.mark.soak)])
def libraries(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Library]]:
    """One with few articles, one with many."""
    folder = tmp_path_factory.mktemp("catalogs")
    with Catalog.open(folder / "small.sqlite") as small, Catalog.open(folder / "large.sqlite") as large:
        both = [Library(MemoryStore(), small), Library(MemoryStore(), large)]
        for library, articles in zip(both, (SMALL, request.param), strict=True):
            library.grow(articles, per_commit=max(30, articles // 1_000), until=NOW)
            list(library.catalog.list_due(SOURCE, DEFAULT_RECHECK, NOW))  # the first time all are looked at
        yield both


@pytest.mark.parametrize("ask", ASKED, ids=lambda ask: ask.__name__)
def test_what_is_asked_reads_no_table_and_costs_the_same(
    libraries: list[Library], ask: Callable[[Catalog, str], None]
) -> None:
    steps = []
    for catalog in (library.catalog for library in libraries):
        url = next(iter(catalog.list_known(SOURCE)))
        meter = Meter(catalog)
        with meter.watch():
            ask(catalog, url)
        assert meter.list_scans() == []
        steps.append(meter.steps)
    assert 0 < steps[1] <= 1.1 * steps[0]


def test_the_meter_tells(libraries: list[Library]) -> None:
    """A statement that reads a table costs ten times as much in the large catalog, and is named."""
    steps = []
    for catalog in (library.catalog for library in libraries):
        meter = Meter(catalog)
        with meter.watch():
            catalog._db.execute("SELECT COUNT(*) FROM articles WHERE title = 'x'").fetchone()
        assert len(meter.list_scans()) == 1
        steps.append(meter.steps)
    assert steps[1] > 5 * steps[0]


def find_due(facts: dict[str, tuple[datetime, datetime, str]], ages: list[int], now: datetime) -> list[str]:
    """What `list_due` shall say, by looking at every article: URL → first seen, last captured, state."""
    due, suspected = [], []
    for url, (first, last, state) in facts.items():
        marks = [
            mark for mark in sorted(ages) if (last - first).total_seconds() < mark <= (now - first).total_seconds()
        ]
        if state != "none" and marks:
            due.append((first + timedelta(seconds=marks[0]), url))
        elif state == "suspected":
            suspected.append(url)
    return [url for _, url in sorted(due)] + sorted(suspected)


@pytest.mark.parametrize("seed", range(6))
def test_what_is_due_is_what_a_look_at_every_article_finds(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    store = MemoryStore()
    info = create_archive(store, single_writer=False, now=START)
    choices = [[3_600, 86_400], [60, 7_200, 86_400 * 3], [86_400, 3_600]]
    with Catalog.open(tmp_path / "catalog.sqlite") as catalog:
        machine = Machine(store, info, catalog, sums_up=False)
        ages = choices[0]
        for number in range(12):
            looks = []
            for _ in range(chance.randrange(5)):
                status = chance.choice([200, 200, 404, 500])
                words = f"text {chance.randrange(3)}" if status == 200 else None
                looks.append(Look(f"2026/{chance.randrange(9)}", words, status, minutes=chance.randrange(-90, 90)))
            machine.commit(looks, number=number, opened=START + timedelta(hours=5 * number))
            if chance.random() < 0.3:
                ages = chance.choice(choices)
            if chance.random() < 0.2:
                catalog.forget(SOURCE, distrusted=0)
                catalog.refresh(store, machine.log)
            now = START + timedelta(hours=5 * number, minutes=chance.randrange(3_000))
            found = list(catalog.list_due(SOURCE, ages, now))
            assert found == find_due(read_articles(catalog), ages, now)
            assert list(catalog.list_due(SOURCE, ages, now, limit=2)) == found[:2]


def read_articles(catalog: Catalog) -> dict[str, tuple[datetime, datetime, str]]:
    rows = catalog._db.execute("SELECT url, first_seen, last_captured, state FROM articles")
    return {row["url"]: (_time(row["first_seen"]), _time(row["last_captured"]), row["state"]) for row in rows}


def _time(text: Any) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def test_a_look_at_what_is_due_reads_only_what_was_touched_since(libraries: list[Library]) -> None:
    """After one more commit of one article, what is due costs a few look-ups more, and no look at all the others."""
    steps = []
    for library in libraries:
        library.grow(1, until=NOW)
        meter = Meter(library.catalog)
        with meter.watch():
            list(library.catalog.list_due(SOURCE, DEFAULT_RECHECK, NOW))
        assert meter.list_scans() == []
        steps.append(meter.steps)
    assert 0 < steps[1] <= 1.1 * steps[0]
