"""Faults of rows, covered up: what else is in the archive contradicts them."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from tests.archives import cover_up, file_keys, read_lines, write_lines
from tests.faults.common import OTHER_DIGEST, WARC, Fault

if TYPE_CHECKING:
    from jobs.store.memory import MemoryStore


def edit_rows(store: MemoryStore, key: str, change: Callable[[list[dict[str, Any]]], Iterable[dict[str, Any]]]) -> None:
    """Change the rows in the file *key*, and cover it up."""
    write_lines(store, key, change(read_lines(store, key)))
    cover_up(store)


ROW_FIELDS: dict[str, dict[str, Callable[[Any], Any]]] = {
    "segment": {
        "source": lambda v: v + "x",
        "run": lambda v: v[:-1] + "z",
        "segment": lambda v: v[:-1] + ("0" if v[-1] != "0" else "1"),
        "opened": lambda _: "2020-01-01T00:00:00Z",
        "archive": lambda _: "0" * 32,
        "derivations": lambda v: dict.fromkeys(v, "other"),
        "format": lambda _: "2.0",
        "epoch": lambda v: v + 1,
    },
    "capture": {
        "n": lambda v: v + 1,
        "target_uri": lambda v: v + "x",
        "captured_at": lambda _: "2020-01-01T00:00:00Z",
        "status": lambda v: (v or 0) + 1,
        "media_type": lambda v: (v or "") + "x",
        "payload_digest": lambda _: OTHER_DIGEST,
        "size_bytes": lambda v: v + 1,
        "peer": lambda _: "192.0.2.66",
        "etag": lambda v: (v or "") + "x",
        "last_modified": lambda v: (v or "") + "x",
        "read_with": lambda v: {**(v or {}), "content-type": ["text/other"]},
        "truncated": lambda v: "time" if v != "time" else None,
        "error": lambda v: None if v else "made up",
        "purpose": lambda v: "feed" if v == "article" else "article",
        "warc": lambda _: None,
        "revisit_of": lambda v: None if v else {"segment": "gazette-20261122T120000Z-0000000000000000", "n": 0},
    },
    "snapshot": {
        "url": lambda v: v + "x",
        "captured_at": lambda _: "2020-01-01T00:00:00Z",
        "derivation": lambda _: OTHER_DIGEST,
        "text": lambda v: v + "x",
        "text_digest": lambda _: OTHER_DIGEST,
    },
    "cdxj": {"line": lambda v: v.replace('"offset": "', '"offset": "1')},
    "run": {"run": lambda v: v + "x"},
    "end": {
        "closed": lambda _: "2020-01-01T00:00:00Z",
        "counts": lambda v: {**v, "captures": v["captures"] + 1},
        "warc_records": lambda v: v + 1,
        "warc_bytes": lambda v: v + 1,
    },
}
"""Fields of rows that something else in the archive contradicts: found though the edit is covered up."""


def has_records(row: dict[str, Any]) -> bool:
    """Return whether an edit of the capture *row* can be told: one without an answer stands alone."""
    return row["type"] != "capture" or row.get("warc") is not None


def edit_row(store: MemoryStore, rng: random.Random) -> set[str] | None:
    """Change one field of a row."""
    key = rng.choice(file_keys(store, WARC))
    kind = rng.choice(list(ROW_FIELDS))
    name = rng.choice(list(ROW_FIELDS[kind]))
    rows = [n for n, row in enumerate(read_lines(store, key)) if row["type"] == kind and has_records(row)]
    if not rows:
        return None
    at = rng.choice(rows)

    def change(lines: list[dict[str, Any]]) -> list[dict[str, Any]]:
        lines[at][name] = ROW_FIELDS[kind][name](lines[at].get(name))
        return lines

    edit_rows(store, key, change)
    return {key}


def edit_extent(store: MemoryStore, rng: random.Random) -> set[str] | None:
    """Lead one pointer of a capture elsewhere, or nowhere."""
    key = rng.choice(file_keys(store, WARC))
    found = [n for n, row in enumerate(read_lines(store, key)) if row.get("warc")]
    if not found:
        return None
    at, part = rng.choice(found), rng.choice(("request", "response", "metadata"))
    value = rng.choice((None, {"offset": 0, "length": 9}))

    def change(lines: list[dict[str, Any]]) -> list[dict[str, Any]]:
        lines[at]["warc"][part] = value
        return lines

    if read_lines(store, key)[at]["warc"][part] == value:
        return None
    edit_rows(store, key, change)
    return {key}


def shuffle_rows(*, twice: bool) -> Fault:
    """Return the fault that leaves a row out, or has it twice."""

    def plant(store: MemoryStore, rng: random.Random) -> set[str]:
        key = rng.choice(file_keys(store, WARC))
        lines = read_lines(store, key)
        at = rng.choice([n for n, line in enumerate(lines) if line["type"] != "run"])
        write_lines(store, key, [*lines[:at], *([lines[at]] * (2 if twice else 0)), *lines[at + 1 :]])
        cover_up(store)
        return {key}

    return plant
