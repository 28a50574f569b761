"""Times as the catalog's columns have them."""

from __future__ import annotations

from datetime import UTC, datetime


def format_instant(value: datetime) -> str:
    """Return *value* with all six decimals, so that instants sort as text."""
    if value.tzinfo is None:
        raise ValueError(f"naive time {value!r}")
    return value.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
