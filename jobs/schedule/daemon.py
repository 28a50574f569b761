"""The daemon: a run of each source at its slots, each a process of its own; none of them can harm it.

Everything happens in one thread, the event loop's; observers are told in another. Who reads sources, where slots are
noted, how a run is started and what time it is are given to it.
"""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from datetime import timedelta
from itertools import islice
from typing import TYPE_CHECKING

import structlog

from config.errors import ArchiveError
from config.units import parse_schedule
from crawler.family import read_processes
from crawler.rows import SlotRow, format_time
from jobs.ledger import Outcome
from jobs.ledger.slots import make_slots
from jobs.schedule.book import Standing
from jobs.schedule.clock import Clock, StepWatch
from jobs.schedule.limits import RunLimits, drain_seconds
from jobs.schedule.observing import Observing
from jobs.schedule.outcomes import describe_end, is_taken, row_of_passed, row_of_run
from jobs.schedule.process import RunProcess
from jobs.schedule.timer import Timer
from jobs.schedule.turns import Passed, Phase, Turns

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterable, Sequence
    from datetime import datetime

    from config.settings import Settings
    from config.sources import Source
    from jobs.ledger.slots import ScheduleSlots
    from jobs.runs.ending import RunObserver
    from jobs.schedule.book import Book
    from jobs.schedule.process import Launch

log = structlog.get_logger()

_TICK = timedelta(microseconds=1)
PULSE_SECONDS = 15.0
"""Between two looks at the clocks: so long after a sleep of the machine may it take until what is late is begun."""
WATCH_SECONDS = 2.0
"""Between two looks at what runs take."""
_TOLD_SPAN = timedelta(days=1)
_TOLD_SLOTS = 1_440
"""Of a stretch of slots without a run, observers are told of its last day."""
_TELL_SECONDS = 2.0


class Daemon:
    """Begins runs when their slots come, watches them, and ends them in good order."""

    def __init__(
        self,
        settings: Settings,
        book: Book,
        launch: Callable[[Source, Settings, datetime | None], Launch],
        *,
        observers: Sequence[RunObserver] = (),
        clock: Clock | None = None,
        max_runs: int | None = None,
    ) -> None:
        self._settings = settings
        self._book = book
        self._launch = launch
        self._observing = Observing(observers)
        self._clock = clock or Clock()
        self._max_runs = max_runs
        self._sources: dict[str, Source] = {}
        self._turns: dict[str, Turns] = {}
        self._queue: deque[str] = deque()
        self._runs: dict[str, RunProcess] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._run_tasks: set[asyncio.Task[None]] = set()
        self._counts: Counter[str] = Counter()
        self._timer = Timer(self.come_due)
        self._stopping = False
        self.over = asyncio.Event()
        """Set when each source has had its share of runs, or a task of the daemon's own has failed."""
        self.broken: BaseException | None = None
        """What it failed of."""

    @property
    def running(self) -> list[str]:
        """The sources that are being crawled."""
        return list(self._runs)

    def start(self, sources: Iterable[Source]) -> None:
        """Begin with *sources*: what was missed while no daemon ran is noted, and the latest of it run late."""
        for source in sources:
            self._add(source)
        self._timer.start()
        for work in (self._keep_pulse(), self._watch_runs()):
            self._begin_task(work, self._tasks)
        self._fill()

    async def come_due(self, source: str) -> None:
        """A slot of *source* has come, or more than one."""
        turns = self._turns.get(source)
        if turns is None or self._stopping:
            return
        self._settle(source, turns.come_due(self._clock.now()))
        self._enqueue(source, turns)
        self._fill()

    def take_in(self, sources: Iterable[Source], settings: Settings) -> None:
        """Go on with *sources* and *settings* in place of those from before; say what is other. Leaves runs alone."""
        self._settings = settings
        wanted = {source.id: source for source in sources}
        counts: Counter[str] = Counter()
        for source_id in self._sources.keys() - wanted.keys():
            self._remove(source_id)
            counts["removed"] += 1
        for source_id, source in wanted.items():
            before = self._sources.get(source_id)
            if before is None:
                self._add(source)
                counts["added"] += 1
            elif before.schedule != source.schedule:
                self._reschedule(before, source)
                counts["rescheduled"] += 1
            elif before != source:
                self._sources[source_id] = source
                counts["changed"] += 1
        log.info("reloaded_sources", **{name: counts[name] for name in ("added", "removed", "rescheduled", "changed")})
        self._fill()

    async def stop(self) -> None:
        """Begin no more; have runs end in good order, and kill those that are not over in time."""
        self._stopping = True
        self._timer.stop()
        for run in self._runs.values():
            run.stop("stop")
        if self._run_tasks:
            await asyncio.wait(self._run_tasks, timeout=drain_seconds(self._settings))
            self.kill()
        if self._run_tasks:
            await asyncio.wait(self._run_tasks)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._observing.close(_TELL_SECONDS)

    def kill(self) -> None:
        """Make all runs end now."""
        for run in self._runs.values():
            run.kill()

    def _add(self, source: Source) -> None:
        now, slots = self._clock.now(), _make_slots(source.schedule)
        known = self._read_book(source.id, now) or Standing(schedule=source.schedule, crawled=True)
        before = slots if known.schedule is None else _make_slots(known.schedule, slots)
        turns = Turns(before, known.decided or now, set(known.ahead))
        self._sources[source.id], self._turns[source.id] = source, turns
        self._settle(source.id, turns.come_due(now))
        if known.schedule != source.schedule:
            self._mark(source, now)
        turns.change(slots, now)
        if not known.crawled:
            turns.wait()
        self._timer.set(source.id, slots)
        self._enqueue(source.id, turns)
        log.info("scheduled_source", source=source.id, schedule=source.schedule, at_once=turns.phase is Phase.WAITING)

    def _remove(self, source_id: str) -> None:
        now, turns = self._clock.now(), self._turns[source_id]
        source = self._sources.pop(source_id)
        self._timer.remove(source_id)
        passed = turns.come_due(now)
        if turns.phase is Phase.WAITING and turns.slot is not None:
            passed.append(Passed(turns.slot, turns.slot, 1, Outcome.MISSED))
        self._settle(source_id, passed)
        del self._turns[source_id]
        self._note(source_id, SlotRow(now, Outcome.UNSCHEDULED))
        log.info("unscheduled_source", source=source_id, schedule=source.schedule)

    def _reschedule(self, before: Source, source: Source) -> None:
        now, turns, slots = self._clock.now(), self._turns[source.id], _make_slots(source.schedule)
        self._settle(source.id, turns.come_due(now))
        self._sources[source.id] = source
        self._mark(source, now)
        turns.change(slots, now)
        self._timer.set(source.id, slots)
        self._enqueue(source.id, turns)
        log.info("rescheduled_source", source=source.id, before=before.schedule, schedule=source.schedule)

    def _enqueue(self, source: str, turns: Turns) -> None:
        if turns.phase is Phase.WAITING and source not in self._queue:
            self._queue.append(source)

    def _fill(self) -> None:
        """Begin the runs that there is room for, first come first served."""
        for source_id in list(self._queue):
            if self._stopping or len(self._runs) >= self._settings.daemon_concurrent_runs:
                return
            turns = self._turns.get(source_id)
            if source_id in self._runs:
                continue  # it was taken out and put back while it ran
            self._queue.remove(source_id)
            if turns is not None and turns.phase is Phase.WAITING and not self._has_its_share(source_id):
                self._begin(self._sources[source_id], turns)

    def _begin(self, source: Source, turns: Turns) -> None:
        now = self._clock.now()
        self._settle(source.id, turns.begin(now))
        run = RunProcess(source.id, turns.slot, now, RunLimits.of(self._settings, rendering=source.render is not None))
        self._runs[source.id] = run
        self._observing.run_started(source.id, run.slot)
        self._begin_task(self._carry_out(run, source, turns), self._run_tasks)

    async def _carry_out(self, run: RunProcess, source: Source, turns: Turns) -> None:
        try:
            ended = await run.carry_out(self._launch(source, self._settings, run.slot))
        except Exception:
            log.exception("failed_run", source=source.id)
            ended = run.give_up()
        del self._runs[source.id]
        passed = turns.end(self._clock.now())
        row = row_of_run(ended)
        if row is not None:
            self._note(source.id, row, turns.slots)
        self._settle(source.id, passed)
        if is_taken(ended):
            slot = None if ended.slot is None else format_time(ended.slot)
            log.warning("missed_run", source=source.id, slot=slot, slots=1, reason=describe_end(ended))
        elif ended.exit_code or ended.killed:
            error = describe_end(ended)
            log.error("failed_run", source=source.id, exit_code=ended.exit_code, killed=ended.killed, error=error)
        self._observing.run_ended(ended)
        self._counts[source.id] += 1
        if self._max_runs is not None and all(self._has_its_share(one) for one in self._sources):
            self.over.set()
        self._fill()

    def _has_its_share(self, source: str) -> bool:
        return self._max_runs is not None and self._counts[source] >= self._max_runs

    async def _keep_pulse(self) -> None:
        """Look at the clocks: the event loop's own stands still while the machine sleeps, and cannot be set."""
        watch = StepWatch(self._clock)
        while True:
            await asyncio.sleep(PULSE_SECONDS)
            step = watch.look()
            if step is not None:
                log.warning("stepped_clock", seconds=round(step.total_seconds(), 3))
                self._follow_step()
            self._timer.look()
            self._observing.tick(self._clock.now())

    def _follow_step(self) -> None:
        """The wall clock was set: what has come by it is due, and what is yet to come, but for what was run already."""
        now = self._clock.now()
        for source_id, turns in self._turns.items():
            if turns.decided > now:
                standing = self._read_book(source_id, now)
                turns.turn_back(now, standing.ahead if standing is not None else ())
            self._settle(source_id, turns.come_due(now))
            self._timer.set(source_id, turns.slots)
            self._enqueue(source_id, turns)
        self._fill()

    async def _watch_runs(self) -> None:
        while True:
            await asyncio.sleep(WATCH_SECONDS)
            if self._runs:
                processes = read_processes()
                for run in self._runs.values():
                    run.check(processes)

    def _read_book(self, source: str, now: datetime) -> Standing | None:
        """Return how *source* stands, or `None` where that cannot be read: then it begins anew with the next slot."""
        try:
            return self._book.read(source, now)
        except (ArchiveError, OSError) as error:
            log.warning("failed_ledger", source=source, error=str(error))
            return None

    def _note(self, source: str, row: SlotRow, slots: ScheduleSlots | None = None) -> None:
        try:
            self._book.note(source, row, slots)
        except (ArchiveError, OSError) as error:  # a full disk: the run's own row, or its absence, will have to do
            log.warning("failed_ledger", source=source, error=str(error))

    def _mark(self, source: Source, now: datetime) -> None:
        self._note(source.id, SlotRow(now, Outcome.SCHEDULED, schedule=source.schedule))

    def _settle(self, source: str, all_passed: Iterable[Passed]) -> None:
        """Note and tell of slots that have no run."""
        turns = self._turns.get(source)
        for passed in all_passed:
            row = row_of_passed(passed)
            self._note(source, row, turns.slots if turns is not None else None)
            first = format_time(passed.slot)
            log.warning("missed_run", source=source, slot=first, slots=passed.slots, reason=row.reason)
            if turns is None:
                continue
            after = max(passed.slot - _TICK, passed.through - _TOLD_SPAN)
            for slot in islice(turns.slots.between(after, passed.through), _TOLD_SLOTS):
                self._observing.slot_passed(source, slot, passed.outcome)

    def _begin_task(self, work: Coroutine[None, None, None], tasks: set[asyncio.Task[None]]) -> None:
        task = asyncio.create_task(work)
        tasks.add(task)
        task.add_done_callback(tasks.discard)
        task.add_done_callback(self._note_failure)

    def _note_failure(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("failed_daemon", exc_info=error)
            self.broken = error
            self.over.set()


def _make_slots(schedule: str | None, default: ScheduleSlots | None = None) -> ScheduleSlots:
    """Return the slots of a source's *schedule*, or *default* where this version cannot read it."""
    try:
        return make_slots(parse_schedule(schedule or ""))
    except ValueError:
        if default is None:
            raise
        return default
