"""Slot rows on their way: log → catalog → layers → another machine's catalog; and what verify says of them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from crawler.rows import SlotRow, encode_row
from jobs.archive.identity import read_info
from jobs.archive.log import Log
from jobs.checkpoint import writing
from jobs.checkpoint.checking import check_layers
from jobs.checkpoint.lines import encode_line
from jobs.checkpoint.restoring import refresh_catalog
from jobs.verify import Severity, VerifyReport, verify_archive
from tests.archives import SOURCE as ARCHIVE_SOURCE
from tests.archives import copy_store, file_keys
from tests.faults import WARC, damaged_keys
from tests.faults.rows import edit_rows
from tests.ledgers import at, mark, note
from tests.machines import SOURCE, Look, Machine, fold_log
from tests.real_archives import build_revisited

if TYPE_CHECKING:
    from jobs.archive.identity import ArchiveInfo
    from jobs.store.memory import MemoryStore
    from tests.unit.conftest import MakeCatalog

OWN_RUN = f"{SOURCE}-20261122T100000Z-0123456789abcdef"
OTHER_RUN = "other-20261122T100000Z-0123456789abcdef"


def rows_of(number: int) -> list[SlotRow]:
    """What commit *number* says of slots: a mark, gaps, the same once more, nothing."""
    return [
        [mark(number)],
        [
            note(number, "missed", number + 3, 7, reason="the daemon was down"),
            note(number + 3.5, "failed", run=OWN_RUN),
        ],
        [note(number - 1, "missed", number + 2, 7, reason="the daemon was down"), note(number, "skipped")],
        [],
    ][number % 4]


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writing, "LEVEL_COMMITS", (3, 9, 27))


def write(machine: Machine, commits: int) -> set[SlotRow]:
    for number in range(commits):
        machine.prepare()
        machine.commit([Look(f"page-{number}")], number=number, slots=rows_of(number))
    return {row for number in range(commits) for row in rows_of(number)}


@pytest.mark.usefixtures("short")
@pytest.mark.parametrize("full", [False, True])
def test_any_machine_knows_the_whole_ledger(
    store: MemoryStore, info: ArchiveInfo, catalogs: MakeCatalog, full: bool
) -> None:
    machine = Machine(store, info, catalogs("writer"))
    expected = write(machine, 41)
    other = catalogs("other")
    refresh_catalog(other, store, machine.log, full=full)
    assert (other.thin_until(SOURCE) > 0) is not full
    found = other.list_slot_rows(SOURCE)
    assert len(found) == len(set(found))
    assert set(found) == expected
    later = {row for row in expected if (row.through or row.slot) >= at(30) or row.schedule}
    assert set(other.list_slot_rows(SOURCE, since=at(30))) == later
    if full:
        assert other.dump() == fold_log(catalogs("folded"), store, info)


@pytest.mark.usefixtures("short")
def test_layers_that_hold_slots_are_found_sound(store: MemoryStore, info: ArchiveInfo, catalogs: MakeCatalog) -> None:
    for number in range(41):
        machine = Machine(store, info, catalogs(f"job-{number // 5}"))
        machine.prepare()
        machine.commit([Look("stays")], number=number, slots=rows_of(number))
    assert told(check(store)) == []


Change = Callable[[dict[str, Any]], dict[str, Any] | None]
LIES: dict[str, tuple[str, Change, str]] = {
    "thin": ("list_thin", lambda _: None, "is missing, though the log has it and a crawl needs it"),
    "thin-other": ("list_thin", lambda line: {**line, "outcome": "done"}, "the log has no such thing"),
    "facts": ("_list_facts", lambda _: None, "is missing, though the log has it"),
    "facts-other": ("_list_facts", lambda line: {**line, "slots": 5}, "the log has no such thing"),
    "types": ("_list_facts", lambda line: {**line, "through": "never"}, "no time with Z"),
}


@pytest.mark.usefixtures("short")
@pytest.mark.parametrize("name", list(LIES))
def test_what_a_layer_says_of_slots_against_the_log_is_found(
    store: MemoryStore, info: ArchiveInfo, catalogs: MakeCatalog, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    part, change, message = LIES[name]
    write_part = getattr(writing, part)

    def write_changed(*arguments: Any) -> Iterator[Any]:
        for found in write_part(*arguments):
            line = found if isinstance(found, dict) else json.loads(found)
            changed = change(line) if line["type"] == "slot" else line
            if changed is not None:
                yield changed if isinstance(found, dict) else encode_line(changed)

    monkeypatch.setattr(writing, part, write_changed)
    machine = Machine(store, info, catalogs("writer"))
    for number in range(4):
        machine.commit([Look("stays")], number=number, slots=rows_of(number))
    assert any(message in one for one in told(check(store)))


def check(store: MemoryStore) -> VerifyReport:
    report = verify_archive(store, full=False)
    report.full = True  # the machines' segments hold rows alone: their WARC files are not to be read
    check_layers(store, report)
    return report


def told(report: VerifyReport) -> list[str]:
    return [str(one) for one in report.findings if one.severity is Severity.DAMAGE]


SOUND = [note(2, "missed", 9.5, 16), mark(0), note(3, "failed", run=OWN_RUN), note(4, "postponed")]
ABSURD = [
    note(2, "missed", 9.5, 10**18),
    note(2, "missed", 1, 2),
    note(3, "failed", run=OTHER_RUN),
    note(3, "failed", run="none"),
    SlotRow(at(0), "scheduled"),
]


def with_rows(store: MemoryStore, rows: list[SlotRow]) -> str:
    """Put *rows* before the last row of a real segment, and cover that up; return the segment's key."""
    key = file_keys(store, WARC)[0]
    edit_rows(store, key, lambda lines: [*lines[:-1], *(json.loads(encode_row(row)) for row in rows), lines[-1]])
    return key


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> MemoryStore:
    return build_revisited(tmp_path_factory.mktemp("spool")).store


def of_source(rows: list[SlotRow]) -> list[SlotRow]:
    """Give runs the name of the archive's own source."""
    return [replace(row, run=row.run.replace(SOURCE, ARCHIVE_SOURCE)) if row.run else row for row in rows]


def test_verify_takes_sound_slots(real: MemoryStore) -> None:
    store = copy_store(real)
    with_rows(store, of_source(SOUND))
    assert damaged_keys(verify_archive(store, full=True)) == set()


@pytest.mark.parametrize("number", range(len(ABSURD)))
def test_absurd_slots_are_damage_and_no_reader_uses_them(real: MemoryStore, catalogs: MakeCatalog, number: int) -> None:
    store = copy_store(real)
    key = with_rows(store, [*of_source(SOUND[:1]), ABSURD[number]])
    found = verify_archive(store, full=True)
    assert damaged_keys(found) == {key}
    (one,) = [one for one in found.findings if one.severity is Severity.DAMAGE]
    assert "a slot" in one.message
    catalog = catalogs("reader")
    catalog.refresh(store, Log(store, read_info(store), ARCHIVE_SOURCE))
    assert catalog.list_slot_rows(ARCHIVE_SOURCE) == SOUND[:1]
