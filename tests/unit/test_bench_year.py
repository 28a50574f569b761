"""The simulated year in small: what it counts is what the catalog has, and it tells a good policy from a bad one."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

import pytest

from config.sources import DEFAULT_RECHECK
from jobs.rechecks import RecheckPolicy
from tests.benchmarks.year import is_better, show_table
from tests.benchmarks.year_simulation import (
    START,
    CommittedYear,
    Ledger,
    Outcome,
    QuickYear,
    Scale,
    SitePage,
    live_by_policy,
    live_flat,
    make_site,
)
from tests.machines import SOURCE

if TYPE_CHECKING:
    from jobs.catalog import Catalog

SMALL = Scale(articles=400, per_day=6, days=40, edited=0.3, deleted=0.05)
POLICY = RecheckPolicy(DEFAULT_RECHECK, 100)


def test_a_site_is_the_same_for_a_seed_and_as_asked() -> None:
    pages = make_site(3, Scale())
    assert pages == make_site(3, Scale())
    assert pages != make_site(4, Scale())
    assert len(pages) == 20_000
    assert 0.035 < sum(bool(page.edits) for page in pages) / 20_000 < 0.045
    assert 0.008 < sum(page.deleted is not None for page in pages) / 20_000 < 0.012
    assert sum(page.published < 0 for page in pages) == Scale().stock == 9_050


def test_the_ledger_counts_what_the_catalog_has() -> None:
    ledger = Ledger("ours", make_site(5, SMALL), SMALL.hours)
    found: dict[str, tuple[str, int]] = {}

    def check(catalog: Catalog) -> None:
        found.update({row["url"]: (row["state"], row["revisions"]) for row in catalog.list_articles(SOURCE)})

    outcome = live_by_policy(ledger, POLICY, SMALL.hours, check)
    assert len(found) == len(ledger.pages)
    for path, seen in ledger.seen.items():
        gone = len(ledger.gone.get(path, []))
        state = "live" if not gone else "suspected" if gone == 1 else "gone"
        assert found[f"https://gazette.example/{path}"] == (state, len(seen))
    assert outcome.requests > 1_000
    assert 0 < len(outcome.delays) < outcome.edits
    assert all(delay > 0 for delay in outcome.delays)


def test_what_is_written_quickly_is_what_the_fold_comes_to() -> None:
    plans: list[tuple[object, ...]] = []

    def check(catalog: Catalog) -> None:
        columns = "url, first_seen, last_captured, last_good, state, revisions"
        articles = catalog._db.execute(f"SELECT {columns} FROM articles ORDER BY url")
        texts = catalog._db.execute("SELECT url, number, captured_at FROM revisions ORDER BY url, number")
        plans.append(([tuple(row) for row in articles], [tuple(row) for row in texts]))

    pages = make_site(5, SMALL)
    for year in (CommittedYear, QuickYear):
        live_by_policy(Ledger("ours", pages, 300), POLICY, 300, check, year=year)
    assert plans[0] == plans[1]


def test_of_two_edits_between_two_looks_one_is_missed() -> None:
    pages = [SitePage("world/1", -1.0, edits=[2.5, 3.5, 30.0, 39.5]), SitePage("world/2", -1.0, deleted=7.5)]
    policy = RecheckPolicy((6 * 3_600, 36 * 3_600))
    outcome = live_by_policy(Ledger("ours", pages, 48), policy, 48)
    assert (outcome.edits, sorted(outcome.delays)) == (4, [2.5, 6.0])
    assert (outcome.deletions, outcome.deletion_delays, outcome.confirmed) == (1, [29.5], 1)


@pytest.mark.parametrize("newest", [True, False])
def test_flat_rechecks_spend_what_they_may(*, newest: bool) -> None:
    outcome = live_flat(Ledger("flat", make_site(5, SMALL), SMALL.hours), 50, SMALL.hours, newest=newest)
    assert 0.9 * 50 * 39 <= outcome.requests <= 50 * 39


def test_ours_is_better_than_a_flat_round_and_looking_at_the_wrong_ones_is_not() -> None:
    pages = make_site(9, SMALL)
    ours = live_by_policy(Ledger("ours", pages, SMALL.hours), POLICY, SMALL.hours)
    flat = live_flat(Ledger("flat", pages, SMALL.hours), ours.requests / 39, SMALL.hours, newest=False)
    late = live_by_policy(Ledger("late", pages, SMALL.hours), replace(POLICY, ages=(30 * 86_400,)), SMALL.hours)
    assert is_better(ours, flat)
    assert not is_better(late, ours)
    assert "| ours" in show_table([ours, flat, Outcome("none")])


def test_a_short_budget_is_kept_in_any_day() -> None:
    spent: list[int] = []
    policy = replace(POLICY, per_day=5)

    def check(catalog: Catalog) -> None:
        query = "SELECT captured_at FROM captures JOIN articles USING (source, url) WHERE captured_at > first_seen"
        times = [datetime.fromisoformat(row[0]) for row in catalog._db.execute(query)]
        hours = [(time - START).total_seconds() / 3_600 for time in times]
        spent.extend(sum(at <= hour < at + 24 for hour in hours) for at in range(SMALL.hours))

    outcome = live_by_policy(Ledger("short", make_site(5, SMALL), SMALL.hours), policy, SMALL.hours, check)
    assert max(spent) <= 2 * 5
    assert 5 * 35 <= outcome.requests <= 5 * 45
    assert outcome.waiting[-1] > 50
