"""`verify --repair-from` as a command: from a folder into a bucket that keeps versions under Object Lock."""

from __future__ import annotations

import json
import random
from typing import TYPE_CHECKING, Any

import pytest

from config.errors import ExitCode
from jobs.archive.commit import commit_key, digest
from jobs.cli import main
from jobs.store.local import LocalStore
from jobs.store.s3 import S3Options, S3Store
from jobs.store.s3.retention import LockWish
from tests.archives import SOURCE, build_archive, file_keys
from tests.faults import WARC, flip

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from jobs.store.memory import MemoryStore
    from tests.seaweed import S3Server


@pytest.fixture
def whole(tmp_path: Path) -> MemoryStore:
    """A sound archive, of which `copy` is a copy."""
    store = build_archive(tmp_path / "spool", segments=3)
    for item in store.list(""):
        data = store.get(item.key)
        LocalStore(tmp_path / "copy").create(item.key, data, sha256=digest(data))
    return store


@pytest.fixture
def bucket(s3_environment: S3Server, whole: MemoryStore, monkeypatch: pytest.MonkeyPatch) -> Iterator[S3Store]:
    """The same in a bucket of its own that keeps what was."""
    name = f"repair-{random.randbytes(4).hex()}"
    client = s3_environment.client()
    client.create_bucket(Bucket=name, ObjectLockEnabledForBucket=True)
    client.close()
    for variable, value in {
        "OFRECORD_S3_ENDPOINT_URL": s3_environment.endpoint_url,
        "OFRECORD_S3_PATH_STYLE": "true",
        "OFRECORD_OBJECT_LOCK": "governance",
        "OFRECORD_OBJECT_LOCK_DAYS": "40",
    }.items():
        monkeypatch.setenv(variable, value)
    options = S3Options(s3_environment.endpoint_url, path_style=True, lock=LockWish("governance", 40))
    store = S3Store(name, "news", options)
    for item in whole.list(""):
        data = whole.get(item.key)
        store.create(item.key, data, sha256=digest(data))
    yield store
    store.close()


def test_repairs_a_bucket_and_keeps_the_damaged_version(
    bucket: S3Store, whole: MemoryStore, s3_server: S3Server, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    broken, lost, edited = file_keys(whole, WARC)[0], file_keys(whole, WARC)[1], commit_key(SOURCE, 2)
    client = s3_server.client()
    spoilt = flip(whole.get(broken), 5_000)
    client.put_object(Bucket=bucket._bucket, Key=f"news/{broken}", Body=spoilt)  # a stranger with too many rights
    client.put_object(Bucket=bucket._bucket, Key=f"news/{edited}", Body=b"another")
    client.delete_object(Bucket=bucket._bucket, Key=f"news/{lost}")

    def verify(*words: str) -> tuple[int, str]:
        code = main(["verify", "--archive", bucket.url, "--state", str(tmp_path / "state"), *words])
        return code, capsys.readouterr().out

    code, out = verify("--read-data", "--repair-from", str(tmp_path / "copy"), "--dry-run")
    assert code == ExitCode.DAMAGE
    assert "3 objects would be put back" in out
    code, out = verify("--read-data", "--json", "--repair-from", str(tmp_path / "copy"))
    said: dict[str, Any] = json.loads(out)
    assert code == ExitCode.DONE, out
    assert {one["key"]: one["was"] for one in said["repair"]["mended"]} == {
        broken: digest(spoilt),
        lost: "missing",
        edited: digest(b"another"),
    }
    assert said["repair"]["commits"] == {SOURCE: [4]}
    assert (said["damaged"], said["repair"]["after"]["damaged"]) == (True, False)
    for item in whole.list(""):
        assert bucket.get(item.key) == whole.get(item.key)
    versions = client.list_object_versions(Bucket=bucket._bucket, Prefix=f"news/{broken}")["Versions"]
    assert len(versions) == 3, "as it was committed, as the stranger left it, as it was put back"
    client.close()
    code, out = verify("--read-data")
    assert (code, "clean (every byte read back)" in out) == (ExitCode.DONE, True), out
    assert "kept by Object Lock: governance, 8 of 8 objects, the first until" in out


def test_words_that_do_not_go_together(whole: MemoryStore, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    del whole
    copy = str(tmp_path / "copy")
    for words, code, said in (
        (("--dry-run",), ExitCode.USAGE, "only with --repair-from"),
        (("--repair-from", copy), ExitCode.USAGE, "is the archive itself"),
        (("--resume", str(tmp_path / "check")), ExitCode.USAGE, "only for --read-data"),
        (("--repair-from", str(tmp_path / "nowhere")), ExitCode.NO_ARCHIVE, "nowhere: no archive here"),
    ):
        assert main(["verify", "--archive", copy, "--state", str(tmp_path / "state"), *words]) == code
        assert said in capsys.readouterr().err
