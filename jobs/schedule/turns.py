"""What becomes of the slots of one source: which is run, which was missed, which fell into a run. Pure.

Of the slots that have passed when a run can begin, the latest is run. `missed` are those that nobody saw come, since
the daemon was down or the machine asleep; `skipped` those that came while the run before was going or waited its turn.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum
from typing import TYPE_CHECKING

from jobs.ledger import Outcome

if TYPE_CHECKING:
    from collections.abc import Iterable

    from jobs.ledger.slots import ScheduleSlots

_TICK = timedelta(microseconds=1)
_REMEMBERED = 128


class Phase(Enum):
    """Where the source's turn stands."""

    IDLE = "idle"
    WAITING = "waiting"
    """A slot has come, and its run waits for room."""
    RUNNING = "running"


@dataclass(frozen=True, slots=True)
class Passed:
    """Consecutive slots without a run."""

    slot: datetime
    through: datetime
    slots: int
    outcome: Outcome


@dataclass(slots=True)
class Turns:
    """One source's slots and what is decided of them. Whatever a call returns is decided, and is to be noted."""

    slots: ScheduleSlots
    decided: datetime
    """Each slot up to then is decided, or is `slot`."""
    ahead: set[datetime] = field(default_factory=set)
    """Slots later than `decided` that were run all the same, before the wall clock was set back."""
    phase: Phase = Phase.IDLE
    slot: datetime | None = None
    """What the run that waits or is going is for; `None`: for no slot, since the source was never crawled."""
    _ran: list[datetime] = field(default_factory=list)

    def wait(self) -> None:
        """Have a run wait that is for no slot, unless there is one already."""
        if self.phase is Phase.IDLE:
            self.phase, self.slot = Phase.WAITING, None

    def come_due(self, now: datetime) -> list[Passed]:
        """Take in what has come until *now*. Then the source waits, unless nothing has come or it runs."""
        latest = self.slots.latest(self.decided, now)
        if latest is None:
            return []
        after, self.decided = self.decided, latest
        if self.phase is Phase.RUNNING:
            passed = self._list_passed(after, latest, Outcome.SKIPPED)
        elif latest in self.ahead:
            passed = self._list_passed(after, latest, Outcome.MISSED)
        else:
            passed = []
            if self.phase is Phase.WAITING and self.slot is not None:
                passed.append(Passed(self.slot, self.slot, 1, Outcome.SKIPPED))
            passed += self._list_passed(after, latest - _TICK, Outcome.MISSED)
            self.phase, self.slot = Phase.WAITING, latest
        self.ahead = {slot for slot in self.ahead if slot > latest}
        return passed

    def begin(self, now: datetime) -> list[Passed]:
        """The run begins: it is for the latest slot. The source must be waiting."""
        passed = self.come_due(now)
        self.phase = Phase.RUNNING
        if self.slot is not None:
            self._ran = [*self._ran[1 - _REMEMBERED :], self.slot]
        return passed

    def end(self, now: datetime) -> list[Passed]:
        """The run is over; what came until *now* fell into it."""
        passed = self.come_due(now)
        self.phase, self.slot = Phase.IDLE, None
        return passed

    def change(self, slots: ScheduleSlots, now: datetime) -> None:
        """Let other slots hold from *now* on; what has come until then should be taken in before."""
        self.slots, self.decided = slots, max(self.decided, now)

    def turn_back(self, now: datetime, ran: Iterable[datetime] = ()) -> None:
        """The wall clock was set back: slots that are yet to come are open again, but for those that were run.

        *ran*: slots that are known to have been run, beside those that this object remembers.
        """
        if now < self.decided:
            self.ahead |= {slot for slot in (*self._ran, *ran) if slot > now}
            self.decided = now
            if self.phase is Phase.WAITING and self.slot is not None and self.slot > now:
                self.phase, self.slot = Phase.IDLE, None

    def _list_passed(self, after: datetime, until: datetime, outcome: Outcome) -> list[Passed]:
        """Return the stretches of slots later than *after*, up to *until*, that were not run before."""
        passed = []
        ends = sorted(slot for slot in self.ahead if after < slot <= until)
        for end, next_after in [*((slot - _TICK, slot) for slot in ends), (until, until)]:
            last = self.slots.latest(after, end)
            if last is not None:
                first = self.slots.following(after)
                number = 1 if first == last else self.slots.count(after, end)
                passed.append(Passed(first, last, number, outcome))
            after = next_after
        return passed
