"""`tables/manifest-<n>`: which files of the roll-up are live, and up to which commits. FORMAT.md § 10 in code."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from pydantic import TypeAdapter, ValidationError

from config.errors import DamageFound, ObjectExists, ObjectMissing
from crawler.rows import Size, format_time, read_json_object
from jobs.archive.commit import FORMAT, digest, require_format, require_supported
from jobs.archive.ends import LogEnd
from jobs.archive.signing import UNSIGNED, encode_document, split_document
from jobs.fold import FOLD

if TYPE_CHECKING:
    from jobs.archive.identity import ArchiveInfo
    from jobs.archive.signing import Signer
    from jobs.store import ObjectStore

MAX_MANIFEST_BYTES = 64 * 1024**2
PREFIX = "tables/manifest-"
_KEY = re.compile(re.escape(PREFIX) + r"([0-9]{12})")
_FILE_KEY = re.compile(r"tables/([a-z]+)/day=([0-9]{4}-[0-9]{2}-[0-9]{2})/([0-9a-f]{32})\.parquet")


@dataclass(frozen=True, slots=True)
class TableFile:
    """A Parquet file of one table and day."""

    key: str
    size_bytes: Size
    sha256: str
    rows: Size
    table: str
    day: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """What one manifest says."""

    archive: str
    n: Size
    previous: str
    """Digest of the manifest before it; of `ofrecord.json` for the first."""
    created: datetime
    writer: str
    heads: dict[str, LogEnd]
    """The commits up to which the facts of the logs are in the tables."""
    files: tuple[TableFile, ...]
    format: str = FORMAT
    requires: tuple[str, ...] = ()
    fold: Size = FOLD


@dataclass(frozen=True, slots=True)
class StoredManifest:
    """A manifest as it lies in the store."""

    manifest: Manifest
    digest: str
    """Of the whole object."""
    signature: str = field(default=UNSIGNED)
    signed: bytes = b""
    """Line 1 with its newline: what signatures are made over."""


_MANIFESTS: TypeAdapter[Manifest] = TypeAdapter(Manifest)


def manifest_key(n: int) -> str:
    """Return the key of manifest *n*."""
    return f"{PREFIX}{n:012d}"


def table_key(table: str, day: str, sha256: str) -> str:
    """Return the key of a file of that digest."""
    return f"tables/{table}/day={day}/{sha256.removeprefix('sha256:')[:32]}.parquet"


def list_manifests(store: ObjectStore) -> list[int]:
    """Return the numbers of the manifests that are there, in order."""
    return [int(match[1]) for item in store.list(PREFIX) if (match := _KEY.fullmatch(item.key))]


def read_newest(store: ObjectStore, info: ArchiveInfo) -> StoredManifest | None:
    """Return the newest manifest, `None` if there is none. Raises DamageFound, FormatTooNew and StoreError."""
    numbers = list_manifests(store)
    try:
        return read_manifest(store, info, numbers[-1]) if numbers else None
    except DamageFound as error:
        raise DamageFound(f"{error}; tables can be made again: take this object away") from error


def read_manifest(store: ObjectStore, info: ArchiveInfo, n: int) -> StoredManifest:
    """Return manifest *n*. Raises ObjectMissing and what `read_newest` does."""
    key = manifest_key(n)
    stored = decode_manifest(store.get(key, length=MAX_MANIFEST_BYTES + 1), f"{store.url}/{key}")
    if (stored.manifest.n, stored.manifest.archive) != (n, info.archive):
        raise DamageFound(f"{store.url}/{key}: holds manifest {stored.manifest.n} of archive {stored.manifest.archive}")
    return stored


def append_manifest(store: ObjectStore, manifest: Manifest, signer: Signer | None = None) -> bool:
    """Put *manifest* at its number; return whether it stands there: `False` if another one came first."""
    data = encode_manifest(manifest, signer)
    if len(data) > MAX_MANIFEST_BYTES:
        raise DamageFound(f"{len(manifest.files)} files: more than a manifest can list; look for facts of absurd times")
    key = manifest_key(manifest.n)
    try:
        store.create(key, data, sha256=digest(data))
    except ObjectExists:
        try:
            return store.get(key, length=MAX_MANIFEST_BYTES + 1) == data  # the answer to our own earlier try was lost
        except ObjectMissing:
            return False
    return True


def encode_manifest(manifest: Manifest, signer: Signer | None = None) -> bytes:
    """Return the two lines of *manifest*, signed by *signer* if there is one."""
    data = {name: getattr(manifest, name) for name in Manifest.__slots__}
    line = json.dumps(data, separators=(",", ":"), default=_encode_value)
    return encode_document(line.encode(), [signer] if signer else ())


def decode_manifest(data: bytes, where: str) -> StoredManifest:
    """Read a manifest. Raises DamageFound and FormatTooNew."""
    first, signature = split_document(data, where, "a manifest", MAX_MANIFEST_BYTES)
    try:
        fields = read_json_object(first)
    except (ValueError, RecursionError) as error:
        raise DamageFound(f"{where}: not a manifest: line 1 is no JSON object ({error})") from error
    require_format(fields.get("format"), where)
    try:
        text = json.dumps({name: fields[name] for name in Manifest.__slots__ if name in fields})
        manifest = _MANIFESTS.validate_json(text, strict=True)
    except ValidationError as error:
        problem = error.errors()[0]
        place = ".".join(str(part) for part in problem["loc"])
        raise DamageFound(f"{where}: not a manifest: {place}: {problem['msg']}") from error
    require_supported(manifest.requires, where)
    for file in manifest.files:
        _require_own_key(file, where)
    return StoredManifest(manifest, digest(data), signature, first + b"\n")


def _require_own_key(file: TableFile, where: str) -> None:
    """Raise DamageFound unless the key of *file* says what its other fields say: no reader is led elsewhere by it."""
    match = _FILE_KEY.fullmatch(file.key)
    found = (match[1], match[2], match[3]) if match else None
    if found != (file.table, file.day, file.sha256.removeprefix("sha256:")[:32]):
        raise DamageFound(f"{where}: not a manifest: {file.key[:200]!a} is not the key of such a file")


def _encode_value(value: object) -> object:
    if isinstance(value, datetime):
        return format_time(value)
    if isinstance(value, TableFile | LogEnd):
        return {name: getattr(value, name) for name in value.__slots__}
    raise TypeError(f"{type(value).__name__} has no place in a manifest")
