"""Heads at real second places: the daemon itself, a bucket with credentials of its own, a folder, and what is down."""

from __future__ import annotations

import json
import secrets
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import pytest

from tests.authorities import run_hook
from tests.crawls import serve_site
from tests.daemon_process import run_daemon
from tests.installation import install_on_s3
from tests.proxy import Proxy

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from types_boto3_s3 import S3Client

    from tests.crawls import Site
    from tests.installation import Ofrecord
    from tests.seaweed import S3Server

pytestmark = [pytest.mark.s3, pytest.mark.slow]

BUCKET = "evidence"


@pytest.fixture
def site() -> Iterator[Site]:
    with serve_site() as site:
        site.publish(2)
        yield site


@dataclass
class Scene:
    """A source whose archive is in one bucket, and a second place in another, of somebody else, behind a proxy."""

    server: S3Server
    proxy: Proxy
    archive: str
    second: str

    def install(self, folder: Path, site: Site, *also: str | Path) -> Ofrecord:
        source = {**site.describe_source(), "schedule": "every 1 hour"}
        config = folder / "aws"
        config.write_text(
            f"[profile elsewhere]\naws_access_key_id = {self.server.guest_key}\n"
            f"aws_secret_access_key = {self.server.secret_key}\nregion = eu-west-9\nendpoint_url = {self.proxy.url}\n"
        )
        ofrecord = install_on_s3(
            folder,
            source,
            self.server,
            self.archive,
            endpoint_url=self.server.endpoint_url,
            heads_to=[self.second, *map(str, also)],
            heads_s3_profile="elsewhere",
            grace_seconds=10,
            s3_attempts=2,
        )
        return replace(ofrecord, environment={**ofrecord.environment, "AWS_CONFIG_FILE": str(config)})

    def allow(self, *actions: str) -> None:
        """Let the key of the second place do that below its `heads/`, and nothing else anywhere."""
        statements = [
            {
                "Effect": "Allow",
                "Principal": {"AWS": "arn:aws:iam::000000000000:user/guest"},
                "Action": [f"s3:{action}" for action in actions],
                "Resource": [f"arn:aws:s3:::{BUCKET}", f"arn:aws:s3:::{BUCKET}/wire/heads/*"],
            }
        ]
        with self.client() as client:
            client.put_bucket_policy(
                Bucket=BUCKET, Policy=json.dumps({"Version": "2012-10-17", "Statement": statements})
            )

    @contextmanager
    def client(self) -> Iterator[S3Client]:
        client = self.server.client()
        try:
            yield client
        finally:
            client.close()

    def read(self, place: str) -> dict[str, bytes]:
        """Return what lies below the prefix `heads/` of a place: name → bytes."""
        bucket, _, prefix = place.removeprefix("s3://").partition("/")
        with self.client() as client:
            listed = client.list_objects_v2(Bucket=bucket, Prefix=f"{prefix}/heads/").get("Contents", [])
            return {
                one["Key"].rpartition("/")[2]: client.get_object(Bucket=bucket, Key=one["Key"])["Body"].read()
                for one in listed
            }


@pytest.fixture
def scene(s3_environment: S3Server) -> Iterator[Scene]:
    with Proxy(s3_environment.endpoint_url) as proxy:
        prefix = secrets.token_hex(4)
        scene = Scene(s3_environment, proxy, f"s3://{s3_environment.bucket}/{prefix}/news", f"s3://{BUCKET}/wire")
        with scene.client() as client:
            client.create_bucket(Bucket=BUCKET)
            try:
                scene.allow("ListBucket", "GetObject", "PutObject")
                yield scene
            finally:
                for one in client.list_objects_v2(Bucket=BUCKET).get("Contents", []):
                    client.delete_object(Bucket=BUCKET, Key=one["Key"])
                client.delete_bucket_policy(Bucket=BUCKET)
                client.delete_bucket(Bucket=BUCKET)


def crawl_alone(ofrecord: Ofrecord) -> None:
    """Crawl and write no head."""
    replace(ofrecord, environment={**ofrecord.environment, "OFRECORD_HEADS_SECONDS": "0"})("crawl", "gazette")


def test_the_daemon_writes_a_head_by_itself_and_sends_what_places_missed_while_they_were_down(
    scene: Scene, site: Site, tmp_path: Path
) -> None:
    vault = tmp_path / "vault"
    with run_hook() as hook:
        ofrecord = scene.install(tmp_path, site, vault, hook.url)
        crawl_alone(ofrecord)
        scene.proxy.stop_listening()
        hook.status = 503
        with run_daemon(ofrecord, tmp_path) as daemon:
            failed = {event["place"]: event["reason"] for event in daemon.wait_for("failed_head", 3)}
            (wrote,) = daemon.events("wrote_head")
            daemon.stop()
        assert "cannot connect" in failed[scene.second]
        assert "no such folder" in failed[str(vault)]
        assert "503" in failed[next(place for place in failed if place.startswith("http"))]
        assert "secret-token" not in (tmp_path / "daemon.log").read_text("utf-8")
        first = scene.read(scene.archive)
        assert wrote["n"] == 1
        assert list(first) == ["000000000001.json"]
        assert scene.read(scene.second) == {}

        scene.proxy.listen()
        vault.mkdir()
        hook.status = 200
        site.publish(3)
        ofrecord("crawl", "gazette")
        heads = scene.read(scene.archive)
        assert list(heads) == ["000000000001.json", "000000000002.json"]
        assert scene.read(scene.second) == heads == read_folder(vault)
        assert hook.bodies == list(heads.values())


def test_a_bucket_with_credentials_of_its_own_tells_what_was_taken_from_the_archive(
    scene: Scene, site: Site, tmp_path: Path
) -> None:
    ofrecord = scene.install(tmp_path, site)
    scene.allow("ListBucket", "GetObject")
    refused = ofrecord("crawl", "gazette", code=6)
    assert f"head 1: {scene.second}/heads/" in refused.stderr
    assert "access denied" in refused.stderr
    scene.allow("ListBucket", "GetObject", "PutObject")
    assert ofrecord("heads", "write", "--json").json()["sent"] == {scene.second: 1}
    assert {request.headers["authorization"].split("/")[2] for request in scene.proxy.seen} == {"eu-west-9"}
    assert ofrecord("heads", "write", "--json").json()["sent"] == {scene.second: 1}

    # from elsewhere, where nothing is known but the two places
    watcher = replace(ofrecord, environment={**ofrecord.environment, "OFRECORD_HEADS_TO": ","})
    (head,) = watcher("verify", "--heads", scene.second, "--json").json()["anchors"]["outside"]
    assert (head["n"], head["where"].startswith(f"{scene.second}/heads/")) == (1, True)
    bucket, _, prefix = scene.archive.removeprefix("s3://").partition("/")
    with scene.client() as client:
        *_, last = client.list_objects_v2(Bucket=bucket, Prefix=f"{prefix}/log/gazette/0")["Contents"]
        client.delete_object(Bucket=bucket, Key=last["Key"])
        for name in scene.read(scene.archive):
            client.delete_object(Bucket=bucket, Key=f"{prefix}/heads/{name}")
    found = watcher("verify", "--heads", scene.second, "--state", tmp_path / "unknowing", code=13).stdout
    assert "log/gazette/000000000001: missing, but head 1 of " in found
    assert f"heads/000000000001.json: missing, but {scene.second}/heads/" in found


def read_folder(vault: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(vault.glob("heads/*/*"))}
