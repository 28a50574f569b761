"""The four tables: their columns, the order of their rows, and what makes two rows the same. FORMAT.md § 10 in code."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa

TEXT = pa.string()
WHOLE = pa.int64()
SMALL = pa.int32()
REAL = pa.float64()
FLAG = pa.bool_()
TIME = pa.timestamp("us", tz="UTC")
TEXTS = pa.list_(pa.string())

Row = tuple[Any, ...]
"""Values in the order of a table's columns; times are aware, in UTC."""


@dataclass(frozen=True, slots=True)
class Table:
    """One table; `columns` are names and Arrow types."""

    name: str
    columns: tuple[tuple[str, Any], ...]
    time: str
    """The column whose day the row belongs to."""
    order: tuple[str, ...]
    """Columns by which rows are sorted; those after the fifth only settle ties. Equal in all: the same row."""

    @property
    def schema(self) -> Any:  # noqa: ANN401 - pyarrow has no types
        """Return the Arrow schema."""
        return pa.schema([pa.field(name, kind) for name, kind in self.columns])

    @property
    def names(self) -> tuple[str, ...]:
        """Return the columns' names."""
        return tuple(name for name, _ in self.columns)

    def find(self, name: str) -> int:
        """Return the place of column *name* in a row."""
        return self.names.index(name)

    def list_order(self) -> tuple[int, ...]:
        """Return the places of the columns in `order`."""
        return tuple(self.find(name) for name in self.order)


_PLACE = (("source", TEXT), ("url", TEXT), ("captured_at", TIME), ("segment", TEXT), ("n", WHOLE))
_ORDER = ("source", "url", "captured_at", "segment", "n")

CAPTURES = Table(
    "captures",
    (
        *_PLACE,
        ("run", TEXT),
        ("target_uri", TEXT),
        ("via", TEXT),
        ("status", SMALL),
        ("class", TEXT),
        ("class_reason", TEXT),
        ("media_type", TEXT),
        ("payload_digest", TEXT),
        ("size_bytes", WHOLE),
        ("seconds", REAL),
        ("redirect", TEXT),
        ("etag", TEXT),
        ("last_modified", TEXT),
        ("truncated", TEXT),
        ("error", TEXT),
        ("extraction_error", TEXT),
        ("directives", TEXTS),
        ("revisit_segment", TEXT),
        ("revisit_n", WHOLE),
        ("warc_key", TEXT),
        ("warc_offset", WHOLE),
        ("warc_length", WHOLE),
        ("origin_kind", TEXT),
        ("origin_where", TEXT),
    ),
    time="captured_at",
    order=_ORDER,
)
SNAPSHOTS = Table(
    "snapshots",
    (
        *_PLACE,
        ("native", FLAG),
        ("derivation", TEXT),
        ("text_digest", TEXT),
        ("title", TEXT),
        ("lead", TEXT),
        ("text", TEXT),
        ("class", TEXT),
        ("class_reason", TEXT),
        ("confidence", REAL),
        ("fields", TEXT),
        ("language", TEXT),
        ("published", TIME),
        ("authors", TEXTS),
    ),
    time="captured_at",
    order=(*_ORDER, "derivation", "native", "text_digest"),
)
REVISIONS = Table(
    "revisions",
    (
        *_PLACE,
        ("number", WHOLE),
        ("captures", WHOLE),
        ("title", TEXT),
        ("text_digest", TEXT),
        ("derivation", TEXT),
    ),
    time="captured_at",
    order=_ORDER,
)
LINKS = Table(
    "links",
    (
        ("source", TEXT),
        ("url", TEXT),
        ("found_at", TIME),
        ("segment", TEXT),
        ("via", TEXT),
        ("title", TEXT),
        ("published", TIME),
        ("modified", TIME),
    ),
    time="found_at",
    order=("source", "url", "found_at", "segment", "via"),
)

TABLES = {table.name: table for table in (CAPTURES, SNAPSHOTS, REVISIONS, LINKS)}
FACT_TABLES = (CAPTURES, SNAPSHOTS, LINKS)
"""Those whose rows are facts of single segments; revisions come of a fold over all of them."""


def day_of(time: datetime) -> str:
    """Return the day of *time* in UTC, as it stands in keys."""
    return time.astimezone(UTC).date().isoformat()
