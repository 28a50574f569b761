"""When a source's articles are looked at again: hour by hour, as far as the budget goes; and whose turn is next."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import TYPE_CHECKING

from pydantic import Field

from jobs.rechecks import Kind, RecheckPolicy
from jobs.room.addresses import MORE
from jobs.room.charts.histogram import Bars, draw_bars
from jobs.room.endpoints import Page, Told
from jobs.room.views.namings import Naming, SourceAsked, name_source

if TYPE_CHECKING:
    from jobs.catalog.rechecks import SitePlan
    from jobs.rechecks.order import Turn
    from jobs.room.desk import Desk

MOST_HOURS = 24 * 7
MOST_HOSTS = 20
_HOUR = timedelta(hours=1)


class RechecksAsked(SourceAsked):
    """Which source, and how far to look ahead."""

    hours: int = Field(default=24, ge=1, le=MOST_HOURS)


class PolicyTold(Told):
    """What the source asks for."""

    ages_seconds: tuple[int, ...]
    """After first sight; edits teach which of them, and what lies between, are worth a look."""
    per_day: int | None
    """Rechecks of one host in any 24 hours; `null`: as many as are due."""
    second_look_seconds: float
    """From evidence of deletion to the look that confirms it."""


class HourTold(Told):
    """An hour of a plan."""

    begin: datetime
    due: int
    requests: int
    """With what is overdue, within the budget, if there is a crawl every hour."""


class HostPlan(Told):
    """What is due at one host."""

    host: str
    asked: int
    """Articles looked at again in the last 24 hours."""
    overdue: int
    suspected: int
    """Of these, the ones whose deletion is to be confirmed."""
    unread: int
    """Of these, the ones that were only recorded."""
    oldest: datetime | None
    """When the one was due that is due longest."""
    waiting: int
    """Still due after those hours: the budget does not reach."""
    hours: tuple[HourTold, ...]

    @property
    def chart(self) -> Bars:
        """Requests in each hour."""
        labels = [f"{one.begin:%Y-%m-%d %H:%M} UTC: {one.due} due, {one.requests} requests" for one in self.hours]
        ticks = {
            at: f"{one.begin:%H:%M}" for at, one in enumerate(self.hours) if at % max(1, len(self.hours) // 6) == 0
        }
        total = sum(one.requests for one in self.hours)
        return draw_bars(
            [one.requests for one in self.hours], labels, f"Requests by hour: {total} in {len(self.hours)}", ticks=ticks
        )


class TurnTold(Told):
    """An article whose turn it is."""

    url: str
    due: datetime
    reason: str
    """suspected, unread, gone, age."""


class RechecksTold(Told):
    """The plan of a source's rechecks."""

    source: Naming
    policy: PolicyTold | None
    """`null`: it is not configured here, so nobody knows what is asked for."""
    planned: bool
    """Whether the plan is worked out here."""
    behind: int
    """Commits that are folded, and that the plan does not know yet."""
    hours: int
    hosts: tuple[HostPlan, ...]
    host_count: int
    turns: tuple[TurnTold, ...]
    """The next ones, in the order of a crawl that began now."""


def view_rechecks(desk: Desk, asked: RechecksAsked) -> RechecksTold:
    """Return the plan of a source's rechecks. Raises NotThere."""
    naming = name_source(desk, asked.source)
    known = desk.sources.get(asked.source)
    policy = None if known is None else RecheckPolicy.of(known, desk.settings)
    until = None if policy is None else desk.catalog.planned_until(asked.source, policy)
    sites: list[SitePlan] = []
    turns: list[Turn] = []
    if policy is not None and until is not None:
        sites = desk.catalog.measure_plan(asked.source, policy, desk.now, hours=asked.hours)
        turns = list(islice(desk.catalog.list_turns(asked.source, policy, desk.now), MORE))
    return RechecksTold(
        source=naming,
        policy=None if policy is None else _tell_policy(policy),
        planned=until is not None,
        behind=desk.catalog.head(asked.source)[0] - (until or 0),
        hours=asked.hours,
        hosts=tuple(_tell_site(site, desk.now) for site in sites[:MOST_HOSTS]),
        host_count=len(sites),
        turns=tuple(_tell_turn(turn) for turn in turns),
    )


def _tell_policy(policy: RecheckPolicy) -> PolicyTold:
    return PolicyTold(ages_seconds=policy.ages, per_day=policy.per_day, second_look_seconds=policy.second_look_seconds)


def _tell_site(site: SitePlan, now: datetime) -> HostPlan:
    hours = zip(site.due, site.requests, strict=True)
    return HostPlan(
        host=site.site,
        asked=site.asked,
        overdue=site.overdue,
        suspected=site.suspected,
        unread=site.unread,
        oldest=site.oldest,
        waiting=site.waiting,
        hours=tuple(
            HourTold(begin=now + at * _HOUR, due=due, requests=requests) for at, (due, requests) in enumerate(hours)
        ),
    )


def _tell_turn(turn: Turn) -> TurnTold:
    due = datetime.fromtimestamp(turn.due / 1e6, UTC)
    return TurnTold(url=turn.url, due=due, reason=Kind(turn.kind).name.lower())


ENDPOINTS = (
    Page("rechecks", "/sources/{source}/rechecks", RechecksAsked, RechecksTold, view_rechecks, "When pages are due"),
)
