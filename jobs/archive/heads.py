"""Heads, `heads/<n>.json` (FORMAT.md § 4): the ends of all logs at one time, chained and, with a key, signed."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import TYPE_CHECKING

from config.errors import ConfigError, DamageFound, ObjectExists
from jobs.archive.commit import digest
from jobs.archive.ends import (
    MAX_DOCUMENT_BYTES,
    Chained,
    LogEnd,
    StoredDocument,
    decode_chained,
    encode_chained,
    encode_ends,
    read_document,
)
from jobs.store import open_store

if TYPE_CHECKING:
    from collections.abc import Mapping

    from config.settings import Settings
    from jobs.archive.identity import ArchiveInfo
    from jobs.archive.signing import Signer
    from jobs.store import ObjectStore

PREFIX = "heads/"
_THEIR_OWN: dict[str, object] = {
    "s3_endpoint_url": None,
    "s3_region": None,
    "s3_path_style": False,
    "s3_ca_file": None,
    "s3_sse": None,
    "s3_sse_key_id": None,
    "object_lock": "none",
}
"""What is not said of a bucket with a profile of its own: its profile does, or the bucket by itself."""
MAX_STAMP_BYTES = 64 * 1024
_NAME = re.compile(r"([0-9]{12})\.(json|tsr)")
_STEP = 400
"""Numbers, of two objects each, that one listing shows."""


@dataclass(frozen=True, slots=True)
class ArchiveHead:
    """One head."""

    archive: str
    n: int
    previous: str
    created: datetime
    ends: Mapping[str, LogEnd]
    document: StoredDocument
    data: bytes
    """The object as it is."""

    def __str__(self) -> str:
        return f"head {self.n} of {self.created:%Y-%m-%dT%H:%M:%SZ}"


def head_key(n: int, prefix: str = PREFIX) -> str:
    """Return the key of head *n*."""
    return f"{prefix}{n:012d}.json"


def stamp_key(n: int, prefix: str = PREFIX) -> str:
    """Return the key of the time stamp on head *n*."""
    return f"{prefix}{n:012d}.tsr"


def outside_prefix(archive: str) -> str:
    """Return where heads of the archive of that id lie in a second place."""
    return f"{PREFIX}{archive}/"


def open_outside(place: str, settings: Settings) -> ObjectStore:
    """Return the store of a second place: a bucket by `heads_s3_profile`, if that is set. Raises ConfigError."""
    profile = settings.heads_s3_profile
    if profile is None or not place.lower().startswith("s3:"):
        return open_store(place, settings)
    try:
        return open_store(place, settings.model_copy(update={**_THEIR_OWN, "s3_profile": profile}))
    except ConfigError as error:
        raise ConfigError(f"heads_s3_profile {profile}: {error}") from error


def parse_head_name(name: str) -> tuple[int, str] | None:
    """Return number and ending (`json`, `tsr`) of a head's or stamp's name without folders; `None` for any other."""
    match = _NAME.fullmatch(name)
    return (int(match[1]), match[2]) if match and int(match[1]) else None


def find_newest(store: ObjectStore, known: int = 0, prefix: str = PREFIX) -> tuple[int, bool]:
    """Return the number of the newest head and whether it has a stamp; 0 if there is none.

    *known*: a number that was there. One request where few came since, else two more for each doubling of them.
    """
    low, step = max(0, known - 1), _STEP
    found = _list_after(store, prefix, low)
    if len(found) > 2 * _STEP:
        while _is_beyond(store, prefix, low + step):
            low, step = low + step, 2 * step
        while step > _STEP:
            step //= 2
            low += step if _is_beyond(store, prefix, low + step) else 0
        found = _list_after(store, prefix, low)
    newest = max((n for n, ending in found if ending == "json"), default=0)
    return newest, (newest, "tsr") in found


def read_head(store: ObjectStore, n: int, prefix: str = PREFIX) -> ArchiveHead:
    """Return head *n*. Raises ObjectMissing, DamageFound, FormatTooNew, StoreError."""
    key = head_key(n, prefix)
    head = decode_head(store.get(key, length=MAX_DOCUMENT_BYTES + 1), f"{store.url}/{key}")
    if head.n != n:
        raise DamageFound(f"{store.url}/{key}: holds head {head.n}")
    return head


def decode_head(data: bytes, where: str) -> ArchiveHead:
    """Read a head. Raises DamageFound, FormatTooNew."""
    document = read_document(data, where, "a head")
    fields = decode_chained(document, Chained, where, "a head")
    created = datetime.fromisoformat(fields.created)
    return ArchiveHead(fields.archive, fields.n, fields.previous, created, fields.ends, document, data)


def append_head(
    store: ObjectStore,
    info: ArchiveInfo,
    before: ArchiveHead | None,
    ends: Mapping[str, LogEnd],
    *,
    signer: Signer | None,
    now: datetime,
) -> ArchiveHead | None:
    """Put the head of *ends* after *before*; `None`: another took its number."""
    n = before.n + 1 if before else 1
    previous = before.document.digest if before else info.digest
    fields = {"archive": info.archive, "n": n, "previous": previous, "heads": encode_ends(ends)}
    data = encode_chained(fields, now, [signer] if signer else [])
    try:
        store.create(head_key(n), data, sha256=digest(data))
    except ObjectExists:
        if store.get(head_key(n), length=MAX_DOCUMENT_BYTES + 1) != data:
            return None
    return decode_head(data, head_key(n))


def _list_after(store: ObjectStore, prefix: str, n: int) -> set[tuple[int, str]]:
    listed = islice(store.list(prefix, after=head_key(n, prefix)), 2 * _STEP + 1)
    return {parsed for item in listed if (parsed := parse_head_name(item.key.removeprefix(prefix)))}


def _is_beyond(store: ObjectStore, prefix: str, n: int) -> bool:
    return next(iter(store.list(prefix, after=stamp_key(n, prefix))), None) is not None
