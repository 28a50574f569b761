"""Sources → APScheduler jobs: each slot of a source starts one run, a process of its own. Only importer of apscheduler.

Slots are anchored in the epoch, not in the daemon's start. A slot that was missed while the daemon was down is run
late, once; one that falls into a run of the same source is skipped and said.
"""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, TypeAlias

import structlog
from apscheduler.events import EVENT_JOB_MAX_INSTANCES, JobSubmissionEvent
from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.base import BaseTrigger
from apscheduler.triggers.cron import CronTrigger

from crawler.rows import format_time

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from config.settings import Settings
    from config.sources import Source

log = structlog.get_logger()

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_POLL_SECONDS = 0.5
_REPORT_SECONDS = 5.0
"""So long after its grace period may a run be at letting go of an upload and at its report."""


class EpochTrigger(BaseTrigger):  # type: ignore[misc]  # apscheduler has no types
    """Fires at whole multiples of an interval since the epoch, whatever was fired before and when."""

    def __init__(self, interval_seconds: int) -> None:
        self.interval = timedelta(seconds=interval_seconds)

    def get_next_fire_time(self, previous_fire_time: datetime | None, now: datetime) -> datetime:
        """Return the first slot not before *now* and later than *previous_fire_time*; for APScheduler."""
        passed = -(-(now - _EPOCH) // self.interval)
        if previous_fire_time is not None:
            passed = max(passed, (previous_fire_time - _EPOCH) // self.interval + 1)
        return _EPOCH + passed * self.interval


Trigger: TypeAlias = EpochTrigger | CronTrigger


def make_trigger(source: Source) -> Trigger:
    """Return the trigger of a source that has a schedule: epoch-anchored intervals, or cron in UTC."""
    schedule = source.parsed_schedule
    if schedule is None:
        raise ValueError(f"{source.id} has no schedule")
    if schedule.interval_seconds is not None:
        return EpochTrigger(schedule.interval_seconds)
    return CronTrigger.from_crontab(schedule.cron, timezone=UTC)


def find_slot(trigger: Trigger, after: datetime, now: datetime) -> datetime | None:
    """Return the latest slot later than *after* and not later than *now*, or `None` if there is none."""
    found = None
    if isinstance(trigger, EpochTrigger):
        passed = (now - _EPOCH) // trigger.interval
        slot = _EPOCH + passed * trigger.interval
        return slot if slot > after else None
    start = max(after, now - timedelta(days=2)) + timedelta(microseconds=1)
    upcoming = trigger.get_next_fire_time(None, start)
    while upcoming is not None and upcoming <= now:
        found = upcoming
        upcoming = trigger.get_next_fire_time(upcoming, upcoming + timedelta(microseconds=1))
    return found


class Daemon:
    """Starts runs when their slots come, and stops them in good order."""

    def __init__(self, settings: Settings, *, options: Sequence[str], max_runs: int | None) -> None:
        self._settings = settings
        self._options = list(options)
        self._max_runs = max_runs
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        self._runs: dict[str, int] = {}
        self._lock = threading.Lock()
        self._stopping = False
        self._scheduler = BackgroundScheduler(
            timezone=UTC,
            executors={"default": ThreadPoolExecutor(settings.daemon_concurrent_runs)},
            job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None},
        )
        self._scheduler.add_listener(self._note_skipped, EVENT_JOB_MAX_INSTANCES)

    def start(self, sources: Sequence[Source], last_runs: Mapping[str, datetime | None]) -> None:
        """Schedule *sources*; those whose last slot was missed, or that never ran, run at once."""
        for source in sources:
            trigger = make_trigger(source)
            now = datetime.now(UTC)
            last = last_runs.get(source.id)
            missed = last is None or find_slot(trigger, last, now) is not None
            self._runs[source.id] = 0
            first = {"next_run_time": now} if missed else {}
            self._scheduler.add_job(self._run, trigger, args=[source, trigger], id=source.id, **first)
            log.info("scheduled_source", source=source.id, schedule=source.schedule, at_once=missed)
        self._scheduler.start()

    @property
    def done(self) -> bool:
        """Whether every source has had its share of runs (never, unless `max_runs` is set)."""
        return self._max_runs is not None and all(count >= self._max_runs for count in self._runs.values())

    def stop(self) -> None:
        """Ask running crawls to end, wait the grace period and for their reports, kill what is left."""
        with self._lock:
            self._stopping = True
            running = list(self._running.values())
        for process in running:
            process.terminate()
        deadline = time.monotonic() + self._settings.grace_seconds + _REPORT_SECONDS
        for process in running:
            try:
                process.wait(max(0.0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
        while self._running:  # in pieces: a second Ctrl-C that comes just before a wait without end is not seen
            time.sleep(_POLL_SECONDS / 10)
        self._scheduler.shutdown(wait=True)

    def _run(self, source: Source, trigger: Trigger) -> None:
        slot = find_slot(trigger, _EPOCH, datetime.now(UTC))
        with self._lock:
            if self._stopping or (self._max_runs is not None and self._runs[source.id] >= self._max_runs):
                return
            process = subprocess.Popen(self._command(source, slot), stdin=subprocess.DEVNULL, start_new_session=True)
            self._running[source.id] = process
        code = process.wait()
        with self._lock:
            del self._running[source.id]
            self._runs[source.id] += 1
        if code:
            log.error("failed_run", source=source.id, exit_code=code)

    def _command(self, source: Source, slot: datetime | None) -> list[str]:
        command = [sys.executable, "-m", "jobs", "crawl", source.id, "--json", "--trigger", "daemon", *self._options]
        command += ["--archive", str(self._settings.archive), "--state", str(self._settings.resolve_state_dir())]
        return command + (["--slot", format_time(slot)] if slot else [])

    def _note_skipped(self, event: JobSubmissionEvent) -> None:
        log.warning("missed_run", source=event.job_id, reason="the run before is still going")


def run_daemon(
    sources: Sequence[Source],
    settings: Settings,
    last_runs: Mapping[str, datetime | None],
    *,
    options: Sequence[str],
    max_runs: int | None,
    stop: threading.Event,
) -> None:
    """Run until *stop* is set, or until each source has run *max_runs* times.

    *last_runs*: when each source was last crawled. *options*: passed on to `ofrecord crawl`.
    """
    daemon = Daemon(settings, options=options, max_runs=max_runs)
    daemon.start(sources, last_runs)
    while not stop.wait(_POLL_SECONDS) and not daemon.done:
        pass
    daemon.stop()
