"""The fields of a snapshot that are compared as metadata: what is said about an article, and does not move by itself.

A pure function of the row's `fields` (FORMAT.md § 7 names them). Left out is what changes with each look (reading
times, addresses with tokens), what the text holds already, and times that were guessed.
"""

from __future__ import annotations

import json
from datetime import datetime
from hashlib import sha256
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_DAY_CHARS = len("2026-01-31")
NAMES = (
    *("access", "agencies", "authors", "corrections", "image", "language_declared"),
    *("modified", "published", "roles", "section", "social_title", "source", "tags", "title_tag"),
)
"""The names of fields that are compared."""
_ENCODE = json.JSONEncoder(separators=(",", ":"), sort_keys=True).encode


def digest_metadata(fields: Mapping[str, Any]) -> str:
    """Return the digest of what `read_metadata` returns: equal where nothing was changed."""
    return "sha256:" + sha256(_ENCODE(read_metadata(fields)).encode("ascii")).hexdigest()


def list_changed(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return what differs between two snapshots' *before* and *after* fields: `{"name", "before", "after"}`, by name.

    The values are those that the pages state; `None`: nothing was stated.
    """
    old, new = read_metadata(before), read_metadata(after)
    return [
        {"name": name, "before": _value_of(before, name), "after": _value_of(after, name)}
        for name in NAMES
        if old.get(name) != new.get(name)
    ]


def read_metadata(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return the metadata in *fields* in a form in which equal means the same, in the order of `NAMES`."""
    found: dict[str, Any] = {}
    for name, read in _READERS:
        told = fields.get(name)
        if told is None or not isinstance(told, dict) or not (value := told.get("value")):
            continue
        if read is not None:
            value = read(value, told)
        if value is not None:
            found[name] = value
    return found


def _value_of(fields: Mapping[str, Any], name: str) -> Any:  # noqa: ANN401 - JSON data
    told = fields.get(name)
    return told.get("value") if isinstance(told, dict) else None


def _read_picture(value: object, _: Mapping[str, Any]) -> list[Any] | None:
    """Return path, caption, credit and alternative text; hosts and what follows a path change with each look."""
    if not isinstance(value, dict):
        return None
    address = str(value.get("url") or "").partition("#")[0].partition("?")[0]
    path = address.partition("//")[2].partition("/")[2] or address
    return [path, value.get("caption"), value.get("credit"), value.get("alt")]


def _read_set(value: object, _: Mapping[str, Any]) -> object:
    if not isinstance(value, list):
        return value
    try:
        return sorted(value)
    except TypeError:
        return sorted(value, key=repr)


def _read_time(value: object, told: Mapping[str, Any]) -> str | float | None:
    """Return an instant in seconds, or a date alone as it stands; nothing of a time that was guessed."""
    if told.get("from") == "guess":
        return None
    text = str(value)
    if len(text) <= _DAY_CHARS:
        return text
    try:
        found = datetime.fromisoformat(text)
        return text if found.tzinfo is None else found.timestamp()
    except (ValueError, OverflowError):
        return text


_SPECIAL: dict[str, Callable[[Any, Mapping[str, Any]], Any]] = {
    "image": _read_picture,
    "modified": _read_time,
    "published": _read_time,
    "roles": _read_set,
    "tags": _read_set,
}
_READERS = tuple((name, _SPECIAL.get(name)) for name in NAMES)
