"""What whoever started a run as a process learns when it is over."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol


@dataclass(frozen=True, slots=True)
class RunEnded:
    """A run of one source, over, whatever it died of."""

    source: str
    slot: datetime | None
    """The slot that it was for."""
    started: datetime
    seconds: float
    exit_code: int
    """Of the process; negative: the signal that ended it."""
    report: dict[str, Any] | None
    """What it printed (RunReport.to_json); `None`: it could not."""
    killed: str | None = None
    """Why the daemon ended it, if it did: `time`, `memory` or `stop`."""


class RunObserver(Protocol):
    """Who is told by the daemon what happens. Called from one thread; a failure is logged and harms no run."""

    def run_started(self, source: str, slot: datetime | None) -> None:
        """A run of *source* has begun."""

    def run_ended(self, ended: RunEnded) -> None:
        """A run is over."""

    def slot_passed(self, source: str, slot: datetime, outcome: str) -> None:
        """A slot was settled without a run: `skipped` or `missed`."""

    def tick(self, now: datetime) -> None:
        """Some seconds have passed: called at least once a minute, so that silence can be noticed."""
