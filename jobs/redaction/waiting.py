"""Segments that wait on this disk, with captures from before a redaction: rewritten before they are put.

Which articles were redacted is asked of the log's `redact` commits, which name them by digests.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import structlog

from crawler.rows import CaptureRow
from crawler.spool import WARC_FILE, sync_folder
from jobs.archive.keys import find_forgery, require_ring
from jobs.archive.replacing import name_article
from jobs.redaction.rewriting import LocalSegment, rewrite_segment
from jobs.redaction.tombstones import Inscription
from jobs.redaction.touching import Wanted, count_row, find_touched
from jobs.segments.seal import SealedSegment, hash_file, load_sealed, write_draft

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from jobs.archive.commit import StoredCommit
    from jobs.context import OpenArchive
    from jobs.fold import Place

log = structlog.get_logger()

_NEW_FILE = "redacted.warc.gz"


@dataclass(frozen=True, slots=True)
class Redaction:
    """What a `redact` commit says of articles, whatever segments it wrote anew."""

    commit_id: str
    committed: datetime
    reason: str
    articles: frozenset[str]
    """Digests of their names."""


def read_redactions(archive: OpenArchive, source: str) -> list[Redaction]:
    """Return the redactions of *source* in the order of the log, as far as the catalog knows of them.

    Those that are not signed as they must be do not count. Raises DamageFound, StoreError.
    """
    stored = [archive.log(source).get(seq) for seq in archive.catalog.list_redactions(source)]
    if not stored:
        return []
    ring, found = require_ring(archive.store, archive.info), []
    for one in stored:
        fault, said = find_forgery(archive.store, ring, one), parse_redaction(one)
        if fault is not None:
            log.warning("ignored_redaction", source=source, seq=one.commit.seq, reason=fault)
        elif said is not None:
            found.append(said)
    return found


def parse_redaction(stored: StoredCommit) -> Redaction | None:
    """Return what *stored* says was redacted; `None`: nothing."""
    commit = stored.commit
    articles = commit.detail.get("articles")
    if commit.kind != "redact" or not isinstance(articles, list):
        return None
    named = frozenset(one for one in articles if isinstance(one, str))
    return Redaction(commit.id, commit.committed, str(commit.detail.get("reason", "")), named) if named else None


def find_late(source: str, rows: Iterable[object], redactions: list[Redaction]) -> dict[str, Redaction]:
    """Return the articles, by URL, of which *rows* have captures from before their redaction."""
    found: dict[str, Redaction] = {}
    names: dict[str, str] = {}
    for row in rows:
        if not isinstance(row, CaptureRow) or row.page_class == "redacted":
            continue
        name = names.setdefault(row.url, name_article(source, row.url))
        for one in redactions:
            if name in one.articles and row.captured_at <= one.committed:
                found[row.url] = one
    return found


def redact_sealed(archive: OpenArchive, sealed: SealedSegment) -> SealedSegment:
    """Return *sealed* as it may be put: without articles of which it has captures from before their redaction.

    All captures of such an article in it go. Raises RecordError, OSError; safe to repeat after a crash.
    """
    draft = sealed.draft
    redactions = read_redactions(archive, draft.source)
    if not redactions or draft.rows is None or draft.segment is None:
        return sealed
    path = sealed.path / WARC_FILE
    old = LocalSegment(draft.segment, path, draft.files[0], draft.rows)
    late = find_late(draft.source, old.list_rows(), redactions)
    if not late:
        return sealed
    newest = max(late.values(), key=lambda one: one.committed)
    said = Inscription(datetime.now(UTC).replace(microsecond=0), newest.commit_id, newest.reason, archive.signer)
    wanted, target = Wanted(frozenset(late)), sealed.path / _NEW_FILE
    gone: set[Place] = set()
    touched = find_touched(draft.segment, old.list_rows(), old.read, wanted, gone)
    target.unlink(missing_ok=True)
    new = rewrite_segment(old, target, draft.rows.key, touched=touched, wanted=wanted, gone=gone, said=said)
    counts = dict.fromkeys(draft.counts, 0)
    for row in new.list_rows():
        count_row(row, counts)
    draft = replace(draft, files=(new.file,), rows=new.rows, counts=counts)
    with target.open("rb") as file:
        os.fsync(file.fileno())
    write_draft(sealed.path, draft)
    finish_rewriting(sealed.path)
    log.info("redacted_waiting", segment=draft.segment, articles=len(late), captures=len(touched.captures))
    return SealedSegment(sealed.path, draft)


def finish_rewriting(path: Path) -> None:
    """Bring the sealed segment in folder *path*, of which a rewriting was broken off, into one state or the other.

    Raises DamageFound if its draft cannot be read, OSError.
    """
    target = path / _NEW_FILE
    if not target.exists():
        return
    if hash_file(target) == load_sealed(path).draft.files[0].sha256:
        target.replace(path / WARC_FILE)
    else:
        target.unlink()
    sync_folder(path)
