"""What became of each slot of a source's schedule: a year at a glance, the gaps, and one day by itself."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING

from jobs.catalog.ledgers import OPEN, RUN, count_days, count_outcomes, read_days, read_ledger
from jobs.ledger import Outcome, find_gaps
from jobs.room.asking import Day  # noqa: TC001 - pydantic reads it
from jobs.room.charts.heatmap import DayKind, Heatmap, draw_heatmap
from jobs.room.endpoints import Page, Told
from jobs.room.views.namings import Naming, SourceAsked, name_source

if TYPE_CHECKING:
    from jobs.catalog.ledgers import DayLedger, SourceLedger
    from jobs.ledger import Gap, Stretch
    from jobs.room.desk import Desk

DAYS = 365
MOST_GAPS = 100
MOST_LINES = 1_500
"""Of a day: a slot a minute."""
_KEPT_SECONDS = 300
"""So long a year is told as it was: what is open or missed changes by itself."""
_MOST_YEARS = 50
_UNSEEN = (Outcome.MISSED, Outcome.FAILED)
_DAY = timedelta(days=1)


class LedgerAsked(SourceAsked):
    """Which source, until which day (default: today), and a day of which all is to be told."""

    until: Day = None
    day: Day = None


class LedgerDay(Told):
    """A day (UTC)."""

    day: date
    outcomes: dict[str, int]
    """Outcome (done, late, failed, skipped, missed; open: nothing is told yet) → slots; what has none is left out."""
    runs: int
    """Beside the schedule."""


class LedgerGap(Told):
    """Consecutive slots of which none had a run that was of use."""

    after: datetime
    """The last slot before, or the first one of the gap."""
    until: datetime
    """When the next run began, or now."""
    slots: int
    reasons: tuple[str, ...]


class LedgerLine(Told):
    """A slot, a stretch of them, or a run that was for none."""

    at: datetime
    through: datetime
    slots: int
    outcome: str | None
    """`null`: it was for no slot."""
    run: str | None
    started: datetime | None
    """When the run began; `null`: the archive has no run of that id that ended in good order."""
    reason: str | None
    pending: bool
    """Whether only this machine's notes say so."""


class LedgerYear(Told):
    """What became of the slots of a year."""

    schedule: str | None
    kept_since: datetime | None
    days: tuple[LedgerDay, ...]
    outcomes: dict[str, int]
    gaps: tuple[LedgerGap, ...]
    gap_count: int


class LedgerTold(Told):
    """A source's ledger."""

    source: Naming
    schedule: str | None
    """By the last mark; `null`: none, or no daemon kept this ledger."""
    kept_since: datetime | None
    """When the ledger begins."""
    first: date
    last: date
    days: tuple[LedgerDay, ...]
    """In order, those of which there is something to tell."""
    outcomes: dict[str, int]
    """Of all of them."""
    share: float | None
    """Of the slots that are settled, those that had a run."""
    runs: int
    """Beside the schedule."""
    gaps: tuple[LedgerGap, ...]
    """The last ones, the newest first."""
    gap_count: int
    day: date | None
    lines: tuple[LedgerLine, ...]
    """Of `day`, in order."""
    earlier: date | None
    """Until where to ask for the time before; `null`: nothing is known of it."""
    later: date | None

    @property
    def heatmap(self) -> Heatmap:
        """The days as a calendar."""
        days = {one.day: (judge_day(one), tell_day(one)) for one in self.days}
        return draw_heatmap(days, self.first, self.last, f"Slots by day, {self.first} to {self.last}")

    @property
    def months(self) -> tuple[tuple[date, dict[str, int], int], ...]:
        """First day of a month, its outcomes, its runs beside the schedule."""
        found: dict[date, tuple[Counter[str], int]] = {}
        for one in self.days:
            outcomes, runs = found.get(one.day.replace(day=1), (Counter(), 0))
            found[one.day.replace(day=1)] = outcomes + Counter(one.outcomes), runs + one.runs
        return tuple((month, dict(outcomes), runs) for month, (outcomes, runs) in found.items())


def view_ledger(desk: Desk, asked: LedgerAsked) -> LedgerTold:
    """Return the ledger of a year. Raises NotThere."""
    naming = name_source(desk, asked.source)
    today = desk.now.date()
    last = min(asked.until or today, today)
    first = last - timedelta(days=DAYS - 1)
    year = _recall_year(desk, asked.source, first, last)
    settled = sum(year.outcomes.values()) - year.outcomes[OPEN]
    since = desk.catalog.find_first_sign(asked.source)
    return LedgerTold(
        source=naming,
        schedule=year.schedule,
        kept_since=year.kept_since,
        first=first,
        last=last,
        days=year.days,
        outcomes=year.outcomes,
        share=round(sum(year.outcomes[one] for one in RUN) / settled, 4) if settled else None,
        runs=sum(one.runs for one in year.days),
        gaps=year.gaps,
        gap_count=year.gap_count,
        day=asked.day,
        lines=() if asked.day is None else _list_lines(desk, asked.source, asked.day),
        earlier=first - _DAY if since is not None and since.date() < first else None,
        later=min(today, last + timedelta(days=DAYS)) if last < today else None,
    )


def _recall_year(desk: Desk, source: str, first: date, last: date) -> LedgerYear:
    """Return what became of the slots of a year: made anew after a commit, or after some minutes."""
    key = (desk.catalog.head(source)[0], first, last, int(desk.now.timestamp()) // _KEPT_SECONDS)
    known = desk.years.get(source)
    if known is not None and known[0] == key:
        found: LedgerYear = known[1]
        return found
    year = _read_year(desk, source, first, last)
    if len(desk.years) >= _MOST_YEARS:
        desk.years.clear()
    desk.years[source] = (key, year)
    return year


def _read_year(desk: Desk, source: str, first: date, last: date) -> LedgerYear:
    end = _end_of(last, desk.now)
    ledger = read_days(
        desk.catalog,
        source,
        spool=desk.state / "spool" / source,
        since=datetime.combine(first, time(), UTC),
        until=end,
        now=desk.now,
        run_seconds=desk.settings.max_run_seconds,
    )
    gaps = find_gaps(ledger.stretches, ledger.started, end)
    return LedgerYear(
        schedule=ledger.marks[-1].schedule if ledger.marks else None,
        kept_since=ledger.marks[0].slot if ledger.marks else None,
        days=list_days(ledger),
        outcomes=count_outcomes(ledger.stretches),
        gaps=tuple(_tell_gap(one) for one in reversed(gaps[-MOST_GAPS:])),
        gap_count=len(gaps),
    )


def list_days(ledger: DayLedger) -> tuple[LedgerDay, ...]:
    """Return the days of which there is something to tell."""
    outcomes = count_days(ledger.stretches)
    named = {one.run for one in ledger.stretches}
    beside = Counter(started.date() for run, started in ledger.started.items() if run not in named)
    return tuple(
        LedgerDay(day=day, outcomes=dict(outcomes.get(day, {})), runs=beside[day])
        for day in sorted({*outcomes, *beside})
    )


def judge_day(day: LedgerDay) -> DayKind:
    """Return what *day* was."""
    told = Counter(day.outcomes)
    if not told.total():
        return DayKind.BESIDE if day.runs else DayKind.NONE
    if told.total() == told[OPEN]:
        return DayKind.OPEN
    if not any(told[one] for one in _UNSEEN):
        return DayKind.WHOLE
    return DayKind.PART if any(told[one] for one in RUN) else DayKind.MISSED


def tell_day(day: LedgerDay) -> str:
    """Return *day* in words."""
    told = [f"{number} {outcome}" for outcome, number in sorted(day.outcomes.items()) if number]
    told += [f"{day.runs} beside the schedule"] * bool(day.runs)
    return f"{day.day}: {', '.join(told)}"


def _end_of(day: date, now: datetime) -> datetime:
    return min(now, datetime.combine(day, time(), UTC) + _DAY - timedelta(microseconds=1))


def _tell_gap(gap: Gap) -> LedgerGap:
    reasons = dict.fromkeys(one.reason for one in gap.stretches if one.reason)
    return LedgerGap(after=gap.after, until=gap.until, slots=gap.slots, reasons=tuple(reasons)[:5])


def _list_lines(desk: Desk, source: str, day: date) -> tuple[LedgerLine, ...]:
    ledger = read_ledger(
        desk.catalog,
        source,
        spool=desk.state / "spool" / source,
        since=datetime.combine(day, time(), UTC),
        until=_end_of(day, desk.now),
        now=desk.now,
        run_seconds=desk.settings.max_run_seconds,
    )
    named = {one.run for one in ledger.stretches}
    lines = [_tell_stretch(ledger, one) for one in ledger.stretches]
    lines += [
        LedgerLine(
            at=run.started,
            through=run.started,
            slots=0,
            outcome=None,
            run=run.run,
            started=run.started,
            reason=None,
            pending=False,
        )
        for run in ledger.runs.values()
        if run.run not in named
    ]
    return tuple(sorted(lines, key=lambda line: line.at)[:MOST_LINES])


def _tell_stretch(ledger: SourceLedger, one: Stretch) -> LedgerLine:
    run = ledger.runs.get(one.run or "")
    return LedgerLine(
        at=one.slot,
        through=one.through,
        slots=one.slots,
        outcome=one.outcome or OPEN,
        run=one.run,
        started=None if run is None else run.started,
        reason=one.reason,
        pending=one.pending,
    )


ENDPOINTS = (
    Page("ledger", "/sources/{source}/ledger", LedgerAsked, LedgerTold, view_ledger, "What became of each slot"),
)
