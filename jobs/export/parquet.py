"""Texts → one Parquet file, a row each, in row groups of bounded size. The only importer of pyarrow in the export."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import IO, TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq

from jobs.export.flat import COLUMNS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from jobs.export.selection import Text

GROUP_ROWS = 1_000
GROUP_CHARACTERS = 4 << 20
_TIME = pa.timestamp("us", tz="UTC")
_KINDS = {
    "number": pa.int64(),
    "latest": pa.int64(),
    "n": pa.int64(),
    "captured_at": _TIME,
    "published": _TIME,
    "modified": _TIME,
    "authors": pa.list_(pa.string()),
    "kinds": pa.list_(pa.string()),
    "silent": pa.bool_(),
}
"""Of all other columns: text."""


def write_parquet(texts: Iterable[Text], file: IO[bytes]) -> None:
    """Write *texts*; `fields` is all that a page states, as JSON text. A time that is none, or has no zone, is null."""
    names = (*COLUMNS, "fields")
    schema = pa.schema([pa.field(name, _KINDS.get(name, pa.string())) for name in names])
    with pq.ParquetWriter(file, schema, compression="zstd") as writer:
        group: list[dict[str, Any]] = []
        characters = 0
        for text in texts:
            told = text.describe()
            told["fields"] = json.dumps(text.snapshot["fields"])
            told |= {name: _read_time(told[name]) for name in ("captured_at", "published", "modified")}
            group.append({name: _clean(value) for name, value in told.items()})
            characters += len(told["text"]) + len(told["fields"])
            if len(group) == GROUP_ROWS or characters > GROUP_CHARACTERS:
                writer.write_table(pa.Table.from_pylist(group, schema=schema))
                group, characters = [], 0
        if group:
            writer.write_table(pa.Table.from_pylist(group, schema=schema))


def _read_time(value: str | None) -> datetime | None:
    try:
        found = datetime.fromisoformat(value or "")
        if found.tzinfo is None and len(value or "") > len("2026-11-22"):
            return None
        return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _clean(value: Any) -> Any:  # noqa: ANN401 - of any column
    """Return *value* with what is no text in UTF-8 replaced."""
    if isinstance(value, list):
        return [_clean(one) for one in value]
    return value.encode("utf-8", "replace").decode() if isinstance(value, str) else value
