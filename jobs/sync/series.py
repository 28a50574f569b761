"""Numbered objects that stand beside the logs: public keys, heads, and the tables with their manifests."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from config.errors import DamageFound, ObjectMissing
from crawler.rows import read_json_object
from jobs.archive.commit import digest
from jobs.archive.keys import keys_key, read_ring
from jobs.store.keys import fault_of_key
from jobs.sync.copying import Item
from jobs.sync.withdrawals import sweep_tables

if TYPE_CHECKING:
    from jobs.sync.context import Sync

KEYS = ("keys/", re.compile(r"keys/\d{6}\.json"))
HEADS = ("heads/", re.compile(r"heads/\d{12}\.(?:json|tsr)"))
MANIFESTS = ("tables/manifest-", re.compile(r"tables/manifest-\d{12}"))

MAX_BYTES = 64 * 1024 * 1024
_TABLE = re.compile(r"tables/[a-z_]{1,64}/day=\d{4}-\d{2}-\d{2}/[0-9a-f]{32}\.parquet")
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Series:
    """Keys of one kind, in order, as the original had them when they were listed."""

    prefix: str
    keys: tuple[str, ...]


def list_series(sync: Sync, kind: tuple[str, re.Pattern[str]]) -> Series:
    """Return the objects of *kind* that the original has now."""
    prefix, pattern = kind
    return Series(prefix, tuple(one.key for one in sync.origin.list(prefix) if pattern.fullmatch(one.key)))


def copy_series(sync: Sync, series: Series, *, again: bool = False) -> None:
    """Copy what the copy lacks of *series*, in order; unless the last one that both have differs.

    *again*: it was done before, so that only what has come since is looked at.
    """
    there = {one.key for one in sync.list_target(series.prefix)}
    common = [key for key in series.keys if key in there]
    if again and (sync.report.dry_run or len(common) == len(series.keys)):
        return
    for key in common if sync.report.full else common[-1:]:
        ours, theirs = sync.origin.get(key, length=MAX_BYTES), sync.target.get(key, length=MAX_BYTES)
        if ours != theirs:
            sync.complain(
                key,
                f"{sync.origin.url} has {digest(ours)}, {sync.target.url} has {digest(theirs)}; "
                f"nothing below {series.prefix} was copied",
            )
            return
    sync.report.objects_there += 0 if again else len(common)
    for key in series.keys:
        if key not in there:
            sync.put_small(key, sync.origin.get(key, length=MAX_BYTES))


def copy_keys(sync: Sync, *, again: bool = False) -> None:
    """Copy the keys that the copy lacks, as far as each is signed by the one before.

    *again*: it was done before, so that only what has come since is looked at.
    """
    ring, faults = read_ring(sync.origin, sync.info.archive, sync.info.digest)
    listed = list_series(sync, KEYS)
    sound = {keys_key(key.n) for key in ring.keys}
    for fault in () if again else faults:
        sync.complain(fault.key, f"{fault.message}; it is not copied")
    copy_series(sync, Series(listed.prefix, tuple(key for key in listed.keys if key in sound)), again=again)


def copy_tables(sync: Sync, manifests: Series) -> None:
    """Copy the files that the newest manifest lists, then the manifests in order."""
    if not manifests.keys:
        return
    newest = manifests.keys[-1]
    data = sync.origin.get(newest, length=MAX_BYTES)
    try:
        items = list(_list_files(data))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        sync.complain(newest, f"not a manifest: {error!r}; no tables were copied")
        return
    there = {one.key: one.size_bytes for one in sync.list_target("tables/")}
    asked = [(item, sync.ask(item, there_bytes=there.get(item.key), listed_bytes=None)) for item in items]
    faults = [(item, sync.settle("tables", item, future)) for item, future in asked]
    for item, fault in faults:
        if fault is not None:
            message = f"missing; {newest} lists it" if isinstance(fault, ObjectMissing) else str(fault)
            sync.complain(item.key, f"{message}; no manifest was copied: ofrecord tables makes it anew")
    if any(fault is not None for _, fault in faults):
        return
    try:
        copy_series(sync, manifests)
    except DamageFound as error:
        sync.complain(newest, str(error))
        return
    _note_stale(sync, newest, data)
    files = {key for key in there if not MANIFESTS[1].fullmatch(key)}
    sweep_tables(sync, {item.key for item in items}, files, sweep=bool(sync.redacted))


def _note_stale(sync: Sync, key: str, manifest: bytes) -> None:
    """Say where tables still hold what was taken out: they were not made anew since."""
    heads = read_json_object(manifest.partition(b"\n")[0]).get("heads")
    for source, seq in sorted(sync.redacted.items()):
        end = heads.get(source) if isinstance(heads, dict) else None
        if isinstance(end, dict) and isinstance(end.get("seq"), int) and end["seq"] < seq:
            sync.report.notes.append(
                f"{key}: made before commit {seq} of {source}, which took something out: ofrecord tables build makes "
                "them anew, and the next sync removes these here"
            )


def _list_files(manifest: bytes) -> list[Item]:
    line, newline, _ = manifest.partition(b"\n")
    if not newline:
        raise ValueError("no line ends")
    items = []
    for file in read_json_object(line)["files"]:
        item = Item(file["key"], file["size_bytes"], file["sha256"])
        whole = isinstance(item.size_bytes, int) and item.size_bytes >= 0 and _DIGEST.fullmatch(item.sha256)
        if not whole or not _TABLE.fullmatch(item.key) or fault_of_key(item.key) is not None:
            raise ValueError(f"it lists {str(item.key)[:100]!a}")
        items.append(item)
    return items
