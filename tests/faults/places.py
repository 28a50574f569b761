"""Faults of where rows are and of what commits repeat of earlier ones, covered up."""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from jobs.archive.commit import CommitLink, RowsPlace, decode_commit, digest
from jobs.archive.log import covered, link_to
from tests.archives import (
    commit_keys,
    cover_up,
    file_keys,
    holds_rows,
    put,
    put_blocks,
    read_blocks,
    read_lines,
    rechain,
    split_file,
    split_members,
)
from tests.faults.common import OTHER_DIGEST, WARC, Fault

if TYPE_CHECKING:
    from jobs.store.memory import MemoryStore

Blocks = list[bytes]


def spread_rows(store: MemoryStore, key: str, lines_each: int) -> Blocks:
    """Put the rows of the file *key* in records of so many lines each, the first one in a record of its own.

    Returns their blocks.
    """
    lines = b"".join(read_blocks(store, key)).splitlines(keepends=True)
    rest = lines[1:]
    blocks = [lines[0], *(b"".join(rest[n : n + lines_each]) for n in range(0, len(rest), lines_each))]
    put_blocks(store, key, blocks)
    return blocks


def sum_up_rows(blocks: Blocks) -> tuple[list[tuple[str, Any]], dict[str, int]]:
    """Return what of the rows in *blocks* something else contradicts: the order of some, the number of most."""
    rows = [json.loads(line) for line in b"".join(blocks).splitlines()]
    ordered = [(row["type"], row.get("n")) for row in rows if row["type"] in {"segment", "capture", "end"}]
    return ordered, Counter(row["type"] for row in rows if row["type"] != "run")


def drop_block(blocks: Blocks, at: int) -> Blocks:
    """Leave a record out."""
    return blocks[:at] + blocks[at + 1 :]


def double_block(blocks: Blocks, at: int) -> Blocks:
    """Have a record twice."""
    return blocks[: at + 1] + blocks[at:]


def swap_blocks(blocks: Blocks, at: int) -> Blocks:
    """Exchange a record and the next."""
    return [*blocks[:at], *blocks[at + 1 : at + 2], blocks[at], *blocks[at + 2 :]]


def tear_block(blocks: Blocks, at: int) -> Blocks:
    """Let the last line of a record end in the next."""
    return [*blocks[:at], blocks[at][:-9], blocks[at][-9:] + b"".join(blocks[at + 1 :])]


def change_blocks(change: Callable[[Blocks, int], Blocks]) -> Fault:
    """Return the fault that *change* makes of the records that hold a segment's rows."""

    def plant(store: MemoryStore, rng: random.Random) -> set[str] | None:
        key = rng.choice(file_keys(store, WARC))
        blocks = spread_rows(store, key, rng.randint(1, 5))
        changed = change(blocks, rng.randrange(len(blocks)))
        if change is not tear_block and sum_up_rows(changed) == sum_up_rows(blocks):
            return None
        put_blocks(store, key, changed)
        cover_up(store)
        return {key}

    return plant


def move_rows(store: MemoryStore, rng: random.Random) -> set[str] | None:
    """Move the first row before an exchange, lead all pointers to where the records are now, and cover it up."""
    key = rng.choice(file_keys(store, WARC))
    others, _ = split_file(store.get(key))
    if len(others) < 2:
        return None
    at = rng.randrange(1, len(others))
    start, end = len(b"".join(others[:at])), len(b"".join(others))
    first = spread_rows(store, key, 1_000)[0]
    moved = split_file(store.get(key))[1][0]
    lines = read_lines(store, key)[1:]
    for line in lines:
        _shift_pointers(line, start, len(moved))
    lines[-1]["warc_bytes"] = end + len(moved)
    texts = [json.dumps(line, ensure_ascii=False).encode() + b"\n" for line in lines]
    put_blocks(store, key, [first, b"".join(texts)])
    rest = split_file(store.get(key))[1][1:]
    put(store, key, b"".join([*others[:at], moved, *others[at:], *rest]))
    cover_up(store)  # the rows begin at the first row
    if rng.random() < 0.5:  # or at the others
        _place_rows(store, key, end + len(moved), count=len(texts))
    return {key}


def _shift_pointers(line: dict[str, Any], start: int, by: int) -> None:
    for place in (line.get("warc") or {}).values():
        if place is not None and place["offset"] >= start:
            place["offset"] += by
    if line["type"] == "cdxj":
        head, brace, rest = line["line"].partition("{")
        fields = json.loads(brace + rest)
        offset = int(fields["offset"])
        line["line"] = head + json.dumps({**fields, "offset": str(offset + by if offset >= start else offset)})


def _place_rows(store: MemoryStore, key: str, offset: int, *, count: int | None = None) -> None:
    """Let the commit of the file *key* say that its rows begin at *offset*, and cover it up."""
    for name in commit_keys(store):
        rows = decode_commit(store.get(name), name).commit.rows
        if rows is not None and rows.key == key:
            data = store.get(key)[offset:]
            known = rows.count if count is None else count
            rechain(store, {name: {"rows": RowsPlace(key, offset, len(data), digest(data), known)}})


def misplace_rows(store: MemoryStore, rng: random.Random) -> set[str]:
    """Let a commit say that the rows begin at another place."""
    key = rng.choice(file_keys(store, WARC))
    members = split_members(store.get(key))
    starts = [len(b"".join(members[:n])) for n in range(len(members) + 1)]
    right = starts[next(n for n, member in enumerate(members) if holds_rows(member))]
    _place_rows(store, key, rng.choice([start for start in (*starts, right - 1, right + 1) if start != right]))
    return {key}


def miscount_rows(store: MemoryStore, rng: random.Random) -> set[str]:
    """Let a commit count another number of rows."""
    key = rng.choice(file_keys(store, WARC))
    for name in commit_keys(store):
        rows = decode_commit(store.get(name), name).commit.rows
        if rows is not None and rows.key == key:
            rechain(store, {name: {"rows": replace(rows, count=rows.count + rng.choice((-1, 1)))}})
    return {key}


def lend_rows(store: MemoryStore, rng: random.Random) -> set[str] | None:
    """Put the rows of another segment in place of one's own; or let one's own be called another's."""
    keys = file_keys(store, WARC)
    key, other = rng.choice(keys), rng.choice(keys)
    if key == other:
        return None
    if rng.random() < 0.5:
        put_blocks(store, key, read_blocks(store, key), segment=other.rpartition("/")[2].removesuffix(WARC))
    else:
        put_blocks(store, key, read_blocks(store, other))
    cover_up(store)
    return {key}


Links = tuple[CommitLink, ...]


def list_links(store: MemoryStore, key: str) -> Links:
    """Return what the commit *key* may say of those before it in its log."""
    first = covered(decode_commit(store.get(key), key).commit.checkpoint) + 1
    before = [name for name in commit_keys(store) if name[:-12] == key[:-12] and name < key]
    return tuple(link_to(decode_commit(store.get(name), name)) for name in before if int(name[-12:]) >= first)


def _edit_place(rows: RowsPlace | None) -> RowsPlace | None:
    return None if rows is None else replace(rows, offset=rows.offset + 1)


LINK_CHANGES: dict[str, Callable[[Links, int], Links]] = {
    "digest": lambda links, at: (*links[:at], replace(links[at], sha256=OTHER_DIGEST), *links[at + 1 :]),
    "rows": lambda links, at: (*links[:at], replace(links[at], rows=_edit_place(links[at].rows)), *links[at + 1 :]),
    "gap": lambda links, at: links[:at] + links[at + 1 :],
    "twice": lambda links, at: links[: at + 1] + links[at:],
    "backwards": lambda links, _: links[::-1],
    "itself": lambda links, _: (*links, CommitLink(links[-1].seq + 1, OTHER_DIGEST, None)),
    "too many": lambda links, at: links[:at] + links[at : at + 1] * 65 + links[at + 1 :],
}


def mislead_since(store: MemoryStore, rng: random.Random) -> set[str] | None:
    """Let a commit say of earlier ones what they are not."""
    key = rng.choice(commit_keys(store))
    links = list_links(store, key)
    if not links:
        return None
    changed = rng.choice(list(LINK_CHANGES.values()))(links, rng.randrange(len(links)))
    if not changed or changed == links:
        return None
    rechain(store, {key: {"since": changed}})
    return {key}
