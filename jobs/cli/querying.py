"""The command query: SQL over the tables, and its rows as a table, CSV or JSON."""

from __future__ import annotations

import base64
import csv
import io
import json
import math
from datetime import date, datetime, timedelta
from decimal import Decimal
from itertools import islice
from typing import TYPE_CHECKING, Any
from uuid import UUID

import click

from config.errors import ConfigError, ExitCode
from crawler.rows import format_time
from jobs.archive.identity import read_info
from jobs.cli.options import Invocation, archive_options, printable, reading_codes
from jobs.cli.tables import open_place
from jobs.export.flat import make_cell

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from jobs.query import Answer

FORMS = ("table", "csv", "json", "jsonl")
MAX_CELL_CHARS = 60
_MEASURED_ROWS = 500
"""By which the widths of a table's columns are chosen."""


@click.command(epilog=reading_codes())
@click.argument("sql")
@click.option("--as", "form", type=click.Choice(FORMS), help="In what form; default: table, with --json jsonl.")
@archive_options
def query(invocation: Invocation, *, sql: str, form: str | None) -> int:
    """Ask the tables (ofrecord tables build) in SQL, by DuckDB: pip install 'ofrecord[query]'.

    captures, snapshots, revisions and links are the tables; articles has a row for each article with its last text's
    title and what its captures say of its state, edits one for each change of a text, with the texts before and after.
    Times are in UTC. A query can read nothing else and write nothing; only columns, days and rows that it asks for are
    read from the store.
    """
    from jobs.query import ask_tables  # noqa: PLC0415 - pyarrow takes a third of a second

    if not sql.strip():
        raise ConfigError("query: found nothing, expected SQL such as select * from articles limit 10")
    store = open_place(invocation.settings)
    with ask_tables(store, read_info(store), sql) as answer:
        for line in _render(answer, form or ("jsonl" if invocation.as_json else "table")):
            click.echo(line)
    return ExitCode.DONE


def _render(answer: Answer, form: str) -> Iterator[str]:
    if form == "csv":
        yield _join_cells(answer.columns)
        yield from (_join_cells(map(simplify, row)) for row in answer.rows)
    elif form == "jsonl":
        yield from (_encode(answer, row) for row in answer.rows)
    elif form == "json":
        yield "["
        before = None
        for row in answer.rows:
            if before is not None:
                yield f"{before},"
            before = _encode(answer, row)
        yield from [before] if before is not None else []
        yield "]"
    else:
        yield from _lay_out(answer)


def _encode(answer: Answer, row: tuple[Any, ...]) -> str:
    told = {name: simplify(value) for name, value in zip(answer.columns, row, strict=True)}
    return json.dumps(told, ensure_ascii=False)


def _join_cells(values: Iterable[object]) -> str:
    stream = io.StringIO()
    csv.writer(stream, lineterminator="").writerow([make_cell(value) for value in values])
    return stream.getvalue()


def _lay_out(answer: Answer) -> Iterator[str]:
    first = [[_cut(value) for value in row] for row in islice(answer.rows, _MEASURED_ROWS)]
    widths = [max([len(name), *(len(row[at]) for row in first)]) for at, name in enumerate(answer.columns)]
    for cells in ([printable(name) for name in answer.columns], ["-" * width for width in widths], *first):
        yield _pad(cells, widths)
    for row in answer.rows:
        yield _pad([_cut(value) for value in row], widths)


def _pad(cells: list[str], widths: list[int]) -> str:
    return "  ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)).rstrip()


def _cut(value: object) -> str:
    told = simplify(value)
    text = "" if told is None else told if isinstance(told, str) else json.dumps(told, ensure_ascii=False)
    text = printable(text[: MAX_CELL_CHARS + 1])
    return text if len(text) <= MAX_CELL_CHARS else text[: MAX_CELL_CHARS - 1] + "…"


def simplify(value: Any) -> Any:  # noqa: ANN401 - of any column
    """Return *value* as JSON has it: times as everywhere here, what is no number as text, bytes in base64."""
    if isinstance(value, datetime):
        return format_time(value) if value.tzinfo else value.isoformat()
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, list | tuple):
        return [simplify(one) for one in value]
    if isinstance(value, dict):
        return {str(name): simplify(one) for name, one in value.items()}
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if isinstance(value, date | timedelta | Decimal | UUID) or not isinstance(value, str | int | float | bool | None):
        return str(value)
    return value
