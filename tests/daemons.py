"""A daemon whose clock a test turns: an event loop that leaps from timer to timer, and crawls that are tiny processes.

The processes are real, and as short as `sh` can be; how long they seem to take is told in simulated time.
"""

from __future__ import annotations

import asyncio
import json
import os
import selectors
import shlex
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import apscheduler.schedulers.base as scheduling

import jobs.schedule.daemon as watching
from config.errors import ExitCode
from config.settings import Settings
from config.sources import Source
from config.units import parse_schedule
from jobs.ledger import Outcome, SlotRun, resolve_slots
from jobs.ledger.slots import make_slots
from jobs.schedule.book import Standing, judge_standing
from jobs.schedule.clock import Clock
from jobs.schedule.daemon import Daemon
from jobs.schedule.process import Launch, wait_for_end

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    import pytest

    from crawler.rows import SlotRow
    from jobs.ledger.slots import ScheduleSlots
    from jobs.runs.ending import RunObserver
    from jobs.schedule.process import RunProcess

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
_MOST_SECONDS = 60
_BIT = timedelta(seconds=0.5)
_REAL_SECONDS = 0.02


def make_source(schedule: str | None, source_id: str = "gazette", **keys: Any) -> Source:
    """Return a source with that schedule."""
    values = {
        "id": source_id,
        "name": "Gazette",
        "home": "https://gazette.example/",
        "discover": [{"feed": "https://gazette.example/feed"}],
        "articles": {"include": ["."]},
        "schedule": schedule,
    }
    return Source.model_validate({**values, **keys})


class LeapingSelector(selectors.DefaultSelector):
    """Waits for real processes as long as some are ending; else passes the time at once."""

    def __init__(self) -> None:
        super().__init__()
        self.seconds = 0.0
        self.busy: Callable[[], bool] = lambda: False
        self._busy_seconds = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if self.busy():
            began = time.monotonic()
            events = super().select(_REAL_SECONDS if timeout is None else min(timeout, _REAL_SECONDS))
            self.seconds += time.monotonic() - began
            self._busy_seconds += time.monotonic() - began
            assert self._busy_seconds < _MOST_SECONDS, "a process does not end"
            return events
        self._busy_seconds = 0.0
        events = super().select(0)
        if not events and timeout is not None:
            self.seconds += timeout
        elif not events:
            raise AssertionError("nobody will ever do anything again")
        return events


class LeapingLoop(asyncio.SelectorEventLoop):
    """An event loop in simulated time."""

    def __init__(self) -> None:
        self.leaping = LeapingSelector()
        super().__init__(self.leaping)

    def time(self) -> float:
        return self.leaping.seconds


@dataclass
class TurnedClock:
    """A clock that can be set, and a machine that can sleep."""

    loop: LeapingLoop
    start: datetime
    slept: timedelta = timedelta()
    stepped: timedelta = timedelta()

    def now(self) -> datetime:
        return self.start + timedelta(seconds=self.loop.time()) + self.slept + self.stepped

    def boot(self) -> float:
        return self.loop.time() + self.slept.total_seconds()


@dataclass
class MemoryBook:
    """A ledger that outlives daemons."""

    rows: dict[str, list[SlotRow]] = field(default_factory=dict)
    runs: dict[str, list[SlotRun]] = field(default_factory=dict)
    crawled: set[str] = field(default_factory=set)

    def read(self, source: str, now: datetime) -> Standing:
        slots = [run.slot for run in self.runs.get(source, [])]
        return judge_standing(self.rows.get(source, []), slots, now, crawled=source in self.crawled)

    def note(self, source: str, row: SlotRow, slots: ScheduleSlots | None = None) -> None:
        del slots
        self.rows.setdefault(source, []).append(row)

    def tell(self, source: str, since: datetime, until: datetime) -> dict[datetime, Outcome | None]:
        """Return what became of each slot; fail if one is told of twice."""
        told: dict[datetime, Outcome | None] = {}
        stretches = resolve_slots(
            self.rows.get(source, []),
            self.runs.get(source, []),
            find_calendar=lambda schedule: make_slots(parse_schedule(schedule)),
            since=since,
            until=until,
        )
        for stretch in stretches:
            slots = make_slots(parse_schedule(self.schedule_of(source, stretch.slot)))
            found = list(slots.between(stretch.slot - timedelta(microseconds=1), stretch.through))
            assert len(found) == stretch.slots, (source, stretch)
            for slot in found:
                assert slot not in told, (source, slot)
                told[slot] = stretch.outcome
        return told

    def schedule_of(self, source: str, slot: datetime) -> str:
        marks = [row for row in self.rows[source] if row.outcome == Outcome.SCHEDULED]
        return next((row.schedule or "" for row in reversed(marks) if row.slot < slot), marks[0].schedule or "")


@dataclass
class Crawl:
    """One crawl that was begun."""

    source: str
    slot: datetime | None
    began: datetime
    fifo: Path | None = None
    """What it waits for, if it takes any time."""


class Simulation:
    """Daemons, one after the other or at once, in simulated time; on one ledger, and sources that know their lock."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch, start: datetime = NOON, **settings: Any) -> None:
        self.folder = folder
        self.loop = LeapingLoop()
        self.clock = TurnedClock(self.loop, start)
        self.settings = Settings(**settings)
        self.book = MemoryBook()
        self.seconds: Callable[[str], float] = lambda _: 0.0
        """How long a crawl of a source takes."""
        self.code: Callable[[str, datetime | None], int] = lambda _source, _slot: 0
        self.crawls: list[Crawl] = []
        self.daemons: list[Daemon] = []
        self._going: dict[str, tuple[Daemon, Crawl]] = {}
        """Sources whose lock is held."""
        self._ending: list[tuple[Daemon, RunProcess]] = []
        """Runs that will be over in a moment."""
        self.loop.leaping.busy = self._is_busy
        clock = self.clock

        class TurnedTime(datetime):
            @classmethod
            def now(cls, tz: Any = None) -> Any:
                return clock.now().astimezone(tz)

        monkeypatch.setattr(scheduling, "datetime", TurnedTime)
        monkeypatch.setattr(watching, "WATCH_SECONDS", 600.0)  # hours of it are real looks at real processes

    def start(self, schedules: Mapping[str, str | None], observers: Sequence[RunObserver] = ()) -> Daemon:
        """Start a daemon of sources with those schedules."""
        daemon = Daemon(
            self.settings,
            self.book,
            lambda source, _, slot: self._launch(daemon, source.id, slot),
            observers=observers,
            clock=Clock(self.clock.now, self.clock.boot),
        )
        self.daemons.append(daemon)
        self.call(lambda: daemon.start([make_source(schedule, name) for name, schedule in schedules.items()]))
        return daemon

    def call(self, action: Callable[[], None]) -> None:
        """Do *action* in the event loop."""

        async def do() -> None:
            action()

        self.loop.run_until_complete(do())

    def pass_until(self, moment: datetime) -> None:
        """Let the time pass until the wall clock shows *moment* and a bit."""

        async def wait() -> None:
            while (left := moment + _BIT - self.clock.now()) > timedelta():  # noqa: ASYNC110 - the clock is turned
                await asyncio.sleep(left.total_seconds())

        self.loop.run_until_complete(wait())

    def stop(self, daemon: Daemon) -> None:
        """Stop it in good order; crawls that are going die of it at once."""
        for source in daemon.running:
            self._await_end(daemon, source)
            self._going.pop(source, None)
        self.loop.run_until_complete(daemon.stop())
        self.daemons.remove(daemon)

    def kill(self, daemon: Daemon) -> None:
        """Have it die at once, and its crawls with it: nothing is noted any more."""

        async def die() -> None:
            daemon._timer.stop()
            runs = list(daemon._runs.values())
            tasks = [*daemon._tasks, *daemon._run_tasks]
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            for run in runs:
                run.kill()
                if run._process is not None:
                    self._await_end(daemon, run.source)
                    await wait_for_end(run._process)
            daemon._runs.clear()

        for source in daemon.running:
            self._going.pop(source, None)
        self.loop.run_until_complete(die())
        self.daemons.remove(daemon)

    def close(self) -> None:
        for daemon in list(self.daemons):
            self.kill(daemon)
        self.loop.run_until_complete(asyncio.sleep(1))
        self.loop.close()

    def _is_busy(self) -> bool:
        self._ending = [(daemon, run) for daemon, run in self._ending if daemon._runs.get(run.source) is run]
        return bool(self._ending)

    def _await_end(self, daemon: Daemon, source: str) -> None:
        self._ending.append((daemon, daemon._runs[source]))

    def _launch(self, daemon: Daemon, source: str, slot: datetime | None) -> Launch:
        known = slot is not None and slot in {run.slot for run in self.book.runs.get(source, [])}
        if source in self._going or known:
            self._await_end(daemon, source)
            return Launch(["/bin/sh", "-c", f"exit {ExitCode.LOCKED}"])
        crawl = Crawl(source, slot, self.clock.now())
        self.crawls.append(crawl)
        number, code = len(self.crawls), self.code(source, slot)
        report = json.dumps({"run": f"run-{number}", "source": source})
        seconds = self.seconds(source)
        if not seconds and not code:
            self._finish(daemon, crawl, number)
            return Launch(["/bin/echo", report])
        crawl.fifo = self.folder / f"go-{number}"
        os.mkfifo(crawl.fifo)
        self._going[source] = daemon, crawl
        self.loop.call_later(seconds, self._let_end, daemon, crawl, number)
        return Launch(["/bin/sh", "-c", f"read go <{crawl.fifo}; echo {shlex.quote(report)}; exit {code}"])

    def _let_end(self, daemon: Daemon, crawl: Crawl, number: int) -> None:
        if self._going.get(crawl.source) != (daemon, crawl) or crawl.fifo is None:
            return  # it was killed
        del self._going[crawl.source]
        self._finish(daemon, crawl, number)
        with crawl.fifo.open("w") as file:
            file.write("go\n")

    def _finish(self, daemon: Daemon, crawl: Crawl, number: int) -> None:
        """The crawl commits its run row and is over in a moment."""
        self._await_end(daemon, crawl.source)
        self.book.crawled.add(crawl.source)
        if crawl.slot is not None:
            run = SlotRun(crawl.slot, f"run-{number}", crawl.began)
            self.book.runs.setdefault(crawl.source, []).append(run)
