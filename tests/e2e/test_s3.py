"""The three uses on a real S3 server make the same histories: crawl, two ticks of the daemon, stateless jobs."""

from __future__ import annotations

import json
import secrets
import shutil
import signal
import time
from typing import TYPE_CHECKING

import pytest
import yaml

from config.settings import Settings
from jobs.store import open_store
from tests.histories import check_archive, read_commits, read_histories, read_texts
from tests.installation import Ofrecord
from tests.site.pages import SEED_URL, read_expected

if TYPE_CHECKING:
    from pathlib import Path

    from tests.seaweed import S3Server
    from tests.site.server import Site

SOURCES = ("almayadeen-english", "almayadeen-arabic")

pytestmark = [pytest.mark.s3, pytest.mark.slow]


@pytest.fixture
def settings(s3_environment: S3Server) -> Settings:
    return Settings(s3_endpoint_url=s3_environment.endpoint_url, s3_path_style=True)


@pytest.fixture
def on_s3(ofrecord: Ofrecord, s3_environment: S3Server) -> Ofrecord:
    endpoint = {"OFRECORD_S3_ENDPOINT_URL": s3_environment.endpoint_url, "OFRECORD_S3_PATH_STYLE": "true"}
    return Ofrecord(ofrecord.config, ofrecord.home, {**endpoint, **s3_environment.environment()})


def new_place(server: S3Server) -> str:
    return f"s3://{server.bucket}/{secrets.token_hex(4)}/news"


@pytest.mark.parametrize(("sources", "articles"), [(SOURCES[:1], 8), pytest.param(SOURCES, 9, marks=pytest.mark.soak)])
def test_crawl_daemon_and_job_make_the_same_histories(
    ofrecord: Ofrecord,
    on_s3: Ofrecord,
    s3_environment: S3Server,
    settings: Settings,
    archive_dir: Path,
    config_dir: Path,
    tmp_path: Path,
    *,
    sources: tuple[str, ...],
    articles: int,
) -> None:
    ofrecord("init")
    for _ in range(2):
        ofrecord("crawl", *sources, "--recheck", "all")
    expected = read_histories(archive_dir)
    assert sum(history[0][0] == "new" for history in expected.values()) == articles

    crawled = new_place(s3_environment)
    on_s3("init", "--archive", crawled)
    for _ in range(2):
        on_s3("crawl", *sources, "--recheck", "all", "--archive", crawled)
    assert read_histories(crawled, settings) == expected

    jobbed = new_place(s3_environment)
    on_s3("init", "--archive", jobbed)
    without_state(config_dir)
    for number in range(2):
        home = tmp_path / f"empty-{number}"
        home.mkdir()
        stateless = Ofrecord(config_dir, home, on_s3.environment)
        report = stateless("job", *sources, "--recheck", "all", "--archive", jobbed, "--json").json()
        assert report["exit_code"] == 0
        assert not any(home.rglob("*.sqlite"))
    assert read_histories(jobbed, settings) == expected

    ticked = new_place(s3_environment)
    on_s3("init", "--archive", ticked)
    reschedule(config_dir, "every 5 seconds")
    state = tmp_path / "daemon-state"
    on_s3("daemon", *sources, "--max-runs", "2", "--recheck", "all", "--archive", ticked, "--state", state)
    assert read_histories(ticked, settings) == expected
    assert all(stored.commit.run for commits in read_commits(ticked, settings).values() for stored in commits)

    for place in (crawled, jobbed, ticked):
        report = check_archive(place, settings)
        assert not report.damaged, [str(finding) for finding in report.findings]
        assert not report.uncommitted
    assert not list(state.rglob("*.warc.gz"))


def test_jobs_from_empty_directories_follow_a_changing_site(
    on_s3: Ofrecord, site: Site, s3_environment: S3Server, settings: Settings, config_dir: Path, tmp_path: Path
) -> None:
    place = new_place(s3_environment)
    on_s3("init", "--archive", place)
    without_state(config_dir)
    for number, phase in enumerate(("2023", "edited", "2025", "gone", "gone")):
        site.phase = phase  # type: ignore[assignment]
        home = tmp_path / f"home-{number}"
        home.mkdir()
        job = Ofrecord(config_dir, home, on_s3.environment)
        job("job", "almayadeen-english", "--recheck", "all", "--archive", place)
        shutil.rmtree(home)
    seed = ("almayadeen-english", SEED_URL)
    verdicts = [verdict for verdict, _, _ in read_histories(place, settings)[seed]]
    assert verdicts == ["new", "revised", "reverted", "suspected", "gone"]
    assert read_texts(place, settings)[seed] == [read_expected("clean.txt"), read_expected("edited.txt")]
    told = json.loads(open_store(place, settings).get("feeds/all.json"))["items"]
    assert [item["tags"][0] for item in told] == ["gone", "suspected", "reverted", "revised"]
    assert all("number" in item["tags"] for item in told[2:])


@pytest.mark.soak
def test_jobs_that_start_from_checkpoints_make_the_histories_of_one_machine(
    ofrecord: Ofrecord,
    on_s3: Ofrecord,
    site: Site,
    s3_environment: S3Server,
    settings: Settings,
    archive_dir: Path,
    config_dir: Path,
    tmp_path: Path,
) -> None:
    place = new_place(s3_environment)
    ofrecord("init")
    on_s3("init", "--archive", place)
    state = {"OFRECORD_STATE_DIR": str(tmp_path / "state")}
    machine = Ofrecord(config_dir, ofrecord.home, {**ofrecord.environment, **state})
    without_state(config_dir)
    changes = ("2023", "edited", "2025", "gone", "gone", "2025", "edited", "2025", "gone")
    for number, phase in enumerate(("2023",) * 11 + changes):
        site.phase = phase  # type: ignore[assignment]
        machine("crawl", "almayadeen-english", "--recheck", "all")
        home = tmp_path / f"home-{number}"
        home.mkdir()
        job = Ofrecord(config_dir, home, on_s3.environment)
        report = job("job", "almayadeen-english", "--recheck", "all", "--archive", place, "--json").json()
        assert report["exit_code"] == 0
        shutil.rmtree(home)
    assert read_commits(place, settings)["almayadeen-english"][-1].commit.checkpoint is not None
    assert read_histories(place, settings) == read_histories(archive_dir)
    assert read_texts(place, settings) == read_texts(archive_dir)
    report = check_archive(place, settings)
    assert not report.damaged, [str(finding) for finding in report.findings]


def test_the_daemon_stops_cleanly(on_s3: Ofrecord, s3_environment: S3Server, settings: Settings) -> None:
    place = new_place(s3_environment)
    on_s3("init", "--archive", place)
    process = on_s3.start("daemon", "almayadeen-english", "--archive", place)
    time.sleep(3)
    process.send_signal(signal.SIGTERM)
    started = time.monotonic()
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 0, errors
    assert time.monotonic() - started < 30
    assert "Traceback" not in errors
    assert not check_archive(place, settings).damaged


def test_what_a_store_outage_held_back_is_committed_by_the_next_run(
    on_s3: Ofrecord, s3_environment: S3Server, settings: Settings, tmp_path: Path
) -> None:
    place = new_place(s3_environment)
    on_s3("init", "--archive", place)
    on_s3("crawl", "almayadeen-spanish", "--archive", place)
    before = read_histories(place, settings)
    client = s3_environment.client()
    held = tmp_path / "state"
    process = on_s3.start("crawl", "almayadeen-english", "--archive", place)
    bucket, _, prefix = place.removeprefix("s3://").partition("/")
    policy_free = client.list_objects_v2(Bucket=bucket, Prefix=prefix)["KeyCount"]
    assert policy_free >= 3
    time.sleep(1.0)
    process.kill()  # a parent that dies before it could upload is the shortest outage there is
    process.communicate(timeout=30)
    assert held.exists()
    on_s3("crawl", "almayadeen-english", "--archive", place)
    after = read_histories(place, settings)
    assert {key: after[key] for key in before} == before
    assert sum(history[0][0] == "new" for key, history in after.items() if key[0] == "almayadeen-english") == 8
    assert not check_archive(place, settings).damaged


def without_state(config_dir: Path) -> None:
    """Take `state_dir` out of the settings: a cloud job has none."""
    path = config_dir / "settings.yaml"
    values = yaml.safe_load(path.read_text("utf-8"))
    values.pop("state_dir", None)
    path.write_text(yaml.safe_dump(values), "utf-8")


def reschedule(config_dir: Path, schedule: str) -> None:
    for path in (config_dir / "sources").glob("*.yaml"):
        source = yaml.safe_load(path.read_text("utf-8"))
        source["schedule"] = schedule
        path.write_text(yaml.safe_dump(source, allow_unicode=True, sort_keys=False), "utf-8")
