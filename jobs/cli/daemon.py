"""The command daemon: crawls by schedule. A thin front of jobs.schedule."""

from __future__ import annotations

import signal
import time
from contextlib import ExitStack
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from config.errors import ConfigError, ExitCode
from config.loading import load_settings
from config.sources import load_sources
from crawler.rows import SlotRow
from jobs.archive.identity import list_sources
from jobs.cli.company import open_company
from jobs.cli.options import (
    Invocation,
    archive_options,
    crawling_codes,
    enter_archive,
    list_logging_options,
    pick_source,
)
from jobs.context import is_crawled_here
from jobs.ledger import Outcome
from jobs.runs.elsewhere import warn_of_waiting
from jobs.schedule.book import ArchiveBook
from jobs.schedule.process import ORPHAN_SECONDS
from jobs.schedule.service import run_daemon

if TYPE_CHECKING:
    from collections.abc import Sequence

    from config.settings import Settings
    from config.sources import Source
    from jobs.context import OpenArchive

_POLL_SECONDS = 0.2
_OPTIONS = ("archive", "state_dir", "log_file")
"""Settings that options may give, for as long as the daemon lives."""


@click.command(epilog=crawling_codes())
@click.argument("source", nargs=-1)
@click.option("--max-runs", type=click.IntRange(min=1), help="End after that many runs of each source.")
@click.option("--recheck", type=click.Choice(["due", "all", "none"]), default="due", help="Which known articles again.")
@archive_options
def daemon(invocation: Invocation, *, source: tuple[str, ...], max_runs: int | None, recheck: str) -> int:
    """Crawl SOURCE (default: all with a schedule) by schedule until stopped; each run is a process of its own.

    SIGHUP reads sources and settings anew; SIGTERM ends runs in good order, a second one at once.
    """
    signal.signal(signal.SIGHUP, signal.SIG_IGN)  # until there is something to read anew
    chosen = choose_sources(invocation.load_sources(), source)
    read = load_settings(invocation.config_dir)
    given = {name: value for name in _OPTIONS if (value := getattr(invocation.settings, name)) != getattr(read, name)}
    with ExitStack() as stack:
        with enter_archive(invocation) as archive:
            company = stack.enter_context(open_company(invocation.settings, archive.state))  # before what takes time
            warn_of_waiting(archive)
            wait_for_orphans(archive, chosen, invocation.settings)
            archive.refresh()
            if not source:
                unschedule_others(archive, chosen)
            company.take_in(chosen, {one.id: archive.catalog.last_started(one.id) for one in chosen})
            state = archive.state

        def load() -> tuple[Sequence[Source], Settings]:
            settings = load_settings(invocation.config_dir)
            found = choose_sources(load_sources(invocation.config_dir / "sources"), source)
            company.take_in(found)
            return found, settings.model_copy(update=given)

        interrupted = run_daemon(
            chosen,
            invocation.settings,
            ArchiveBook(state),
            load=load,
            options=["--recheck", recheck, *list_logging_options()],
            observers=company.observers,
            pulse=company.pulse,
            max_runs=max_runs,
        )
    return ExitCode.INTERRUPTED if interrupted else ExitCode.DONE


def choose_sources(known: dict[str, Source], names: tuple[str, ...]) -> list[Source]:
    """Return the sources of those *names*, or all, as far as they have a schedule. Raises ConfigError if none has."""
    named = [pick_source(name, known) for name in names] if names else list(known.values())
    chosen = [one for one in named if one.schedule and not (one.retired and not names)]
    if not chosen:
        raise ConfigError("no source has a schedule: add one to its YAML, as in `schedule: every 30 minutes`")
    return chosen


def unschedule_others(archive: OpenArchive, chosen: Sequence[Source]) -> None:
    """Note of each source that has left the schedule while no daemon ran that no slots are expected any more."""
    book, now = ArchiveBook(archive.state), datetime.now(UTC)
    for source in set(list_sources(archive.store)) - {one.id for one in chosen}:
        if book.read(source, now).schedule is not None:
            book.note(source, SlotRow(now, Outcome.UNSCHEDULED))


def wait_for_orphans(archive: OpenArchive, chosen: Sequence[Source], settings: Settings) -> None:
    """Give runs of a daemon that was killed the time they take to end in good order: then their slots are known."""
    deadline = time.monotonic() + settings.grace_seconds + ORPHAN_SECONDS
    while time.monotonic() < deadline and any(is_crawled_here(archive.spool(one.id)) for one in chosen):
        time.sleep(_POLL_SECONDS)
