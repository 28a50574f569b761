"""Every figure there is: its name, its help, its labels. Reports of runs in, samples of a registry out.

Labels are a source's id and words of a few enumerations, never an URL, a host or a message: what a page says must not
decide how many series there are. Figures of the last run are gauges, and the same for a daemon and for a single run.
"""

from __future__ import annotations

import math
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any, TypeAlias

from prometheus_client import Counter, Gauge, Histogram, disable_created_metrics

from config.errors import ExitCode
from jobs.fold import Verdict
from jobs.ledger import Outcome as Slot

disable_created_metrics()  # type: ignore[no-untyped-call]  # a second series for each counter, which nobody asks for

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from prometheus_client import CollectorRegistry
    from prometheus_client.samples import Sample

Report: TypeAlias = "Mapping[str, Any]"
"""What RunReport.to_json says of a run; foreign text, for it came from another process."""

VERDICTS = (*(verdict.value for verdict in Verdict), "unread")
_RUN_SECONDS = (10, 30, 60, 300, 900, 1_800, 3_600, 7_200, 21_600)

_LAST = (
    ("pages", "pages", "Article pages whose answer the source's last run recorded."),
    ("failed_pages", "failed", "Article pages that the source's last run could not have."),
    ("fetched_bytes", "bytes", "Bytes of bodies that the source's last run fetched, as on the wire."),
    ("store_requests", "store_requests", "Requests that the store got from the source's last run."),
    ("store_retries", "store_retries", "Requests to the store that the source's last run sent again."),
    ("segments", "segments", "Segments that the source's last run committed."),
)
"""Name, key of the report and help of gauges that stand at 0 where a run told nothing."""
_SUMS = (
    ("pages", "pages", "Article pages whose answer was recorded."),
    ("failed_pages", "failed", "Article pages that could not be had."),
    ("captures", "captures", "Exchanges recorded, those of feeds and sitemaps included."),
    ("not_modified", "not_modified", "Pages that were as they were by their server's word (304)."),
    ("fetched_bytes", "bytes", "Bytes of bodies fetched, as on the wire."),
    ("saved_bytes", "bytes_saved", "Bytes that were not fetched since a server said that a page is as it was."),
    ("segments", "segments", "Segments committed."),
    ("store_requests", "store_requests", "Requests to the store, those sent again included."),
    ("store_retries", "store_retries", "Requests to the store that were sent again."),
)
"""The same of counters."""


SLOT_OUTCOMES = tuple(outcome.value for outcome in Slot if not outcome.is_mark)
SPOOL_SEGMENTS = "Segments of the source on this disk that wait to be committed."
SPOOL_BYTES = "Bytes of the source's segments on this disk that wait to be committed."


class Outcome(StrEnum):
    """How a run ended, as a label: the exit codes by name, and what no code tells."""

    DONE = "done"
    FAILED = "failed"
    USAGE = "usage"
    CRAWL_FAILED = "crawl_failed"
    DISK_FULL = "disk_full"
    NOT_TOLD = "not_told"
    NO_ARCHIVE = "no_archive"
    LOCKED = "locked"
    STORE_REFUSED = "store_refused"
    DAMAGE = "damage"
    INTERRUPTED = "interrupted"
    CRASHED = "crashed"
    """A signal ended its process, or a code of none of ours."""
    KILLED_TIME = "killed_time"
    """By the daemon, as the other two: it took too long."""
    KILLED_MEMORY = "killed_memory"
    KILLED_STOP = "killed_stop"

    @classmethod
    def of(cls, exit_code: int, killed: str | None = None) -> Outcome:
        """Return the outcome of a run that ended with *exit_code*; *killed*: why the daemon ended it, if it did."""
        word = f"killed_{killed}" if killed else ""
        if word in set(cls):
            return cls(word)
        name = ExitCode(exit_code).name.lower() if exit_code in set(ExitCode) else ""
        return cls(name) if name in set(cls) else cls.CRASHED


class LastRuns:
    """Gauges of each source's last run: the same whether a daemon serves them or a single run leaves them in a file."""

    def __init__(self, registry: CollectorRegistry, *, live: bool) -> None:
        """*live*: in a daemon, which looks at the spools itself and has counters of verdicts."""
        self._gauges: dict[str, Gauge] = {}
        self._known: dict[tuple[Gauge, str], float] = {}
        self._registry = registry
        self._ended = self._add(
            "last_run_timestamp_seconds", "When the source's last run ended, in seconds since 1970."
        )
        self._succeeded = self._add(
            "last_success_timestamp_seconds", "When the source's last run of exit code 0 ended, in seconds since 1970."
        )
        self._code = self._add(
            "last_run_exit_code", "Exit code of the source's last run; negative: the signal that ended it."
        )
        self._seconds = self._add("last_run_duration_seconds", "How long the source's last run took.")
        self._certificate = self._add(
            "certificate_end_timestamp_seconds",
            "When the first of the certificates that the source's hosts showed ends, in seconds since 1970.",
        )
        self._figures = [(self._add(f"last_run_{name}", text), key) for name, key, text in _LAST]
        self._verdicts: Gauge | None = None
        if not live:
            self._figures.append((self._add("spool_segments", SPOOL_SEGMENTS), "spool_segments"))
            self._figures.append((self._add("spool_bytes", SPOOL_BYTES), "spool_bytes"))
            self._verdicts = self._add(
                "last_run_verdicts", "Captures of articles in the source's last run, by what they mean.", "verdict"
            )

    def _add(self, name: str, text: str, *labels: str) -> Gauge:
        made = Gauge(f"ofrecord_{name}", text, ("source", *labels), registry=self._registry)
        self._gauges[f"ofrecord_{name}"] = made
        return made

    def note(self, source: str, exit_code: int, report: Report | None, *, ended: float, seconds: float) -> None:
        """Note how a run of *source* went that *ended* then, in seconds since 1970. *report*: `None`: none came."""
        told = report or {}
        self._set_time(self._ended, source, ended)
        self._code.labels(source).set(exit_code)
        self._seconds.labels(source).set(seconds)
        if exit_code == 0:
            self._set_time(self._succeeded, source, ended)
        for gauge, key in self._figures:
            gauge.labels(source).set(read_number(told, key))
        if self._verdicts is not None:
            for verdict in VERDICTS:
                self._verdicts.labels(source, verdict).set(read_number(told, verdict))
        if (end := _read_time(told, "certificate_end")) is not None:
            self._certificate.labels(source).set(end)

    def recall(self, source: str, *, ended: float | None, succeeded: float | None = None) -> None:
        """Note when the last run and the last good one ended that others know of, in seconds since 1970.

        What was noted here is kept where it is later: a run by hand, or on another machine, may have come after.
        """
        for gauge, at in ((self._ended, ended), (self._succeeded, succeeded)):
            if at is not None and at > self._known.get((gauge, source), 0.0):
                self._set_time(gauge, source, at)

    def _set_time(self, gauge: Gauge, source: str, at: float) -> None:
        self._known[gauge, source] = at
        gauge.labels(source).set(at)

    def forget(self, source: str) -> None:
        """Drop all that is said of *source*."""
        for gauge in self._gauges.values():
            self._known.pop((gauge, source), None)
            gauge.remove_by_labels({"source": source})

    def restore(self, samples: Iterable[Sample], sources: frozenset[str] | None) -> None:
        """Take over what an earlier file said of *sources* (`None`: of any); all else in it is left out."""
        for sample in samples:
            gauge = self._gauges.get(sample.name)
            labels = sample.labels
            if gauge is None or (sources is not None and labels.get("source") not in sources):
                continue
            wanted = {"source", "verdict"} if gauge is self._verdicts else {"source"}
            if set(labels) == wanted and labels.get("verdict", "new") in VERDICTS:
                gauge.labels(**labels).set(sample.value)


class Sums:
    """Counters over all runs that a daemon has seen."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._runs = Counter(
            "ofrecord_runs_total", "Runs that ended, by how.", ("source", "outcome"), registry=registry
        )
        self._slots = Counter(
            "ofrecord_slots_total",
            "Slots of the schedule, by what became of them.",
            ("source", "outcome"),
            registry=registry,
        )
        self._verdicts = Counter(
            "ofrecord_verdicts_total",
            "Captures of articles, by what they mean for their article.",
            ("source", "verdict"),
            registry=registry,
        )
        self._seconds = Histogram(
            "ofrecord_run_duration_seconds", "How long runs took.", buckets=_RUN_SECONDS, registry=registry
        )
        self._figures = [
            (Counter(f"ofrecord_{name}_total", text, ("source",), registry=registry), key) for name, key, text in _SUMS
        ]

    def expect(self, source: str) -> None:
        """Let the counters of *source* begin at 0, so that its first run is an increase."""
        self._runs.labels(source, Outcome.DONE)
        for outcome in SLOT_OUTCOMES:
            self._slots.labels(source, outcome)
        for verdict in VERDICTS:
            self._verdicts.labels(source, verdict)
        for counter, _ in self._figures:
            counter.labels(source)

    def forget(self, source: str) -> None:
        """Drop all that is said of *source*."""
        for counter in (self._runs, self._slots, self._verdicts, *(counter for counter, _ in self._figures)):
            counter.remove_by_labels({"source": source})

    def add_run(self, source: str, outcome: Outcome, seconds: float, report: Report | None) -> None:
        """Count a run that is over."""
        told = report or {}
        self._runs.labels(source, outcome).inc()
        self._seconds.observe(max(0.0, seconds))
        for counter, key in self._figures:
            counter.labels(source).inc(max(0.0, read_number(told, key)))
        for verdict in VERDICTS:
            self._verdicts.labels(source, verdict).inc(max(0.0, read_number(told, verdict)))

    def add_slot(self, source: str, outcome: str) -> None:
        """Count a slot; *outcome*: one of SLOT_OUTCOMES, else it is no enumeration's and nothing is counted."""
        if outcome in SLOT_OUTCOMES:
            self._slots.labels(source, outcome).inc()


def _read_time(report: Report, key: str) -> float | None:
    """Return the time under *key* in seconds since 1970; `None` if there is none."""
    try:
        return datetime.fromisoformat(str(report.get(key))).timestamp()
    except (ValueError, OverflowError):
        return None


def read_number(report: Report, key: str) -> float:
    """Return the figure under *key*; 0 if the report has none there."""
    value = report.get(key)
    return float(value) if isinstance(value, int | float) and math.isfinite(value) else 0.0
