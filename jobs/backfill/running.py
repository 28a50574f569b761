"""One backfill: the frame of a run (lock, lease, uploads, report) around the process that asks the web archives."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from config.errors import ConfigError
from config.webarchives import parse_web_archive
from crawler.backfill import REPORT_FILE, BackfillPlan, read_report
from crawler.webarchive import FIRST_SECOND
from jobs.archive.identity import list_sources
from jobs.runs.crawl import CrawlRequest, run_crawl

if TYPE_CHECKING:
    import threading
    from pathlib import Path

    from config.sources import Source
    from crawler.backfill import BackfillReport
    from jobs.context import OpenArchive
    from jobs.runs.crawl import Beginning, RunReport
    from jobs.runs.progress import Tell
    from jobs.runs.supervision import CrawlProcess

_PAGES_FILE = "backfill.txt"
_NO_ARCHIVE = (
    "no web archive named: set web_archives in the source's file or the settings, or give --web-archive; each is"
    " cdx=URL replay=URL or timemap=URL"
)


@dataclass(frozen=True, slots=True)
class BackfillRequest:
    """What is asked of one backfill."""

    web_archives: tuple[str, ...] = ()
    """In place of those that source or settings name."""
    begin: datetime | None = None
    end: datetime | None = None
    below: tuple[str, ...] = ()
    pages_file: Path | None = None
    """Pages that TimeMaps are asked for; `None`: the articles that the archive has."""
    every: bool = False
    again: bool = False
    max_pages: int | None = None
    max_requests: int | None = None


def run_backfill(
    archive: OpenArchive,
    source: Source,
    request: BackfillRequest,
    *,
    stop: threading.Event | None = None,
    tell: Tell | None = None,
) -> tuple[RunReport, BackfillReport | None]:
    """Ask web archives for the past of *source*; return how the run went, and what came of each archive.

    Raises ConfigError if none is named, and what `run_crawl` raises.
    """
    named = list(request.web_archives or source.web_archives or archive.settings.web_archives)
    if not named:
        raise ConfigError(f"source {source.id}: {_NO_ARCHIVE}")
    if source.id in list_sources(archive.store):
        archive.refresh(source.id)  # what is had is not asked for again: that takes all facts

    def start(beginning: Beginning) -> CrawlProcess:
        plan = _make_plan(archive, source, replace(request, web_archives=tuple(named)), beginning)
        return beginning.start(plan, archive, source, file="backfill-plan.json", module="jobs.backfill.child")

    asked = CrawlRequest(trigger="backfill", recheck="none", limit=request.max_pages)
    report = run_crawl(archive, source, asked, stop=stop, tell=tell, start=start)
    return report, read_report(archive.spool(source.id) / REPORT_FILE, report.run)


def _make_plan(archive: OpenArchive, source: Source, request: BackfillRequest, beginning: Beginning) -> BackfillPlan:
    spool = archive.spool(source.id)
    pages = request.pages_file
    if pages is None and any(parse_web_archive(text).timemap for text in request.web_archives):
        pages = spool / _PAGES_FILE
        with pages.open("w", encoding="utf-8") as file:
            file.writelines(f"{url}\n" for url in archive.catalog.list_known(source.id))
    return BackfillPlan(
        run=beginning.run,
        archive=archive.info.archive,
        spool=str(spool),
        web_archives=request.web_archives,
        begin=request.begin or datetime.fromtimestamp(FIRST_SECOND, UTC),
        end=request.end or datetime.now(UTC),
        open_end=request.end is None,
        epoch=beginning.epoch,
        below=request.below,
        pages_file=str(pages.absolute()) if pages else None,
        every=request.every,
        again=request.again,
        max_pages=request.max_pages,
        max_requests=request.max_requests,
    )
