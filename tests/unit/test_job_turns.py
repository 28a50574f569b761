"""Which source a job begins with where its time or pages may run out."""

from __future__ import annotations

from collections import Counter

from jobs.cli.crawling import Budget
from jobs.cli.job import take_turns
from tests.days import make_source

SOURCES = [make_source(name) for name in ("alpha", "beta", "gamma")]


def test_every_source_comes_first_whatever_the_schedule() -> None:
    for minutes in (30, 60, 90, 1440):
        first = Counter(take_turns(SOURCES, Budget(pages=5), 60.0 * minutes * turn)[0].id for turn in range(60))
        assert min(first[source.id] for source in SOURCES) > 5, (minutes, first)


def test_all_are_there_once_and_nothing_moves_without_a_budget() -> None:
    turned = take_turns(SOURCES, Budget(done_by=1.0), 1234.0)
    assert sorted(source.id for source in turned) == ["alpha", "beta", "gamma"]
    assert take_turns(SOURCES, Budget(), 1234.0) == SOURCES
    assert take_turns([], Budget(pages=1), 1234.0) == []
