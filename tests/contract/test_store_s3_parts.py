"""Large objects go into a real S3 server in parts: whole or not at all, and nothing is left over where it failed."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import pytest

from config.errors import ObjectDiffers, ObjectExists, StoreError, StoreUnavailable
from jobs.store.s3.parts import MAX_OBJECT_BYTES, MAX_PARTS, SINGLE_PUT_BYTES, choose_part_bytes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from jobs.store.s3 import S3Store
    from tests.proxy import Proxy
    from tests.seaweed import S3Server

KEY = "segments/gazette/sealed=2026-11-22/one.warc.gz"
MEBIBYTE = 1024**2


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file of 65 MiB and a bit, no two MiB the same."""
    path = tmp_path_factory.mktemp("large") / "one.warc.gz"
    with path.open("wb") as file:
        for number in range(65):
            file.write(number.to_bytes(4, "big") * (MEBIBYTE // 4))
        file.write(b"the end")
    return path


@pytest.fixture(scope="module")
def sha256(large: Path) -> str:
    return "sha256:" + hashlib.sha256(large.read_bytes()).hexdigest()


@pytest.fixture(autouse=True)
def nothing_left(s3_server: S3Server) -> Iterator[None]:
    """After each test: no upload in parts is open, and the server's disk is free again."""
    yield
    client = s3_server.client()
    left = client.list_multipart_uploads(Bucket=s3_server.bucket).get("Uploads", [])
    for page in client.get_paginator("list_objects_v2").paginate(Bucket=s3_server.bucket, Prefix="s3/"):
        for entry in page.get("Contents", []):
            client.delete_object(Bucket=s3_server.bucket, Key=entry["Key"])
    client.close()
    assert left == []


@pytest.mark.parametrize("checksum", ["sha256", "crc64nvme"])
def test_large_object_goes_in_parts_and_is_read_back(
    open_bucket: Callable[..., S3Store], large: Path, sha256: str, tmp_path: Path, checksum: str
) -> None:
    store = open_bucket(checksum=checksum)
    made = store.create(KEY, large, sha256=sha256)
    assert (made.size_bytes, made.sha256) == (large.stat().st_size, sha256)
    # Looked for twice before, once after; never taken for proven by the digest of the parts' digests.
    assert store.requests == {
        "HeadObject": 3,
        "CreateMultipartUpload": 1,
        "UploadPart": 5,
        "CompleteMultipartUpload": 1,
        "GetObject": 1,
    }
    assert store.stat(KEY).sha256 is None
    store.fetch(KEY, tmp_path / "target")
    assert (tmp_path / "target").read_bytes() == large.read_bytes()


def test_up_to_64_mib_one_put_is_enough(open_bucket: Callable[..., S3Store]) -> None:
    store = open_bucket()
    data = bytes(SINGLE_PUT_BYTES)
    store.create("one", data, sha256="sha256:" + hashlib.sha256(data).hexdigest())
    assert store.requests == {"PutObject": 1}


def test_bytes_go_in_parts_like_files(open_bucket: Callable[..., S3Store], large: Path, sha256: str) -> None:
    store = open_bucket()
    store.create(KEY, large.read_bytes(), sha256=sha256)
    assert store.requests["UploadPart"] == 5
    assert store.stat(KEY).size_bytes == large.stat().st_size


def test_taken_key_is_refused_before_anything_is_sent(
    open_bucket: Callable[..., S3Store], large: Path, sha256: str
) -> None:
    store = open_bucket()
    store.create(KEY, b"first", sha256="sha256:" + hashlib.sha256(b"first").hexdigest())
    with pytest.raises(ObjectExists, match="is there already"):
        store.create(KEY, large, sha256=sha256)
    assert store.requests["CreateMultipartUpload"] == 0
    assert store.get(KEY) == b"first"


@pytest.mark.parametrize("looked", [False, True])
def test_key_taken_meanwhile_is_refused_at_the_end(
    open_bucket: Callable[..., S3Store], proxy: Proxy, large: Path, sha256: str, looked: bool
) -> None:
    """By the server's own precondition, and by looking once more before, since some servers have none at that step."""
    store = open_bucket(endpoint_url=proxy.url)
    rival = open_bucket()
    rival._prefix = store._prefix

    begin = b"PUT " if looked else b"POST "
    mark = b"partNumber=5" if looked else b"?uploadId="

    def come_between(block: bytes) -> bytes:
        if block.startswith(begin) and mark in block:
            rival.create(KEY, b"rival", sha256="sha256:" + hashlib.sha256(b"rival").hexdigest())
        return block

    proxy.up = come_between
    with pytest.raises(ObjectExists):
        store.create(KEY, large, sha256=sha256)
    assert store.requests["CompleteMultipartUpload"] == (0 if looked else 1)
    assert store.requests["AbortMultipartUpload"] == 1
    assert rival.get(KEY) == b"rival"


def test_reset_in_the_middle_of_a_part_ends_the_upload(
    open_bucket: Callable[..., S3Store], proxy: Proxy, large: Path, sha256: str
) -> None:
    store = open_bucket(endpoint_url=proxy.url)
    proxy.add("reset_up", 5 * MEBIBYTE, method="PUT", path="partNumber=3", count=1)
    with pytest.raises(StoreUnavailable, match="connection broke"):
        store.create(KEY, large, sha256=sha256)
    assert (store.requests["UploadPart"], store.requests["AbortMultipartUpload"]) == (3, 1)
    assert list(store.list("")) == []
    store.create(KEY, large, sha256=sha256)


def test_reset_in_the_middle_of_a_part_is_tried_again(
    open_bucket: Callable[..., S3Store], proxy: Proxy, large: Path, sha256: str
) -> None:
    store = open_bucket(endpoint_url=proxy.url, attempts=3)
    proxy.add("reset_up", 5 * MEBIBYTE, method="PUT", path="partNumber=3", count=2)
    store.create(KEY, large, sha256=sha256)
    assert store.requests["UploadPart"] == 7


@pytest.mark.parametrize("attempts", [1, 3])
def test_lost_answer_to_the_last_step(
    open_bucket: Callable[..., S3Store], proxy: Proxy, large: Path, sha256: str, tmp_path: Path, attempts: int
) -> None:
    """The object is there and whole, though we could not know; the next try finds it and sends nothing."""
    store = open_bucket(endpoint_url=proxy.url, attempts=attempts)
    lost = proxy.add("lose_answer", method="POST", path="uploadId=", count=1)
    with pytest.raises(ObjectExists if attempts > 1 else StoreUnavailable):
        store.create(KEY, large, sha256=sha256)
    assert lost.count == 0
    sent = store.requests["UploadPart"]
    with pytest.raises(ObjectExists):
        store.create(KEY, large, sha256=sha256)
    assert store.requests["UploadPart"] == sent
    store.fetch(KEY, tmp_path / "target")
    assert "sha256:" + hashlib.sha256((tmp_path / "target").read_bytes()).hexdigest() == sha256


def test_upload_that_somebody_ended(
    open_bucket: Callable[..., S3Store], proxy: Proxy, large: Path, sha256: str
) -> None:
    store = open_bucket(endpoint_url=proxy.url)
    proxy.add("status", 404, text="NoSuchUpload", method="POST", path="uploadId=", count=1)
    with pytest.raises(StoreUnavailable, match="ended the upload in parts; try again"):
        store.create(KEY, large, sha256=sha256)
    assert list(store.list("")) == []


def test_conflict_at_the_last_step_begins_anew(
    open_bucket: Callable[..., S3Store], proxy: Proxy, large: Path, sha256: str
) -> None:
    store = open_bucket(endpoint_url=proxy.url)
    proxy.add("status", 409, text="ConditionalRequestConflict", method="POST", path="uploadId=", count=1)
    store.create(KEY, large, sha256=sha256)
    assert (store.requests["CreateMultipartUpload"], store.requests["AbortMultipartUpload"]) == (2, 1)


def test_interrupt_ends_the_upload(open_bucket: Callable[..., S3Store], large: Path, sha256: str) -> None:
    store = open_bucket()

    def interrupt(event_name: str, **_: object) -> None:
        if event_name.endswith("UploadPart") and store.requests["UploadPart"] == 2:
            raise KeyboardInterrupt

    store._client.meta.events.register("before-send.s3", interrupt)
    with pytest.raises(KeyboardInterrupt):
        store.create(KEY, large, sha256=sha256)
    assert store.requests["AbortMultipartUpload"] == 1


def test_abort_that_fails_hides_no_error(
    open_bucket: Callable[..., S3Store], proxy: Proxy, large: Path, sha256: str, s3_server: S3Server
) -> None:
    store = open_bucket(endpoint_url=proxy.url)
    proxy.add("status", 503, text="SlowDown", method="PUT", path="partNumber=2")
    proxy.add("status", 403, text="AccessDenied", method="DELETE")
    with pytest.raises(StoreUnavailable, match="503 SlowDown"):
        store.create(KEY, large, sha256=sha256)
    client = s3_server.client()
    (left,) = client.list_multipart_uploads(Bucket=s3_server.bucket)["Uploads"]
    client.abort_multipart_upload(Bucket=s3_server.bucket, Key=left["Key"], UploadId=left["UploadId"])
    client.close()


def test_part_changed_on_the_way_up(
    open_bucket: Callable[..., S3Store], proxy: Proxy, large: Path, sha256: str
) -> None:
    store = open_bucket(endpoint_url=proxy.url)
    proxy.up = lambda block: block.replace(b"the end", b"the eve")
    with pytest.raises(StoreError):
        store.create(KEY, large, sha256=sha256)
    assert list(store.list("")) == []


def test_file_with_another_digest_is_found_by_reading_back(open_bucket: Callable[..., S3Store], large: Path) -> None:
    with pytest.raises(ObjectDiffers, match=r"the store holds \d+ bytes with sha256:"):
        open_bucket().create(KEY, large, sha256="sha256:" + "0" * 64)


def test_ten_thousand_parts_suffice() -> None:
    assert choose_part_bytes(SINGLE_PUT_BYTES + 1) == 16 * MEBIBYTE
    for size_bytes in (16 * MEBIBYTE * MAX_PARTS, 16 * MEBIBYTE * MAX_PARTS + 1, 10**12, MAX_OBJECT_BYTES):
        part_bytes = choose_part_bytes(size_bytes)
        assert -(-size_bytes // part_bytes) <= MAX_PARTS
        assert part_bytes % MEBIBYTE == 0
        assert part_bytes <= 5 * 1024**3
