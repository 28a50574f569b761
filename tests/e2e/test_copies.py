"""An archive and its copy on one machine: what is known of one, or waits for it, is never taken for the other's."""

from __future__ import annotations

import os
import secrets
import signal
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from config.settings import Settings
from jobs.archive.identity import read_info
from jobs.runs.spool import list_segments, set_aside
from jobs.store.local import LocalStore
from tests.crawls import Answer, Site, page, serve_site, wait_until
from tests.histories import check_archive, read_commits, read_histories
from tests.installation import OFRECORD, Ofrecord, Result, install
from tests.logs import seal_page
from tests.proxy import Proxy
from tests.states import state_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.seaweed import S3Server

PAGES = 12


@pytest.fixture
def site() -> Iterator[Site]:
    with serve_site() as site:
        publish(site, "first", 3)
        yield site


def publish(site: Site, name: str, pages: int) -> None:
    paths = [f"/2026/{name}-{number}" for number in range(pages)]
    site.answers.update({path: Answer(page(f"Page {path}")) for path in paths})
    site.announce(*paths)


def make(site: Site, folder: Path, **settings: Any) -> Ofrecord:
    """Return the command; each page that it fetches takes a tenth of a second."""
    source = {
        "home": f"{site.root}/",
        "schedule": "every 5 seconds",
        "discover": [{"feed": f"{site.root}/rss.xml"}],
        "articles": {"include": ["/2026/"]},
        "politeness": {"delay_seconds": 0.1},
    }
    return install(folder, source, segment_seconds=1, grace_seconds=2, **settings)


def warnings(result: Result) -> list[dict[str, Any]]:
    return [event for event in result.events() if event["event"] == "found_waiting_segments"]


def waiting_in(state: Path) -> set[str]:
    """Return the names of the segments that wait there; an open one is named as it will be when it is closed."""
    spool = state / "spool" / "gazette"
    return {path.name for folder in ("open", "closed", "sealed") for path in list_segments(spool / folder)}


def segments_of(place: str | Path, settings: Settings | None = None) -> list[str | None]:
    return [stored.commit.segment for stored in read_commits(place, settings)["gazette"]]


def run_advice(ofrecord: Ofrecord, advice: str, after: str) -> None:
    """Run the shell command that *advice* gives after the words *after*, as a person would."""
    command = advice.partition(after)[2].partition(";")[0]
    variables = ofrecord.variables()
    path = f"{OFRECORD.parent}:{variables['PATH']}"
    done = subprocess.run(["sh", "-c", command], env={**variables, "PATH": path}, capture_output=True, check=False)
    assert done.returncode == 0, (command, done)


def test_a_copy_that_is_behind_is_clean_beside_the_original(site: Site, tmp_path: Path) -> None:
    ofrecord, copy, original = make(site, tmp_path), tmp_path / "copy", tmp_path / "archive"
    ofrecord("crawl", "gazette")
    ofrecord("sync", original, copy)
    before = read_histories(copy)
    assert len(before) == 3
    url = f"{site.root}/2026/first-0"
    publish(site, "second", 2)
    site.answers["/2026/first-0"] = Answer(page("The bridge will not be built"))
    report = ofrecord("crawl", "gazette", "--recheck", "all", "--json")
    assert (report.json()["new"], report.json()["revised"]) == (2, 1)
    for place, articles, verdicts in (
        (copy, 3, ["new"]),
        (original, 5, ["new", "revised"]),
        (copy, 3, ["new"]),
    ):
        at = ("--archive", place)
        assert "clean" in ofrecord("verify", *at).stdout
        assert len(ofrecord("list", *at, "--json").rows()) == articles
        assert [row["verdict"] for row in ofrecord("history", url, *at, "--json").rows()] == verdicts
        ofrecord("index", *at)
    assert read_histories(copy) == before
    ofrecord("sync", original, copy)
    assert len(ofrecord("list", "--archive", copy, "--json").rows()) == 5
    assert warnings(report) == []
    assert len(list((tmp_path / "state").iterdir())) == 2


def test_what_a_machine_saw_of_a_copy_must_still_be_there(site: Site, tmp_path: Path) -> None:
    """A copy has a memory of its own: set back in place, it is damaged."""
    ofrecord, copy, older = make(site, tmp_path), tmp_path / "copy", tmp_path / "older"
    ofrecord("crawl", "gazette")
    ofrecord("sync", tmp_path / "archive", older)
    publish(site, "second", 2)
    ofrecord("crawl", "gazette")
    ofrecord("sync", tmp_path / "archive", copy)
    ofrecord("list", "--archive", copy)
    copy.rename(tmp_path / "aside")
    older.rename(copy)
    assert "DAMAGED" in ofrecord("verify", "--archive", copy, code=13).stdout
    assert "set back to an earlier state" in ofrecord("list", "--archive", copy, code=13).stderr
    assert "clean" in ofrecord("verify").stdout


@pytest.mark.s3
@pytest.mark.slow
def test_what_waits_for_the_original_is_not_committed_to_the_copy(
    site: Site, s3_environment: S3Server, tmp_path: Path
) -> None:
    place, copy = f"s3://{s3_environment.bucket}/{secrets.token_hex(4)}/news", tmp_path / "copy"
    with Proxy(s3_environment.endpoint_url) as proxy:
        local = make(site, tmp_path)
        reached = {"s3_endpoint_url": proxy.url, "s3_path_style": "true"}
        variables = {f"OFRECORD_{key.upper()}": value for key, value in reached.items()}
        ofrecord = Ofrecord(local.config, local.home, {**s3_environment.environment(), **variables})
        ofrecord("init", "--archive", place)
        ofrecord("crawl", "gazette", "--archive", place)
        ofrecord("sync", place, copy)
        publish(site, "second", PAGES)
        begun = len(site.requests)
        process = ofrecord.start("crawl", "gazette", "--archive", place)
        wait_until(lambda: len(site.requests) > begun + 3)
        proxy.stop_listening()
        _, errors = process.communicate(timeout=120)
        assert process.returncode == 12, errors
        settings = Settings(s3_endpoint_url=s3_environment.endpoint_url, s3_path_style=True)
        proxy.listen()
        state = state_of(place, tmp_path / "state", settings.model_copy(update={"s3_endpoint_url": proxy.url}))
        waiting = waiting_in(state)
        assert waiting
        committed = segments_of(place, settings)

        (warning,) = warnings(ofrecord("crawl", "gazette", "--archive", copy, "--recheck", "none", "--limit", "1"))
        assert (warning["level"], warning["segments"], warning["path"]) == ("warning", len(waiting), str(state))
        assert warning["place"] == f"{place} at {proxy.url}"
        assert f"if it is this one under another address, stop all runs of it, then: cp -a {state}" in warning["advice"]
        assert waiting_in(state) == waiting
        assert segments_of(copy)[: len(committed)] == committed
        assert not waiting & set(segments_of(copy))
        assert not check_archive(copy).damaged

        run_advice(ofrecord, warning["advice"], "to commit them there: ")
        assert waiting_in(state) == set()
        assert waiting <= set(segments_of(place, settings))
        assert warnings(ofrecord("crawl", "gazette", "--archive", copy, "--limit", "1")) == []
        assert not check_archive(place, settings).damaged


@pytest.mark.slow
def test_an_archive_that_was_moved_is_told_where_its_segments_wait(site: Site, tmp_path: Path) -> None:
    original, moved = tmp_path / "archive", tmp_path / "moved to"
    ofrecord = make(site, tmp_path)
    ofrecord("crawl", "gazette")
    old = state_of(original, tmp_path / "state")
    archive = read_info(LocalStore(original)).archive
    for number in range(2):
        seal_page(old / "spool" / "gazette", source="gazette", number=number, archive=archive, path=f"/{number}")
    set_aside(old / "spool" / "gazette" / "sealed" / min(waiting_in(old)), "spoilt by this disk")
    waiting = waiting_in(old)
    assert len(waiting) == 1

    original.rename(moved)
    result = ofrecord("daemon", "--max-runs", "1", "--archive", moved)
    (warning,) = warnings(result)  # of the daemon, and not again of each run
    assert (warning["path"], warning["place"]) == (str(old), str(original))
    assert f"this archive is not at {original} any more; if it was moved to {moved}, stop all runs" in warning["advice"]
    assert waiting_in(old) == waiting
    assert not waiting & set(segments_of(moved))

    run_advice(ofrecord, warning["advice"], "then: ")
    assert not old.exists()
    new = state_of(moved, tmp_path / "state")
    assert waiting_in(new) == waiting
    after = ofrecord("job", "gazette", "--recheck", "none", "--archive", moved, "--json")
    assert warnings(after) == []
    assert "spoilt by this disk" in after.json()["runs"][0]["problems"][0]
    segments = segments_of(moved)
    assert waiting <= set(segments)
    assert len(segments) == len(set(segments))
    assert len(read_histories(moved)) == 3 + 1
    assert not check_archive(moved).damaged


@pytest.mark.slow
def test_a_disk_that_comes_back_finds_its_segments(site: Site, tmp_path: Path) -> None:
    """What is away for a while keeps its state; a copy that stands in for it has another."""
    original, away, copy = tmp_path / "archive", tmp_path / "away", tmp_path / "copy"
    ofrecord = make(site, tmp_path)
    ofrecord("crawl", "gazette")
    ofrecord("sync", original, copy)
    old = state_of(original, tmp_path / "state")
    publish(site, "second", PAGES)
    begun = len(site.requests)
    process = ofrecord.start("crawl", "gazette")
    wait_until(lambda: len(site.requests) > begun + 5)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate(timeout=30)
    waiting = waiting_in(old)
    original.rename(away)
    (warning,) = warnings(ofrecord("job", "gazette", "--archive", copy, "--limit", "1"))
    assert "if that disk is only not mounted, leave them until it is" in warning["advice"]
    away.rename(original)
    (warning,) = warnings(ofrecord("job", "gazette", "--archive", copy, "--limit", "1"))
    run_advice(ofrecord, warning["advice"], "they are for that copy of this archive; to commit them there: ")
    assert waiting_in(old) == set()
    assert waiting <= set(segments_of(original))
    assert not waiting & set(segments_of(copy))
