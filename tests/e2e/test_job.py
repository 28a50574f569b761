"""A cloud job keeps its promises: done in its time, a report for every end, no fault where there is none."""

from __future__ import annotations

import secrets
import socket
import time
from typing import TYPE_CHECKING, Any

import pytest

from jobs.runs.spool import list_segments
from tests.crawls import Answer, Site, page, serve_site, wait_until
from tests.histories import check_archive, read_histories
from tests.installation import Ofrecord, install
from tests.proxy import Proxy

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.seaweed import S3Server


@pytest.fixture
def site() -> Iterator[Site]:
    with serve_site() as site:
        yield site


def announce(site: Site, pages: int, *, seconds: float = 0.0) -> None:
    paths = [f"/2026/{number}" for number in range(pages)]
    site.announce(*paths)
    site.answers.update({path: Answer(page(f"Page {path}"), seconds=seconds) for path in paths})


def install_at(site: Site, folder: Path, **settings: Any) -> Ofrecord:
    source = {
        "home": f"{site.root}/",
        "discover": [{"feed": f"{site.root}/rss.xml"}],
        "articles": {"include": ["/2026/"]},
        "politeness": {"delay_seconds": 0.1},
    }
    return install(folder, source, **settings)


@pytest.mark.slow
def test_a_page_that_our_own_time_cuts_off_is_left_to_do(site: Site, tmp_path: Path) -> None:
    announce(site, 2)
    site.answers["/2026/1"].seconds = 60
    ofrecord = install_at(site, tmp_path)
    report = ofrecord("job", "--max-seconds", "14", "--grace", "4", "--json").json()
    (run,) = report["runs"]
    assert (run["reason"], run["new"], run["links"], run["failed"], run["errors"]) == ("limit", 1, 1, 0, 0)
    assert [url.rpartition("/")[2] for _, url in read_histories(tmp_path / "archive")] == ["0"]
    job = ofrecord.start("job")
    wait_until(lambda: site.paths["/2026/1"] == 2)
    job.terminate()
    again, _ = job.communicate(timeout=60)
    assert job.returncode == 0
    assert "0 pages" in again
    assert "was stopped, 1 page left to do" in again
    assert not check_archive(tmp_path / "archive").damaged


@pytest.mark.slow
@pytest.mark.s3
def test_a_job_is_done_in_its_time_whatever_takes_it(site: Site, s3_environment: S3Server, tmp_path: Path) -> None:
    announce(site, 40)
    with Proxy(s3_environment.endpoint_url) as proxy:
        local = install_at(site, tmp_path, segment_seconds=1, grace_seconds=3, s3_attempts=1)
        place = f"s3://{s3_environment.bucket}/{secrets.token_hex(4)}/news"
        store = {"OFRECORD_S3_ENDPOINT_URL": proxy.url, "OFRECORD_S3_PATH_STYLE": "true", "OFRECORD_ARCHIVE": place}
        ofrecord = Ofrecord(local.config, local.home, {**s3_environment.environment(), **store})
        ofrecord("init")
        fault = proxy.add("status", 503, method="PUT", path="/segments/", text="SlowDown")
        left = ofrecord("crawl", "gazette", "--limit", "30", "--json", code=12).json()["spool_segments"]
        assert left >= 2  # two of them take longer than there is
        proxy.remove(fault)

        # catching up takes it all: nothing is fetched, and the job says so
        slow = proxy.add("latency", 4, method="PUT", path="/segments/")
        begun, asked = time.monotonic(), len(site.requests)
        result = ofrecord("job", "--max-seconds", "7", "--grace", "2", "--json", code=12)
        assert time.monotonic() - begun < 13  # Python itself may take seconds to end on a busy machine
        assert len(site.requests) == asked
        (run,) = result.json()["runs"]
        assert (run["reason"], run["pages"]) == ("limit", 0)
        assert "nothing was fetched" in result.stderr
        assert "Traceback" not in result.stderr
        assert run["spool_segments"] >= 1
        proxy.remove(slow)
        ofrecord("crawl", "gazette", "--limit", "1")

        # what is left of the time is the crawl's, but for the end
        for answer in site.answers.values():
            answer.seconds = 1.0
        proxy.add("latency", 0.5, method="PUT", path="/segments/")  # quicker than a segment a second
        begun = time.monotonic()
        report = ofrecord("job", "--max-seconds", "18", "--grace", "6", "--recheck", "all", "--json").json()
        assert time.monotonic() - begun < 24
        (run,) = report["runs"]
        assert (run["reason"], run["spool_segments"], run["failed"]) == ("limit", 0, 0)
        assert run["pages"] > 0
        assert run["links"] > 0
        assert not list_segments(next((tmp_path / "state").glob("*/spool/gazette")) / "open")


@pytest.mark.parametrize("command", ["crawl", "job"])
def test_a_report_for_every_error(site: Site, tmp_path: Path, command: str) -> None:
    announce(site, 1)
    ofrecord = install_at(site, tmp_path)
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    keys = {"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b", "OFRECORD_S3_ATTEMPTS": "1"}
    away = {**keys, "OFRECORD_S3_ENDPOINT_URL": f"http://127.0.0.1:{port}", "OFRECORD_S3_REGION": "us-east-1"}
    cases: list[tuple[int, tuple[str, ...], dict[str, str], list[str]]] = [
        (12, ("--archive", "s3://bucket/news"), away, ["gazette"]),
        (10, ("--archive", str(tmp_path / "none")), {}, ["gazette"]),
        (2, (), {"OFRECORD_WORKERS": "many"}, []),
        (2, ("--no-such-option",), {}, []),
    ]
    for code, words, environment, sources in cases:
        failing = Ofrecord(ofrecord.config, ofrecord.home, environment)
        result = failing(command, "gazette", "--json", *words, code=code)
        (report,) = result.rows()
        assert (report["exit_code"], report["not_begun"], report["pages"]) == (code, sources, 0), result
        assert report["error"] in result.stderr
        assert report["problems"] == [report["error"]]
        assert "Traceback" not in result.stderr
        assert failing(command, "gazette", *words, code=code).stdout == ""
    (report,) = ofrecord(command, "nowhere", "--json", code=2).rows()
    assert "no source 'nowhere'" in report["error"]


def test_one_source_whose_spool_is_refused_does_not_stop_the_others(site: Site, tmp_path: Path) -> None:
    announce(site, 1)
    ofrecord = install_at(site, tmp_path)
    sources = ofrecord.config / "sources"
    for name in ("aardvark", "zebra"):
        (sources / f"{name}.yaml").write_text((sources / "gazette.yaml").read_text())
    ofrecord("crawl", "gazette")
    (spools,) = (tmp_path / "state").glob("*/spool")
    (spools / "aardvark" / "lock").mkdir(parents=True)  # no file can be opened there, even by root
    result = ofrecord("crawl", "--all", "--json", code=1)
    report = result.json()
    assert [(run["source"], run["exit_code"], run["new"] if run["run"] else None) for run in report["runs"]] == [
        ("aardvark", 1, None),
        ("gazette", 0, 0),
        ("zebra", 0, 1),
    ]
    assert report["exit_code"] == 1
    (line,) = [line for line in result.stderr.splitlines() if line.startswith("ofrecord: ")]
    assert "aardvark: " in line
    assert "lock" in line
