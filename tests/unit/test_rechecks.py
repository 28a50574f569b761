"""When an article's turn is: ages and what lies between them, what is learned, and that nobody waits for ever."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.politeness import Politeness
from config.settings import Settings
from config.sources import DEFAULT_RECHECK
from jobs.rechecks import Kind, RecheckPolicy
from jobs.rechecks.forecast import forecast
from jobs.rechecks.learning import LOOK, USUAL, Counts, find_plans, make_plan, weigh
from jobs.rechecks.order import OLDEST_EACH, Turn, interleave, take_round
from jobs.rechecks.policy import SECOND, STEPS, ArticleFacts, stand
from jobs.rechecks.sections import GROUPS, find_section, find_site

HOUR, DAY = 3_600 * SECOND, 86_400 * SECOND
POLICY = RecheckPolicy(DEFAULT_RECHECK)
NOON = 1_790_000_000 * SECOND
URL = "https://gazette.example/world/2026/1"

ages = st.lists(st.integers(1, 10**9), min_size=1, max_size=100, unique=True).map(lambda one: tuple(sorted(one)))
weights = st.sampled_from([1, 2, 4, 8, 16])


def facts(
    *, last: int = 0, state: str = "live", good: int | None = None, unread: bool = False, edits: tuple[int, ...] = ()
) -> ArticleFacts:
    edited = tuple(NOON + one for one in edits)
    return ArticleFacts(URL, NOON, NOON + last, None if good is None else NOON + good, state, unread, edited)


def count(articles: int, edits: int, *, at: int = POLICY.last) -> Counts:
    """So many articles whose last look came to a step, and edits at every age."""
    counts = Counts([0] * (POLICY.last + 1), [edits if not step % STEPS else 0 for step in range(POLICY.last)])
    counts.articles[at] = articles
    return counts


def list_looks(weights: list[int]) -> list[int]:
    plan = make_plan(weights)
    steps, step, last = [], 0, STEPS * len(weights)
    while step < last:
        step = plan.find_next(step)
        steps.append(step)
    return steps


@given(ages)
def test_the_grid_holds_all_ages_and_never_goes_back(chosen: tuple[int, ...]) -> None:
    grid = RecheckPolicy(chosen).grid
    assert grid[::STEPS] == (0, *(age * SECOND for age in chosen))
    assert all(before <= after for before, after in pairwise(grid))


def test_between_two_ages_steps_grow_as_ages_do() -> None:
    grid = RecheckPolicy((3_600, 16 * 3_600)).grid
    assert [one / HOUR for one in grid] == [0, 0.25, 0.5, 0.75, 1, 2, 4, 8, 16]


def test_by_usual_weights_the_looks_are_the_ages() -> None:
    assert list_looks([4] * 8) == list(range(STEPS, 8 * STEPS + 1, STEPS))


@pytest.mark.parametrize(("weight", "looks"), [(16, 32), (8, 16), (4, 8), (2, 4), (1, 2)])
def test_looks_are_four_times_as_many_at_most_and_a_fourth_at_least(weight: int, looks: int) -> None:
    assert len(list_looks([weight] * 8)) == looks


@given(st.lists(weights, min_size=1, max_size=20))
def test_the_last_age_is_always_looked_at_and_looks_are_as_many_as_the_weights_say(chosen: list[int]) -> None:
    looks = list_looks(chosen)
    assert looks[-1] == STEPS * len(chosen)
    assert looks == sorted(set(looks))
    whole = sum(chosen) * STEPS // LOOK
    assert whole <= len(looks) <= whole + 1


@given(st.floats(0, 1e6), st.floats(0, 1e6))
def test_weights_are_bounded_and_grow_with_the_rate(one: float, other: float) -> None:
    low, high = sorted([max(one, 1e-12), max(other, 1e-12)])
    assert 1 <= weigh(low) <= weigh(high) <= 16
    assert weigh(USUAL) == STEPS


def test_few_articles_teach_little_and_many_teach_much() -> None:
    taught = [(50, 0, 4), (100, 0, 4), (200, 0, 2), (800, 0, 1), (2_000, 10, 4), (2_000, 30, 8), (2_000, 400, 16)]
    for articles, edits, weight in taught:
        plans, _ = find_plans({1: count(articles, edits), 2: count(20_000, 100)}, POLICY)
        assert plans[1] == make_plan([weight] * 8), (articles, edits)


def test_what_is_known_of_a_source_holds_for_its_unknown_sections() -> None:
    _, unknown = find_plans({1: count(10_000, 4_000)}, POLICY)
    assert unknown == make_plan([16] * 8)
    assert find_plans({}, POLICY)[1] == make_plan([4] * 8)


def test_edits_at_one_age_draw_looks_there() -> None:
    edits = [0] * POLICY.last
    edits[0] = 2_000
    young = Counts([0] * POLICY.last + [4_000], edits)
    plans, _ = find_plans({1: young, 2: count(100_000, 500)}, POLICY)
    starts = range(0, POLICY.last, STEPS)
    steps = list_looks([plans[1].sums[at + STEPS] // STEPS - plans[1].sums[at] // STEPS for at in starts])
    assert steps[:4] == [1, 2, 3, 4]
    assert len(steps) < 12


def test_nothing_is_learned_where_ages_are_fixed() -> None:
    fixed = RecheckPolicy(DEFAULT_RECHECK, adapts=False)
    assert find_plans({1: count(2_000, 900)}, fixed)[0] == {1: make_plan([4] * 8)}


counts = st.lists(st.integers(0, 10_000), min_size=33, max_size=33)


@given(st.dictionaries(st.integers(0, 9), st.tuples(counts, counts), max_size=5))
def test_plans_are_the_same_in_any_order_and_within_bounds(seen: dict[int, tuple[list[int], list[int]]]) -> None:
    known = {section: Counts(articles, edits[:32]) for section, (articles, edits) in seen.items()}
    plans, unknown = find_plans(known, POLICY)
    assert find_plans(dict(sorted(known.items(), reverse=True)), POLICY) == (plans, unknown)
    for plan in (*plans.values(), unknown):
        assert all(1 <= after - before <= 16 for before, after in pairwise(plan.sums))


def test_where_an_article_stands() -> None:
    live = stand(facts(last=6 * HOUR + SECOND, edits=(HOUR + 1, HOUR + 2, 6 * HOUR + SECOND)), POLICY)
    assert live is not None
    assert (live.step, live.kind, live.at, live.edits) == (8, Kind.AGE, NOON, (3, 7))
    assert live.looked_hour == (NOON + 6 * HOUR + SECOND) // HOUR
    first = stand(facts(), POLICY)
    assert first is not None
    assert (first.step, first.looked_hour) == (0, None)
    done = stand(facts(last=365 * DAY), POLICY)
    assert done is not None
    assert (done.step, done.kind, done.at) == (32, None, None)
    assert stand(facts(state="none"), POLICY) is None


def test_a_suspicion_is_looked_at_after_a_delay_and_what_is_gone_ever_more_seldom() -> None:
    policy = RecheckPolicy(DEFAULT_RECHECK, second_look_seconds=600)
    for state, last, good, kind, due in (
        ("suspected", DAY, 0, Kind.SUSPECTED, DAY + 600 * SECOND),
        ("gone", DAY + HOUR, DAY, Kind.GONE, 2 * DAY + HOUR),
        ("gone", 4 * DAY, DAY, Kind.GONE, 7 * DAY),
        ("gone", 600 * DAY, 300 * DAY, Kind.GONE, 900 * DAY),
        ("gone", 666 * DAY, 300 * DAY, None, None),
    ):
        standing = stand(facts(state=state, last=last, good=good), policy)
        assert standing is not None
        assert (standing.kind, standing.at) == (kind, due if due is None else NOON + due)


def test_a_suspicion_that_nothing_confirms_is_followed_ever_more_seldom() -> None:
    policy = RecheckPolicy(DEFAULT_RECHECK, second_look_seconds=600)
    begun = replace(facts(state="suspected"), suspected=NOON)
    looks = [0]
    while (standing := stand(replace(begun, last_captured=NOON + looks[-1]), policy)) and standing.at is not None:
        assert standing.kind is Kind.SUSPECTED
        looks.append(standing.at - NOON)
    assert looks[:4] == [0, 600 * SECOND, 1_200 * SECOND, 2_400 * SECOND]
    assert 365 * DAY < looks[-1] < 2 * 365 * DAY + DAY
    assert len(looks) < 20


def test_what_was_only_recorded_is_read_at_once_unless_nobody_reads() -> None:
    unread = facts(state="none", unread=True, last=HOUR)
    for policy, kind, at in (
        (POLICY, Kind.UNREAD, NOON + HOUR),
        (RecheckPolicy((7_200,), raw_only=True), Kind.AGE, NOON),
    ):
        standing = stand(unread, policy)
        assert standing is not None
        assert (standing.kind, standing.at) == (kind, at)


def test_without_ages_only_suspicions_are_followed() -> None:
    none = RecheckPolicy(())
    assert find_plans({}, none)[1] == make_plan([])
    for state, kind in (("live", None), ("suspected", Kind.SUSPECTED)):
        standing = stand(facts(last=HOUR, state=state, edits=(HOUR,)), none)
        assert standing is not None
        assert (standing.kind, standing.edits) == (kind, ())


@pytest.mark.parametrize(
    ("url", "other", "same"),
    [
        ("https://g.example/world/2026/05/rain", "https://g.example/2025/world/snow?x=/sport/", True),
        ("https://g.example/world/asia/rain", "https://g.example/world/asia/japan/rain", True),
        ("https://g.example/rain", "https://g.example/2026/snow-1", True),
        ("https://g.example/world/rain", "https://g.example/sport/rain", False),
        ("https://g.example/world/asia/rain", "https://g.example/world/africa/rain", False),
        ("https://a.example/world/rain", "https://b.example/world/rain", False),
        ("https://g.example", "https://g.example/", True),
    ],
)
def test_sections_are_folders_that_are_words(url: str, other: str, *, same: bool) -> None:
    assert (find_section(url) == find_section(other)) is same


@given(st.text(max_size=300))
def test_any_address_has_a_section_below_the_bound(rest: str) -> None:
    assert 0 <= find_section(f"https://g.example/{rest}") < GROUPS
    assert find_site(f"https://g.example:8080/{rest}") == "g.example:8080"


def turn(number: int, due: int, missed: int) -> Turn:
    return Turn(f"u{number}", due, missed, Kind.AGE, "g.example")


rows = st.lists(st.lists(st.tuples(st.integers(0, 99), st.integers(0, 99)), max_size=20), max_size=6)


@given(rows)
def test_all_that_are_due_are_had_once_and_the_oldest_soon(drawn: list[list[tuple[int, int]]]) -> None:
    """The last of n that are due as long or longer comes within 4 n turns, whatever else is due."""
    made: list[list[Turn]] = []
    for row, pairs in enumerate(drawn):
        dues, missed = sorted(due for due, _ in pairs), sorted((one for _, one in pairs), reverse=True)
        made.append([turn(100 * row + at, *both) for at, both in enumerate(zip(dues, missed, strict=True))])
    found = list(interleave([iter(row) for row in made]))
    everyone = [one for row in made for one in row]
    assert sorted(one.url for one in found) == sorted(one.url for one in everyone)
    for at, one in enumerate(found, 1):
        longer = sum(other.due <= one.due for other in everyone)
        assert at <= OLDEST_EACH * longer
    assert not found or found[0].missed == max(one.missed for one in everyone)


@given(st.integers(1, 30), st.integers(0, 400), st.integers(1, 20))
def test_nobody_starves_however_many_more_urgent_ones_come(budget: int, ahead: int, rush: int) -> None:
    """Each day the budget is short and what comes anew has missed more: one that has missed nothing has its turn."""
    waiting = [turn(number, number, 50) for number in range(ahead)] + [turn(-1, ahead, 0)]
    for day in range(OLDEST_EACH * (ahead + 1) + OLDEST_EACH):
        waiting += [turn(10_000 + 1_000 * day + n, 1_000 + day, 99) for n in range(budget * rush)]
        rows = [[one for one in waiting if one.missed == missed] for missed in (0, 50, 99)]
        asked = []
        for _, one in zip(range(max(budget, OLDEST_EACH)), interleave([iter(row) for row in rows]), strict=False):
            asked.append(one.url)
        if "u-1" in asked:
            return
        waiting = [one for one in waiting if one.url not in asked][: 2 * ahead + 500]
    raise AssertionError("it starved")


def test_hosts_take_turns() -> None:
    rows = [iter([turn(1, 0, 0), turn(2, 0, 0), turn(3, 0, 0)]), iter([turn(4, 0, 0)]), iter([])]
    assert [one.url for one in take_round(rows)] == ["u1", "u4", "u2", "u3"]


def test_a_forecast_spends_what_the_day_leaves() -> None:
    asked = {100: 3, 99: 1, 70: 50}
    assert forecast([9, 0, 1], asked, None, 100) == ([9, 0, 1], 0)
    assert forecast([9, 0, 1], asked, 6, 100) == ([2, 0, 0], 8)
    requests, waiting = forecast([9, *[0] * 29], asked, 6, 100)
    assert (requests[23], requests[24], sum(requests), waiting) == (1, 5, 9, 0) or sum(requests) + waiting == 9
    assert all(sum(requests[at : at + 24]) <= 6 for at in range(30))


def test_the_budget_is_a_fourth_of_what_the_delay_lets_through() -> None:
    assert Politeness().recheck_budget == 4_320
    assert Politeness(delay_seconds=0).recheck_budget is None
    assert Politeness(delay_seconds=0, rechecks_per_day=7).recheck_budget == 7
    assert Politeness(rechecks_per_day=0).recheck_budget == 0
    assert Settings().second_look_seconds == 3_600
