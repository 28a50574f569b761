"""Whatever daemons note, in whatever order, twice or not at all: each slot has one outcome, by the same rule."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from crawler.rows import SlotRow
from jobs.ledger import Outcome, SlotRun, Stretch, resolve_slots
from jobs.ledger.resolving import UNKNOWN
from tests.ledgers import HALF_HOURS, at, find_calendar, mark

RANKED = ["done", "late", "failed", "skipped", "missed"]
UNTIL = at(10)
_quarters = st.integers(0, 40).map(lambda number: number / 4)
_halves = st.integers(0, 20).map(lambda number: number / 2)
_outcomes = st.sampled_from(RANKED)
_runs = st.sampled_from(["a-1", "a-2", "a-3"])


@st.composite
def _notes(draw: st.DrawFn) -> SlotRow:
    begin, more = draw(_halves), draw(st.sampled_from([0, 0, 1, 2, 7]))
    slot, through = at(begin), at(begin + more / 2)
    outcome = draw(_outcomes)
    run = draw(st.none() | _runs) if outcome == "failed" and not more else None
    reason = draw(st.sampled_from([None, "the daemon was down"]))
    if not more:
        return SlotRow(slot, outcome, run=run, reason=reason)
    return SlotRow(slot, outcome, reason=reason, through=through, slots=more + 1)


_marks = st.builds(mark, _quarters, st.sampled_from(["every 30 minutes", "every 1 hour", None]))
_claims = st.builds(
    lambda slot, run, late: SlotRun(at(slot), run, at(slot) + timedelta(seconds=late)),
    _halves,
    _runs,
    st.sampled_from([0, 600, 601, 4000]),
)


def _expect(rows: list[SlotRow], runs: list[SlotRun]) -> dict[datetime, str]:
    """The rule, slot by slot: FORMAT.md § 5."""
    marks = sorted((r for r in rows if r.schedule or r.outcome == "unscheduled"), key=_sort_mark)
    ends = [*(one.slot for one in marks), UNTIL][1:]
    slots = set()
    for one, end in zip(marks, ends, strict=True):
        calendar = find_calendar(one.schedule) if one.schedule else None
        slots |= set(calendar.between(one.slot, end)) if calendar else set()
    told = [r for r in rows if r.outcome in RANKED]
    slots |= {r.slot for r in told if r.through is None} | {run.slot for run in runs}
    for r in told:  # where no mark says what is expected, a stretch stands for as many as it says
        inside = HALF_HOURS.between(r.slot - timedelta(microseconds=1), r.through or r.slot)
        slots |= {slot for slot in inside if not _is_expected(slot, marks)}
    failed = {(r.slot, r.run) for r in rows if r.outcome == "failed"}
    found = {}
    for slot in slots:
        outcomes = [r.outcome for r in told if r.slot <= slot <= (r.through or r.slot)]
        claims = [run for run in runs if run.slot == slot and (slot, run.run) not in failed]
        outcomes += ["late" if run.started - slot > timedelta(minutes=10) else "done" for run in claims]
        found[slot] = min(outcomes, key=RANKED.index, default=UNKNOWN)
    return {slot: outcome for slot, outcome in found.items() if slot <= UNTIL}


def _sort_mark(row: SlotRow) -> tuple[datetime, str, str]:
    return row.slot, row.outcome, row.schedule or ""


def _is_expected(slot: datetime, marks: list[SlotRow]) -> bool:
    last = next((one for one in reversed(marks) if one.slot < slot), None)
    return last is not None and last.schedule is not None


_History = tuple[list[SlotRow], list[SlotRow], list[SlotRun], Random]
_histories = st.tuples(
    st.lists(_marks, max_size=4), st.lists(_notes(), max_size=8), st.lists(_claims, max_size=6), st.randoms()
)


@settings(max_examples=400)
@given(_histories, st.sets(st.integers(0, 11)))
def test_each_slot_is_resolved_once_and_alike_in_any_order(history: _History, here: set[int]) -> None:
    marks, notes, runs, chance = history
    rows = [*marks, *notes]
    journal = [row for number, row in enumerate(rows) if number in here]  # some in both
    committed = [row for number, row in enumerate(rows) if number not in here or number % 2]
    found = list(resolve_slots(committed, runs, find_calendar=find_calendar, until=UNTIL, pending=journal))
    expected = _expect(rows, runs)

    assert sum(one.slots for one in found) == len(expected)
    told: dict[datetime, str] = {}
    for one in found:
        assert one.outcome is not None
        inside = [slot for slot in expected if one.slot <= slot <= one.through]
        assert len(inside) == one.slots
        assert one.slot == min(inside)
        assert one.through == max(inside)
        told |= dict.fromkeys(inside, UNKNOWN if one.reason == UNKNOWN else one.outcome.value)
    assert told == expected
    assert [one.slot for one in found] == sorted(one.slot for one in found)

    chance.shuffle(committed)
    chance.shuffle(runs)
    again = resolve_slots(
        committed + committed, runs + runs, find_calendar=find_calendar, until=UNTIL, pending=journal[::-1]
    )
    assert list(again) == found


@given(_histories, _halves)
def test_a_later_look_shows_the_end_of_the_same_ledger(history: _History, since: float) -> None:
    marks, notes, runs, _ = history
    rows = [*marks, *notes]
    whole = list(resolve_slots(rows, runs, find_calendar=find_calendar, until=UNTIL))
    part = list(resolve_slots(rows, runs, find_calendar=find_calendar, until=UNTIL, since=at(since)))

    def spread(stretches: list[Stretch]) -> list[tuple[datetime, Outcome | None, str | None]]:
        return [
            (slot, one.outcome, one.reason)
            for one in stretches
            for slot in HALF_HOURS.between(one.slot - timedelta(microseconds=1), one.through)
        ]

    cut = [one for one in spread(whole) if one[0] >= at(since)]
    assert [one[0] for one in spread(part)] == sorted({one[0] for one in spread(part)})
    if not any(r.schedule == "every 1 hour" for r in rows):  # of which half hours are no slots
        assert spread(part) == cut


@given(_histories, st.lists(_halves, max_size=4))
def test_a_ledger_that_is_cut_tells_the_same(history: _History, cuts: list[float]) -> None:
    marks, notes, runs, _ = history
    rows, edges = [*marks, *notes], [at(hour) for hour in cuts]
    whole = resolve_slots(rows, runs, find_calendar=find_calendar, until=UNTIL)
    parts = list(resolve_slots(rows, runs, find_calendar=find_calendar, until=UNTIL, cuts=edges))
    assert not any(one.slot < edge <= one.through for one in parts for edge in edges)

    joined: list[Stretch] = []
    for one in parts:
        last = joined[-1] if joined else one
        same = one.run is None and replace(last, slot=one.slot, through=one.through, slots=one.slots) == one
        if joined and same:
            joined[-1] = replace(last, through=one.through, slots=last.slots + one.slots)
        else:
            joined.append(one)
    assert joined == list(whole)
