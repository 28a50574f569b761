"""What tests of a sync look at: stores that watch or fail their puts, and what lies in a store."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from config.errors import StoreUnavailable
from crawler.ids import new_id
from jobs.archive.commit import CommittedFile, commit_key, decode_commit, digest, parse_commit_key
from jobs.store.memory import MemoryStore
from jobs.sync.names import list_items
from tests.archives import NOON, put
from tests.logs import append_draft

if TYPE_CHECKING:
    from datetime import datetime

    from jobs.store import ObjectStore, StoredObject

FEW = {"gazette": 3, "herald": 2}


class Witness(MemoryStore):
    """A store that looks, at every put, whether what lies there is a whole archive."""

    def __init__(self) -> None:
        super().__init__()
        self.puts: list[str] = []

    def create(self, key: str, data: bytes | Path, *, sha256: str) -> StoredObject:
        parsed = parse_commit_key(key)
        if parsed is not None:
            assert isinstance(data, bytes)
            commit = decode_commit(data, key).commit
            for item, _ in list_items(commit):
                assert item is None or self.stat(item.key).size_bytes == item.size_bytes
            assert parsed[1] == 1 or self.stat(commit_key(parsed[0], parsed[1] - 1))
        stored = super().create(key, data, sha256=sha256)
        self.puts.append(key)
        return stored


class Failing(MemoryStore):
    """A store that is gone at its *last*-th put, counted from 0, and at all after it."""

    def __init__(self) -> None:
        super().__init__()
        self.last = 1_000_000

    def create(self, key: str, data: bytes | Path, *, sha256: str) -> StoredObject:
        if not key.startswith("probe/"):
            self.last -= 1
        if self.last < 0:
            raise StoreUnavailable(f"{key}: no answer")
        return super().create(key, data, sha256=sha256)


def read_all(store: ObjectStore) -> dict[str, bytes]:
    return {one.key: store.get(one.key) for one in store.list("")}


def keys_of(store: ObjectStore, prefix: str = "") -> list[str]:
    return [one.key for one in store.list(prefix)]


def file_of(store: ObjectStore, source: str, seq: int) -> str:
    key = commit_key(source, seq)
    return decode_commit(store.get(key), key).commit.files[0].key


def flip(store: MemoryStore, key: str) -> None:
    data = bytearray(store.get(key))
    data[len(data) // 2] ^= 1
    put(store, key, bytes(data))


def name(store: MemoryStore, key: str, data: bytes, **fields: Any) -> dict[str, Any]:
    put(store, key, data)
    return {"key": key, "size_bytes": len(data), "sha256": digest(data), **fields}


def put_manifest(store: MemoryStore, number: int, previous: str, files: list[dict[str, Any]]) -> str:
    data = json.dumps({"n": number, "previous": previous, "files": files}).encode() + b"\n-\n"
    put(store, f"tables/manifest-{number:012d}", data)
    return digest(data)


def make_tables(store: MemoryStore) -> list[str]:
    """Put two manifests; the first lists a file that is no longer there. Return the keys of the other files."""
    gone = {"key": f"tables/links/day=2026-11-22/{'0' * 32}.parquet", "size_bytes": 3, "sha256": digest(b"old")}
    live = [name(store, f"tables/captures/day=2026-11-2{day}/{str(day) * 32}.parquet", b"rows" * day) for day in (2, 3)]
    first = put_manifest(store, 1, digest(store.get("ofrecord.json")), [gone])
    put_manifest(store, 2, first, live)
    put(store, f"tables/captures/day=2026-11-22/{'f' * 32}.parquet", b"of no manifest")
    return [one["key"] for one in live]


def redact_file(
    store: ObjectStore, source: str, seq: int, *, delete_after: datetime | None, kind: str = "redact"
) -> tuple[str, str]:
    """Commit that other bytes stand for the segment of commit *seq*; return the keys before and after.

    The bytes are no segment: whoever copies an archive does not look into them.
    """
    key = commit_key(source, seq)
    commit = decode_commit(store.get(key), key).commit
    (before,) = commit.files
    data = b"tombstones of " + before.key.encode() + b"." * (before.size_bytes - len(before.key) - 14)
    after = f"segments/{source}/sealed=2026-11-25/{new_id(source, NOON)}.warc.gz"
    store.create(after, data, sha256=digest(data))
    rows = {"key": after, "offset": 10, "size_bytes": 20, "sha256": digest(data[10:30]), "count": 2}
    append_draft(
        store,
        source,
        kind=kind,
        requires=(kind,),
        segment=after.rpartition("/")[2].removesuffix(".warc.gz"),
        files=(CommittedFile(after, len(data), digest(data), 1),),
        replaces=({"key": before.key, "sha256": before.sha256},),
        detail={
            "reason": "a court's order",
            "segments": [{"segment": commit.segment, "rows": rows}],
            **({"delete_after": delete_after.isoformat().replace("+00:00", "Z")} if delete_after else {}),
        },
    )
    return before.key, after


def finish_redaction(store: ObjectStore, source: str, key: str, *, kind: str = "redact") -> None:
    """Remove the object *key* and commit that this was done."""
    store.purge(key)
    append_draft(store, source, kind=kind, detail={"deleted": [key]})
