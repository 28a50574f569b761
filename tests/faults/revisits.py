"""Faults of revisits, packs and texts."""

from __future__ import annotations

import json
import random
import zlib
from typing import TYPE_CHECKING, Any

from jobs.archive.commit import digest
from tests.archives import cover_up, file_keys, put, read_lines, split_members, write_lines
from tests.faults.common import WARC, deflate, flip
from tests.faults.rows import edit_rows

if TYPE_CHECKING:
    from jobs.store.memory import MemoryStore


def revisit_rows(store: MemoryStore) -> list[tuple[str, int]]:
    """Return file and place among its rows of each capture that is a revisit."""
    return [
        (key, n)
        for key in file_keys(store, WARC)
        for n, row in enumerate(read_lines(store, key))
        if row.get("revisit_of")
    ]


def mislead_revisit(store: MemoryStore, rng: random.Random) -> set[str] | None:
    """Let a revisit name a capture that it cannot stand for."""
    found = revisit_rows(store)
    if not found:
        return None
    key, at = rng.choice(found)
    own = read_lines(store, key)[0]["segment"]

    def change(lines: list[dict[str, Any]]) -> list[dict[str, Any]]:
        reference = lines[at]["revisit_of"]
        wrong = (
            {**reference, "n": 999_999},
            {**reference, "segment": reference["segment"][:-4] + "zzzz"},
            {**reference, "segment": own},
            {**reference, "segment": "x" + reference["segment"]},
        )
        lines[at]["revisit_of"] = rng.choice(wrong)
        return lines

    edit_rows(store, key, change)
    return {key}


def edit_record(store: MemoryStore, key: str, offset: int, old: bytes, new: bytes) -> None:
    """Change *old* to *new* in the headers of the record at *offset*, keeping length; cover up what can be."""
    members = split_members(store.get(key))
    starts = [len(b"".join(members[:n])) for n in range(len(members))]
    at = starts.index(offset)
    record = zlib.decompress(members[at], 31)
    assert old in record
    changed = deflate(record.replace(old, new, 1))
    shift = len(changed) - len(members[at])
    put(store, key, b"".join([*members[:at], changed, *members[at + 1 :]]))
    lines = read_lines(store, key)
    lines[-1]["warc_bytes"] += shift
    for line in lines:
        for place in (line.get("warc") or {}).values():
            if place is not None:
                _shift(place, offset, shift)
        if line["type"] == "cdxj":
            head, brace, rest = line["line"].partition("{")
            fields = json.loads(brace + rest)
            place = {name: int(fields[name]) for name in ("offset", "length")}
            _shift(place, offset, shift)
            line["line"] = head + json.dumps({**fields, **{name: str(value) for name, value in place.items()}})
    write_lines(store, key, lines)
    cover_up(store)


def _shift(place: dict[str, int], offset: int, shift: int) -> None:
    if place["offset"] == offset:
        place["length"] += shift
    elif place["offset"] > offset:
        place["offset"] += shift


def misdate_revisit(store: MemoryStore, rng: random.Random) -> set[str] | None:
    """Let a revisit record refer to another time."""
    found = revisit_rows(store)
    if not found:
        return None
    key, at = rng.choice(found)
    offset = read_lines(store, key)[at]["warc"]["response"]["offset"]
    edit_record(store, key, offset, b"WARC-Refers-To-Date: 20", b"WARC-Refers-To-Date: 19")
    return {key}


def spoil_pack(store: MemoryStore, rng: random.Random) -> set[str] | None:
    """Change a pack."""
    packs = [item.key for item in store.list("log/") if "/pack-" in item.key]
    if not packs:
        return None
    key = rng.choice(packs)
    data = store.get(key)
    changed = rng.choice((b"", data[: len(data) // 2], data + b"x\n-\n", flip(data, rng.randrange(len(data) * 8))))
    put(store, key, changed)
    return {key}


def put_forged_text(store: MemoryStore, key: str, at: int) -> None:
    """Change the text of the snapshot at place *at*, with its digest, and cover it up: only the page tells."""

    def change(lines: list[dict[str, Any]]) -> list[dict[str, Any]]:
        lines[at]["text"] += " Not so."
        lines[at]["text_digest"] = digest(lines[at]["text"].encode())
        return lines

    edit_rows(store, key, change)


def forge_text(store: MemoryStore, rng: random.Random) -> set[str] | None:
    """Change a text and its digest."""
    found = [
        (key, n)
        for key in file_keys(store, WARC)
        for n, row in enumerate(read_lines(store, key))
        if row["type"] == "snapshot"
    ]
    if not found:
        return None
    key, at = rng.choice(found)
    put_forged_text(store, key, at)
    return {key}
