"""What is learned of a source's week, and when nothing new is silence: quiet weekends, holidays, slow sources."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta

import pytest

from jobs.catalog.tallies import DAY, EPOCH
from jobs.health.rates import HOUR, Rates, learn_rates
from jobs.health.silence import find_silence
from tests.benchmarks.silence import CLOSED, MONDAY, NEWSROOMS, Newsroom, simulate

FIRST = (MONDAY - EPOCH) // DAY
LEAST = timedelta(hours=6)


def learn(days: dict[int, Counter[str]], number: int) -> Rates | None:
    return learn_rates(days, MONDAY - HOUR, MONDAY + number * DAY)


def write_days(number: int, hours: dict[int, int], *, weekdays: int = 7) -> dict[int, Counter[str]]:
    """Return days of so many articles at these hours."""
    counts = Counter({f"new {hour}": many for hour, many in hours.items()})
    return {FIRST + day: Counter(counts if day % 7 < weekdays else {}) for day in range(number)}


def is_silent(rates: Rates, last: datetime, hours: float) -> bool:
    return find_silence(rates, last, last + hours * HOUR, least=LEAST, interval=HOUR).found


def test_nothing_is_believed_of_too_few_days_or_articles() -> None:
    assert learn(write_days(13, {8: 9}), 13) is None
    assert learn(write_days(14, {8: 9}), 14) is not None
    assert learn(write_days(56, {8: 1}, weekdays=1) | {FIRST: Counter()}, 56) is None
    assert learn({}, 56) is None


def test_hours_and_weekdays_are_told_apart_and_an_unknown_hour_is_as_all() -> None:
    rates = learn(write_days(56, {8: 12, 9: 12, 10: 12}, weekdays=5), 56)
    assert rates is not None
    monday_at_9, monday_at_3, sunday_at_9 = rates.hours[9], rates.hours[3], rates.hours[6 * 24 + 9]
    assert monday_at_9 == pytest.approx(12, rel=0.05)
    assert monday_at_3 < 0.1
    assert sunday_at_9 < 0.1
    assert rates.per_week == pytest.approx(180, rel=0.2)
    slow = learn({FIRST + 4 * n: Counter({"new 12": 1}) for n in range(14)} | {FIRST + 55: Counter()}, 56)
    assert slow is not None
    assert max(slow.hours) < 10 * min(slow.hours)  # one article at noon makes no habit of noon


def test_an_import_of_thousands_is_no_habit() -> None:
    days = write_days(56, {8: 10, 14: 10})
    usual = learn(days, 56)
    days[FIRST + 30]["new 11"] = 5_000
    spoilt = learn(days, 56)
    assert usual is not None
    assert spoilt is not None
    assert spoilt.per_week < 1.2 * usual.per_week


def test_the_first_day_of_a_source_teaches_nothing() -> None:
    days = write_days(30, {8: 5})
    days[FIRST]["new 8"] = 40_000
    rates = learn_rates(days, MONDAY + HOUR, MONDAY + 30 * DAY)
    assert rates is not None
    assert rates.per_week < 50


def test_a_busy_source_is_silent_in_hours_and_a_slow_one_in_weeks() -> None:
    busy = learn(write_days(56, dict.fromkeys(range(6, 22), 19)), 56)
    slow = learn({FIRST + day: Counter({"new 12": 1} if day % 7 in {1, 4} else {}) for day in range(56)}, 56)
    assert busy is not None
    assert slow is not None
    morning = MONDAY + 56 * DAY + 7 * HOUR
    assert not is_silent(busy, morning, 5.9)
    assert is_silent(busy, morning, 12)
    assert not is_silent(busy, morning + 14 * HOUR, 10)  # overnight
    assert not is_silent(slow, morning, 21 * 24)
    assert is_silent(slow, morning, 60 * 24)


def test_a_lull_of_two_weeks_is_taken_into_account() -> None:
    days = write_days(56, {8: 10, 14: 10})
    for day in range(42, 56):
        days[FIRST + day] = Counter({"new 8": 1})
    rates = learn(days, 56)
    assert rates is not None
    assert rates.recent < 0.15
    assert not is_silent(rates, MONDAY + 56 * DAY + 9 * HOUR, 48)


def test_what_comes_all_at_once_each_week_is_waited_for() -> None:
    rates = learn(write_days(56, {9: 15}, weekdays=1), 56)
    assert rates is not None
    last = MONDAY + 49 * DAY + 9.5 * HOUR
    assert not is_silent(rates, last, 7 * 24 - 1)
    assert is_silent(rates, last, 10 * 24)


@pytest.mark.parametrize(
    ("name", "alarms", "hours"),
    [("300 a day", 0.5, 24), ("300 a day, quiet weekends", 0.5, 40), ("20 a day", 1, 60), ("2 a week", 0, 24 * 100)],
)
def test_years_of_quiet_weekends_and_holidays_make_few_alarms(name: str, alarms: float, hours: float) -> None:
    (newsroom,) = (one for one in NEWSROOMS if one.name == name)
    outcome = simulate(newsroom, years=2, seed=3)
    assert outcome.alarms_a_year <= alarms
    assert outcome.delay(0.95) <= hours


def test_the_simulation_can_tell_a_false_alarm() -> None:
    """A source of a hundred articles a day that is closed for nine is silent, whatever the days are called."""
    assert simulate(Newsroom("closed", 100, holidays=CLOSED), years=2, seed=3).alarms_a_year >= 1
