"""Places as people write them, and what an S3 server's answers mean; nothing here is connected to."""

from __future__ import annotations

from pathlib import Path

import pytest

from config.errors import (
    ConfigError,
    ExitCode,
    ObjectDiffers,
    ObjectExists,
    ObjectMissing,
    StoreError,
    StoreRefused,
    StoreUnavailable,
)
from config.loading import load_settings
from jobs.store import open_store
from jobs.store.answers import explain_answer
from jobs.store.local import LocalStore
from jobs.store.memory import MemoryStore
from jobs.store.s3 import S3Options, S3Store, split_url


@pytest.mark.parametrize(
    ("place", "path"),
    [
        ("/var/lib/archive", "/var/lib/archive"),
        ("file:///var/lib/archive", "/var/lib/archive"),
        ("file://localhost/var/my%20archive", "/var/my archive"),
        ("./s3:archive", "s3:archive"),
        ("archive/a:b", "archive/a:b"),
        ("~/archive", "{home}/archive"),
    ],
)
def test_paths(place: str, path: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", "/home/someone")
    store = open_store(place, load_settings())
    assert isinstance(store, LocalStore)
    assert store.url == str(tmp_path / path.replace("{home}", "/home/someone"))
    assert list(tmp_path.iterdir()) == []


def test_memory() -> None:
    assert isinstance(open_store("memory:", load_settings()), MemoryStore)


@pytest.mark.parametrize(
    ("place", "url"),
    [("s3://bucket", "s3://bucket"), ("s3://bucket/", "s3://bucket"), ("S3://bucket/a/b/", "s3://bucket/a/b")],
)
def test_buckets(place: str, url: str) -> None:
    settings = load_settings().model_copy(update={"s3_endpoint_url": "http://127.0.0.1:1", "s3_region": "eu-central-1"})
    store = open_store(place, settings)
    assert isinstance(store, S3Store)
    assert store.url == url
    store.close()


@pytest.mark.parametrize(
    ("place", "said"),
    [
        ("", "empty"),
        ("  ", "empty"),
        ("a\0b", "NUL"),
        ("gs://bucket/a", "the scheme gs:"),
        ("https://bucket.s3.amazonaws.com/a", "set s3_endpoint_url"),
        ("memory:x", "the scheme memory:"),
        ("C:archive", "write ./ before it"),
        ("file://server/share", "three slashes"),
        ("file:archive", "three slashes"),
        ("file:///a?b", "three slashes"),
        ("file:///a%00b", "NUL"),
        ("s3:bucket/a", "expected s3://bucket/prefix"),
        ("s3://", "expected s3://bucket/prefix"),
        ("s3:///a", "expected s3://bucket/prefix"),
        ("s3://b/a", "expected s3://bucket/prefix"),
        ("s3://bucket/a//b", "empty part"),
        ("s3://bucket/../b", "empty part"),
    ],
)
def test_what_is_no_place(place: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said) as caught:
        open_store(place, load_settings())
    assert str(caught.value).startswith("archive: found")
    assert caught.value.exit_code is ExitCode.USAGE


def test_credentials_in_an_address_are_refused_and_not_repeated() -> None:
    with pytest.raises(ConfigError, match="credentials") as caught:
        split_url("s3://AKIAEXAMPLE:hush@bucket/a")
    assert "hush" not in str(caught.value)
    with pytest.raises(ConfigError, match="credentials") as caught:
        S3Store("bucket", options=S3Options(endpoint_url="http://AKIAEXAMPLE:hush@127.0.0.1:1"))
    assert "hush" not in str(caught.value)


def test_wrong_s3_settings(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"s3_ca_file: found .*no\.pem"):
        S3Store("bucket", options=S3Options(ca_file=tmp_path / "no.pem"))
    with pytest.raises(ConfigError, match="s3_region: found 'not a region'"):
        S3Store("bucket", options=S3Options(region="not a region"))
    with pytest.raises(ConfigError, match="s3_endpoint_url: found 'nonsense'"):
        S3Store("bucket", options=S3Options(endpoint_url="nonsense"))


@pytest.mark.parametrize(
    ("status", "code", "expected", "said"),
    [
        (404, "NoSuchKey", ObjectMissing, "no such object"),
        (404, "404", ObjectMissing, "no such object"),
        (404, "NoSuchBucket", StoreRefused, "make it"),
        (403, "AccessDenied", StoreRefused, "s3:PutObject"),
        (403, "403", StoreRefused, "s3:PutObject"),
        (400, "ExpiredToken", StoreRefused, "sign in again"),
        (403, "RequestTimeTooSkewed", StoreRefused, "set the clock"),
        (301, "PermanentRedirect", StoreRefused, "s3_region"),
        (301, "301", StoreRefused, "s3_region"),
        (400, "AuthorizationHeaderMalformed", StoreRefused, "s3_region"),
        (501, "NotImplemented", StoreRefused, "lacks a feature"),
        (501, "501", StoreRefused, "lacks a feature"),
        (400, "BadDigest", ObjectDiffers, "other bytes"),
        (412, "PreconditionFailed", ObjectExists, "is there already"),
        (412, "412", ObjectExists, "is there already"),
        (409, "ConditionalRequestConflict", StoreUnavailable, "try again"),
        (400, "RequestTimeout", StoreUnavailable, "try again"),
        (503, "SlowDown", StoreUnavailable, "try again"),
        (500, "InternalError", StoreUnavailable, "try again"),
        (502, "Bad Gateway", StoreUnavailable, "502 Bad Gateway"),
        (429, "429", StoreUnavailable, "try again"),
        (400, "Something", StoreRefused, "400 Something: the server's words"),
    ],
)
def test_answers(status: int, code: str, expected: type[StoreError], said: str) -> None:
    error = explain_answer("s3://b/k at http://h", code=code, status=status, detail="the server's words")
    assert type(error) is expected
    assert str(error).startswith("s3://b/k at http://h: ")
    assert said in str(error)


def test_foreign_words_are_kept_short_and_on_one_line() -> None:
    error = explain_answer("s3://b", code="x\x1b[31m\n" * 50, status=400, detail="a\r\nb\0" + "c" * 100_000)
    assert str(error).isprintable()
    assert len(str(error)) < 700
