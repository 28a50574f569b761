"""An S3 store in trouble: wrong keys, missing buckets, closed ports, broken connections. The server is real.

A small TCP proxy stands between store and server where the trouble is on the wire.
"""

from __future__ import annotations

import contextlib
import gc
import hashlib
import os
import random
import secrets
import socket
import socketserver
import threading
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
from jobs.store.s3 import S3Store

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.seaweed import S3Server


class Proxy(socketserver.ThreadingTCPServer):
    """Passes bytes on; *up* and *down* may change a chunk, or return `None` to cut the connection."""

    allow_reuse_address = True
    daemon_threads = True

    def __init__(self, server: S3Server) -> None:
        super().__init__(("127.0.0.1", 0), _Passage)
        host, port = server.endpoint_url.removeprefix("http://").split(":")
        self.upstream = host, int(port)
        self.up: Callable[[bytes], bytes | None] = bytes
        self.down: Callable[[bytes], bytes | None] = bytes
        self.url = f"http://127.0.0.1:{self.server_address[1]}"

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing: cut connections are what this is for."""


class _Passage(socketserver.BaseRequestHandler):
    server: Proxy
    request: socket.socket

    def handle(self) -> None:
        with socket.create_connection(self.server.upstream) as upstream:
            back = threading.Thread(target=self._pass, args=(upstream, self.request, "down"), daemon=True)
            back.start()
            self._pass(self.request, upstream, "up")
            back.join()

    def _pass(self, source: socket.socket, target: socket.socket, way: str) -> None:
        with contextlib.suppress(OSError):
            while chunk := source.recv(65_536):
                changed = getattr(self.server, way)(chunk)
                if changed is None:
                    break
                target.sendall(changed)
        for end in (source, target):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)


@pytest.fixture
def proxy(s3_server: S3Server) -> Iterator[Proxy]:
    with Proxy(s3_server) as made:
        thread = threading.Thread(target=made.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield made
        made.shutdown()
        thread.join()


@pytest.fixture
def open_bucket(s3_environment: S3Server) -> Iterator[Callable[..., S3Store]]:
    """Open stores with the server's keys; closed at the end."""
    made: list[S3Store] = []

    def open_one(bucket: str = s3_environment.bucket, endpoint_url: str | None = None, attempts: int = 1) -> S3Store:
        endpoint_url = endpoint_url or s3_environment.endpoint_url
        prefix = f"s3/{secrets.token_hex(6)}"
        made.append(S3Store(bucket, prefix, endpoint_url=endpoint_url, path_style=True, attempts=attempts))
        return made[-1]

    yield open_one
    for store in made:
        store.close()


def digest(data: bytes) -> str:
    return "sha256:" + hashlib.sha256(data).hexdigest()


def put(store: S3Store, key: str, data: bytes = b"x") -> None:
    store.create(key, data, sha256=digest(data))


def every_request(store: S3Store, tmp_path: Path) -> Iterator[Callable[[], object]]:
    yield lambda: put(store, "a")
    yield lambda: store.get("a")
    yield lambda: store.get("a", offset=1, length=1)
    yield lambda: store.fetch("a", tmp_path / "target")
    yield lambda: store.stat("a")
    yield lambda: list(store.list(""))
    yield lambda: store.folders("")
    yield lambda: store.delete("a")
    yield store.read_clock
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
    proxy.down = lambda _: answer
    store = open_bucket(endpoint_url=proxy.url)
    for ask in (
        lambda: list(store.list("")),
        lambda: store.folders(""),
        lambda: put(store, "a"),
        lambda: store.stat("a"),
    ):
        with pytest.raises(StoreError, match="s3_endpoint_url is an S3 server"):
            ask()


class Lossy:
    """Cuts the first connection whose answer says 200, after the server has done what it was asked."""

    def __init__(self, mark: bytes) -> None:
        self.mark = mark
        self.cuts = 0

    def __call__(self, chunk: bytes) -> bytes | None:
        if self.cuts == 0 and self.mark in chunk:
            self.cuts += 1
            return None
        return chunk


def test_lost_answer_to_a_put_shows_as_taken_by_ourselves(open_bucket: Callable[..., S3Store], proxy: Proxy) -> None:
    proxy.down = lossy = Lossy(b" 200 OK")
    store = open_bucket(endpoint_url=proxy.url, attempts=3)
    with pytest.raises(ObjectExists):
        put(store, "log/gazette/000000000001", b"mine")
    assert lossy.cuts == 1
    assert store.get("log/gazette/000000000001") == b"mine"


def test_broken_download_is_begun_again(open_bucket: Callable[..., S3Store], proxy: Proxy, tmp_path: Path) -> None:
    data = random.Random(3).randbytes(3_000_000)
    store = open_bucket(endpoint_url=proxy.url)
    put(store, "a", data)
    for read in (lambda: store.get("a"), lambda: store.fetch("a", tmp_path / "target")):
        proxy.down = lossy = Lossy(data[2_000_000:2_000_004])
        read()
        assert lossy.cuts == 1
    assert (tmp_path / "target").read_bytes() == data


def test_download_that_always_breaks(open_bucket: Callable[..., S3Store], proxy: Proxy, tmp_path: Path) -> None:
    store = open_bucket(endpoint_url=proxy.url)
    data = random.Random(4).randbytes(3_000_000)
    put(store, "a", data)
    mark = data[2_000_000:2_000_004]
    proxy.down = lambda chunk: None if mark in chunk else chunk
    with pytest.raises(StoreUnavailable, match="connection broke"):
        store.fetch("a", tmp_path / "target")
    assert not (tmp_path / "target").exists()


def test_connection_reset_is_tried_again(open_bucket: Callable[..., S3Store], proxy: Proxy) -> None:
    proxy.up = Lossy(b"PUT /")
    put(open_bucket(endpoint_url=proxy.url, attempts=3), "a", b"data")


def test_busy_server(open_bucket: Callable[..., S3Store], proxy: Proxy) -> None:
    body = b"<Error><Code>SlowDown</Code><Message>slow</Message></Error>"
    answer = b"HTTP/1.1 503 Slow Down\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%b" % (len(body), body)
    proxy.down = lambda _: answer
    with pytest.raises(StoreUnavailable, match=r"busy or in trouble \(503 SlowDown\)"):
        list(open_bucket(endpoint_url=proxy.url).list(""))


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


def test_server_says_the_digest(open_bucket: Callable[..., S3Store]) -> None:
    store = open_bucket()
    put(store, "a", b"data")
    assert store.stat("a").sha256 == digest(b"data")


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
    store = S3Store(s3_environment.bucket, endpoint_url=s3_environment.endpoint_url)
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
    store = S3Store(s3_environment.bucket, "profile", endpoint_url=s3_environment.endpoint_url, profile="press")
    put(store, secrets.token_hex(8))
    store.close()
    with pytest.raises(ConfigError, match="s3_profile: found 'local'"):
        S3Store(s3_environment.bucket, endpoint_url=s3_environment.endpoint_url, profile="local")


def test_a_dropped_store_leaves_no_open_socket(s3_environment: S3Server) -> None:
    store = S3Store(s3_environment.bucket, "dropped", endpoint_url=s3_environment.endpoint_url)
    put(store, secrets.token_hex(8))
    store.read_clock()
    del store
    gc.collect()  # an unclosed socket would be a ResourceWarning here, and warnings are errors
