"""Tries out whether a store does what an archive needs of it, with small objects below probe/ that are removed again.

Raises StoreRefused saying what is missing; a store that passes answers nothing.
"""

from __future__ import annotations

import contextlib
import hashlib
import re
import secrets
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from config.errors import ObjectDiffers, ObjectExists, ObjectMissing, StoreError, StoreRefused

if TYPE_CHECKING:
    from jobs.store import ObjectStore

RACE_WRITERS = 4
RACE_ROUNDS = 2

_LEFT = re.compile(r"[0-9a-f]{16}-(?:once|race|digest|list|range)(?:-\d+)?")
_ADVICE = "use a store that deploy/README.md names"


def probe_store(store: ObjectStore, *, single_writer: bool = False, locked: bool = False) -> None:
    """Raise StoreRefused unless *store* has create-only puts, sorted and current listings, ranges and true digests.

    *single_writer*: create-only puts are not asked for. *locked*: it must keep objects from removal, too.
    """
    if locked:
        store.probe_lock()
    base = f"probe/{secrets.token_hex(8)}"
    with contextlib.ExitStack() as stack:
        if not single_writer:
            _probe_create(store, f"{base}-once", stack)
            _probe_race(store, f"{base}-race", stack)
        _probe_digest(store, f"{base}-digest", stack)
        _probe_list(store, f"{base}-list", stack)
        _probe_range(store, f"{base}-range", stack)


def is_left(name: str) -> bool:
    """Whether an object of that *name* below probe/ is what a trial that was killed has left."""
    return _LEFT.fullmatch(name) is not None


def _probe_create(store: ObjectStore, key: str, stack: contextlib.ExitStack) -> None:
    _put(store, key, b"first", stack)
    with contextlib.suppress(ObjectExists):
        _put(store, key, b"second", stack)
        raise _refusal(store, "a second put of one key was accepted, so it has no create-only puts (If-None-Match: *)")
    if store.get(key) != b"first":
        raise _refusal(store, "a put that it refused changed the object all the same")


def _probe_race(store: ObjectStore, base: str, stack: contextlib.ExitStack) -> None:
    """Find stores that look first and write then: several writers at once show them."""
    for number in range(RACE_ROUNDS):
        key = f"{base}-{number}"
        stack.callback(_remove, store, key)
        with ThreadPoolExecutor(RACE_WRITERS) as pool:
            wins = sum(pool.map(lambda writer, key=key: _wins(store, key, str(writer).encode()), range(RACE_WRITERS)))
        if wins != 1:
            raise _refusal(
                store, f"of {RACE_WRITERS} writers of one key {wins} were told that they made it, expected 1"
            )


def _probe_digest(store: ObjectStore, key: str, stack: contextlib.ExitStack) -> None:
    stack.callback(_remove, store, key)
    try:
        store.create(key, b"these bytes", sha256=_digest(b"other bytes"))
    except (ObjectDiffers, StoreRefused):
        return
    raise _refusal(store, "it reports the digest that it was given, not that of what it keeps")


def _probe_list(store: ObjectStore, base: str, stack: contextlib.ExitStack) -> None:
    keys = [f"{base}-{number}" for number in (2, 10, 1, 3)]
    for key in keys:
        _put(store, key, b"", stack)
    found = [one.key for one in store.list(f"{base}-")]
    if found != sorted(keys):
        raise _refusal(
            store, f"its listing shows {len(found)} of {len(keys)} new objects, or not in the order of their keys"
        )
    rest = [one.key for one in store.list(f"{base}-", after=f"{base}-10")]
    if rest != sorted(keys)[2:]:
        raise _refusal(store, "its listing does not begin after the key it was asked for (start-after)")


def _probe_range(store: ObjectStore, key: str, stack: contextlib.ExitStack) -> None:
    _put(store, key, b"0123456789", stack)
    if store.get(key, offset=3, length=4) != b"3456":
        raise _refusal(store, "a part of an object (range) is not the part that was asked for")


def _put(store: ObjectStore, key: str, data: bytes, stack: contextlib.ExitStack) -> None:
    stack.callback(_remove, store, key)
    store.create(key, data, sha256=_digest(data))


def _wins(store: ObjectStore, key: str, data: bytes) -> bool:
    try:
        store.create(key, data, sha256=_digest(data))
    except (ObjectExists, ObjectDiffers, ObjectMissing):
        return False
    return True


def _remove(store: ObjectStore, key: str) -> None:
    # A store that forbids deletion keeps the probe's left-overs; they mean nothing (FORMAT.md § 2).
    with contextlib.suppress(StoreError):
        store.delete(key)


def _refusal(store: ObjectStore, found: str) -> StoreRefused:
    return StoreRefused(f"{store.url}: no archive can be kept here: {found}; {_ADVICE}")


def _digest(data: bytes) -> str:
    return f"sha256:{hashlib.sha256(data).hexdigest()}"
