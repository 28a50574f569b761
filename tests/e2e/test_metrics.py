"""The real command tells its figures: a run in a file, whatever it comes to; a daemon at its port, while it lives."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.crawls import Site, serve_site
from tests.figures import parse_figures
from tests.installation import Ofrecord, install

if TYPE_CHECKING:
    from collections.abc import Iterator
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
