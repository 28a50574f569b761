"""What the ledger tells of a source beside its commits: runs that never reached the archive, slots without a run. Pure.

Without it a source whose runs all die before they begin would be well for ever.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import islice
from typing import TYPE_CHECKING

from config.units import count
from jobs.health.quality import show_span
from jobs.health.states import Reason, State
from jobs.ledger import LATE_SECONDS, Outcome

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from crawler.rows import SlotRow
    from jobs.catalog.health import SourceTally
    from jobs.ledger.slots import ScheduleSlots

BAD_ENDS = "runs_end_badly"
"""Kind of the reason that runs leave nothing in the archive."""
_PATIENCE = 2
"""So many in a row are told: one may be a mishap."""
_OVERDUE_SLOTS, _OVERDUE_LEAST = 3, timedelta(hours=1)
_STOPPED_SLOTS, _STOPPED_LEAST = 10, timedelta(days=1)
_SLACK = timedelta(seconds=LATE_SECONDS)
"""A slot is due for so long before it counts."""
_DONE = {Outcome.DONE, Outcome.LATE}


def judge_ends(tally: SourceTally, noted: Sequence[SlotRow], now: datetime) -> Iterator[Reason]:
    """Yield whether the last runs failed before the archive heard of them. *noted*: in this machine's journal."""
    known = {run.run for run in tally.ran}
    after = max((_end(row) for row in noted if row.outcome in _DONE), default=None)
    if tally.ran:
        after = max(tally.ran[0].started, after or tally.ran[0].started)
    failed = [row for row in noted if row.outcome == Outcome.FAILED and row.run not in known and row.slot <= now]
    failed = [row for row in failed if after is None or _end(row) > after]
    number = sum(row.slots for row in failed)
    if number >= _PATIENCE:
        last = max(failed, key=_end)
        text = f"of the last {number} runs none ended well; the last one: {last.reason or 'nothing is known'}"
        yield Reason(BAD_ENDS, text, State.FAILING, min(row.slot for row in failed))


def judge_slots(
    tally: SourceTally, slots: ScheduleSlots, noted: Sequence[SlotRow], waits: timedelta | None, now: datetime
) -> Iterator[Reason]:
    """Yield whether slots came and no run did. *waits*: between two slots, where that is always the same."""
    sign = _find_last_sign(tally, noted)
    if sign is None:
        return
    due = list(islice(slots.between(sign, now - _SLACK), _STOPPED_SLOTS))
    if len(due) < _OVERDUE_SLOTS or now - due[0] <= _OVERDUE_LEAST:
        return
    expected = f"one every {show_span(waits)} is expected" if waits is not None else _tell_due(len(due))
    text = f"no run for {show_span(now - sign)}, since {sign:%Y-%m-%d %H:%M}Z; {expected}"
    stopped = len(due) == _STOPPED_SLOTS and now - due[0] > _STOPPED_LEAST
    yield Reason("overdue", text, State.FAILING if stopped else State.DEGRADED, sign)


def _tell_due(number: int) -> str:
    return f"{count(number, 'slot')}{' and more' if number == _STOPPED_SLOTS else ''} had none"


def _find_last_sign(tally: SourceTally, noted: Sequence[SlotRow]) -> datetime | None:
    """Return when something of the source was last heard of; of one that was never crawled, when its schedule began."""
    signs = [tally.last_capture, *(run.finished for run in tally.ran[:1])]
    marks = [row.slot for row in noted if row.outcome == Outcome.SCHEDULED]
    return max((one for one in signs if one is not None), default=min(marks, default=None))


def _end(row: SlotRow) -> datetime:
    return row.through or row.slot
