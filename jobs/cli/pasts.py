"""The command backfill: a source's past out of web archives, or out of old lists of its own site."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from config.errors import ConfigError, ExitCode
from config.rules import readable_url
from config.units import count
from config.webarchives import FORM, parse_web_archive
from jobs.backfill.deep import MAX_REQUESTS, DeepRequest, run_deep
from jobs.backfill.running import BackfillRequest, run_backfill
from jobs.cli.crawling import count_urls, describe_run
from jobs.cli.failure import note_sources
from jobs.cli.heads import write_after
from jobs.cli.options import Invocation, archive_options, crawling_codes, enter_archive, printable
from jobs.cli.progress import show_line
from jobs.cli.stopping import stop_on_signals
from jobs.cli.times import A_TIME, read_time
from jobs.cli.watching import show_run

if TYPE_CHECKING:
    from collections.abc import Iterator

    from config.sources import Source
    from crawler.backfill import ArchiveReport, BackfillReport
    from jobs.backfill.deep import DeepReport
    from jobs.cli.stopping import StopRequest
    from jobs.context import OpenArchive
    from jobs.runs.crawl import RunReport
    from jobs.runs.progress import RunStep
    from jobs.visits import VisitStep

_REASONS = 5


@click.command(epilog=crawling_codes())
@click.argument("source")
@click.option("--from", "begin", help=f"Copies from then on: {A_TIME}. Default: as far back as an archive goes.")
@click.option("--to", "end", help=f"Copies before then: {A_TIME}. Default: now.")
@click.option(
    "--every",
    is_flag=True,
    help="All copies. Default: of copies in a row with the same content one, by TimeMaps a few.",
)
@click.option("--again", is_flag=True, help="Ask for what earlier backfills asked for, too.")
@click.option("--below", multiple=True, metavar="URL", help="Only pages whose URL begins so. May be given often.")
@click.option(
    "--urls",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Ask TimeMaps for these pages, one URL a line. Default: for the articles that the archive has.",
)
@click.option("--web-archive", multiple=True, metavar="TEXT", help=f"{FORM}: in place of the configured ones.")
@click.option(
    "--deep",
    is_flag=True,
    help="Ask the publisher's own site instead: old sitemaps, and lists by date or page, as far back as they go.",
)
@click.option("--max-pages", type=click.IntRange(min=1), help="Keep at most that many captures.")
@click.option(
    "--max-requests",
    type=click.IntRange(min=1),
    help=f"Send at most that many requests. Default: what max_run_seconds lets through; with --deep {MAX_REQUESTS}.",
)
@archive_options
def backfill(
    invocation: Invocation,
    *,
    source: str,
    begin: str | None,
    end: str | None,
    every: bool,
    again: bool,
    below: tuple[str, ...],
    urls: Path | None,
    web_archive: tuple[str, ...],
    deep: bool,
    max_pages: int | None,
    max_requests: int | None,
) -> int:
    """Bring the past of SOURCE in, from web archives: their copies of its articles become captures of their own time.

    With --deep, from the site itself: articles that only old lists name are captured as they are today. Newest first;
    what the archive has is not asked for. May be stopped at any time: the next backfill goes on.
    """
    now = datetime.now(UTC)
    if urls is not None:
        count_urls(urls)
    request = BackfillRequest(
        web_archives=tuple(map(_check_archive, web_archive)),
        begin=read_time("--from", begin, now),
        end=read_time("--to", end, now),
        every=every,
        again=again,
        below=tuple(map(_check_below, below)),
        pages_file=urls,
        max_pages=max_pages,
        max_requests=max_requests,
    )
    if request.begin and request.begin >= (request.end or now):
        raise ConfigError("--from: found a time that is not before --to")
    [chosen] = invocation.pick_sources((source,))
    note_sources([chosen])
    if deep and (every or below or urls or web_archive):
        raise ConfigError("--deep: found an option for web archives beside it; the publisher's own site has no copies")
    with stop_on_signals() as stop, enter_archive(invocation) as archive:
        if deep:
            wanted = DeepRequest(request.begin, request.end, again, max_pages, max_requests)
            return _dig(invocation, archive, chosen, wanted, stop)
        with show_run(wanted=not invocation.as_json) as tell:
            report, found = run_backfill(archive, chosen, request, stop=stop, tell=tell)
        for problem in report.problems:
            click.echo(f"ofrecord: {chosen.id}: {problem}", err=True)
        data = report.to_json() | describe_backfill(found)
        invocation.print_result(data, "\n".join(render_backfill(report, found)))
        if stop.interrupted:
            return ExitCode.INTERRUPTED
        unwell = found is not None and bool(found.archives) and all(one.error for one in found.archives)
        code = max(report.exit_code, ExitCode.CRAWL_FAILED) if unwell else report.exit_code
        return max(code, write_after(archive, [chosen.id])) if report.segments and not stop.is_set() else code


def _dig(invocation: Invocation, archive: OpenArchive, source: Source, request: DeepRequest, stop: StopRequest) -> int:
    with show_line(wanted=not invocation.as_json) as line:

        def tell_visit(step: VisitStep) -> None:
            if line is not None:
                told = f"{source.id} · looking for articles · request {step.requests} · {printable(step.url)}"
                line.show(lambda columns: told[:columns])

        def tell(step: RunStep) -> None:
            if line is not None:
                told = f"{step.source} · {step.crawl.pages}/{step.crawl.pages + step.left} pages"
                line.show(lambda columns: told[:columns])

        run, found = run_deep(archive, source, request, stop=stop, tell=tell, tell_visit=tell_visit)
    for problem in run.problems if run is not None else ():
        click.echo(f"ofrecord: {source.id}: {problem}", err=True)
    data = {"source": source.id, "run": None} | (run.to_json() if run is not None else {}) | asdict(found)
    lines = list(render_deep(source.id, found))
    if run is not None:
        lines.append(describe_run(run, archive.catalog.list_verdicts(run.run)))
    invocation.print_result(data, "\n".join(lines))
    if stop.interrupted:
        return ExitCode.INTERRUPTED
    if run is None:
        return ExitCode.DONE
    return (
        max(run.exit_code, write_after(archive, [source.id])) if run.segments and not stop.is_set() else run.exit_code
    )


def render_deep(source: str, found: DeepReport) -> Iterator[str]:
    """Yield how a deep discovery went, for people."""
    yield (
        f"{source}: {count(found.lists, 'list')} read by {count(found.requests, 'request')}"
        f" · {count(found.found, 'article')} found that were not had · {found.waiting} still to be fetched"
    )
    yield "  no list is left to be read" if found.done else "  lists are left to be read; the next --deep goes on"


def describe_backfill(found: BackfillReport | None) -> dict[str, Any]:
    """Return what came of each web archive as JSON data."""
    if found is None:
        return {"requests": 0, "archives": []}
    archives = [asdict(one) | {"refused": dict(one.refused)} for one in found.archives]  # asdict counts a Counter anew
    return {"requests": found.requests, "archives": archives}


def render_backfill(report: RunReport, found: BackfillReport | None) -> Iterator[str]:
    """Yield how a backfill went, for people."""
    for one in found.archives if found is not None else ():
        yield from _render_archive(report.source, one)
    sent = count(found.requests, "request") if found is not None else "no request"
    ended = "ended at a limit; the next backfill goes on" if report.reason == "limit" else report.reason
    yield (
        f"  {ended} · {sent} sent · {count(report.segments, 'segment')} committed"
        f" · {report.seconds:.1f} s · {report.run or 'no run'}"
    )


def _render_archive(source: str, one: ArchiveReport) -> Iterator[str]:
    kept = f"{count(one.kept, 'capture')} kept"
    if one.oldest is not None and one.newest is not None:
        kept += f" ({one.texts} with text), of {one.oldest:%Y-%m-%d} to {one.newest:%Y-%m-%d}"
    yield f"{source}: {readable_url(one.address)}"
    yield f"  {one.listed} copies listed · {one.chosen} looked at · {one.had} had already · {kept}"
    for reason, number in one.refused.most_common(_REASONS):
        yield f"  left out   {number} × {printable(reason)}"
    if one.error is not None:
        yield f"  left alone: {printable(one.error)}; the next backfill goes on"
    elif one.done:
        yield "  nothing is left to do there"


def _check_archive(text: str) -> str:
    try:
        parse_web_archive(text)
    except ValueError as error:
        raise ConfigError(f"--web-archive: found {printable(text[:80])!r}, expected {error}") from error
    return text


def _check_below(url: str) -> str:
    if not url.startswith(("http://", "https://")):
        raise ConfigError(f"--below: found {printable(url[:80])!r}, expected a URL with http:// or https://")
    return url
