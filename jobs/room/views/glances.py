"""How each source fares, at a glance."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from jobs.catalog.tallies import DAY, EPOCH
from jobs.health import read_health, recall_tally
from jobs.room.charts.sparkline import Sparkline, draw_sparkline
from jobs.room.endpoints import Told

if TYPE_CHECKING:
    from jobs.catalog.health import SourceTally
    from jobs.health import SourceHealth
    from jobs.room.desk import Desk

DAYS = 28
"""Of captures that are shown."""
_PAGE = "page "
"""What the names of counts of pages begin with (jobs.catalog.tallies)."""


class Glance(Told):
    """One source."""

    source: str
    name: str
    language: str
    """As configured; empty: not known."""
    state: str
    """ok, degraded, silent, failing, blocked."""
    reasons: tuple[str, ...]
    """Why it is not ok, the gravest first."""
    learning: str | None
    """What cannot be judged yet."""
    since: datetime | None
    """From when on it stands so."""
    last_capture: datetime | None
    new_articles: int | None
    """First seen in seven days."""
    captures: tuple[int, ...]
    """Of pages, by day (UTC): four weeks, the last is today."""

    @property
    def sparkline(self) -> Sparkline:
        """Those captures as a chart."""
        captures = self.captures
        label = f"Pages captured in {DAYS} days: {sum(captures)}, on one day {max(captures, default=0)} at most"
        return draw_sparkline(captures, label)


def list_glances(desk: Desk, *, retired: bool = False) -> list[Glance]:
    """Return how sources fare. *retired*: as `rank_sources` has it."""
    return [tell_glance(desk, health) for health in rank_sources(desk, retired=retired)]


def rank_sources(desk: Desk, *, retired: bool = False) -> list[SourceHealth]:
    """Return how sources fare, configured ones and those that the archive has: the worst first, then by name.

    *retired*: also those that are retired and have no log.
    """
    configured = (name for name, source in desk.sources.items() if retired or not source.retired)
    names = {*desk.catalog.list_logs(), *configured}
    asked = [desk.sources.get(name, name) for name in names]
    found = read_health(desk.catalog, asked, desk.settings, desk.now, spools=desk.state / "spool", memory=desk.health)
    return sorted(found, key=lambda one: (-one.state.gravity, name_of(desk, one.source).casefold(), one.source))


def name_of(desk: Desk, source: str) -> str:
    """Return the name of *source* as configured, else its id."""
    known = desk.sources.get(source)
    return source if known is None else known.name


def tell_glance(desk: Desk, health: SourceHealth) -> Glance:
    """Return what is told of a source that `rank_sources` has judged."""
    source = desk.sources.get(health.source)
    tally = recall_tally(desk.health, health.source)
    return Glance(
        source=health.source,
        name=name_of(desk, health.source),
        language="" if source is None else source.language or "",
        state=health.state,
        reasons=tuple(reason.text for reason in health.reasons),
        learning=health.learning,
        since=health.since,
        last_capture=None if tally is None else tally.last_capture,
        new_articles=health.figures.new_articles,
        captures=count_captures(tally, desk.now),
    )


def count_captures(tally: SourceTally | None, now: datetime) -> tuple[int, ...]:
    """Return how many pages were captured on each of the last days, the oldest first."""
    today = (now - EPOCH) // DAY
    days = {} if tally is None else tally.days
    return tuple(
        sum(number for name, number in days[day].items() if name.startswith(_PAGE)) if day in days else 0
        for day in range(today - DAYS + 1, today + 1)
    )
