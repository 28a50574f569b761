"""A small archive of one article that was edited, its evidence bundle, and bundles put together anew by forgers."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
import zlib
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from config.settings import Settings
from crawler.warc import writer
from jobs.archive.identity import create_archive, read_info
from jobs.archive.keys import KeyRing, append_key
from jobs.catalog import Catalog
from jobs.compaction.running import Compaction
from jobs.context import OpenArchive
from jobs.evidence import write_bundle
from jobs.store.memory import MemoryStore
from tests.archives import NOON, SOURCE, Page, commit_segment, write_segment

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime
    from pathlib import Path

    from jobs.archive.commit import StoredCommit
    from jobs.archive.signing import Signer
    from jobs.evidence import Bundle

ARTICLE = Page("/2026/budget")
OTHER = Page("/2026/library", "It opens on Monday.")
WORDS = ("The tax will rise by two per cent.", "The tax will rise by three per cent.", "The tax will fall.")
LATER = NOON + timedelta(days=30)


def build_edited(folder: Path, words: Sequence[str] = WORDS, *, signer: Signer | None = None) -> MemoryStore:
    """Return an archive in which an article says *words*, one after the other, an hour apart."""
    store = MemoryStore()
    info = create_archive(store, single_writer=False, now=NOON)
    if signer is not None:
        append_key(store, info, KeyRing(), (signer,), {}, now=NOON)
    last: StoredCommit | None = None
    for number, said in enumerate(words):
        now = NOON + timedelta(hours=number)
        closed = write_segment(folder, [replace(ARTICLE, words=said), OTHER], archive=info.archive, now=now)
        last = commit_segment(store, info, closed, now=now, after=last, signer=signer)
    return store


def build_otherwise(folder: Path, *, signer: Signer | None = None) -> MemoryStore:
    """Return such an archive, written by a program that squeezed otherwise: nobody can make its members again."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(writer, "compress_record", _compress_otherwise)
        return build_edited(folder / "spool", signer=signer)


def _compress_otherwise(parts: Sequence[bytes], *, squeezed: bool = False) -> bytes:
    squeezer = zlib.compressobj(0 if squeezed else 9, zlib.DEFLATED, 31)
    return squeezer.compress(b"".join(parts)) + squeezer.flush()


def compact_archive(
    store: MemoryStore,
    folder: Path,
    before: datetime = LATER,
    *,
    restore: bool = False,
    signer: Signer | None = None,
) -> None:
    """Repack the segments closed *before*, or bring them back, and delete what was replaced."""
    with open_store_as_archive(store, folder / "state", signer=signer) as archive:
        for _ in range(2):
            work = Compaction(archive, SOURCE, grace=timedelta(0))
            _ = work.restore() if restore else work.compact(before)


@contextmanager
def open_store_as_archive(store: MemoryStore, folder: Path, *, signer: Signer | None = None) -> Iterator[OpenArchive]:
    """Lend *store* as a process has it open, its catalog up to date."""
    folder.mkdir(parents=True, exist_ok=True)
    with Catalog.open(folder / "catalog.sqlite") as catalog:
        archive = OpenArchive(store, read_info(store), Settings(), folder, catalog, signer)
        archive.refresh()
        yield archive


def make_bundle(store: MemoryStore, folder: Path, name: str = "bundle.wacz", **options: Any) -> Bundle:
    """Write the bundle of ARTICLE into *folder*."""
    with open_store_as_archive(store, folder / "state") as archive:
        return write_bundle(archive, SOURCE, ARTICLE.url, folder / name, site="Gazette", now=LATER, **options)


def read_parts(path: Path) -> dict[str, bytes]:
    """Return the content of each part of a bundle, by the library that our own reader is held against."""
    with zipfile.ZipFile(path) as archive:
        return {entry.filename: archive.read(entry) for entry in archive.infolist()}


def repack(path: Path, changes: Mapping[str, bytes | None], target: Path) -> Path:
    """Write the bundle at *path* anew with *changes* (`None`: left out), as a forger would."""
    parts = {**read_parts(path), **changes}
    package = json.loads(parts.pop("datapackage.json") or b"")
    del parts["datapackage-digest.json"]
    kept = {name: data for name, data in parts.items() if data is not None}
    package["resources"] = [
        {"name": name.rpartition("/")[2], "path": name, "hash": digest(data), "bytes": len(data)}
        for name, data in kept.items()
    ]
    kept["datapackage.json"] = json.dumps(package).encode()
    told = {"path": "datapackage.json", "hash": digest(kept["datapackage.json"])}
    kept["datapackage-digest.json"] = json.dumps(told).encode()
    target.write_bytes(zip_parts(kept))
    return target


def zip_parts(parts: Mapping[str, bytes], method: int = zipfile.ZIP_STORED) -> bytes:
    """Return a zip file of *parts*."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, data in parts.items():
            archive.writestr(zipfile.ZipInfo(name), data, method)
    return file.getvalue()


def digest(data: bytes) -> str:
    """Return the labelled SHA-256 of *data*."""
    return "sha256:" + hashlib.sha256(data).hexdigest()


def edit_manifest(path: Path, target: Path, **fields: Any) -> Path:
    """Write the bundle at *path* anew with other *fields* in its manifest."""
    manifest = json.loads(read_parts(path)["evidence/manifest.json"])
    return repack(path, {"evidence/manifest.json": json.dumps(manifest | fields).encode()}, target)
