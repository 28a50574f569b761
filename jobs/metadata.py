"""The fields of a snapshot that are compared as metadata: what is said about an article, and does not move by itself.

A pure function of the row's `fields` (FORMAT.md § 7 names them). Left out is what changes with each look (reading
times, addresses with tokens), what the text holds already, and times that were guessed.
"""

from __future__ import annotations

from datetime import UTC, datetime
from hashlib import sha256
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from pydantic_core import PydanticSerializationError, to_json

if TYPE_CHECKING:
    from collections.abc import Mapping

_DAY_CHARS = len("2026-01-31")
_AS_STATED = ("access", "agencies", "authors", "corrections", "language_declared", "section", "source")
_TIMES = ("modified", "published")
NAMES = (*_AS_STATED, "image", *_TIMES, "roles", "tags")
"""The names of fields that are compared."""


def digest_metadata(fields: Mapping[str, Any]) -> str:
    """Return the digest of what `read_metadata` returns: equal where nothing was changed."""
    found = read_metadata(fields)
    try:
        data = to_json(found)
    except (PydanticSerializationError, ValueError):  # half a surrogate pair
        data = repr(found).encode("utf-8", "backslashreplace")
    return "sha256:" + sha256(data).hexdigest()


def list_changed(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return what differs between two snapshots' *before* and *after* fields: `{"name", "before", "after"}`, by name.

    The values are those that the pages state; `None`: nothing was stated.
    """
    old, new = read_metadata(before), read_metadata(after)
    return [
        {"name": name, "before": _value_of(before, name), "after": _value_of(after, name)}
        for name in sorted(NAMES)
        if old.get(name) != new.get(name)
    ]


def read_metadata(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return the metadata in *fields* in a form in which equal means the same, in the order of `NAMES`."""
    found: dict[str, Any] = {}
    for name in NAMES:
        told = fields.get(name)
        if told is None:
            continue
        value = told.get("value") if isinstance(told, dict) else None
        if value is None or value in ("", []):
            continue
        if name == "image":
            value = _read_picture(value)
        elif name in _TIMES:
            value = None if told.get("from") == "guess" else _read_time(value)
        elif name in {"roles", "tags"} and isinstance(value, list):
            value = sorted(value, key=repr)
        if value is not None:
            found[name] = value
    return found


def _value_of(fields: Mapping[str, Any], name: str) -> Any:  # noqa: ANN401 - JSON data
    told = fields.get(name)
    return told.get("value") if isinstance(told, dict) else None


def _read_picture(value: object) -> list[Any] | None:
    """Return path, caption, credit and alternative text; hosts and what follows a path change with each look."""
    if not isinstance(value, dict):
        return None
    try:
        path = urlsplit(str(value.get("url") or "")).path
    except ValueError:
        path = ""
    return [path, value.get("caption"), value.get("credit"), value.get("alt")]


def _read_time(value: object) -> str:
    text = str(value)
    if len(text) <= _DAY_CHARS:
        return text
    try:
        found = datetime.fromisoformat(text)
        return (found.astimezone(UTC) if found.tzinfo else found).isoformat()
    except (ValueError, OverflowError):
        return text
