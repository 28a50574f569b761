"""The command job: one scheduled task in the cloud, with no local state, that may be one of an array."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from config.errors import ConfigError
from config.units import count
from crawler.leash import boot_clock
from jobs.cli.crawling import Budget, crawl_sources
from jobs.cli.failure import note_sources
from jobs.cli.measuring import metrics_option, prepare_figures
from jobs.cli.options import Invocation, archive_options, crawling_codes, enter_archive
from jobs.cli.stopping import stop_on_signals
from jobs.runs.crawl import CrawlRequest
from jobs.shards import Shard, find_shard, parse_shard
from jobs.spool_use import measure_spool

if TYPE_CHECKING:
    from collections.abc import Iterator

    from config.sources import Source

_START_FIELD = 19
"""Of /proc/self/stat, counted from what follows the name: when the process was started, in ticks since boot."""
_LONGEST_START_SECONDS = 60.0


@click.command(epilog=crawling_codes())
@click.argument("source", nargs=-1)
@click.option("--shard", metavar="I/N", help="Crawl part I (from 0) of N; else what the platform's variables say.")
@click.option("--shards", type=click.IntRange(min=1), help="How many parts, where the platform gives the index alone.")
@click.option(
    "--max-seconds",
    type=click.FloatRange(min=1),
    help="Be done within that time: fetching ends --grace seconds before it, or after two thirds of it.",
)
@click.option("--max-pages", type=click.IntRange(min=1), help="At most that many article pages in all.")
@click.option("--limit", type=click.IntRange(min=1), help="At most that many article pages a source.")
@click.option("--grace", type=click.FloatRange(min=0), help="Seconds to close and commit at the end; default 30.")
@click.option("--recheck", type=click.Choice(["due", "all", "none"]), default="due", help="Which known articles again.")
@click.option("--unconditional", is_flag=True, help="Ask for whole pages, not whether they are as they were.")
@metrics_option
@archive_options
def job(
    invocation: Invocation,
    *,
    source: tuple[str, ...],
    shard: str | None,
    shards: int | None,
    max_seconds: float | None,
    max_pages: int | None,
    limit: int | None,
    grace: float | None,
    recheck: str,
    unconditional: bool,
) -> int:
    """Crawl SOURCE (default: all) as a scheduled cloud job: no local state is needed, none is kept.

    In an array job each task takes its part of the sources, by a stable hash of their ids. The platform's variables say
    which: JOB_COMPLETION_INDEX (Kubernetes; give --shards), CLOUD_RUN_TASK_INDEX and _COUNT,
    AWS_BATCH_JOB_ARRAY_INDEX and _SIZE, SLURM_ARRAY_TASK_ID and _COUNT; --shard comes before them.

    --max-seconds bounds the whole job, in good order: what earlier runs left is committed first, the crawl gets what is
    left of the time, and its end is for closing and committing. What the store has not taken by then waits in --state;
    a job without one keeps the folder and names it, and what is lost with the machine is fetched again.
    """
    prepare_figures(invocation)
    chosen = invocation.pick_sources(source, all_active=True)
    note_sources(chosen)
    part = choose_shard(shard, shards)
    mine = [one for one in chosen if part is None or part.has(one.id)]
    note_sources(mine)
    if grace is not None:
        settings = invocation.settings.override(grace_seconds=grace)
        invocation = Invocation(settings, invocation.config_dir, invocation.as_json)
    finishing = invocation.settings.grace_seconds
    budget = Budget.of(
        pages=max_pages, max_seconds=max_seconds, grace_seconds=finishing, began=find_start(), shard=part
    )
    request = CrawlRequest(trigger="job", limit=limit, recheck=recheck, unconditional=unconditional)
    with scratch_state(invocation) as stateless, stop_on_signals() as stop, enter_archive(stateless) as archive:
        ordered = take_turns(mine, budget, time.time())
        return crawl_sources(stateless, archive, ordered, request, stop, budget=budget)


def find_start() -> float:
    """Return when this process was started, by the boot clock: loading Python takes seconds on a busy machine."""
    now = boot_clock()
    fields = Path("/proc/self/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    started = int(fields[_START_FIELD]) / os.sysconf("SC_CLK_TCK")
    return started if now - _LONGEST_START_SECONDS <= started <= now else now  # a container may have clocks of its own


def choose_shard(shard: str | None, shards: int | None) -> Shard | None:
    """Return the part that the options or the platform name; `None`: all. Raises ConfigError."""
    if shard is None:
        return find_shard(os.environ, count=shards)
    if shards is not None:
        raise ConfigError("--shard and --shards: found both; --shard 0/4 says how many there are")
    return parse_shard(shard)


def take_turns(sources: list[Source], budget: Budget, now: float) -> list[Source]:
    """Return *sources* beginning with any of them where time or pages may run out, so that none is always last.

    *now*: seconds since the epoch; hashed, since schedules and numbers of sources have factors in common.
    """
    if not sources or (budget.pages is None and budget.done_by is None):
        return sources
    first = int.from_bytes(hashlib.sha256(str(int(now)).encode()).digest()[:8], "big") % len(sources)
    return sources[first:] + sources[:first]


@contextmanager
def scratch_state(invocation: Invocation) -> Iterator[Invocation]:
    """Give the job a state folder for its own length, unless one is configured; keep it if segments wait in it."""
    if invocation.settings.state_dir is not None:
        yield invocation
        return
    folder = Path(tempfile.mkdtemp(prefix="ofrecord-job-"))
    try:
        settings = invocation.settings.override(state_dir=folder)
        yield Invocation(settings, invocation.config_dir, invocation.as_json)
    finally:
        waiting = sum(measure_spool(spool).segments for spool in folder.glob("*/spool/*"))
        waiting += sum(1 for _ in folder.glob("*/spool/*/damaged/*"))
        if waiting:
            click.echo(
                f"ofrecord: not yet in the archive: {count(waiting, 'segment')} in {folder}; keep that folder,"
                f" and a crawl or job with --state {folder} commits what is there",
                err=True,
            )
        else:
            shutil.rmtree(folder, ignore_errors=True)
