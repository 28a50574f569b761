"""Each fault of a store, put before it by a proxy: the run ends right or resumes right, and says what to do."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from config.settings import Settings
from tests.crawls import Site, serve_site
from tests.histories import check_archive, read_commits, read_histories
from tests.installation import Ofrecord, Result, install_on_s3
from tests.proxy import Proxy

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from _pytest.mark.structures import ParameterSet

    from tests.seaweed import S3Server

pytestmark = [pytest.mark.s3, pytest.mark.slow]

PAGES = 4
SAMPLE = {
    "a burst of 503",
    "the answer to a commit lost",
    "uploads refused",
    "session expired",
    "wrong secret",
    "nobody listens",
}
"""What `make test` tries; `make soak` tries all."""


def sample(names: Iterable[str]) -> list[ParameterSet]:
    """Return *names* as parameters, those beyond the sample for the soak alone."""
    return [pytest.param(name, marks=[] if name in SAMPLE else [pytest.mark.soak]) for name in names]


@dataclass
class Scene:
    """A source with an archive behind the proxy, crawled once without a fault."""

    site: Site
    proxy: Proxy
    ofrecord: Ofrecord
    place: str
    settings: Settings
    server: S3Server

    def crawl(self, code: int | None = 0, *words: str, **variables: str) -> Result:
        """Crawl all pages again."""
        command = Ofrecord(self.ofrecord.config, self.ofrecord.home, {**self.ofrecord.environment, **variables})
        result = command("crawl", "gazette", "--recheck", "all", "--json", *words, code=code)
        assert "Traceback" not in result.stderr, result
        return result

    def check(self, looks: int) -> None:
        """Assert that each page was seen *looks* times, that no commit is there twice, and that all is sound."""
        histories = read_histories(self.place, self.settings)
        assert len(histories) == PAGES
        for history in histories.values():
            assert [verdict for verdict, _, _ in history] == ["new", *["unchanged"] * (looks - 1)]
        segments = [stored.commit.segment for stored in read_commits(self.place, self.settings)["gazette"]]
        assert len(set(segments)) == len(segments)
        report = check_archive(self.place, self.settings)
        assert not report.damaged, [str(finding) for finding in report.findings]
        assert not report.uncommitted

    def key(self, ending: str) -> str:
        """Return the full name of the last of the archive's objects with that part in its name."""
        client = self.server.client()
        prefix = self.place.removeprefix(f"s3://{self.server.bucket}/")
        listed = client.list_objects_v2(Bucket=self.server.bucket, Prefix=prefix)["Contents"]
        return [entry["Key"] for entry in listed if ending in entry["Key"]][-1]


@pytest.fixture
def scene(s3_environment: S3Server, tmp_path: Path) -> Iterator[Scene]:
    with serve_site() as site, Proxy(s3_environment.endpoint_url) as proxy:
        site.publish(PAGES)
        place = f"s3://{s3_environment.bucket}/{secrets.token_hex(4)}/news"
        ofrecord = install_on_s3(
            tmp_path, site.describe_source(), s3_environment, place, endpoint_url=proxy.url, grace_seconds=4
        )
        settings = Settings(s3_endpoint_url=s3_environment.endpoint_url, s3_path_style=True)
        scene = Scene(site, proxy, ofrecord, place, settings, s3_environment)
        scene.crawl()
        yield scene


PASSING: dict[str, tuple[str, float, dict[str, Any]]] = {
    "a burst of 500": ("status", 500, {"text": "InternalError", "count": 3}),
    "a burst of 503": ("status", 503, {"text": "SlowDown", "count": 3}),
    "reset in the middle of an upload": ("reset_up", 2_000, {"method": "PUT", "path": "/segments/", "count": 2}),
    "reset in the middle of a commit": ("reset_up", 100, {"method": "PUT", "path": "/log/", "count": 2}),
    "the answer to an upload lost": ("lose_answer", 0, {"method": "PUT", "path": "/segments/", "count": 1}),
    "the answer to a commit lost": ("lose_answer", 0, {"method": "PUT", "path": "/log/", "count": 1}),
    "the answer to a lease lost": ("lose_answer", 0, {"method": "PUT", "path": "/lease/", "count": 1}),
    "a cut answer": ("reset_down", 10, {"method": "GET", "count": 2}),
    "latency": ("latency", 0.3, {}),
    "a slow line": ("rate", 20_000, {}),
    "another put under way": ("status", 409, {"text": "ConditionalRequestConflict", "method": "PUT", "count": 2}),
    "connections refused for a moment": ("refuse", 0, {"count": 2}),
}


@pytest.mark.parametrize("name", sample(PASSING))
def test_a_fault_that_passes_costs_nothing(scene: Scene, name: str) -> None:
    action, value, more = PASSING[name]
    fault = scene.proxy.add(action, value, **more)  # type: ignore[arg-type]
    report = scene.crawl().json()
    assert fault.count in {0, None}
    assert (report["pages"], report["spool_segments"]) == (PAGES, 0)
    scene.proxy.clear()
    scene.crawl()
    scene.check(looks=3)


LASTING: dict[str, tuple[str, float, dict[str, Any], str]] = {
    "uploads refused": ("status", 403, {"text": "AccessDenied", "method": "PUT", "path": "/segments/"}, "s3:PutObject"),
    "commits refused": ("status", 403, {"text": "AccessDenied", "method": "PUT", "path": "/log/"}, "s3:PutObject"),
    "commits fail": ("status", 500, {"text": "InternalError", "method": "PUT", "path": "/log/"}, "try again later"),
    "uploads always reset": ("reset_up", 100, {"method": "PUT", "path": "/segments/"}, "the connection broke"),
    "session expired": (
        "status",
        400,
        {"text": "ExpiredToken", "method": "PUT", "path": "/segments/"},
        "sign in again or renew the credentials",
    ),
    "no room": ("status", 403, {"text": "QuotaExceeded", "method": "PUT", "path": "/segments/"}, "raise it or make"),
}


@pytest.mark.parametrize("name", sample(LASTING))
def test_a_fault_that_lasts_leaves_all_to_the_next_run(scene: Scene, name: str) -> None:
    action, value, more, advice = LASTING[name]
    scene.proxy.add(action, value, **more)  # type: ignore[arg-type]
    failed = scene.crawl(12)
    assert advice in failed.stderr
    assert failed.json()["spool_segments"] == 1
    assert failed.json()["pages"] in {0, PAGES}
    scene.proxy.clear()
    scene.crawl()
    scene.check(looks=3)


REFUSED: dict[str, tuple[dict[str, str], int, str]] = {
    "wrong secret": ({"AWS_SECRET_ACCESS_KEY": "x" * 40}, 12, "the secret key does not fit the access key"),
    "unknown key": ({"AWS_ACCESS_KEY_ID": "nobody"}, 12, "the server does not know this access key"),
    "no credentials": ({"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""}, 12, "found no complete credentials"),
    "bucket missing": ({"OFRECORD_ARCHIVE": "s3://no-such-bucket/x"}, 12, "there is no such bucket"),
    "no archive": ({"OFRECORD_ARCHIVE": "s3://archive/no-archive-here"}, 10, "make one: ofrecord init"),
    "nobody listens": (
        {"OFRECORD_S3_ENDPOINT_URL": "http://127.0.0.1:9", "OFRECORD_S3_ATTEMPTS": "1"},
        12,
        "cannot connect; check s3_endpoint_url",
    ),
}


@pytest.mark.parametrize("name", sample(REFUSED))
def test_a_store_that_cannot_be_used_is_said_before_anything_is_fetched(scene: Scene, name: str) -> None:
    variables, code, advice = REFUSED[name]
    scene.site.requests.clear()
    refused = scene.crawl(code, **variables)
    assert advice in refused.stderr
    assert not scene.site.requests
    scene.crawl()
    scene.check(looks=2)


@pytest.mark.parametrize("seconds", [-90, pytest.param(3600, marks=pytest.mark.soak)])
def test_a_clock_that_is_far_off_stops_the_run(scene: Scene, seconds: int) -> None:
    scene.site.requests.clear()
    scene.proxy.add("skew", seconds)
    refused = scene.crawl(12)
    assert "seconds apart, expected at most 60; set this machine's clock" in refused.stderr
    assert not scene.site.requests
    scene.proxy.clear()
    scene.crawl()
    scene.check(looks=2)


def test_a_small_skew_stands_in_the_commit(scene: Scene) -> None:
    scene.proxy.add("skew", -30)
    scene.crawl()
    last = read_commits(scene.place, scene.settings)["gazette"][-1].commit
    assert last.clock_skew_seconds is not None
    assert 26 <= last.clock_skew_seconds <= 34


@pytest.mark.parametrize("part", ["/segments/", "/log/"])
def test_verify_tells_what_a_stranger_wrote_over(scene: Scene, part: str) -> None:
    key = scene.key(part)
    scene.server.client().put_object(Bucket=scene.server.bucket, Key=key, Body=b"a stranger was here")
    found = scene.ofrecord("verify", "--full", code=13)
    assert key.removeprefix(scene.place.removeprefix(f"s3://{scene.server.bucket}/")).lstrip("/") in found.stdout
    assert "damage:" in found.stdout


def test_verify_tells_what_a_delete_marker_hides(scene: Scene) -> None:
    client = scene.server.client()
    bucket = f"versioned-{secrets.token_hex(4)}"
    client.create_bucket(Bucket=bucket)
    client.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    place = f"s3://{bucket}/news"
    scene.ofrecord("init", "--archive", place)
    scene.crawl(0, "--archive", place)
    scene.ofrecord("verify", "--full", "--archive", place)
    listed = client.list_objects_v2(Bucket=bucket, Prefix="news/segments/")["Contents"]
    client.delete_object(Bucket=bucket, Key=listed[0]["Key"])
    found = scene.ofrecord("verify", "--archive", place, code=13)
    assert f"{listed[0]['Key'].removeprefix('news/')}: missing" in found.stdout
    scene.crawl(None, "--archive", place)
    assert scene.ofrecord("verify", "--archive", place, code=13)
