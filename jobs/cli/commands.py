"""Every subcommand, and the one place where errors become exit codes.

Results go to stdout, everything else to stderr. Each command is a thin front of one function of jobs/.
"""

from __future__ import annotations

import gc
import importlib
import os
import sys

import click

from config.errors import ArchiveError, ExitCode
from config.settings import program_version
from jobs.cli.failure import FailureReport, judge_os_error
from jobs.cli.measuring import leave_figures

COMMANDS = {
    "init": "archive:init",
    "crawl": "crawling:crawl",
    "daemon": "daemon:daemon",
    "job": "job:job",
    "status": "status:status",
    "plan": "planning:plan",
    "runs": "runs:runs",
    "backfill-gaps": "backfilling:backfill_gaps",
    "backfill": "pasts:backfill",
    "import": "importing:import_files",
    "list": "reading:list_articles",
    "show": "reading:show",
    "history": "history:history",
    "diff": "comparing:diff",
    "changes": "changes:changes",
    "search": "searching:search",
    "export": "exporting:export",
    "serve": "serving:serve",
    "preview": "previewing:preview",
    "extract": "extracting:extract",
    "cite": "citing:cite",
    "verify-bundle": "citing:verify_bundle",
    "verify": "archive:verify",
    "keys": "keys:keys",
    "heads": "heads:heads",
    "sync": "sync:sync",
    "index": "archive:index",
    "rebuild": "rebuilding:rebuild",
    "redact": "redacting:redact",
    "prune": "prune:prune",
    "compact": "compacting:compact",
    "tables": "tables:tables",
    "query": "querying:query",
    "sources": "sources:sources",
    "alerts": "alerts:alerts",
    "config": "configuration:config",
}
"""Command → module below this package and the function in it. Loaded when asked for: a run of one pays for one."""


class LazyGroup(click.Group):
    """A group that imports a command when it is used."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names in the order of the help."""
        del ctx
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return the command of that name, or `None`."""
        del ctx
        if cmd_name not in COMMANDS:
            return None
        module, _, name = COMMANDS[cmd_name].partition(":")
        command = getattr(importlib.import_module(f"jobs.cli.{module}"), name)
        gc.enable()  # jobs.cli has begun without
        if not isinstance(command, click.Command):
            raise TypeError(f"{COMMANDS[cmd_name]} is no command")
        return command

    def invoke(self, ctx: click.Context) -> object:
        """Run the command. That the reader of its output went away is no failure: click would make a 1 of it."""
        try:
            return super().invoke(ctx)
        except BrokenPipeError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # nothing more to say
            return ExitCode.DONE


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(program_version(), prog_name="ofrecord")
def group() -> None:
    """Keep every version of the news you choose: raw WARC and clean text, in your own bucket."""


def run(words: list[str]) -> int:
    """Run the command line *words*; return the exit code (config.errors.ExitCode)."""
    failure, code = FailureReport.of(words), int(ExitCode.FAILED)
    try:
        code = _run(words, failure)
    finally:
        leave_figures(failure, code)
    return code


def _run(words: list[str], failure: FailureReport) -> int:
    try:
        outcome = group.main(words, prog_name="ofrecord", standalone_mode=False, obj=failure)
    except click.ClickException as error:
        error.show()
        failure.show(error.format_message(), ExitCode.USAGE)
        return ExitCode.USAGE
    except (click.exceptions.Abort, KeyboardInterrupt):
        return _complain("interrupted", ExitCode.INTERRUPTED, failure)
    except ArchiveError as error:
        return _complain(str(error), error.exit_code, failure)
    except OSError as error:
        code = judge_os_error(error)
        if code is None:
            failure.show(f"{type(error).__name__}: {error}", ExitCode.FAILED)
            raise
        message = f"the disk fails: {error}; check it; what was committed is safe"
        if code is ExitCode.DISK_FULL:
            message = f"the disk is full: {error}; what was committed is safe, the rest waits"
        return _complain(message, code, failure)
    except Exception as error:
        failure.show(f"{type(error).__name__}: {error}", ExitCode.FAILED)
        raise
    return outcome if isinstance(outcome, int) else ExitCode.DONE


def _complain(message: str, code: ExitCode, failure: FailureReport) -> int:
    if not failure.owned:
        click.echo(f"ofrecord: {message}", err=True)
    failure.show(message, code)
    return code
