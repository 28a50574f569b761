"""What a sync hands back: what was copied and what was left, and where each log ends on both sides. Values only."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jobs.verify import Head


class SourceState(StrEnum):
    """How the copy of a source stands."""

    WHOLE = "whole"
    """It has all that the log held when it was listed."""
    AHEAD = "ahead"
    """It has commits that the original lacks; nothing was done for it."""
    DIVERGED = "diverged"
    """The two logs have different commits of one number; nothing was done for it."""
    STOPPED = "stopped"
    """Damage is in the way: it has the log up to the commit before."""


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that is not as it should be, and where."""

    key: str
    message: str

    def __str__(self) -> str:
        return f"{self.key}: {self.message}"


@dataclass(slots=True)
class SourceReport:
    """One source: its log's end on both sides after the sync; `None`: no commit."""

    source: str
    state: SourceState = SourceState.WHOLE
    origin: Head | None = None
    """In the original, as it was listed."""
    copy: Head | None = None


@dataclass(slots=True)
class SyncReport:
    """Everything that one sync did, or with `dry_run` would have done."""

    archive: str
    origin: str
    """Where the original lies."""
    copy: str
    full: bool
    dry_run: bool
    objects_copied: int = 0
    bytes_copied: int = 0
    objects_there: int = 0
    """That the copy had already."""
    withheld: int = 0
    """Objects of the original that a later commit let go: not copied."""
    purged: list[str] = field(default_factory=list)
    """Keys that were removed from the copy, with all versions: a redaction let them go, or a replacement did."""
    kept: list[Problem] = field(default_factory=list)
    """What should have been removed from the copy and could not be."""
    uncommitted: int = 0
    """Objects below `segments/` that no commit names: left out."""
    problems: list[Problem] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    sources: dict[str, SourceReport] = field(default_factory=dict)

    @property
    def damaged(self) -> bool:
        """Whether there is anything that a person must look into."""
        return bool(self.problems)

    @property
    def ahead(self) -> list[SourceReport]:
        """The sources of which the copy has more than the original: it was written to, or is the original."""
        return [one for one in self.sources.values() if one.state is SourceState.AHEAD]

    @property
    def whole(self) -> bool:
        """Whether every log that was asked for is there up to its end."""
        return all(one.state in {SourceState.WHOLE, SourceState.AHEAD} for one in self.sources.values())

    def to_json(self) -> dict[str, Any]:
        """Return the report as JSON data."""
        counts = ("objects_copied", "bytes_copied", "objects_there", "withheld", "uncommitted")
        return {
            "from": self.origin,
            "to": self.copy,
            **{name: getattr(self, name) for name in ("archive", "full", "dry_run", *counts, "purged", "notes")},
            "problems": [{"key": one.key, "message": one.message} for one in self.problems],
            "kept": [{"key": one.key, "message": one.message} for one in self.kept],
            "sources": {
                name: {"state": one.state, "from": _encode_head(one.origin), "to": _encode_head(one.copy)}
                for name, one in self.sources.items()
            },
        }


def _encode_head(head: Head | None) -> dict[str, Any] | None:
    return None if head is None else {"seq": head.seq, "digest": head.digest}
