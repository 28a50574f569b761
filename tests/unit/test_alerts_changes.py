"""What is told of a source and when: by changes of state, never twice, seldom where it goes back and forth."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobs.alerts.changes import Change, Standing, follow
from jobs.health import Reason, SourceHealth, State

START = datetime(2026, 11, 2, tzinfo=UTC)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
OK, DEGRADED, SILENT, FAILING, BLOCKED = State


def judge(state: State, *kinds: str, now: datetime = START) -> SourceHealth:
    kinds = kinds or (f"{state}_kind",)
    reasons = () if state is OK else tuple(Reason(kind, f"what is wrong: {kind}", state) for kind in kinds)
    return SourceHealth("gazette", state, reasons, now)


def watch(
    looks: list[tuple[timedelta, SourceHealth]], *, least: State = DEGRADED, settle: timedelta = HOUR
) -> list[tuple[timedelta, State, State]]:
    """Return what is told: when, before, after."""
    standing: Standing | None = None
    told = []
    for time, health in looks:
        standing, change = follow(standing, health, START + time, least=least, settle=settle)
        if change is not None:
            told.append((time, change.before, change.after))
    return told


def last_change(*looks: tuple[timedelta, SourceHealth]) -> Change:
    standing, change = None, None
    for time, health in looks:
        standing, change = follow(standing, health, START + time, least=DEGRADED, settle=HOUR)
    assert change is not None
    return change


def test_what_is_well_is_not_told_and_nothing_is_kept_of_it() -> None:
    assert follow(None, judge(OK), START, least=DEGRADED, settle=HOUR) == (None, None)


def test_first_look_tells_what_is_bad_and_the_same_state_is_told_once() -> None:
    looks = [(hour * HOUR, judge(SILENT)) for hour in range(48)]
    assert watch(looks) == [(0 * HOUR, OK, SILENT)]


def test_each_graver_state_is_told_at_once() -> None:
    looks = [(number * MINUTE, judge(state)) for number, state in enumerate(State)]
    told = watch(looks)
    assert [(before, after) for _, before, after in told] == list(pairwise(State))
    assert [time for time, _, _ in told] == [number * MINUTE for number in (1, 2, 3, 4)]


def test_recovery_is_told_once_it_has_lasted() -> None:
    looks = [(0 * HOUR, judge(FAILING)), *((HOUR + part * 10 * MINUTE, judge(OK)) for part in range(12))]
    assert watch(looks) == [(0 * HOUR, OK, FAILING), (2 * HOUR, FAILING, OK)]
    assert last_change(*looks[:8]).since == START


def test_recovery_in_part_is_told_as_the_gravest_that_was_seen() -> None:
    looks = [(0 * HOUR, judge(FAILING)), (HOUR, judge(OK)), (HOUR + MINUTE, judge(DEGRADED, "fields_missing"))]
    looks += [(HOUR + part * 30 * MINUTE, judge(OK)) for part in range(1, 6)]
    assert watch(looks) == [(0 * HOUR, OK, FAILING), (2 * HOUR, FAILING, DEGRADED), (HOUR * 7 / 2, DEGRADED, OK)]


def test_state_that_stays_is_told_again_if_its_gravest_reason_is_a_new_one_and_only_once() -> None:
    looks = [
        (0 * HOUR, judge(DEGRADED, "certificate_ends")),
        (1 * HOUR, judge(DEGRADED, "certificate_ends", "lag")),
        (2 * HOUR, judge(DEGRADED, "fields_missing", "certificate_ends")),
        (3 * HOUR, judge(DEGRADED, "certificate_ends")),
        (4 * HOUR, judge(DEGRADED, "fields_missing", "certificate_ends")),
    ]
    assert watch(looks) == [(0 * HOUR, OK, DEGRADED), (2 * HOUR, DEGRADED, DEGRADED)]
    assert last_change(*looks[:3]).worse


def test_source_that_flaps_with_each_run_is_told_once_and_well_again_once() -> None:
    looks = [(run * HOUR / 2, judge(DEGRADED if run % 2 else OK)) for run in range(96)]
    looks += [(2 * DAY + run * HOUR / 2, judge(OK)) for run in range(6)]
    assert watch(looks) == [(HOUR / 2, OK, DEGRADED), (49 * HOUR, DEGRADED, OK)]


def test_source_that_flaps_more_slowly_is_told_ever_more_seldom() -> None:
    looks = [(part * 10 * MINUTE, judge(DEGRADED if part // 12 % 2 else OK)) for part in range(30 * 144)]
    alarms = [time for time, _, after in watch(looks) if after is DEGRADED]
    assert alarms[0] == 2 * HOUR
    assert len(alarms) == 2  # bad for two hours, well for two: the second recovery would have to last for two hours


def test_flapping_is_forgotten_after_a_quiet_day() -> None:
    looks = [(0 * HOUR, judge(DEGRADED)), (HOUR, judge(OK)), (2 * HOUR, judge(OK)), (2 * HOUR + DAY, judge(OK))]
    standing: Standing | None = None
    for time, health in looks:
        standing, _ = follow(standing, health, START + time, least=DEGRADED, settle=HOUR)
    assert standing is None


@pytest.mark.parametrize(("least", "told"), [(DEGRADED, 4), (SILENT, 3), (FAILING, 2), (BLOCKED, 1)])
def test_states_below_the_least_are_not_told(least: State, told: int) -> None:
    assert len(watch([(number * MINUTE, judge(state)) for number, state in enumerate(State)], least=least)) == told


def test_settling_at_once_tells_a_recovery_at_the_first_look() -> None:
    looks = [(0 * HOUR, judge(DEGRADED)), (MINUTE, judge(OK))]
    assert watch(looks, settle=0 * HOUR) == [(0 * HOUR, OK, DEGRADED), (MINUTE, DEGRADED, OK)]


def test_clock_that_is_set_back_makes_no_recovery_wait_for_it() -> None:
    looks = [(0 * HOUR, judge(FAILING)), (100 * DAY, judge(OK)), (HOUR, judge(OK)), (2 * HOUR, judge(OK))]
    assert watch(looks) == [(0 * HOUR, OK, FAILING), (2 * HOUR, FAILING, OK)]


@given(st.lists(st.tuples(st.integers(1, 400), st.sampled_from(State)), max_size=60))
def test_what_was_told_last_is_never_less_grave_than_what_is(steps: list[tuple[int, State]]) -> None:
    standing: Standing | None = None
    now, told = START, OK
    for minutes, state in steps:
        now += minutes * MINUTE
        standing, change = follow(standing, judge(state, now=now), now, least=DEGRADED, settle=HOUR)
        if change is not None:
            assert change.before is told, "changes follow on each other"
            told = change.after
        assert told.gravity >= state.gravity
        assert (standing.state if standing else OK) is told


@given(st.lists(st.sampled_from([OK, DEGRADED]), min_size=1, max_size=300))
def test_alarms_are_bounded_whatever_a_source_does(states: list[State]) -> None:
    looks = [(number * HOUR / 2, judge(state)) for number, state in enumerate(states)]
    alarms = [time for time, _, after in watch(looks) if after is DEGRADED]
    assert len(alarms) <= 6 + len(states) / 48


def test_text_of_strangers_is_cleaned_and_cut() -> None:
    evil = "Read \u202eme\u2066 <!channel> @everyone\n[here](https://evil.example/?token=abc) https://me:pw@gazette.example/x"
    change = last_change((0 * HOUR, SourceHealth("gazette", SILENT, (Reason("silent", evil * 50, SILENT),) * 9, START)))
    assert len(change.reasons) == 5
    for reason in change.reasons:
        assert len(reason.text) <= 240
        assert reason.text.isprintable()
        for never in ("<", ">", "@", "://", "abc", "pw", "\u202e"):
            assert never not in reason.text
