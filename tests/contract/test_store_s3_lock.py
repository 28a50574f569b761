"""Object Lock on a real S3 server: which objects are kept, until when, and what a bucket without it says."""

from __future__ import annotations

import hashlib
import random
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from config.errors import ObjectMissing, StoreRefused
from config.settings import Settings
from jobs.store import open_store
from jobs.store.memory import MemoryStore
from jobs.store.probe import probe_store
from jobs.store.s3 import S3Store

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from jobs.store import ObjectStore
    from tests.seaweed import S3Server

IMMUTABLE = (
    "ofrecord.json",
    "keys/000001.json",
    "log/gazette/000000000001",
    "log/gazette/pack-000000000001-000000001000",
    "segments/gazette/sealed=2026-11-22/one.warc.gz",
    "heads/000000000001.json",
)
OTHERS = (
    "lease/gazette/000000000001.000001",
    "checkpoint/gazette/000000000001",
    "tables/manifest-000000000001",
    "tables/captures/day=2026-11-22/0123.parquet",
    "raw/gazette/2026-11-22/one.html",
    "clean/gazette/2026-11-22/one.txt",
    "probe/one",
)


def put(store: ObjectStore, key: str, data: bytes = b"data") -> None:
    store.create(key, data, sha256="sha256:" + hashlib.sha256(data).hexdigest())


@pytest.fixture(scope="module")
def locking(s3_server: S3Server) -> str:
    """A bucket with Object Lock."""
    client = s3_server.client()
    client.create_bucket(Bucket="locking", ObjectLockEnabledForBucket=True)
    client.close()
    return "locking"


@pytest.fixture
def open_by_settings(s3_environment: S3Server) -> Iterator[Callable[..., S3Store]]:
    made: list[S3Store] = []

    def open_one(bucket: str, **values: Any) -> S3Store:
        settings = Settings(s3_endpoint_url=s3_environment.endpoint_url, s3_path_style=True).override(**values)
        store = open_store(f"s3://{bucket}/{random.randbytes(6).hex()}", settings)
        assert isinstance(store, S3Store)
        made.append(store)
        return store

    yield open_one
    for store in made:
        store.close()


@pytest.mark.parametrize("mode", ["governance", "compliance"])
def test_immutable_objects_are_kept_and_no_others(
    open_by_settings: Callable[..., S3Store], locking: str, mode: str
) -> None:
    store = open_by_settings(locking, object_lock=mode, object_lock_days=30)
    for key in (*IMMUTABLE, *OTHERS):
        put(store, key)
    store.rewrite("feeds/all.atom", b"<feed/>", media_type="application/atom+xml")
    wanted = datetime.now(UTC) + timedelta(days=30)
    for key in IMMUTABLE:
        found = store.read_retention(key)
        assert found is not None, key
        assert found.mode == mode
        assert abs(found.until - wanted) < timedelta(minutes=1)
    for key in (*OTHERS, "feeds/all.atom"):
        assert store.read_retention(key) is None, key
    with pytest.raises(ObjectMissing):
        store.read_retention("log/gazette/000000000002")


def test_kept_version_cannot_be_removed(
    open_by_settings: Callable[..., S3Store], s3_server: S3Server, locking: str
) -> None:
    store = open_by_settings(locking, object_lock="compliance", object_lock_days=2)
    put(store, IMMUTABLE[2], b"as it was")
    client, name = s3_server.client(), f"{store._prefix}{IMMUTABLE[2]}"
    version = client.head_object(Bucket=locking, Key=name)["VersionId"]
    with pytest.raises(ClientError, match="AccessDenied"):
        client.delete_object(Bucket=locking, Key=name, VersionId=version)
    store.delete(IMMUTABLE[2])  # hides it behind a marker
    assert client.get_object(Bucket=locking, Key=name, VersionId=version)["Body"].read() == b"as it was"
    found = store.read_retention(IMMUTABLE[2], version=version)
    assert found is not None
    assert found.mode == "compliance"
    client.close()


def test_object_in_parts_is_kept(
    open_by_settings: Callable[..., S3Store], locking: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("jobs.store.s3.SINGLE_PUT_BYTES", 2)
    store = open_by_settings(locking, object_lock="governance", object_lock_days=1)
    put(store, IMMUTABLE[4], b"more than two bytes")
    assert store.requests["CompleteMultipartUpload"] == 1
    found = store.read_retention(IMMUTABLE[4])
    assert found is not None
    assert found.mode == "governance"


def test_default_asks_for_nothing(open_by_settings: Callable[..., S3Store], locking: str) -> None:
    store = open_by_settings(locking)
    put(store, IMMUTABLE[2])
    assert store.read_retention(IMMUTABLE[2]) is None


def test_probe_passes_where_objects_are_kept(
    open_by_settings: Callable[..., S3Store], s3_server: S3Server, locking: str
) -> None:
    store = open_by_settings(locking, object_lock="governance")
    probe_store(store, locked=True)
    assert list(store.list("")) == []
    del s3_server


def test_bucket_without_object_lock_is_refused_by_probe_and_put(
    open_by_settings: Callable[..., S3Store], s3_server: S3Server
) -> None:
    store = open_by_settings(s3_server.bucket, object_lock="governance")
    with pytest.raises(StoreRefused, match="object_lock is governance, but the bucket has no Object Lock; make a"):
        probe_store(store, locked=True)
    with pytest.raises(StoreRefused, match=r"refused the object's retention .* or set object_lock to none"):
        put(store, IMMUTABLE[2])
    put(store, OTHERS[0])
    assert store.read_retention(OTHERS[0]) is None
    with pytest.raises(StoreRefused, match="object_lock is none"):
        open_by_settings(s3_server.bucket).probe_lock()


def test_folders_keep_nothing_and_say_so(tmp_path: Path) -> None:
    for store in (MemoryStore(), open_store(str(tmp_path), Settings())):
        put(store, IMMUTABLE[2])
        assert store.read_retention(IMMUTABLE[2]) is None
        with pytest.raises(ObjectMissing):
            store.read_retention(IMMUTABLE[3])
        with pytest.raises(StoreRefused, match="only a bucket with Object Lock"):
            probe_store(store, locked=True)
