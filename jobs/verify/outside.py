"""Heads that lie outside of the archive: found in a folder, a bucket or a file. Reads; judges nothing."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from config.errors import ConfigError, ObjectMissing
from jobs.archive.ends import MAX_DOCUMENT_BYTES
from jobs.archive.heads import (
    MAX_STAMP_BYTES,
    ArchiveHead,
    decode_head,
    find_newest,
    head_key,
    open_outside,
    outside_prefix,
    read_head,
    stamp_key,
)

if TYPE_CHECKING:
    from config.settings import Settings
    from jobs.store import ObjectStore


@dataclass(frozen=True, slots=True)
class OutsideHead:
    """A head that somebody kept elsewhere."""

    where: str
    head: ArchiveHead
    stamp: bytes | None = None


def read_outside(place: str, settings: Settings, archive: str | None) -> OutsideHead | None:
    """Return the newest head of the archive of that id in *place*; `None` if it has none.

    *place*: a file that is a head; a folder or bucket with `heads/<archive id>/`, as second places have it, or a folder
    or prefix with the heads themselves. Raises ConfigError, DamageFound, FormatTooNew, StoreError.
    """
    path = Path(place).expanduser()
    if "://" not in place and path.is_file():
        return _read_file(path)
    if "://" not in place and not path.is_dir():
        raise ConfigError(f"--heads: {place}: no such file or folder")
    store = open_outside(place, settings)
    try:
        for prefix in (outside_prefix(archive or ""), ""):
            n, stamped = find_newest(store, prefix=prefix)
            if n:
                stamp = store.get(stamp_key(n, prefix), length=MAX_STAMP_BYTES + 1) if stamped else None
                return OutsideHead(f"{store.url}/{head_key(n, prefix)}", read_head(store, n, prefix), stamp)
        return None
    finally:
        store.close()


def read_same(store: ObjectStore, n: int) -> bytes | None:
    """Return the archive's own head of number *n*, `None` if it is not there. Raises StoreError."""
    try:
        return store.get(head_key(n), length=MAX_DOCUMENT_BYTES + 1)
    except ObjectMissing:
        return None


def _read_file(path: Path) -> OutsideHead:
    try:
        with path.open("rb") as file:
            data = file.read(MAX_DOCUMENT_BYTES + 1)
        stamp = path.with_suffix(".tsr")
        answer = stamp.read_bytes()[: MAX_STAMP_BYTES + 1] if stamp.is_file() and stamp != path else None
    except OSError as error:
        raise ConfigError(f"--heads: {path} cannot be read: {error.strerror}") from error
    return OutsideHead(str(path), decode_head(data, str(path)), answer)
