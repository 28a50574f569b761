"""What the catalog is asked at a crawl's start, for a page and for a reader costs the same however large it is.

Counted, not timed: steps of SQLite's machine at one size and at ten times that, and the plan of each statement.
"""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from config.sources import DEFAULT_RECHECK
from jobs.archive.identity import create_archive
from jobs.catalog import Catalog, SourceVersions
from jobs.moves import find_move, list_origins
from jobs.rechecks import RecheckPolicy
from jobs.store.memory import MemoryStore
from tests.benchmarks.size import Library
from tests.machines import SOURCE, START, Look, Machine
from tests.meters import Meter

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

POLICY = RecheckPolicy(DEFAULT_RECHECK)
NOW = START + timedelta(days=30)
SMALL = 300
MICROSECOND = timedelta(microseconds=1)
_SMALL = r"logs\b|json_each\b|CONSTANT"
"""Logs: one for each source, and a look-up for each of them finds who has a URL."""


def ask_at_start(catalog: Catalog, _: str) -> None:
    catalog.head(SOURCE)
    catalog.thin_until(SOURCE)
    catalog.is_wanting(SOURCE)
    catalog.list_incomplete(SOURCE)
    catalog.list_unsettled(SOURCE)
    catalog.is_released(SOURCE, catalog.last_epoch(SOURCE))
    catalog.last_started(SOURCE)
    assert not list(catalog.list_due(SOURCE, POLICY, NOW))


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
            list(library.catalog.list_due(SOURCE, POLICY, NOW))  # the first time all are looked at
        yield both


@pytest.mark.parametrize("ask", ASKED, ids=lambda ask: ask.__name__)
def test_what_is_asked_reads_no_table_and_costs_the_same(
    libraries: list[Library], ask: Callable[[Catalog, str], None]
) -> None:
    steps = []
    for catalog in (library.catalog for library in libraries):
        url = next(iter(catalog.list_known(SOURCE)))
        meter = Meter(catalog._db, _SMALL)
        with meter.watch():
            ask(catalog, url)
        assert meter.list_scans() == []
        steps.append(meter.steps)
    assert 0 < steps[1] <= 1.1 * steps[0]


def test_the_meter_tells(libraries: list[Library]) -> None:
    """A statement that reads a table costs ten times as much in the large catalog, and is named."""
    steps = []
    for catalog in (library.catalog for library in libraries):
        meter = Meter(catalog._db, _SMALL)
        with meter.watch():
            catalog._db.execute("SELECT COUNT(*) FROM articles WHERE title = 'x'").fetchone()
        assert len(meter.list_scans()) == 1
        steps.append(meter.steps)
    assert steps[1] > 5 * steps[0]


def find_due(articles: list[dict[str, Any]], policy: RecheckPolicy, now: datetime) -> list[str]:
    """What `list_due` shall say without a budget, by looking at every article, and each time at all that are left."""
    suspected: list[tuple[float, datetime, str]] = []
    others: list[tuple[float, datetime, str]] = []
    for row in articles:
        first, last = _time(row["first_seen"]), _time(row["last_captured"])
        marks = [age for age in policy.ages if (last - first).total_seconds() < age]
        missed = 16.0
        if row["state"] == "live" and marks:
            due = first + timedelta(seconds=marks[0])
            seen, behind = (policy.find_step((one - first) // MICROSECOND) for one in (last, now))
            missed = 4 * (behind - seen)
        elif row["state"] == "suspected":
            due = last + max(last - row["suspected"], timedelta(seconds=policy.second_look_seconds))
        elif row["state"] == "gone":
            due = last + max(last - _time(row["last_good"]), timedelta(days=1))
        else:
            continue
        if due <= now:
            (suspected if row["state"] == "suspected" else others).append((-missed, due, row["url"]))
    found = [url for _, _, url in sorted(suspected)]
    for number in range(1, len(others) + 1):
        turn = min(others, key=None if number % 4 else lambda one: one[1:])
        others.remove(turn)
        found.append(turn[2])
    return found


@pytest.mark.parametrize("seed", range(6))
def test_what_is_due_is_what_a_look_at_every_article_finds(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    store = MemoryStore()
    info = create_archive(store, single_writer=False, now=START)
    choices = [(3_600, 86_400), (60, 7_200, 86_400 * 3), (86_400, 864_000)]
    most = 0
    with Catalog.open(tmp_path / "catalog.sqlite") as catalog:
        machine = Machine(store, info, catalog, sums_up=False)
        policy = RecheckPolicy(choices[0], adapts=False)
        for number in range(12):
            looks = []
            for _ in range(chance.randrange(9)):
                status = chance.choice([200, 200, 404, 404, 500])
                words = f"text {chance.randrange(3)}" if status == 200 else None
                looks.append(Look(f"2026/{chance.randrange(9)}", words, status, minutes=chance.randrange(-90, 90)))
            machine.commit(looks, number=number, opened=START + timedelta(hours=5 * number))
            if chance.random() < 0.3:
                policy = RecheckPolicy(chance.choice(choices), adapts=False)
            if chance.random() < 0.2:
                catalog.forget(SOURCE, distrusted=0)
                catalog.refresh(store, machine.log)
            now = START + timedelta(hours=5 * number, minutes=chance.randrange(3_000))
            found = list(catalog.list_due(SOURCE, policy, now))
            most = max(most, len(found))
            assert found == find_due(read_articles(catalog), policy, now)
            assert list(catalog.list_due(SOURCE, policy, now, limit=2)) == found[:2]
            planned = catalog.measure_plan(SOURCE, policy, now, hours=3)
            assert sum(site.overdue for site in planned) == len(found)
            assert_counted_anew_alike(catalog, policy, now)
    assert most > 2


def assert_counted_anew_alike(catalog: Catalog, policy: RecheckPolicy, now: datetime) -> None:
    """What was counted commit by commit is what counting all articles at once comes to."""
    tables = {name: _read_counts(catalog, name) for name in ("rechecks", "recheck_counts", "recheck_looks")}
    catalog._db.execute("DELETE FROM recheck_plans")
    list(catalog.list_due(SOURCE, policy, now))
    assert {name: _read_counts(catalog, name) for name in tables} == tables


def _read_counts(catalog: Catalog, table: str) -> list[tuple[Any, ...]]:
    """Return the rows of *table*, but those that count nothing."""
    rows = [tuple(row) for row in catalog._db.execute(f"SELECT * FROM {table}")]
    return rows if table == "rechecks" else [row for row in rows if any(row[3:])]


def read_articles(catalog: Catalog) -> list[dict[str, Any]]:
    """Return the articles; with each, when it was suspected first since it was there last."""
    articles = {row["url"]: {**row, "suspected": None} for row in catalog._db.execute("SELECT * FROM articles")}
    for row in catalog._db.execute("SELECT * FROM captures ORDER BY captured_at, segment, n"):
        article = articles[row["url"]]
        if row["verdict"] == "suspected":
            article["suspected"] = article["suspected"] or _time(row["captured_at"])
        elif row["verdict"] != "bad":
            article["suspected"] = None
    return list(articles.values())


def _time(text: Any) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def test_a_look_at_what_is_due_reads_only_what_was_touched_since(libraries: list[Library]) -> None:
    """After one more commit of one article, what is due costs a few look-ups more, and no look at all the others."""
    steps = []
    for library in libraries:
        library.grow(1, until=NOW)
        meter = Meter(library.catalog._db, _SMALL)
        with meter.watch():
            list(library.catalog.list_due(SOURCE, POLICY, NOW))
        assert meter.list_scans() == []
        steps.append(meter.steps)
    assert 0 < steps[1] <= 1.1 * steps[0]
