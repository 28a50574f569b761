"""What an archive is: `ofrecord.json`, and which sources have a log. Reads and writes an ObjectStore."""

from __future__ import annotations

import json
import re
import secrets
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from config.errors import ArchiveMissing, DamageFound, ObjectExists, ObjectMissing
from crawler.rows import format_time, read_json_object
from jobs.archive.commit import (
    FORMAT,
    SOURCE_PATTERN,
    digest,
    require_aware,
    require_format,
    require_supported,
    writer_name,
)

if TYPE_CHECKING:
    from jobs.store import ObjectStore

INFO_KEY = "ofrecord.json"
MAX_INFO_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True)
class ArchiveInfo:
    """What `ofrecord.json` says."""

    archive: str
    created: datetime
    single_writer: bool
    format: str
    requires: tuple[str, ...]
    digest: str
    """Of the object's bytes: commit 1 of each source chains to it."""


def create_archive(store: ObjectStore, *, single_writer: bool, now: datetime) -> ArchiveInfo:
    """Put `ofrecord.json`, or return the one that is there: safe to run twice. Raises StoreError."""
    content = {
        "archive": secrets.token_hex(16),
        "format": FORMAT,
        "created": format_time(now.replace(microsecond=0)),
        "single_writer": single_writer,
        "requires": [],
        "writer": writer_name(),
    }
    data = json.dumps(content).encode() + b"\n"
    try:
        store.create(INFO_KEY, data, sha256=digest(data))
    except ObjectExists:
        return read_info(store)
    return read_info(store)


def read_info(store: ObjectStore) -> ArchiveInfo:
    """Read `ofrecord.json`. Raises ArchiveMissing, FormatTooNew, DamageFound, StoreError."""
    try:
        data = store.get(INFO_KEY, length=MAX_INFO_BYTES + 1)
    except ObjectMissing as error:
        raise ArchiveMissing(f"{store.url}: no archive here ({INFO_KEY} not found); make one: ofrecord init") from error
    try:
        if len(data) > MAX_INFO_BYTES:
            raise ValueError(f"more than {MAX_INFO_BYTES} bytes")
        content = read_json_object(data)
        require_format(content.get("format"), f"{store.url}/{INFO_KEY}")
        requires = tuple(str(name) for name in content.get("requires", ()))
        require_supported(requires, f"{store.url}/{INFO_KEY}")
        return ArchiveInfo(
            archive=_require_hex(content["archive"]),
            created=require_aware(datetime.fromisoformat(content["created"])),
            single_writer=content["single_writer"] is True,
            format=content["format"],
            requires=requires,
            digest=digest(data),
        )
    except (ValueError, KeyError, AttributeError, TypeError, RecursionError) as error:
        raise DamageFound(f"{store.url}/{INFO_KEY}: not what it should be: {error!r}") from error


def list_sources(store: ObjectStore) -> list[str]:
    """Return the ids of all sources that have a log, sorted."""
    return [name for name in store.folders("log/") if SOURCE_PATTERN.fullmatch(name)]


def _require_hex(value: object) -> str:
    if not isinstance(value, str) or not re.fullmatch(r"[0-9a-f]{32}", value):
        raise ValueError(f"archive id {value!r}")
    return value
