"""What this machine's state folder has of redacted articles beside its catalog: cleared here, or told to a person."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import structlog

from config.errors import DamageFound, RecordError, RunLocked, StoreUnavailable
from crawler.recovery import recover_segments
from jobs.context import lock_source, lock_uploads
from jobs.redaction.waiting import finish_rewriting, redact_sealed
from jobs.segments.seal import load_sealed, seal_segment

if TYPE_CHECKING:
    from pathlib import Path

    from jobs.context import OpenArchive

log = structlog.get_logger()

FRONTIER_FILE = "frontier"
"""As crawler/process.py names it: links that wait, with the titles that listings gave them."""


@dataclass(slots=True)
class LocalReport:
    """What became of one source's spool on this machine."""

    source: str
    removed: list[str] = field(default_factory=list)
    """Files and folders that nobody needs."""
    rewritten: list[str] = field(default_factory=list)
    """Segments that wait, without what was redacted now."""
    left: dict[str, str] = field(default_factory=dict)
    """Path → what a person has to see to, or what happens later."""

    def to_json(self) -> dict[str, Any]:
        """Return the report as JSON data."""
        return {name: getattr(self, name) for name in LocalReport.__slots__}


def clear_local(archive: OpenArchive, source: str) -> LocalReport:
    """Clear the spool of *source*, the index and what a dead run left; the catalog is up to date and swept.

    A run of the source that is going on is left alone: what it closes is rewritten before it is put. Raises OSError.
    """
    report = LocalReport(source)
    archive.discard_redacted()
    spool = archive.spool(source)
    if not spool.is_dir():
        return report
    try:
        with lock_source(spool, source), lock_uploads(spool):
            _clear_spool(archive, source, spool, report)
    except (RunLocked, StoreUnavailable) as error:
        report.left[str(spool)] = f"{error}; what it captured before is taken out before it is put"
    for folder in _list_folders(spool / "damaged"):
        report.left[str(folder)] = "set aside, and never committed: look whether it holds the article, and remove it"
    return report


def _clear_spool(archive: OpenArchive, source: str, spool: Path, report: LocalReport) -> None:
    for folder in _list_folders(spool / "gone"):
        shutil.rmtree(folder)
        report.removed.append(str(folder))
    frontier = spool / FRONTIER_FILE
    if frontier.exists():  # of a run that died: the next one begins with an empty one
        frontier.unlink()
        report.removed.append(str(frontier))
    recover_segments(spool, datetime.now(UTC))
    for closed in _list_folders(spool / "closed"):
        try:
            # Without earlier texts derived again: their words may be those that go, and another run derives them.
            seal_segment(closed, now=datetime.now(UTC))
        except (RecordError, FileNotFoundError) as error:
            report.left[str(closed)] = f"cannot be sealed ({error}): the next run of {source} sets it aside"
    for path in _list_folders(spool / "sealed"):
        try:
            finish_rewriting(path)
            sealed = load_sealed(path)
            if redact_sealed(archive, sealed) is not sealed:
                report.rewritten.append(str(path))
        except (RecordError, DamageFound, FileNotFoundError) as error:
            report.left[str(path)] = f"cannot be read ({error}): the next run of {source} sets it aside"


def _list_folders(parent: Path) -> list[Path]:
    return sorted(path for path in parent.iterdir() if path.is_dir()) if parent.is_dir() else []
