"""The command crawl, and what it shares with job: sources crawled one after the other, and their report."""

from __future__ import annotations

import os
import tempfile
from collections import Counter
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import structlog

from config.errors import ArchiveError, ConfigError, ExitCode
from config.rules import readable_url
from config.units import count
from crawler.leash import boot_clock
from crawler.urls import normalise_url
from jobs.cli.failure import judge_os_error, note_reported, note_sources
from jobs.cli.heads import write_after
from jobs.cli.measuring import metrics_option, note_run, prepare_figures
from jobs.cli.options import Invocation, archive_options, crawling_codes, enter_archive, printable
from jobs.cli.progress import show_size
from jobs.cli.stopping import StopRequest, stop_on_signals
from jobs.cli.watching import show_run
from jobs.heads.post import POST_SECONDS
from jobs.runs.crawl import CrawlRequest, RunReport, run_crawl
from jobs.runs.elsewhere import warn_of_waiting
from jobs.schedule.jitter import find_wait

if TYPE_CHECKING:
    from collections.abc import Iterable

    from config.sources import Source
    from jobs.context import OpenArchive
    from jobs.shards import Shard

log = structlog.get_logger()

VERDICTS = ("new", "revised", "reverted", "returned", "suspected", "gone", "uncompared", "bad", "unread", "unchanged")
_SHOWN, _REASONS = 50, 5
_PROBE_BYTES = 64 * 1024
_LEAST_POST_SECONDS = 2.0
_ENDS = {"limit": "ended at a limit", "stopped": "was stopped", "lease": "lost its lease", "died": "died"}


@click.command(epilog=crawling_codes())
@click.argument("source", nargs=-1)
@click.option("--all", "every", is_flag=True, help="All sources that are not retired.")
@click.option(
    "--urls",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Fetch these pages of one SOURCE, one URL a line, and nothing else.",
)
@click.option("--limit", type=click.IntRange(min=1), help="At most that many article pages a source.")
@click.option("--recheck", type=click.Choice(["due", "all", "none"]), default="due", help="Which known articles again.")
@click.option("--unconditional", is_flag=True, help="Ask for whole pages, not whether they are as they were.")
@click.option(
    "--raw-only/--no-raw-only",
    default=None,
    help="Only record article pages; a later crawl reads them. Default: as the source or the settings say.",
)
@metrics_option
@click.option("--trigger", default="crawl", hidden=True)
@click.option("--owned", is_flag=True, hidden=True)  # by a daemon: see jobs.schedule.assignment
@click.option("--slot", type=click.DateTime(["%Y-%m-%dT%H:%M:%S%z"]), hidden=True)
@archive_options
def crawl(
    invocation: Invocation,
    *,
    source: tuple[str, ...],
    every: bool,
    urls: Path | None,
    limit: int | None,
    recheck: str,
    unconditional: bool,
    raw_only: bool | None,
    trigger: str,
    slot: datetime | None,
) -> int:
    """Crawl SOURCE once: discover, capture, commit, and say what is new."""
    prepare_figures(invocation)
    if not source and not every:
        raise ConfigError("no source named: give one or more, or --all; ofrecord sources list shows them")
    if urls and len(source) != 1:
        raise ConfigError("--urls needs exactly one SOURCE: its rules read the pages")
    given = count_urls(urls) if urls else 0
    request = CrawlRequest(
        trigger=trigger,
        slot=slot,
        urls_file=urls,
        urls=given,
        limit=limit,
        recheck=recheck,
        raw_only=raw_only,
        unconditional=unconditional,
    )
    chosen = invocation.pick_sources(source, all_active=every)
    note_sources(chosen)
    with stop_on_signals() as stop, enter_archive(invocation) as archive:
        if slot is not None and len(chosen) == 1:
            stop.wait(find_wait(chosen[0], slot, datetime.now(UTC), invocation.settings.jitter_seconds))
        return crawl_sources(invocation, archive, chosen, request, stop)


@dataclass(slots=True)
class Budget:
    """What all runs of one command together may take; `None`: as much as they need."""

    pages: int | None = None
    """Article pages that are left."""
    fetch_until: float | None = None
    """By the boot clock; what is then left of the time is for closing, uploading and committing."""
    done_by: float | None = None
    """By the boot clock: when the command is to be through."""
    shard: Shard | None = None
    """Whose sources these are, for the report."""

    @classmethod
    def of(
        cls, *, pages: int | None, max_seconds: float | None, grace_seconds: float, began: float, shard: Shard | None
    ) -> Budget:
        """Return the budget of a command that *began* at that time of the boot clock and may take *max_seconds*.

        Of those the last *grace_seconds*, but a third at most, are for what comes after fetching.
        """
        if max_seconds is None:
            return cls(pages=pages, shard=shard)
        done_by = began + max_seconds
        return cls(pages, done_by - min(grace_seconds, max_seconds / 3), done_by, shard)

    @property
    def spent(self) -> bool:
        """Whether no run may begin any more."""
        return (self.pages is not None and self.pages <= 0) or (
            self.fetch_until is not None and boot_clock() >= self.fetch_until
        )

    def fit(self, request: CrawlRequest) -> CrawlRequest:
        """Return *request* within what is left."""
        limits = [limit for limit in (request.limit, self.pages) if limit is not None]
        return replace(request, limit=min(limits, default=None), fetch_until=self.fetch_until, done_by=self.done_by)

    def take(self, report: RunReport) -> None:
        """Count what a run took."""
        if self.pages is not None:
            self.pages -= report.pages


def count_urls(path: Path) -> int:
    """Return how many URLs the file has. Raises ConfigError if it has none, or another line that is no comment."""
    found = 0
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            text = line.decode("utf-8", "replace").strip()
            if not text or text.startswith("#"):
                continue
            try:
                normalise_url(text)
            except ValueError as error:
                shown = printable(text[:80])
                raise ConfigError(
                    f"{path}:{number}: found {shown!r}, expected a URL with http:// or https://"
                ) from error
            found += 1
    if not found:
        raise ConfigError(f"{path}: found no URL, expected one a line")
    return found


def refused_report(source: str, error: ArchiveError | OSError) -> RunReport:
    """Return the report of a run that could not begin, or whose results wait in the spool."""
    if isinstance(error, ArchiveError):
        code, problem = error.exit_code, str(error)
    else:
        code = judge_os_error(error) or ExitCode.FAILED
        what = {ExitCode.DISK_FULL: "the disk is full"}.get(code, "this disk refuses")
        problem = f"{what}: {error}; what was fetched is kept, the next run goes on"
    return RunReport(
        run="",
        source=source,
        pages=0,
        verdicts={},
        counts={},
        discovery=[],
        segments=0,
        seconds=0.0,
        reason="refused",
        exit_code=code,
        problems=[problem],
    )


def find_disk_trouble(state: Path) -> OSError | None:
    """Try to write a little where all sources keep their spools; return what the disk has against it, if anything."""
    try:
        with tempfile.TemporaryFile(dir=state) as file:
            file.write(bytes(_PROBE_BYTES))
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        return error
    return None


def crawl_one(
    archive: OpenArchive, source: Source, request: CrawlRequest, stop: StopRequest, *, watched: bool = False
) -> tuple[RunReport, OSError | None]:
    """Crawl *source*; return the report, whatever came of it, and what is wrong with the disk for all, if anything.

    *watched*: show how it goes, if stderr is a terminal.
    """
    try:
        with show_run(wanted=watched) as tell:
            return run_crawl(archive, source, request, stop=stop, tell=tell), None
    except ArchiveError as error:  # one source's trouble is not another's
        return refused_report(source.id, error), None
    except BrokenPipeError:  # nobody reads what we say
        raise
    except OSError as error:
        log.warning("failed_run", source=source.id, error=str(error), exc_info=judge_os_error(error) is None)
        return refused_report(source.id, error), find_disk_trouble(archive.state)


def crawl_sources(
    invocation: Invocation,
    archive: OpenArchive,
    chosen: list[Source],
    request: CrawlRequest,
    stop: StopRequest,
    *,
    budget: Budget | None = None,
) -> int:
    """Crawl one after the other, print what each brought, and return the exit code of the worst."""
    allowed = budget or Budget()
    reports: list[RunReport] = []
    watched = not invocation.as_json and request.trigger != "daemon"
    if request.trigger != "daemon":  # which has said it
        warn_of_waiting(archive)
    for source in chosen:
        if stop.is_set() or allowed.spent:
            break
        report, trouble = crawl_one(archive, source, allowed.fit(request), stop, watched=watched)
        reports.append(report)
        note_run(report)
        allowed.take(report)
        for problem in report.problems if request.trigger != "daemon" else ():  # which logs them
            named = problem.startswith(f"{source.id}: ")  # some errors name their source, as where they happened
            click.echo(f"ofrecord: {problem}" if named else f"ofrecord: {source.id}: {problem}", err=True)
        if report.run and not invocation.as_json:
            click.echo(describe_run(report, archive.catalog.list_verdicts(report.run)))
        if trouble is not None:
            if request.trigger != "daemon":
                click.echo(f"ofrecord: no source can be crawled here any more: {trouble}", err=True)
            break
    left = [source.id for source in chosen[len(reports) :]]
    if left:
        click.echo(f"ofrecord: not begun: {', '.join(left)}; the next run comes to them", err=True)
    if invocation.as_json:
        invocation.print_result(total_reports(reports, budget, left), "")
        note_reported()
    elif not chosen and budget is not None:
        click.echo(f"no source falls to shard {budget.shard}")
    told = write_head(archive, reports, request, stop, allowed)
    if stop.interrupted:
        return ExitCode.INTERRUPTED
    return max([told, *(report.exit_code for report in reports)])


def write_head(
    archive: OpenArchive, reports: list[RunReport], request: CrawlRequest, stop: StopRequest, budget: Budget
) -> int:
    """Write down where the logs end now, unless a daemon does; return the exit code of what failed.

    That is nothing to hold up a stop, or a job whose time is over: the next one does it.
    """
    sources = [report.source for report in reports if report.segments]
    left = POST_SECONDS if budget.done_by is None else min(POST_SECONDS, budget.done_by - boot_clock())
    if request.trigger == "daemon" or not sources or stop.is_set():
        return ExitCode.DONE
    return write_after(archive, sources, left) if left > _LEAST_POST_SECONDS else ExitCode.DONE


def describe_run(report: RunReport, verdicts: Iterable[dict[str, Any]]) -> str:
    """Return a run for people: one line of counts, then a line for each page that is not as it was, of many the first.

    *verdicts*: gone through once, and not kept: a run may have a million pages.
    """
    counts = [f"{report.verdicts[name]} {name}" for name in VERDICTS if report.verdicts.get(name)]
    links = sum(seed.get("links", 0) for seed in report.discovery)
    lines = [" · ".join([f"{report.source}: {count(links, 'link')} found", count(report.pages, "page"), *counts])]
    if assets := report.counts.get("assets"):
        lines[0] += f" · {count(assets, 'asset')}"
    reasons: Counter[str] = Counter()
    telling = 0
    for row in verdicts:
        if row["verdict"] == "bad":
            reasons[row["class_reason"]] += 1
        elif row["verdict"] not in {"unchanged", "unread", None}:
            telling += 1
            lines += [f"  {row['verdict']:<10} {readable_url(row['url'])}"] if telling <= _SHOWN else []
    if telling > _SHOWN:
        lines.append(f"  … and {telling - _SHOWN} more: ofrecord list --source {report.source}")
    lines += [f"  bad        {number} × {printable(reason)}" for reason, number in reasons.most_common(_REASONS)]
    if report.reason != "finished":
        left = report.counts.get("links", 0)
        to_do = f", {count(left, 'page')} left to do" if left else ""
        lines.append(f"  {_ENDS.get(report.reason, report.reason)}{to_do}; the next crawl goes on from here")
    if answers := report.counts.get("not_modified"):
        saved = show_size(report.counts.get("bytes_saved", 0))
        lines.append(f"  {count(answers, 'answer')} of 304 (not modified) saved {saved}")
    lines.append(f"  {count(report.segments, 'segment')} committed · {report.seconds:.1f} s · {report.run}")
    return "\n".join(lines)


def total_reports(reports: list[RunReport], budget: Budget | None, left: list[str]) -> dict[str, Any]:
    """Return one object for all runs: sums, and each run's own report. Of one run by hand: that run's.

    *budget*: of a job; *left*: sources that it did not come to.
    """
    if len(reports) == 1 and budget is None:
        return reports[0].to_json()
    total: dict[str, Any] = {"run": None, "pages": 0}
    for report in reports:
        flat = report.to_json()
        for key, value in flat.items():
            if isinstance(value, int | float) and key != "exit_code":
                total[key] = total.get(key, 0) + value
    total["exit_code"] = max((report.exit_code for report in reports), default=0)
    if budget is not None:
        total["shard"] = str(budget.shard) if budget.shard else None
        total["not_begun"] = left
    total["runs"] = [report.to_json() for report in reports]
    return total
