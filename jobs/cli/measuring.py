"""The figures that `crawl` and `job` leave in a file for node_exporter, however they end."""

from __future__ import annotations

import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import structlog

from config.errors import ArchiveError, ConfigError
from jobs.cli.failure import FiguresFile, find_failure

if TYPE_CHECKING:
    from collections.abc import Callable

    from jobs.cli.failure import FailureReport
    from jobs.cli.options import Invocation
    from jobs.runs.crawl import RunReport

log = structlog.get_logger()


def metrics_option(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add --metrics-file to a command. It is looked at first, so that what is wrong with the others is told there."""
    return click.option(
        "--metrics-file",
        type=click.Path(dir_okay=False, path_type=Path),
        callback=_take_path,
        is_eager=True,
        expose_value=False,
        envvar="OFRECORD_METRICS_FILE",
        help="Leave the figures of the runs in that file.prom, for Prometheus; else the setting metrics_file.",
    )(function)


def prepare_figures(invocation: Invocation) -> None:
    """Note what the settings say of the file, and that it can be written. Raises ConfigError.

    A run that a daemon owns leaves none: the daemon tells of it.
    """
    failure, wanted = find_failure(), invocation.settings.metrics_file
    if failure is None:
        return
    if invocation.given is not None:
        failure.figures = None
    elif failure.figures is None and wanted is not None:
        failure.figures = FiguresFile(wanted)
    if failure.figures is not None:
        failure.figures.config_dir = invocation.config_dir
        folder = failure.figures.path.absolute().parent
        if not folder.is_dir():
            raise ConfigError(f"metrics_file: found no folder {folder}, expected the one that node_exporter reads")


def note_run(report: RunReport) -> None:
    """Note that a run is over."""
    failure = find_failure()
    if failure is not None and failure.figures is not None:
        failure.figures.runs.append((time.time(), report))


def leave_figures(failure: FailureReport, exit_code: int) -> None:
    """Write the file, if one is wanted. That it cannot be written is told, and changes no exit code."""
    figures = failure.figures
    if figures is None:
        return
    from config.sources import load_sources  # noqa: PLC0415 - who leaves no figures does not pay
    from jobs.metrics.textfile import RunTold, write_textfile  # noqa: PLC0415

    now = time.time()
    runs = [
        RunTold(report.source, report.exit_code, ended, report.seconds, report.to_json())
        for ended, report in figures.runs
    ]
    if failure.failed:  # as a whole: then none of the others was begun
        begun = {run.source for run in runs}
        runs += [RunTold(source, exit_code, now, 0.0, None) for source in failure.sources if source not in begun]
    configured = None
    if figures.config_dir is not None:
        with suppress(ArchiveError, OSError):
            configured = frozenset(load_sources(figures.config_dir / "sources"))
    try:
        write_textfile(figures.path.absolute(), runs, exit_code=exit_code, ended=now, sources=configured)
    except OSError as error:
        log.warning("failed_metrics", path=str(figures.path), error=str(error))
        click.echo(f"ofrecord: {figures.path}: the figures could not be written: {error.strerror}", err=True)


def _take_path(context: click.Context, _option: click.Parameter, path: Path | None) -> None:
    if path is None:
        return
    if path.suffix != ".prom" or path.name.startswith("."):
        raise click.BadParameter("a file whose name ends with .prom: node_exporter reads no other")
    failure = find_failure(context)
    if failure is not None:
        failure.figures = FiguresFile(path)
