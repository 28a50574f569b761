"""Heads: what they name, when one is written, where they go, and what comes of places that are down."""

from __future__ import annotations

import json
import shutil
import subprocess
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from config.errors import ConfigError, DamageFound
from config.settings import Settings
from jobs.alerts.outside import HeadAlarm
from jobs.archive.commit import commit_key, digest
from jobs.archive.heads import find_newest, head_key, read_head, stamp_key
from jobs.archive.identity import create_archive
from jobs.archive.stamps import read_roots, read_stamp
from jobs.context import open_archive
from jobs.heads.keeper import RETRY_SECONDS, HeadKeeper
from jobs.heads.places import MOST_AT_ONCE
from jobs.heads.writing import keep_heads
from jobs.store import open_store
from jobs.store.memory import MemoryStore
from tests.archives import NOON, append_commit
from tests.authorities import run_authority, run_hook
from tests.signed import FIRST, FOREIGN, rotate
from tests.sinks import serve_web

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from jobs.context import OpenArchive


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    made = Settings(archive=str(tmp_path / "archive"), state_dir=tmp_path / "state")
    (tmp_path / "archive").mkdir()
    store = open_store(str(made.archive), made)
    create_archive(store, single_writer=False, now=NOON)
    for source in ("one", "two"):
        append_commit(store, source=source, kind="ledger")
    return made


@contextmanager
def opened(settings: Settings, **other: Any) -> Iterator[OpenArchive]:
    with open_archive(settings.override(**other)) as archive:
        yield archive


def grow(archive: OpenArchive, source: str = "one") -> None:
    append_commit(archive.store, source=source, kind="ledger", signer=archive.signer)


def test_a_head_names_the_ends_of_all_logs_and_chains(settings: Settings) -> None:
    with opened(settings) as archive:
        assert keep_heads(archive, now=NOON).wrote
        grow(archive)
        assert keep_heads(archive, now=NOON + timedelta(hours=1)).n == 2
        first, second = read_head(archive.store, 1), read_head(archive.store, 2)
        assert (first.previous, second.previous) == (archive.info.digest, first.document.digest)
        assert {name: end.seq for name, end in second.ends.items()} == {"one": 2, "two": 1}
        assert second.ends["one"].sha256 == digest(archive.store.get(commit_key("one", 2)))
        assert second.document.signatures == ()


def test_no_head_where_nothing_has_grown_or_nothing_is_there(settings: Settings, tmp_path: Path) -> None:
    with opened(settings) as archive:
        keep_heads(archive, now=NOON)
        report = keep_heads(archive, now=NOON + timedelta(days=30))
        assert (report.n, report.wrote) == (1, False)
    (tmp_path / "empty").mkdir()
    empty = settings.override(archive=str(tmp_path / "empty"))
    create_archive(open_store(str(empty.archive), empty), single_writer=False, now=NOON)
    with opened(empty) as archive:
        assert keep_heads(archive).n == 0


def test_a_head_after_a_crawl_looks_at_its_own_logs_alone_while_the_last_is_young(settings: Settings) -> None:
    with opened(settings) as archive:
        keep_heads(archive, now=NOON)
        grow(archive, "two")
        later = NOON + timedelta(hours=1)
        assert not keep_heads(archive, fresh={}, now=later).wrote
        assert keep_heads(archive, fresh={}, now=NOON + timedelta(days=2)).wrote


def test_heads_are_signed_by_the_key_of_the_archive_or_not_written(settings: Settings, tmp_path: Path) -> None:
    key = tmp_path / "key.pem"
    key.write_bytes(FIRST.encode_private())
    rotate(open_store(str(settings.archive), settings), FIRST)
    with opened(settings, signing_key_file=key) as archive:
        keep_heads(archive, now=NOON)
        head = read_head(archive.store, 1)
        assert FIRST.public.has_signed(head.document.signed, head.document.signatures[0])
    key.write_bytes(FOREIGN.encode_private())
    with opened(settings, signing_key_file=key) as archive:
        grow_error = pytest.raises(ConfigError, match="rotated out or is another's")
        with grow_error:
            keep_heads(archive)


def test_a_log_that_was_cut_gets_no_head(settings: Settings) -> None:
    with opened(settings) as archive:
        grow(archive)
        keep_heads(archive, now=NOON)
        archive.store.delete(commit_key("one", 2))
        with pytest.raises(DamageFound, match="is in the last head, and is gone"):
            keep_heads(archive, now=NOON + timedelta(days=2))


def test_the_newest_of_many_is_found_by_few_requests() -> None:
    store = MemoryStore()
    for n in range(1, 3_001):
        store.create(head_key(n), b"x", sha256=digest(b"x"))
    store.create(stamp_key(3_000), b"x", sha256=digest(b"x"))
    assert find_newest(store) == (3_000, True)
    assert find_newest(store, 2_999) == (3_000, True)
    store.delete(stamp_key(3_000))
    assert find_newest(store, 3_000) == (3_000, False)
    assert find_newest(MemoryStore(), 7) == (0, False)


def test_a_folder_that_was_down_gets_what_it_missed(settings: Settings, tmp_path: Path) -> None:
    second = tmp_path / "second"
    with opened(settings, heads_to=str(second)) as archive:
        for number in range(3):
            report = keep_heads(archive, now=NOON + timedelta(hours=number))
            assert "no such folder; make it, or mount" in report.failed[str(second)]
            grow(archive)
        second.mkdir()
        assert keep_heads(archive, now=NOON + timedelta(hours=4)).sent == {str(second): 4}
        folder = second / "heads" / archive.info.archive
        assert sorted(path.name for path in folder.iterdir()) == [f"{n:012d}.json" for n in (1, 2, 3, 4)]
        assert (folder / "000000000003.json").read_bytes() == archive.store.get(head_key(3))
        (folder / "000000000004.json").unlink()
        (folder / "000000000004.json").write_bytes(b"another")
        grow(archive)
        assert keep_heads(archive, now=NOON + timedelta(hours=5)).sent == {str(second): 5}


def test_an_address_gets_the_two_lines_and_what_it_missed(settings: Settings) -> None:
    with run_hook() as hook, opened(settings, heads_to=hook.url) as archive:
        hook.status = 503  # from the first
        assert keep_heads(archive, now=NOON).failed
        grow(archive)
        hook.status = 200
        assert keep_heads(archive, now=NOON + timedelta(minutes=1)).failed == {}
        hook.status = 503
        for number in (1, 2):
            grow(archive)
            report = keep_heads(archive, now=NOON + timedelta(hours=number))
            ((place, reason),) = report.failed.items()
            assert (reason, "secret-token" in place) == ("answered with status 503", False)
        hook.status, hook.location = 307, hook.url + "/elsewhere"
        assert "status 307" in str(keep_heads(archive, now=NOON + timedelta(hours=3)).failed)
        hook.status = 200
        assert keep_heads(archive, now=NOON + timedelta(hours=3)).failed == {}
        assert keep_heads(archive, now=NOON + timedelta(hours=3)).failed == {}
        assert hook.bodies == [archive.store.get(head_key(n)) for n in (1, 2, 3, 4)]
        assert hook.heads == [f"{archive.info.archive}/{n}" for n in (1, 2, 3, 4)]
        assert MOST_AT_ONCE > 4


def test_an_address_that_nobody_answers_is_told(settings: Settings) -> None:
    with opened(settings, heads_to="http://127.0.0.1:9/x") as archive:
        report = keep_heads(archive, now=NOON)
    assert report.wrote
    assert report.failed == {"http://127.0.0.1:9/***": "cannot be reached: ConnectionRefusedError"}


@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed")
def test_a_stamp_of_a_real_authority(settings: Settings, tmp_path: Path) -> None:
    folder = tmp_path / "tsa"
    folder.mkdir()
    second = tmp_path / "second"
    second.mkdir()
    with (
        run_authority(folder) as authority,
        opened(settings, stamp_url=authority.url, heads_to=str(second)) as archive,
    ):
        authority.status = 500
        assert "no stamp: answered with status 500" in str(keep_heads(archive, now=NOON).failed)
        authority.status, authority.answer = 200, b"no stamp at all"
        assert "not a time stamp" in str(keep_heads(archive, now=NOON).failed)
        authority.answer = None
        report = keep_heads(archive, now=NOON)
        assert (report.failed, report.wrote) == ({}, False)
        assert report.stamped is not None
        asked = authority.asked
        keep_heads(archive, now=NOON)
        assert authority.asked == asked
        data, answer = archive.store.get(head_key(1)), archive.store.get(stamp_key(1))
        late = second / "heads" / archive.info.archive / "000000000001.tsr"
        assert late.read_bytes() == answer  # though the head was there two rounds before
        roots = read_roots(authority.root)
        assert read_stamp(data, answer, "here", roots).at == report.stamped
        with pytest.raises(DamageFound, match="does not hold"):
            read_stamp(data + b" ", answer, "here", roots)
        other = tmp_path / "other"
        other.mkdir()
        with run_authority(other) as stranger, pytest.raises(DamageFound, match="does not hold"):
            read_stamp(data, answer, "here", read_roots(stranger.root))
        for name, content in (("data", data), ("tsr", answer)):
            (tmp_path / name).write_bytes(content)
        command = f"openssl ts -verify -data data -in tsr -CAfile {authority.root}"
        subprocess.run(command.split(), cwd=tmp_path, check=True, capture_output=True)


def test_the_daemons_keeper_writes_one_head_a_day_whatever_grows(settings: Settings) -> None:
    clock, wrote = [0.0], []
    told: list[dict[str, str]] = []
    keeper = HeadKeeper(
        settings, tell=told.append, clock=lambda: clock[0], now=lambda: NOON + timedelta(seconds=clock[0])
    )
    store = open_store(str(settings.archive), settings)
    for hour in range(72):
        clock[0] = hour * 3_600.0
        append_commit(store, source="one", kind="ledger")
        if clock[0] >= keeper._next:
            report = keeper.look()
            assert report is not None
            wrote.append(report.wrote)
    assert wrote == [True, True, True]
    assert told == [{}, {}, {}]
    assert find_newest(store)[0] == 3


def test_the_daemons_keeper_tries_again_what_failed_and_writes_no_further_head(
    settings: Settings, tmp_path: Path
) -> None:
    clock = [0.0]
    second = tmp_path / "second"
    keeper = HeadKeeper(
        settings.override(heads_to=str(second)), clock=lambda: clock[0], now=lambda: NOON + timedelta(seconds=clock[0])
    )
    report = keeper.look()
    assert report is not None
    assert report.failed
    assert keeper._next == RETRY_SECONDS
    store = open_store(str(settings.archive), settings)
    append_commit(store, source="one", kind="ledger")
    second.mkdir()
    clock[0] = RETRY_SECONDS
    report = keeper.look()
    assert report is not None
    assert (report.wrote, report.failed) == (False, {})
    assert (second / "heads" / json.loads(store.get("ofrecord.json"))["archive"] / "000000000001.json").exists()


def test_the_daemons_keeper_outlives_an_archive_that_is_gone(settings: Settings) -> None:
    told: list[dict[str, str]] = []
    keeper = HeadKeeper(settings.override(archive=f"{settings.archive}-gone"), tell=told.append)
    assert keeper.look() is None
    assert "no archive here" in told[0]["the archive"]


def test_people_are_told_once_that_a_second_place_fails_and_once_that_it_does_not() -> None:
    with serve_web() as web:
        alarm = HeadAlarm(Settings(alerts=[web.address], archive="/data/archive"))
        alarm({})
        alarm({"/mnt/vault": "no such folder"})
        alarm({"/mnt/vault": "no such folder"})
        web.status = 500
        alarm({})
        web.status = 200
        alarm({})
        assert web.titles[0] == "ofrecord: heads do not reach 1 place"
        assert web.titles[-1] == "ofrecord: heads are outside again"
        assert web.titles.count("ofrecord: heads do not reach 1 place") == 1
