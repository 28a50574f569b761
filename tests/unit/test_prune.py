"""What maintenance takes out of an archive, and what it never touches."""

from __future__ import annotations

import os
import time
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from config.errors import DamageFound
from config.settings import Settings
from jobs.archive.commit import commit_key, digest
from jobs.archive.identity import create_archive, read_info
from jobs.archive.lease_records import LeaseRecord
from jobs.catalog import Catalog
from jobs.context import OpenArchive
from jobs.prune import prune_archive
from jobs.segments.seal import seal_segment
from jobs.segments.upload import put_file, upload_segment
from jobs.store.local import LocalStore
from jobs.verify import verify_archive
from tests.archives import write_segment
from tests.machines import SOURCE, START, Look, Machine

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from jobs.store import ObjectStore

DAYS = 24 * 3600


def put(store: ObjectStore, key: str, data: bytes = b"x") -> str:
    if key.startswith("lease/"):
        data = LeaseRecord("host process 1 00", None, "released", 60.0).encode(key)
    store.create(key, data, sha256=digest(data))
    return key


def age(folder: Path, key: str, days: float) -> None:
    """Let an object look as if it was put *days* ago."""
    then = time.time() - days * DAYS
    os.utime(folder / key, (then, then))


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[OpenArchive]:
    """An archive of 25 commits, so that two checkpoints are named."""
    (tmp_path / "archive").mkdir()
    store = LocalStore(tmp_path / "archive")
    info = create_archive(store, single_writer=False, now=START)
    with Catalog.open(tmp_path / "writer.sqlite") as catalog:
        machine = Machine(store, info, catalog)
        for number in range(25):
            machine.commit([Look("page", f"text {number}")], number=number, opened=START + timedelta(hours=number))
    with Catalog.open(tmp_path / "catalog.sqlite") as catalog:
        yield OpenArchive(store, read_info(store), Settings(), tmp_path / "state", catalog)


def keys(archive: OpenArchive) -> set[str]:
    return {item.key for item in archive.store.list("")}


def test_a_sound_archive_keeps_everything(archive: OpenArchive) -> None:
    before = keys(archive)
    report = prune_archive(archive, dry_run=False)
    assert not any(report.removed.values())
    assert keys(archive) == before


def test_old_leases_probes_and_forgotten_uploads_go(archive: OpenArchive, tmp_path: Path) -> None:
    folder = tmp_path / "archive"
    old = [
        put(archive.store, f"lease/{SOURCE}/000000000001.000000"),
        put(archive.store, f"lease/{SOURCE}/000000000002.000000"),
        put(archive.store, "probe/abc-once"),
    ]
    forgotten = put(archive.store, f"segments/{SOURCE}/sealed=2026-10-01/{SOURCE}-20261001T000000Z-{7:016x}.warc.gz")
    for key in [*old, forgotten]:
        age(folder, key, 31)
    young = [
        put(archive.store, f"lease/{SOURCE}/000000000003.000000"),
        put(archive.store, "probe/def-once"),
        put(archive.store, f"segments/{SOURCE}/sealed=2026-11-24/{SOURCE}-20261124T000000Z-{8:016x}.warc.gz"),
    ]
    before = keys(archive)
    told = prune_archive(archive, dry_run=True)
    assert keys(archive) == before
    report = prune_archive(archive, dry_run=False)
    assert report.removed == told.removed == {"leases": 2, "checkpoints": 0, "tables": 0, "uncommitted": 1, "probes": 1}
    assert report.kept == 1
    assert keys(archive) == before - {*old, forgotten}
    assert set(young) <= keys(archive)
    assert not verify_archive(archive.store, full=False).damaged


def test_the_highest_lease_stays_however_old(archive: OpenArchive, tmp_path: Path) -> None:
    key = put(archive.store, f"lease/{SOURCE}/000000000009.000003")
    age(tmp_path / "archive", key, 400)
    assert not any(prune_archive(archive, dry_run=False).removed.values())
    assert key in keys(archive)


def test_a_committed_segment_stays_however_old(archive: OpenArchive, tmp_path: Path) -> None:
    for key in keys(archive):
        age(tmp_path / "archive", key, 4000)
    before = keys(archive)
    prune_archive(archive, dry_run=False)
    assert keys(archive) == before


def forget(archive: OpenArchive, folder: Path, source: str) -> list[str]:
    """Leave of *source* what prune takes: a lease of long ago, and an upload that no commit names."""
    left = [
        put(archive.store, f"lease/{source}/000000000001.000000"),
        put(archive.store, f"segments/{source}/sealed=2026-10-01/{source}-20261001T000000Z-{7:016x}.warc.gz"),
    ]
    for key in left:
        age(folder, key, 31)
    put(archive.store, f"lease/{source}/000000000002.000000")
    return left


@pytest.mark.parametrize("damage", ["spoilt commit", "lost commit", "lost segment"])
def test_a_damaged_source_is_left_alone_and_holds_up_no_other(
    archive: OpenArchive, tmp_path: Path, damage: str
) -> None:
    folder = tmp_path / "archive"
    closed = write_segment(tmp_path / "spool", archive=archive.info.archive, now=START, source="herald")
    upload_segment(archive.store, archive.info, seal_segment(closed, now=START), after=0, head="")
    forgotten = forget(archive, folder, "herald")
    forget(archive, folder, SOURCE)
    if damage == "lost segment":
        archive.store.delete(max(one.key for one in archive.store.list(f"segments/{SOURCE}/")))
    else:
        archive.store.delete(commit_key(SOURCE, 25 if damage == "spoilt commit" else 23))
    if damage == "spoilt commit":
        put(archive.store, commit_key(SOURCE, 25), b"spoilt")
    before = keys(archive)
    report = prune_archive(archive, dry_run=False)
    assert list(report.left_out) == [SOURCE]
    assert report.exit_code == DamageFound.exit_code
    assert keys(archive) == before - set(forgotten)


@pytest.mark.parametrize("lost", ["log", "tail"])
def test_what_a_lost_log_may_have_named_stays(archive: OpenArchive, tmp_path: Path, lost: str) -> None:
    """A log that is not restored yet, or lacks its end, says nothing of what it named."""
    for key in keys(archive):
        age(tmp_path / "archive", key, 4000)
    for number in range(1 if lost == "log" else 19, 26):
        archive.store.delete(commit_key(SOURCE, number))
    before = keys(archive)
    report = prune_archive(archive, dry_run=False)
    assert keys(archive) == before
    assert list(report.left_out) == [SOURCE]


def test_the_old_object_of_a_segment_that_was_put_again_goes(archive: OpenArchive, tmp_path: Path) -> None:
    key = max(one.key for one in archive.store.list(f"segments/{SOURCE}/"))
    day = key.split("/")[2]
    old = put(archive.store, key.replace(day, "sealed=2026-09-01"))
    age(tmp_path / "archive", old, 60)
    before = keys(archive)
    assert prune_archive(archive, dry_run=False).removed["uncommitted"] == 1
    assert keys(archive) == before - {old}


def test_an_upload_that_prune_is_about_to_take_is_not_what_a_commit_names(archive: OpenArchive, tmp_path: Path) -> None:
    """A spool comes back after 31 days; prune comes by between its look at what it once put and its commit."""
    closed = write_segment(tmp_path / "spool", archive=archive.info.archive, now=START - timedelta(days=31))
    sealed = seal_segment(closed, now=START - timedelta(days=31))
    (file,) = sealed.draft.files
    put_file(archive.store, file, sealed.local_file(file))
    age(tmp_path / "archive", file.key, 31)

    def let_prune_by() -> dict[str, object]:
        assert prune_archive(archive, dry_run=False).removed["uncommitted"] == 1
        return {}

    archive.refresh(SOURCE)
    after, head = archive.catalog.head(SOURCE)
    stored, _ = upload_segment(archive.store, archive.info, sealed, after=after, head=head, sum_up=let_prune_by)
    assert stored.commit.files[0].key != file.key
    assert not verify_archive(archive.store, full=False).damaged
    assert digest(archive.store.get(stored.commit.files[0].key)) == file.sha256
    assert prune_archive(archive, dry_run=True).removed["uncommitted"] == 0
