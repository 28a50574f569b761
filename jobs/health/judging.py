"""All that is known of a source → its health. Pure: of what was counted, is expected, waits here, and of the time."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import pairwise
from statistics import median
from typing import TYPE_CHECKING

from config.units import count
from jobs.catalog.tallies import DAY, EPOCH
from jobs.health.access import judge_access, judge_certificates
from jobs.health.quality import find_extraction, find_lags, judge_quality, show_span
from jobs.health.rates import LEAST_ARTICLES, LEAST_DAYS, Rates, learn_rates
from jobs.health.silence import find_silence
from jobs.health.slots import judge_ends, judge_slots
from jobs.health.states import Figures, Reason, SourceHealth, State
from jobs.ledger.slots import make_slots

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from config.settings import Settings
    from config.sources import Source
    from crawler.rows import SlotRow
    from jobs.catalog.health import Ran, SourceTally
    from jobs.ledger.slots import ScheduleSlots
    from jobs.spool_use import SpoolUse

MOST_SILENCE = timedelta(days=200)
"""A longer silence is silence whatever it weighs."""
_FEW_WAITS = 3
_IN_USE = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Expectation:
    """What is expected of a source."""

    source: str
    scheduled: bool = False
    interval: timedelta | None = None
    """Between two slots, where that is always the same."""
    retired: bool = False
    slots: ScheduleSlots | None = None
    """Of its schedule, if it is scheduled."""

    @classmethod
    def of(cls, source: Source | str) -> Expectation:
        """Return what is expected of *source*, as configured; an id alone: it is in the archive, and not configured."""
        if isinstance(source, str):
            return cls(source)
        schedule = source.parsed_schedule
        seconds = None if schedule is None else schedule.interval_seconds
        interval = None if seconds is None else timedelta(seconds=seconds)
        slots = None if schedule is None or source.retired else make_slots(schedule)
        return cls(source.id, slots is not None, interval, source.retired, slots)


@dataclass(frozen=True, slots=True)
class Findings:
    """What a source's counts come to, for a day or until something is committed."""

    tally: SourceTally
    expectation: Expectation
    reasons: tuple[Reason, ...]
    figures: Figures
    """But for what waits on this disk."""
    learning: str | None


def find_out(tally: SourceTally, expectation: Expectation, settings: Settings, now: datetime) -> Findings:
    """Return what can be said of the source on the day of *now*, whatever the hour is."""
    waits = _list_waits(tally.ran)
    usual = expectation.interval or (timedelta(seconds=median(waits)) if waits else None)
    success = next((run for run in tally.ran if _has_succeeded(run)), None)
    rates = None
    if tally.began is not None and tally.last_new is not None:
        rates = learn_rates(tally.days, tally.began, tally.last_new)
    reasons: list[Reason] = []
    if not expectation.retired:
        reasons += judge_access(tally)
        blocked = any(one.state is State.BLOCKED for one in reasons)
        reasons += [one for one in judge_quality(tally, usual, now) if not (blocked and one.kind == "more_bad")]
    if expectation.scheduled and rates is not None and success is not None:
        reasons += _judge_silence(tally, rates, success, usual, settings)
    figures = _list_figures(tally, rates, success, now)
    learning = _tell_learning(tally, expectation, rates)
    return Findings(tally, expectation, tuple(reasons), figures, learning)


def judge_source(
    findings: Findings, waiting: SpoolUse | None, settings: Settings, now: datetime, *, noted: Sequence[SlotRow] = ()
) -> SourceHealth:
    """Return how the source stands at *now*. *waiting*: on this disk; `None`: it is not known here.

    *noted*: of its slots on this disk and not yet committed.
    """
    reasons = sorted(_list_reasons(findings, waiting, settings, now, noted), key=lambda one: -one.state.gravity)
    state = reasons[0].state if reasons else State.OK
    began = [one.since for one in reasons if one.state is state]
    return SourceHealth(
        source=findings.tally.source,
        state=state,
        reasons=tuple(reasons),
        judged_at=now,
        since=min((one for one in began if one is not None), default=None),
        figures=findings.figures
        if waiting is None
        else replace(
            findings.figures,
            spool_segments=waiting.segments,
            spool_bytes=waiting.size_bytes,
            spool_since=waiting.since,
        ),
        learning=findings.learning,
    )


def _list_reasons(
    findings: Findings, waiting: SpoolUse | None, settings: Settings, now: datetime, noted: Sequence[SlotRow]
) -> Iterator[Reason]:
    if waiting is not None and waiting.since is not None:
        age = now - waiting.since
        if age > timedelta(seconds=settings.health_spool_seconds):
            text = (
                f"{count(waiting.segments, 'segment')} ({waiting.size_bytes:,} bytes) on this disk not committed,"
                f" the oldest for {show_span(age)}"
            )
            yield Reason("spool_waits", text, State.DEGRADED, waiting.since)
    tally, expectation = findings.tally, findings.expectation
    if expectation.retired:
        return
    yield from findings.reasons
    if tally.last_capture is not None and now - tally.last_capture < _IN_USE:
        yield from judge_certificates(tally, now, timedelta(seconds=settings.health_certificate_seconds))
    if expectation.slots is not None:
        yield from judge_ends(tally, noted, now)
        yield from judge_slots(tally, expectation.slots, noted, expectation.interval, now)


def _judge_silence(
    tally: SourceTally, rates: Rates, success: Ran, interval: timedelta | None, settings: Settings
) -> Iterator[Reason]:
    """Yield whether nothing new came for too long, until the last run that would have found it."""
    if tally.last_new is None or success.started <= tally.last_new:
        return
    silence = find_silence(
        rates,
        tally.last_new,
        min(success.started, tally.last_new + MOST_SILENCE),
        least=timedelta(seconds=settings.health_silent_seconds),
        interval=interval or timedelta(),
    )
    if not silence.found:
        return
    span = show_span(silence.until - silence.since)
    text = (
        f"nothing new for {span}, since {silence.since:%Y-%m-%d %H:%M}Z;"
        f" {silence.expected:.0f} articles are usual in that time"
    )
    yield Reason("silent", text, State.SILENT, silence.since)


def _list_waits(ran: Iterable[Ran]) -> list[float]:
    """Return the seconds from one run to the next, of those that were started by a schedule; none of too few."""
    started = [run.started for run in ran if run.slot is not None or run.trigger != "crawl"]
    waits = [(before - after).total_seconds() for before, after in pairwise(started)]
    return waits if len(waits) >= _FEW_WAITS else []


def _has_succeeded(run: Ran) -> bool:
    if run.seeds:
        return not all(run.seeds.values())
    return run.counts.get("articles", 0) > run.counts.get("failed", 0)


def _list_figures(tally: SourceTally, rates: Rates | None, success: Ran | None, now: datetime) -> Figures:
    extraction, usual_extraction = find_extraction(tally)
    lag, usual_lag = find_lags(tally, now)
    today = (now - EPOCH) // DAY
    week = [tally.days[day] for day in range(today - 6, today + 1) if day in tally.days]
    new = sum(number for counts in week for name, number in counts.items() if name.startswith("new "))
    return Figures(
        last_run=tally.ran[0].started if tally.ran else None,
        last_success=success.finished if success is not None else None,
        last_new=tally.last_new,
        new_articles=new if tally.seq else None,
        expected_articles=rates.per_week if rates is not None else None,
        lag=lag,
        usual_lag=usual_lag,
        extraction=extraction,
        usual_extraction=usual_extraction,
    )


def _tell_learning(tally: SourceTally, expectation: Expectation, rates: Rates | None) -> str | None:
    if expectation.retired:
        return None
    if not tally.seq:
        return "never crawled"
    told = []
    if rates is None:
        told.append(f"silence is judged after {LEAST_DAYS} days with {LEAST_ARTICLES} new articles")
    if tally.thin:
        told.append("of what was committed before this machine's state began only first sights are known here")
    return "; ".join(told) or None
