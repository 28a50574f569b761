"""What goes on beside the daemon: its figures at a port, alerts. Put together here from what the settings ask for."""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import islice, pairwise
from typing import TYPE_CHECKING

from config.endpoints import parse_listen
from jobs.alerts.outside import HeadAlarm
from jobs.alerts.watch import SPOOLS, watch_archive
from jobs.catalog import Catalog
from jobs.context import CATALOG_FILE
from jobs.heads.keeper import HeadKeeper
from jobs.health import read_health
from jobs.ledger.slots import make_slots

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from config.settings import Settings
    from config.sources import Source
    from jobs.health import HealthMemory, SourceHealth
    from jobs.metrics.observer import MetricsObserver
    from jobs.runs.ending import RunObserver
    from jobs.schedule.service import Pulse

_SPAN = timedelta(days=366)
_SLOTS = 1_500
"""Looked at for the longest gap: some days of a schedule by the minute, years of a daily one."""


@dataclass(slots=True)
class Company:
    """Who is told of the daemon's runs, and what it crawls just now."""

    sources: Sequence[Source] = ()
    observers: list[RunObserver] = field(default_factory=list)
    figures: MetricsObserver | None = None

    @property
    def pulse(self) -> Pulse | None:
        """What is to turn with the daemon's loop."""
        return None if self.figures is None else self.figures.pulse

    def take_in(self, sources: Sequence[Source], last_runs: Mapping[str, datetime | None] | None = None) -> None:
        """Go on with *sources*, all with a schedule. *last_runs*: when those began that the archive knows of."""
        self.sources = tuple(sources)
        if self.figures is not None:
            self.figures.expect({one.id: find_longest_gap(one) for one in sources}, last_runs=last_runs)


@contextmanager
def open_company(settings: Settings, state: Path) -> Iterator[Company]:
    """Keep the daemon the company that *settings* ask for. *state*: as OpenArchive has it.

    Raises ConfigError where the port for figures is taken, or where alerts should go and cannot.
    """
    company = Company()
    memory: HealthMemory = {}

    def read(now: datetime) -> list[SourceHealth]:
        with Catalog.open(state / CATALOG_FILE) as catalog:
            return read_health(catalog, company.sources, settings, now, spools=state / SPOOLS, memory=memory)

    with ExitStack() as stack:
        address = parse_listen(settings.metrics_listen)
        if address is not None:
            from jobs.metrics.observer import MetricsObserver  # noqa: PLC0415 - a daemon without figures does not pay
            from jobs.metrics.server import ProbeServer  # noqa: PLC0415

            figures = company.figures = MetricsObserver(state, read=read)
            stack.enter_context(ProbeServer(address, figures.registry, figures.standing))
            company.observers.append(figures)
        watch = watch_archive(settings, state, lambda: company.sources)
        if watch is not None:
            company.observers.append(stack.enter_context(watch))
        if settings.heads_seconds:
            company.observers.append(stack.enter_context(HeadKeeper(settings, tell=HeadAlarm(settings))))
        yield company


def find_longest_gap(source: Source) -> float:
    """Return the longest time between two slots of a *source* that has a schedule, in seconds; of cron: coming ones."""
    schedule = source.parsed_schedule
    if schedule is None:
        raise ValueError(f"{source.id} has no schedule")
    if schedule.interval_seconds is not None:
        return float(schedule.interval_seconds)
    slots, now = make_slots(schedule), datetime.now(UTC)
    first = slots.following(now)
    coming = [first, slots.following(first), *islice(slots.between(first, now + _SPAN), _SLOTS)]
    return max((after - before).total_seconds() for before, after in pairwise(sorted(set(coming))))
