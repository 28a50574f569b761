"""The command import: WARC and WACZ files of other tools, or of other archives, into this one."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from config.errors import ExitCode
from config.units import count
from jobs.cli.heads import write_after
from jobs.cli.options import Invocation, archive_options, enter_archive, exit_codes, printable
from jobs.cli.progress import show_line, show_size
from jobs.cli.stopping import stop_on_signals
from jobs.imports.run import ImportReport, ImportRequest, ImportStep, run_import

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_SHOWN = 20
_CODES = (
    ExitCode.DISK_FULL,
    ExitCode.NOT_TOLD,
    ExitCode.NO_ARCHIVE,
    ExitCode.LOCKED,
    ExitCode.STORE_REFUSED,
    ExitCode.DAMAGE,
)


@click.command("import", epilog=exit_codes(*_CODES))
@click.argument("place", nargs=-1, required=True)
@click.option("--source", "names", multiple=True, help="Only pages of that source; can be repeated. Default: of all.")
@click.option(
    "--any",
    "any_page",
    is_flag=True,
    help="Articles that no pattern knows, too, and of sites without a source: each becomes one, named after its host.",
)
@click.option("--again", is_flag=True, help="Read files from their beginning, though an import was through with them.")
@archive_options
def import_files(
    invocation: Invocation,
    *,
    place: tuple[str, ...],
    names: tuple[str, ...],
    any_page: bool,
    again: bool,
) -> int:
    """Import article pages from PLACE: WARC files (plain, .gz, .zst), WACZ files, folders, URLs, s3://BUCKET/PREFIX.

    Pages keep the time at which they were captured, and say which file they are from. What the archive has already
    is not kept again, and an import that was ended goes on where it was.
    """
    known = invocation.load_sources()
    chosen = invocation.pick_sources(names) if names else list(known.values())
    request = ImportRequest(places=place, sources=tuple(chosen), named=bool(names), any_page=any_page, again=again)
    with stop_on_signals() as stop, enter_archive(invocation) as archive:
        with _show_steps(wanted=not invocation.as_json) as tell:
            report = run_import(archive, request, stop=stop, tell=tell)
        for problem in report.problems:
            click.echo(f"ofrecord: {printable(problem)}", err=True)
        invocation.print_result(report.to_json(), describe_import(report))
        if stop.interrupted:
            return ExitCode.INTERRUPTED
        told = write_after(archive, report.runs) if report.segments and not stop.is_set() else ExitCode.DONE
        return max(told, report.exit_code)


@contextmanager
def _show_steps(*, wanted: bool) -> Iterator[Callable[[ImportStep], None] | None]:
    with show_line(wanted=wanted) as line:
        yield None if line is None else lambda step: line.show(lambda _: describe_step(step))


def describe_step(step: ImportStep) -> str:
    """Return how far an import is, in one line."""
    of = "" if step.size_bytes is None else f"/{show_size(step.size_bytes)}"
    faults = f" · {count(step.faulty, 'fault')}" if step.faulty else ""
    known = f" · {step.known} known" if step.known else ""
    name = printable(step.file.rpartition("/")[2])[:40]
    return (
        f"file {step.number}, {name} · {show_size(step.read_bytes)}{of} · {step.records} records"
        f" · {step.captures} kept{known}{faults}"
    )


def describe_import(report: ImportReport) -> str:
    """Return an import for people: what was kept, of which sources, and why the rest was not."""
    total = report.total
    files = [f"{number} {state}" for state, number in report.files.items() if state != "done"]
    read = count(sum(report.files.values()), "file") + (f" ({', '.join(files)})" if files else "")
    kept = (
        f"{read} · {count(total.records, 'record')} · {count(total.captures, 'capture')} kept"
        f" · {count(total.snapshots, 'text')} · {total.known} known already"
    )
    lines = [kept]
    for name, counts in sorted(report.sources.items()):
        if counts.get("captures"):
            lines.append(f"  {name}: {count(counts['captures'], 'capture')}, {count(counts['snapshots'], 'text')}")
    lines += [f"  left out   {number} × {printable(reason)}" for reason, number in total.left_out.most_common(_SHOWN)]
    lines += [f"  mended     {number} × {printable(what)}" for what, number in total.repaired.most_common(_SHOWN)]
    for fault in total.faults:
        lines.append(f"  damaged    {printable(fault['file'])}: offset {fault['offset']}: {printable(fault['reason'])}")
    if total.faulty > len(total.faults):
        lines.append(f"  … and {total.faulty - len(total.faults)} more damaged places")
    lines.append(f"  {count(report.segments, 'segment')} committed · {report.seconds:.1f} s")
    return "\n".join(lines)
