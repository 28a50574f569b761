"""Lease objects: their keys, what they say, and how that is written and read (FORMAT.md § 4)."""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from config.errors import DamageFound
from crawler.rows import read_json_object
from jobs.archive.commit import FORMAT, require_format
from jobs.archive.signing import encode_document
from jobs.store.answers import tidy

if TYPE_CHECKING:
    from jobs.archive.signing import Signer
    from jobs.store import ObjectStore

MAX_SECONDS = 3_600.0
"""No lease holds longer than that without a further beat, whatever its object says."""
MAX_LEASE_BYTES = 4_096

HELD = "held"
RELEASED = "released"

_KEY = re.compile(r"lease/[^/]+/([0-9]{12})\.([0-9]{6})")


def lease_key(source: str, epoch: int, beat: int) -> str:
    """Return the key of a lease object."""
    return f"lease/{source}/{epoch:012d}.{beat:06d}"


def parse_lease_key(key: str) -> tuple[int, int] | None:
    """Return epoch and beat of a lease object's key; `None` for any other key."""
    match = _KEY.fullmatch(key)
    return (int(match[1]), int(match[2])) if match else None


@dataclass(frozen=True, slots=True)
class LeaseRecord:
    """What a lease object says."""

    holder: str
    """Host, process and 64 random bits: no two holders are the same."""
    run: str | None
    state: str
    seconds: float
    format: str = FORMAT

    def encode(self, key: str, signer: Signer | None = None) -> bytes:
        """Return the bytes of the object under *key*: signed, it also names that, so that no other key has them."""
        if signer is None:
            return json.dumps(asdict(self)).encode() + b"\n"
        return encode_document(json.dumps({**asdict(self), "key": key}).encode(), [signer])


def read_record(store: ObjectStore, key: str) -> LeaseRecord | None:
    """Return what a lease object says, or `None` if it says nothing sound. Raises FormatTooNew, StoreError."""
    return decode_record(store.get(key, length=MAX_LEASE_BYTES + 1), f"{store.url}/{key}")


def decode_record(data: bytes, where: str) -> LeaseRecord | None:
    """Return what the bytes of a lease object say, or `None` if they say nothing sound. Raises FormatTooNew."""
    try:
        if len(data) > MAX_LEASE_BYTES:
            raise ValueError(f"more than {MAX_LEASE_BYTES} bytes")
        fields = read_json_object(data.partition(b"\n")[0])
        require_format(fields.get("format"), where)
        holder, run, state, seconds = (fields[name] for name in ("holder", "run", "state", "seconds"))
    except (ValueError, KeyError, RecursionError, DamageFound):
        return None
    if not isinstance(holder, str) or not isinstance(run, str | None) or state not in (HELD, RELEASED):
        return None
    if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not 0 < seconds <= MAX_SECONDS:
        return None
    return LeaseRecord(tidy(holder), run and tidy(run), state, float(seconds))
