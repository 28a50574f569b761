"""Figures of a daemon: what reports and outcomes become, what labels there are, when a daemon is alive and ready."""

from __future__ import annotations

import asyncio
import math
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from prometheus_client.parser import text_string_to_metric_families
from structlog.testing import capture_logs

from config.errors import ExitCode
from jobs.cli.options import _CRAWLING
from jobs.health import Figures, Reason, SourceHealth, State
from jobs.metrics.instruments import VERDICTS, Outcome
from jobs.metrics.observer import MetricsObserver
from jobs.metrics.standing import Standing
from jobs.runs.crawl import RunReport
from jobs.runs.ending import RunEnded
from jobs.schedule.outcomes import row_of_run
from tests.figures import expose, read_figures

if TYPE_CHECKING:
    from pathlib import Path

NOW = datetime(2026, 11, 27, 10, 0, tzinfo=UTC)
REPORT = RunReport(
    run="gazette-20261127T100000Z-0123456789abcdef",
    source="gazette",
    pages=7,
    verdicts={"new": 4, "revised": 2, "bad": 1},
    counts={"captures": 9, "articles": 8, "failed": 1, "bytes": 123_456, "not_modified": 3, "bytes_saved": 5_000},
    discovery=[{"url": "https://gazette.example/rss.xml?token=secret", "links": 8, "error": None}],
    segments=2,
    seconds=42.5,
    reason="finished",
    exit_code=ExitCode.DONE,
    problems=["https://gazette.example/ said <script>"],
    store_requests=31,
    store_retries=2,
).to_json()


class Clock:
    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


def end(code: int = 0, *, killed: str | None = None, report: dict[str, Any] | None = REPORT) -> RunEnded:
    return RunEnded("gazette", NOW, NOW, 42.5, code, report, killed)


@pytest.fixture
def observer(tmp_path: Path) -> MetricsObserver:
    observer = MetricsObserver(tmp_path)
    observer.expect({"gazette": 1_800.0})
    return observer


def test_a_source_that_never_ran_has_counters_at_nothing(observer: MetricsObserver) -> None:
    figures = read_figures(observer)
    assert figures['ofrecord_pages_total{source="gazette"}'] == 0
    assert figures['ofrecord_schedule_interval_seconds{source="gazette"}'] == 1_800
    assert {figures[f'ofrecord_verdicts_total{{source="gazette",verdict="{verdict}"}}'] for verdict in VERDICTS} == {0}
    assert 'ofrecord_last_run_timestamp_seconds{source="gazette"}' not in figures


def test_runs_add_up_and_the_last_one_stands(observer: MetricsObserver) -> None:
    observer.run_started("gazette", NOW)
    assert read_figures(observer)['ofrecord_run_in_progress{source="gazette"}'] == 1
    observer.run_ended(end())
    observer.run_ended(end())
    figures = read_figures(observer)
    sums = {
        "pages": 14,
        "failed_pages": 2,
        "captures": 18,
        "not_modified": 6,
        "fetched_bytes": 246_912,
        "saved_bytes": 10_000,
        "segments": 4,
        "store_requests": 62,
        "store_retries": 4,
    }
    assert {name: figures[f'ofrecord_{name}_total{{source="gazette"}}'] for name in sums} == sums
    last: dict[str, float] = {
        "pages": 7,
        "failed_pages": 1,
        "fetched_bytes": 123_456,
        "store_requests": 31,
        "store_retries": 2,
    }
    last |= {"exit_code": 0, "duration_seconds": 42.5, "timestamp_seconds": NOW.timestamp() + 42.5}
    assert {name: figures[f'ofrecord_last_run_{name}{{source="gazette"}}'] for name in last} == last
    assert figures['ofrecord_runs_total{source="gazette",outcome="done"}'] == 2
    assert figures['ofrecord_verdicts_total{source="gazette",verdict="revised"}'] == 4
    assert figures['ofrecord_run_duration_seconds_bucket{le="60.0"}'] == 2
    assert figures['ofrecord_run_duration_seconds_bucket{le="30.0"}'] == 0
    assert figures['ofrecord_run_in_progress{source="gazette"}'] == 0


def test_the_last_success_outlives_a_failure(observer: MetricsObserver) -> None:
    observer.run_ended(end())
    observer.run_ended(RunEnded("gazette", NOW, NOW + timedelta(hours=1), 5.0, -9, None))
    figures = read_figures(observer)
    assert figures['ofrecord_last_success_timestamp_seconds{source="gazette"}'] == NOW.timestamp() + 42.5
    assert figures['ofrecord_last_run_timestamp_seconds{source="gazette"}'] == NOW.timestamp() + 3_605
    assert figures['ofrecord_last_run_exit_code{source="gazette"}'] == -9
    assert figures['ofrecord_last_run_pages{source="gazette"}'] == 0
    assert figures['ofrecord_runs_total{source="gazette",outcome="crashed"}'] == 1


@pytest.mark.parametrize("code", [*_CRAWLING, ExitCode.DONE, ExitCode.FAILED, ExitCode.USAGE, ExitCode.DAMAGE])
def test_each_exit_code_of_a_run_is_an_outcome(code: ExitCode) -> None:
    assert Outcome.of(code).value == code.name.lower()


@pytest.mark.parametrize(
    ("code", "killed", "outcome"),
    [
        (-15, "stop", Outcome.KILLED_STOP),
        (-9, "time", Outcome.KILLED_TIME),
        (0, "memory", Outcome.KILLED_MEMORY),
        (-11, None, Outcome.CRASHED),
        (77, None, Outcome.CRASHED),
        (3, "a reason\nof nobody", Outcome.CRAWL_FAILED),
    ],
)
def test_what_no_exit_code_tells(code: int, killed: str | None, outcome: Outcome) -> None:
    assert Outcome.of(code, killed) is outcome


def test_labels_are_sources_and_words_of_enumerations(observer: MetricsObserver) -> None:
    """What a page, a server or a report of a strange process says makes no series."""
    strange = {**REPORT, "https://gazette.example/": 5, "new": "many", "pages": math.nan, "bytes": -5, "segments": None}
    observer.run_ended(end(99, killed="x" * 5_000, report=strange))
    observer.slot_passed("gazette", NOW, "scheduled")
    observer.slot_passed("gazette", NOW, "https://gazette.example/")
    words = {*Outcome, *VERDICTS, *State, "done", "late", "failed", "skipped", "missed"}
    text = expose(observer)
    assert "example" not in text
    assert "secret" not in text
    labels = [sample.labels for family in text_string_to_metric_families(text) for sample in family.samples]
    assert {label.get("source", "gazette") for label in labels} == {"gazette"}
    told = {label[name] for label in labels for name in label if name in {"outcome", "verdict", "state"}}
    assert told <= words
    assert {name for label in labels for name in label} == {"source", "outcome", "verdict", "le", "version"}
    figures = read_figures(observer)
    assert figures['ofrecord_pages_total{source="gazette"}'] == 0
    assert figures['ofrecord_fetched_bytes_total{source="gazette"}'] == 0


def test_slots_are_counted_by_outcome(observer: MetricsObserver) -> None:
    observer.slot_passed("gazette", NOW, "missed")
    observer.slot_passed("gazette", NOW, "skipped")
    observer.slot_passed("gazette", NOW, "missed")
    figures = read_figures(observer)
    slots = {
        name: figures[f'ofrecord_slots_total{{source="gazette",outcome="{name}"}}']
        for name in ("missed", "skipped", "done")
    }
    assert slots == {"missed": 2, "skipped": 1, "done": 0}


@pytest.mark.parametrize(
    ("late", "code", "killed", "report", "outcome"),
    [
        (0, 0, None, REPORT, "done"),
        (600, 0, None, REPORT, "done"),
        (601, 0, None, REPORT, "late"),
        (0, 12, None, REPORT, "done"),
        (0, 12, None, {"run": ""}, "failed"),
        (0, 3, None, REPORT, "failed"),
        (0, -9, None, None, "failed"),
        (0, 11, None, {"run": ""}, "skipped"),
        (0, -9, "time", None, "failed"),
        (0, 0, "stop", REPORT, "done"),
        (0, 130, "stop", REPORT, "done"),
        (0, -9, "stop", None, None),
    ],
)
def test_the_slot_of_a_run(
    observer: MetricsObserver,
    late: int,
    code: int,
    killed: str | None,
    report: dict[str, Any] | None,
    outcome: str | None,
) -> None:
    """As the daemon notes it in the ledger."""
    ended = RunEnded("gazette", NOW, NOW + timedelta(seconds=late), 42.5, code, report, killed)
    observer.run_ended(ended)
    prefix = 'ofrecord_slots_total{source="gazette",outcome="'
    told = {name[len(prefix) : -2]: value for name, value in read_figures(observer).items() if name.startswith(prefix)}
    assert {name for name, value in told.items() if value} == ({outcome} if outcome else set())
    row = row_of_run(ended)
    if row is not None:
        assert row.outcome == outcome


def test_health_is_one_state_and_its_reasons(observer: MetricsObserver) -> None:
    silent = Reason("no_new_articles", "none for 9 hours", State.SILENT)
    ends = Reason("certificate_ends", "in 9 days", State.DEGRADED)
    observer.note_health([SourceHealth("gazette", State.SILENT, (silent, ends), NOW)])
    observer.note_health([SourceHealth("gazette", State.DEGRADED, (ends,), NOW)])
    figures = read_figures(observer)
    states = {state: figures[f'ofrecord_health_state{{source="gazette",state="{state}"}}'] for state in State}
    assert states == {"ok": 0, "degraded": 1, "silent": 0, "failing": 0, "blocked": 0}
    assert figures['ofrecord_health_reason{source="gazette",kind="certificate_ends"}'] == 1
    assert 'ofrecord_health_reason{source="gazette",kind="no_new_articles"}' not in figures


def test_health_knows_of_runs_before_this_daemon_and_of_the_lag(observer: MetricsObserver) -> None:
    before = Figures(last_success=NOW - timedelta(days=2), lag=timedelta(minutes=9))
    observer.note_health([SourceHealth("gazette", State.OK, (), NOW, figures=before)])
    figures = read_figures(observer)
    assert figures['ofrecord_last_success_timestamp_seconds{source="gazette"}'] == NOW.timestamp() - 172_800
    assert figures['ofrecord_lag_seconds{source="gazette"}'] == 540
    observer.run_ended(end())
    observer.note_health([SourceHealth("gazette", State.OK, (), NOW, figures=before)])
    figures = read_figures(observer)
    assert figures['ofrecord_last_success_timestamp_seconds{source="gazette"}'] == NOW.timestamp() + 42.5
    assert figures['ofrecord_lag_seconds{source="gazette"}'] == 540


def test_the_first_end_of_a_certificate(observer: MetricsObserver) -> None:
    for told in ("2026-12-24T12:00:00Z", datetime(2026, 12, 24, 12, tzinfo=UTC), None, "soon", 5):
        observer.run_ended(end(report={**REPORT, "certificate_end": told}))
        figures = read_figures(observer)
        assert figures['ofrecord_certificate_end_timestamp_seconds{source="gazette"}'] == 1_798_113_600


def test_a_source_that_leaves_the_schedule_leaves_the_figures(observer: MetricsObserver) -> None:
    observer.run_ended(end())
    observer.note_health([SourceHealth("gazette", State.OK, (), NOW)])
    assert len([name for name in read_figures(observer) if "gazette" in name]) > 30
    observer.expect({"herald": 3_600.0}, last_runs={"herald": NOW}, last_successes={"herald": None})
    figures = read_figures(observer)
    assert [name for name in figures if "gazette" in name] == []
    assert figures['ofrecord_last_run_timestamp_seconds{source="herald"}'] == NOW.timestamp()
    assert 'ofrecord_last_success_timestamp_seconds{source="herald"}' not in figures
    assert figures["ofrecord_scheduled_sources"] == 1


def test_a_schedule_that_is_loaded_again_begins_nothing_anew(observer: MetricsObserver) -> None:
    observer.run_ended(end())
    observer.expect({"gazette": 3_600.0}, last_runs={"gazette": NOW - timedelta(days=9)})
    figures = read_figures(observer)
    assert figures['ofrecord_pages_total{source="gazette"}'] == 7
    assert figures['ofrecord_last_run_timestamp_seconds{source="gazette"}'] == NOW.timestamp() + 42.5
    assert figures['ofrecord_schedule_interval_seconds{source="gazette"}'] == 3_600


def test_what_waits_on_the_disk_is_looked_at_and_not_only_told(tmp_path: Path, observer: MetricsObserver) -> None:
    folder = tmp_path / "spool" / "gazette" / "closed" / "one"
    folder.mkdir(parents=True)
    (folder / "a.warc.gz").write_bytes(bytes(1_000))
    figures = read_figures(observer)
    assert figures['ofrecord_spool_segments{source="gazette"}'] == 1
    assert figures['ofrecord_spool_bytes{source="gazette"}'] == 1_000
    assert 0 < figures["ofrecord_disk_free_bytes"] <= figures["ofrecord_disk_size_bytes"]


def test_a_disk_that_is_gone_takes_no_other_figure_along(tmp_path: Path) -> None:
    observer = MetricsObserver(tmp_path / "gone")
    observer.expect({"gazette": 1_800.0})
    figures = read_figures(observer)
    assert "ofrecord_disk_free_bytes" not in figures
    assert figures["ofrecord_scheduled_sources"] == 1


def test_a_loop_that_hangs_is_dead() -> None:
    clock = Clock()
    standing = Standing(stalled_seconds=60, clock=clock)
    assert standing.is_alive() == (False, "it is starting: the loop has not turned yet")
    assert math.isnan(standing.turned_at)
    standing.turn()
    clock.now += 59
    assert standing.is_alive().good
    clock.now += 2
    assert standing.is_alive() == (False, "the loop turned 61 s ago, at most 60 s are right: it hangs")
    standing.load(3)
    assert not standing.is_ready().good
    standing.turn()
    assert standing.is_alive().good
    assert standing.is_ready().good


def test_the_pulse_tells_that_the_loop_turns_how_late_and_that_it_ends(
    observer: MetricsObserver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("jobs.metrics.observer.PULSE_SECONDS", 0.02)
    lags: list[float] = []

    async def turn() -> None:
        for _ in range(10):
            await asyncio.sleep(0)
            lags.append(observer.registry.get_sample_value("ofrecord_loop_lag_seconds") or 0)

    async def live() -> None:
        stopping = asyncio.Event()
        task = asyncio.create_task(observer.pulse(stopping))
        await turn()
        assert observer.standing.is_alive().good
        time.sleep(0.1)  # noqa: ASYNC251 - who holds up the loop is what it is about
        await turn()
        assert 0.05 < max(lags) < 60
        before = observer.standing.draining
        stopping.set()
        await turn()
        assert (before, observer.standing.draining) == (False, True)
        task.cancel()

    asyncio.run(live())


def test_health_is_read_once_a_minute_and_a_failure_is_not_tried_all_the_time(tmp_path: Path) -> None:
    asked: list[datetime] = []

    def read(now: datetime) -> list[SourceHealth]:
        asked.append(now)
        if len(asked) == 1:
            raise OSError("the catalog is locked")
        return [SourceHealth("gazette", State.BLOCKED, (), now)]

    observer = MetricsObserver(tmp_path, read=read)
    observer.expect({"gazette": 1_800.0})
    with capture_logs() as logs:
        observer.tick(NOW)
    assert logs == [{"event": "failed_metrics", "log_level": "warning", "error": "the catalog is locked"}]
    observer.tick(NOW)
    assert len(asked) == 1
    observer._looked -= 60
    observer.tick(NOW + timedelta(minutes=1))
    observer.tick(NOW + timedelta(minutes=1))
    assert asked == [NOW, NOW + timedelta(minutes=1)]
    assert read_figures(observer)['ofrecord_health_state{source="gazette",state="blocked"}'] == 1


def test_what_ends_after_its_source_has_left_makes_no_series(observer: MetricsObserver) -> None:
    observer.expect({"herald": 1_800.0})
    observer.run_started("gazette", NOW)
    observer.run_ended(end(12))
    observer.slot_passed("gazette", NOW, "missed")
    observer.note_health([SourceHealth("gazette", State.OK, (), NOW)])
    assert [name for name in read_figures(observer) if "gazette" in name] == []
    observer.standing.turn()
    assert not observer.standing.is_ready().good, "what it found out of the store holds all the same"


def test_ready_is_who_has_a_schedule_and_a_store_and_was_not_asked_to_end(tmp_path: Path) -> None:
    observer = MetricsObserver(tmp_path)
    standing = observer.standing
    standing.turn()
    assert standing.is_ready() == (False, "the schedule is not loaded yet")
    observer.expect({"gazette": 1_800.0})
    assert standing.is_ready().good
    observer.run_ended(end(12))
    assert standing.is_ready() == (False, "the store refused the last run, or could not be reached")
    observer.run_ended(RunEnded("gazette", NOW, NOW, 0.1, 11, {**REPORT, "run": ""}))
    assert not standing.is_ready().good, "a run that was not begun tells nothing of the store"
    observer.run_ended(end())
    assert standing.is_ready().good
    observer.run_ended(RunEnded("gazette", NOW, NOW, 0.1, 10, None))
    assert standing.is_ready() == (False, "the last run found no archive at its place")
    observer.run_ended(end())
    standing.drain()
    assert standing.is_ready() == (False, "it was asked to end")
    assert standing.is_alive().good, "who drains must not be killed for it"
    figures = read_figures(observer)
    assert (figures["ofrecord_ready"], figures["ofrecord_draining"]) == (0, 1)
