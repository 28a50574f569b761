"""What the index reads of a snapshot: its title and body, and what the page states."""

from __future__ import annotations

from typing import Any


def split_text(title: str | None, text: str) -> tuple[str, str]:
    """Return title and body of a text whose first line is its title."""
    first, _, rest = text.partition("\n")
    return (title, rest) if title and first == title else (title or "", text)


def read_field(fields: dict[str, Any], name: str) -> str:
    """Return a field's value where that is a text; else nothing."""
    told = fields.get(name)
    value = told.get("value") if isinstance(told, dict) else None
    return value if isinstance(value, str) else ""


def read_authors(fields: dict[str, Any]) -> tuple[str, ...]:
    """Return the authors that a page states."""
    told = fields.get("authors")
    value = told.get("value") if isinstance(told, dict) else None
    return tuple(one for one in value if isinstance(one, str)) if isinstance(value, list) else ()
