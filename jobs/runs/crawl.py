"""One run: the crawl in its child process, uploads beside it, and the report of what was new and what is left to do.

Everything that a run leaves on disk is finished by the next one, whatever the last one died of.
"""

from __future__ import annotations

import math
import os
import time
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import structlog

from config.environment import scrub_environment
from config.errors import ArchiveError, ExitCode, RunLocked
from config.logs import describe_logging
from config.rules import ExtractRules
from crawler.ids import new_id
from crawler.leash import boot_clock
from crawler.model import CrawlPlan
from crawler.rows import format_time
from crawler.throttle import most_requests
from jobs.catalog import Catalog
from jobs.context import CATALOG_FILE, lock_source, lock_uploads
from jobs.fold import Verdict
from jobs.rechecks import RecheckPolicy
from jobs.runs.child import encode_assignment
from jobs.runs.feeding import publish_changes
from jobs.runs.judging import judge_run, judge_waiting
from jobs.runs.ledger import take_pending
from jobs.runs.progress import Phase, Reporter
from jobs.runs.readying import CHILD_MODULE
from jobs.runs.spool import bring_segments, has_closed, list_damaged
from jobs.runs.supervision import CrawlProcess, RunTimes, Supervisor
from jobs.runs.tenure import leave_lease, take_lease
from jobs.runs.uploading import Uploader
from jobs.spool_use import measure_spool
from jobs.store.clock import check_clock

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Generator, Iterable

    from config.settings import Settings
    from config.sources import Source
    from crawler.leash import Word
    from crawler.rows import RunRow
    from jobs.context import OpenArchive
    from jobs.runs.progress import Tell

log = structlog.get_logger()

_LOGGED_SEEDS = 10
_CLOCKS_DIFFER = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class CrawlRequest:
    """What is asked of one run."""

    trigger: str = "crawl"
    slot: datetime | None = None
    urls_file: Path | None = None
    urls: int = 0
    """In that file, for who is told how far it is."""
    limit: int | None = None
    recheck: str = "due"
    """`due`, `all` or `none` of the known articles."""
    raw_only: bool | None = None
    """Whether pages are only recorded; `None`: as the source says, or the settings."""
    gaps: tuple[tuple[datetime, datetime], ...] = ()
    """Only what may have been published in these times, from and until; none: whatever is announced."""
    unconditional: bool = False
    """Whether each page is asked for as a whole, whatever is known of it."""
    fetch_until: float | None = None
    """Fetching ends in good order at that time of the boot clock, or after max_run_seconds where that is sooner."""
    done_by: float | None = None
    """At that time of the boot clock uploads end too; what is not yet committed waits in the spool."""


@dataclass(frozen=True, slots=True)
class RunReport:
    """How a run went, for people and for orchestrators; verdicts are the fold's."""

    run: str
    source: str
    pages: int
    """Article pages answered and recorded."""
    verdicts: dict[str, int]
    counts: dict[str, int]
    discovery: list[dict[str, Any]]
    segments: int
    seconds: float
    reason: str
    """`finished`, `limit`, `stopped`, `lease` or `died`."""
    exit_code: int
    problems: list[str] = field(default_factory=list)
    spool_segments: int = 0
    """Of this source, waiting on this disk for the next run."""
    spool_bytes: int = 0
    store_requests: int = 0
    """Sent for this run, retries included; 0 for a store that is a folder."""
    store_retries: int = 0
    """Of those, sent again."""
    certificate_end: datetime | None = None
    """When the first of the certificates ends that its hosts showed."""

    def to_log(self) -> dict[str, Any]:
        """Return the same for a line of the log, where run and source stand already: of the seeds, some that failed."""
        data = {name: value for name, value in self.to_json().items() if name not in {"run", "source"}}
        return data | {"discovery": [seed for seed in self.discovery if seed["error"]][:_LOGGED_SEEDS]}

    def to_json(self) -> dict[str, Any]:
        """Return one flat JSON object: `new`, `revised`, … beside `pages`, `captures`, `seconds`."""
        data = asdict(self)
        first: dict[str, Any] = {name: data.pop(name) for name in ("run", "source", "pages")}
        return {**first, **data.pop("verdicts"), **data.pop("counts"), **data}


@dataclass(frozen=True, slots=True)
class Beginning:
    """What a run's child process is begun with."""

    run: str
    epoch: int
    """Of the lease."""
    word: Word
    """The first; others come over its standard input."""
    reporter: Reporter | None
    """Wants to be told how far the run is, if there is one."""

    def start(
        self,
        plan: object,
        archive: OpenArchive,
        source: Source,
        *,
        file: str,
        names: Iterable[str] = (),
        module: str = CHILD_MODULE,
    ) -> CrawlProcess:
        """Begin *module* on *plan*, by way of *file* in the spool. *names*: environment variables that it needs."""
        assignment = archive.spool(source.id) / file
        text = encode_assignment(
            plan,
            source,
            archive.settings,
            catalog=archive.state / CATALOG_FILE,
            logging=describe_logging(),
            word=self.word,
            progress=self.reporter is not None,
        )
        assignment.touch(mode=0o600)
        assignment.write_text(text, encoding="utf-8")
        return CrawlProcess(assignment, scrub_environment(names), module=module)


def run_crawl(
    archive: OpenArchive,
    source: Source,
    request: CrawlRequest,
    *,
    stop: threading.Event | None = None,
    tell: Tell | None = None,
    start: Callable[[Beginning], CrawlProcess] | None = None,
) -> RunReport:
    """Crawl *source* once and commit what was captured. *tell*: told some times a second how far it is.

    *start*: begins another process in the crawl's place, which captures in a way of its own.

    Raises RunLocked, ConfigError, and StoreError where the store is in trouble before anything was fetched; whatever is
    raised, the spool keeps what was fetched.
    """
    spool, asked = archive.spool(source.id), (archive.store.requests.total(), archive.store.retries)
    reporter = None if tell is None else Reporter(source.id, tell, limit=request.limit)
    with lock_source(spool, source.id):
        if reporter is not None:
            reporter.tell(Phase.CATCHING_UP)
        check_clock(archive.store)
        archive.require_signer()
        archive.prepare(source.id)
        _require_open(archive, source.id, request.slot)
        begin = start or partial(_start_child, archive, source, request)
        return _run_locked(archive, source, request, stop, reporter, asked=asked, start=begin)


def _require_open(archive: OpenArchive, source: str, slot: datetime | None) -> None:
    """Raise RunLocked if another daemon's run for *slot* is in the archive already."""
    if slot is None:
        return
    runs = archive.catalog.list_slot_runs(source, since=slot - _CLOCKS_DIFFER)
    made = next((run.run for run in runs if run.slot == slot), None)
    if made is not None:
        raise RunLocked(f"{source}: the run for {format_time(slot)} was made already: {made}")


def _run_locked(
    archive: OpenArchive,
    source: Source,
    request: CrawlRequest,
    stop: threading.Event | None,
    reporter: Reporter | None,
    *,
    asked: tuple[int, int],
    start: Callable[[Beginning], CrawlProcess],
) -> RunReport:
    """*asked*: requests that the store had got before, and how many of these were sent again."""
    started = time.monotonic()
    run, seq = new_id(source.id, datetime.now(UTC)), archive.catalog.head(source.id)[0]
    if source.extract != ExtractRules():
        from crawler.extract.page.rules import check_rules  # noqa: PLC0415 - loads the parsers, which this process is spared else

        check_rules(source.extract)
    source.resolve_headers(os.environ)
    structlog.contextvars.bind_contextvars(run_id=run, source=source.id)
    log.info("started_run", trigger=request.trigger)
    spool = archive.spool(source.id)
    uploader = Uploader(
        partial(_bring, archive, source),
        partial(has_closed, spool),
        grace_seconds=archive.settings.grace_seconds,
    )
    child = lease = None
    try:
        lease = take_lease(archive, source.id, run)
        times = RunTimes(request.fetch_until or math.inf, request.done_by or math.inf)
        supervisor = Supervisor(
            uploader, spool, archive.settings, times=times, leases=[lease], stop=stop, reporter=reporter
        )
        uploader.start()
        supervisor.catch_up()
        row = None
        if supervisor.may_fetch:
            child = start(Beginning(run, lease.epoch, supervisor.next_word(), reporter))
            supervisor.follow(child)
            row = child.read_row()
        supervisor.finish_uploads()
        if not uploader.is_stuck:  # else the store does not answer, and it runs out
            leave_lease(archive, lease)
        take_pending(archive, source.id)
        ended = judge_run(row, child, archive.settings.max_failed, supervisor.disk_full)
        if not uploader.is_stuck:
            ended[2].extend(publish_changes(archive, source.id, after=seq, seconds=times.done_by - boot_clock()))
        seconds = time.monotonic() - started
        report = _report(archive, run, source, row, ended=ended, uploader=uploader, seconds=seconds, asked=asked)
        log.info("finished_run", **report.to_log())
        return report
    finally:
        uploader.abandon()
        if child is not None:
            child.end()
        elif lease is not None and not uploader.is_stuck:
            lease.release()  # nothing was begun: nobody should wait for it to run out
        structlog.contextvars.unbind_contextvars("run_id", "source")


def _report(
    archive: OpenArchive,
    run: str,
    source: Source,
    row: RunRow | None,
    *,
    ended: tuple[str, ExitCode, list[str]],
    uploader: Uploader,
    seconds: float,
    asked: tuple[int, int],
) -> RunReport:
    """Sum up a run that is over: *ended* says how the crawl went, spool and uploader what came of the uploads."""
    spool = archive.spool(source.id)
    reason, code, problems = ended
    if archive.catalog.is_wanting(source.id) and not uploader.is_stuck:
        try:
            archive.prepare(source.id)  # late facts: only all facts tell what they mean
        except (ArchiveError, OSError) as error:  # all that was fetched is accounted for: the report must not be lost
            problems = [*problems, f"this run's verdicts are not final: {error}; the next run makes them anew"]
            code = max(code, ExitCode.FAILED if isinstance(error, OSError) else error.exit_code)
    use = measure_spool(spool)
    if use.segments or uploader.trouble is not None:
        waiting, problem = judge_waiting(use, spool, uploader.trouble)
        code = code if code is ExitCode.DISK_FULL else max(code, waiting)
        problems = [*problems, problem]
    return RunReport(
        run=run,
        source=source.id,
        pages=archive.catalog.count_pages(run),
        verdicts={verdict.value: 0 for verdict in Verdict} | {"unread": 0} | archive.catalog.count_verdicts(run),
        counts=row.counts if row else {},
        discovery=row.discovery if row else [],
        segments=uploader.committed,
        seconds=round(seconds, 3),
        reason=reason,
        exit_code=code,
        problems=[*list_damaged(spool), *problems],
        spool_segments=use.segments,
        spool_bytes=use.size_bytes,
        store_requests=archive.store.requests.total() - asked[0],
        store_retries=archive.store.retries - asked[1],
        certificate_end=min((one.not_after for one in row.certificates.values()), default=None) if row else None,
    )


def _bring(archive: OpenArchive, source: Source) -> Generator[bool, None, None]:
    """Bring what is closed, with a catalog of the calling thread's own: SQLite's connections are not shared."""
    with lock_uploads(archive.spool(source.id)), Catalog.open(archive.state / CATALOG_FILE) as catalog:
        yield from bring_segments(replace(archive, catalog=catalog), source)


def _start_child(archive: OpenArchive, source: Source, request: CrawlRequest, beginning: Beginning) -> CrawlProcess:
    reporter = beginning.reporter
    spool = archive.spool(source.id)
    capacity = _find_capacity(source, archive.settings, request)
    by_default = source.is_raw_only(archive.settings.raw_only)
    raw_only = by_default if request.raw_only is None else request.raw_only
    recheck_file, given, announced = _choose_known(archive, source, request, capacity=capacity, raw_only=raw_only)
    if reporter is not None:
        reporter.given = given
    plan = CrawlPlan(
        run=beginning.run,
        source=source.id,
        archive=archive.info.archive,
        trigger=request.trigger,
        spool=str(spool),
        urls_file=str(request.urls_file.absolute()) if request.urls_file else None,
        recheck_file=str(recheck_file) if recheck_file else None,
        recheck_all=request.recheck == "all",
        gaps=request.gaps,
        announced=announced,
        raw_only=raw_only,
        unconditional_every=1
        if request.unconditional
        else source.unconditional_every or archive.settings.unconditional_every,
        limit=request.limit,
        capacity=capacity,
        max_seconds=archive.settings.max_run_seconds,
        fetch_until=request.fetch_until,
        slot=request.slot,
        ledger=take_pending(archive, source.id),
        epoch=beginning.epoch,
    )
    return beginning.start(plan, archive, source, file="plan.json", names=source.environment_names)


def _choose_known(
    archive: OpenArchive, source: Source, request: CrawlRequest, *, capacity: int | None, raw_only: bool
) -> tuple[Path | None, int, int | None]:
    """Return the list of known articles to look at, how many are given, and how many may come by what is announced."""
    if request.urls_file is not None:
        return None, request.urls, None
    recheck_file, given = None, request.urls
    policy, now = RecheckPolicy.of(source, archive.settings, raw_only=raw_only), datetime.now(UTC)
    if request.recheck != "none":
        recheck_file = archive.spool(source.id) / "recheck.txt"
        known = (
            archive.catalog.list_known(source.id)
            if request.recheck == "all"
            else archive.catalog.list_due(source.id, policy, now, limit=capacity)
        )
        redacted = {one.url for one in archive.catalog.list_redacted(source.id)}
        # what was taken out on request, and is left out in the source's file since, is never asked for again
        given = _write_lines(recheck_file, (url for url in known if url not in redacted or source.is_article(url)))
    if request.recheck == "all":
        return recheck_file, given, None
    room = archive.catalog.count_room(source.id, policy, now)
    return recheck_file, given, None if room is None else max(0, room - given)  # what is due by its age goes first


def _find_capacity(source: Source, settings: Settings, request: CrawlRequest) -> int | None:
    """Return how many pages the run can fetch in its time at the most; `None`: nobody can say."""
    seconds = min(settings.max_run_seconds, (request.fetch_until or math.inf) - boot_clock())
    politeness = source.politeness
    return most_requests(seconds, delay=politeness.delay_seconds, concurrency=politeness.concurrent_requests)


def _write_lines(path: Path, lines: Iterable[str]) -> int:
    """Write *lines* one by one; return how many there were."""
    number = 0
    with path.open("w", encoding="utf-8") as file:
        for number, line in enumerate(lines, 1):  # noqa: B007 - the last one counts
            file.write(f"{line}\n")
    return number
