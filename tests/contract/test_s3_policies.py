"""The policies of deploy/ on a real S3 server: who may crawl cannot remove; who may read cannot write.

SeaweedFS 4.48 keeps to actions and resources. It does not know the condition s3:if-none-match and takes it for not met.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from config.errors import ObjectExists, ObjectMissing, StoreRefused
from jobs.store.probe import probe_store

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from jobs.store.s3 import S3Store
    from tests.seaweed import S3Server

DEPLOY = Path(__file__).parents[2] / "deploy"


def put(store: S3Store, key: str, data: bytes = b"data") -> None:
    store.create(key, data, sha256="sha256:" + hashlib.sha256(data).hexdigest())


@pytest.fixture
def become(s3_environment: S3Server, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., None]]:
    """Give the guest a role of deploy/ in a bucket, and its key to this process."""
    client = s3_environment.client()
    client.create_bucket(Bucket="policies")

    def become_one(role: str, *, prefix: str, conditions: bool = True) -> None:
        text = (DEPLOY / f"policy-{role}.json").read_text(encoding="utf-8")
        policy: dict[str, Any] = json.loads(text.replace("BUCKET/", f"BUCKET/{prefix}/").replace("BUCKET", "policies"))
        for statement in policy["Statement"]:
            statement["Principal"] = {"AWS": "arn:aws:iam::000000000000:user/guest"}
            if not conditions:
                statement.pop("Condition", None)
        client.put_bucket_policy(Bucket="policies", Policy=json.dumps(policy))
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", s3_environment.guest_key)

    yield become_one
    for page in client.get_paginator("list_objects_v2").paginate(Bucket="policies"):
        for entry in page.get("Contents", []):
            client.delete_object(Bucket="policies", Key=entry["Key"])
    client.delete_bucket_policy(Bucket="policies")
    client.delete_bucket(Bucket="policies")
    client.close()


@pytest.fixture
def stores(open_bucket: Callable[..., S3Store], become: Callable[..., None]) -> Callable[..., tuple[S3Store, S3Store]]:
    """Make two stores at one place: of the owner, and of the guest in a role."""

    def open_two(role: str, *, conditions: bool = True) -> tuple[S3Store, S3Store]:
        owner = open_bucket("policies")
        owner._prefix = f"news-{secrets.token_hex(4)}/"
        become(role, prefix=owner._prefix[:-1], conditions=conditions)
        guest = open_bucket("policies")
        guest._prefix = owner._prefix
        return owner, guest

    return open_two


def test_reader_reads_and_lists_only(stores: Callable[..., tuple[S3Store, S3Store]]) -> None:
    owner, reader = stores("reader")
    put(owner, "log/gazette/000000000001")
    assert reader.get("log/gazette/000000000001") == b"data"
    assert [one.key for one in reader.list("")] == ["log/gazette/000000000001"]
    with pytest.raises(StoreRefused, match="access denied"):
        put(reader, "log/gazette/000000000002")
    with pytest.raises(StoreRefused, match="access denied"):
        reader.delete("log/gazette/000000000001")


def test_crawler_creates_and_removes_nothing(
    stores: Callable[..., tuple[S3Store, S3Store]], monkeypatch: pytest.MonkeyPatch
) -> None:
    owner, crawler = stores("crawl", conditions=False)
    probe_store(crawler)
    put(crawler, "log/gazette/000000000001")
    with pytest.raises(ObjectExists):
        put(crawler, "log/gazette/000000000001", b"other")
    with pytest.raises(ObjectMissing):
        crawler.stat("log/gazette/000000000002")
    for data in (b"first", b"second"):
        crawler.rewrite("feeds/all.atom", data, media_type="application/atom+xml")
    assert owner.get("feeds/all.atom") == b"second"
    monkeypatch.setattr("jobs.store.s3.SINGLE_PUT_BYTES", 2)
    put(crawler, "segments/gazette/sealed=2026-11-22/one.warc.gz")
    for key in (
        "log/gazette/000000000001",
        "lease/gazette/000001.000001",
        "segments/gazette/sealed=2026-11-22/one.warc.gz",
    ):
        with pytest.raises(StoreRefused, match="access denied"):
            crawler.delete(key)
    assert owner.get("log/gazette/000000000001") == b"data"


def test_condition_that_the_server_does_not_know_lets_nothing_through(
    stores: Callable[..., tuple[S3Store, S3Store]],
) -> None:
    """Should this fail one day, SeaweedFS has learnt the condition: say so in deploy/README.md."""
    _, crawler = stores("crawl")
    with pytest.raises(StoreRefused, match="access denied"):
        put(crawler, "log/gazette/000000000001")


def test_maintenance_removes_what_may_go_and_no_commit(stores: Callable[..., tuple[S3Store, S3Store]]) -> None:
    owner, maintenance = stores("maintenance", conditions=False)
    for folder in ("lease", "probe", "checkpoint", "tables", "feeds", "segments"):
        put(owner, f"{folder}/gazette/1")
        maintenance.delete(f"{folder}/gazette/1")
    for key in ("log/gazette/000000000001", "keys/1.json", "ofrecord.json"):
        put(maintenance, key)
        with pytest.raises(StoreRefused, match="access denied"):
            maintenance.delete(key)
    assert len(list(owner.list(""))) == 3


def test_who_redacts_removes_every_version_of_what_may_go_and_no_commit(
    stores: Callable[..., tuple[S3Store, S3Store]],
) -> None:
    owner, redactor = stores("redact")
    for folder in ("segments", "checkpoint", "tables", "feeds", "raw", "clean"):
        put(owner, f"{folder}/gazette/1")
        assert redactor.purge(f"{folder}/gazette/1") == 1
    put(owner, "log/gazette/000000000001")
    with pytest.raises(StoreRefused, match=r"cannot be removed \(403\).*policy-redact.json"):
        redactor.purge("log/gazette/000000000001")
    assert [one.key for one in owner.list("")] == ["log/gazette/000000000001"]
