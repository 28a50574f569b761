"""How long after its slot a run begins to fetch, so that not everybody's crawls ask at the full minute. Pure.

The slot stays what it is: the wait lies inside the run.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from config.units import parse_schedule
from crawler.rows import format_time
from jobs.ledger.slots import make_slots

if TYPE_CHECKING:
    from datetime import datetime

    from config.sources import Source

_SHARE = 0.1
"""Of the time to the next slot."""


def find_wait(source: Source, slot: datetime, now: datetime, most_seconds: float) -> float:
    """Return for how many seconds a run of *source* for *slot* should wait *now*; none if that time is over.

    Another time for each source and slot, less than *most_seconds* and than a tenth of the way to the next slot.
    """
    if source.schedule is None or not slot <= now:
        return 0.0
    span = (make_slots(parse_schedule(source.schedule)).following(slot) - slot).total_seconds() * _SHARE
    digest = hashlib.sha256(f"{source.id} {format_time(slot)}".encode()).digest()
    share = int.from_bytes(digest[:8], "big") / 2**64
    return max(0.0, share * min(most_seconds, span) - (now - slot).total_seconds())
