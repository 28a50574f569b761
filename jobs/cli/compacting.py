"""The command compact: cold storage, old segments repacked many to an object, and brought out of it again."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import click

from config.errors import ConfigError, ExitCode
from config.units import count, parse_duration
from jobs.archive.identity import list_sources
from jobs.cli.options import Invocation, archive_options, enter_archive, exit_codes
from jobs.compaction.running import Compaction, CompactReport
from jobs.context import require_source

if TYPE_CHECKING:
    from collections.abc import Callable

_CODES = (ExitCode.DISK_FULL, ExitCode.NO_ARCHIVE, ExitCode.LOCKED, ExitCode.STORE_REFUSED, ExitCode.DAMAGE)


@click.command(epilog=exit_codes(*_CODES))
@click.option("--before", default="90 days", metavar="AGE", help="Repack what was closed longer ago; default 90 days.")
@click.option("--grace", default="30 days", metavar="AGE", help="Keep replaced objects as long; default 30 days.")
@click.option("--restore", is_flag=True, help="Bring all that was repacked back into one .warc.gz a segment.")
@click.option("--dry-run", is_flag=True, help="Say what would be done and do nothing.")
@click.argument("source", nargs=-1)
@archive_options
def compact(
    invocation: Invocation, *, before: str, grace: str, restore: bool, dry_run: bool, source: tuple[str, ...]
) -> None:
    """Repack old segments as .warc.zst, many to an object, of all sources or some; safe to stop and run again.

    Each object is read back from the store and proven to hold every record as it was, before a commit says that it
    takes the place of the old ones. These are deleted by the first run after their grace, which takes the right to
    delete (deploy/policy-redact.json). Records stay readable one by one. Pages that a site sends compressed do not get
    smaller; all else comes to a fraction.
    """
    age, kept = _read_age("--before", before), _read_age("--grace", grace)
    reports = []
    with enter_archive(invocation) as archive:
        known = list_sources(archive.store)
        for one in source:
            require_source(one, known)
        for one in source or known:
            work = Compaction(archive, one, grace=kept, dry_run=dry_run, tell=_make_telling(one))
            reports.append(work.restore() if restore else work.compact(datetime.now(UTC) - age))
    told = "\n".join(map(describe_report, reports)) or "no source in this archive"
    invocation.print_result({"sources": [asdict(one) for one in reports]}, told)


def describe_report(report: CompactReport) -> str:
    """Return what was done with one source, for people."""
    would = "would have " if report.dry_run else ""
    lines = []
    if report.segments:
        size = f", {report.before_bytes:,} bytes" + ("" if report.dry_run else f" to {report.after_bytes:,}")
        lines.append(f"{would}repacked {count(report.segments, 'segment')} in {count(report.objects, 'object')}{size}")
    if report.delete_after is not None:
        lines.append(f"what they replace may be deleted from {report.delete_after:%Y-%m-%d %H:%M} UTC on")
    if report.deleted:
        lines.append(f"{would}deleted {count(len(report.deleted), 'replaced object')}")
    if report.kept:
        lines.append(f"kept {count(len(report.kept), 'replaced object')}: {next(iter(report.kept.values()))}")
    return f"{report.source}: " + ("; ".join(lines) or "nothing to do")


def _make_telling(source: str) -> Callable[[str], None]:
    return lambda words: click.echo(f"{source}: {words}", err=True)


def _read_age(option: str, text: str) -> timedelta:
    try:
        return timedelta(seconds=parse_duration(text) if text.strip() != "0" else 0)
    except (ValueError, OverflowError) as error:
        raise ConfigError(f"{option}: found {text!r}, expected an age such as 90 days: {error}") from error
