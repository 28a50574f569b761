"""The command crawl, and what it shares with job: sources crawled one after the other, and their report."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from config.errors import ArchiveError, ConfigError, ExitCode
from config.rules import readable_url
from crawler.urls import normalise_url
from jobs.cli.options import Invocation, archive_options, count, crawling_codes, enter_archive, printable
from jobs.cli.stopping import StopRequest, stop_on_signals
from jobs.runs.crawl import CrawlRequest, RunReport, run_crawl

if TYPE_CHECKING:
    from config.sources import Source
    from jobs.context import OpenArchive
    from jobs.shards import Shard

VERDICTS = ("new", "revised", "reverted", "returned", "suspected", "gone", "uncompared", "bad", "unchanged")
_SHOWN, _REASONS = 50, 5
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
@click.option("--trigger", default="crawl", hidden=True)
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
    trigger: str,
    slot: datetime | None,
) -> int:
    """Crawl SOURCE once: discover, capture, commit, and say what is new."""
    if not source and not every:
        raise ConfigError("no source named: give one or more, or --all; ofrecord sources list shows them")
    if urls and len(source) != 1:
        raise ConfigError("--urls needs exactly one SOURCE: its rules read the pages")
    if urls:
        require_urls(urls)
    request = CrawlRequest(trigger=trigger, slot=slot, urls_file=urls, limit=limit, recheck=recheck)
    chosen = invocation.pick_sources(source, all_active=every)
    with stop_on_signals() as stop, enter_archive(invocation) as archive:
        return crawl_sources(invocation, archive, chosen, request, stop)


@dataclass(slots=True)
class Budget:
    """What all runs of one command together may take; `None`: as much as they need."""

    pages: int | None = None
    """Article pages that are left."""
    deadline: float | None = None
    """By time.monotonic()."""
    shard: Shard | None = None
    """Whose sources these are, for the report."""

    @property
    def spent(self) -> bool:
        """Whether no run may begin any more."""
        return (self.pages is not None and self.pages <= 0) or (
            self.deadline is not None and time.monotonic() >= self.deadline
        )

    def fit(self, request: CrawlRequest) -> CrawlRequest:
        """Return *request* within what is left."""
        limits = [limit for limit in (request.limit, self.pages) if limit is not None]
        seconds = None if self.deadline is None else max(1.0, self.deadline - time.monotonic())
        return replace(request, limit=min(limits, default=None), max_seconds=seconds)

    def take(self, report: RunReport) -> None:
        """Count what a run took."""
        if self.pages is not None:
            self.pages -= report.pages


def require_urls(path: Path) -> None:
    """Raise ConfigError unless each line of the file is a URL, empty or a comment, and one at least is a URL."""
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


def refused_report(source: str, error: ArchiveError) -> RunReport:
    """Return the report of a run that could not begin, or whose results wait in the spool."""
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
        exit_code=error.exit_code,
        problems=[str(error)],
    )


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
    for source in chosen:
        if stop.is_set() or allowed.spent:
            break
        try:
            report = run_crawl(archive, source, allowed.fit(request), stop=stop)
        except ArchiveError as error:  # one source's trouble is not another's
            report = refused_report(source.id, error)
        reports.append(report)
        allowed.take(report)
        for problem in report.problems:
            named = problem.startswith(f"{source.id}: ")  # some errors name their source, as where they happened
            click.echo(f"ofrecord: {problem}" if named else f"ofrecord: {source.id}: {problem}", err=True)
        if report.run and not invocation.as_json:
            click.echo(describe_run(report, archive.catalog.list_verdicts(report.run)))
    left = [source.id for source in chosen[len(reports) :]]
    if left:
        click.echo(f"ofrecord: not begun: {', '.join(left)}; the next run comes to them", err=True)
    if invocation.as_json:
        invocation.print_result(total_reports(reports, budget, left), "")
    elif not chosen and budget is not None:
        click.echo(f"no source falls to shard {budget.shard}")
    if stop.interrupted:
        return ExitCode.INTERRUPTED
    return max((report.exit_code for report in reports), default=ExitCode.DONE)


def describe_run(report: RunReport, verdicts: list[dict[str, Any]]) -> str:
    """Return a run for people: one line of counts, then a line for each page that is not as it was."""
    counts = [f"{report.verdicts[name]} {name}" for name in VERDICTS if report.verdicts.get(name)]
    links = sum(seed.get("links", 0) for seed in report.discovery)
    lines = [" · ".join([f"{report.source}: {count(links, 'link')} found", count(report.pages, "page"), *counts])]
    telling = [row for row in verdicts if row["verdict"] not in {"unchanged", "bad", None}]
    lines += [f"  {row['verdict']:<10} {readable_url(row['url'])}" for row in telling[:_SHOWN]]
    if len(telling) > _SHOWN:
        lines.append(f"  … and {len(telling) - _SHOWN} more: ofrecord list --source {report.source}")
    reasons = Counter(row["class_reason"] for row in verdicts if row["verdict"] == "bad")
    lines += [f"  bad        {number} × {printable(reason)}" for reason, number in reasons.most_common(_REASONS)]
    if report.reason != "finished":
        lines.append(f"  {_ENDS.get(report.reason, report.reason)}; the next crawl goes on from here")
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
