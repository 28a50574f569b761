"""By which commit a capture was taken out of an archive, when and why; and nothing of what it was.

Asks the catalog, and the log for what the catalog does not keep. For the commands and the reading room alike.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from config.errors import ArchiveError
from crawler.model import PageClass
from crawler.rows import format_time
from jobs.archive.commit import MAX_COMMIT_BYTES, commit_key, decode_commit
from jobs.archive.replacing import name_article

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from jobs.archive.commit import Commit
    from jobs.catalog import Catalog, StoredCapture

_MARK = "redacted: "
"""What the reason of such a capture begins with: FORMAT.md § 5."""
_MOST_READ = 50
"""Commits that are read to tell those of one source apart; beyond it the catalog's own word has to do."""


class CommitSource(Protocol):
    """A store as far as commits are read from it."""

    def get(self, key: str, *, offset: int = 0, length: int | None = None) -> bytes:
        """As `ObjectStore.get`."""


@dataclass(frozen=True, slots=True)
class Withdrawal:
    """What is said of a capture that was taken out."""

    reason: str
    at: datetime | None
    """When it was committed; `None`: not known here."""
    commit: int | None
    """Its number in the source's log."""

    def __str__(self) -> str:
        at = f" on {self.at:%Y-%m-%d %H:%M:%S}Z" if self.at else ""
        by = f" by commit {self.commit}" if self.commit else ""
        return f"redacted{at}{by}: {self.reason}"

    def to_json(self) -> dict[str, Any]:
        """Return the same as JSON data."""
        return {"at": format_time(self.at) if self.at else None, "commit": self.commit, "reason": self.reason}


class Withdrawals:
    """Finds them for captures of one archive; each commit is read once."""

    def __init__(self, catalog: Catalog, store: CommitSource) -> None:
        self._catalog, self._store = catalog, store
        self._read: dict[tuple[str, int], Commit | None] = {}

    def find(self, capture: StoredCapture) -> Withdrawal | None:
        """Return by what *capture* was taken out; `None`: it was not.

        A segment may have been written anew for several redactions, or by a compaction since: the one is meant that
        names this article. Of listings, which none names, it is the last.
        """
        if capture.payload_length is not None or not capture.class_reason.startswith(_MARK):
            return None
        reason = capture.class_reason.removeprefix(_MARK)
        seq, at = self._catalog.find_redaction(capture.segment) or (None, None)
        if capture.page_class == PageClass.REDACTED:
            others = self._catalog.list_redactions(capture.source)
            for one in [*([seq] if seq else []), *others][:_MOST_READ]:
                commit = self._get(capture.source, one)
                if commit is not None and _takes_out(commit, capture, reason):
                    return Withdrawal(reason, commit.committed, one)
        return Withdrawal(reason, at, seq)

    def find_latest(self, captures: Sequence[StoredCapture]) -> Withdrawal | None:
        """Return by what the latest of *captures* that was taken out went; `None`: none was."""
        found = (self.find(one) for one in reversed(captures))
        return next((one for one in found if one is not None), None)

    def _get(self, source: str, seq: int) -> Commit | None:
        if (source, seq) not in self._read:
            key = commit_key(source, seq)
            try:
                found = decode_commit(self._store.get(key, length=MAX_COMMIT_BYTES + 1), key).commit
            except ArchiveError:  # what is damaged is told by verify; here the rest has to do
                found = None
            self._read[source, seq] = found
        return self._read[source, seq]


def _takes_out(commit: Commit, capture: StoredCapture, reason: str) -> bool:
    named = commit.detail.get("articles")
    return (
        isinstance(named, list)
        and name_article(capture.source, capture.url) in named
        and commit.committed >= capture.captured_at
        and commit.detail.get("reason") == reason
    )
