"""What a daemon's runs come to: an observer of the daemon that keeps the figures which the server hands out."""

from __future__ import annotations

import asyncio
import os
import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING

import structlog
from prometheus_client import CollectorRegistry, Gauge, Info, ProcessCollector
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from config.errors import ArchiveError, ExitCode
from config.settings import program_version
from jobs.health import State
from jobs.ledger import Outcome as Slot
from jobs.ledger import is_late
from jobs.metrics.instruments import SPOOL_BYTES, SPOOL_SEGMENTS, LastRuns, Outcome, Sums
from jobs.metrics.standing import Standing
from jobs.spool_use import measure_spool

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from datetime import datetime
    from pathlib import Path

    from prometheus_client.core import Metric

    from jobs.health import SourceHealth
    from jobs.runs.ending import RunEnded

log = structlog.get_logger()

PULSE_SECONDS = 1.0
HEALTH_SECONDS = 60.0
"""Between two looks at how sources stand, at least."""
_LOOK_SECONDS = 10.0
"""A look at the spools holds for that long, however often somebody asks."""
_STORE_TROUBLE: dict[int, str] = {
    ExitCode.STORE_REFUSED: "the store refused the last run, or could not be reached",
    ExitCode.NO_ARCHIVE: "the last run found no archive at its place",
}


class MetricsObserver:
    """A RunObserver that counts. Called from the daemon's thread, read from the server's."""

    def __init__(
        self,
        state: Path,
        *,
        standing: Standing | None = None,
        read: Callable[[datetime], Sequence[SourceHealth]] | None = None,
    ) -> None:
        """*state*: folder of the archive's local state, with the spools in it. *read*: how sources stand at a time."""
        self._read = read
        self._looked = -HEALTH_SECONDS
        self.registry = CollectorRegistry()
        self.standing = standing or Standing()
        self._last = LastRuns(self.registry, live=True)
        self._sums = Sums(self.registry)
        self._disk = _DiskCollector(state)
        self.registry.register(self._disk)
        ProcessCollector(registry=self.registry)
        Info("ofrecord_build", "This program.", registry=self.registry).info({"version": program_version()})

        def gauge(name: str, text: str, *labels: str) -> Gauge:
            return Gauge(f"ofrecord_{name}", text, labels, registry=self.registry)

        self._interval = gauge(
            "schedule_interval_seconds", "The longest time between two slots of the source's schedule.", "source"
        )
        self._running = gauge("run_in_progress", "Whether a run of the source is going on.", "source")
        self._state = gauge(
            "health_state", "Whether the source stands so: 1 for one state, 0 for the others.", "source", "state"
        )
        self._reason = gauge("health_reason", "1 for what is wrong with the source, by kind.", "source", "kind")
        self._kinds: dict[str, set[str]] = {}
        self._lag = gauge(
            "lag_seconds", "From publication to the first capture, the middle one of the last seven days.", "source"
        )
        self._loop_lag = gauge("loop_lag_seconds", "How much later than it asked the daemon's loop was woken.")
        standing = self.standing
        scheduled = gauge("scheduled_sources", "Sources that have a schedule.")
        scheduled.set_function(lambda: standing.sources)
        turned = gauge("last_tick_timestamp_seconds", "When the daemon's loop last turned, in seconds since 1970.")
        turned.set_function(lambda: standing.turned_at)
        draining = gauge("draining", "Whether the daemon was asked to end.")
        draining.set_function(lambda: standing.draining)
        ready = gauge("ready", "Whether /readyz says yes.")
        ready.set_function(lambda: standing.is_ready().good)

    def expect(
        self,
        intervals: Mapping[str, float],
        *,
        last_runs: Mapping[str, datetime | None] | None = None,
        last_successes: Mapping[str, datetime | None] | None = None,
    ) -> None:
        """Take in a schedule that was loaded, at the start or anew; figures of sources that left it are dropped.

        *intervals*: source → the longest time between two of its slots, in seconds. *last_runs*, *last_successes*: what
        the archive knows of runs before this daemon's.
        """
        before, now = self._disk.sources, frozenset(intervals)
        self._disk.watch(now)  # first, since what is told of a source that is not among them is dropped from here on
        for source in before - now:
            self._forget(source)
        for source, seconds in intervals.items():
            if source not in before:
                self._sums.expect(source)
                self._running.labels(source).set(0)
                self._last.recall(
                    source,
                    ended=_to_seconds((last_runs or {}).get(source)),
                    succeeded=_to_seconds((last_successes or {}).get(source)),
                )
            self._interval.labels(source).set(seconds)
        self.standing.load(len(intervals))

    def run_started(self, source: str, slot: datetime | None) -> None:
        """Note that a run of *source* has begun."""
        del slot
        if source in self._disk.sources:
            self._running.labels(source).set(1)

    def run_ended(self, ended: RunEnded) -> None:
        """Count a run that is over; not of a source that has left the schedule: its figures are gone."""
        if (trouble := _STORE_TROUBLE.get(ended.exit_code)) is not None:
            self.standing.note_store(trouble)
        elif ended.report and ended.report.get("run"):  # it held a lease, so the store answered
            self.standing.note_store(None)
        if ended.source not in self._disk.sources:
            return
        self._running.labels(ended.source).set(0)
        if (slot := _judge_slot(ended)) is not None:
            self._sums.add_slot(ended.source, slot)
        outcome = Outcome.of(ended.exit_code, ended.killed)
        self._sums.add_run(ended.source, outcome, ended.seconds, ended.report)
        self._last.note(
            ended.source,
            ended.exit_code,
            ended.report,
            ended=ended.started.timestamp() + ended.seconds,
            seconds=ended.seconds,
        )

    def slot_passed(self, source: str, slot: datetime, outcome: str) -> None:
        """Count a slot that was settled without a run."""
        del slot
        if source in self._disk.sources:
            self._sums.add_slot(source, outcome)

    def tick(self, now: datetime) -> None:
        """Look how sources stand, once a minute. That the loop turns is no news of this: `pulse` tells it."""
        self._look(now)

    async def pulse(self, stopping: asyncio.Event) -> None:
        """Note each second that the loop turns, and how late; runs in the daemon's loop until it is cancelled.

        *stopping*: set once the daemon was asked to end.
        """
        loop = asyncio.get_running_loop()
        while True:
            wanted = loop.time() + PULSE_SECONDS
            self.standing.turn()
            if stopping.is_set():
                self.standing.drain()
                await asyncio.sleep(PULSE_SECONDS)
            else:
                with suppress(TimeoutError):
                    await asyncio.wait_for(stopping.wait(), PULSE_SECONDS)
            self._loop_lag.set(max(0.0, loop.time() - wanted))

    def _look(self, now: datetime) -> None:
        if self._read is None or time.monotonic() - self._looked < HEALTH_SECONDS:
            return
        try:
            self.note_health(self._read(now))
        except (ArchiveError, OSError) as error:  # a full disk, most likely, which has a figure of its own
            log.warning("failed_metrics", error=str(error))
        finally:  # what is broken is not tried all the time
            self._looked = time.monotonic()

    def note_health(self, healths: Sequence[SourceHealth]) -> None:
        """Take in how sources stand."""
        for health in healths:
            source = health.source
            if source not in self._disk.sources:
                continue
            for state in State:
                self._state.labels(source, state.value).set(state is health.state)
            self._last.recall(source, ended=None, succeeded=_to_seconds(health.figures.last_success))
            if health.figures.lag is not None:
                self._lag.labels(source).set(health.figures.lag.total_seconds())
            kinds = {reason.kind for reason in health.reasons}
            for kind in kinds:
                self._reason.labels(source, kind).set(1)
            for kind in self._kinds.get(source, set()) - kinds:
                self._reason.remove(source, kind)
            self._kinds[source] = kinds

    def _forget(self, source: str) -> None:
        for family in (self._interval, self._running, self._state, self._reason, self._lag):
            family.remove_by_labels({"source": source})
        self._kinds.pop(source, None)
        self._last.forget(source)
        self._sums.forget(source)


def _judge_slot(ended: RunEnded) -> Slot | None:
    """Return what became of the slot of a run; `None`: it was for none, or was stopped before it began anything."""
    run = bool(ended.report and ended.report.get("run"))
    if ended.slot is None or (ended.killed == "stop" and not run):
        return None
    if ended.exit_code == ExitCode.LOCKED and not run:
        return Slot.SKIPPED
    if ended.exit_code == ExitCode.DONE or (
        run and (ended.killed == "stop" or ended.exit_code == ExitCode.STORE_REFUSED)
    ):
        return Slot.LATE if is_late(ended.slot, ended.started) else Slot.DONE
    return Slot.FAILED


def _to_seconds(at: datetime | None) -> float | None:
    return None if at is None else at.timestamp()


class _DiskCollector(Collector):
    """Looks at the spools and their disk when it is asked: while a run hangs on a store, no report tells of them."""

    def __init__(self, state: Path) -> None:
        self.sources: frozenset[str] = frozenset()
        self._state = state
        self._lock = threading.Lock()
        self._looked = -_LOOK_SECONDS
        self._found: list[Metric] = []

    def watch(self, sources: frozenset[str]) -> None:
        """Look at the spools of *sources* from now on."""
        with self._lock:
            self.sources, self._looked = sources, -_LOOK_SECONDS

    def describe(self) -> Iterable[Metric]:
        """Return the families without samples: nothing is looked at when the collector is registered."""
        return self._make_families()

    def collect(self) -> Iterator[Metric]:
        """Yield what the last look found, or a new one."""
        with self._lock:
            now = time.monotonic()
            if now - self._looked >= _LOOK_SECONDS:
                self._found, self._looked = self._look(), now
            yield from self._found

    def _make_families(self) -> list[GaugeMetricFamily]:
        return [
            GaugeMetricFamily("ofrecord_spool_segments", SPOOL_SEGMENTS, labels=["source"]),
            GaugeMetricFamily("ofrecord_spool_bytes", SPOOL_BYTES, labels=["source"]),
            GaugeMetricFamily("ofrecord_disk_free_bytes", "Room on the disk of the state folder."),
            GaugeMetricFamily("ofrecord_disk_size_bytes", "Size of the disk of the state folder."),
        ]

    def _look(self) -> list[Metric]:
        segments, size_bytes, free, size = families = self._make_families()
        try:
            for source in sorted(self.sources):
                spool = self._state / "spool" / source
                use = measure_spool(spool) if spool.is_dir() else None
                segments.add_metric([source], use.segments if use else 0)
                size_bytes.add_metric([source], use.size_bytes if use else 0)
            disk = os.statvfs(self._state)
            free.add_metric([], disk.f_bavail * disk.f_frsize)
            size.add_metric([], disk.f_blocks * disk.f_frsize)
        except OSError as error:  # the other figures are needed all the more
            log.warning("failed_metrics", error=str(error))
        return list(families)
