"""What a backfill is to do, and what came of it: frozen or counted values that go between processes as JSON."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from pydantic import TypeAdapter, ValidationError

if TYPE_CHECKING:
    from pathlib import Path

    from crawler.intake import Kept

REPORT_FILE = "backfill-report.json"
"""In the spool: what the last backfill came to."""


@dataclass(frozen=True, slots=True)
class BackfillPlan:
    """What one backfill is to do; decided by jobs/, carried out by its child process."""

    run: str
    archive: str
    """Id of our archive."""
    spool: str
    web_archives: tuple[str, ...]
    """As config.webarchives reads them."""
    begin: datetime
    end: datetime
    """Copies from *begin* until before *end*; aware UTC."""
    open_end: bool = True
    """Whether *end* is only when the backfill was begun."""
    epoch: int = 0
    """Of the lease."""
    below: tuple[str, ...] = ()
    """Only pages whose URL begins with one of these; none: the source's sites."""
    pages_file: str | None = None
    """Pages that TimeMaps are asked for, one URL a line; `#` begins a comment."""
    every: bool = False
    """Copies with the same payload in a row, too."""
    again: bool = False
    """Ask for what was asked for before, too."""
    max_pages: int | None = None
    """Captures that are kept at most."""
    max_requests: int | None = None


@dataclass(slots=True)
class ArchiveReport:
    """What came of one web archive."""

    address: str
    listed: int = 0
    """Copies that it named, of whatever page."""
    chosen: int = 0
    """Of `listed`, those of articles that were looked at."""
    had: int = 0
    """Of `chosen`, those that our archive had already."""
    kept: int = 0
    texts: int = 0
    """Of `kept`, those that have a text."""
    refused: Counter[str] = field(default_factory=Counter)
    """Of `chosen`, by reason, those that could not be kept."""
    oldest: datetime | None = None
    """Of `kept`."""
    newest: datetime | None = None
    done: bool = False
    """Whether nothing of what was asked for is left to do."""
    error: str | None = None
    """Why it was left alone."""

    def note_kept(self, kept: Kept) -> None:
        """Count a capture."""
        at = kept.row.captured_at
        self.kept += 1
        self.texts += kept.outcome.snapshot is not None
        self.oldest = at if self.oldest is None else min(self.oldest, at)
        self.newest = at if self.newest is None else max(self.newest, at)


@dataclass(slots=True)
class BackfillReport:
    """What one backfill came to."""

    run: str
    requests: int
    archives: list[ArchiveReport]


def write_report(path: Path, report: BackfillReport) -> None:
    """Put *report* into the file *path*. Raises OSError."""
    path.write_bytes(TypeAdapter(BackfillReport).dump_json(report))


def read_report(path: Path, run: str) -> BackfillReport | None:
    """Return what *run* left in the file *path*; `None` where it left nothing."""
    try:
        report = TypeAdapter(BackfillReport).validate_json(path.read_bytes())
    except (OSError, ValidationError):
        return None
    return report if report.run == run else None
