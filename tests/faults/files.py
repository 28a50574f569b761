"""Faults of files and of the members of WARC files."""

from __future__ import annotations

import json
import random
import zlib
from collections.abc import Callable
from typing import TYPE_CHECKING

from tests.archives import (
    cover_up,
    file_keys,
    holds_rows,
    put,
    read_block,
    read_lines,
    split_file,
    split_members,
    write_lines,
)
from tests.faults.common import WARC, Fault, Members, deflate, flip
from tests.faults.places import sum_up_rows

if TYPE_CHECKING:
    from jobs.store.memory import MemoryStore


def _pick_file(store: MemoryStore, rng: random.Random) -> str:
    return rng.choice(file_keys(store, WARC))


def rot(change: Callable[[bytes, random.Random], bytes]) -> Fault:
    """Return the fault that *change* makes of a file."""

    def plant(store: MemoryStore, rng: random.Random) -> set[str] | None:
        key = _pick_file(store, rng)
        whole = store.get(key)
        changed = change(whole, rng)
        if changed == whole:
            return None
        put(store, key, changed)
        return {key}

    return plant


def zero_tail(data: bytes, rng: random.Random) -> bytes:
    """Return *data* with its end overwritten, as a crash of a file system leaves it."""
    size = rng.randint(1, len(data))
    return data[:-size] + bytes(size)


GARBAGE: tuple[Callable[[random.Random], bytes], ...] = (
    lambda rng: bytes(rng.randint(1, 600)),
    lambda _rng: b"and so on\n",
    lambda rng: deflate(rng.randbytes(30)),
    lambda rng: deflate(b'{"type":"later"}\n' * rng.randint(1, 3)),
)


def lose(store: MemoryStore, rng: random.Random) -> set[str]:
    """Take a file away."""
    key = _pick_file(store, rng)
    store.delete(key)
    return {key}


def replace_file(store: MemoryStore, rng: random.Random) -> set[str] | None:
    """Put another file in place of one."""
    one, other = _pick_file(store, rng), _pick_file(store, rng)
    if store.get(one) == store.get(other):
        return None
    put(store, one, store.get(other))
    return {one}


def drop(members: Members, at: int) -> Members:
    """Leave one out."""
    return members[:at] + members[at + 1 :]


def double(members: Members, at: int) -> Members:
    """Have one twice."""
    return members[: at + 1] + members[at:]


def swap(members: Members, at: int) -> Members:
    """Exchange one and the next."""
    return [*members[:at], *members[at + 1 : at + 2], members[at], *members[at + 2 :]]


def reorder(members: Members, at: int) -> Members:
    """Move one to the end."""
    return [*members[:at], *members[at + 1 :], members[at]]


MEMBER_CHANGES = {"drop": drop, "double": double, "swap": swap, "reorder": reorder}


def change_members(change: Callable[[Members, int], Members], *, covered: bool) -> Fault:
    """Return the fault that *change* makes of the members of a WARC file."""

    def plant(store: MemoryStore, rng: random.Random) -> set[str] | None:
        key = rng.choice(file_keys(store, WARC))
        members = split_members(store.get(key))
        changed = change(members, rng.randrange(len(members)))
        if changed == members:
            return None
        if covered and not _is_told(members, changed):
            return None
        put(store, key, b"".join(changed))
        if covered:
            cover_up(store)
        return {key}

    return plant


def _is_told(before: Members, after: Members) -> bool:
    """Return whether something else contradicts a change of members: the order of some rows is nobody's concern."""
    one, two = split_file(b"".join(before)), split_file(b"".join(after))
    if one[0] != two[0] or [holds_rows(member) for member in after] != sorted(map(holds_rows, after)):
        return True
    known = sum_up_rows([read_block(member) for member in one[1]])
    return known != sum_up_rows([read_block(member) for member in two[1]]) or len(set(after)) < len(after)


def _pick_record(store: MemoryStore, rng: random.Random) -> tuple[str, Members, int, bytes]:
    key = rng.choice(file_keys(store, WARC))
    members = split_members(store.get(key))
    at = rng.randrange(len(members))
    return key, members, at, zlib.decompress(members[at], 31)


def put_record(store: MemoryStore, key: str, members: Members, at: int, record: bytes) -> None:
    """Put *record* in place of member *at*, and cover it up."""
    put(store, key, b"".join([*members[:at], deflate(record), *members[at + 1 :]]))
    cover_up(store)


def edit_block(store: MemoryStore, rng: random.Random) -> set[str]:
    """Change one bit of what was on the wire, and cover it up."""
    key, members, at, record = _pick_record(store, rng)
    start = record.index(b"\r\n\r\n") + 4
    put_record(store, key, members, at, flip(record, rng.randrange(start * 8, len(record) * 8)))
    return {key}


RECORD_HEADERS = (
    *(b"WARC-Type", b"WARC-Date", b"WARC-Target-URI", b"WARC-Block-Digest", b"WARC-Payload-Digest", b"Content-Length"),
    *(b"WARC-Concurrent-To", b"WARC-IP-Address", b"WARC-Profile", b"WARC-Refers-To-Target-URI", b"WARC-Filename"),
    *(b"WARC-Truncated", b"WARC-Refers-To-Date"),
)
"""Headers of a record that something else contradicts once they are changed."""


def with_header(record: bytes, name: bytes) -> bytes:
    """Return *record* with another value of header *name*, as long as before; the same if it has none."""
    head, end, block = record.partition(b"\r\n\r\n")
    lines = head.split(b"\r\n")
    for number, line in enumerate(lines):
        if line.startswith(name + b": "):
            last = line[-1:]
            lines[number] = line[:-1] + (b"1" if last != b"1" else b"2")
            if line.endswith((b"Z", b">")):
                lines[number] = line[:-2] + (b"1" if line[-2:-1] != b"1" else b"2") + line[-1:]
    return b"\r\n".join(lines) + end + block


def edit_header(store: MemoryStore, rng: random.Random) -> set[str] | None:
    """Change a header of a record that something else contradicts, and cover it up."""
    key, members, at, record = _pick_record(store, rng)
    name = rng.choice(RECORD_HEADERS)
    changed = with_header(record, name)
    if changed == record or (at == 0 and name == b"WARC-Date"):  # of a warcinfo nothing else says the time
        return None
    put_record(store, key, members, at, changed)
    return {key}


def order_members(store: MemoryStore, key: str, order: list[int]) -> None:
    """Put the exchanges of the file *key* in another order, and lead all rows to where they are now."""
    members, holding = split_file(store.get(key))
    offsets = [len(b"".join(members[:n])) for n in range(len(members))]
    moved: Members = []
    places: dict[int, int] = {}
    for n in order:
        places[offsets[n]] = len(b"".join(moved))
        moved.append(members[n])
    put(store, key, b"".join([*moved, *holding]))
    lines = read_lines(store, key)
    for line in lines:
        for place in (line.get("warc") or {}).values():
            if place is not None:
                place["offset"] = places[place["offset"]]
        if line["type"] == "cdxj":
            head, brace, rest = line["line"].partition("{")
            fields = json.loads(brace + rest)
            fields["offset"] = str(places[int(fields["offset"])])
            line["line"] = head + json.dumps(fields)
    write_lines(store, key, lines)
    cover_up(store)


def move_members(store: MemoryStore, rng: random.Random) -> set[str] | None:
    """Exchange two records of exchanges, and lead all pointers to where they are now."""
    key = rng.choice(file_keys(store, WARC))
    count = len(split_file(store.get(key))[0])
    if count < 3:
        return None
    at = rng.randrange(1, count - 1)
    order_members(store, key, [*range(at), at + 1, at, *range(at + 2, count)])
    return {key}
