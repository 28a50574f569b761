"""What is known here of a source's slots and not yet committed: JSON lines in its spool, appended and made to last.

The daemon notes, the next run of the source commits what is pending as rows of its segment and settles it.
"""

from __future__ import annotations

import fcntl
import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

from config.errors import RecordError
from crawler.rows import SlotRow, decode_row, encode_row
from crawler.spool import sync_folder
from jobs.ledger.outcomes import extend_stretch, find_fault

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from jobs.ledger.calendars import Slots

JOURNAL_FILE = "ledger.jsonl"
_LOCK_FILE = "ledger.lock"
_SPARE_LINES = 64
"""So many lines more than there are rows may the file have before it is written anew."""


class Journal:
    """The notes of one source. Several processes may note and settle."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._path = folder / JOURNAL_FILE

    @classmethod
    def open(cls, folder: Path) -> Journal:
        """Return the journal in *folder*, the source's own in the local state (OpenArchive.spool)."""
        return cls(folder)

    def note(self, row: SlotRow, slots: Slots | None = None) -> None:
        """Add *row*, which is on the disk when this returns. Raises OSError, ValueError.

        *slots*: of the schedule; where the last row says the same of the slots before, the two become one stretch.
        """
        if fault := find_fault(row):
            raise ValueError(fault)
        with self._locked():
            lines, kept = self._read()
            if kept and slots is not None:
                row = extend_stretch(kept[-1], row, slots) or row
            if lines > len(kept) + _SPARE_LINES:
                self._write(_drop_covered([*kept, row]))
            else:
                self._append(row)

    def pending(self) -> list[SlotRow]:
        """Return the rows that are not settled, in the order of the notes. What cannot be read is passed over."""
        return self._read()[1]

    def settle(self, committed: Iterable[SlotRow]) -> None:
        """Forget what *committed* rows say: they are in the log. Raises OSError."""
        known = set(committed)
        if not known or not self._path.exists():
            return
        with self._locked():
            kept = self._read()[1]
            left = [row for row in kept if row not in known]
            if len(left) < len(kept):
                self._write(left)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        self._folder.mkdir(parents=True, exist_ok=True)
        with (self._folder / _LOCK_FILE).open("a") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    def _read(self) -> tuple[int, list[SlotRow]]:
        """Return how many lines there are, and the rows that no later one covers."""
        try:
            lines = self._path.read_bytes().split(b"\n")[:-1]  # what no newline ends was never noted
        except FileNotFoundError:
            return 0, []
        rows = []
        for line in lines:
            try:
                row = decode_row(line + b"\n")
            except RecordError:
                continue  # the disk spoilt it
            if isinstance(row, SlotRow) and find_fault(row) is None:
                rows.append(row)
        return len(lines), _drop_covered(rows)

    def _append(self, row: SlotRow) -> None:
        fresh = not self._path.exists()
        with self._path.open("ab+", buffering=0) as file:
            file.seek(0)
            data = file.read()
            whole = data.rfind(b"\n") + 1
            file.truncate(whole)  # a death may have torn what follows
            try:
                file.write(encode_row(row))
                os.fsync(file.fileno())
            except OSError:
                file.truncate(whole)
                raise
        if fresh:
            sync_folder(self._folder)

    def _write(self, rows: Sequence[SlotRow]) -> None:
        fresh = self._path.with_suffix(".new")
        with fresh.open("wb") as file:
            file.writelines(encode_row(row) for row in rows)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(self._path)
        sync_folder(self._folder)


def _drop_covered(rows: Sequence[SlotRow]) -> list[SlotRow]:
    """Return *rows* without those that the next one repeats and goes on from."""
    kept: list[SlotRow] = []
    for row in rows:
        if kept and _covers(row, kept[-1]):
            kept.pop()
        if row not in kept[-1:]:
            kept.append(row)
    return kept


def _covers(row: SlotRow, earlier: SlotRow) -> bool:
    told = (row.slot, row.outcome, row.run, row.reason, row.schedule)
    if told != (earlier.slot, earlier.outcome, earlier.run, earlier.reason, earlier.schedule):
        return False
    return (row.through or row.slot) >= (earlier.through or earlier.slot)
