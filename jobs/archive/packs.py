"""Packs: 1,000 commits in one object, so that a reader of the whole log need not ask for each (FORMAT.md § 4)."""

from __future__ import annotations

import hashlib
import re
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import structlog

from config.errors import DamageFound, ObjectExists, ObjectMissing, RecordError
from jobs.archive.commit import (
    MAX_COMMIT_BYTES,
    SOURCE_PATTERN,
    StoredCommit,
    commit_key,
    decode_commit,
)

if TYPE_CHECKING:
    from jobs.store import ObjectStore

log = structlog.get_logger()

PACK_COMMITS = 1_000
MAX_PACK_BYTES = 256 * 1024 * 1024
"""Longer ones are not made, and left alone where they are: their commits are read one by one."""

_PACK_KEY = re.compile(rf"log/({SOURCE_PATTERN.pattern})/pack-([0-9]{{12}})-([0-9]{{12}})")
_AT_ONCE = 16


def pack_key(source: str, first: int, last: int) -> str:
    """Return the key of the pack of commits *first* to *last*."""
    return f"log/{source}/pack-{first:012d}-{last:012d}"


def parse_pack_key(key: str) -> tuple[str, int, int] | None:
    """Return source, first and last commit of a pack's key; `None` for any other key."""
    match = _PACK_KEY.fullmatch(key)
    return (match[1], int(match[2]), int(match[3])) if match else None


def put_pack(store: ObjectStore, source: str, archive: str, last: int) -> dict[str, Any]:
    """Put the pack of the 1,000 commits that end with *last* and return what a commit says of it.

    The same commits make the same bytes: one that is there already is as good. Raises RecordError if they are too long
    for a pack that is read, DamageFound if they do not chain or another object has the key, ObjectMissing, StoreError.
    """
    first = last - PACK_COMMITS + 1
    key = pack_key(source, first, last)
    found, size_bytes, previous = hashlib.sha256(), 0, None
    with tempfile.TemporaryDirectory(prefix="ofrecord-") as folder:
        path = Path(folder) / "pack"
        with path.open("wb") as file, ThreadPoolExecutor(_AT_ONCE) as pool:
            for begin in range(first, last + 1, 8 * _AT_ONCE):
                numbers = range(begin, min(begin + 8 * _AT_ONCE, last + 1))
                objects = pool.map(lambda seq: store.get(commit_key(source, seq), length=MAX_COMMIT_BYTES + 1), numbers)
                for seq, data in zip(numbers, objects, strict=True):
                    stored = decode_commit(data, commit_key(source, seq))
                    check_chained(stored, source, archive, seq, previous)
                    if size_bytes + len(data) > MAX_PACK_BYTES:
                        raise RecordError(f"{key}: longer than {MAX_PACK_BYTES} bytes, so no pack is made")
                    previous = stored.digest
                    file.write(data)
                    found.update(data)
                    size_bytes += len(data)
        sha256 = "sha256:" + found.hexdigest()
        try:
            store.create(key, path, sha256=sha256)
        except ObjectExists as error:
            stat = store.stat(key)
            if stat.size_bytes != size_bytes or (stat.sha256 or _hash_object(store, key)) != sha256:
                raise DamageFound(f"{store.url}/{key}: holds other bytes than its commits") from error
    log.debug("wrote_pack", source=source, first=first, last=last, size_bytes=size_bytes)
    return {"key": key, "size_bytes": size_bytes, "sha256": sha256, "first": first, "last": last}


def read_pack(store: ObjectStore, source: str, archive: str, first: int, previous: str) -> list[StoredCommit]:
    """Return the commits of the pack that begins with *first*; none where there is no pack.

    Each is checked against the one before, the first against the digest *previous*. Nobody has vouched for the last:
    that is the caller's. Raises DamageFound and FormatTooNew.
    """
    key = pack_key(source, first, first + PACK_COMMITS - 1)
    try:
        data = store.get(key, length=MAX_PACK_BYTES + 1)
    except ObjectMissing:
        return []
    if len(data) > MAX_PACK_BYTES:
        raise DamageFound(f"{key}: longer than {MAX_PACK_BYTES} bytes")
    commits: list[StoredCommit] = []
    begin = 0
    for seq in range(first, first + PACK_COMMITS):
        end = data.find(b"\n", data.find(b"\n", begin) + 1) + 1
        if end <= begin:
            raise DamageFound(f"{key}: holds {len(commits)} commits, expected {PACK_COMMITS}")
        stored = decode_commit(data[begin:end], f"{key}: commit {seq}")
        check_chained(stored, source, archive, seq, previous)
        commits.append(stored)
        previous, begin = stored.digest, end
    if begin != len(data):
        raise DamageFound(f"{key}: goes on after commit {first + PACK_COMMITS - 1}")
    return commits


def check_chained(stored: StoredCommit, source: str, archive: str, seq: int, previous: str | None) -> None:
    """Raise DamageFound unless *stored* is commit *seq* of that log and, if it is given, comes after *previous*."""
    commit, key = stored.commit, commit_key(source, seq)
    if (commit.seq, commit.source, commit.archive) != (seq, source, archive):
        raise DamageFound(
            f"{key}: holds commit {commit.seq} of source {commit.source!r} in archive {commit.archive}, not its own"
        )
    if previous is not None and commit.previous != previous:
        raise DamageFound(f"{key}: the chain breaks: names {commit.previous} before it, found {previous}")


def _hash_object(store: ObjectStore, key: str) -> str:
    return "sha256:" + hashlib.sha256(store.get(key)).hexdigest()
