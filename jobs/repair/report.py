"""What a repair hands back: what was put back, and what could not be and why. Values only."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Mended:
    """An object that was put back, or would be."""

    key: str
    size_bytes: int
    sha256: str
    was: str
    """`missing`, `unreadable`, or the digest of what lay there."""


@dataclass(frozen=True, slots=True)
class Left:
    """An object that stays as it is."""

    key: str
    why: str


@dataclass(slots=True)
class RepairReport:
    """Everything that one repair did."""

    origin: str
    """The copy, as a person names it."""
    dry_run: bool
    mended: list[Mended] = field(default_factory=list)
    left: list[Left] = field(default_factory=list)
    """Damaged still."""
    released: list[str] = field(default_factory=list)
    """Not there by right: a later commit lets them go, so they are not brought back."""
    commits: dict[str, list[int]] = field(default_factory=dict)
    """Source → numbers of the commits that say so."""

    def to_json(self) -> dict[str, Any]:
        """Return the report as JSON data."""
        return {
            "from": self.origin,
            "dry_run": self.dry_run,
            "mended": [{name: getattr(one, name) for name in Mended.__slots__} for one in self.mended],
            "left": [{"key": one.key, "why": one.why} for one in self.left],
            "released": self.released,
            "commits": self.commits,
        }
