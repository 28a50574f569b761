"""Sealed segment → store: puts its object, checks it, commits last. Each step may be repeated after a crash."""

from __future__ import annotations

import shutil
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import structlog

from config.errors import DamageFound, ObjectDiffers, ObjectExists
from crawler.spool import sync_folder
from jobs.archive.commit import CommittedFile, StoredCommit, digest, warc_key
from jobs.archive.log import Log
from jobs.store.clock import measure_skew

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from jobs.archive.commit import Commit
    from jobs.archive.identity import ArchiveInfo
    from jobs.archive.signing import Signer
    from jobs.segments.seal import SealedSegment
    from jobs.store import ObjectStore, StoredObject

log = structlog.get_logger()

REUSE_AGE = timedelta(days=15)
"""By the store's clock. What lay longer without a commit is put again under today's key: maintenance removes such
objects after 30 days (FORMAT.md § 2), and may be about to."""


class KeyTaken(DamageFound):
    """The key of a segment's object holds other bytes: a copy of this spool was sealed elsewhere, or a stranger's."""


def upload_segment(
    store: ObjectStore,
    info: ArchiveInfo,
    sealed: SealedSegment,
    *,
    after: int,
    head: str,
    sum_up: Callable[[], Mapping[str, Any]] = dict,
    signer: Signer | None = None,
) -> tuple[StoredCommit, list[StoredCommit]]:
    """Put the files of *sealed* and commit them at the end of the log, last seen at commit *after* with digest *head*.

    *sum_up*: returns fields of the commit that name a checkpoint or a pack; called when the store has the files, for
    it is of no use, and dear to repeat, while the store takes nothing. *signer*: signs the commit. Returns the commit
    and those that others put in between. The local copy stays: see `remove_segment`. Raises StoreError, KeyTaken;
    ObjectDiffers if a file on this disk is no longer what was sealed.
    """
    draft = _put_files(store, sealed)
    named = sum_up()
    draft = replace(_finish_draft(store, info, draft), **named)
    stored, others = Log(store, info, draft.source, signer).append(draft, after=after, head=head)
    log.info("committed_segment", segment=draft.segment, seq=stored.commit.seq, files=len(draft.files))
    return stored, others


def _put_files(store: ObjectStore, sealed: SealedSegment) -> Commit:
    """Put the files of *sealed*; return its draft, which names them."""
    draft = sealed.draft
    since = [put_file(store, file, sealed.local_file(file)) for file in draft.files]
    now = store.read_clock()
    if now is None or not any(put is not None and now - put > REUSE_AGE for put in since):
        return draft
    key = warc_key(draft.source, now, draft.segment or "")
    files = tuple(replace(file, key=key) for file in draft.files)
    for file in files:
        put_file(store, file, sealed.local_file(file))
    return replace(draft, files=files, rows=replace(draft.rows, key=key) if draft.rows else None)


def put_file(store: ObjectStore, file: CommittedFile, path: Path) -> datetime | None:
    """Put *path* as *file*; where the key is taken, accept it only if it holds the same bytes.

    Returns when what was found there was put, by the store's clock; `None` if nothing was.
    """
    try:
        store.create(file.key, path, sha256=file.sha256)
    except ObjectExists:
        try:
            found = require_same(store, file)
        except ObjectDiffers as error:
            raise KeyTaken(str(error)) from error
        log.debug("found_object", key=file.key, size_bytes=file.size_bytes)
        return found.modified
    log.debug("uploaded_object", key=file.key, size_bytes=file.size_bytes)
    return None


def require_same(store: ObjectStore, file: CommittedFile) -> StoredObject:
    """Return what the store says of *file*. Raises ObjectDiffers unless it holds that byte for byte.

    By its own checksum, or by a read-back.
    """
    stat = store.stat(file.key)
    found = stat.sha256 or digest(store.get(file.key))
    if (stat.size_bytes, found) != (file.size_bytes, file.sha256):
        raise ObjectDiffers(
            f"{store.url}/{file.key}: found {stat.size_bytes} bytes with {found},"
            f" expected {file.size_bytes} with {file.sha256}"
        )
    return stat


def remove_segment(sealed: SealedSegment) -> None:
    """Take a committed segment off the local disk: first out of `sealed/`, then away."""
    gone = sealed.path.parent.parent / "gone" / sealed.path.name
    gone.parent.mkdir(parents=True, exist_ok=True)
    sealed.path.rename(gone)
    sync_folder(sealed.path.parent)
    shutil.rmtree(gone)


def _finish_draft(store: ObjectStore, info: ArchiveInfo, draft: Commit) -> Commit:
    return replace(
        draft,
        archive=info.archive,
        committed=datetime.now(UTC).replace(microsecond=0),
        clock_skew_seconds=measure_skew(store),
    )
