"""The command daemon: crawls by schedule. A thin front of jobs.schedule."""

from __future__ import annotations

import click

from config.errors import ConfigError, ExitCode
from jobs.cli.options import Invocation, archive_options, crawling_codes, enter_archive, list_logging_options
from jobs.cli.stopping import stop_on_signals
from jobs.runs.elsewhere import warn_of_waiting
from jobs.schedule import run_daemon


@click.command(epilog=crawling_codes())
@click.argument("source", nargs=-1)
@click.option("--max-runs", type=click.IntRange(min=1), help="End after that many runs of each source.")
@click.option("--recheck", type=click.Choice(["due", "all", "none"]), default="due", help="Which known articles again.")
@archive_options
def daemon(invocation: Invocation, *, source: tuple[str, ...], max_runs: int | None, recheck: str) -> int:
    """Crawl SOURCE (default: all with a schedule) by schedule until stopped; each run is a process of its own."""
    chosen = [one for one in invocation.pick_sources(source, all_active=True) if one.schedule]
    if not chosen:
        raise ConfigError("no source has a schedule: add one to its YAML, as in `schedule: every 30 minutes`")
    with enter_archive(invocation) as archive:
        warn_of_waiting(archive)
        archive.refresh()
        last_runs = {one.id: archive.catalog.last_started(one.id) for one in chosen}
    options = ["--recheck", recheck, "--config", str(invocation.config_dir), *list_logging_options()]
    with stop_on_signals() as stop:
        run_daemon(chosen, invocation.settings, last_runs, options=options, max_runs=max_runs, stop=stop)
    return ExitCode.INTERRUPTED if stop.interrupted else ExitCode.DONE
