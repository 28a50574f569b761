"""One suite for every ObjectStore: in memory, on disk, and in a bucket of a real S3 server."""

from __future__ import annotations

import copy
import hashlib
import random
import secrets
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from config.errors import ObjectDiffers, ObjectExists, ObjectMissing, StoreRefused
from jobs.store.local import LocalStore
from jobs.store.memory import MemoryStore
from jobs.store.probe import probe_store
from jobs.store.s3 import S3Options, S3Store

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from jobs.store import ObjectStore, StoredObject
    from tests.seaweed import S3Server

ODD_KEYS = [
    "odd/a b.txt",
    "odd/a+b",
    "odd/a%20b",
    "odd/100%",
    "odd/صحيفة/خبر",
    "odd/é~'()!*;:@&=$,?#[]",
    "odd/dt=2026-11-22/h=03/x",
    "odd/.hidden",
    "odd/\U0001f5de",
    "odd/￮",
]


@pytest.fixture(scope="module")
def bucket(s3_server: S3Server) -> Iterator[S3Store]:
    """One store for all tests here: boto3 takes half a second to make a client."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in s3_server.environment().items():
            patch.setenv(name, value)
        made = S3Store(s3_server.bucket, options=S3Options(endpoint_url=s3_server.endpoint_url))
    yield made
    made.close()


@pytest.fixture(params=["memory", "local", pytest.param("s3", marks=pytest.mark.s3)])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> ObjectStore:
    if request.param == "memory":
        return MemoryStore()
    if request.param == "local":
        (tmp_path / "archive").mkdir()
        return LocalStore(tmp_path / "archive")
    made: S3Store = copy.copy(request.getfixturevalue("bucket"))
    made._prefix = f"tests/{secrets.token_hex(6)}/"
    made.url += f"/{made._prefix[:-1]}"
    return made


def digest(data: bytes) -> str:
    return "sha256:" + hashlib.sha256(data).hexdigest()


def put(store: ObjectStore, key: str, data: bytes = b"x") -> StoredObject:
    return store.create(key, data, sha256=digest(data))


def keys(store: ObjectStore, prefix: str = "", after: str = "") -> list[str]:
    return [one.key for one in store.list(prefix, after=after)]


def test_bytes_come_back_as_they_were_put(store: ObjectStore) -> None:
    data = secrets.token_bytes(100_000)
    made = put(store, "segments/gazette/one.warc.gz", data)
    assert (made.key, made.size_bytes, made.sha256) == ("segments/gazette/one.warc.gz", 100_000, digest(data))
    assert store.get("segments/gazette/one.warc.gz") == data


def test_empty_object(store: ObjectStore) -> None:
    put(store, "empty", b"")
    assert store.get("empty") == b""
    assert store.get("empty", offset=3, length=4) == b""
    assert store.stat("empty").size_bytes == 0


def test_large_file_goes_up_and_comes_down(store: ObjectStore, tmp_path: Path) -> None:
    source, target = tmp_path / "source", tmp_path / "target"
    data = random.Random(7).randbytes(20 * 1024 * 1024)
    source.write_bytes(data)
    assert store.create("big", source, sha256=digest(data)).size_bytes == len(data)
    store.fetch("big", target)
    assert digest(target.read_bytes()) == digest(data)
    assert store.get("big", offset=10_000_000, length=70) == data[10_000_000:10_000_070]


def test_second_put_is_refused_and_changes_nothing(store: ObjectStore) -> None:
    put(store, "log/gazette/000000000001", b"first")
    for again in (b"second", b"first"):
        with pytest.raises(ObjectExists, match="log/gazette/000000000001"):
            put(store, "log/gazette/000000000001", again)
    assert store.get("log/gazette/000000000001") == b"first"


def test_a_feed_is_written_in_place_of_the_one_before(store: ObjectStore) -> None:
    for data in (b"first", b"second, and longer", b"3"):
        store.rewrite("feeds/gazette.atom", data, media_type="application/atom+xml")
        assert store.get("feeds/gazette.atom") == data
        assert store.stat("feeds/gazette.atom").size_bytes == len(data)
    assert keys(store) == ["feeds/gazette.atom"]


def test_nothing_but_a_feed_is_written_anew(store: ObjectStore) -> None:
    put(store, "log/gazette/000000000001", b"first")
    for key in ("log/gazette/000000000001", "ofrecord.json", "feeds", "feeds/../log/gazette/000000000001", "feedsx/a"):
        with pytest.raises(StoreRefused):
            store.rewrite(key, b"other", media_type="text/plain")
    assert keys(store) == ["log/gazette/000000000001"]
    assert store.get("log/gazette/000000000001") == b"first"


def test_of_many_who_write_a_feed_one_is_the_last_and_whole(store: ObjectStore) -> None:
    def go(writer: int) -> bytes:
        data = f"{writer}".encode() * 20_000
        store.rewrite("feeds/all.json", data, media_type="application/feed+json")
        return data

    with ThreadPoolExecutor(8) as pool:
        written = list(pool.map(go, range(16)))
    assert store.get("feeds/all.json") in written
    assert keys(store) == ["feeds/all.json"]


def test_of_eight_writers_one_wins(store: ObjectStore) -> None:
    for number in range(3):
        key = f"log/gazette/{number:012d}"
        ready = threading.Barrier(8)

        def go(writer: int, key: str = key, ready: threading.Barrier = ready) -> int | None:
            ready.wait(30)
            try:
                put(store, key, f"writer {writer}".encode())
            except ObjectExists:
                return None
            return writer

        with ThreadPoolExecutor(8) as pool:
            winners = [writer for writer in pool.map(go, range(8)) if writer is not None]
        assert len(winners) == 1
        assert store.get(key) == f"writer {winners[0]}".encode()


@pytest.mark.parametrize("as_file", [False, True])
def test_wrong_digest_is_refused_and_leaves_nothing(store: ObjectStore, tmp_path: Path, as_file: bool) -> None:
    source = tmp_path / "source"
    source.write_bytes(b"these bytes")
    with pytest.raises(ObjectDiffers, match="wrong"):
        store.create("wrong", source if as_file else b"these bytes", sha256=digest(b"other bytes"))
    with pytest.raises(ObjectMissing):
        store.get("wrong")
    assert keys(store) == []
    put(store, "wrong", b"these bytes")


@pytest.mark.parametrize("wrong", ["", "sha256:", "sha1:" + "0" * 40, "0" * 64, "sha256:" + "A" * 64])
def test_what_is_no_digest_is_refused(store: ObjectStore, wrong: str) -> None:
    with pytest.raises(StoreRefused, match="expected sha256:"):
        store.create("a", b"x", sha256=wrong)


def test_missing_object(store: ObjectStore, tmp_path: Path) -> None:
    target = tmp_path / "target"
    put(store, "there/one")
    for ask in (
        lambda: store.get("there/two"),
        lambda: store.get("nowhere/at/all", offset=1, length=1),
        lambda: store.get("there/two", length=0),
        lambda: store.stat("there/two"),
        lambda: store.stat("there"),
        lambda: store.fetch("there/two", target),
    ):
        with pytest.raises(ObjectMissing, match="no such object"):
            ask()
    assert not target.exists()
    store.delete("there/two")
    store.delete("nowhere/at/all")


def test_fetch_replaces_no_file(store: ObjectStore, tmp_path: Path) -> None:
    target = tmp_path / "target"
    target.write_bytes(b"mine")
    put(store, "a", b"theirs")
    with pytest.raises(FileExistsError):
        store.fetch("a", target)
    assert target.read_bytes() == b"mine"


def test_missing_source_file_is_the_callers_error(store: ObjectStore, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        store.create("a", tmp_path / "nothing", sha256=digest(b""))


def test_stat(store: ObjectStore) -> None:
    before = datetime.now(UTC) - timedelta(seconds=2)
    put(store, "a/b", b"12345")
    found = store.stat("a/b")
    assert (found.key, found.size_bytes) == ("a/b", 5)
    assert found.sha256 in {None, digest(b"12345")}
    assert found.modified is not None
    assert found.modified.utcoffset() == timedelta(0)
    assert before <= found.modified <= datetime.now(UTC) + timedelta(seconds=2)


@pytest.mark.parametrize(
    ("offset", "length", "expected"),
    [(0, 3, b"012"), (3, 4, b"3456"), (9, 1, b"9"), (7, None, b"789"), (8, 50, b"89"), (10, 1, b""), (99, None, b"")],
)
def test_range(store: ObjectStore, offset: int, length: int | None, expected: bytes) -> None:
    put(store, "a", b"0123456789")
    assert store.get("a", offset=offset, length=length) == expected
    assert store.get("a", offset=offset, length=0) == b""


@pytest.mark.parametrize(("offset", "length"), [(-1, None), (0, -1), (-5, 5)])
def test_range_before_the_object_is_refused(store: ObjectStore, offset: int, length: int | None) -> None:
    put(store, "a", b"0123456789")
    with pytest.raises(StoreRefused, match="0 or more"):
        store.get("a", offset=offset, length=length)


def test_odd_keys(store: ObjectStore) -> None:
    for key in ODD_KEYS:
        put(store, key, key.encode())
    assert keys(store, "odd/") == sorted(ODD_KEYS, key=str.encode)
    for key in ODD_KEYS:
        assert store.get(key) == key.encode()
        assert store.stat(key).size_bytes == len(key.encode())
    assert keys(store, "odd/a%") == ["odd/a%20b"]
    assert keys(store, "odd/صح") == ["odd/صحيفة/خبر"]


@pytest.mark.parametrize(
    "key",
    [
        "",
        "/a",
        "a/",
        "a//b",
        "../a",
        "a/../b",
        "a/./b",
        ".",
        "a\0b",
        "a\nb",
        "a\x7f",
        "\udcff",
        ".tmp/a",
        "a" * 256,
        "a/" * 600,
    ],
)
def test_what_is_no_key_is_refused(store: ObjectStore, key: str, tmp_path: Path) -> None:
    for ask in (
        lambda: put(store, key),
        lambda: store.get(key),
        lambda: store.stat(key),
        lambda: store.fetch(key, tmp_path / "target"),
        lambda: store.delete(key),
    ):
        with pytest.raises(StoreRefused, match="cannot be a key"):
            ask()
    assert list(store.list("")) == []


def test_list_is_in_byte_order_of_whole_keys(store: ObjectStore) -> None:
    made = ["t/a-b/1", "t/a/1", "t/a/2", "t/a.b/1", "t/a0", "t/b/x", "t/a/-/1", "t/A", "t/é", "t/zz", "t/a b", "u"]
    for key in made:
        put(store, key)
    made.sort(key=str.encode)
    assert keys(store) == made
    for prefix in ("t/", "t/a", "t/a/", "t/a-", "t/a/-/", "t", "u", "z", "t/a/1"):
        wanted = [key for key in made if key.startswith(prefix)]
        assert keys(store, prefix) == wanted, prefix
        for after in [*made, "t/", "t/a", "t/a/", "t/a0", "t/a-b0", "t/a-z", "t/a/1~", "zzz"]:
            rest = [key for key in wanted if key.encode() > after.encode()]
            assert keys(store, prefix, after) == rest, (prefix, after)


def test_list_says_size_and_time(store: ObjectStore) -> None:
    put(store, "a/1", b"12345")
    (found,) = store.list("a/")
    assert (found.size_bytes, found.modified) == (5, store.stat("a/1").modified)


def test_list_of_nothing(store: ObjectStore) -> None:
    put(store, "a")
    assert keys(store, "b/") == []
    assert keys(store, "../") == []
    assert keys(store, "a", "a") == []


def test_list_over_many_pages(store: ObjectStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("jobs.store.s3.PAGE_KEYS", 7)
    made = [f"log/gazette/{number:012d}" for number in range(1, 31)] + ["log/gazette-2/1", "log/gazette-2/2", "log/h/1"]
    for key in made:
        put(store, key, b"")
    assert keys(store, "log/") == sorted(made)
    assert keys(store, "log/gazette/", "log/gazette/000000000012") == made[12:30]
    assert store.folders("log/") == ("gazette", "gazette-2", "h")


def test_list_shows_at_once_what_was_put_and_removed(store: ObjectStore) -> None:
    for number in range(10):
        put(store, f"lease/gazette/{number:012d}.000001")
        assert len(keys(store, "lease/gazette/")) == 1
        store.delete(f"lease/gazette/{number:012d}.000001")
        assert keys(store, "lease/gazette/") == []


def test_folders(store: ObjectStore) -> None:
    for key in ("log/gazette/1", "log/gazette/2", "log/gazette-2/1", "log/loose", "ofrecord.json"):
        put(store, key)
    assert store.folders("") == ("log",)
    assert store.folders("log/") == ("gazette", "gazette-2")
    assert store.folders("log/gazette/") == ()
    assert store.folders("nothing/") == ()
    for wrong in ("log", "/", "../"):
        with pytest.raises(StoreRefused, match="no folder"):
            store.folders(wrong)


def test_delete(store: ObjectStore) -> None:
    put(store, "lease/gazette/1", b"first")
    store.delete("lease/gazette/1")
    with pytest.raises(ObjectMissing):
        store.get("lease/gazette/1")
    put(store, "lease/gazette/1", b"second")
    assert store.get("lease/gazette/1") == b"second"


def test_clock(store: ObjectStore) -> None:
    now = store.read_clock()
    assert now is not None
    assert now.utcoffset() == timedelta(0)
    assert abs(now - datetime.now(UTC)) < timedelta(seconds=5)


def test_many_threads_share_one_store(store: ObjectStore) -> None:
    def work(number: int) -> bytes:
        put(store, f"n/{number}", str(number).encode())
        return store.get(f"n/{number}")

    with ThreadPoolExecutor(16) as pool:
        assert list(pool.map(work, range(64))) == [str(number).encode() for number in range(64)]
    assert len(keys(store, "n/")) == 64


def test_probe_passes_and_leaves_nothing(store: ObjectStore) -> None:
    probe_store(store)
    assert keys(store) == []
