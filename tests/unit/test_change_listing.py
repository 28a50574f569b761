"""Changes read from the catalog: by time, by commit, the newest; edit reports worked out once; thin facts."""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest

from config.errors import StoreUnavailable
from crawler.rows import CaptureReference
from jobs.archive.log import Log
from jobs.changes import Change, ChangeLister, EditReporter, What, listing, render_words
from jobs.changes import reports as reports_module
from jobs.changes.words import shorten_diff
from jobs.checkpoint.restoring import refresh_catalog
from jobs.cli.events import describe_change, render_change
from tests.machines import SOURCE, START, Again, Look, Machine

if TYPE_CHECKING:
    from jobs.archive.identity import ArchiveInfo
    from jobs.catalog import Catalog
    from jobs.store.memory import MemoryStore
    from tests.unit.conftest import MakeCatalog

BEFORE, AFTER = "Three people saw it at the bridge.", "Five people saw it at the bridge."


@pytest.fixture
def machine(store: MemoryStore, info: ArchiveInfo, catalogs: MakeCatalog) -> Machine:
    return Machine(store, info, catalogs("first"))


def write_story(machine: Machine) -> None:
    """Four commits: an article is edited and set back, one is deleted, one flips all the time."""
    for number, (edited, deleted, flips) in enumerate(
        [(BEFORE, 200, "A"), (AFTER, 404, "B"), (BEFORE, 404, "A"), (BEFORE, 200, "B")], 1
    ):
        looks = [Look("edited", edited), Look("flips", flips)]
        looks.append(Look("deleted", "here" if deleted == 200 else None, deleted))
        machine.commit(looks, number=number)


def name(change: Change) -> tuple[str, str, int]:
    """What, of which page, how many half hours after the start."""
    return change.what.value, change.url.rpartition("/")[2], round((change.at - START) / timedelta(minutes=30))


STORY = [
    ("revised", "edited", 2),
    ("suspected", "deleted", 2),
    ("reverted", "edited", 3),
    ("gone", "deleted", 3),
    ("alternating", "flips", 4),
    ("returned", "deleted", 4),
]


def test_changes_come_by_time_from_either_end(machine: Machine) -> None:
    write_story(machine)
    lister = ChangeLister(machine.catalog)
    assert [name(change) for change in lister.walk([SOURCE])] == STORY
    assert [name(change) for change in lister.walk([SOURCE], newest_first=True)] == STORY[::-1]
    assert [name(change) for change in lister.list_newest([SOURCE], 2)] == STORY[:-3:-1]
    since = START + timedelta(minutes=90)
    assert [name(change) for change in lister.walk([SOURCE], since=since)] == STORY[2:]
    assert not list(lister.walk(["herald"]))


def test_until_tells_how_it_looked_then(machine: Machine) -> None:
    write_story(machine)
    then = START + timedelta(minutes=90, seconds=30)
    flips = [("revised", "flips", 2), ("reverted", "flips", 3)]
    assert sorted(name(change) for change in ChangeLister(machine.catalog, until=then).walk([SOURCE])) == sorted(
        [*STORY[:4], *flips]
    )


def test_pages_of_a_listing_join_without_a_gap(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    write_story(machine)
    whole = list(ChangeLister(machine.catalog).walk([SOURCE]))
    for rows in (1, 2, 3):
        monkeypatch.setattr("jobs.catalog.sights._PAGE_ROWS", rows)
        monkeypatch.setattr(listing, "HELD_ARTICLES", 1)
        assert list(ChangeLister(machine.catalog).walk([SOURCE])) == whole
        assert list(ChangeLister(machine.catalog).walk([SOURCE], newest_first=True)) == whole[::-1]


def test_changes_of_a_commit_are_those_that_it_brought_however_late(machine: Machine) -> None:
    machine.commit([Look("a", "one"), Look("b", "one")], number=1)
    machine.commit([Look("a", "two")], number=2)
    head = machine.catalog.head(SOURCE)[0]
    machine.commit([Look("b", "two", minutes=-20)], number=3)  # captured before the commit before it
    found = list(ChangeLister(machine.catalog).list_committed(SOURCE, after=head))
    assert [(change.what.value, change.url[-1]) for change in found] == [("revised", "b")]
    assert not list(ChangeLister(machine.catalog).list_committed(SOURCE, after=head + 1))


def test_an_edit_is_summed_up_once(machine: Machine) -> None:
    machine.commit([Look("a", BEFORE)], number=1)
    machine.commit([Look("a", AFTER)], number=2)
    (change,) = ChangeLister(machine.catalog).walk([SOURCE])
    reporter = EditReporter(machine.catalog)
    summary = reporter.summarise(change)
    assert summary is not None
    assert summary.kinds == ["headline"]
    assert (summary.silent, summary.backdated, summary.more) == (None, False, 0)
    assert render_words(summary.words, colour=False) == (
        "- [-Three-] people saw it at the bridge.\n+ {+Five+} people saw it at the bridge."
    )
    reporter.flush()
    again = EditReporter(machine.catalog)
    assert again.summarise(change) == summary
    assert (reporter.worked_out, again.worked_out) == (1, 0)


def test_other_rules_work_a_report_out_anew(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    machine.commit([Look("a", BEFORE)], number=1)
    machine.commit([Look("a", AFTER)], number=2)
    (change,) = ChangeLister(machine.catalog).walk([SOURCE])
    for rules in (1_001, 2_001):
        monkeypatch.setattr(reports_module, "_RULES", rules)
        reporter = EditReporter(machine.catalog)
        reporter.summarise(change)
        reporter.flush()
        assert reporter.worked_out == 1
    assert machine.catalog._db.execute("SELECT COUNT(*), MIN(rules) FROM edit_reports").fetchone()[:] == (1, 2_001)


def test_silent_is_said_by_the_texts_as_they_were_seen_last(machine: Machine) -> None:
    at = {"value": "2026-11-22T08:00:00+00:00", "from": "json-ld"}
    later = at | {"value": "2026-11-22T09:00:00+00:00"}
    machine.commit([Look("a", BEFORE, fields={"modified": at})], number=1)
    machine.commit([Look("a", BEFORE, fields={"modified": later})], number=2)
    machine.commit([Look("a", AFTER, fields={"modified": later})], number=3)
    told, change = ChangeLister(machine.catalog).walk([SOURCE])
    assert (told.what, change.what) == (What.METADATA, What.REVISED)
    summary = EditReporter(machine.catalog).summarise(change)
    assert summary is not None
    assert summary.silent is True
    machine.commit([Look("a", BEFORE, fields={"modified": at})], number=4)
    reverted = list(ChangeLister(machine.catalog).walk([SOURCE]))[-1]
    summary = EditReporter(machine.catalog).summarise(reverted)
    assert reverted.what is What.REVERTED
    assert summary is not None
    assert (summary.silent, summary.backdated) == (False, True)


def test_what_is_said_about_an_article_is_an_event_of_its_own(machine: Machine) -> None:
    authors = {"value": ["A. Writer"], "from": "json-ld"}
    other = authors | {"value": ["Another " + "x" * 1_000]}
    for number, fields in enumerate(({}, {"authors": authors}, {"authors": authors}, {"authors": other}), 1):
        machine.commit([Look("a", BEFORE, fields=fields)], number=number)
    lister = ChangeLister(machine.catalog)
    found = list(lister.walk([SOURCE]))
    assert [name(change) for change in found] == [("metadata", "a", 2), ("metadata", "a", 4)]
    assert found == list(lister.walk([SOURCE], newest_first=True))[::-1]
    assert found == list(lister.list_committed(SOURCE, after=0))
    first, last = (EditReporter(machine.catalog).summarise(change) for change in found)
    assert first is not None
    assert last is not None
    assert first.metadata == [{"name": "authors", "before": None, "after": ["A. Writer"]}]
    assert last.kinds == ["byline"]
    assert last.metadata[0]["before"] == ["A. Writer"]
    assert len(last.metadata[0]["after"]) == 500
    assert not last.words
    without = ChangeLister(machine.catalog, metadata=False)
    assert not list(without.walk([SOURCE]))
    assert not list(without.list_committed(SOURCE, after=0))


def test_a_move_is_told_at_the_redirect_that_shows_it(machine: Machine) -> None:
    new = Look("new").url
    fields = {"canonical_url": {"value": new, "from": "meta"}}
    machine.commit([Look("old", BEFORE), Look("elsewhere", BEFORE)], number=1)
    machine.commit([Look("old", None, 301, redirect=new), Look("new", BEFORE, fields=fields)], number=2)
    machine.commit([Look("old", None, 301, redirect=new), Look("never", None, 301, redirect=new)], number=3)
    machine.commit([Look("elsewhere", None, 301, redirect=Look("other").url), Look("other", AFTER)], number=4)
    lister = ChangeLister(machine.catalog)
    (change,) = lister.walk([SOURCE])
    assert (*name(change), change.target) == ("moved", "old", 2, new)
    assert change.before is not None
    assert change.before.revision == 1
    assert list(lister.list_committed(SOURCE, after=1)) == [change]
    assert list(lister.walk([SOURCE], newest_first=True)) == [change]
    assert not list(lister.list_committed(SOURCE, after=2))
    assert not list(ChangeLister(machine.catalog, metadata=False).walk([SOURCE]))
    assert not list(ChangeLister(machine.catalog, until=START + timedelta(minutes=45)).walk([SOURCE]))
    assert EditReporter(machine.catalog).summarise(change) is None
    data = describe_change(machine.catalog, change, None, title=None)
    assert (data["what"], data["target"]) == ("moved", new)
    assert f"  to {new}" in render_change(change, None, title=None)


def test_a_304_has_the_words_of_the_capture_that_it_stands_for(machine: Machine) -> None:
    first = machine.commit([Look("a", BEFORE)], number=1).commit
    assert first.segment is not None
    of = CaptureReference(first.segment, 0)
    machine.commit([Look("a", AFTER)], number=2)
    machine.commit([Look("a", None, 304, revisit_of=of)], number=3)
    machine.commit([Look("a", AFTER)], number=4)
    lister = ChangeLister(machine.catalog)
    (change,) = lister.walk([SOURCE])
    assert (change.what, change.times) == (What.ALTERNATING, 3)
    until = ChangeLister(machine.catalog, until=START + timedelta(minutes=91))
    edit, revert = until.walk([SOURCE])
    assert (edit.what, revert.what) == (What.REVISED, What.REVERTED)
    assert revert.after is not None
    assert revert.after.places[0] == (first.segment, 0)
    summary = EditReporter(machine.catalog).summarise(revert)
    assert summary is not None
    assert summary.kinds == ["headline"]
    assert (summary.silent, summary.backdated) == (None, False)


def test_texts_are_compared_within_one_derivation(machine: Machine) -> None:
    machine.commit([Look("a", f"*{BEFORE}", derivation="a")], number=1)
    first = machine.catalog.list_revisions(SOURCE, "https://gazette.example/a")[0]
    (capture,) = machine.catalog.list_captures(SOURCE, "https://gazette.example/a")
    rows = [row for row in _read_captures(machine) if row.url == capture.url]
    again = Again(rows[0], first.segment, f"*{BEFORE}", "b")
    machine.commit([Look("a", f"*{AFTER}", derivation="b")], [again], number=2)
    (change,) = ChangeLister(machine.catalog).walk([SOURCE])
    summary = EditReporter(machine.catalog).summarise(change)
    assert summary is not None
    assert len(summary.words) == 1  # and not the line that says which rules read it


def test_without_a_common_derivation_no_kind_is_told(machine: Machine) -> None:
    machine.commit([Look("a", BEFORE, derivation="a")], number=1)
    machine.commit([Look("a", None, 404)], number=2)
    machine.commit([Look("a", AFTER, derivation="b")], number=3)
    changes = list(ChangeLister(machine.catalog).walk([SOURCE]))
    assert [change.what.value for change in changes] == ["suspected", "returned"]
    assert [EditReporter(machine.catalog).summarise(change) for change in changes] == [None, None]


def restore_thin(machine: Machine, catalog: Catalog) -> Catalog:
    refresh_catalog(catalog, machine.store, machine.log, full=False)
    assert catalog.thin_until(SOURCE) > 0
    return catalog


def test_thin_facts_tell_the_same_changes_of_text(machine: Machine, catalogs: MakeCatalog) -> None:
    write_story(machine)
    for number in range(5, 15):
        machine.commit([Look(f"other-{number}")], number=number)
    thin = restore_thin(machine, catalogs("thin"))
    whole = {change.make_id("0" * 32): name(change) for change in ChangeLister(machine.catalog).walk([SOURCE])}
    told = {change.make_id("0" * 32): name(change) for change in ChangeLister(thin).walk([SOURCE])}
    assert list(whole.values()) == STORY
    assert told.items() <= whole.items()
    assert min(whole.items() - told.items())[1] == ("gone", "deleted", 3)  # evidence that is over may be left out
    assert len(whole) == len(told) + 1


def test_texts_that_thin_facts_lack_come_from_their_segment(machine: Machine, catalogs: MakeCatalog) -> None:
    machine.commit([Look("a", BEFORE), Look("b", BEFORE)], number=1)
    for number in range(2, 13):
        machine.commit([Look(f"other-{number}")], number=number)
    second = Machine(machine.store, _info(machine), restore_thin(machine, catalogs("thin")))
    second.commit([Look("a", AFTER), Look("b", AFTER)], number=13)
    changes = list(ChangeLister(second.catalog).walk([SOURCE]))
    assert len(changes) == 2
    assert [EditReporter(second.catalog).summarise(change) for change in changes] == [None, None]
    assert [EditReporter(second.catalog, machine.store).summarise(change) for change in changes] == [None, None]
    reporter = EditReporter(second.catalog, machine.store, fetches=1)  # one segment has both
    full = EditReporter(machine.catalog)
    refresh_catalog(machine.catalog, machine.store, machine.log, full=True)
    for change in changes:
        summary = reporter.summarise(change)
        assert summary is not None
        assert summary.kinds == ["headline"]
        assert summary == full.summarise(change)


def test_a_text_that_came_again_does_not_stand_for_what_thin_facts_lack(
    machine: Machine, catalogs: MakeCatalog
) -> None:
    at = {"value": "2026-11-22T08:00:00+00:00", "from": "json-ld"}
    machine.commit([Look("a", BEFORE)], number=1)
    machine.commit([Look("a", AFTER, fields={"modified": at})], number=2)
    for number in range(3, 13):
        machine.commit([Look(f"other-{number}")], number=number)
    second = Machine(machine.store, _info(machine), restore_thin(machine, catalogs("thin")))
    second.commit([Look("a", BEFORE, fields={"modified": at})], number=13)
    second.commit([Look("b", AFTER)], number=14)  # the words are here, what was said beside them then is not
    refresh_catalog(machine.catalog, machine.store, machine.log, full=True)
    until = START + timedelta(minutes=30 * 13 + 1)
    change = list(ChangeLister(second.catalog, until=until).walk([SOURCE]))[-1]
    assert change.what is What.REVERTED
    assert EditReporter(second.catalog).summarise(change) is None
    summary = EditReporter(second.catalog, machine.store, fetches=1).summarise(change)
    assert summary is not None
    assert summary.silent is True
    assert summary == EditReporter(machine.catalog).summarise(change)


def test_a_store_that_is_away_costs_the_kinds_and_nothing_else(
    machine: Machine, catalogs: MakeCatalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine.commit([Look("a", BEFORE)], number=1)
    for number in range(2, 13):
        machine.commit([Look(f"other-{number}")], number=number)
    second = Machine(machine.store, _info(machine), restore_thin(machine, catalogs("thin")))
    second.commit([Look("a", AFTER)], number=13)
    (change,) = ChangeLister(second.catalog).walk([SOURCE])

    def refuse(*_: Any, **__: Any) -> bytes:
        raise StoreUnavailable("no answer")

    monkeypatch.setattr(machine.store, "get", refuse)
    assert EditReporter(second.catalog, machine.store, fetches=9).summarise(change) is None


def test_listing_takes_the_index_and_holds_no_statement_open(machine: Machine) -> None:
    write_story(machine)
    asked: list[str] = []
    machine.catalog._db.set_trace_callback(asked.append)
    walk = ChangeLister(machine.catalog).walk([SOURCE])
    next(walk)
    with machine.catalog.transaction():  # would fail with a statement half read, if another process wrote meanwhile
        pass
    list(walk)
    list(ChangeLister(machine.catalog).list_committed(SOURCE, after=1))
    machine.catalog._db.set_trace_callback(None)
    plans = [
        row[3]
        for one in asked
        if one.startswith("SELECT")
        for row in machine.catalog._db.execute(f"EXPLAIN QUERY PLAN {one}")
    ]
    assert any("captures_by_change" in plan for plan in plans)
    assert not [plan for plan in plans if plan.startswith("SCAN") or "TEMP B-TREE" in plan]


def test_words_are_cut_short_and_lines_counted(machine: Machine) -> None:
    before = "\n".join(f"line {n} {'x ' * 200}" for n in range(20))
    after = "\n".join(f"line {n} {'x ' * 199}y" for n in range(20))
    machine.commit([Look("a", before)], number=1)
    machine.commit([Look("a", after)], number=2)
    (change,) = ChangeLister(machine.catalog).walk([SOURCE])
    summary = EditReporter(machine.catalog).summarise(change)
    assert summary is not None
    assert (len(summary.words), summary.more) == (5, 15)
    assert all(sum(len(text) for _, text in runs) < 400 for runs in summary.words)
    lines = render_words(summary.words, colour=False).split("\n")
    assert all(one[0] == "-" and other[0] == "+" for one, other in list(pairwise(lines))[::2])


def test_no_kind_of_edit_is_cut_off(machine: Machine) -> None:
    """Else who asks for removed paragraphs would not hear of one at the end of a page that was edited all over."""
    lines = [f"The river rose again near village {n} and people left their homes." for n in range(80)]
    gone = "The council will meet on this matter once the waters have gone down again."
    machine.commit([Look("a", "\n".join([*lines, gone]))], number=1)
    machine.commit([Look("a", "\n".join(line.replace("rose", "fell") for line in lines))], number=2)
    (change,) = ChangeLister(machine.catalog).walk([SOURCE])
    summary = EditReporter(machine.catalog).summarise(change)
    assert summary is not None
    assert len(summary.edits) == reports_module.MAX_EDITS
    assert {"wording", "paragraph_removed"} <= set(summary.kinds)


@pytest.mark.parametrize(
    ("before", "after", "runs"),
    [
        (
            f"{'字' * 60}旧{'字' * 60}",
            f"{'字' * 60}新{'字' * 60}",
            [("same", f"…{'字' * 30}"), ("removed", "旧"), ("added", "新"), ("same", f"{'字' * 30}…")],
        ),
        ("same\nold line", "same", [("removed", "old line")]),
        ("same", "same\n" + "x" * 500, [("added", "x" * 239 + "…")]),
    ],
)
def test_words_round_a_change_are_few(before: str, after: str, runs: list[tuple[str, str]]) -> None:
    assert shorten_diff(before, after) == ([runs], 0)


def _read_captures(machine: Machine) -> list[Any]:
    from crawler.rows import CaptureRow
    from jobs.archive.facts import fetch_rows, read_rows

    found = []
    for stored in Log(machine.store, _info(machine), SOURCE).read():
        if stored.commit.rows is not None:
            data = fetch_rows(machine.store, stored.commit.rows)
            found += [row for _, row in read_rows(data, "here") if isinstance(row, CaptureRow)]
    return found


def _info(machine: Machine) -> ArchiveInfo:
    from jobs.archive.identity import read_info

    return read_info(machine.store)
