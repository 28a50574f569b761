"""Lease objects: that they can be read and, in a signed archive, that one of its keys signed them for their own key.

Nothing rests on leases: what is found here can only have kept a crawler waiting.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import TYPE_CHECKING

from config.errors import DamageFound, FormatTooNew, StoreError
from crawler.rows import read_json_object
from jobs.archive.keys import Standing
from jobs.archive.lease_records import MAX_LEASE_BYTES, MAX_SECONDS, decode_record, parse_lease_key
from jobs.archive.signing import parse_signatures, split_document
from jobs.verify.report import Notes
from jobs.verify.unreadable import note_unreadable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from jobs.archive.keys import KeyRing
    from jobs.store import ObjectStore, StoredObject
    from jobs.verify.report import VerifyReport

MAX_LEASES = 1_000
"""So many of a source are looked at, the first ones: a day's beats are fewer."""
_REMOVE = "when no run of this source is going on, remove it"


def check_leases(store: ObjectStore, ring: KeyRing, report: VerifyReport) -> None:
    """Add damage to *report* for each lease object that is not one, or is a stranger's. Raises StoreError."""
    signed_since = _find_beginning(ring)
    for item in _list_leases(store):
        notes = Notes(report, item.key)
        try:
            data = store.get(item.key, length=MAX_LEASE_BYTES + 1)
            record = decode_record(data, item.key)
        except StoreError as error:
            note_unreadable(store, notes, error)
            continue
        except FormatTooNew as error:
            notes.notice(str(error).removeprefix(f"{item.key}: "))
            continue
        if record is None:
            notes.damage(f"not a lease: found {len(data)} bytes that say nothing sound; {_REMOVE}")
        elif signed_since is not None and (fault := _find_fault(ring, data, item, signed_since)):
            notes.damage(f"{fault}: no holder of the archive's key put it; {_REMOVE}")


def _list_leases(store: ObjectStore) -> Iterator[StoredObject]:
    for source in store.folders("lease/"):
        yield from islice((one for one in store.list(f"lease/{source}/") if parse_lease_key(one.key)), MAX_LEASES)


def _find_beginning(ring: KeyRing) -> datetime | None:
    """Return from when on leases must be signed, so that those that were held when the first key came count."""
    if not ring.keys:
        return None
    try:
        return datetime.fromisoformat(ring.keys[0].created).astimezone(UTC) + timedelta(seconds=MAX_SECONDS)
    except (ValueError, OverflowError):
        return None


def _find_fault(ring: KeyRing, data: bytes, item: StoredObject, signed_since: datetime) -> str | None:
    if data.count(b"\n") == 1:
        late = item.modified is None or item.modified > signed_since
        return "unsigned" if late else None
    try:
        line, signatures = split_document(data, item.key, "a lease", MAX_LEASE_BYTES)
        judged, _ = ring.judge_document(line + b"\n", parse_signatures(signatures), {}, 1)
        named = read_json_object(line).get("key")
    except (DamageFound, ValueError, RecursionError) as error:
        return str(error).removeprefix(f"{item.key}: ")
    if judged.standing is Standing.FAULTY:
        return f"signature: {judged.reason}"
    return None if named == item.key else f"names {json.dumps(named)[:120]} as its own key: it was put there again"
