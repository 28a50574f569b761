"""Marks, slot rows and runs → what became of each slot, once, whatever the order in which they were told. Pure.

What is told of stretches stays stretches: one sweep over the times at which something begins or ends.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from heapq import heappop, heappush
from itertools import pairwise
from typing import TYPE_CHECKING

from jobs.ledger.calendars import EPOCH, EvenSlots, to_number
from jobs.ledger.outcomes import TELLING, Outcome, find_fault, is_late

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from crawler.rows import SlotRow
    from jobs.ledger.calendars import FindCalendar, Slots

UNKNOWN = "nothing is known of it"
"""The reason of slots that nobody told of: the notes were lost, or wait on another machine."""
_Key = tuple[int, str, str, str]
_Order = tuple[_Key, int, int, int]
"""Of stretches that tell of the same slots: key, end, number of slots, begin."""


@dataclass(frozen=True, slots=True)
class SlotRun:
    """A run that was begun for a slot, as its run row has it."""

    slot: datetime
    run: str
    started: datetime


@dataclass(frozen=True, slots=True)
class Stretch:
    """What became of a slot, or of consecutive ones."""

    slot: datetime
    through: datetime
    slots: int
    outcome: Outcome | None
    """`None`: nothing is told of it as yet; a run may still be going."""
    run: str | None = None
    reason: str | None = None
    pending: bool = False
    """Whether only this machine's journal says so, and no commit."""


@dataclass(frozen=True, slots=True)
class _Telling:
    """What one row says of its slots."""

    outcome: Outcome
    run: str | None
    reason: str | None
    pending: bool
    calendar: Slots | None = None
    """Of a stretch where no mark says which slots are expected."""

    @property
    def key(self) -> _Key:
        """The least of those that tell of a slot counts."""
        return self.outcome.rank, self.run or "~", self.reason or "", "1" if self.pending else "0"


_UNTOLD = _Telling(Outcome.MISSED, None, UNKNOWN, pending=False)
_OPEN = replace(_UNTOLD, reason=None)


def find_schedule(rows: Iterable[SlotRow]) -> str | None:
    """Return the schedule that holds by the last mark of *rows*; `None`: no slots are expected."""
    marks = list_marks(rows)
    return marks[-1].schedule if marks and marks[-1].outcome == Outcome.SCHEDULED else None


def resolve_slots(
    rows: Iterable[SlotRow],
    runs: Iterable[SlotRun],
    *,
    find_calendar: FindCalendar,
    until: datetime,
    since: datetime = EPOCH,
    pending: Iterable[SlotRow] = (),
    open_since: datetime | None = None,
    cuts: Iterable[datetime] = (),
) -> Iterator[Stretch]:
    """Yield what became of each slot from *since* to *until* (both inclusive) in order of time, each once.

    Slots are those that marks expect and those that rows and runs tell of; where marks expect none, a stretch stands
    for as many as it says. *pending*: rows of the journal. *open_since*: from then on untold slots are open.
    *cuts*: no stretch has slots both before one of these and from then on.
    """
    told, here = set(rows), set(pending)
    failed = {(row.slot, row.run) for row in told | here if row.outcome == Outcome.FAILED and row.run}
    sweep = _Sweep(to_number(max(since, EPOCH) - EPOCH), to_number(until - EPOCH))
    for row in told | here:
        sweep.add_row(row, pending=row not in told)
    for run in runs:
        if (run.slot, run.run) not in failed:
            outcome = Outcome.LATE if is_late(run.slot, run.started) else Outcome.DONE
            sweep.add_point(run.slot, _Telling(outcome, run.run, None, pending=False))
    sweep.add_periods(list_marks(told | here), find_calendar)
    edges = sorted(cuts)
    sweep.add_cuts(edges)
    yield from _merge(sweep.walk(None if open_since is None else to_number(open_since - EPOCH)), edges)


def list_marks(rows: Iterable[SlotRow]) -> list[SlotRow]:
    """Return the marks among *rows* by time; of those of one instant the last counts."""
    marks = (row for row in rows if row.outcome in _MARKS and find_fault(row) is None)
    return sorted(marks, key=lambda row: (row.slot, row.outcome, row.schedule or ""))


_MARKS = {outcome for outcome in Outcome if outcome.is_mark}


class _Sweep:
    """All that is told, by microseconds since the epoch; spans are half-open."""

    def __init__(self, first: int, last: int) -> None:
        self._first, self._end = first, last + 1
        self._points: dict[int, list[_Telling]] = defaultdict(list)
        self._stretches: dict[int, list[tuple[_Order, _Telling]]] = defaultdict(list)
        self._periods: dict[int, Slots | None] = {}
        """Begin → what is expected from there until the next."""
        self._bounds = {self._first, self._end}

    def add_row(self, row: SlotRow, *, pending: bool) -> None:
        outcome = TELLING.get(row.outcome)
        if outcome is None or find_fault(row) is not None:
            return  # a mark, a word of a later version, or what no ledger can have
        telling = _Telling(outcome, row.run, row.reason, pending=pending)
        if row.through is None or row.through == row.slot:
            self.add_point(row.slot, telling)
            return
        telling = replace(telling, calendar=EvenSlots(row.slot, row.through, row.slots))
        begin, end = to_number(row.slot - EPOCH), to_number(row.through - EPOCH) + 1
        if begin < self._end and end > self._first:
            shown = max(begin, self._first)
            self._stretches[shown].append(((telling.key, end, row.slots, begin), telling))
            self._bounds |= {shown, min(end, self._end)}

    def add_point(self, slot: datetime, telling: _Telling) -> None:
        at = to_number(slot - EPOCH)
        if self._first <= at < self._end:
            self._points[at].append(telling)
            self._bounds |= {at, at + 1}

    def add_periods(self, marks: Sequence[SlotRow], find_calendar: FindCalendar) -> None:
        for mark in marks:  # of one instant, the last
            begin = max(to_number(mark.slot - EPOCH) + 1, self._first)
            if begin < self._end:
                self._periods[begin] = find_calendar(mark.schedule or "") if mark.outcome == "scheduled" else None
                self._bounds.add(begin)

    def add_cuts(self, cuts: Iterable[datetime]) -> None:
        self._bounds |= {at for at in (to_number(one - EPOCH) for one in cuts) if self._first < at < self._end}

    def walk(self, open_since: int | None) -> Iterator[Stretch]:
        """Yield what was told between each two bounds, as far as there are slots."""
        if open_since is not None and self._first < open_since < self._end:
            self._bounds.add(open_since)
        active: list[tuple[_Order, int, _Telling]] = []
        expected: Slots | None = None
        bounds = sorted(self._bounds)
        for begin, end in pairwise(bounds):
            expected = self._periods.get(begin, expected)
            for order, telling in self._stretches.get(begin, ()):
                heappush(active, (order, id(telling), telling))
            while active and active[0][0][1] <= begin:
                heappop(active)
            covering = active[0][2] if active else None
            if begin in self._points:
                candidates = self._points[begin] + ([covering] if covering else [])
                yield _make_stretch(begin, begin, 1, min(candidates, key=lambda one: one.key))
                continue
            calendar = expected or (covering.calendar if covering else None)
            if calendar is None:
                continue
            telling = covering or (_UNTOLD if open_since is None or begin < open_since else _OPEN)
            yield from _cut(calendar, begin, end, telling)


def _cut(calendar: Slots, begin: int, end: int, telling: _Telling) -> Iterator[Stretch]:
    """Yield the slots of *calendar* within a span as one stretch, if there are any."""
    after, until = _to_time(begin - 1), _to_time(end - 1)
    last = calendar.latest(after, until)
    if last is not None:
        first = next(calendar.between(after, until))
        yield _make_stretch(first, last, 1 if first == last else calendar.count(after, until), telling)


def _make_stretch(first: datetime | int, last: datetime | int, slots: int, telling: _Telling) -> Stretch:
    first, last = (_to_time(one) if isinstance(one, int) else one for one in (first, last))
    outcome = None if telling is _OPEN else telling.outcome
    return Stretch(first, last, slots, outcome, telling.run, telling.reason, telling.pending)


def _to_time(number: int) -> datetime:
    return EPOCH + timedelta(microseconds=number)


def _merge(stretches: Iterable[Stretch], cuts: Sequence[datetime]) -> Iterator[Stretch]:
    """Yield *stretches*, neighbours of which the same is told as one where no cut lies between."""
    last: Stretch | None = None
    for one in stretches:
        together = last is not None and bisect_right(cuts, last.slot) == bisect_right(cuts, one.slot)
        if last is not None and together and one.run is None and _say(one) == _say(last):
            last = replace(last, through=one.through, slots=last.slots + one.slots)
            continue
        if last is not None:
            yield last
        last = one
    if last is not None:
        yield last


def _say(stretch: Stretch) -> tuple[object, ...]:
    return stretch.outcome, stretch.run, stretch.reason, stretch.pending
