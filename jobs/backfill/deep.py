"""One deep discovery: visits that dig in the site's own lists, then a crawl of the articles that were not had."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any

from crawler.visit import VisitLimits, VisitOver
from jobs.archive.identity import list_sources
from jobs.context import lock_source
from jobs.runs.crawl import CrawlRequest, run_crawl
from jobs.visits import make_visit

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Iterable
    from datetime import datetime
    from pathlib import Path

    from config.sources import Source
    from jobs.context import OpenArchive
    from jobs.runs.crawl import RunReport
    from jobs.runs.progress import Tell
    from jobs.visits import VisitStep

STATE_FILE = "deep.json"
_URLS_FILE = "deep.txt"
MAX_REQUESTS = 1_000
"""Of a deep discovery that is given no other limit."""
PART_REQUESTS = 200
"""After so many requests what was found is written down."""
_PART_SECONDS = 3_600.0
_BATCH = 500


@dataclass(slots=True)
class DeepReport:
    """What a deep discovery came to."""

    lists: int = 0
    """Sitemaps and pages that list articles, read this time."""
    requests: int = 0
    """Sent for lists, robots.txt among them."""
    found: int = 0
    """Articles that these name and the archive has not."""
    waiting: int = 0
    """Of all that were found, those that are still to be fetched."""
    done: bool = False
    """Whether no list waits to be read."""


@dataclass(slots=True)
class _State:
    """How far the deep discovery of a source is: a file in its spool, so that the next one goes on."""

    position: dict[str, Any] | None = None
    waiting: list[str] = field(default_factory=list)
    """Articles that are not had, in the order of finding."""
    done: bool = False
    patterns: str = ""
    """By which articles are told, as a digest."""

    @classmethod
    def read(cls, path: Path, patterns: str) -> _State:
        """Return what the file *path* says; the beginning where it was written by other *patterns*."""
        try:
            data = json.loads(path.read_bytes())
            if data["patterns"] == patterns:
                return cls(data["position"], [str(url) for url in data["waiting"]], bool(data["done"]), patterns)
        except (OSError, ValueError, RecursionError, LookupError, TypeError):
            pass
        return cls(patterns=patterns)

    def write(self, path: Path) -> None:
        beside = path.with_name(f"{path.name}.new")
        beside.write_text(json.dumps(asdict(self)), encoding="utf-8")
        beside.replace(path)


@dataclass(frozen=True, slots=True)
class DeepRequest:
    """What is asked of one deep discovery."""

    begin: datetime | None = None
    end: datetime | None = None
    again: bool = False
    """Read all lists anew."""
    max_pages: int | None = None
    max_requests: int | None = None


def run_deep(
    archive: OpenArchive,
    source: Source,
    request: DeepRequest,
    *,
    stop: threading.Event | None = None,
    tell: Tell | None = None,
    tell_visit: Callable[[VisitStep], None] | None = None,
) -> tuple[RunReport | None, DeepReport]:
    """Find articles of *source* in old lists of its own site, then crawl them; the run is `None` if there are none.

    Raises what `make_visit` and `run_crawl` raise.
    """
    spool = archive.spool(source.id)
    if source.id in list_sources(archive.store):
        archive.refresh(source.id)
    report = DeepReport()
    budget = request.max_requests or MAX_REQUESTS
    spool.mkdir(parents=True, exist_ok=True)
    with lock_source(spool, source.id):
        patterns = source.articles.digest
        state = _State(patterns=patterns) if request.again else _State.read(spool / STATE_FILE, patterns)
        state.waiting = _list_new(archive, source, state.waiting)
        _dig(archive, source, request, state, report, budget=budget, stop=stop, tell=tell_visit)
        pages = state.waiting[: _count_pages(request, budget - report.requests)]
        (spool / _URLS_FILE).write_text("".join(f"{url}\n" for url in pages), encoding="utf-8")
    run = None
    if pages and not (stop is not None and stop.is_set()):
        crawl = CrawlRequest(trigger="backfill", recheck="none", urls_file=spool / _URLS_FILE, urls=len(pages))
        run = run_crawl(archive, source, replace(crawl, limit=len(pages)), stop=stop, tell=tell)
        archive.refresh(source.id)
        state.waiting = _list_new(archive, source, state.waiting)
        state.write(spool / STATE_FILE)
    report.waiting = len(state.waiting)
    return run, report


def _dig(
    archive: OpenArchive,
    source: Source,
    request: DeepRequest,
    state: _State,
    report: DeepReport,
    *,
    budget: int,
    stop: threading.Event | None,
    tell: Callable[[VisitStep], None] | None,
) -> None:
    """Read lists until more articles wait than can be fetched with what is left of *budget*, or no list is left."""
    while not state.done and not (stop is not None and stop.is_set()):
        left = budget - report.requests
        if left <= 0 or len(state.waiting) >= _count_pages(request, left):
            break
        parameters = {
            "position": state.position,
            "begin": request.begin.date().isoformat() if request.begin else None,
            "end": request.end.date().isoformat() if request.end else None,
        }
        limits = VisitLimits(min(PART_REQUESTS, left), _PART_SECONDS, archive.settings.max_body_bytes)
        try:
            answer = make_visit("dig", parameters, source, archive.settings, limits, stop=stop, tell=tell)
        except VisitOver:
            break
        new = _list_new(archive, source, answer["found"], but=state.waiting)
        state.position, state.done = answer["position"], answer["done"]
        state.waiting += new
        report.found += len(new)
        report.lists += answer["lists"]
        report.requests += answer["requests"]
        state.write(archive.spool(source.id) / STATE_FILE)
        if not answer["requests"]:
            break
    report.done = state.done


def _count_pages(request: DeepRequest, requests: int) -> int:
    """Return how many pages may be fetched with that many *requests*."""
    return max(0, min(requests, request.max_pages if request.max_pages is not None else requests))


def _list_new(archive: OpenArchive, source: Source, urls: Iterable[str], *, but: Iterable[str] = ()) -> list[str]:
    """Return those of *urls* that are articles which the archive has not, each once, in their order."""
    chosen = list(dict.fromkeys(url for url in urls if source.is_article(url)))
    had = set(but)
    for at in range(0, len(chosen), _BATCH):
        had |= archive.catalog.find_looks(source.id, chosen[at : at + _BATCH]).keys()
    return [url for url in chosen if url not in had]
