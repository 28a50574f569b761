"""Several machines that want one source, in simulated time: slow and lost requests, sleep, death. Seeded throughout.

Each machine is a thread, of which one at a time runs; whenever it waits, the simulation looks who thinks to hold a
valid lease. What runs is the real code of jobs/archive/lease.py; time and the line to the store are the simulation's.
"""

from __future__ import annotations

import contextlib
import heapq
import threading
import types
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any, TypeVar

from config.errors import ArchiveError, RunLocked, StoreError, StoreUnavailable
from jobs.archive import lease as real_lease
from jobs.store.memory import MemoryStore

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from jobs.archive.lease import Lease
    from jobs.store import StoredObject

SOURCE = "gazette"
DAY = 86_400.0
_STEPS = 600
_Result = TypeVar("_Result")


class TwoHolders(AssertionError):
    """At one instant two leases were valid."""


class _Over(BaseException):
    """The simulation has ended: unwinds a machine's thread."""


def plant(old: str, new: str) -> Any:
    """Return jobs/archive/lease.py with a bug in it: *new* in place of *old*, which must stand there once."""
    text = Path(real_lease.__file__).read_text(encoding="utf-8")
    assert text.count(old) == 1, old
    module = types.ModuleType(real_lease.__name__)
    exec(compile(text.replace(old, new), "planted", "exec"), module.__dict__)
    return module


class Simulation:
    """One schedule. `run()` raises TwoHolders, or whatever a machine's code raised."""

    def __init__(self, seed: int, module: Any = real_lease) -> None:
        self.chance = Random(seed)
        self.module = module
        self.now = 0.0
        self.store = _SharedStore(self)
        self.log_epoch = 0
        self.released: set[int] = set()
        self.leases: list[Lease] = []
        self.counts: Counter[str] = Counter()
        self.long = self.chance.random() < 0.3
        """Whether machines may be idle for days, so that maintenance removes leases."""
        self.back = threading.Semaphore(0)
        self.over = False
        self._waiting: list[tuple[float, int, Machine | Callable[[], object]]] = []
        self._number = 0

    def run(self) -> Counter[str]:
        """Play the schedule; return what happened how often."""
        machines = [Machine(self, number) for number in range(self.chance.randint(2, 4))]
        machines += [Maintenance(self, len(machines))] if self.long else []
        try:
            for machine in machines:
                machine.thread.start()
                self.wake_at(self.chance.uniform(0, 5), machine)
            for _ in range(_STEPS):
                self.now, _, waiting = heapq.heappop(self._waiting)
                if not isinstance(waiting, Machine):
                    waiting()
                    continue
                waiting.go.release()
                self.back.acquire()
                if waiting.failure is not None:
                    raise waiting.failure
                self._check()
        finally:
            self.over = True
            for machine in machines:
                machine.go.release()
                machine.thread.join()
        return self.counts

    def wake_at(self, when: float, what: Machine | Callable[[], object]) -> None:
        self._number += 1
        heapq.heappush(self._waiting, (when, self._number, what))

    def _check(self) -> None:
        valid = [lease for lease in self.leases if lease.is_valid()]
        if len(valid) > 1:
            raise TwoHolders(f"at {self.now:.3f}: {[(lease.epoch, lease.holder) for lease in valid]}")


class _SharedStore(MemoryStore):
    """The store itself: its clock is years away from everyone's, steady, and tells whole seconds."""

    def __init__(self, simulation: Simulation) -> None:
        super().__init__()
        self._simulation = simulation
        self._begin = datetime(2031, 1, 1, tzinfo=UTC) + timedelta(seconds=simulation.chance.random())

    def create(self, key: str, data: bytes | Path, *, sha256: str) -> StoredObject:
        stored = replace(super().create(key, data, sha256=sha256), modified=self.read_clock())
        self._objects[key] = self._objects[key][0], stored
        return stored

    def read_clock(self, *, late: float = 0.0) -> datetime:
        return (self._begin + timedelta(seconds=self._simulation.now - late)).replace(microsecond=0)


class _Line:
    """One machine's line to the store, an ObjectStore as far as leases need one."""

    url = "memory:"

    def __init__(self, machine: Machine) -> None:
        self._machine = machine
        self._store = machine.simulation.store

    def create(self, key: str, data: bytes, *, sha256: str) -> StoredObject:
        return self._ask(lambda: self._store.create(key, data, sha256=sha256))

    def get(self, key: str, *, offset: int = 0, length: int | None = None) -> bytes:
        return self._ask(lambda: self._store.get(key, offset=offset, length=length))

    def list(self, prefix: str, *, after: str = "") -> Iterator[StoredObject]:
        return iter(self._ask(lambda: [*self._store.list(prefix, after=after)]))

    def delete(self, key: str) -> None:
        self._ask(lambda: self._store.delete(key))

    def read_clock(self) -> datetime:
        now = self._store.read_clock(late=self._machine.chance.choice([0.0, 0.5, 3.0]))
        self._machine.sleep_perhaps()
        return now

    def _ask(self, apply: Callable[[], _Result]) -> _Result:
        machine, chance = self._machine, self._machine.chance
        machine.wait(self._trip())
        fate = chance.random()
        if fate < 0.03:
            if fate < 0.015:  # it arrives after all, when nobody waits for it any more
                machine.simulation.wake_at(machine.simulation.now + chance.uniform(1, 120), _ignoring(apply))
            machine.wait(chance.uniform(1, 30))
            raise StoreUnavailable("the request was lost")
        result: _Result | StoreError
        try:
            result = apply()
        except StoreError as error:
            result = error
        machine.wait(self._trip())
        if fate > 0.97:
            machine.wait(chance.uniform(1, 30))
            raise StoreUnavailable("the answer was lost")
        if isinstance(result, StoreError):
            raise result
        return result

    def _trip(self) -> float:
        chance = self._machine.chance
        return chance.uniform(1, 40) if chance.random() < 0.1 else chance.uniform(0.01, 0.3)


def _ignoring(apply: Callable[[], object]) -> Callable[[], None]:
    def run() -> None:
        with contextlib.suppress(StoreError):
            apply()

    return run


class Machine:
    """Wants the source over and over; crawls, commits, releases, sleeps, or dies and is started again."""

    def __init__(self, simulation: Simulation, number: int) -> None:
        self.simulation = simulation
        self.chance = simulation.chance
        self.go = threading.Semaphore(0)
        self.failure: BaseException | None = None
        self.thread = threading.Thread(target=self._live, name=f"machine-{number}")
        self.line: Any = _Line(self)
        self._started_at = self.chance.uniform(-1e6, 0)
        self._speed = self.chance.uniform(1 - 3e-4, 1 + 3e-4)

    def boottime(self) -> float:
        """Return this machine's own time, which others' do not know; it may sleep right after it looked."""
        seconds = (self.simulation.now - self._started_at) * self._speed
        if threading.current_thread() is self.thread:
            self.sleep_perhaps()
        return seconds

    def wait(self, seconds: float) -> None:
        """Let others go on for *seconds* of true time, and for longer if the machine falls asleep."""
        self._yield(seconds)
        self.sleep_perhaps()

    def sleep_perhaps(self) -> None:
        chance = self.chance
        if chance.random() < 0.02:
            longest = 1.5 * DAY if self.simulation.long and chance.random() < 0.05 else chance.choice([5, 40, 200, 900])
            self._yield(chance.uniform(0, longest))

    def _yield(self, seconds: float) -> None:
        self.simulation.wake_at(self.simulation.now + seconds, self)
        self.simulation.back.release()
        self.go.acquire()
        if self.simulation.over:
            raise _Over

    def _live(self) -> None:
        self.go.acquire()
        try:
            while not self.simulation.over:
                self.work()
        except _Over:
            pass
        except BaseException as error:  # noqa: BLE001 — handed to who runs the simulation
            self.failure = error
            self.simulation.back.release()

    def work(self) -> None:
        """Try once to hold the source, and hold it for a while."""
        simulation, chance = self.simulation, self.chance
        idle = 1.3 * DAY if simulation.long and chance.random() < 0.05 else 25
        self.wait(chance.uniform(0, idle))
        seconds = chance.choice([30, 30, 30, 60, 600])
        log_epoch = simulation.log_epoch
        self.sleep_perhaps()
        try:
            lease = simulation.module.acquire_lease(
                self.line,
                SOURCE,
                run=None,
                seconds=seconds,
                log_epoch=log_epoch,
                is_released=simulation.released.__contains__,
                boottime=self.boottime,
            )
        except (RunLocked, StoreUnavailable) as error:
            simulation.counts["locked" if isinstance(error, RunLocked) else "unavailable"] += 1
            return
        simulation.leases.append(lease)
        simulation.counts["acquired"] += 1
        self._hold(lease, seconds)

    def _hold(self, lease: Lease, seconds: float) -> None:
        simulation, chance = self.simulation, self.chance
        ends_at = simulation.now + chance.uniform(0, 4 * seconds)
        while lease.is_valid() and simulation.now < ends_at:
            if chance.random() < 0.05:  # the owner is busy elsewhere: no heartbeat
                self.wait(chance.uniform(0, seconds))
            self.wait(chance.uniform(0.2, seconds / 6))
            before = lease.valid_until
            lease.renew()
            simulation.counts["renewed"] += lease.valid_until != before
            if chance.random() < 0.05:
                simulation.log_epoch = max(simulation.log_epoch, lease.epoch)
        simulation.counts["lost"] += lease.lost.is_set()
        way = chance.choice(["commit", "commit", "beat", "death"])
        if way == "commit" and not lease.lost.is_set():
            lease.end()
            self.wait(chance.uniform(0, 3))
            simulation.released.add(lease.epoch)
            simulation.log_epoch = max(simulation.log_epoch, lease.epoch)
            simulation.counts["committed"] += 1
        elif way == "beat":
            lease.release()
        simulation.leases.remove(lease)


class Maintenance(Machine):
    """Takes old leases away."""

    def work(self) -> None:
        self.wait(self.chance.uniform(0, DAY))
        try:
            for key in self.simulation.module.list_old_leases(self.line, SOURCE):
                self.line.delete(key)
                self.simulation.counts["removed"] += 1
        except ArchiveError:
            self.simulation.counts["unavailable"] += 1


def find_violation(seeds: range, module: Any) -> int:
    """Return how many of the schedules of *seeds* it takes until two hold the source at once; -1 if none does."""
    for number, seed in enumerate(seeds, 1):
        try:
            Simulation(seed, module).run()
        except TwoHolders:
            return number
    return -1


def play(seeds: range) -> Counter[str]:
    """Play the schedules of *seeds* with the real code; return what happened how often."""
    counts: Counter[str] = Counter()
    for seed in seeds:
        try:
            counts += Simulation(seed).run()
        except Exception as error:
            error.add_note(f"seed {seed}")
            raise
    return counts
