"""The command backfill-gaps: fetches what feeds and sitemaps still name of the times in which nobody looked."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

from config.errors import ExitCode
from config.rules import readable_url
from config.units import count
from jobs.cli.crawling import crawl_one
from jobs.cli.failure import note_sources
from jobs.cli.heads import write_after
from jobs.cli.ledger import choose_ledgers, read_ledger
from jobs.cli.options import Invocation, archive_options, crawling_codes, enter_archive, printable
from jobs.cli.stopping import stop_on_signals
from jobs.cli.times import A_TIME, read_time
from jobs.ledger import find_gaps, list_spans, read_published
from jobs.runs.crawl import CrawlRequest

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from jobs.catalog.slots import Newcomer
    from jobs.context import OpenArchive
    from jobs.ledger import Gap
    from jobs.runs.crawl import RunReport

DEFAULT_SINCE = "30 days"
MAX_GAPS = 1_000
"""That one run looks for at a time: the newest."""
_SHOWN = 50
LOST = "what was published and taken away again within a gap cannot be had: nothing names it any more"


@click.command("backfill-gaps", epilog=crawling_codes())
@click.argument("source", nargs=-1)
@click.option("--since", help=f"Gaps from then on: {A_TIME}. Default: {DEFAULT_SINCE}.")
@click.option("--limit", type=click.IntRange(min=1), help="At most that many article pages a source.")
@click.option("--report-only", is_flag=True, help="Fetch nothing; say what is had of each gap.")
@archive_options
def backfill_gaps(
    invocation: Invocation, *, source: tuple[str, ...], since: str | None, limit: int | None, report_only: bool
) -> int:
    """Close the gaps in SOURCE's ledger (default: of all sources) as far as feeds and sitemaps still reach.

    Gaps are slots that were missed or failed. All listings are read as a whole, whatever is known of them; articles
    that are not had are fetched if they may have been published within a gap.
    """
    now = datetime.now(UTC)
    begin = read_time("--since", since or DEFAULT_SINCE, now) or now
    with stop_on_signals() as stop, enter_archive(invocation) as archive:
        code, changed = ExitCode.DONE, list[str]()
        known = {one.id: one for one in invocation.pick_sources(source, all_active=True)}
        note_sources(list(known.values()))
        for name in choose_ledgers(archive, source):
            if name not in known or stop.is_set():
                continue
            ledger = read_ledger(archive, name, since=begin, now=now)
            started = {run.run: run.started for run in ledger.runs.values()}
            gaps = find_gaps(ledger.stretches, started, now)[-MAX_GAPS:]
            report = None
            if gaps and not report_only:
                request = CrawlRequest(
                    trigger="backfill",
                    recheck="none",
                    unconditional=True,
                    limit=limit,
                    gaps=list_spans(gaps),
                )
                report, trouble = crawl_one(archive, known[name], request, stop, watched=not invocation.as_json)
                code = max(code, ExitCode(report.exit_code))
                changed += [name] if report.segments else []
                for problem in report.problems:
                    click.echo(f"ofrecord: {name}: {problem}", err=True)
                if trouble is not None:
                    raise trouble
                archive.refresh(name)
            _tell(invocation, archive, name, gaps, report)
        if stop.interrupted:
            return ExitCode.INTERRUPTED
        return max(code, write_after(archive, changed)) if changed and not stop.is_set() else code


@dataclass(frozen=True, slots=True)
class Found:
    """An article of a gap."""

    article: Newcomer
    published: datetime | None
    """`None`: it does not say, or not the time."""
    late_seconds: float | None
    """From its publication until it was first seen."""


def _tell(
    invocation: Invocation, archive: OpenArchive, source: str, gaps: Sequence[Gap], report: RunReport | None
) -> None:
    run = report.run if report is not None else None
    found, undated = sort_articles(archive, source, gaps, run)
    for number, gap in enumerate(gaps):
        data = describe_gap(source, gap, found[number], run)
        invocation.print_result(data, "\n".join(render_gap(source, gap, found[number], run)))
    data = {
        "kind": "total",
        "source": source,
        "run": run,
        "gaps": len(gaps),
        "pages": report.pages if report is not None else 0,
        "found": sum(map(len, found)),
        "undated": [_describe_found(one, run) for one in undated],
        "lost": LOST if gaps else None,
    }
    invocation.print_result(data, "\n".join(render_total(source, gaps, undated, report)))


def sort_articles(
    archive: OpenArchive, source: str, gaps: Sequence[Gap], run: str | None
) -> tuple[list[list[Found]], list[Found]]:
    """Return the articles that were published within each gap, and those that *run* found which do not say when."""
    found: list[list[Found]] = [[] for _ in gaps]
    undated: list[Found] = []
    if not gaps:
        return found, undated
    for article in archive.catalog.list_newcomers(source, since=gaps[0].after):
        published = read_published(article.fields)
        if published is None:
            if article.run == run:
                undated.append(Found(article, None, None))
            continue
        begin, end = published
        exact = begin if begin == end else None
        late = (article.first_seen - begin).total_seconds() if exact else None
        for number, gap in enumerate(gaps):
            if begin <= gap.until and end > gap.after and article.first_seen >= gap.after:
                found[number].append(Found(article, exact, late))
                break
    return found, undated


def describe_gap(source: str, gap: Gap, found: Sequence[Found], run: str | None) -> dict[str, Any]:
    """Return a gap and what is had of it as JSON data."""
    return {
        "kind": "gap",
        "source": source,
        "slots": gap.slots,
        "after": gap.after,
        "until": gap.until,
        "stretches": [
            {"slot": one.slot, "through": one.through, "slots": one.slots, "outcome": one.outcome, "reason": one.reason}
            for one in gap.stretches
        ],
        "articles": [_describe_found(one, run) for one in found],
    }


def _describe_found(found: Found, run: str | None) -> dict[str, Any]:
    return {
        "url": found.article.url,
        "title": found.article.title,
        "published": found.published,
        "first_seen": found.article.first_seen,
        "late_seconds": found.late_seconds,
        "run": found.article.run,
        "by_this_run": found.article.run == run,
    }


def render_gap(source: str, gap: Gap, found: Sequence[Found], run: str | None) -> Iterator[str]:
    """Yield a gap and what is had of it, for people."""
    first, last = gap.stretches[0], gap.stretches[-1]
    told = ", ".join(dict.fromkeys(f"{one.outcome}{': ' + one.reason if one.reason else ''}" for one in gap.stretches))
    yield (
        f"{source}: gap of {count(gap.slots, 'slot')}, {first.slot:%Y-%m-%d %H:%M}Z to {last.through:%Y-%m-%d %H:%M}Z"
        f" ({printable(told)})"
    )
    new = sum(one.article.run == run for one in found)
    by_run = f", {new} of them by this run" if run else ""
    yield f"  {count(len(found), 'article')} published then {'is' if len(found) == 1 else 'are'} had{by_run}"
    yield from _render_articles(found)


def _render_articles(found: Sequence[Found]) -> Iterator[str]:
    for one in found[:_SHOWN]:
        when = f"{one.published:%m-%d %H:%M}Z" if one.published else "time not known"
        late = f", {_show_span(one.late_seconds)} late" if one.late_seconds is not None else ""
        seen = f"first seen {one.article.first_seen:%m-%d %H:%M}Z{late}"
        yield f"    {when:<14}  {seen:<42}  {readable_url(one.article.url)}"
    if len(found) > _SHOWN:
        yield f"    … and {len(found) - _SHOWN} more (--json has all)"


def render_total(source: str, gaps: Sequence[Gap], undated: Sequence[Found], report: RunReport | None) -> Iterator[str]:
    """Yield what holds for all gaps of a source."""
    if not gaps:
        yield f"{source}: no gaps"
        return
    if undated:
        yield f"  {count(len(undated), 'article')} found that {'does' if len(undated) == 1 else 'do'} not say when"
        yield from _render_articles(undated)
    if report is not None:
        yield f"  {count(report.pages, 'page')} fetched · {report.seconds:.1f} s · {report.run or 'no run'}"
    yield f"  {LOST}"


def _show_span(seconds: float) -> str:
    """Return a time in the largest unit that leaves something to say."""
    for size, unit in ((86_400, "days"), (3_600, "hours"), (60, "minutes")):
        if seconds >= 2 * size:
            return f"{seconds / size:.1f} {unit}"
    return f"{seconds:.0f} seconds"
