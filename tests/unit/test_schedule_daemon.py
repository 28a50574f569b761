"""The daemon in simulated time: each slot ends in the ledger exactly once, with what became of it."""

from __future__ import annotations

import threading
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import settings as settings_of_hypothesis
from hypothesis import strategies as st

from config.errors import ExitCode
from config.units import parse_schedule
from jobs.ledger import Outcome
from jobs.ledger.slots import make_slots
from jobs.schedule.turns import Passed, Phase, Turns
from tests.daemons import HOUR, NOON, Simulation, make_source

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from jobs.runs.ending import RunEnded

MINUTE = timedelta(minutes=1)
HALF_HOURLY = {"gazette": "every 30 minutes"}


@pytest.fixture
def simulation(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Simulation]:
    simulation = Simulation(tmp_path, monkeypatch)
    yield simulation
    simulation.close()


def tell(simulation: Simulation, until: datetime, since: datetime = NOON, source: str = "gazette") -> dict[str, str]:
    """Return clock → outcome of each slot that the ledger knows."""
    told = simulation.book.tell(source, since, until)
    assert None not in told.values()
    return {slot.strftime("%H:%M"): str(outcome) for slot, outcome in told.items()}


def test_a_new_source_is_crawled_at_once_and_then_at_its_slots(simulation: Simulation) -> None:
    simulation.clock.start = NOON + 10 * MINUTE
    simulation.start(HALF_HOURLY)
    simulation.pass_until(NOON + 2 * HOUR + MINUTE)
    begun = [(crawl.slot, crawl.began) for crawl in simulation.crawls]
    slots = [NOON + number * 30 * MINUTE for number in (1, 2, 3, 4)]
    assert begun[0] == (None, NOON + 10 * MINUTE)
    assert [slot for slot, _ in begun[1:]] == slots
    assert all(began - slot < timedelta(seconds=1) for slot, began in begun[1:] if slot)
    assert tell(simulation, NOON + 2 * HOUR) == dict.fromkeys(["12:30", "13:00", "13:30", "14:00"], "done")


def test_the_clock_goes_forward_in_spring(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    start = datetime(2026, 3, 28, 12, tzinfo=UTC)
    simulation = Simulation(tmp_path, monkeypatch, start)
    simulation.start({"gazette": "cron 30 2 * * * Europe/Berlin"})
    simulation.pass_until(start + 48 * HOUR)
    told = simulation.book.tell("gazette", start, start + 48 * HOUR)
    assert told == {
        datetime(2026, 3, 29, 1, 0, tzinfo=UTC): Outcome.DONE,
        datetime(2026, 3, 30, 0, 30, tzinfo=UTC): Outcome.DONE,
    }
    assert [crawl.slot for crawl in simulation.crawls] == [None, *told]
    simulation.close()


def test_the_clock_goes_back_in_autumn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    start = datetime(2026, 10, 24, 12, tzinfo=UTC)
    simulation = Simulation(tmp_path, monkeypatch, start)
    simulation.start({"gazette": "cron 30 2 * * * Europe/Berlin"})
    simulation.pass_until(start + 48 * HOUR)
    told = simulation.book.tell("gazette", start, start + 48 * HOUR)
    assert told == {
        datetime(2026, 10, 25, 0, 30, tzinfo=UTC): Outcome.DONE,
        datetime(2026, 10, 26, 1, 30, tzinfo=UTC): Outcome.DONE,
    }
    assert [crawl.slot for crawl in simulation.crawls] == [None, *told]
    simulation.close()


def test_the_wall_clock_steps_back_an_hour(simulation: Simulation) -> None:
    simulation.start(HALF_HOURLY)
    simulation.pass_until(NOON + 100 * MINUTE)  # 13:40
    simulation.clock.stepped -= HOUR
    simulation.pass_until(NOON + 4 * HOUR)
    slots = [crawl.slot for crawl in simulation.crawls if crawl.slot]
    assert slots == sorted(set(slots))
    names = ["12:30", "13:00", "13:30", "14:00", "14:30", "15:00", "15:30", "16:00"]
    assert tell(simulation, NOON + 4 * HOUR) == dict.fromkeys(names, "done")
    assert all(abs(crawl.began - crawl.slot) < timedelta(seconds=1) for crawl in simulation.crawls if crawl.slot)


def test_a_clock_that_was_years_ahead_holds_nothing_up(simulation: Simulation) -> None:
    simulation.start(HALF_HOURLY)
    simulation.pass_until(NOON + 40 * MINUTE)
    simulation.clock.stepped += timedelta(days=1_500)
    simulation.pass_until(simulation.clock.now() + 40 * MINUTE)
    simulation.clock.stepped -= timedelta(days=1_500)
    simulation.pass_until(NOON + 3 * HOUR)
    expected = {"12:30": "done", "13:00": "missed"} | dict.fromkeys(["13:30", "14:00", "14:30", "15:00"], "done")
    assert tell(simulation, NOON + 3 * HOUR) == expected


def test_the_wall_clock_steps_forward(simulation: Simulation) -> None:
    simulation.start(HALF_HOURLY)
    simulation.pass_until(NOON + 45 * MINUTE)
    simulation.clock.stepped += 2 * HOUR  # it is 14:45
    simulation.pass_until(NOON + 4 * HOUR)
    expected = {"12:30": "done", "13:00": "missed", "13:30": "missed", "14:00": "missed", "14:30": "late"}
    assert tell(simulation, NOON + 4 * HOUR) == expected | dict.fromkeys(["15:00", "15:30", "16:00"], "done")


def test_eight_hours_asleep(simulation: Simulation) -> None:
    simulation.start(HALF_HOURLY)
    simulation.pass_until(NOON + 40 * MINUTE)
    simulation.clock.slept += 8 * HOUR + 5 * MINUTE  # it is 20:45
    simulation.pass_until(NOON + 10 * HOUR)
    told = tell(simulation, NOON + 10 * HOUR)
    assert Counter(told.values()) == {"done": 4, "missed": 15, "late": 1}
    assert (told["12:30"], told["13:00"], told["20:00"], told["20:30"]) == ("done", "missed", "missed", "late")
    assert len(told) == 20
    late = next(crawl for crawl in simulation.crawls if crawl.slot == NOON + 8 * HOUR + 30 * MINUTE)
    assert late.began - (NOON + 8 * HOUR + 45 * MINUTE) < timedelta(seconds=16)
    assert sum(row.slots for row in simulation.book.rows["gazette"] if row.outcome == Outcome.MISSED) == 15
    assert len(simulation.book.rows["gazette"]) == 2  # the mark and one stretch


def test_a_crawl_longer_than_its_interval(simulation: Simulation) -> None:
    simulation.seconds = lambda _: 70 * 60
    simulation.start(HALF_HOURLY)  # at once until 13:10, then that of 13:30 until 14:40
    simulation.pass_until(NOON + 3 * HOUR)
    expected = {"12:30": "skipped", "13:00": "skipped", "13:30": "done", "14:00": "skipped", "14:30": "skipped"}
    simulation.pass_until(NOON + 5 * HOUR)  # 15:00 until 16:10
    expected |= {"15:00": "done", "15:30": "skipped", "16:00": "skipped"}
    assert tell(simulation, NOON + 4 * HOUR) == expected


def test_a_restart_in_mid_run(simulation: Simulation) -> None:
    simulation.seconds = lambda _: 20 * 60
    first = simulation.start(HALF_HOURLY)
    simulation.pass_until(NOON + 40 * MINUTE)
    simulation.kill(first)
    simulation.pass_until(NOON + 45 * MINUTE)
    second = simulation.start(HALF_HOURLY)  # runs 12:30 late, until 13:05
    simulation.pass_until(NOON + 100 * MINUTE)  # in the run of 13:30
    simulation.stop(second)
    simulation.pass_until(NOON + 3 * HOUR - MINUTE)
    simulation.start(HALF_HOURLY)
    simulation.pass_until(NOON + 4 * HOUR)
    assert tell(simulation, NOON + 3 * HOUR) == {
        "12:30": "late",
        "13:00": "skipped",
        "13:30": "missed",
        "14:00": "missed",
        "14:30": "late",
        "15:00": "skipped",
    }


def test_down_for_a_year_is_one_note(simulation: Simulation) -> None:
    first = simulation.start(HALF_HOURLY)
    simulation.pass_until(NOON + 45 * MINUTE)
    simulation.kill(first)
    simulation.clock.slept += timedelta(days=365)
    simulation.start(HALF_HOURLY)
    simulation.pass_until(NOON + timedelta(days=365) + HOUR)
    (missed,) = (row for row in simulation.book.rows["gazette"] if row.outcome == Outcome.MISSED)
    assert missed.slots == 365 * 48 - 1
    told = simulation.book.tell("gazette", NOON, NOON + timedelta(days=365) + HOUR)
    assert Counter(told.values()) == {"missed": 365 * 48 - 1, "late": 1, "done": 2}


def test_two_daemons_on_one_archive(simulation: Simulation) -> None:
    simulation.seconds = lambda _: 60
    one = simulation.start(HALF_HOURLY)
    simulation.pass_until(NOON + 5 * MINUTE)
    simulation.start(HALF_HOURLY)
    simulation.pass_until(NOON + 100 * MINUTE)
    simulation.kill(one)
    simulation.pass_until(NOON + 3 * HOUR + 5 * MINUTE)
    slots = [crawl.slot for crawl in simulation.crawls if crawl.slot]
    assert slots == sorted(set(slots))
    names = ["12:30", "13:00", "13:30", "14:00", "14:30", "15:00"]
    assert tell(simulation, NOON + 3 * HOUR) == dict.fromkeys(names, "done")


def test_first_come_first_served_within_the_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    simulation = Simulation(tmp_path, monkeypatch, daemon_concurrent_runs=2)
    simulation.seconds = lambda _: 600
    schedules = {f"source-{number}": "every 1 hour" for number in range(5)}
    simulation.book.crawled.update(schedules)
    simulation.start(schedules)
    simulation.pass_until(NOON + 2 * HOUR - MINUTE)
    begun = [(crawl.source, (crawl.began - NOON) // MINUTE) for crawl in simulation.crawls]
    assert begun == [("source-0", 60), ("source-1", 60), ("source-2", 70), ("source-3", 70), ("source-4", 80)]
    told = {source: tell(simulation, NOON + HOUR, source=source)["13:00"] for source in schedules}
    assert list(told.values()) == ["done", "done", "late", "late", "late"]  # by ten minutes and some
    simulation.close()


def test_a_slot_that_waits_for_room_gives_way_to_the_next(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    simulation = Simulation(tmp_path, monkeypatch, daemon_concurrent_runs=1)
    simulation.book.crawled.update({"gazette", "slow"})
    simulation.seconds = lambda source: 4_000 if source == "slow" else 1
    simulation.start({"slow": "cron 0 * * * *", **HALF_HOURLY})
    simulation.pass_until(NOON + 3 * HOUR - MINUTE)  # slow runs from 13:00:01 until 14:06:41
    assert tell(simulation, NOON + 130 * MINUTE) == {
        "12:30": "done",
        "13:00": "done",
        "13:30": "skipped",
        "14:00": "done",
    }
    simulation.close()


@pytest.mark.parametrize(
    ("code", "outcome"),
    [(ExitCode.FAILED, "failed"), (ExitCode.CRAWL_FAILED, "failed"), (ExitCode.STORE_REFUSED, "done"), (137, "failed")],
)
def test_how_a_run_ends_is_what_became_of_its_slot(simulation: Simulation, code: int, outcome: str) -> None:
    simulation.code = lambda _, slot: code if slot == NOON + HOUR else 0
    simulation.start(HALF_HOURLY)
    simulation.pass_until(NOON + 2 * HOUR + MINUTE)
    assert tell(simulation, NOON + 2 * HOUR) == {"12:30": "done", "13:00": outcome, "13:30": "done", "14:00": "done"}


def test_other_sources_are_taken_in_while_runs_go_on(simulation: Simulation) -> None:
    simulation.seconds = lambda source: 1_200 if source == "gazette" else 1
    daemon = simulation.start({**HALF_HOURLY, "herald": "every 30 minutes"})
    simulation.pass_until(NOON + 35 * MINUTE)  # in a run of the gazette
    sources = [make_source("every 1 hour"), make_source("every 30 minutes", "courier")]
    simulation.call(lambda: daemon.take_in(sources, simulation.settings))
    simulation.pass_until(NOON + 145 * MINUTE)
    assert tell(simulation, NOON + 2 * HOUR) == {"12:30": "done", "13:00": "done", "14:00": "done"}
    assert tell(simulation, NOON + 2 * HOUR, source="herald") == {"12:30": "done"}
    assert list(tell(simulation, NOON + 2 * HOUR, source="courier")) == ["13:00", "13:30", "14:00"]
    assert [row.outcome for row in simulation.book.rows["herald"]] == ["scheduled", "unscheduled"]
    simulation.call(lambda: daemon.take_in([make_source("every 30 minutes", "herald")], simulation.settings))
    simulation.pass_until(NOON + 160 * MINUTE)
    assert tell(simulation, NOON + 160 * MINUTE, source="herald") == {"12:30": "done", "14:30": "done"}
    assert tell(simulation, NOON + 160 * MINUTE) == {"12:30": "done", "13:00": "done", "14:00": "done"}


def test_a_source_taken_out_and_put_back_is_not_crawled_twice_at_once(simulation: Simulation) -> None:
    simulation.seconds = lambda _: 3_000
    daemon = simulation.start(HALF_HOURLY)
    simulation.pass_until(NOON + 5 * MINUTE)
    simulation.call(lambda: daemon.take_in([], simulation.settings))
    simulation.call(lambda: daemon.take_in([make_source("every 10 minutes")], simulation.settings))
    simulation.pass_until(NOON + HOUR)  # the first run ends at 12:50
    assert [(crawl.slot, crawl.began) for crawl in simulation.crawls[1:]] == [
        (NOON + 50 * MINUTE, simulation.crawls[1].began)
    ]
    assert simulation.crawls[1].began >= NOON + 50 * MINUTE


def test_fewer_runs_at_a_time_hold_from_the_next_run_on(simulation: Simulation) -> None:
    simulation.seconds = lambda _: 120
    schedules = {f"source-{number}": "every 1 hour" for number in range(4)}
    daemon = simulation.start(schedules)
    settings = simulation.settings.model_copy(update={"daemon_concurrent_runs": 1})
    simulation.call(lambda: daemon.take_in([make_source(one, name) for name, one in schedules.items()], settings))
    simulation.pass_until(NOON + HOUR + 10 * MINUTE)
    assert [(crawl.began - NOON) // MINUTE for crawl in simulation.crawls] == [0, 0, 0, 0, 60, 62, 64, 66]


class Listener:
    """Hears what happens; some of it to its harm."""

    def __init__(self) -> None:
        self.heard: list[tuple[str, ...]] = []
        self.threads: set[int] = set()

    def run_started(self, source: str, slot: datetime | None) -> None:
        self._hear("started", source, str(slot))
        raise RuntimeError("an observer that fails")

    def run_ended(self, ended: RunEnded) -> None:
        self._hear("ended", ended.source, str(ended.slot), str(ended.exit_code), (ended.report or {}).get("run", ""))

    def slot_passed(self, source: str, slot: datetime, outcome: str) -> None:
        self._hear("passed", source, str(slot), outcome)

    def tick(self, now: datetime) -> None:
        del now
        self._hear("tick")

    def _hear(self, *words: str) -> None:
        self.threads.add(threading.get_ident())
        self.heard.append(words)


def test_observers_hear_of_all_in_one_thread_and_harm_nothing(simulation: Simulation) -> None:
    first, second = Listener(), Listener()
    simulation.seconds = lambda _: 2_000
    simulation.code = lambda _, slot: 3 if slot else 0
    daemon = simulation.start(HALF_HOURLY, [first, second])
    simulation.pass_until(NOON + 2 * HOUR)
    simulation.stop(daemon)
    told = [words for words in first.heard if words[0] != "tick"]
    assert told[:5] == [
        ("started", "gazette", "None"),
        ("passed", "gazette", str(NOON + 30 * MINUTE), "skipped"),
        ("ended", "gazette", "None", "0", "run-1"),
        ("started", "gazette", str(NOON + HOUR)),
        ("passed", "gazette", str(NOON + 90 * MINUTE), "skipped"),
    ]
    assert told[5] == ("ended", "gazette", str(NOON + HOUR), "3", "run-2")
    assert [words for words in second.heard if words[0] != "tick"] == told
    assert ("tick",) in first.heard
    assert len(first.threads) == 1
    assert first.threads != {threading.get_ident()}


@given(
    st.lists(st.tuples(st.sampled_from(["pass", "begin", "end", "back", "due"]), st.integers(0, 5_000)), max_size=60)
)
@settings_of_hypothesis(deadline=None)
def test_whatever_happens_no_slot_is_run_twice_and_none_is_lost(events: list[tuple[str, int]]) -> None:
    slots = make_slots(parse_schedule("every 10 minutes"))
    turns, now, latest = Turns(slots, NOON), NOON, NOON
    told: Counter[datetime] = Counter()
    ran: Counter[datetime] = Counter()

    def take(all_passed: list[Passed]) -> None:
        for passed in all_passed:
            found = list(slots.between(passed.slot - timedelta(microseconds=1), passed.through))
            assert (len(found), found[0], found[-1]) == (passed.slots, passed.slot, passed.through)
            told.update(found)

    for event, seconds in events:
        if event == "back":
            now = max(NOON, now - timedelta(seconds=seconds))
            turns.turn_back(now)
            continue
        now += timedelta(seconds=seconds)
        latest = max(latest, now)
        if event == "begin":
            take(turns.come_due(now))
            if turns.phase is Phase.WAITING:
                take(turns.begin(now))
                assert turns.slot is not None
                assert turns.slot <= now
                ran[turns.slot] += 1
        elif event == "end" and turns.phase is Phase.RUNNING:
            take(turns.end(now))
        elif event == "due":
            take(turns.come_due(now))
    take(turns.come_due(latest))
    assert set(ran.values()) <= {1}
    open_slots = {turns.slot} if turns.phase is Phase.WAITING else set()
    assert told.keys() | ran.keys() | open_slots >= set(slots.between(NOON, latest))
