"""What the settings ask of an S3 server reaches the wire, and what a store counts and dates. The server is real."""

from __future__ import annotations

import base64
import hashlib
import random
import sys
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from config.errors import ConfigError, StoreRefused, StoreUnavailable
from config.settings import Settings
from jobs.store import open_store
from jobs.store.probe import probe_store
from jobs.store.s3 import S3Store
from jobs.store.s3.traffic import CLOCK_SECONDS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.proxy import Proxy
    from tests.seaweed import S3Server

SEGMENT = "segments/gazette/sealed=2026-11-22/one.warc.gz"
COMMIT = "log/gazette/000000000001"


def put(store: S3Store, key: str, data: bytes = b"data") -> None:
    store.create(key, data, sha256="sha256:" + hashlib.sha256(data).hexdigest())


@pytest.fixture
def open_by_settings(s3_environment: S3Server, proxy: Proxy) -> Iterator[Callable[..., S3Store]]:
    made: list[S3Store] = []

    def open_one(**values: Any) -> S3Store:
        settings = Settings(s3_endpoint_url=proxy.url, s3_path_style=True).override(**values)
        store = open_store(f"s3://{s3_environment.bucket}/s3/{random.randbytes(6).hex()}", settings)
        assert isinstance(store, S3Store)
        made.append(store)
        return store

    yield open_one
    for store in made:
        store.close()


def sent(proxy: Proxy, name: str) -> list[str | None]:
    return [request.headers.get(name) for request in proxy.seen if request.method == "PUT"]


def test_defaults_ask_for_nothing_special(open_by_settings: Callable[..., S3Store], proxy: Proxy) -> None:
    put(open_by_settings(), SEGMENT)
    assert sent(proxy, "x-amz-server-side-encryption") == [None]
    assert sent(proxy, "x-amz-storage-class") == [None]
    assert sent(proxy, "if-none-match") == ["*"]
    assert sent(proxy, "x-amz-checksum-sha256") == [base64.b64encode(hashlib.sha256(b"data").digest()).decode()]


def test_encryption_reaches_every_object(open_by_settings: Callable[..., S3Store], proxy: Proxy) -> None:
    store = open_by_settings(s3_sse="AES256")
    put(store, SEGMENT)
    put(store, COMMIT)
    assert sent(proxy, "x-amz-server-side-encryption") == ["AES256", "AES256"]
    assert store.requests == {"PutObject": 2}, "the answer's SHA-256 is that of the plain bytes"


def test_encryption_that_the_server_ignores_is_refused(
    open_by_settings: Callable[..., S3Store], proxy: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = open_by_settings(s3_sse="aws:kms:dsse", s3_sse_key_id="alias/archive")
    with pytest.raises(StoreRefused, match="asked for the encryption aws:kms:dsse, the server answers with none"):
        put(store, COMMIT)
    assert sent(proxy, "x-amz-server-side-encryption-aws-kms-key-id") == ["alias/archive"]
    monkeypatch.setattr("jobs.store.s3.SINGLE_PUT_BYTES", 2)
    with pytest.raises(StoreRefused, match="s3_sse"):
        put(store, SEGMENT)
    assert (store.requests["UploadPart"], store.requests["AbortMultipartUpload"]) == (0, 1)


def test_storage_class_is_of_segments_only(
    open_by_settings: Callable[..., S3Store], proxy: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = open_by_settings(s3_storage_class="STANDARD_IA")
    keys = [SEGMENT, COMMIT, "lease/gazette/000001.000001", "checkpoint/gazette/000000000001", "segments-of-nothing"]
    for key in keys:
        put(store, key)
    assert sent(proxy, "x-amz-storage-class") == ["STANDARD_IA", None, None, None, None]
    monkeypatch.setattr("jobs.store.s3.SINGLE_PUT_BYTES", 2)
    put(store, SEGMENT + ".2")
    (begun,) = [request for request in proxy.seen if request.method == "POST" and request.path.endswith("?uploads")]
    assert begun.headers["x-amz-storage-class"] == "STANDARD_IA"


def test_crc64nvme_is_checked_by_the_server_and_read_back(
    open_by_settings: Callable[..., S3Store], proxy: Proxy, tmp_path: Path
) -> None:
    store = open_by_settings(s3_checksum="crc64nvme")
    put(store, COMMIT, b"123456789")
    assert sent(proxy, "x-amz-checksum-crc64nvme") == [base64.b64encode(bytes.fromhex("ae8b14860a799888")).decode()]
    assert sent(proxy, "x-amz-checksum-sha256") == [None]
    assert store.requests == {"PutObject": 1, "HeadObject": 1, "GetObject": 1}
    (tmp_path / "source").write_bytes(b"123456789")
    store.create(SEGMENT, tmp_path / "source", sha256="sha256:" + hashlib.sha256(b"123456789").hexdigest())
    assert sent(proxy, "x-amz-checksum-crc64nvme")[0] == sent(proxy, "x-amz-checksum-crc64nvme")[1]
    probe_store(store)


def test_crc64nvme_without_its_package(
    open_by_settings: Callable[..., S3Store], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "awscrt.checksums", None)
    with pytest.raises(ConfigError, match=r"s3_checksum: found crc64nvme, .* pip install awscrt"):
        open_by_settings(s3_checksum="crc64nvme")


def test_attempts_are_as_set(open_by_settings: Callable[..., S3Store], proxy: Proxy) -> None:
    store = open_by_settings(s3_attempts=2)
    proxy.add("status", 500, text="InternalError")
    with pytest.raises(StoreUnavailable):
        store.get("a")
    assert store.requests == {"GetObject": 2}
    assert (proxy.requests, proxy.total) == ({"GET": 2}, 2)


def test_clock_costs_nothing_after_any_answer(open_by_settings: Callable[..., S3Store], proxy: Proxy) -> None:
    store = open_by_settings()
    skewed = proxy.add("skew", 3_600)
    now = store.read_clock()
    assert store.requests == {"ListObjectsV2": 1}
    assert now is not None
    assert timedelta(seconds=3_595) < now - datetime.now(UTC) < timedelta(seconds=3_605)
    proxy.remove(skewed)
    put(store, COMMIT)
    now = store.read_clock()
    assert now is not None
    assert timedelta(seconds=-3.5) < now - datetime.now(UTC) < timedelta(seconds=0.5), "never later than the store's"
    assert store.requests == {"ListObjectsV2": 1, "PutObject": 1}


def test_clock_goes_on_by_itself_for_a_minute(
    open_by_settings: Callable[..., S3Store], monkeypatch: pytest.MonkeyPatch
) -> None:
    store = open_by_settings()
    first = store.read_clock()
    assert first is not None
    begun = time.clock_gettime(time.CLOCK_BOOTTIME)
    monkeypatch.setattr("jobs.store.s3.traffic._boot_seconds", lambda: begun + CLOCK_SECONDS - 5)
    later = store.read_clock()
    assert later is not None
    assert 50 < (later - first).total_seconds() < CLOCK_SECONDS
    assert store.requests.total() == 1
    monkeypatch.setattr("jobs.store.s3.traffic._boot_seconds", lambda: begun + CLOCK_SECONDS + 1)
    again = store.read_clock()
    assert store.requests.total() == 2
    assert again is not None
    assert again < later, "asked anew, and no time has passed at the server"


def test_slow_answer_does_not_set_the_clock(
    open_by_settings: Callable[..., S3Store], proxy: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("jobs.store.s3.traffic.TRIP_SECONDS", 0.2)
    store = open_by_settings()
    store.read_clock()
    proxy.add("skew", 3_600)
    proxy.add("latency", 0.4)
    put(store, COMMIT)
    now = store.read_clock()
    assert now is not None
    assert abs(now - datetime.now(UTC)) < timedelta(seconds=5), "the quick answer before it still counts"
    assert store.requests == {"ListObjectsV2": 1, "PutObject": 1}


def test_trouble_before_the_server_does_not_set_the_clock(
    open_by_settings: Callable[..., S3Store], proxy: Proxy
) -> None:
    store = open_by_settings(s3_attempts=1)
    head = b"HTTP/1.1 502 Bad Gateway\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
    gateway = proxy.add("answer", raw=head + b"Content-Length: 0\r\nConnection: close\r\n\r\n")
    with pytest.raises(StoreUnavailable):
        store.get("a")
    proxy.remove(gateway)
    now = store.read_clock()
    assert now is not None
    assert abs(now - datetime.now(UTC)) < timedelta(seconds=5)


def test_rate_and_latency_pass_everything_on(open_by_settings: Callable[..., S3Store], proxy: Proxy) -> None:
    store = open_by_settings()
    data = random.Random(9).randbytes(300_000)
    proxy.add("rate", 1_000_000)
    proxy.add("latency", 0.05)
    put(store, COMMIT, data)
    started = time.monotonic()
    assert store.get(COMMIT) == data
    assert time.monotonic() - started > 0.3
