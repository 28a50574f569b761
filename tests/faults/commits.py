"""Faults of commits and of what the archive says of itself."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from jobs.archive.commit import CommitLink, RowsPlace, decode_commit, encode_commit
from tests.archives import commit_keys, put
from tests.faults.common import OTHER_DIGEST, flip, middle_commits

if TYPE_CHECKING:
    from jobs.store.memory import MemoryStore

COMMIT_FIELDS: dict[str, Callable[[Any], Any]] = {
    "format": lambda _: "1.1",
    "requires": lambda _: ("assets",),
    "id": lambda _: "0" * 32,
    "archive": lambda _: "0" * 32,
    "source": lambda v: v + "x",
    "seq": lambda v: v + 1,
    "previous": lambda _: OTHER_DIGEST,
    "kind": lambda _: "later",
    "committed": lambda v: v.replace(year=2020),
    "clock_skew_seconds": lambda _: 1.5,
    "epoch": lambda v: v + 1,
    "writer": lambda v: v + "x",
    "run": lambda v: (v or "") + "x",
    "segment": lambda _: None,
    "files": lambda _: (),
    "rows": lambda v: None if v else RowsPlace("segments/gazette/x.warc.gz", 0, 0, OTHER_DIGEST, 0),
    "releases": lambda v: not v,
    "counts": lambda v: {**v, "captures": v.get("captures", 0) + 1},
    "opened": lambda _: None,
    "closed": lambda _: None,
    "replaces": lambda _: ("segments/x",),
    "checkpoint": lambda _: {"key": "x"},
    "since": lambda v: (*v, CommitLink(1, OTHER_DIGEST, None)),
    "pack": lambda _: {"key": "x"},
    "derivations": lambda _: {OTHER_DIGEST: {}},
    "detail": lambda _: {"reason": "none"},
}


def set_field(store: MemoryStore, key: str, name: str) -> bool:
    """Change one field of the commit *key* and nothing else; return whether that changes anything."""
    commit = decode_commit(store.get(key), key).commit
    before = store.get(key)
    put(store, key, encode_commit(replace(commit, **{name: COMMIT_FIELDS[name](getattr(commit, name))})))
    return store.get(key) != before


def edit_commit(store: MemoryStore, rng: random.Random) -> set[str] | None:
    """Change one field of a commit that another follows."""
    found = middle_commits(store)
    if not found:
        return None
    key, following = rng.choice(found)
    return {key, following} if set_field(store, key, rng.choice(list(COMMIT_FIELDS))) else None


def flip_commit(store: MemoryStore, rng: random.Random) -> set[str] | None:
    """Change one bit of such a commit."""
    found = middle_commits(store)
    if not found:
        return None
    key, following = rng.choice(found)
    data = store.get(key)
    put(store, key, flip(data, rng.randrange(len(data) * 8)))
    return {key, following}


def lose_commit(store: MemoryStore, rng: random.Random) -> set[str] | None:
    """Take such a commit away."""
    found = middle_commits(store)
    if not found:
        return None
    key, _ = rng.choice(found)
    store.delete(key)
    return {key}


def swap_commits(store: MemoryStore, rng: random.Random) -> set[str] | None:
    """Exchange two that follow each other."""
    found = middle_commits(store)
    if not found:
        return None
    one, two = rng.choice(found)
    first, second = store.get(one), store.get(two)
    put(store, one, second)
    put(store, two, first)
    return {one, two}


def flip_identity(store: MemoryStore, rng: random.Random) -> set[str] | None:
    """Change the archive's id."""
    data = store.get("ofrecord.json")
    archive = data.index(b'"archive"') + 12
    put(store, "ofrecord.json", flip(data, (archive + rng.randrange(32)) * 8 + 1))
    return {"ofrecord.json", *(key for key in commit_keys(store) if key.endswith("/000000000001"))}
