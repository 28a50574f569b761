"""What purging leaves of an object: nothing. In memory, on disk, in buckets with and without versions or retention."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from config.errors import ObjectMissing, StoreRefused
from jobs.store.local import LocalStore
from jobs.store.memory import MemoryStore
from jobs.store.s3 import S3Options, S3Store

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from types_boto3_s3 import S3Client

    from jobs.store import ObjectStore
    from tests.seaweed import S3Server

KEY = "segments/gazette/sealed=2026-11-22/one.warc.gz"


def put(store: ObjectStore, key: str, data: bytes = b"x") -> None:
    store.create(key, data, sha256="sha256:" + hashlib.sha256(data).hexdigest())


def rewrite(store: ObjectStore, key: str, data: bytes) -> None:
    store.rewrite(key, data, media_type="text/plain")


@dataclass
class Bucket:
    """A bucket with versions, seen by the store and by a plain client."""

    store: S3Store
    client: S3Client
    name: str

    def versions(self) -> list[tuple[str, bool]]:
        """Return key below the prefix, and whether it is a marker, of everything that the server keeps."""
        page = self.client.list_object_versions(Bucket=self.name)
        found = [(one["Key"], False) for one in page.get("Versions", [])]
        found += [(one["Key"], True) for one in page.get("DeleteMarkers", [])]
        return sorted((key.removeprefix("news/"), marker) for key, marker in found)


@pytest.fixture
def make_bucket(s3_environment: S3Server) -> Iterator[Callable[..., Bucket]]:
    made: list[Bucket] = []

    def make(*, locked: bool = False) -> Bucket:
        client, name = s3_environment.client(), f"versions-{secrets.token_hex(4)}"
        client.create_bucket(Bucket=name, ObjectLockEnabledForBucket=locked)
        client.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
        options = S3Options(endpoint_url=s3_environment.endpoint_url, path_style=True, attempts=1)
        made.append(Bucket(S3Store(name, "news", options), client, name))
        return made[-1]

    yield make
    for bucket in made:
        bucket.store.close()
        bucket.client.close()


@pytest.fixture(params=["memory", "local", pytest.param("s3", marks=pytest.mark.s3)])
def plain(request: pytest.FixtureRequest, tmp_path: Path) -> ObjectStore:
    """A store that keeps no versions."""
    if request.param == "memory":
        return MemoryStore()
    if request.param == "local":
        (tmp_path / "archive").mkdir()
        return LocalStore(tmp_path / "archive")
    opened: S3Store = request.getfixturevalue("open_bucket")()
    return opened


def test_a_purged_object_is_gone_and_its_neighbours_stay(plain: ObjectStore) -> None:
    for key in (KEY, f"{KEY}.old", "segments/gazette/sealed=2026-11-22/one.warc"):
        put(plain, key, key.encode())
    assert sorted(one.key for one in plain.list_versions("segments/")) == sorted(one.key for one in plain.list(""))
    assert plain.purge(KEY) == 1
    assert plain.purge(KEY) == 0
    with pytest.raises(ObjectMissing):
        plain.get(KEY)
    left = [one.key for one in plain.list("")]
    assert left == ["segments/gazette/sealed=2026-11-22/one.warc", f"{KEY}.old"]
    put(plain, KEY, b"again")
    assert plain.get(KEY) == b"again"


def test_the_newest_is_all_that_there_is_without_versions(plain: ObjectStore) -> None:
    rewrite(plain, "feeds/gazette.json", b"first")
    rewrite(plain, "feeds/gazette.json", b"second")
    assert plain.purge("feeds/gazette.json", keep_newest=True) == 0
    assert plain.get("feeds/gazette.json") == b"second"
    (one,) = plain.list_versions("feeds/")
    assert (one.key, one.size_bytes, one.newest, one.removed) == ("feeds/gazette.json", 6, True, False)


def test_what_is_no_key_is_not_purged(plain: ObjectStore) -> None:
    put(plain, "log/gazette/000000000001")
    for key in ("../outside", "log//gazette", "", "log/gazette/"):
        with pytest.raises(StoreRefused):
            plain.purge(key)
    assert [one.key for one in plain.list("")] == ["log/gazette/000000000001"]


@pytest.mark.s3
def test_every_version_goes_and_every_marker(make_bucket: Callable[..., Bucket]) -> None:
    bucket = make_bucket()
    for number in range(3):
        rewrite(bucket.store, "feeds/gazette.json", b"%d" % number)
    bucket.store.delete("feeds/gazette.json")
    rewrite(bucket.store, "feeds/gazette.json", b"last")
    rewrite(bucket.store, "feeds/gazette.json.bak", b"other")
    seen = [(one.key, one.newest, one.removed) for one in bucket.store.list_versions("feeds/gazette.json")]
    assert sum(removed for _, _, removed in seen) == 1
    assert sorted(key for key, newest, _ in seen if newest) == ["feeds/gazette.json", "feeds/gazette.json.bak"]
    assert seen[0] == ("feeds/gazette.json", True, False)

    assert bucket.store.purge("feeds/gazette.json", keep_newest=True) == 3
    assert bucket.versions() == [("feeds/gazette.json", False), ("feeds/gazette.json.bak", False)]
    assert bucket.store.get("feeds/gazette.json") == b"last"
    assert bucket.store.purge("feeds/gazette.json") == 1
    assert bucket.versions() == [("feeds/gazette.json.bak", False)]


@pytest.mark.s3
def test_what_was_deleted_long_ago_is_found_and_goes(make_bucket: Callable[..., Bucket]) -> None:
    bucket = make_bucket()
    put(bucket.store, KEY, b"the story")
    bucket.store.delete(KEY)
    assert list(bucket.store.list("")) == []
    assert [one.size_bytes for one in bucket.store.list_versions("segments/") if not one.removed] == [9]
    assert bucket.store.purge(KEY, keep_newest=True) == 1, "what is newest is a marker, and keeps nothing"
    assert bucket.versions() == []


@pytest.mark.s3
def test_a_listing_of_many_pages_has_each_version_once(
    make_bucket: Callable[..., Bucket], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("jobs.store.s3.versions._PAGE_KEYS", 3)
    bucket = make_bucket()
    for name in ("day=1/a", "day=1/b", "day=2/c", "e"):
        for number in range(4):
            rewrite(bucket.store, f"feeds/{name}", b"%d" % number)
    found = [(one.key, one.version) for one in bucket.store.list_versions("feeds/")]
    assert len(found) == len(set(found)) == 16
    names = [key for key, _ in found]
    assert [names.index(key) for key in names] == sorted(names.index(key) for key in names), "each key's together"
    assert bucket.store.purge("feeds/day=1/b") == 4
    assert sorted({key for key, _ in bucket.versions()}) == ["feeds/day=1/a", "feeds/day=2/c", "feeds/e"]


@pytest.mark.s3
def test_an_upload_that_nobody_finished_goes_too(make_bucket: Callable[..., Bucket]) -> None:
    bucket = make_bucket()
    for key in (KEY, f"{KEY}x"):
        begun = bucket.client.create_multipart_upload(Bucket=bucket.name, Key=f"news/{key}")
        bucket.client.upload_part(
            Bucket=bucket.name, Key=f"news/{key}", UploadId=begun["UploadId"], PartNumber=1, Body=b"the story"
        )
    assert bucket.store.purge(KEY) == 0
    left = bucket.client.list_multipart_uploads(Bucket=bucket.name)["Uploads"]
    assert [one["Key"] for one in left] == [f"news/{KEY}x"]


@pytest.mark.s3
def test_retention_is_said_and_governance_only_passed_where_asked(make_bucket: Callable[..., Bucket]) -> None:
    bucket = make_bucket(locked=True)
    until = datetime.now(UTC) + timedelta(days=1)
    for mode in ("GOVERNANCE", "COMPLIANCE"):
        bucket.client.put_object(
            Bucket=bucket.name,
            Key=f"news/log/{mode}",
            Body=b"kept",
            ObjectLockMode=mode,
            ObjectLockRetainUntilDate=until,
        )
        with pytest.raises(StoreRefused, match=rf"log/{mode}: version \w+ cannot be removed \(403\): it is under ret"):
            bucket.store.purge(f"log/{mode}")
    assert bucket.store.purge("log/GOVERNANCE", bypass=True) == 1
    with pytest.raises(StoreRefused):
        bucket.store.purge("log/COMPLIANCE", bypass=True)
    assert bucket.versions() == [("log/COMPLIANCE", False)]
