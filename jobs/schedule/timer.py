"""The alarm clock: calls the daemon when a source's slot has come. Only importer of apscheduler.

APScheduler keeps who is due next and wakes the event loop. What is to be done with a slot it does not decide: it would
drop what is a second late, and knows nothing of what was before it was started.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from apscheduler.jobstores.base import JobLookupError
from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.base import BaseTrigger

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from jobs.ledger.slots import ScheduleSlots

_TICK = timedelta(microseconds=1)


class SlotTrigger(BaseTrigger):  # type: ignore[misc]  # apscheduler has no types
    """Fires at slots, whatever was fired before and when."""

    def __init__(self, slots: ScheduleSlots) -> None:
        self._slots = slots

    def get_next_fire_time(self, previous_fire_time: datetime | None, now: datetime) -> datetime:
        """Return the first slot not before *now* and later than *previous_fire_time*; for APScheduler."""
        after = now - _TICK
        return self._slots.following(after if previous_fire_time is None else max(after, previous_fire_time))


class Timer:
    """Calls *come_due* with the id of each source when a slot of it has come: once, though many may have passed."""

    def __init__(self, come_due: Callable[[str], Awaitable[None]]) -> None:
        self._come_due = come_due
        self._scheduler = AsyncIOScheduler(
            timezone=UTC, job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None}
        )

    def start(self) -> None:
        """Begin to call; in a running event loop."""
        self._scheduler.start()

    def set(self, source: str, slots: ScheduleSlots) -> None:
        """Call for *source* at *slots* from now on, and at no others."""
        self._scheduler.add_job(self._come_due, SlotTrigger(slots), args=[source], id=source, replace_existing=True)

    def remove(self, source: str) -> None:
        """Call for *source* no more."""
        try:
            self._scheduler.remove_job(source)
        except JobLookupError:
            return

    def look(self) -> None:
        """Look what has come due: a sleep of the machine holds up the event loop's own clock."""
        self._scheduler.wakeup()

    def stop(self) -> None:
        """Call no more."""
        if self._scheduler.running:
            self._scheduler.shutdown(wait=False)
