"""What verify says of Object Lock: nothing where it is not used, else what is kept, what is not, and what ends soon."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from config.errors import StoreRefused
from jobs.archive.commit import commit_key
from jobs.store import Retention
from jobs.tables import note_tables
from jobs.verify import Depth, Plan, VerifyReport, check_retention, verify_archive
from tests.archives import SOURCE, build_archive, file_keys, put
from tests.faults import WARC, damage, damaged_keys, notices
from tests.machines import CountingStore
from tests.rollups import DAY_1, Newsstand, Seen

if TYPE_CHECKING:
    from pathlib import Path

    from jobs.store.memory import MemoryStore

LONG = Retention("governance", datetime.now(UTC) + timedelta(days=400))


@pytest.fixture
def store(tmp_path: Path) -> MemoryStore:
    return build_archive(tmp_path / "spool", segments=3)


def immutable(store: MemoryStore) -> list[str]:
    return [item.key for item in store.list("") if item.key.startswith(("ofrecord.json", "log/", "segments/"))]


def check(store: MemoryStore | CountingStore, *, every: bool = True) -> VerifyReport:
    report = verify_archive(store, full=False)
    check_retention(store, report, every=every)
    return report


def test_where_it_is_not_used_two_objects_are_asked_and_nothing_is_said(store: MemoryStore) -> None:
    counting = CountingStore(store)
    report = check(counting)
    assert report.lock is None
    assert report.to_json()["object_lock"] is None
    assert "Object Lock" not in notices(report)
    asked = [line for line in counting.asked if line.startswith("RETENTION")]
    assert sorted(asked) == [f"RETENTION {commit_key(SOURCE, 3)}", "RETENTION ofrecord.json"]


def test_all_kept(store: MemoryStore) -> None:
    store.retentions = dict.fromkeys(immutable(store), LONG)
    report = check(store)
    assert report.lock is not None
    assert (report.lock.looked_at, report.lock.kept, report.lock.modes) == (7, 7, ("governance",))
    assert report.lock.first == LONG.until
    assert "Object Lock" not in notices(report)
    assert "governance, 7 of 7 objects, the first until 2" in str(report.lock)


def test_those_without_although_others_have_are_named(store: MemoryStore) -> None:
    without = [file_keys(store, WARC)[1], commit_key(SOURCE, 1), "ofrecord.json"]
    over = file_keys(store, WARC)[2]
    store.retentions = {key: LONG for key in immutable(store) if key not in without}
    store.retentions[over] = Retention("governance", datetime.now(UTC) - timedelta(days=1))
    report = check(store)
    assert damage(report) == []
    for key in without:
        assert f"{key}: has no retention, although others have" in notices(report)
    assert f"{over}: has had retention until" in notices(report)
    assert report.lock is not None
    assert (report.lock.looked_at, report.lock.kept) == (7, 3)
    assert "keeps 1 of 2 objects that were asked" in notices(check(store, every=False))


def test_retention_that_ends_soon(store: MemoryStore) -> None:
    store.retentions = dict.fromkeys(immutable(store), LONG)
    store.retentions[commit_key(SOURCE, 2)] = Retention("governance", datetime.now(UTC) + timedelta(days=3))
    report = check(store)
    assert "Object Lock lets go of 1 object within 30 days" in notices(report)
    assert report.lock is not None
    assert report.lock.to_json()["ending"] == 1


def test_no_right_to_ask_is_no_damage(store: MemoryStore, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(key: str, *, version: str = "") -> None:
        raise StoreRefused(f"{key}: access denied{version}")

    monkeypatch.setattr(store, "read_retention", refuse)
    report = check(store)
    assert damage(report) == []
    assert "whether Object Lock keeps the objects cannot be told: ofrecord.json: access denied" in notices(report)


# --- tables, in the same command


def test_tables_are_made_anew_and_held_against_what_is_listed(tmp_path: Path) -> None:
    from jobs.store.memory import MemoryStore

    stand = Newsstand(MemoryStore(), tmp_path)
    stand.crawl(Seen("/a"), Seen("/b", at=DAY_1))
    stand.build()
    assert isinstance(stand.store, MemoryStore)
    report = VerifyReport(full=True, plan=Plan(depth=Depth.READ))
    note_tables(stand.store, report)
    assert damage(report) == []
    assert report.counts.tables == len(stand.manifest().files) > 1
    key = stand.manifest().files[0].key
    put(stand.store, key, stand.store.get(key)[:-1])
    report = VerifyReport(full=True)
    note_tables(stand.store, report)
    assert damaged_keys(report) == {key}
