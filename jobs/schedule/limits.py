"""How long a run may take, how much memory its processes may hold, and how patient the daemon is with its end."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from config.settings import Settings

REPORT_SECONDS = 5.0
"""After its grace period: for a run to let go of an upload, and for its report."""
MEMORY_SECONDS = 10.0
"""A run that holds too much memory may take that long to close what it has."""


@dataclass(frozen=True, slots=True)
class RunLimits:
    """What one run may take."""

    seconds: float
    """Then it is asked to end. By a clock that stands still while the machine sleeps, as the run's own does."""
    memory_bytes: int
    grace_seconds: float
    """From being asked to end until it is killed."""

    @classmethod
    def of(cls, settings: Settings, *, rendering: bool = False) -> RunLimits:
        """Return what *settings* allow. *rendering*: whether a browser renders pages, which has memory of its own."""
        grace = settings.grace_seconds + REPORT_SECONDS
        memory_bytes = settings.run_memory_bytes + rendering * settings.render_memory_bytes
        return cls(settings.max_run_seconds + settings.grace_seconds, memory_bytes, grace)

    def find_excess(self, seconds: float, memory_bytes: int) -> str | None:
        """Return `time` or `memory`, whichever a run has too much of; `None`: neither."""
        if memory_bytes > self.memory_bytes:
            return "memory"
        return "time" if seconds > self.seconds else None

    def patience(self, killed: str) -> float:
        """Return after how many seconds a run that was asked to end, for the reason *killed*, is made to."""
        return min(self.grace_seconds, MEMORY_SECONDS) if killed == "memory" else self.grace_seconds


def drain_seconds(settings: Settings) -> float:
    """Return how long a daemon that is to stop waits for its runs before it kills them."""
    return max(settings.grace_seconds, REPORT_SECONDS)


def shorten_grace(settings: Settings) -> Settings:
    """Return *settings* for a run that must have said what it did when its daemon's own grace period ends."""
    return settings.model_copy(update={"grace_seconds": max(0.0, settings.grace_seconds - REPORT_SECONDS)})
