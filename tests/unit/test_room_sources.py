"""Sources, runs, ledgers, rechecks and logs as the room tells them, of weeks that a newsdesk lived through."""

from __future__ import annotations

import json
import re
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from html import unescape
from typing import TYPE_CHECKING, Any

import click
import pytest

from config.settings import Settings
from crawler.rows import Certificate, SlotRow
from jobs.archive.commit import commit_key, digest
from jobs.archive.identity import create_archive
from jobs.catalog import Catalog
from jobs.cli.commands import group
from jobs.context import OpenArchive
from jobs.rechecks import RecheckPolicy
from jobs.room import keeper
from jobs.room.charts.heatmap import DayKind
from jobs.room.endpoints import BadRequest, NotThere
from jobs.room.rendering import render_page
from jobs.room.views import ENDPOINTS
from jobs.room.views.commits import CommitsAsked, view_commits
from jobs.room.views.ledgers import LedgerAsked, judge_day, view_ledger
from jobs.room.views.namings import SourceAsked
from jobs.room.views.rechecks import RechecksAsked, view_rechecks
from jobs.room.views.runs import CAPTURES, RunAsked, RunsAsked, view_run, view_runs
from jobs.room.views.sources import SourcesAsked, view_source, view_sources
from jobs.search.index import SearchIndex
from jobs.store.memory import MemoryStore
from tests.daemons import make_source
from tests.machines import SOURCE, Look
from tests.newsdesks import FEED, Newsdesk, Seen, feed
from tests.rooms import lay_desk

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from jobs.room.desk import Desk
    from jobs.room.endpoints import Told

MIDNIGHT = datetime(2026, 11, 20, tzinfo=UTC)
NOW = MIDNIGHT + timedelta(hours=6)
DAY = timedelta(days=1)
WEEKS, SCHEDULED = 40, 30
"""Days ago: the first run, and since when a daemon kept the ledger."""
AWAY = (11, 12)
"""Days ago without a run."""
HOSTILE = "<script>alert(1)</script>\u202e"
SOURCES = {
    SOURCE: make_source("every 1 day", SOURCE),
    "herald": make_source("every 1 day", "herald"),
    "old-times": make_source(None, "old-times", retired=True),
}


def live(news: Newsdesk) -> None:
    """Let a newsdesk run every midnight but for two, three articles each day, and once more by hand."""
    certificates = {"gazette.example": Certificate(MIDNIGHT - 60 * DAY, MIDNIGHT + 60 * DAY, "An authority")}
    for ago in range(WEEKS, -1, -1):
        if ago in AWAY:
            continue
        pages = [Seen(f"{ago}-{number}", fields=("published",)) for number in range(3)]
        pages += [Seen(HOSTILE, "error", None, "the host name has no address: nobody knows")] * (ago == 0)
        news.run(MIDNIGHT - ago * DAY, pages, certificates=certificates, seeds={FEED: HOSTILE if ago == 0 else None})
    slots = [
        SlotRow(MIDNIGHT - SCHEDULED * DAY - timedelta(hours=1), "scheduled", schedule="every 1 day"),
        SlotRow(MIDNIGHT - 12 * DAY, "missed", through=MIDNIGHT - 11 * DAY, slots=2, reason=f"no daemon {HOSTILE}"),
    ]
    news.machine.commit([Look("by-hand")], number=999, opened=NOW - timedelta(hours=2), slots=slots)


@dataclass(frozen=True, slots=True)
class House:
    """A newsdesk, what keeps its commits, and a desk of the room for them."""

    news: Newsdesk
    store: MemoryStore
    desk: Desk


@contextmanager
def open_house(folder: Path) -> Iterator[House]:
    """Open one whose catalog and index the keeper brought up to date."""
    store, settings = MemoryStore(), Settings()
    info = create_archive(store, single_writer=False, now=MIDNIGHT - WEEKS * DAY)
    policies = {name: RecheckPolicy.of(source, settings) for name, source in SOURCES.items()}
    with ExitStack() as stack:
        catalog = stack.enter_context(Catalog.open(folder / "room.sqlite"))
        news = Newsdesk(store, info, catalog)
        live(news)
        index = stack.enter_context(SearchIndex.open(folder / "search.sqlite"))
        assert keeper.look(OpenArchive(store, info, settings, folder, catalog), index, policies) == {"trouble": {}}
        reading = stack.enter_context(Catalog.open(folder / "room.sqlite", read_only=True))
        desk = lay_desk(reading, index, store, info, folder, NOW, sources=SOURCES, settings=settings)
        yield House(news, store, desk)


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """Return one of an archive that is only read."""
    with open_house(tmp_path_factory.mktemp("room")) as house:
        yield house.desk


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    with open_house(tmp_path) as house:
        yield house


def show(desk: Desk, name: str, told: Told) -> str:
    page = next(one for one in ENDPOINTS if one.name == name)
    return render_page(name, told, desk=desk, page=page, twin="/twin.json").decode()


def ask(**values: Any) -> dict[str, Any]:
    return {"source": SOURCE, **values}


def test_all_sources_are_listed_by_what_is_known_of_them(desk: Desk) -> None:
    told = view_sources(desk, SourcesAsked())
    groups = {group.key: [one.source for one in group.sources] for group in told.groups}
    assert groups == {"crawled": [SOURCE], "foreign": [], "waiting": ["herald"], "retired": ["old-times"]}
    page = show(desk, "sources", told)
    assert all(text in page for text in ("Crawled", "Not captured yet", "Retired"))
    assert "Not configured here" not in page

    elsewhere = replace(desk, sources={}, health={})
    assert [group.key for group in view_sources(elsewhere, SourcesAsked()).groups if group.sources] == ["foreign"]
    assert "Not configured here" in show(desk, "sources", view_sources(elsewhere, SourcesAsked()))


def test_a_source_tells_what_was_found_and_expected(desk: Desk) -> None:
    told = view_source(desk, SourceAsked(source=SOURCE))
    assert told.articles == 3 * (WEEKS + 1 - len(AWAY)) + 2
    assert told.days[-1].day == NOW.date()
    assert [one.new for one in told.days[-3:]] == [3, 3, 4]
    assert [one.new for one in told.days[-14:-12]] == [3, 0]
    assert told.days[-1].expected is not None
    assert 1 < told.days[-1].expected < 6
    assert told.days[-2].fields == {"title": 3, "published": 3, "authors": 0, "section": 0}
    assert sum(step.articles for step in told.lags) == 3 * (WEEKS + 1 - len(AWAY))
    assert sum(step.lately for step in told.lags) == 3 * 7
    (steps,) = [step for step in told.lags if step.articles]
    assert steps.minutes <= 20 < steps.until_minutes
    assert told.health.lag_seconds == pytest.approx(20 * 60, rel=0.2)
    page = show(desk, "source", told)
    assert "every 1 day" in page
    assert page.count("<svg") == 2 + 4 + 1  # two of bars, four of fields, the icon of the feed
    assert "0 % of" in page


def test_of_a_source_that_is_not_configured_only_what_the_archive_knows_is_told(desk: Desk) -> None:
    told = view_source(replace(desk, sources={}, health={}), SourceAsked(source=SOURCE))
    assert (told.source.configured, told.source.captured, told.schedule, told.seeds) == (False, True, None, ())
    assert "There is no file for it" in show(desk, "source", told)
    waiting = view_source(desk, SourceAsked(source="herald"))
    assert (waiting.source.captured, waiting.days, waiting.lags) == (False, (), ())
    assert "Nothing captured yet" in show(desk, "source", waiting)


@pytest.mark.parametrize("name", ["nobody", "../../etc", "", HOSTILE, "gazette/../herald"])
def test_unknown_sources_are_not_there(desk: Desk, name: str) -> None:
    views: list[tuple[Any, Any]] = [
        (view_source, SourceAsked(source=name)),
        (view_runs, RunsAsked(source=name)),
        (view_ledger, LedgerAsked(source=name)),
        (view_rechecks, RechecksAsked(source=name)),
        (view_commits, CommitsAsked(source=name)),
        (view_run, RunAsked(source=name, run="x")),
    ]
    for view, asked in views:
        with pytest.raises(NotThere):
            view(desk, asked)


def test_a_ledger_tells_a_year_by_day_and_its_gaps(desk: Desk) -> None:
    told = view_ledger(desk, LedgerAsked(source=SOURCE))
    days = {one.day: one for one in told.days}
    assert (told.first, told.last) == (date(2025, 11, 21), date(2026, 11, 20))
    assert days[NOW.date()].outcomes == {"done": 1}
    assert days[NOW.date()].runs == 1
    assert [days[(NOW - ago * DAY).date()].outcomes for ago in AWAY] == [{"missed": 1}, {"missed": 1}]
    assert (NOW - 41 * DAY).date() not in days
    assert told.outcomes == {"done": 39, "late": 0, "failed": 0, "skipped": 0, "missed": 2, "open": 0}
    assert told.share == round(39 / 41, 4)
    (gap,) = told.gaps
    assert (gap.slots, gap.after, gap.until) == (2, MIDNIGHT - 13 * DAY, MIDNIGHT - 10 * DAY)
    assert (told.schedule, told.earlier, told.later) == ("every 1 day", None, None)
    assert [cell.kind for cell in told.heatmap.cells].count(DayKind.MISSED) == 2
    assert [(month, outcomes["done"]) for month, outcomes, _ in told.months] == [
        (date(2026, 10, 1), 21),
        (date(2026, 11, 1), 18),
    ]
    page = show(desk, "ledger", told)
    assert page.count("<title>") == 1 + 41
    assert page.count('tabindex="-1"><title>') == 39
    assert f"ledger?day={NOW.date()}#day" in page
    assert "<script>alert" not in page
    assert "\u202e" not in page


def test_a_day_of_the_ledger_tells_each_slot_and_each_run(desk: Desk) -> None:
    told = view_ledger(desk, LedgerAsked(source=SOURCE, day=NOW.date()))
    assert [(line.outcome, line.at) for line in told.lines] == [("done", MIDNIGHT), (None, NOW - timedelta(hours=2))]
    page = show(desk, "ledger", told)
    assert "Friday 20 November 2026" in page
    assert "Beside the schedule" in page
    missed = view_ledger(desk, LedgerAsked(source=SOURCE, day=(NOW - 11 * DAY).date()))
    assert [(line.outcome, line.run, line.slots) for line in missed.lines] == [("missed", None, 1)]
    for nothing in (date(2026, 1, 1), date(2031, 1, 1)):
        told = view_ledger(desk, LedgerAsked(source=SOURCE, day=nothing))
        assert told.lines == ()
        assert "Nothing on that day" in show(desk, "ledger", told)


def test_years_of_a_ledger_lead_to_each_other(desk: Desk) -> None:
    later = replace(desk, now=NOW + 400 * DAY, years={})
    told = view_ledger(later, LedgerAsked(source=SOURCE))
    assert told.earlier is not None
    before = view_ledger(later, LedgerAsked(source=SOURCE, until=told.earlier))
    assert before.last == told.first - DAY
    assert before.later == told.last
    assert before.outcomes["done"] == 39
    assert judge_day(told.days[0]) is DayKind.MISSED


def test_a_year_is_not_counted_anew_until_something_is_committed(house: House) -> None:
    desk = house.desk
    first = view_ledger(desk, LedgerAsked(source=SOURCE))
    counted = desk.years[SOURCE][1]
    view_ledger(replace(desk, now=NOW + timedelta(seconds=1)), LedgerAsked(source=SOURCE))
    assert desk.years[SOURCE][1] is counted
    house.news.run(NOW - timedelta(hours=1), trigger="job")
    again = view_ledger(desk, LedgerAsked(source=SOURCE))
    assert again.outcomes["done"] == first.outcomes["done"] + 1


def test_runs_come_in_pages_and_tell_what_they_found(desk: Desk) -> None:
    told = view_runs(desk, RunsAsked(source=SOURCE))
    assert len(told.runs) == 40
    assert told.after is None
    assert told.runs[1].verdicts == {"bad": 1, "new": 3}
    assert "by a job" in show(desk, "runs", told)
    with pytest.raises(BadRequest, match="after"):
        view_runs(desk, RunsAsked(source=SOURCE, after="nonsense"))
    behind = view_runs(desk, RunsAsked(source=SOURCE, after=told.runs[4].run))
    assert behind.runs == told.runs[5:]
    assert not behind.first


def test_a_run_tells_where_it_looked_and_what_it_captured(desk: Desk) -> None:
    run = view_runs(desk, RunsAsked(source=SOURCE)).runs[1].run
    told = view_run(desk, RunAsked(source=SOURCE, run=run))
    assert [one.purpose for one in told.captures] == ["robots", "feed", *["article"] * 4]
    assert told.purposes == {"robots": 1, "feed": 1, "article": 4}
    assert [(one.url, one.error) for one in told.listings] == [(FEED, HOSTILE)]
    assert [one.host for one in told.certificates] == ["gazette.example"]
    assert [one.segment for one in told.segments] == [run]
    page = show(desk, "run", told)
    assert "<script>alert" not in page
    assert "\u202e" not in page
    assert "An authority" in page
    new = view_run(desk, RunAsked(source=SOURCE, run=run, show="new"))
    assert [one.verdict for one in new.captures] == ["new"] * 3
    with pytest.raises(NotThere):
        view_run(desk, RunAsked(source=SOURCE, run="gazette-20200101T000000Z-0000000000000000"))
    for place in ("nonsense", "a:", ":1", "a:-1", "a:x", f"a:{'9' * 30}"):
        with pytest.raises(BadRequest, match="after"):
            view_run(desk, RunAsked(source=SOURCE, run=run, after=place))


def test_a_run_that_died_is_told_by_its_captures_in_pages_that_meet(house: House) -> None:
    dead = house.news.run(NOW - timedelta(hours=1), [Seen(f"many-{n}") for n in range(CAPTURES)], row=False)
    told = view_run(house.desk, RunAsked(source=SOURCE, run=dead))
    assert told.run is None
    assert told.after is not None
    rest = view_run(house.desk, RunAsked(source=SOURCE, run=dead, after=told.after))
    assert [*told.captures, *rest.captures] == sorted([*told.captures, *rest.captures], key=lambda one: one.n)
    assert len(rest.captures) == 2
    assert rest.after is None
    assert "it died" in show(house.desk, "run", told)


def test_the_plan_of_rechecks_is_as_the_keeper_left_it(house: House) -> None:
    desk = house.desk
    told = view_rechecks(desk, RechecksAsked(source=SOURCE))
    assert told.planned
    assert told.behind == 0
    (host,) = told.hosts
    assert host.host == "gazette.example"
    assert host.overdue > 0
    assert len(host.hours) == 24
    assert len(told.turns) == 50
    assert min(turn.due for turn in told.turns) == host.oldest
    assert "its next look is due" in show(desk, "rechecks", told)
    house.news.run(NOW - timedelta(hours=1))
    assert view_rechecks(desk, RechecksAsked(source=SOURCE)).behind == 1

    unknown = view_rechecks(replace(desk, sources={}), RechecksAsked(source=SOURCE))
    assert (unknown.policy, unknown.planned) == (None, False)
    assert "not configured here" in show(desk, "rechecks", unknown)
    changed = {SOURCE: make_source("every 1 day", SOURCE, recheck=["1h"])}
    other = view_rechecks(replace(desk, sources=changed), RechecksAsked(source=SOURCE))
    assert (other.planned, other.hosts, other.turns) == (False, (), ())
    assert "Not worked out yet" in show(desk, "rechecks", other)


def test_a_log_is_told_from_its_end_and_held_against_the_store(desk: Desk) -> None:
    told = view_commits(desk, CommitsAsked(source=SOURCE))
    seq, head = desk.catalog.head(SOURCE)
    assert told.end is not None
    assert (told.end.seq, told.end.digest, told.end.as_seen, told.end.beyond) == (seq, head, True, 0)
    assert [one.seq for one in told.commits] == list(range(seq, 0, -1))
    assert not told.checked
    checked = view_commits(desk, CommitsAsked(source=SOURCE, check=True))
    assert (checked.checked, checked.faults) == (True, 0)
    assert all(one.checked and one.signed is False for one in checked.commits)
    page = show(desk, "commits", told)
    assert f"ofrecord verify {SOURCE} --expect {SOURCE}={seq}:{head}" in page
    assert "Read these again" in page
    assert [one.seq for one in view_commits(desk, CommitsAsked(source=SOURCE, before=3)).commits] == [2, 1]
    assert view_commits(desk, CommitsAsked(source="herald")).end is None


def test_what_the_store_has_otherwise_is_told_of_the_commit_that_it_is_of(house: House) -> None:
    desk = house.desk
    seq, _ = desk.catalog.head(SOURCE)
    keys = {number: commit_key(SOURCE, number) for number in range(1, seq + 1)}
    altered = house.store.get(keys[5]).replace(b'"kind":"segment"', b'"kind":"repair"')
    house.store.delete(keys[5])
    house.store.create(keys[5], altered, sha256=digest(altered))
    house.store.delete(keys[9])
    lost = json.loads(house.store.get(keys[12]).split(b"\n")[0])["files"][0]["key"]
    house.store.delete(lost)
    told = view_commits(desk, CommitsAsked(source=SOURCE, check=True))
    faults = {one.seq: one.fault for one in told.commits if one.fault}
    assert list(faults) == [12, 9, 5]
    assert faults[12] == f"{lost}: missing"
    assert "missing" in (faults[9] or "")
    assert "written anew" in (faults[5] or "")
    assert told.faults == 3
    assert "3 of" in show(desk, "commits", told)

    house.store.delete(keys[seq])
    end = view_commits(desk, CommitsAsked(source=SOURCE)).end
    assert end is not None
    assert end.as_seen is False
    assert "Otherwise than it was seen" in show(desk, "commits", view_commits(desk, CommitsAsked(source=SOURCE)))


def test_commits_behind_the_known_end_are_counted(house: House, tmp_path: Path) -> None:
    with Catalog.open(tmp_path / "other.sqlite") as catalog:
        other = Newsdesk(house.store, house.desk.info, catalog)
        other.machine.prepare()
        other.number = 5_000
        other.run(NOW, others=[feed()])
    end = view_commits(house.desk, CommitsAsked(source=SOURCE)).end
    assert end is not None
    assert (end.as_seen, end.beyond) == (True, 1)


def test_commands_on_pages_are_commands(desk: Desk) -> None:
    pages = show(desk, "ledger", view_ledger(desk, LedgerAsked(source=SOURCE)))
    pages += show(desk, "commits", view_commits(desk, CommitsAsked(source=SOURCE)))
    commands = [unescape(one).split() for one in re.findall(r"<pre><code>([^<]+)</code></pre>", pages)]
    assert [words[1] for words in commands] == ["backfill-gaps", "verify", "verify", "verify"]
    for program, name, *words in commands:
        assert program == "ofrecord"
        command = group.get_command(click.Context(group), name)
        assert command is not None
        assert command.make_context(name, words).params["source"] == (SOURCE,)  # else it is refused
