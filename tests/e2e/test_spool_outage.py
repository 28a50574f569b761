"""The real command while the real store is away: nothing that was fetched is lost, and no hand is needed."""

from __future__ import annotations

import secrets
import signal
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from config.settings import Settings
from jobs.runs.spool import list_segments
from tests.crash.test_kill import find_children
from tests.crawls import Site, serve_site, wait_until
from tests.histories import check_archive, read_commits, read_histories
from tests.installation import Ofrecord, Result, install, install_on_s3
from tests.proxy import Proxy
from tests.states import state_of

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterator

    from tests.seaweed import S3Server

pytestmark = [pytest.mark.s3, pytest.mark.slow]

PAGES = 40


@pytest.fixture
def site() -> Iterator[Site]:
    with serve_site() as site:
        site.publish(PAGES)
        yield site


@pytest.fixture
def proxy(s3_environment: S3Server) -> Iterator[Proxy]:
    with Proxy(s3_environment.endpoint_url) as proxy:
        yield proxy


@dataclass
class Scene:
    """One source, its archive behind the proxy, and crawls that take some seconds and close several segments."""

    site: Site
    proxy: Proxy
    ofrecord: Ofrecord
    place: str
    settings: Settings
    spool: Path

    def start(self, **settings: Any) -> subprocess.Popen[str]:
        """Start a crawl and wait until pages come in."""
        begun = len(self.site.requests)
        variables = {f"OFRECORD_{name.upper()}": str(value) for name, value in settings.items()}
        command = Ofrecord(self.ofrecord.config, self.ofrecord.home, {**self.ofrecord.environment, **variables})
        process = command.start("crawl", "gazette", "--json")
        wait_until(lambda: len(self.site.requests) > begun + 3)
        return process

    def finish(self, process: subprocess.Popen[str], code: int) -> Result:
        out, errors = process.communicate(timeout=120)
        result = Result(process.args, process.returncode, out, errors)
        assert result.returncode == code, result
        assert "Traceback" not in errors, result
        return result

    def check_all_is_there(self) -> None:
        """Assert that every page was committed, once, and that nothing is left."""
        histories = read_histories(self.place, self.settings)
        articles = {url: history for (_, url), history in histories.items()}
        assert len(articles) == PAGES
        assert all(verdict == "new" for history in articles.values() for verdict, _, _ in history)
        commits = read_commits(self.place, self.settings)["gazette"]
        segments = [stored.commit.segment for stored in commits]
        assert len(set(segments)) == len(segments)
        assert not any(list_segments(self.spool / name) for name in ("open", "closed", "sealed", "gone", "damaged"))
        report = check_archive(self.place, self.settings)
        assert not report.damaged, [str(finding) for finding in report.findings]
        assert not report.uncommitted


@pytest.fixture
def scene(site: Site, proxy: Proxy, s3_environment: S3Server, tmp_path: Path) -> Scene:
    place = f"s3://{s3_environment.bucket}/{secrets.token_hex(4)}/news"
    source = site.describe_source(delay_seconds=0.1)
    ofrecord = install_on_s3(
        tmp_path, source, s3_environment, place, endpoint_url=proxy.url, segment_seconds=1, grace_seconds=3
    )
    settings = Settings(s3_endpoint_url=s3_environment.endpoint_url, s3_path_style=True)
    reached = settings.model_copy(update={"s3_endpoint_url": proxy.url})
    state = state_of(place, tmp_path / "state", reached)
    return Scene(site, proxy, ofrecord, place, settings, state / "spool" / "gazette")


def events(result: Result, name: str) -> list[dict[str, Any]]:
    return [event for event in result.events() if event["event"] == name]


def test_a_store_that_is_away_for_the_whole_crawl_gets_it_all_from_the_next_run(scene: Scene) -> None:
    process = scene.start()
    scene.proxy.stop_listening()
    result = scene.finish(process, code=12)
    report = result.json()
    assert (report["reason"], report["exit_code"], report["segments"]) == ("finished", 12, 0)
    assert report["spool_segments"] == sum(len(list_segments(scene.spool / name)) for name in ("closed", "sealed"))
    assert report["spool_segments"] >= 2
    assert report["spool_bytes"] > 10_000
    assert report["store_requests"] > 0
    assert len(scene.site.requests) == PAGES + 2
    (line,) = [line for line in result.stderr.splitlines() if line.startswith("ofrecord: ")]
    assert f"{report['spool_segments']} segments wait in {scene.spool} ({report['spool_bytes']} bytes)" in line
    assert "the next run commits" in line
    assert "cannot connect" in line
    assert read_commits(scene.place, scene.settings) == {}

    scene.proxy.listen()
    again = scene.ofrecord("crawl", "gazette", "--json").json()
    assert (again["spool_segments"], again["spool_bytes"]) == (0, 0)
    assert again["segments"] == report["spool_segments"] + 1
    scene.check_all_is_there()


def test_a_store_that_is_away_for_a_while_needs_no_second_run(scene: Scene) -> None:
    process = scene.start()
    scene.proxy.stop_listening()
    time.sleep(5)
    fetched = len(scene.site.requests)
    scene.proxy.listen()
    result = scene.finish(process, code=0)
    assert fetched > 20  # the crawl went on
    assert events(result, "failed_upload")
    assert result.json()["spool_segments"] == 0
    scene.check_all_is_there()


def test_a_store_that_hangs_keeps_nobody_from_stopping(scene: Scene) -> None:
    process = scene.start()
    scene.proxy.add("blackhole")
    wait_until(lambda: any(list_segments(scene.spool / name) for name in ("closed", "sealed")))
    time.sleep(1)
    process.send_signal(signal.SIGTERM)
    stopped = time.monotonic()
    result = scene.finish(process, code=12)
    assert time.monotonic() - stopped < 3 + 6  # the grace time, and to close the segment
    assert "grace_seconds" in result.stderr
    assert result.json()["reason"] == "stopped"
    assert len(scene.site.requests) < PAGES + 2

    scene.proxy.clear()
    scene.ofrecord("crawl", "gazette")
    scene.check_all_is_there()


def test_a_refusal_is_told_once_not_hammered_and_not_waited_for(scene: Scene) -> None:
    process = scene.start(grace_seconds=60)
    scene.proxy.add("status", 403, text="AccessDenied", method="PUT")
    before = scene.proxy.requests["PUT"]
    wait_until(lambda: len(scene.site.requests) == PAGES + 2)
    ended = time.monotonic()
    result = scene.finish(process, code=12)
    assert time.monotonic() - ended < 20
    assert scene.proxy.requests["PUT"] - before == 1
    assert len(events(result, "failed_upload")) == 1
    assert "access denied" in result.json()["problems"][-1]
    scene.proxy.clear()
    scene.ofrecord("crawl", "gazette")
    scene.check_all_is_there()


def test_a_spool_that_gets_long_pauses_fetching_until_the_store_is_back(scene: Scene) -> None:
    process = scene.start(spool_max_bytes=16_384)
    scene.proxy.stop_listening()
    previous = -1
    while len(scene.site.requests) != previous:
        previous = len(scene.site.requests)
        time.sleep(2)
    assert previous < PAGES
    scene.proxy.listen()
    result = scene.finish(process, code=0)
    assert "spool_max_bytes" in events(result, "paused_fetching")[0]["reason"]
    assert events(result, "resumed_fetching")
    scene.check_all_is_there()


def test_a_pause_does_not_outlast_the_time_of_the_run(scene: Scene) -> None:
    process = scene.start(spool_max_bytes=16_384, max_run_seconds=8)
    scene.proxy.stop_listening()
    result = scene.finish(process, code=12)
    report = result.json()
    assert report["reason"] == "limit"
    assert report["links"] > 0
    scene.proxy.listen()
    scene.ofrecord("crawl", "gazette")
    scene.check_all_is_there()


def test_a_parent_that_stands_still_loses_its_lease_and_its_child_stops_in_time(site: Site, tmp_path: Path) -> None:
    ofrecord = install(tmp_path, site.describe_source(delay_seconds=1.5), lease_seconds=30)
    began = time.monotonic()
    process = ofrecord.start("crawl", "gazette", "--json")
    wait_until(lambda: len(site.requests) > 3)
    process.send_signal(signal.SIGSTOP)
    (child,) = find_children(process.pid)
    state = Path(f"/proc/{child}/stat")
    wait_until(lambda: state.read_text().rpartition(")")[2].split()[0] == "Z", seconds=60)
    process.send_signal(signal.SIGCONT)
    out, errors = process.communicate(timeout=60)
    result = Result(process.args, process.returncode, out, errors)
    assert result.returncode == 11, result
    assert max(site.times) - began < 30
    report = result.json()
    assert (report["reason"], report["spool_segments"]) == ("lease", 0)
    assert 0 < report["pages"] < PAGES
    assert report["links"] == PAGES - report["pages"]
    ofrecord("crawl", "gazette", "--limit", "1", "--recheck", "none")  # nobody waits for a lease that this machine had
    assert len(read_commits(tmp_path / "archive")["gazette"]) >= 2
    assert not check_archive(tmp_path / "archive").damaged
