"""What a daemon's runs come to: an observer of the daemon that keeps the figures which the server hands out."""

from __future__ import annotations

import os
import threading
import time
from typing import TYPE_CHECKING

import structlog
from prometheus_client import CollectorRegistry, Gauge, Info, ProcessCollector
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from config.errors import ExitCode
from config.settings import program_version
from jobs.health import State
from jobs.metrics.instruments import SPOOL_BYTES, SPOOL_SEGMENTS, LastRuns, Outcome, Sums
from jobs.metrics.standing import Standing
from jobs.runs.pressure import measure_spool

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from datetime import datetime
    from pathlib import Path

    from prometheus_client.core import Metric

    from jobs.health import SourceHealth
    from jobs.runs.ending import RunEnded

log = structlog.get_logger()

_LOOK_SECONDS = 10.0
"""A look at the spools holds for that long, however often somebody asks."""
_STORE_AWAY = "the store refused the last run, or could not be reached"


class MetricsObserver:
    """A RunObserver that counts. Called from the daemon's thread, read from the server's."""

    def __init__(self, state: Path, *, standing: Standing | None = None) -> None:
        """*state*: folder of the archive's local state, with the spools in it."""
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
        for source in self._disk.sources - set(intervals):
            self._forget(source)
        for source, seconds in intervals.items():
            if source not in self._disk.sources:
                self._sums.expect(source)
                self._running.labels(source).set(0)
                self._last.recall(
                    source,
                    ended=_to_seconds((last_runs or {}).get(source)),
                    succeeded=_to_seconds((last_successes or {}).get(source)),
                )
            self._interval.labels(source).set(seconds)
        self._disk.sources = frozenset(intervals)
        self.standing.load(len(intervals))

    def run_started(self, source: str, slot: datetime | None) -> None:
        """Note that a run of *source* has begun."""
        del slot
        self._running.labels(source).set(1)

    def run_ended(self, ended: RunEnded) -> None:
        """Count a run that is over."""
        self._running.labels(ended.source).set(0)
        outcome = Outcome.of(ended.exit_code, ended.killed)
        self._sums.add_run(ended.source, outcome, ended.seconds, ended.report)
        self._last.note(
            ended.source,
            ended.exit_code,
            ended.report,
            ended=ended.started.timestamp() + ended.seconds,
            seconds=ended.seconds,
        )
        if ended.exit_code == ExitCode.STORE_REFUSED:
            self.standing.note_store(_STORE_AWAY)
        elif ended.report and ended.report.get("run"):  # it held a lease, so the store answered
            self.standing.note_store(None)

    def slot_settled(self, source: str, outcome: str) -> None:
        """Count a slot; *outcome*: a word of the ledger."""
        self._sums.add_slot(source, outcome)

    def slot_passed(self, source: str, slot: datetime, outcome: str) -> None:
        """Count a slot that was settled without a run."""
        del slot
        self._sums.add_slot(source, outcome)

    def tick(self, now: datetime) -> None:
        """Note that the daemon's loop turns."""
        del now
        self.standing.turn()

    def note_health(self, healths: Sequence[SourceHealth]) -> None:
        """Take in how sources stand."""
        for health in healths:
            source = health.source
            for state in State:
                self._state.labels(source, state.value).set(state is health.state)
            kinds = {reason.kind for reason in health.reasons}
            for kind in kinds:
                self._reason.labels(source, kind).set(1)
            for kind in self._kinds.get(source, set()) - kinds:
                self._reason.remove(source, kind)
            self._kinds[source] = kinds

    def note_loop_lag(self, seconds: float) -> None:
        """Note by how much too late the daemon's loop was woken."""
        self._loop_lag.set(max(0.0, seconds))

    def _forget(self, source: str) -> None:
        for family in (self._interval, self._running, self._state, self._reason):
            family.remove_by_labels({"source": source})
        self._kinds.pop(source, None)
        self._last.forget(source)
        self._sums.forget(source)


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
