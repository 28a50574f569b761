"""Copies of an archive, of its spool, of its logs: what a machine knows of one is never taken for the other."""

from __future__ import annotations

import shutil
from contextlib import ExitStack
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from config.errors import DamageFound, RunLocked
from config.settings import Settings
from jobs.archive.commit import Commit, commit_key
from jobs.archive.identity import create_archive
from jobs.archive.log import Log
from jobs.catalog import Catalog
from jobs.checkpoint import writing
from jobs.checkpoint.restoring import refresh_catalog
from jobs.context import OpenArchive
from jobs.runs.tenure import take_lease
from jobs.store.memory import MemoryStore
from tests.archives import copy_store, put
from tests.machines import SOURCE, START, Look, Machine

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from jobs.archive.identity import ArchiveInfo

    MakeCatalog = Callable[[str], Catalog]


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()


@pytest.fixture
def info(store: MemoryStore) -> ArchiveInfo:
    return create_archive(store, single_writer=False, now=START)


@pytest.fixture
def catalogs(tmp_path: Path) -> Iterator[MakeCatalog]:
    with ExitStack() as stack:
        yield lambda name: stack.enter_context(Catalog.open(tmp_path / f"{name}.sqlite"))


def ledger(info: ArchiveInfo, number: int, *, epoch: int = 0) -> Commit:
    return Commit(SOURCE, "ledger", START, info.archive, f"{number:032x}", epoch=epoch)


def write(machine: Machine, first: int, last: int) -> None:
    for number in range(first, last + 1):
        machine.commit([Look("budget", f"*{number}")], number=number)


def test_a_copy_that_ends_earlier_is_not_gone_on_with_from_the_original_s_end(
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


def test_a_copy_that_went_its_own_way_is_not_chained_to(
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
    append = machine.append
    for number, epoch in enumerate((7, 4, 0, 0)):  # spools that came back late, and what no lease was held for
        monkeypatch.setattr(machine, "append", lambda draft, epoch=epoch: append(replace(draft, epoch=epoch)))
        machine.commit([Look("budget", f"*{number}")], number=number)
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
