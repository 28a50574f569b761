"""Slot rows: what they may say, how notes become stretches, and the journal that keeps what is not committed."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from config.errors import RecordError
from crawler.rows import SlotRow, decode_row, encode_row
from jobs.ledger import Journal, SlotRun, extend_stretch, find_fault, find_schedule, is_late, resolve_slots
from jobs.ledger.calendars import EvenSlots
from jobs.ledger.journal import JOURNAL_FILE
from tests.ledgers import HALF_HOURS, at, find_calendar, mark, note

ROWS = [
    mark(0),
    note(2, "missed", 9.5, 16, reason="the daemon was down"),
    note(10, "failed", run="gazette-20261122T100000Z-0123456789abcdef"),
    mark(11, None),
]


@pytest.mark.parametrize("row", ROWS)
def test_rows_come_back_as_they_were(row: SlotRow) -> None:
    assert decode_row(encode_row(row)) == row


def test_a_row_says_no_more_than_it_must() -> None:
    assert json.loads(encode_row(note(2))) == {
        "slot": "2026-11-22T02:00:00Z",
        "outcome": "missed",
        "run": None,
        "reason": None,
        "type": "slot",
    }


def test_rows_of_later_versions_are_read() -> None:
    line = encode_row(note(2)).replace(b'"missed"', b'"postponed","why":{"so":1}')
    row = decode_row(line)
    assert isinstance(row, SlotRow)
    assert row.outcome == "postponed"
    assert list(resolve_slots([row], [], find_calendar=find_calendar, until=at(9))) == []


def test_a_row_of_wrong_types_is_refused() -> None:
    with pytest.raises(RecordError, match="slots"):
        decode_row(b'{"type":"slot","slot":"2026-11-22T02:00:00Z","outcome":"missed","slots":"many"}\n')


@pytest.mark.parametrize(
    "row",
    [
        note(2, through=1, slots=2),
        note(2, through=3, slots=1),
        note(2, through=2, slots=2),
        note(2, slots=2),
        note(2, through=3, slots=3602),
        note(2, through=3, slots=-1),
        note(2, through=20_000_000, slots=1_000_001),
        note(-60 * 365 * 24),
        note(2, reason="x" * 2_001),
        SlotRow(at(2), "scheduled"),
        SlotRow(at(2), "scheduled", schedule="every " + " " * 200 + "hour"),
    ],
)
def test_absurd_rows_are_damage_and_tell_nothing(row: SlotRow, tmp_path: Path) -> None:
    assert find_fault(row) is not None
    assert list(resolve_slots([row], [], find_calendar=find_calendar, until=at(30_000_000))) == []
    assert find_schedule([row]) is None
    with pytest.raises(ValueError, match=r"expected|more than|no schedule"):
        Journal.open(tmp_path).note(row)


def test_a_year_without_notes_is_one_stretch() -> None:
    year = 365 * 24
    found = list(resolve_slots([mark(0)], [], find_calendar=find_calendar, until=at(year)))
    assert [(one.slot, one.through, one.slots, one.outcome) for one in found] == [
        (at(0, 30), at(year), year * 2, "missed")
    ]


def test_untold_slots_are_open_for_a_while() -> None:
    found = list(resolve_slots([mark(0)], [], find_calendar=find_calendar, until=at(8), open_since=at(6)))
    assert [(one.slot, one.slots, one.outcome) for one in found] == [(at(0, 30), 11, "missed"), (at(6), 5, None)]


def test_a_stretch_is_cut_where_another_machine_ran() -> None:
    rows = [mark(0), note(2, "missed", 9.5, 16, reason="down")]
    runs = [SlotRun(at(5), "gazette-a", at(5, 1))]
    found = list(resolve_slots(rows, runs, find_calendar=find_calendar, until=at(9.5), since=at(2)))
    assert [(one.slots, one.outcome, one.run) for one in found] == [
        (6, "missed", None),
        (1, "done", "gazette-a"),
        (9, "missed", None),
    ]


def test_a_run_that_failed_is_not_done() -> None:
    runs = [SlotRun(at(5), "gazette-a", at(5))]
    rows = [note(5, "failed", run="gazette-a", reason="discovery failed")]
    assert [one.outcome for one in resolve_slots(rows, runs, find_calendar=find_calendar, until=at(9))] == ["failed"]
    rows = [note(5, "failed", reason="killed"), note(5, "missed")]
    assert [one.outcome for one in resolve_slots(rows, runs, find_calendar=find_calendar, until=at(9))] == ["done"]


def test_a_run_is_late_ten_minutes_after_its_slot() -> None:
    assert not is_late(at(5), at(5, 10))
    assert is_late(at(5), at(5, 10) + timedelta(microseconds=1))


def test_the_schedule_is_that_of_the_last_mark() -> None:
    assert find_schedule([]) is None
    assert find_schedule([mark(3, "every 1 hour"), mark(1)]) == "every 1 hour"
    assert find_schedule([mark(3, None), mark(1)]) is None


@pytest.mark.parametrize("number", [2, 3, 7, 1000])
def test_even_slots_are_counted_as_they_are_listed(number: int) -> None:
    slots = EvenSlots(at(0), at(7), number)
    listed = list(slots.between(at(-1), at(8)))
    assert (listed[0], listed[-1], len(listed)) == (at(0), at(7), number)
    for after, until in [(0, 1), (0.5, 3.25), (6, 9), (-3, 0), (3, 3), (5, 2)]:
        inside = [one for one in listed if at(after) < one <= at(until)]
        assert slots.count(at(after), at(until)) == len(inside)
        assert list(slots.between(at(after), at(until))) == inside
        assert slots.latest(at(after), at(until)) == max(inside, default=None)


def test_notes_of_consecutive_slots_become_one_stretch(tmp_path: Path) -> None:
    journal = Journal.open(tmp_path)
    for half in range(200):
        journal.note(note(half / 2, reason="down"), HALF_HOURS)
    assert journal.pending() == [note(0, through=99.5, slots=200, reason="down")]
    assert len((tmp_path / JOURNAL_FILE).read_bytes().splitlines()) < 70


def test_only_what_follows_and_says_the_same_extends_a_stretch() -> None:
    last = note(2, "missed", 3, 3, reason="down")
    assert extend_stretch(last, note(3.5, reason="down"), HALF_HOURS) == note(2, "missed", 3.5, 4, reason="down")
    for other in [
        note(4, reason="down"),
        note(3, reason="down"),
        note(3.5),
        note(3.5, "skipped", reason="down"),
        note(3.5, reason="down", run="gazette-a"),
    ]:
        assert extend_stretch(last, other, HALF_HOURS) is None
    assert extend_stretch(mark(0), mark(0.5), HALF_HOURS) is None


def test_a_journal_keeps_what_was_noted_until_it_is_settled(tmp_path: Path) -> None:
    journal = Journal.open(tmp_path / "gazette")
    assert journal.pending() == []
    journal.settle(ROWS)
    for row in ROWS:
        journal.note(row)
    journal.note(ROWS[-1])
    assert Journal.open(tmp_path / "gazette").pending() == ROWS
    journal.settle(ROWS[1:3])
    assert journal.pending() == [ROWS[0], ROWS[3]]
    journal.settle(ROWS)
    assert journal.pending() == []
    journal.note(ROWS[1])
    assert journal.pending() == [ROWS[1]]


def test_a_stretch_that_grew_while_it_was_committed_stays(tmp_path: Path) -> None:
    journal = Journal.open(tmp_path)
    journal.note(note(2), HALF_HOURS)
    journal.note(note(2.5), HALF_HOURS)
    committed = journal.pending()
    journal.note(note(3), HALF_HOURS)
    journal.settle(committed)
    assert journal.pending() == [note(2, through=3, slots=3)]


@pytest.mark.parametrize("cut", [1, 30, 70])
def test_a_torn_tail_is_no_note(tmp_path: Path, cut: int) -> None:
    journal = Journal.open(tmp_path)
    journal.note(ROWS[0])
    journal.note(ROWS[1])
    file = tmp_path / JOURNAL_FILE
    file.write_bytes(file.read_bytes()[:-cut])
    assert journal.pending() == ROWS[:1]
    journal.note(ROWS[2])
    assert journal.pending() == [ROWS[0], ROWS[2]]


def test_a_line_that_the_disk_spoilt_takes_no_other_with_it(tmp_path: Path) -> None:
    journal = Journal.open(tmp_path)
    for row in ROWS:
        journal.note(row)
    file = tmp_path / JOURNAL_FILE
    lines = file.read_bytes().splitlines(keepends=True)
    lines[1] = b"\0" * 40 + b"\n"
    lines.insert(2, encode_row(note(2, through=3, slots=10**9)))
    file.write_bytes(b"".join(lines))
    assert journal.pending() == [ROWS[0], *ROWS[2:]]


_NOTER = """
import sys
from pathlib import Path
from jobs.ledger import Journal
from tests.ledgers import note
journal = Journal.open(Path(sys.argv[1]))
for number in range(50):
    journal.note(note(number, "failed", reason=sys.argv[2]))
    journal.settle([note(number, "failed", reason="other")])
"""


def test_several_processes_note_at_once(tmp_path: Path) -> None:
    names = ["a", "b", "c"]
    noters = [subprocess.Popen([sys.executable, "-c", _NOTER, str(tmp_path), name]) for name in names]
    assert [one.wait(60) for one in noters] == [0, 0, 0]
    expected = {note(number, "failed", reason=name) for number in range(50) for name in names}
    pending = Journal.open(tmp_path).pending()
    assert len(pending) == 150
    assert set(pending) == expected
