"""The command rebuild: texts derived again under the rules of now, compared with those that decide, and adopted."""

from __future__ import annotations

import os
from contextlib import nullcontext
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from config.errors import ConfigError, ExitCode
from config.rules import readable_url
from config.units import count
from crawler.spool import FULL
from jobs.archive.identity import list_sources
from jobs.cli.options import Invocation, archive_options, enter_archive, exit_codes, printable
from jobs.cli.progress import show_line
from jobs.rebuild import RebuildOptions, rebuild_source
from jobs.rebuild.comparing import Difference, report_to_json
from jobs.rebuild.page import MEANINGS, render_report, tell_words
from jobs.shards import parse_shard

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from config.settings import Settings
    from config.sources import Source
    from jobs.cli.progress import ProgressLine
    from jobs.context import OpenArchive
    from jobs.rebuild import Rebuild
    from jobs.rebuild.running import Runner

_CODES = (ExitCode.DISK_FULL, ExitCode.NO_ARCHIVE, ExitCode.LOCKED, ExitCode.STORE_REFUSED, ExitCode.DAMAGE)
_SHOWN = 20
"""Articles that are listed for people."""


@click.command(epilog=exit_codes(*_CODES))
@click.argument("sources", nargs=-1, metavar="[SOURCE]...")
@click.option("--adopt", is_flag=True, help="Commit the new texts, and let them decide from now on. Old ones stay.")
@click.option(
    "--html", type=click.Path(dir_okay=False, path_type=Path), help="A page to write, with samples side by side."
)
@click.option("--samples", type=click.IntRange(0, 100), default=5, help="Of each difference, on that page.")
@click.option("--again", is_flag=True, help="Derive also what these rules have read already: the same must come again.")
@click.option("--shard", metavar="I/N", help="Derive part I of N of the segments alone, and compare nothing.")
@click.option(
    "--parts",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder for what was derived, shared by all shards; else one in the state folder.",
)
@click.option("--cluster", metavar="ADDRESS", help="Derive on a Dask cluster: its scheduler's tcp://HOST:PORT.")
@archive_options
def rebuild(
    invocation: Invocation,
    *,
    sources: tuple[str, ...],
    adopt: bool,
    html: Path | None,
    samples: int,
    again: bool,
    shard: str | None,
    parts: Path | None,
    cluster: str | None,
) -> int:
    """Derive the texts of SOURCE (default: all) anew from the raw pages, under the rules of now, and compare.

    Says which articles' texts differ from those that decide now, and commits nothing. With --adopt the new texts are
    committed and decide: histories are judged by them, so a change of rules is no edit. What was derived is kept in
    parts, so that it is not derived again; stop at any time and go on by the same command.
    """
    if shard is not None and (adopt or html is not None):
        raise ConfigError("--shard derives one part: give --adopt and --html when all are there, and without it")
    if html is not None and not os.access(html if html.exists() else html.parent, os.W_OK):
        raise ConfigError(f"--html {html}: nothing can be written there")
    if shard is not None and cluster is not None:
        raise ConfigError("--shard and --cluster: one of them")
    options = RebuildOptions(adopt, again, parse_shard(shard) if shard else None, parts, samples)
    chosen = invocation.pick_sources(sources, all_active=True)
    done: list[Rebuild] = []
    with (
        choose_runner(cluster, invocation.settings) as runner,
        enter_archive(invocation) as archive,
        show_line(wanted=not invocation.as_json) as line,
    ):
        for source in _list_there(archive, chosen, named=bool(sources)):
            archive.refresh(source.id)
            tell = partial(_show_pages, line, source.id) if line is not None else None
            done.append(rebuild_source(archive, source, options, runner, tell=tell))
            if line is not None:
                line.clear()
            invocation.print_result(describe(done[-1]), show(done[-1]))
    if html is not None:
        _write(html, render_report([one.report for one in done if one.report is not None]))
    return ExitCode.DONE


def _write(path: Path, page: str) -> None:
    try:
        path.write_text(page, encoding="utf-8")
    except OSError as error:
        if error.errno in FULL:
            raise
        raise ConfigError(f"--html {path}: cannot be written: {error.strerror}") from error


def choose_runner(cluster: str | None, settings: Settings) -> AbstractContextManager[Runner | None]:
    """Return who derives: a cluster, or `None` for this process. Raises ConfigError."""
    if cluster is None:
        return nullcontext()
    from jobs.rebuild.cluster import open_cluster  # noqa: PLC0415 - an extra

    return open_cluster(cluster, settings)


def describe(done: Rebuild) -> dict[str, Any]:
    """Return what a rebuild came to as JSON data."""
    data: dict[str, Any] = {
        "source": done.source,
        "derivation": done.derivation,
        "parts": {"derived": done.derived, "found": done.found, "folder": str(done.folder)},
        "skipped": done.skipped,
        "report": report_to_json(done.report) if done.report else None,
    }
    return data | {"adopted": {"rows": done.adopted_rows, "commits": done.commits, "decides": done.decided}}


def show(done: Rebuild) -> str:
    """Return what a rebuild came to for people."""
    report = done.report
    if report is None:
        return f"{done.source}: derived {count(done.derived, 'part')}, found {count(done.found, 'part')}"
    known = f"; {count(done.skipped, 'capture')} read by these rules already" if done.skipped else ""
    lines = [f"{done.source}: {count(report.captures, 'capture')} derived again{known}"]
    lines += [f"  {report.counts[name]:>7}  {MEANINGS[name]}" for name in Difference if report.counts[name]]
    told = report.differing
    for article in told[:_SHOWN]:
        words = tell_words(article.worst) or printable(article.worst.reason or "")
        lines.append(f"  {article.worst.difference.value:<8} {printable(readable_url(article.url))}  {words}")
    if len(told) > _SHOWN:
        lines.append(f"  … and {count(len(told) - _SHOWN, 'article')} more")
    if done.commits:
        decides = "they decide from now on" if done.decided else "they decided already"
        lines.append(f"adopted {count(done.adopted_rows, 'text')} in {count(done.commits, 'commit')}: {decides}")
    elif report.captures - report.counts[Difference.NONE] - report.counts[Difference.FAILED] == 0:
        lines.append("nothing to adopt")
    else:
        lines.append("nothing was committed")
    return "\n".join(lines)


def _list_there(archive: OpenArchive, chosen: list[Source], *, named: bool) -> list[Source]:
    """Return the sources to do: if none was named, those that this archive has."""
    if named:
        return chosen
    known = set(list_sources(archive.store))
    return [source for source in chosen if source.id in known]


def _show_pages(line: ProgressLine, source: str, done: int, total: int) -> None:
    line.show(lambda _: f"{source}: {done}/{total} pages")
