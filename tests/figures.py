"""What a registry of figures hands out, read back as Prometheus would; and one in which every figure is told."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from prometheus_client import generate_latest
from prometheus_client.parser import text_string_to_metric_families

from jobs.health import Figures, Reason, SourceHealth, State
from jobs.metrics.observer import MetricsObserver
from jobs.metrics.textfile import RunTold, write_textfile
from jobs.runs.ending import RunEnded

if TYPE_CHECKING:
    from pathlib import Path


def expose(observer: MetricsObserver) -> str:
    """Return the exposition of all figures."""
    return generate_latest(observer.registry).decode()


def parse_figures(text: str) -> dict[str, float]:
    """Return sample → value, named as in `ofrecord_runs_total{source="gazette",outcome="done"}`: source first."""
    figures: dict[str, float] = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            labels = sorted(sample.labels.items(), key=lambda pair: (pair[0] != "source", pair[0]))
            shown = ",".join(f'{name}="{value}"' for name, value in labels)
            name = f"{sample.name}{{{shown}}}" if shown else sample.name
            assert name not in figures, f"{name} is told twice"
            figures[name] = sample.value
    return figures


def read_figures(observer: MetricsObserver) -> dict[str, float]:
    """Return what `parse_figures` finds in *observer*'s exposition."""
    return parse_figures(expose(observer))


NOW = datetime(2026, 11, 27, 10, 0, tzinfo=UTC)
REPORT: dict[str, Any] = {
    "run": "gazette-20261127T100000Z-0123456789abcdef",
    "source": "gazette",
    "pages": 7,
    "new": 4,
    "captures": 9,
    "failed": 1,
    "bytes": 123_456,
    "segments": 2,
    "spool_segments": 1,
    "spool_bytes": 99,
    "store_requests": 31,
    "store_retries": 2,
    "certificate_end": "2026-12-24T12:00:00Z",
}


def make_observer(state: Path) -> MetricsObserver:
    """Return the observer of a daemon to which everything has happened that there is a figure of."""
    observer = MetricsObserver(state)
    observer.expect({"gazette": 1_800.0}, last_runs={"gazette": NOW}, last_successes={"gazette": NOW})
    observer.run_started("gazette", NOW)
    observer.run_ended(RunEnded("gazette", NOW, NOW, 42.5, 0, REPORT))
    observer.slot_passed("gazette", NOW, "missed")
    silent = Reason("no_new_articles", "none for 9 hours", State.SILENT)
    observer.note_health(
        [SourceHealth("gazette", State.SILENT, (silent,), NOW, figures=Figures(lag=timedelta(minutes=9)))]
    )
    observer.standing.turn()
    return observer


def leave_file(path: Path) -> str:
    """Return what a single run leaves at *path*."""
    run = RunTold("gazette", 0, NOW.timestamp(), 42.5, REPORT)
    write_textfile(path, [run], exit_code=0, ended=NOW.timestamp(), sources=None)
    return path.read_text("utf-8")
