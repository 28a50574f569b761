"""The command plan: what is due when, by source and host, and how far the budget of rechecks goes."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from itertools import groupby
from typing import TYPE_CHECKING, Any

import click

from config.errors import ConfigError
from config.rules import readable_url
from config.units import count
from crawler.rows import format_time
from jobs.archive.identity import list_sources
from jobs.cli.options import Invocation, archive_options, enter_archive, iterate_json, printable, reading_codes
from jobs.rechecks import Kind, RecheckPolicy

if TYPE_CHECKING:
    from collections.abc import Iterator

    from config.sources import Source
    from jobs.catalog.rechecks import SitePlan
    from jobs.context import OpenArchive

MOST_HOURS = 24 * 366
_DAY_HOURS = 24


@click.command(epilog=reading_codes())
@click.option("--source", multiple=True, help="Only of this source; may be given again. Default: all that are crawled.")
@click.option("--hours", type=click.IntRange(1, MOST_HOURS), help="How far to look ahead; default: 24.")
@click.option("--until", type=click.DateTime(["%Y-%m-%d", "%Y-%m-%dT%H:%M"]), help="The same as a time, in UTC.")
@click.option(
    "--articles", is_flag=True, help="The articles themselves that are due by then, source by source, in order of time."
)
@archive_options
def plan(
    invocation: Invocation, *, source: tuple[str, ...], hours: int | None, until: datetime | None, articles: bool
) -> None:
    """Show which articles are looked at again when: what is due, requests an hour by host, and the budget's use.

    Nothing is fetched, and nothing in the archive changes. Of each article the next look alone is known; a crawl in
    every hour is assumed. New articles come on top: no budget holds them back.
    """
    now = datetime.now(UTC)
    ahead = count_hours(now, hours, until)
    with enter_archive(invocation) as archive:
        for one in choose_sources(invocation, archive, source):
            archive.prepare(one.id)
            policy = RecheckPolicy.of(one, invocation.settings)
            if articles:
                show_articles(invocation, archive, one, policy, now + timedelta(hours=ahead))
                continue
            for site in archive.catalog.measure_plan(one.id, policy, now, hours=ahead):
                text = "\n".join(describe_site(one.id, site, now))
                invocation.print_result(site_to_json(one.id, site, now), text)


def count_hours(now: datetime, hours: int | None, until: datetime | None) -> int:
    """Return how many hours to look ahead, begun ones counted. Raises ConfigError."""
    if until is None:
        return hours or _DAY_HOURS
    if hours is not None:
        raise ConfigError("--hours and --until: found both; one says it")
    ahead = -(-(until.replace(tzinfo=UTC) - now) // timedelta(hours=1))
    if not 1 <= ahead <= MOST_HOURS:
        raise ConfigError(f"--until: found {until:%Y-%m-%dT%H:%M}, expected a time to come, within a year")
    return int(ahead)


def choose_sources(invocation: Invocation, archive: OpenArchive, names: tuple[str, ...]) -> list[Source]:
    """Return the sources of those ids, or all that are crawled and have articles here. Raises ConfigError."""
    known = set(list_sources(archive.store))
    chosen = invocation.pick_sources(names, all_active=True)
    if missing := [one.id for one in chosen if one.id in names and one.id not in known]:
        raise ConfigError(f"no source {missing[0]!r} in this archive; it has {', '.join(sorted(known)) or 'none'}")
    return [one for one in chosen if one.id in known]


def show_articles(
    invocation: Invocation, archive: OpenArchive, source: Source, policy: RecheckPolicy, until: datetime
) -> None:
    """Write what is due until then, whatever the budget: one article a line."""
    turns = archive.catalog.list_turns(source.id, policy, until, within_budget=False)
    lines: Iterator[dict[str, Any]] = (
        {
            "source": source.id,
            "host": turn.site,
            "due": datetime.fromtimestamp(turn.due / 1e6, UTC),
            "reason": Kind(turn.kind).name.lower(),
            "url": turn.url,
        }
        for turn in sorted(turns, key=lambda turn: (turn.due, turn.url))
    )
    if invocation.as_json:
        for line in iterate_json(lines):
            click.echo(line)
        return
    for data in lines:
        click.echo(f"{data['due']:%Y-%m-%d %H:%M}Z  {data['reason']:<9}  {printable(readable_url(data['url']))}")


def site_to_json(source: str, site: SitePlan, now: datetime) -> dict[str, Any]:
    """Return the plan of a host as JSON data."""
    data = asdict(site)
    due, requests = data.pop("due"), data.pop("requests")
    data["host"] = data.pop("site")
    data["hours"] = [
        {"from": format_time(now + timedelta(hours=at)), "due": due[at], "requests": requests[at]}
        for at in range(len(due))
    ]
    return {"source": source, **data}


def describe_site(source: str, site: SitePlan, now: datetime) -> Iterator[str]:
    """Yield the plan of a host, for people: the budget, what is overdue, and the hours in which there is something."""
    budget = "no budget" if site.per_day is None else f"{site.asked} of {site.per_day} rechecks used in 24 hours"
    yield f"{source} · {printable(site.site)} · {budget}"
    if site.overdue:
        since = f", since {site.oldest:%Y-%m-%d %H:%M}Z" if site.oldest else ""
        named = [f"{site.suspected} suspected"] * bool(site.suspected) + [f"{site.unread} unread"] * bool(site.unread)
        yield f"  due now {site.overdue:>8}{since}" + (f" ({', '.join(named)})" if named else "")
    yield from _list_times(site, now)
    if site.waiting:
        yield f"  beyond the budget: {count(site.waiting, 'article')} still due then (politeness.rechecks_per_day)"


def _list_times(site: SitePlan, now: datetime) -> Iterator[str]:
    """Yield a line for each hour or, where there are more than two days of them, for each day."""
    form = "%Y-%m-%d %H:%M" if len(site.due) <= 2 * _DAY_HOURS else "%Y-%m-%d"
    due: Counter[str] = Counter()
    requests: Counter[str] = Counter()
    times = [f"{now + timedelta(hours=at):{form}}" for at in range(len(site.due))]
    for at, when in enumerate(times):
        due[when] += site.due[at]
        requests[when] += site.requests[at]
    if not any(due.values()) and not any(requests.values()):
        yield "  nothing is due in that time"
        return
    yield f"  {'from':<16} {'due':>8} {'requests':>9}"
    for when, _ in groupby(times):
        if due[when] or requests[when]:
            yield f"  {when:<16} {due[when]:>8} {requests[when]:>9}"
