"""All sources, and one of them: how it stands and why, what was expected of it, how soon its articles are seen."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict
from datetime import date, datetime
from typing import TYPE_CHECKING

from jobs.catalog.tallies import DAY, EPOCH, FIELDS
from jobs.citation import MONTHS
from jobs.health import read_health, recall_tally
from jobs.health.lags import LagStep, list_lags
from jobs.health.rates import learn_rates
from jobs.room.charts.coverage import ShareChart, draw_shares
from jobs.room.charts.histogram import Bars, draw_bars
from jobs.room.endpoints import Asked, Page, Told
from jobs.room.views.glances import Glance, list_glances
from jobs.room.views.namings import Naming, SourceAsked, name_source

if TYPE_CHECKING:
    from jobs.catalog.health import SourceTally
    from jobs.health import SourceHealth
    from jobs.room.desk import Desk

DAYS = 56
"""Of counts that a catalog keeps."""
_LAG_TICKS = {1: "1 min", 5: "5 min", 15: "15 min", 60: "1 h", 360: "6 h", 1_440: "1 day", 4_000: "3 days"}
"""Minutes → text."""


class SourcesAsked(Asked):
    """Nothing: all of them."""


class SourceGroup(Told):
    """Sources of one kind."""

    key: str
    """crawled: configured and captured; waiting: configured, without a capture; foreign: in the archive, and not
    configured here; retired: not crawled any more."""
    sources: tuple[Glance, ...]


class SourcesTold(Told):
    """All sources, configured ones and those of the archive."""

    groups: tuple[SourceGroup, ...]


class ReasonTold(Told):
    """One thing that is wrong."""

    kind: str
    text: str
    state: str
    """How grave that is by itself."""
    since: datetime | None


class HealthTold(Told):
    """How a source stands, and what that was judged by."""

    state: str
    """ok, degraded, silent, failing, blocked."""
    since: datetime | None
    reasons: tuple[ReasonTold, ...]
    """The gravest first."""
    learning: str | None
    """What cannot be judged yet, and why."""
    last_run: datetime | None
    last_success: datetime | None
    last_new: datetime | None
    new_articles: int | None
    """First seen in the last seven days."""
    expected_articles: float | None
    """In seven days, by what was learned."""
    lag_seconds: float | None
    """From publication to the first capture: the middle one of the last seven days."""
    usual_lag_seconds: float | None
    extraction: float | None
    """Share of pages that a text came of, lately."""
    usual_extraction: float | None
    waiting_segments: int | None
    """On this machine's disk, not committed yet."""
    waiting_bytes: int | None


class DayCounts(Told):
    """What a day (UTC) brought."""

    day: date
    new: int
    """Articles first seen."""
    expected: float | None
    """As things are lately; `null` while it is learned."""
    pages: int
    """Captures of pages of articles."""
    texts: int
    """Captures of which a text was made anew."""
    fields: dict[str, int]
    """Field → texts that have it: title, published, authors, section."""


class SourceTold(Told):
    """A source."""

    source: Naming
    home: str | None
    languages: tuple[str, ...]
    schedule: str | None
    """As configured."""
    retired: bool
    seeds: tuple[tuple[str, str], ...]
    """Where it is looked for articles: kind and URL."""
    began: datetime | None
    """When its first segment was begun."""
    last_capture: datetime | None
    head: int
    """Number of the last commit of its log that is known here."""
    articles: int
    health: HealthTold
    days: tuple[DayCounts, ...]
    """Eight weeks, the last is today; empty: nothing is counted yet."""
    lags: tuple[LagStep, ...]
    """From publication to first capture, of articles first seen in those weeks."""

    @property
    def new_chart(self) -> Bars:
        """New articles by day, beside what was expected."""
        labels = [_label_day(one) for one in self.days]
        mondays = {at: f"{one.day:%-d} {MONTHS[one.day.month - 1][:3]}" for at, one in enumerate(self.days)}
        ticks = {at: text for at, text in mondays.items() if self.days[at].day.weekday() == 0 and at % 14 < 7}
        return draw_bars(
            [one.new for one in self.days],
            labels,
            f"New articles by day: {sum(one.new for one in self.days)} in {len(self.days)} days",
            expected=[one.expected for one in self.days],
            ticks=ticks,
        )

    @property
    def lag_chart(self) -> Bars:
        """How long after their publication articles were seen."""
        ticks: dict[int, str] = {}
        for minutes, text in _LAG_TICKS.items():
            at = next((n for n, one in enumerate(self.lags) if one.minutes <= minutes < one.until_minutes), None)
            ticks |= {} if at is None else {at: text}
        return draw_bars(
            [one.articles for one in self.lags],
            [_label_lag(one) for one in self.lags],
            f"From publication to capture: {sum(one.articles for one in self.lags)} articles",
            parts=[one.lately for one in self.lags],
            ticks=ticks,
        )

    @property
    def coverage(self) -> tuple[tuple[str, int, int, ShareChart], ...]:
        """Field, texts that have it, texts, and the share of each day."""
        texts = sum(one.texts for one in self.days)
        found = []
        for field in FIELDS:
            shares = [one.fields[field] / one.texts if one.texts else None for one in self.days]
            having = sum(one.fields[field] for one in self.days)
            label = f"{having} of {texts} texts have it"
            found.append((field, having, texts, draw_shares(shares, label)))
        return tuple(found)


def view_sources(desk: Desk, _asked: SourcesAsked) -> SourcesTold:
    """Return all sources."""
    groups: dict[str, list[Glance]] = {"crawled": [], "foreign": [], "waiting": [], "retired": []}
    for one in list_glances(desk, retired=True):
        known = desk.sources.get(one.source)
        captured = desk.catalog.head(one.source)[0] > 0
        if known is None:
            groups["foreign"].append(one)
        elif known.retired:
            groups["retired"].append(one)
        else:
            groups["crawled" if captured else "waiting"].append(one)
    return SourcesTold(groups=tuple(SourceGroup(key=key, sources=tuple(found)) for key, found in groups.items()))


def view_source(desk: Desk, asked: SourceAsked) -> SourceTold:
    """Return one source. Raises NotThere."""
    naming = name_source(desk, asked.source)
    known = desk.sources.get(asked.source)
    spools = desk.state / "spool"
    (health,) = read_health(
        desk.catalog, [known or asked.source], desk.settings, desk.now, spools=spools, memory=desk.health
    )
    tally = recall_tally(desk.health, asked.source)
    counted = tally is not None and tally.seq > 0
    return SourceTold(
        source=naming,
        home=None if known is None else known.home,
        languages=() if known is None else tuple(dict.fromkeys(filter(None, [known.language, *known.languages]))),
        schedule=None if known is None else known.schedule,
        retired=known is not None and known.retired,
        seeds=() if known is None else tuple((entry.kind, entry.url) for entry in known.discover),
        began=None if tally is None else tally.began,
        last_capture=None if tally is None else tally.last_capture,
        head=desk.catalog.head(asked.source)[0],
        articles=desk.catalog.count_articles(asked.source),
        health=tell_health(health),
        days=count_days(tally, desk.now) if tally is not None and counted else (),
        lags=list_lags(tally, desk.now) if tally is not None and counted else (),
    )


def tell_health(health: SourceHealth) -> HealthTold:
    """Return how a source stands."""
    figures = health.figures
    return HealthTold(
        state=health.state,
        since=health.since,
        reasons=tuple(ReasonTold(**asdict(one)) for one in health.reasons),
        learning=health.learning,
        last_run=figures.last_run,
        last_success=figures.last_success,
        last_new=figures.last_new,
        new_articles=figures.new_articles,
        expected_articles=None if figures.expected_articles is None else round(figures.expected_articles, 1),
        lag_seconds=None if figures.lag is None else figures.lag.total_seconds(),
        usual_lag_seconds=None if figures.usual_lag is None else figures.usual_lag.total_seconds(),
        extraction=figures.extraction,
        usual_extraction=figures.usual_extraction,
        waiting_segments=figures.spool_segments,
        waiting_bytes=figures.spool_bytes,
    )


def count_days(tally: SourceTally, now: datetime) -> tuple[DayCounts, ...]:
    """Return what each of the last DAYS days brought, and what was expected of it by what all of them taught."""
    today = (now - EPOCH) // DAY
    rates = None
    if tally.began is not None and tally.last_new is not None:
        rates = learn_rates(tally.days, tally.began, tally.last_new)
    found = []
    for day in range(today - DAYS + 1, today + 1):
        counts, begin = tally.days.get(day, Counter()), EPOCH + day * DAY
        expected = None if rates is None else round(sum(rates.expect(begin, begin + DAY)), 1)
        found.append(
            DayCounts(
                day=begin.date(),
                new=sum(number for name, number in counts.items() if name.startswith("new ")),
                expected=expected,
                pages=sum(number for name, number in counts.items() if name.startswith("page ")),
                texts=counts["text"],
                fields={field: counts[f"has {field}"] for field in FIELDS},
            )
        )
    return tuple(found)


def _label_day(one: DayCounts) -> str:
    usual = "" if one.expected is None else f", {one.expected:g} are usual"
    return f"{one.day}: {one.new} new{usual}, {one.pages} pages captured"


def _label_lag(one: LagStep) -> str:
    return f"{one.articles} articles after {one.minutes:g} to {one.until_minutes:g} minutes, {one.lately} in a week"


ENDPOINTS = (
    Page("sources", "/sources", SourcesAsked, SourcesTold, view_sources, "All sources"),
    Page("source", "/sources/{source}", SourceAsked, SourceTold, view_source, "A source and how it stands"),
)
