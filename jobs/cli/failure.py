"""What a crawl or job leaves behind even where an error ends it: a report on stdout (--json), a file of figures."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from config.errors import ExitCode
from crawler.spool import BROKEN, FULL

if TYPE_CHECKING:
    from collections.abc import Sequence

    from config.sources import Source
    from jobs.runs.crawl import RunReport

_REPORTING = ("crawl", "job")


@dataclass(slots=True)
class FiguresFile:
    """Where the figures of a command go, and what is to be told in it."""

    path: Path
    config_dir: Path | None = None
    runs: list[tuple[float, RunReport]] = field(default_factory=list)
    """When each run ended, in seconds since 1970, and its report."""


@dataclass(slots=True)
class FailureReport:
    """The report of a command that failed as a whole; travels as click's `obj`, so that commands can add to it."""

    wanted: bool = False
    """Whether stdout is to have a report, and has none yet."""
    sources: list[str] = field(default_factory=list)
    """Ids of those that were to be crawled, as far as that is known."""
    owned: bool = False
    """By a daemon, which logs what the report says: its log has no lines but those of a program."""
    failed: bool = False
    """Whether an error ended the command as a whole."""
    figures: FiguresFile | None = None
    """Where figures for Prometheus are to be left, if anywhere."""

    @classmethod
    def of(cls, words: Sequence[str]) -> FailureReport:
        """Return the report for the command line *words*, which need not be a valid one."""
        options = words[: words.index("--")] if "--" in words else words
        reporting = bool(words) and words[0] in _REPORTING
        return cls(wanted=reporting and "--json" in options, owned=reporting and "--owned" in options)

    def show(self, message: str, code: ExitCode) -> None:
        """Note that *message* ended the command; write the report to stdout, once, if it is wanted."""
        self.failed = True
        if not self.wanted:
            return
        self.wanted = False
        with suppress(BrokenPipeError):
            text = json.dumps(self.to_json(message, code), ensure_ascii=False)
            click.echo(text.encode("utf-8", "backslashreplace"))  # a path may be no UTF-8

    def to_json(self, message: str, code: ExitCode) -> dict[str, Any]:
        """Return the report: the keys of one over all runs of a job, without runs."""
        return {
            "run": None,
            "pages": 0,
            "exit_code": int(code),
            "error": message,
            "problems": [message],
            "not_begun": self.sources,
            "runs": [],
        }


def note_sources(chosen: Sequence[Source]) -> None:
    """Note for a failure's report what was to be crawled."""
    if failure := find_failure():
        failure.sources = [source.id for source in chosen]


def note_reported() -> None:
    """Note that the command's own report is printed."""
    if failure := find_failure():
        failure.wanted = False


def judge_os_error(error: OSError) -> ExitCode | None:
    """Return the exit code for what a disk does; `None` for all else."""
    if error.errno in FULL:
        return ExitCode.DISK_FULL
    return ExitCode.FAILED if error.errno in BROKEN else None


def find_failure(context: click.Context | None = None) -> FailureReport | None:
    """Return the report that the command of *context* (by default the one that runs) travels with, if any."""
    context = context or click.get_current_context(silent=True)
    return None if context is None else context.find_object(FailureReport)
