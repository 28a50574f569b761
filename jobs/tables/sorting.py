"""Rows in any number → the same rows in order, each once: sorted runs on local disk, merged while they are read.

Holds a run or, of each run, a batch in memory; never all rows.
"""

from __future__ import annotations

import heapq
from datetime import UTC, datetime
from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING, Any

import pyarrow as pa

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from jobs.tables.schema import Row, Table

RUN_CHARACTERS = 16 << 20
"""A run is sorted and put on disk once its texts are that long."""
BATCH_CHARACTERS = 1 << 18
BATCH_ROWS = 4_096
_ROW_CHARACTERS = 400
"""What a row takes beside its texts."""


class Sorter:
    """Takes rows of one table and hands them back in its order; rows that are equal in `order` count once."""

    def __init__(self, table: Table, folder: Path) -> None:
        self._table = table
        self._folder = folder
        self._key = itemgetter(*table.list_order())
        self._held: list[Row] = []
        self._characters = 0
        self._runs: list[Path] = []

    def add(self, row: Row) -> None:
        """Take one row."""
        self._held.append(row)
        self._characters += measure_row(row)
        if self._characters >= RUN_CHARACTERS:
            self._spill()

    def merge(self, *others: Iterable[Row]) -> Iterator[Row]:
        """Yield all rows in order, those of *others* too, which are in order themselves."""
        self._held.sort(key=self._key)
        runs = [_read_run(path) for path in self._runs]
        return merge_rows(self._table, *runs, self._held, *others)

    def _spill(self) -> None:
        self._held.sort(key=self._key)
        path = self._folder / f"{self._table.name}-{len(self._runs)}.arrow"
        with pa.OSFile(str(path), "wb") as file, pa.ipc.new_stream(file, self._table.schema) as writer:
            for batch in batch_rows(self._held, characters=BATCH_CHARACTERS, count=BATCH_ROWS):
                writer.write_batch(make_batch(self._table.schema, batch))
        self._runs.append(path)
        self._held, self._characters = [], 0


def merge_rows(table: Table, *runs: Iterable[Row]) -> Iterator[Row]:
    """Yield the rows of *runs*, each in order, in order, each once."""
    key: Callable[[Row], Any] = itemgetter(*table.list_order())
    for _, equal in groupby(heapq.merge(*runs, key=key), key):
        first, *rest = equal
        yield min((first, *rest), key=_spell) if rest else first


def measure_row(row: Row) -> int:
    """Return about how many characters *row* takes: the same on every machine."""
    size = _ROW_CHARACTERS
    for value in row:
        if isinstance(value, str):
            size += len(value)
        elif isinstance(value, list):
            size += sum(len(part) for part in value)
    return size


def batch_rows(rows: Iterable[Row], *, characters: int, count: int) -> Iterator[list[Row]]:
    """Yield *rows* in lists that end once they have *count* rows or so many *characters*."""
    held: list[Row] = []
    size = 0
    for row in rows:
        held.append(row)
        size += measure_row(row)
        if len(held) >= count or size >= characters:
            yield held
            held, size = [], 0
    if held:
        yield held


def make_batch(schema: Any, rows: list[Row]) -> Any:  # noqa: ANN401 - pyarrow has no types
    """Return *rows* as an Arrow batch."""
    columns = [pa.array(values, field.type) for values, field in zip(zip(*rows, strict=True), schema, strict=True)]
    return pa.record_batch(columns, schema=schema)


def read_batch(batch: Any) -> Iterator[Row]:  # noqa: ANN401 - pyarrow has no types
    """Yield the rows of an Arrow batch."""
    yield from zip(*(column.to_pylist() for column in batch.columns), strict=True)


def _read_run(path: Path) -> Iterator[Row]:
    with pa.OSFile(str(path), "rb") as file, pa.ipc.open_stream(file) as reader:
        for batch in reader:
            yield from read_batch(batch)


def _spell(row: Row) -> str:
    return repr([value.astimezone(UTC).isoformat() if isinstance(value, datetime) else value for value in row])
