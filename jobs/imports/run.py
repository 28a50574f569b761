"""One import: the files one after the other through the child, uploads beside it, and the report of what came of them.

Whatever it leaves on disk is finished by the next import or crawl of the source; killed at any byte, it goes on where
it was.
"""

from __future__ import annotations

import os
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import structlog

from config.environment import scrub_environment
from config.errors import ArchiveError, ExitCode, RunLocked
from config.logs import describe_logging
from crawler.imports.report import FileReport
from crawler.spool import FULL
from jobs.context import CATALOG_FILE
from jobs.imports.child import encode_assignment
from jobs.imports.desk import Desk
from jobs.imports.feeding import read_head
from jobs.imports.inputs import list_inputs
from jobs.imports.places import FOLDER, Place, Places, describe_scope
from jobs.imports.process import ImportProcess
from jobs.runs.judging import judge_waiting
from jobs.runs.supervision import Supervisor
from jobs.store.clock import check_clock

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from config.sources import Source
    from jobs.context import OpenArchive
    from jobs.imports.inputs import Input

log = structlog.get_logger()

MAX_FILES = 200
"""That a report has one by one; the rest are in its sums."""


@dataclass(frozen=True, slots=True)
class ImportRequest:
    """What is asked of one import."""

    places: tuple[str, ...]
    """Paths, URLs, prefixes of buckets."""
    sources: tuple[Source, ...]
    """Whose pages are taken."""
    named: bool = False
    """Whether these were named, so that no site has a source made for it."""
    any_page: bool = False
    again: bool = False
    """Read files from their beginning, whatever was read of them before."""


@dataclass(frozen=True, slots=True)
class FileResult:
    """One file of an import."""

    where: str
    state: str
    """`done`, `stopped`, `refused` or, of one that an earlier import was through with, `known`."""
    report: FileReport

    def to_json(self) -> dict[str, Any]:
        """Return one flat JSON object."""
        return {"file": self.where, "state": self.state, **self.report.to_json()}


@dataclass(slots=True)
class ImportReport:
    """What came of an import."""

    total: FileReport = field(default_factory=FileReport)
    files: dict[str, int] = field(default_factory=dict)
    """State → how many files."""
    results: list[FileResult] = field(default_factory=list)
    """Of the first files, and of all with an error up to as many."""
    sources: dict[str, dict[str, int]] = field(default_factory=dict)
    """Source → counts of its run; none where the child died."""
    runs: dict[str, str] = field(default_factory=dict)
    """Source → its run."""
    segments: int = 0
    seconds: float = 0.0
    problems: list[str] = field(default_factory=list)
    exit_code: int = ExitCode.DONE

    def to_json(self) -> dict[str, Any]:
        """Return one JSON object."""
        total = {name: value for name, value in self.total.to_json().items() if name != "error"}
        return {
            **total,
            "files": self.files,
            "sources": {name: {"run": run, **self.sources.get(name, {})} for name, run in self.runs.items()},
            "segments": self.segments,
            "seconds": round(self.seconds, 3),
            "exit_code": int(self.exit_code),
            "problems": self.problems,
            "results": [one.to_json() for one in self.results],
        }

    def fail(self, code: ExitCode, problem: str) -> None:
        """Note what is wrong."""
        self.problems.append(problem)
        self.exit_code = max(self.exit_code, code)


@dataclass(frozen=True, slots=True)
class ImportStep:
    """How far an import is."""

    file: str
    number: int
    read_bytes: int
    size_bytes: int | None
    records: int
    captures: int
    known: int
    faulty: int


def run_import(
    archive: OpenArchive,
    request: ImportRequest,
    *,
    stop: threading.Event,
    tell: Callable[[ImportStep], None] | None = None,
) -> ImportReport:
    """Import the files that *request* names, and commit what came of them. *tell*: told now and then how far it is.

    Raises ConfigError, StoreError where the store is in trouble before anything was read.
    """
    started = time.monotonic()
    check_clock(archive.store)
    archive.require_signer()
    report = ImportReport()
    with Desk(archive) as desk:
        child = ImportProcess(archive, desk, {one.id: one for one in request.sources})
        try:
            _import_files(archive, request, child, report, stop=stop, tell=tell)
            child.end(stop.is_set)
        except (ArchiveError, OSError) as error:
            if error is not desk.uploader.trouble:  # which is told at the end, with what waits
                _fail(report, error)
        finally:
            _judge_child(child.returncode, report)
            child.kill()
            _assignment(archive).unlink(missing_ok=True)
        _finish(archive, desk, child, report, stop)
    report.seconds = time.monotonic() - started
    log.info("finished_import", **{name: value for name, value in report.to_json().items() if name != "results"})
    return report


def _import_files(
    archive: OpenArchive,
    request: ImportRequest,
    child: ImportProcess,
    report: ImportReport,
    *,
    stop: threading.Event,
    tell: Callable[[ImportStep], None] | None,
) -> None:
    scope = describe_scope(request.sources, any=request.any_page)
    places = Places(archive.state, scope)
    for number, given in enumerate(_list_all(request, archive), 1):
        if stop.is_set():
            return
        result = _import_file(archive, request, child, given, places, stop=stop, tell=tell, number=number)
        report.total.add(result.report)
        report.files[result.state] = report.files.get(result.state, 0) + 1
        if len(report.results) < MAX_FILES:
            report.results.append(result)
        if result.report.error is not None:
            report.fail(ExitCode.FAILED, f"{given.where}: {result.report.error}")
        if child.returncode is not None:
            return


def _import_file(
    archive: OpenArchive,
    request: ImportRequest,
    child: ImportProcess,
    given: Input,
    places: Places,
    *,
    stop: threading.Event,
    tell: Callable[[ImportStep], None] | None,
    number: int,
) -> FileResult:
    try:
        head = read_head(given)
        size = given.size_bytes
        place = Place() if request.again else places.find(given.name, size, head)
        if place.done:
            return FileResult(given.where, "known", FileReport())
        if not child.started:
            _start(archive, request, child)
        if tell is not None:
            child.tell = lambda told: tell(
                ImportStep(given.where, number, told["read_bytes"], size, *(told[name] for name in _STEP_COUNTS))
            )
        passage = child.take(
            given,
            head,
            place,
            put=lambda found: places.put(given.name, size, head, found),
            is_stopped=stop.is_set,
        )
    except (ArchiveError, OSError) as error:
        if isinstance(error, RunLocked) or error is child.desk.uploader.trouble:
            raise  # what ends the whole import
        if isinstance(error, OSError) and error.errno in FULL:
            raise
        return FileResult(given.where, "refused", FileReport(error=str(error)))
    if passage is None:
        return FileResult(given.where, "stopped", FileReport())
    state = "refused" if passage.report.error else "done" if passage.whole else "stopped"
    if state == "done" and not passage.refused:
        places.put(given.name, size, head, Place(done=True))
    return FileResult(given.where, state, passage.report)


_STEP_COUNTS = ("records", "captures", "known", "faulty")


def _list_all(request: ImportRequest, archive: OpenArchive) -> Iterator[Input]:
    for named in request.places:
        yield from list_inputs(named, archive.settings)


def _start(archive: OpenArchive, request: ImportRequest, child: ImportProcess) -> None:
    assignment = _assignment(archive)
    assignment.parent.mkdir(exist_ok=True)
    text = encode_assignment(
        request.sources,
        archive.settings,
        catalog=archive.state / CATALOG_FILE,
        archive=archive.info.archive,
        logging=describe_logging(),
        any_page=request.any_page,
        only_named=request.named,
    )
    assignment.touch(mode=0o600)
    assignment.write_text(text, encoding="utf-8")
    child.start(assignment, scrub_environment())


def _assignment(archive: OpenArchive) -> Path:
    return archive.state / FOLDER / f"assignment-{os.getpid()}.json"


def _finish(
    archive: OpenArchive, desk: Desk, child: ImportProcess, report: ImportReport, stop: threading.Event
) -> None:
    """Wait for the uploads, give the turns back, and say what is not as it should be."""
    Supervisor(desk.uploader, archive.state, archive.settings, leases=desk.leases, stop=stop).finish_uploads()
    report.segments = desk.uploader.committed
    report.runs = {name: turn.run for name, turn in desk.turns.items()}
    report.sources = child.ended
    if not desk.uploader.is_stuck:
        desk.leave()
    use = desk.measure()
    if use.segments or desk.uploader.trouble is not None:
        report.fail(*judge_waiting(use, archive.state, desk.uploader.trouble))
    for error in child.refusals.values():
        report.fail(error.exit_code, str(error))
    for line in desk.list_damaged():
        report.fail(ExitCode.FAILED, line)


def _judge_child(code: int | None, report: ImportReport) -> None:
    """Say so if the child ended otherwise than it should; *code*: `None`: it has not ended by itself."""
    if code == ExitCode.DISK_FULL:
        report.fail(ExitCode.DISK_FULL, "the disk is full; import again to go on")
    elif code not in {None, ExitCode.DONE}:
        report.fail(ExitCode.FAILED, f"the import's process ended with {code}; what it had kept is kept; import again")


def _fail(report: ImportReport, error: ArchiveError | OSError) -> None:
    if isinstance(error, OSError):
        code = ExitCode.DISK_FULL if error.errno in FULL else ExitCode.FAILED
        report.fail(code, f"this disk refuses: {error}")
    else:
        report.fail(error.exit_code, str(error))


__all__ = ["ImportReport", "ImportRequest", "ImportStep", "run_import"]
