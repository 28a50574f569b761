"""What a check saw of Object Lock, in figures. Values only."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from config.units import count
from crawler.rows import format_time

if TYPE_CHECKING:
    from jobs.store import Retention

SOON = timedelta(days=30)


@dataclass(slots=True)
class LockState:
    """What was seen of retention."""

    looked_at: int = 0
    kept: int = 0
    ending: int = 0
    """Of those kept, so many for less than 30 days from now."""
    modes: tuple[str, ...] = ()
    first: datetime | None = None
    """When the first retention ends."""

    def add(self, found: Retention | None, now: datetime) -> None:
        """Take in what the store says of one object."""
        self.looked_at += 1
        if found is None or found.until <= now:
            return
        self.kept += 1
        self.ending += found.until < now + SOON
        self.modes = tuple(sorted({*self.modes, found.mode}))
        self.first = min(found.until, self.first or found.until)

    def to_json(self) -> dict[str, Any]:
        """Return the same as JSON data."""
        return {
            "looked_at": self.looked_at,
            "kept": self.kept,
            "ending": self.ending,
            "modes": list(self.modes),
            "first": format_time(self.first) if self.first else None,
        }

    def __str__(self) -> str:
        until = f", the first until {format_time(self.first)}" if self.first else ""
        return f"{' and '.join(self.modes)}, {self.kept} of {count(self.looked_at, 'object')}{until}"
