"""An S3 store in trouble: wrong keys, missing buckets, closed ports, broken connections. The server is real.

Where the trouble is on the wire, tests/proxy.py stands between store and server.
"""

from __future__ import annotations

import gc
import hashlib
import os
import random
import secrets
import socket
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from config.errors import (
    ConfigError,
    ObjectDiffers,
    ObjectExists,
    ObjectMissing,
    StoreError,
    StoreRefused,
    StoreUnavailable,
)
from jobs.store.probe import probe_store
from jobs.store.s3 import S3Options, S3Store

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.proxy import Proxy
    from tests.seaweed import S3Server


def digest(data: bytes) -> str:
    return "sha256:" + hashlib.sha256(data).hexdigest()


def put(store: S3Store, key: str, data: bytes = b"x") -> None:
    store.create(key, data, sha256=digest(data))


def every_request(store: S3Store, tmp_path: Path) -> Iterator[Callable[[], object]]:
    yield store.read_clock  # first: any answer, even a refusal, would tell it the time
    yield lambda: put(store, "a")
    yield lambda: store.get("a")
    yield lambda: store.get("a", offset=1, length=1)
    yield lambda: store.fetch("a", tmp_path / "target")
    yield lambda: store.stat("a")
    yield lambda: list(store.list(""))
    yield lambda: store.folders("")
    yield lambda: store.delete("a")
    yield lambda: probe_store(store)


def errors_of(store: S3Store, tmp_path: Path) -> Iterator[StoreError]:
    """Yield what each request fails with; each is one line that names the bucket and the endpoint."""
    for ask in every_request(store, tmp_path):
        with pytest.raises(StoreError) as caught:
            ask()
        line = str(caught.value)
        assert line.startswith(store.url)
        assert f" at {store._endpoint}: " in line
        assert line.isprintable()
        yield caught.value


def test_bucket_missing(open_bucket: Callable[..., S3Store], tmp_path: Path) -> None:
    for error in errors_of(open_bucket("no-such-bucket"), tmp_path):
        assert type(error) is StoreRefused
        assert "there is no such bucket (404 NoSuchBucket); make it" in str(error)


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("AWS_SECRET_ACCESS_KEY", "the secret key does not fit the access key (403 SignatureDoesNotMatch)"),
        ("AWS_ACCESS_KEY_ID", "the server does not know this access key (403 InvalidAccessKeyId)"),
    ],
)
def test_wrong_keys(
    open_bucket: Callable[..., S3Store], monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str, found: str
) -> None:
    secret = os.environ["AWS_SECRET_ACCESS_KEY"]
    monkeypatch.setenv(name, "wrong-" + secrets.token_hex(8))
    for error in errors_of(open_bucket(), tmp_path):
        assert type(error) is StoreRefused
        assert found in str(error)
        assert "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY" in str(error)
        assert secret not in str(error)
        assert "wrong-" not in str(error)


def test_no_credentials(open_bucket: Callable[..., S3Store], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    for error in errors_of(open_bucket(), tmp_path):
        assert type(error) is StoreRefused
        assert "found no complete credentials; set AWS_ACCESS_KEY_ID" in str(error)


def test_half_of_the_credentials(open_bucket: Callable[..., S3Store], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    with pytest.raises(StoreRefused, match="found no complete credentials"):
        open_bucket()


def test_port_closed(open_bucket: Callable[..., S3Store], tmp_path: Path) -> None:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))  # bound but not listening: nobody else can take it, and nobody answers
        for error in errors_of(open_bucket(endpoint_url=f"http://127.0.0.1:{held.getsockname()[1]}"), tmp_path):
            assert type(error) is StoreUnavailable
            assert error.retryable
            assert "cannot connect; check s3_endpoint_url" in str(error)


def test_tls_where_none_is_spoken(open_bucket: Callable[..., S3Store], s3_environment: S3Server) -> None:
    store = open_bucket(endpoint_url=s3_environment.endpoint_url.replace("http://", "https://"))
    with pytest.raises(StoreRefused, match=r"TLS failed.*s3_ca_file"):
        store.get("a")


@pytest.mark.parametrize("page", [b"<html>hello", b"<html><body>hello</body></html>", b"{}", b"", b"\xff\xfe"])
def test_what_is_no_s3_server(open_bucket: Callable[..., S3Store], proxy: Proxy, page: bytes) -> None:
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%b" % (len(page), page)
    proxy.add("answer", raw=answer)
    store = open_bucket(endpoint_url=proxy.url)
    for ask in (
        lambda: list(store.list("")),
        lambda: store.folders(""),
        lambda: put(store, "a"),
        lambda: store.stat("a"),
    ):
        with pytest.raises(StoreError, match="s3_endpoint_url is an S3 server"):
            ask()


def test_lost_answer_to_a_put_shows_as_taken_by_ourselves(open_bucket: Callable[..., S3Store], proxy: Proxy) -> None:
    lost = proxy.add("lose_answer", method="PUT", path="/log/", count=1)
    store = open_bucket(endpoint_url=proxy.url, attempts=3)
    with pytest.raises(ObjectExists):
        put(store, "log/gazette/000000000001", b"mine")
    assert (lost.count, store.requests["PutObject"], proxy.requests["PUT"]) == (0, 2, 2)
    assert store.get("log/gazette/000000000001") == b"mine"
    assert store.retries == 1


def test_what_is_sent_again_is_counted(open_bucket: Callable[..., S3Store], proxy: Proxy) -> None:
    store = open_bucket(endpoint_url=proxy.url, attempts=3)
    put(store, "a", b"mine")
    assert store.retries == 0
    proxy.add("status", 503, text="SlowDown", method="GET", count=2)
    assert store.get("a") == b"mine"
    assert (store.requests["GetObject"], store.retries) == (3, 2)
    assert store.get("a") == b"mine"
    assert (store.requests["GetObject"], store.retries) == (4, 2)


def test_broken_download_is_begun_again(open_bucket: Callable[..., S3Store], proxy: Proxy, tmp_path: Path) -> None:
    data = random.Random(3).randbytes(3_000_000)
    store = open_bucket(endpoint_url=proxy.url)
    put(store, "a", data)
    for read in (lambda: store.get("a"), lambda: store.fetch("a", tmp_path / "target")):
        broken = proxy.add("reset_down", 2_000_000, method="GET", count=1)
        read()
        assert broken.count == 0
    assert (tmp_path / "target").read_bytes() == data


def test_download_that_always_breaks(open_bucket: Callable[..., S3Store], proxy: Proxy, tmp_path: Path) -> None:
    store = open_bucket(endpoint_url=proxy.url)
    put(store, "a", random.Random(4).randbytes(3_000_000))
    proxy.add("reset_down", 2_000_000, method="GET")
    with pytest.raises(StoreUnavailable, match="connection broke"):
        store.fetch("a", tmp_path / "target")
    assert not (tmp_path / "target").exists()


def test_upload_reset_half_way_is_tried_again(
    open_bucket: Callable[..., S3Store], proxy: Proxy, tmp_path: Path
) -> None:
    source = tmp_path / "source"
    source.write_bytes(data := random.Random(5).randbytes(3_000_000))
    proxy.add("reset_up", 1_000_000, method="PUT", count=2)
    store = open_bucket(endpoint_url=proxy.url, attempts=3)
    assert store.create("a", source, sha256=digest(data)).sha256 == digest(data)
    assert store.requests["PutObject"] == 3
    proxy.add("reset_up", 1_000_000, method="PUT")
    with pytest.raises(StoreUnavailable, match="connection broke"):
        store.create("b", source, sha256=digest(data))
    assert [one.key for one in store.list("")] == ["a"]


@pytest.mark.parametrize(
    ("status", "code", "mode"),
    [
        (500, "InternalError", "standard"),
        (500, "InternalError", "adaptive"),
        (503, "SlowDown", "standard"),
        (503, "ServiceUnavailable", "standard"),
    ],
)
def test_bursts_of_errors(open_bucket: Callable[..., S3Store], proxy: Proxy, status: int, code: str, mode: str) -> None:
    burst = proxy.add("status", status, text=code, count=2)
    store = open_bucket(endpoint_url=proxy.url, attempts=3, retry_mode=mode)
    put(store, "a", b"data")
    assert burst.count == 0
    proxy.add("status", status, text=code)
    for ask in (lambda: put(store, "b"), lambda: store.get("a"), lambda: list(store.list(""))):
        with pytest.raises(StoreUnavailable, match=rf"busy or in trouble \({status} {code}\)"):
            ask()


def test_conflict_of_two_puts_is_tried_again(open_bucket: Callable[..., S3Store], proxy: Proxy) -> None:
    store = open_bucket(endpoint_url=proxy.url)
    conflict = proxy.add("status", 409, text="ConditionalRequestConflict", method="PUT", count=2)
    put(store, "log/gazette/000000000001", b"mine")
    assert (conflict.count, store.requests["PutObject"]) == (0, 3)
    proxy.add("status", 409, text="ConditionalRequestConflict", method="PUT")
    with pytest.raises(StoreUnavailable, match="409 ConditionalRequestConflict"):
        put(store, "log/gazette/000000000002", b"mine")


def test_outage_ends_without_a_new_store(open_bucket: Callable[..., S3Store], proxy: Proxy) -> None:
    store = open_bucket(endpoint_url=proxy.url)
    put(store, "a")
    proxy.stop_listening()
    with pytest.raises(StoreUnavailable, match="cannot connect"):
        put(store, "b")
    proxy.listen()
    put(store, "b")
    refused = proxy.add("refuse")
    with pytest.raises(StoreUnavailable, match="connection broke"):
        put(store, "c")
    proxy.remove(refused)
    put(store, "c")
    assert [one.key for one in store.list("")] == ["a", "b", "c"]


def test_server_that_never_answers(
    open_bucket: Callable[..., S3Store], proxy: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("jobs.store.s3.connection._READ_SECONDS", 0.3)
    store = open_bucket(endpoint_url=proxy.url)
    proxy.add("blackhole")
    with pytest.raises(StoreUnavailable, match="no answer in time"):
        store.get("a")


def test_expired_credentials(open_bucket: Callable[..., S3Store], proxy: Proxy) -> None:
    proxy.add("status", 400, text="ExpiredToken")
    with pytest.raises(StoreRefused, match=r"the session has expired \(400 ExpiredToken\); sign in again"):
        put(open_bucket(endpoint_url=proxy.url), "a")


def test_bytes_changed_on_the_way_up(open_bucket: Callable[..., S3Store], proxy: Proxy, tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.write_bytes(b"the true bytes " * 10)
    proxy.up = lambda chunk: chunk.replace(b"the true", b"a forged")
    store = open_bucket(endpoint_url=proxy.url)
    with pytest.raises(ObjectDiffers):
        store.create("a", source, sha256=digest(source.read_bytes()))
    assert list(store.list("")) == []


class NoDigest:
    """Hides the server's own SHA-256, as a server that keeps none; may change what is read back."""

    def __init__(self, old: bytes = b"", new: bytes = b"") -> None:
        self.old, self.new = old, new

    def __call__(self, chunk: bytes) -> bytes:
        chunk = chunk.replace(b"X-Amz-Checksum-Sha256", b"X-Not-Checksum-Sha256")
        return chunk.replace(self.old, self.new) if self.old else chunk


def test_server_without_digests_is_read_back(open_bucket: Callable[..., S3Store], proxy: Proxy) -> None:
    proxy.down = NoDigest()
    store = open_bucket(endpoint_url=proxy.url)
    assert store.create("a", b"data", sha256=digest(b"data")).sha256 == digest(b"data")
    assert store.stat("a").sha256 is None
    proxy.down = NoDigest(b"the true", b"a forged")
    with pytest.raises(ObjectDiffers, match=r"the store holds 14 bytes with sha256:.* expected 14 bytes"):
        put(store, "b", b"the true bytes")
    assert {one.key for one in store.list("")} == {"a", "b"}, "what may be another's must not be removed"


def test_a_feed_says_what_it_is(open_bucket: Callable[..., S3Store]) -> None:
    store = open_bucket()
    for media_type in ("text/plain", "application/atom+xml"):
        store.rewrite("feeds/all.atom", b"<feed/>", media_type=media_type)
        head = store._client.head_object(Bucket=store._bucket, Key=store._prefix + "feeds/all.atom")
        assert head["ContentType"] == media_type


def test_server_says_the_digest(open_bucket: Callable[..., S3Store]) -> None:
    store = open_bucket()
    put(store, "a", b"data")
    assert store.stat("a").sha256 == digest(b"data")


def test_small_put_is_proven_by_its_own_answer(open_bucket: Callable[..., S3Store], tmp_path: Path) -> None:
    store = open_bucket()
    made = store.create("a", b"data", sha256=digest(b"data"))
    assert store.requests == {"PutObject": 1}
    assert made.sha256 == store.stat("a").sha256
    assert made.modified is not None
    (tmp_path / "source").write_bytes(b"data")
    store.create("b", tmp_path / "source", sha256=digest(b"data"))
    assert store.requests == {"PutObject": 2, "HeadObject": 2}


def test_server_that_ignores_ranges(open_bucket: Callable[..., S3Store], proxy: Proxy) -> None:
    store = open_bucket(endpoint_url=proxy.url)
    put(store, "a", b"0123456789")
    proxy.down = lambda chunk: chunk.replace(b"\r\nContent-Range:", b"\r\nX-Not-a-Range:")
    with pytest.raises(StoreRefused, match="ignores ranges"):
        store.get("a", offset=2, length=3)


def test_stores_of_two_prefixes_do_not_mix(open_bucket: Callable[..., S3Store]) -> None:
    one, two = open_bucket(), open_bucket()
    put(one, "a", b"one")
    put(two, "a", b"two")
    assert (one.get("a"), two.get("a")) == (b"one", b"two")
    assert [found.key for found in one.list("")] == ["a"]


def test_what_others_keep_in_the_bucket_is_passed_over(
    open_bucket: Callable[..., S3Store], s3_environment: S3Server
) -> None:
    store = open_bucket()
    put(store, "a")
    client = s3_environment.client()
    client.put_object(Bucket=s3_environment.bucket, Key=f"{store._prefix}folder/", Body=b"")
    client.close()
    assert [found.key for found in store.list("")] == ["a"]


def test_whole_bucket_without_a_prefix(s3_environment: S3Server) -> None:
    store = S3Store(s3_environment.bucket, options=S3Options(endpoint_url=s3_environment.endpoint_url))
    put(store, "whole/a")
    assert [found.key for found in store.list("whole/")] == ["whole/a"]
    with pytest.raises(ObjectMissing):
        store.get("whole/b")
    assert store.url == f"s3://{s3_environment.bucket}"
    store.close()


def test_profile_gives_the_keys(s3_environment: S3Server, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file = tmp_path / "credentials"
    file.write_text(
        f"[press]\naws_access_key_id={s3_environment.access_key}\naws_secret_access_key={s3_environment.secret_key}\n"
    )
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(file))
    options = S3Options(endpoint_url=s3_environment.endpoint_url, profile="press")
    store = S3Store(s3_environment.bucket, "profile", options)
    put(store, secrets.token_hex(8))
    store.close()
    with pytest.raises(ConfigError, match="s3_profile: found 'local'"):
        S3Store(s3_environment.bucket, options=replace(options, profile="local"))


def test_a_dropped_store_leaves_no_open_socket(s3_environment: S3Server) -> None:
    store = S3Store(s3_environment.bucket, "dropped", S3Options(endpoint_url=s3_environment.endpoint_url))
    put(store, secrets.token_hex(8))
    store.read_clock()
    del store
    gc.collect()  # an unclosed socket would be a ResourceWarning here, and warnings are errors
