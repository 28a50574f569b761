"""Ordered rows ⇄ Parquet files: the same rows make the same bytes, on any machine that has this pyarrow.

Writes to local disk only; a file's name in the store is its digest.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq

from config.errors import DamageFound
from jobs.archive.commit import FORMAT
from jobs.segments.seal import hash_file
from jobs.tables.manifest import TableFile, table_key
from jobs.tables.schema import TABLES
from jobs.tables.sorting import batch_rows, make_batch, measure_row, read_batch

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from jobs.tables.schema import Row, Table

WRITER = f"pyarrow/{pa.__version__}"
MAX_PARTS = 5
"""Files of one table and day; so a day's four tables are 20 files at most."""
PART_ROWS = 2_000_000
PART_CHARACTERS = 1 << 30
"""A further part begins behind so many rows or characters: about 256 MiB of Parquet."""
GROUP_ROWS = 100_000
GROUP_CHARACTERS = 16 << 20
"""A row group ends there: what a reader must hold at a time."""
_READ_ROWS = 1_024
_PLAIN = frozenset({"text", "lead", "title", "fields", "url", "target_uri", "n", "payload_digest", "text_digest"})
"""Columns whose values hardly ever repeat within a group: a dictionary would only be tried and given up."""


def write_files(table: Table, day: str, rows: Iterable[Row], folder: Path) -> list[tuple[Path, TableFile]]:
    """Write *rows*, which are in the table's order, and return where each part lies and what a manifest says of it."""
    parts: list[tuple[Path, TableFile]] = []
    left = iter(rows)
    while (first := next(left, None)) is not None:
        path = folder / f"{table.name}-{day}-{len(parts)}.parquet"
        count = _write_part(table, day, _take_part(first, left, last=len(parts) == MAX_PARTS - 1), path)
        sha256 = hash_file(path)
        file = TableFile(table_key(table.name, day, sha256), path.stat().st_size, sha256, count, table.name, day)
        parts.append((path, file))
    return parts


def read_file(path: Path, file: TableFile) -> Iterator[Row]:
    """Yield the rows of a file that was written here or elsewhere. Raises DamageFound if it is no file of its table."""
    table = TABLES[file.table]
    try:
        with pq.ParquetFile(path) as parquet:
            if not set(table.order) <= set(parquet.schema_arrow.names):
                raise DamageFound(f"{file.key}: found other columns than those of the table {file.table}")
            for batch in parquet.iter_batches(batch_size=_READ_ROWS):
                yield from read_batch(_fit_batch(table, batch))
    except (pa.ArrowException, OverflowError) as error:
        raise DamageFound(f"{file.key}: not a Parquet file of the table {file.table}: {error}") from error


def count_rows(path: Path, file: TableFile) -> int:
    """Return the number of rows of a file by its footer. Raises DamageFound."""
    try:
        return int(pq.read_metadata(path).num_rows)
    except pa.ArrowException as error:
        raise DamageFound(f"{file.key}: not a Parquet file: {error}") from error


def _take_part(first: Row, rows: Iterator[Row], *, last: bool) -> Iterator[Row]:
    """Yield *first* and of *rows* as many as go into one part; all of them into the *last* one that a day may have."""
    yield first
    count, characters = 1, measure_row(first)
    while last or (count < PART_ROWS and characters < PART_CHARACTERS):
        row = next(rows, None)
        if row is None:
            return
        yield row
        count, characters = count + 1, characters + measure_row(row)


def _write_part(table: Table, day: str, rows: Iterator[Row], path: Path) -> int:
    labels = {"ofrecord.format": FORMAT, "ofrecord.table": table.name, "ofrecord.day": day}
    schema = table.schema.with_metadata(labels)
    count = 0
    with pq.ParquetWriter(
        path,
        schema,
        version="2.6",
        data_page_version="1.0",
        compression="zstd",
        compression_level=6,
        use_dictionary=[name for name in table.names if name not in _PLAIN],
        write_statistics=True,
        write_page_checksum=True,
        sorting_columns=[pq.SortingColumn(place) for place in table.list_order()],
    ) as writer:
        for group in batch_rows(rows, characters=GROUP_CHARACTERS, count=GROUP_ROWS):
            writer.write_table(pa.Table.from_batches([make_batch(schema, group)]), row_group_size=len(group))
            count += len(group)
    return count


def _fit_batch(table: Table, batch: Any) -> Any:  # noqa: ANN401 - pyarrow has no types
    """Return *batch* with this version's columns: those that an older one did not write are null."""
    found = set(batch.schema.names)
    columns = [
        batch.column(name).cast(kind) if name in found else pa.nulls(batch.num_rows, kind)
        for name, kind in table.columns
    ]
    return pa.record_batch(columns, schema=table.schema)
