"""What a source's captures came to is counted once for each commit, at the cost of that commit, whatever rows say."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from crawler.rows import Certificate
from jobs.catalog import Catalog
from jobs.catalog.health import HISTORY_DAYS, TALLIED_RUNS, SourceTally
from jobs.catalog.tallies import DAY, EPOCH, measure, unmeasure
from jobs.checkpoint import writing
from jobs.checkpoint.restoring import refresh_catalog
from tests.machines import SOURCE
from tests.newsdesks import FEED, ROBOTS, Newsdesk, Seen, feed, rules

if TYPE_CHECKING:
    from pathlib import Path

    from jobs.archive.identity import ArchiveInfo
    from jobs.store.memory import MemoryStore
    from tests.unit.conftest import MakeCatalog

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
END = Certificate(NOON - 30 * DAY, NOON + 60 * DAY, "An authority")


@pytest.fixture
def desk(store: MemoryStore, info: ArchiveInfo, catalogs: MakeCatalog) -> Newsdesk:
    return Newsdesk(store, info, catalogs("desk"))


def tally(desk: Newsdesk, now: datetime = NOON) -> SourceTally:
    return desk.machine.catalog.tally_health(SOURCE, now)


def day_of(at: datetime) -> int:
    return (at - EPOCH) // DAY


def test_captures_are_counted_by_day_and_by_run(desk: Newsdesk) -> None:
    pages = [
        Seen("one"),
        Seen("two", fields=("authors",), title=False, letters=100),
        Seen("three", "challenge", 403),
        Seen("four", "challenge"),
        Seen("five", "error", 503),
        Seen("six", "blocked", None, f"{ROBOTS} forbids it (Disallow: /six)"),
        Seen("seven", "error", None, "the host name has no address: nobody knows"),
        Seen("eight", "error", None, "gazette.example/robots.txt could not be read (status 500), so nothing …"),
        Seen("nine", "error", 304),
        Seen("ten", "error", 301, redirect="https://gazette.example/new"),
    ]
    others = [
        rules(),
        feed(301, redirect="https://other.example/rss"),
        Seen("https://other.example/rss", "listing", purpose="feed"),
    ]
    run = desk.run(NOON, pages, others=others, certificates={"gazette.example": END})
    desk.run(NOON + 13 * HOUR, [Seen("one"), Seen("eleven", wait=timedelta(hours=5))])
    told = tally(desk)
    assert told.began == NOON
    assert told.last_new == NOON + 13 * HOUR + timedelta(seconds=3)
    of_run = {one.run: one.counts for one in told.runs}[run]
    assert of_run == told.days[day_of(NOON)] - Counter(
        {name: n for name, n in told.days[day_of(NOON)].items() if name.startswith(("new ", "lag "))}
    ) + Counter(new=2)
    assert of_run == Counter(
        {
            "page article": 2,
            "page challenge": 2,
            "page http 503": 1,
            "page robots": 1,
            "rule gazette.example Disallow: /six": 1,
            "page dns": 1,
            "page unreadable": 1,
            "page same": 1,
            "page http 301": 1,
            "robots read": 1,
            "listing http 301": 1,
            "listing read": 1,
            "away other.example": 1,
            "text": 2,
            "has title": 1,
            "has published": 1,
            "has authors": 2,
            "has section": 1,
            f"size {measure(3_028)}": 1,
            f"size {measure(128)}": 1,
            "new": 2,
        }
    )
    assert told.days[day_of(NOON)]["new 12"] == 2
    assert told.days[day_of(NOON)][f"lag {measure(20)}"] == 1
    assert (told.days[day_of(NOON) + 1]["new 1"], told.days[day_of(NOON) + 1][f"lag {measure(300)}"]) == (1, 1)
    assert told.ran[1].certificates == {"gazette.example": END}
    assert told.ran[0].seeds == {FEED: None}


def test_assets_say_nothing_of_a_source_and_pages_outside_are_not_new(desk: Newsdesk) -> None:
    picture = "https://cdn.example/a.gif"
    assets = [
        Seen(picture, "asset", purpose="asset"),
        Seen(picture, "error", None, "the host name has no address: nobody knows", purpose="asset"),
        Seen(picture, "error", None, "cdn.example/robots.txt forbids it (Disallow: /)", purpose="asset"),
    ]
    desk.run(NOON, [Seen("one"), Seen("two", "outside")], others=assets)
    counts = tally(desk).runs[0].counts
    assert {name: n for name, n in counts.items() if not name.startswith(("has ", "size ", "text"))} == {
        "page article": 1,
        "page outside": 1,
        "new": 1,
    }


def test_a_wall_with_status_403_counts_as_a_refusal(desk: Newsdesk) -> None:
    desk.run(NOON, [Seen("one", "challenge", 403), Seen("two", "challenge", 200), Seen("three", "error", 403)])
    counts = tally(desk).runs[0].counts
    assert (counts["page challenge"], counts["page http 403"]) == (2, 1)


def test_what_is_counted_bit_by_bit_is_what_is_counted_at_once(
    desk: Newsdesk, store: MemoryStore, catalogs: MakeCatalog
) -> None:
    for number in range(6):
        desk.run(
            NOON + number * 7 * HOUR,
            [Seen(f"page-{number}"), Seen("live", letters=400 * number)],
            others=[rules(f"v{number // 4}"), feed()],
        )
        found = tally(desk)
    other = catalogs("other")
    other.refresh(store, desk.machine.log)
    assert other.tally_health(SOURCE, NOON) == found
    assert found.rules[0].since == NOON + 28 * HOUR


def test_articles_that_are_old_when_they_are_first_seen_are_not_new(desk: Newsdesk) -> None:
    day_alone = {"published": {"value": "2026-11-18", "from": "visible"}}
    pages = [
        Seen("old", wait=4 * DAY),
        Seen("undated", fields=()),
        Seen("fresh"),
        Seen("day", fields=(), also=day_alone),
        Seen("soft", "soft-404"),
        Seen("unread", "unread"),
    ]
    desk.run(NOON, pages)
    counts = tally(desk).days[day_of(NOON)]
    assert counts["new 12"] == 4
    assert sum(number for name, number in counts.items() if name.startswith("lag ")) == 1


def test_days_and_runs_are_kept_for_eight_weeks_and_as_long_as_they_tell_what_is_usual(desk: Newsdesk) -> None:
    for number in range(80):
        desk.run(NOON + number * DAY, [Seen(f"page-{number}")])
        tally(desk, NOON + number * DAY)
    end = NOON + 79 * DAY
    told = tally(desk, end)
    assert len(told.days) == HISTORY_DAYS + 1
    assert len(told.runs) == TALLIED_RUNS
    assert told.runs[0].began > told.runs[-1].began
    for number in range(80, 180):
        desk.run(NOON + number * DAY)
        tally(desk, NOON + number * DAY)
    silent = tally(desk, NOON + 179 * DAY)
    assert silent.last_new == told.last_new
    assert all(silent.days[day] == told.days[day] for day in told.days)
    assert len(silent.days) <= 2 * HISTORY_DAYS + 2


def test_a_machine_with_thin_facts_knows_first_sights_alone(
    store: MemoryStore, info: ArchiveInfo, catalogs: MakeCatalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writing, "LEVEL_COMMITS", (3, 9, 1_000))
    desk = Newsdesk(store, info, catalogs("desk"), sums_up=True)
    for number in range(8):
        desk.run(NOON + number * HOUR, [Seen(f"page-{number}"), Seen("wall", "challenge", 403)])
    thin = catalogs("thin")
    refresh_catalog(thin, store, desk.machine.log, full=False)
    assert thin.thin_until(SOURCE) == 6
    told, whole = thin.tally_health(SOURCE, NOON), tally(desk)
    assert told.thin
    assert told.last_new == whole.last_new
    day = day_of(NOON)
    assert [told.days[day][f"new {hour}"] for hour in range(24)] == [
        whole.days[day][f"new {hour}"] for hour in range(24)
    ]
    assert told.days[day]["page article"] == 2
    assert whole.days[day]["page article"] == 8
    refresh_catalog(thin, store, desk.machine.log, full=True)
    assert thin.tally_health(SOURCE, NOON) == whole


def test_a_catalog_opened_to_be_read_tells_what_was_counted_last(desk: Newsdesk, tmp_path: Path) -> None:
    with Catalog.open(tmp_path / "desk.sqlite", read_only=True) as reading:
        desk.run(NOON, [Seen("one")])
        assert reading.tally_health(SOURCE, NOON) == SourceTally(SOURCE, 0, thin=False)
        told = tally(desk)
        assert reading.tally_health(SOURCE, NOON) == told
        desk.run(NOON + HOUR, [Seen("two")])
        again = reading.tally_health(SOURCE, NOON + HOUR)
        assert (again.seq, again.days) == (told.seq, told.days)
        assert reading.list_tallied() == {SOURCE: told.seq}
        assert tally(desk).seq == told.seq + 1
        assert reading.tally_health(SOURCE, NOON + HOUR) == tally(desk)


def test_rows_of_anybody_make_no_more_names_than_were_meant(desk: Newsdesk) -> None:
    odd = {"published": {"value": ["no", "time"], "from": "meta"}, "authors": {"value": {"a": 1}, "from": "meta"}}
    deep: object = "x"
    for _ in range(150):
        deep = [deep]
    pages = [
        *(Seen(f"rule-{n}", "blocked", None, f"{ROBOTS} forbids it (Disallow: /{n})") for n in range(50)),
        *(Seen(f"class-{n}", f"class-{n}") for n in range(50)),
        *(Seen(f"status-{n}", "error", 10_000 + n) for n in range(50)),
        *(Seen(f"error-{n}", "error", None, f"odd {n}") for n in range(50)),
        Seen("odd", fields=(), also=odd),
        Seen("deep", fields=(), also={"published": {"value": deep, "from": "meta"}}),
        Seen("number", fields=(), also={"published": {"value": 17, "from": "meta"}, "section": {"value": 3}}),
        Seen("never", fields=(), also={"published": {"value": "9999-12-31T23:59:59-23:59", "from": "meta"}}),
    ]
    others = [rules(), *(feed(301, redirect=f"https://{n}.example/rss") for n in range(50))]
    desk.run(NOON, pages, others=others)
    told = tally(desk)
    assert len(told.runs[0].counts) < 40
    assert len(told.days[day_of(NOON)]) < 40


def count_steps(catalog: Catalog, now: datetime) -> int:
    steps = 0

    def count() -> int:
        nonlocal steps
        steps += 1
        return 0

    catalog._db.set_progress_handler(count, 1)
    catalog.tally_health(SOURCE, now)
    catalog._db.set_progress_handler(None, 1)
    return steps


def test_a_look_costs_what_was_committed_since(store: MemoryStore, info: ArchiveInfo, catalogs: MakeCatalog) -> None:
    desks = [Newsdesk(store, info, catalogs("few")), Newsdesk(store, info, catalogs("many"))]
    costs = []
    for desk, pages in zip(desks, (3, 60), strict=True):
        if desk is desks[1]:
            desk.machine.catalog.refresh(store, desk.machine.log)
        for number in range(20):
            desk.run(NOON + (number + 100 * pages) * HOUR, [Seen(f"page-{pages}-{number}-{n}") for n in range(pages)])
        now = NOON + (20 + 100 * pages) * HOUR
        tally(desk, now)
        again = count_steps(desk.machine.catalog, now)
        desk.run(now, [Seen("one-more")])
        costs.append((again, count_steps(desk.machine.catalog, now)))
    assert costs[1][0] <= 3 * costs[0][0]
    assert costs[1][1] <= 3 * costs[0][1]
    assert costs[0][0] < costs[0][1]


@pytest.mark.parametrize("value", [1.0, 1.5, 20, 1_000, 65_536, 1e12])
def test_a_measure_tells_its_value_within_a_fifth(value: float) -> None:
    assert 0.8 < unmeasure(measure(value)) / value < 1.25
