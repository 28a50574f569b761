"""What a source's spool holds, whatever state a death left it in → sealed, uploaded, committed, taken off this disk.

A segment that this disk spoilt is set aside with the reason, so that it holds up no other and nothing of it is lost.
"""

from __future__ import annotations

import shutil
from contextlib import nullcontext
from datetime import UTC, datetime
from itertools import count
from typing import TYPE_CHECKING

import structlog

from config.errors import DamageFound, RecordError
from crawler.recovery import recover_segments
from crawler.spool import is_given_up, sync_folder
from jobs.redaction.late import redact_late
from jobs.redaction.waiting import finish_rewriting, redact_sealed
from jobs.runs.rederive import EarlierTexts
from jobs.segments.objects import write_objects
from jobs.segments.seal import hash_file, load_sealed, open_local_rows, seal_segment
from jobs.segments.upload import KeyTaken, remove_segment

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator
    from pathlib import Path

    from config.sources import Source
    from jobs.context import OpenArchive
    from jobs.segments.seal import SealedSegment

log = structlog.get_logger()

DAMAGED = "damaged"
"""Folder of the spool for segments that can be neither sealed nor uploaded."""
REASON_FILE = "reason.txt"


def bring_segments(archive: OpenArchive, source: Source) -> Generator[bool, None, None]:
    """Bring the segments in the source's spool to the store, yielding for each whether it was committed.

    What is sealed goes first, and each is gone from this disk before the next is sealed: that takes room, too.
    Raises StoreError, OSError.
    """
    spool = archive.spool(source.id)
    for left in list_segments(spool / "gone"):
        shutil.rmtree(left)
    yield from _commit_sealed(archive, source)
    recover_segments(spool, datetime.now(UTC))
    for closed in list_segments(spool / "closed"):
        try:
            earlier = EarlierTexts(archive, source)
            sealed = seal_segment(closed, now=datetime.now(UTC), note=earlier.note, derived=earlier.derive())
        except (RecordError, FileNotFoundError) as error:
            set_aside(closed, str(error))
        else:
            yield from _commit_or_set_aside(archive, sealed, fresh=True)


def has_closed(spool: Path) -> bool:
    """Whether a segment waits to be brought: one that no writer is at, because it is closed or was given up."""
    if any(list_segments(spool / name) for name in ("closed", "sealed")):
        return True
    return any(is_given_up(folder) for folder in list_segments(spool / "open"))


def _commit_sealed(archive: OpenArchive, source: Source) -> Iterator[bool]:
    for path in list_segments(archive.spool(source.id) / "sealed"):
        try:
            finish_rewriting(path)
            sealed = load_sealed(path)
            require_whole(sealed)
        except (DamageFound, FileNotFoundError) as error:
            set_aside(path, str(error))
            continue
        yield from _commit_or_set_aside(archive, sealed)


def _commit_or_set_aside(archive: OpenArchive, sealed: SealedSegment, *, fresh: bool = False) -> Iterator[bool]:
    try:
        yield _commit(archive, sealed, fresh=fresh)
    except KeyTaken as error:
        set_aside(sealed.path, str(error))


def _commit(archive: OpenArchive, sealed: SealedSegment, *, fresh: bool) -> bool:
    """*fresh*: this process has just sealed it: then its rows are not asked of the store, and not proved again."""
    if sealed.draft.segment is not None and archive.catalog.has_segment(sealed.draft.segment):
        # committed by a run that died before it could say so
        write_objects(archive.store, sealed.draft, archive.settings, warc=sealed.local_file(sealed.draft.files[0]))
        remove_segment(sealed)
        return False
    waited, sealed = sealed, redact_sealed(archive, sealed)
    stored, others = archive.commit(sealed)
    with open_local_rows(sealed) if fresh and waited is sealed else nullcontext() as rows:
        archive.catalog.add_commit(archive.store, stored, rows=rows)
    if any(commit.commit.kind == "redact" for commit in others):
        redact_late(archive, sealed)
    write_objects(archive.store, stored.commit, archive.settings, warc=sealed.local_file(stored.commit.files[0]))
    remove_segment(sealed)
    return True


def require_whole(sealed: SealedSegment) -> None:
    """Raise DamageFound if a file of *sealed* is not as it was sealed, FileNotFoundError if it is not there."""
    for file in sealed.draft.files:
        path = sealed.local_file(file)
        found = hash_file(path)
        if found != file.sha256:
            raise DamageFound(f"{path}: changed on this disk: found {found}, sealed was {file.sha256}")


def set_aside(folder: Path, reason: str) -> None:
    """Move the segment in *folder* to the spool's `damaged/`, the reason beside its files."""
    places = folder.parent.parent / DAMAGED
    places.mkdir(exist_ok=True)
    # a copy of this spool may have been here before
    target = next(place for n in count() if not (place := places / (folder.name + (f".{n}" if n else ""))).exists())
    (folder / REASON_FILE).write_text(f"{reason}\n", encoding="utf-8")
    folder.rename(target)
    for parent in (folder.parent, target.parent):
        sync_folder(parent)
    log.error("set_aside_segment", segment=folder.name, path=str(target), error=reason)


def list_damaged(spool: Path) -> list[str]:
    """Return a line for each segment that was set aside: where it is, and why."""
    lines = []
    for folder in list_segments(spool / DAMAGED):
        reason = folder / REASON_FILE
        why = reason.read_text(encoding="utf-8").strip() if reason.exists() else "no reason is known"
        lines.append(f"{folder}: set aside, not committed: {why}")
    return lines


def list_segments(parent: Path) -> list[Path]:
    """Return the segments' folders in *parent*, sorted; none if it is not there."""
    return sorted(path for path in parent.iterdir() if path.is_dir()) if parent.is_dir() else []
