"""The real command tells its figures: a run in a file, whatever it comes to; a daemon at its port, while it lives."""

from __future__ import annotations

import json
import signal
import threading
import time
import urllib.error
import urllib.request
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest

from tests.crawls import Site, serve_site
from tests.figures import parse_figures
from tests.installation import Ofrecord, install

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


@pytest.fixture
def site() -> Iterator[Site]:
    with serve_site() as site:
        site.publish(3)
        yield site


@pytest.fixture
def file(tmp_path: Path) -> Path:
    folder = tmp_path / "textfile"
    folder.mkdir()
    return folder / "ofrecord.prom"


@pytest.fixture
def ofrecord(site: Site, tmp_path: Path) -> Ofrecord:
    return install(tmp_path, site.describe_source())


def figures_of(file: Path) -> dict[str, float]:
    return {
        name.replace('{source="gazette"}', ""): value for name, value in parse_figures(file.read_text("utf-8")).items()
    }


def test_a_crawl_and_a_job_leave_what_their_reports_say(ofrecord: Ofrecord, file: Path) -> None:
    report = ofrecord("crawl", "gazette", "--json", "--metrics-file", file).json()
    figures = figures_of(file)
    told = {"pages": "pages", "failed_pages": "failed", "fetched_bytes": "bytes", "segments": "segments"}
    assert {name: figures[f"ofrecord_last_run_{name}"] for name in told} == {
        name: report[key] for name, key in told.items()
    }
    assert report["pages"] == 3
    assert figures['ofrecord_last_run_verdicts{source="gazette",verdict="new"}'] == 3
    assert figures["ofrecord_last_run_duration_seconds"] == report["seconds"]
    assert figures["ofrecord_last_success_timestamp_seconds"] == figures["ofrecord_last_run_timestamp_seconds"]
    ofrecord("job", "--recheck", "all", "--metrics-file", file)
    again = figures_of(file)
    assert again['ofrecord_last_run_verdicts{source="gazette",verdict="unchanged"}'] == 3
    assert again["ofrecord_last_run_timestamp_seconds"] > figures["ofrecord_last_run_timestamp_seconds"]


def test_a_run_that_fails_says_so_and_when_the_last_one_did_not(ofrecord: Ofrecord, site: Site, file: Path) -> None:
    environment = {**ofrecord.environment, "OFRECORD_METRICS_FILE": str(file)}
    ofrecord = Ofrecord(ofrecord.config, ofrecord.home, environment)
    ofrecord("crawl", "gazette")
    before = figures_of(file)
    del site.answers["/rss.xml"]
    ofrecord("crawl", "gazette", code=3)
    figures = figures_of(file)
    assert figures["ofrecord_last_run_exit_code"] == figures["ofrecord_command_exit_code"] == 3
    assert figures["ofrecord_last_run_timestamp_seconds"] > before["ofrecord_last_run_timestamp_seconds"]
    assert figures["ofrecord_last_success_timestamp_seconds"] == before["ofrecord_last_success_timestamp_seconds"]


def test_an_archive_that_is_gone_is_the_trouble_of_every_source(ofrecord: Ofrecord, file: Path, tmp_path: Path) -> None:
    ofrecord("crawl", "gazette", "--metrics-file", file)
    (tmp_path / "archive").rename(tmp_path / "elsewhere")
    ofrecord("job", "--metrics-file", file, code=10)
    figures = figures_of(file)
    assert figures["ofrecord_last_run_exit_code"] == 10
    assert figures["ofrecord_last_success_timestamp_seconds"] < figures["ofrecord_last_run_timestamp_seconds"]


def test_broken_settings_are_told_where_the_command_line_names_the_file(ofrecord: Ofrecord, file: Path) -> None:
    ofrecord("crawl", "gazette", "--metrics-file", file)
    before = figures_of(file)
    (ofrecord.config / "settings.yaml").write_text("max_depth: many\n", "utf-8")
    ofrecord("crawl", "gazette", "--metrics-file", file, code=2)
    figures = figures_of(file)
    assert figures["ofrecord_command_exit_code"] == 2
    assert figures["ofrecord_last_run_pages"] == before["ofrecord_last_run_pages"] == 3
    assert figures["ofrecord_last_run_exit_code"] == 0, "no run of it was tried"


def test_a_run_without_figures_does_not_pay_for_them(ofrecord: Ofrecord) -> None:
    result = Ofrecord(ofrecord.config, ofrecord.home, {"PYTHONPROFILEIMPORTTIME": "1"})("crawl", "gazette")
    assert "jobs.runs.crawl" in result.stderr
    assert "prometheus_client" not in result.stderr


class Watched:
    """A daemon that runs, with its port and its log."""

    def __init__(self, ofrecord: Ofrecord, *words: str) -> None:
        self.process = ofrecord.start("daemon", *words)
        self.lines: list[dict[str, Any]] = []
        self.told = threading.Condition()
        self.thread = threading.Thread(target=self._read)
        self.thread.start()
        self.url = str(self.wait_for("served_metrics")["address"])

    def _read(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            with self.told:
                self.lines.append(json.loads(line) if line.startswith("{") else {"event": line})
                self.told.notify_all()

    def wait_for(self, event: str, **keys: object) -> dict[str, Any]:
        def find() -> dict[str, Any] | None:
            return next((line for line in self.lines if {"event": event, **keys}.items() <= line.items()), None)

        with self.told:
            assert self.told.wait_for(lambda: find() is not None, 60), self.lines
            found = find()
        assert found is not None
        return found

    def ask(self, path: str) -> tuple[int, str]:
        try:
            with urllib.request.urlopen(self.url + path, timeout=10) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode()

    def wait_until(self, wanted: Callable[[dict[str, float]], bool]) -> dict[str, float]:
        deadline = time.monotonic() + 60
        while True:
            figures = parse_figures(self.ask("/metrics")[1])
            if wanted(figures):
                return figures
            assert time.monotonic() < deadline, figures
            time.sleep(0.1)

    def end(self) -> int:
        if self.process.poll() is None:
            self.process.terminate()
        try:
            return self.process.wait(60)
        finally:
            self.process.kill()
            self.thread.join()
            for stream in (self.process.stdout, self.process.stderr):
                assert stream is not None
                stream.close()


@pytest.fixture
def start(site: Site, tmp_path: Path) -> Iterator[Callable[..., Watched]]:
    running: list[Watched] = []
    source = {**site.describe_source(), "schedule": "every 12 hours"}

    def begin() -> Watched:
        ofrecord = install(tmp_path, source, metrics_listen="127.0.0.1:0", metrics_file=str(tmp_path / "a.prom"))
        running.append(Watched(ofrecord))
        return running[-1]

    yield begin
    for watched in running:
        watched.end()


def test_a_daemon_tells_what_its_runs_come_to(start: Callable[..., Watched], tmp_path: Path) -> None:
    daemon = start()
    figures = daemon.wait_until(lambda found: found.get('ofrecord_runs_total{source="gazette",outcome="done"}') == 1)
    assert figures['ofrecord_pages_total{source="gazette"}'] == 3
    assert figures['ofrecord_verdicts_total{source="gazette",verdict="new"}'] == 3
    assert figures['ofrecord_last_run_exit_code{source="gazette"}'] == 0
    assert figures['ofrecord_schedule_interval_seconds{source="gazette"}'] == 43_200
    assert figures["ofrecord_scheduled_sources"] == 1
    assert figures["ofrecord_ready"] == 1
    assert 20e6 < figures["process_resident_memory_bytes"] < 500e6
    daemon.wait_until(lambda found: any(name.startswith("ofrecord_health_state") for name in found))
    assert daemon.ask("/healthz")[0] == 200
    assert daemon.ask("/readyz") == (200, "1 source has a schedule\n")
    assert daemon.ask("/metrics/../state")[0] == 404
    assert not (tmp_path / "a.prom").exists(), "what the port tells is not told twice"


def test_a_schedule_that_is_read_anew_is_counted_anew(start: Callable[..., Watched], tmp_path: Path) -> None:
    daemon = start()
    sources = tmp_path / "config" / "sources"
    daemon.wait_until(lambda found: found.get('ofrecord_runs_total{source="gazette",outcome="done"}') == 1)
    (sources / "gazette.yaml").rename(sources / "herald.yaml")
    daemon.process.send_signal(signal.SIGHUP)
    daemon.wait_until(lambda found: 'ofrecord_schedule_interval_seconds{source="herald"}' in found)
    figures = parse_figures(daemon.ask("/metrics")[1])  # anew: the one before may have been written out meanwhile
    assert not [name for name in figures if "gazette" in name]


def test_who_drains_is_alive_and_not_ready(start: Callable[..., Watched], site: Site) -> None:
    site.answers["/2026/1"].seconds = 4
    daemon = start()
    daemon.wait_until(
        lambda found: found.get('ofrecord_run_in_progress{source="gazette"}') == 1 and "/2026/1" in site.paths
    )
    daemon.process.terminate()
    seen: set[tuple[str, int, str]] = set()
    with suppress(OSError):  # once it is over
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            seen |= {(path, *daemon.ask(path)) for path in ("/readyz", "/healthz")}
    assert ("/readyz", 503, "it was asked to end\n") in seen
    assert {status for path, status, _ in seen if path == "/healthz"} == {200}
    assert daemon.process.wait(60) == 0


def test_a_port_that_is_taken_ends_the_daemon_before_anything_starts(
    start: Callable[..., Watched], site: Site, tmp_path: Path
) -> None:
    first = start()
    first.wait_until(lambda found: found.get('ofrecord_runs_total{source="gazette",outcome="done"}') == 1)
    place = first.url.removeprefix("http://")
    source = {**site.describe_source(), "schedule": "every 12 hours"}
    (tmp_path / "second").mkdir()
    second = install(tmp_path / "second", source, metrics_listen=place)
    before = len(site.requests)
    result = second("daemon", code=2)
    assert f"metrics_listen: found {place}, which cannot be listened at (Address already in use)" in result.stderr
    assert len(site.requests) == before
