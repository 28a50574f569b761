"""The command status: how each source stands, with the reasons, for people and for monitors."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

from config.errors import ConfigError, ExitCode
from config.units import count
from jobs.archive.identity import list_sources
from jobs.cli.options import Invocation, archive_options, enter_archive, exit_codes, printable
from jobs.health import State, read_health
from jobs.health.quality import show_span
from jobs.runs.elsewhere import warn_of_waiting

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from config.sources import Source
    from jobs.health import SourceHealth

_COLUMNS = ("source", "state", "since", "last run", "last new", "new a week", "lag", "texts", "waiting here")
_UNKNOWN = "-"
_CODES = (ExitCode.UNWELL, ExitCode.DISK_FULL, ExitCode.NO_ARCHIVE, ExitCode.STORE_REFUSED, ExitCode.DAMAGE)


@click.command(epilog=exit_codes(*_CODES))
@click.argument("source", nargs=-1)
@click.option("--strict", is_flag=True, help="End with 5 for sources that are degraded, too.")
@click.option("--full", is_flag=True, help="Read all facts of the archive first, where this machine has only some.")
@archive_options
def status(invocation: Invocation, *, source: tuple[str, ...], strict: bool, full: bool) -> int:
    """Show how SOURCE stands (default: all that are configured and not retired, and all in the archive).

    A source is ok, degraded (something is worse than it was), silent (nothing new for longer than is plausible),
    failing (its last runs brought nothing) or blocked (its publisher refuses us); under it stands why. New articles a
    week: found and expected; lag: from publication to capture; texts: share of pages that a text came of.

    Nothing is fetched from the web. For monitors: ends with 0 if all is well or only degraded, with 5 if a source is
    silent, failing or blocked, and with anything else if that cannot be said.
    """
    with enter_archive(invocation) as archive:
        warn_of_waiting(archive)
        known = list_sources(archive.store)
        chosen = choose_sources(invocation, known, source)
        for one in chosen:
            name = one if isinstance(one, str) else one.id
            if name in known:
                if full:
                    archive.refresh(name)
                else:
                    archive.prepare(name)
        now = datetime.now(UTC)
        found = read_health(archive.catalog, chosen, archive.settings, now, spools=archive.state / "spool")
    if invocation.as_json:
        for health in found:
            invocation.print_result(health_to_json(health), "")
    else:
        for line in describe_all(found):
            click.echo(line)
    worst = max((health.state.gravity for health in found), default=0)
    return ExitCode.UNWELL if worst > (State.OK if strict else State.DEGRADED).gravity else ExitCode.DONE


def choose_sources(invocation: Invocation, known: list[str], names: tuple[str, ...]) -> list[Source | str]:
    """Return the sources of those ids or, without any, those configured and those in the archive. Raises ConfigError.

    Of those that are not configured, the id: it may be an archive of somebody else.
    """
    configured = invocation.load_sources()
    if not names:
        active = {name for name, one in configured.items() if not one.retired}
        names = tuple(sorted(active | (set(known) - configured.keys())))
    if missing := [name for name in names if name not in configured and name not in known]:
        there = ", ".join(sorted({*configured, *known})) or "none"
        raise ConfigError(f"no source {missing[0]!r}, neither configured nor in this archive; there are: {there}")
    return [configured.get(name, name) for name in dict.fromkeys(names)]


def health_to_json(health: SourceHealth) -> dict[str, Any]:
    """Return a source's health as JSON data: spans in seconds."""
    data = asdict(health)
    data.update(data.pop("figures"))
    for name in ("lag", "usual_lag"):
        span = data.pop(name)
        data[f"{name}_seconds"] = None if span is None else span.total_seconds()
    return {name: round(value, 3) if isinstance(value, float) else value for name, value in data.items()}


def describe_all(found: Iterable[SourceHealth]) -> Iterator[str]:
    """Yield the table: a line for each source, and under it what is wrong or not known."""
    healths = list(found)
    rows = [_COLUMNS, *(_list_cells(health) for health in healths)]
    widths = [max(len(row[at]) for row in rows) for at in range(len(_COLUMNS))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    yield lines[0]
    for health, line in zip(healths, lines[1:], strict=True):
        yield line
        for reason in health.reasons:
            yield f"  {reason.state}: {printable(reason.text)} ({reason.kind})"
        if health.learning:
            yield f"  not judged yet: {health.learning}"


def _list_cells(health: SourceHealth) -> tuple[str, ...]:
    told = health.figures
    expected = "" if told.expected_articles is None else f" of {told.expected_articles:.0f}"
    waiting = _UNKNOWN if not told.spool_segments else count(told.spool_segments, "segment")
    if told.spool_segments and told.spool_since is not None:
        waiting += f", {told.spool_bytes:,} bytes, {show_span(health.judged_at - told.spool_since)}"
    return (
        health.source,
        health.state.value,
        _show_time(health.since),
        _show_time(told.last_run),
        _show_time(told.last_new),
        _UNKNOWN if told.new_articles is None else f"{told.new_articles}{expected}",
        _UNKNOWN if told.lag is None else show_span(told.lag),
        _UNKNOWN if told.extraction is None else f"{100 * told.extraction:.0f} %",
        waiting,
    )


def _show_time(at: datetime | None) -> str:
    return _UNKNOWN if at is None else f"{at:%Y-%m-%d %H:%M}Z"
