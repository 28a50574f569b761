"""One run: starts the crawl's child process, commits each segment as it closes, folds, and reports what was new.

Everything that a run leaves on disk is finished by the next one, whatever the last one died of.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import structlog

from config.errors import ArchiveError, ExitCode
from config.logs import describe_logging
from crawler.extract.rules import check_rules
from crawler.ids import new_id
from crawler.model import CrawlPlan
from crawler.rows import RunRow, decode_row
from jobs.child import encode_assignment
from jobs.context import lock_source
from jobs.fold import Verdict
from jobs.spool import finish_spool, list_damaged, list_segments

if TYPE_CHECKING:
    from config.sources import Source
    from jobs.context import OpenArchive

log = structlog.get_logger()

_PASSED_ENVIRONMENT = (
    *("PATH", "HOME", "LANG", "LC_ALL", "TZ", "TMPDIR", "NO_COLOR"),
    *("PYTHONPATH", "PYTHONWARNINGS", "PYTHONDONTWRITEBYTECODE", "PYTHONPYCACHEPREFIX"),
)
_POLL_SECONDS = 0.2
_CHILD_STOP_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class CrawlRequest:
    """What is asked of one run."""

    trigger: str = "crawl"
    slot: datetime | None = None
    urls_file: Path | None = None
    limit: int | None = None
    recheck: str = "due"
    """`due`, `all` or `none` of the known articles."""


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
    """`finished`, `limit`, `stopped` or `died`."""
    exit_code: int
    problems: list[str] = field(default_factory=list)

    def to_json(self) -> dict[str, Any]:
        """Return one flat JSON object: `new`, `revised`, … beside `pages`, `captures`, `seconds`."""
        data = asdict(self)
        first: dict[str, Any] = {name: data.pop(name) for name in ("run", "source", "pages")}
        return {**first, **data.pop("verdicts"), **data.pop("counts"), **data}


def run_crawl(
    archive: OpenArchive, source: Source, request: CrawlRequest, *, stop: threading.Event | None = None
) -> RunReport:
    """Crawl *source* once and commit what was captured.

    Raises RunLocked, ConfigError and StoreError; whatever is raised, the spool keeps what was fetched.
    """
    spool = archive.spool(source.id)
    with lock_source(spool, source.id):
        archive.catalog.refresh(archive.store, archive.log(source.id))
        finish_spool(archive, source)
        return _run_locked(archive, source, request, stop)


def _run_locked(archive: OpenArchive, source: Source, request: CrawlRequest, stop: threading.Event | None) -> RunReport:
    started = time.monotonic()
    run = new_id(source.id, datetime.now(UTC))
    check_rules(source.extract)
    source.resolve_headers(os.environ)
    structlog.contextvars.bind_contextvars(run_id=run, source=source.id)
    log.info("started_run", trigger=request.trigger)
    problems: list[str] = []
    child = _start_child(archive, source, request, run)
    told = _Listener(child)
    try:
        segments = _follow(archive, source, child, stop, problems)
        row = told.read_row()
        segments += finish_spool(archive, source)
        archive.catalog.refresh(archive.store, archive.log(source.id))
        code, problem = _judge_run(row, child.returncode, archive.settings.max_failed)
        problems += list_damaged(archive.spool(source.id))
        report = RunReport(
            run=run,
            source=source.id,
            pages=archive.catalog.count_pages(run),
            verdicts={verdict.value: 0 for verdict in Verdict} | archive.catalog.count_verdicts(run),
            counts=row.counts if row else {},
            discovery=row.discovery if row else [],
            segments=segments,
            seconds=round(time.monotonic() - started, 3),
            reason=row.reason if row else "died",
            exit_code=code,
            problems=problems + ([problem] if problem else []),
        )
        log.info(
            "finished_run", **{key: value for key, value in report.to_json().items() if key not in {"run", "source"}}
        )
        return report
    finally:
        _end_child(child)
        structlog.contextvars.unbind_contextvars("run_id", "source")


def _start_child(archive: OpenArchive, source: Source, request: CrawlRequest, run: str) -> subprocess.Popen[bytes]:
    spool = archive.spool(source.id)
    recheck_file = None
    if request.urls_file is None and request.recheck != "none":
        recheck_file = spool / "recheck.txt"
        known = (
            archive.catalog.list_known(source.id)
            if request.recheck == "all"
            else archive.catalog.list_due(source.id, source.recheck, datetime.now(UTC))
        )
        recheck_file.write_text("".join(f"{url}\n" for url in known), encoding="utf-8")
    plan = CrawlPlan(
        run=run,
        source=source.id,
        archive=archive.info.archive,
        trigger=request.trigger,
        spool=str(spool),
        urls_file=str(request.urls_file.absolute()) if request.urls_file else None,
        recheck_file=str(recheck_file) if recheck_file else None,
        recheck_all=request.recheck == "all",
        limit=request.limit,
        max_seconds=archive.settings.max_run_seconds,
        slot=request.slot,
    )
    assignment = spool / "plan.json"
    text = encode_assignment(
        plan, source, archive.settings, catalog=archive.state / "catalog.sqlite", logging=describe_logging()
    )
    assignment.touch(mode=0o600)
    assignment.write_text(text, encoding="utf-8")
    return subprocess.Popen(
        [sys.executable, "-m", "jobs.child", str(assignment)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=_scrub_environment(source),
        start_new_session=True,
    )


def _scrub_environment(source: Source) -> dict[str, str]:
    """Return the child's environment: no credentials of any store, only what it needs and the source's own secrets."""
    names = {*_PASSED_ENVIRONMENT, *source.environment_names}
    return {name: os.environ[name] for name in names if name in os.environ}


def _follow(
    archive: OpenArchive,
    source: Source,
    child: subprocess.Popen[bytes],
    stop: threading.Event | None,
    problems: list[str],
) -> int:
    """Commit closed segments while *child* runs; on *stop* end it. Returns how many were committed."""
    segments, asked, failed = 0, 0.0, False
    while not _has_ended(child):
        if stop is not None and stop.is_set():
            if not asked:
                child.terminate()
                asked = time.monotonic()
            elif time.monotonic() - asked > _CHILD_STOP_SECONDS:
                child.kill()
        if failed or not list_segments(archive.spool(source.id) / "closed"):
            continue
        try:
            segments += finish_spool(archive, source)
        except (ArchiveError, OSError) as error:  # the crawl goes on; what it writes waits in the spool
            failed = True
            problems.append(str(error))
            log.warning("failed_upload", error=str(error))
    return segments


def _has_ended(child: subprocess.Popen[bytes]) -> bool:
    """Wait a little for *child* to end; tell whether it has."""
    try:
        child.wait(_POLL_SECONDS)
    except subprocess.TimeoutExpired:
        return False
    return True


def _end_child(child: subprocess.Popen[bytes]) -> None:
    """Leave no crawl behind, whatever went wrong here."""
    if child.poll() is None:
        child.terminate()
        try:
            child.wait(_CHILD_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()


class _Listener(threading.Thread):
    """Takes in what the child writes as it writes it: a run row that fills the pipe must not hold the child up."""

    def __init__(self, child: subprocess.Popen[bytes]) -> None:
        super().__init__(daemon=True)
        self._child = child
        self._last = b""
        self.start()

    def run(self) -> None:
        """Keep the last line until there are no more."""
        if self._child.stdout is not None:
            for line in self._child.stdout:
                self._last = line

    def read_row(self) -> RunRow | None:
        """Return the run row that an ended child has written, or `None`."""
        self.join()
        for stream in (self._child.stdout, self._child.stdin):
            if stream is not None:
                stream.close()
        row = decode_row(self._last) if self._last else None
        return row if isinstance(row, RunRow) else None


def _judge_run(row: RunRow | None, returncode: int, max_failed: float) -> tuple[ExitCode, str | None]:
    """Return the exit code of a run and what is wrong with it, if anything."""
    if returncode in {ExitCode.DISK_FULL, ExitCode.USAGE}:
        return ExitCode(returncode), "the crawl's process ended early; its message stands above"
    if row is None:
        return ExitCode.FAILED, f"the crawl's process ended with {returncode}; what it had recorded is committed"
    if failure := _judge_counts(row, max_failed):
        return ExitCode.CRAWL_FAILED, failure
    return ExitCode.DONE, None


def _judge_counts(row: RunRow, max_failed: float) -> str | None:
    if row.discovery and all(seed.get("error") for seed in row.discovery):
        first = row.discovery[0]
        return f"discovery failed: none of {len(row.discovery)} seeds could be read; {first['url']}: {first['error']}"
    articles, failed = row.counts.get("articles", 0), row.counts.get("failed", 0)
    if articles and failed / articles > max_failed:
        return f"{failed} of {articles} article captures failed; at most {max_failed:.0%} may (setting max_failed)"
    return None
