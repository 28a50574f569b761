"""A store set back to an earlier state, another log in its place, a copied spool: a machine goes on with none."""

from __future__ import annotations

import shutil
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from config.errors import DamageFound, RunLocked
from config.settings import Settings
from jobs.archive.commit import Commit, commit_key
from jobs.archive.log import Log
from jobs.checkpoint import writing
from jobs.checkpoint.restoring import refresh_catalog
from jobs.context import OpenArchive
from jobs.runs.tenure import take_lease
from tests.archives import copy_store, put
from tests.machines import SOURCE, START, Look, Machine

if TYPE_CHECKING:
    from pathlib import Path

    from jobs.archive.identity import ArchiveInfo
    from jobs.store.memory import MemoryStore
    from tests.unit.conftest import MakeCatalog


def ledger(info: ArchiveInfo, number: int, *, epoch: int = 0) -> Commit:
    return Commit(SOURCE, "ledger", START, info.archive, f"{number:032x}", epoch=epoch)


def write(machine: Machine, first: int, last: int) -> None:
    for number in range(first, last + 1):
        machine.commit([Look("budget", f"*{number}")], number=number)


def test_a_log_that_was_set_back_is_not_gone_on_with_from_the_end_that_was_seen(
    store: MemoryStore, info: ArchiveInfo, catalogs: MakeCatalog
) -> None:
    machine = Machine(store, info, catalogs("one"))
    write(machine, 0, 2)
    copy = copy_store(store)
    write(machine, 3, 5)
    with pytest.raises(DamageFound, match=r"000000000006: was seen by this machine, and is gone"):
        refresh_catalog(machine.catalog, copy, Log(copy, info, SOURCE), full=False)
    after, head = machine.catalog.head(SOURCE)
    with pytest.raises(DamageFound, match=r"000000000006: was seen by this machine, and is gone"):
        Log(copy, info, SOURCE).append(ledger(info, 9), after=after, head=head)
    assert not [item for item in copy.list(f"log/{SOURCE}/") if item.key > commit_key(SOURCE, 3)]


def test_a_log_that_went_its_own_way_since_is_not_chained_to(
    store: MemoryStore, info: ArchiveInfo, catalogs: MakeCatalog
) -> None:
    machine = Machine(store, info, catalogs("one"))
    write(machine, 0, 2)
    copy = copy_store(store)
    write(machine, 3, 3)
    Log(copy, info, SOURCE).append(ledger(info, 9), after=3, head=Log(copy, info, SOURCE).get(3).digest)
    after, head = machine.catalog.head(SOURCE)
    with pytest.raises(DamageFound, match=r"000000000004: was seen by this machine, and is gone or another"):
        Log(copy, info, SOURCE).append(ledger(info, 10), after=after, head=head)
    assert [stored.commit.seq for stored in Log(copy, info, SOURCE).read()] == [1, 2, 3, 4]


def test_a_last_commit_that_a_stranger_spoilt_holds_up_nobody(
    store: MemoryStore, info: ArchiveInfo, catalogs: MakeCatalog
) -> None:
    machine = Machine(store, info, catalogs("one"))
    write(machine, 0, 1)
    after, head = machine.catalog.head(SOURCE)
    put(store, commit_key(SOURCE, 2), b"of a stranger")
    stored, _ = machine.log.append(ledger(info, 9), after=after, head=head)
    assert (stored.commit.previous, stored.commit.since) == (head, ())


def test_thin_facts_know_the_greatest_epoch_and_that_it_is_over(
    store: MemoryStore, info: ArchiveInfo, catalogs: MakeCatalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A copy has no leases: only the log says which epochs were."""
    monkeypatch.setattr(writing, "LEVEL_COMMITS", (3, 9, 1_000))
    machine = Machine(store, info, catalogs("one"))
    for number, epoch in enumerate((7, 4, 0, 0)):  # spools that came back late, and what no lease was held for
        machine.commit([Look("budget", f"*{number}")], number=number, epoch=epoch, releases=epoch > 0)
    whole, job = machine.catalog, catalogs("job")
    refresh_catalog(job, store, machine.log, full=False)
    assert job.thin_until(SOURCE) == 3
    assert job.last_epoch(SOURCE) == whole.last_epoch(SOURCE) == 7
    assert job.is_released(SOURCE, 7) is whole.is_released(SOURCE, 7) is True


def test_the_note_of_a_dead_run_says_nothing_in_a_copy_of_its_spool(
    store: MemoryStore, info: ArchiveInfo, catalogs: MakeCatalog, tmp_path: Path
) -> None:
    catalog = catalogs("one")
    first = OpenArchive(store, info, Settings(), tmp_path / "first", catalog)
    first.spool(SOURCE).mkdir(parents=True)
    assert take_lease(first, SOURCE, "run-1").epoch == 1
    shutil.copytree(first.state, tmp_path / "second")
    with pytest.raises(RunLocked, match="run-1"):
        take_lease(replace(first, state=tmp_path / "second"), SOURCE, "run-2")
    assert take_lease(first, SOURCE, "run-3").epoch == 2


def test_a_run_that_died_right_after_its_lease_was_put_holds_up_nobody(
    store: MemoryStore, info: ArchiveInfo, catalogs: MakeCatalog, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive = OpenArchive(store, info, Settings(), tmp_path / "state", catalogs("one"))
    archive.spool(SOURCE).mkdir(parents=True)
    create = store.create

    def create_and_die(key: str, data: bytes, *, sha256: str) -> None:
        create(key, data, sha256=sha256)
        raise KeyboardInterrupt

    for number in (1, 2):
        monkeypatch.setattr(store, "create", create_and_die)
        with pytest.raises(KeyboardInterrupt):
            take_lease(archive, SOURCE, f"run-{number}")
    monkeypatch.undo()
    assert take_lease(archive, SOURCE, "run-3").epoch == 3
    with pytest.raises(RunLocked, match="run-3"):
        take_lease(replace(archive, state=make_folder(tmp_path / "other")), SOURCE, "run-4")


def make_folder(state: Path) -> Path:
    (state / "spool" / SOURCE).mkdir(parents=True)
    return state


def test_a_lease_is_over_when_a_commit_of_its_epoch_says_so_and_not_by_a_row_of_its_run(
    store: MemoryStore, info: ArchiveInfo, catalogs: MakeCatalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    """FORMAT.md § 4, Leases: in a whole catalog, in one of a tail that a later commit repeats, in thin facts."""
    monkeypatch.setattr(writing, "LEVEL_COMMITS", (5, 50, 500))
    machine = Machine(store, info, catalogs("one"))
    said = ((1, True), (2, False), (3, True), (3, False), (1, False), (1, False), (1, False), (1, False))
    for number, (epoch, releases) in enumerate(said):  # each with the row of a run that has ended
        machine.commit([Look("budget", f"*{number}")], number=number, epoch=epoch, releases=releases)
        job = catalogs(f"job-{number}")
        refresh_catalog(job, store, machine.log, full=False)
        assert job.last_epoch(SOURCE) == machine.catalog.last_epoch(SOURCE)
        assert job.is_released(SOURCE, job.last_epoch(SOURCE)) is (job.last_epoch(SOURCE) != 2)
    assert job.thin_until(SOURCE) == 5
    assert [machine.catalog.is_released(SOURCE, epoch) for epoch in (1, 2, 3, 4)] == [True, False, True, False]


def test_a_commit_without_rows_may_give_a_lease_up(
    store: MemoryStore, info: ArchiveInfo, catalogs: MakeCatalog
) -> None:
    machine = Machine(store, info, catalogs("one"))
    write(machine, 0, 1)
    machine.append(replace(ledger(info, 8), epoch=8, releases=True))
    write(machine, 2, 3)
    job = catalogs("job")
    refresh_catalog(job, store, machine.log, full=False)
    assert job.last_epoch(SOURCE) == 8
    assert job.is_released(SOURCE, 8)
