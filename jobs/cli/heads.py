"""Commands about heads: write one now, list them; and what a crawl does of it at its end."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from config.errors import ArchiveError, DamageFound, ExitCode
from config.units import count
from crawler.rows import format_time
from jobs.archive.ends import LogEnd, encode_ends
from jobs.archive.heads import find_newest, read_head
from jobs.cli.options import Invocation, archive_options, enter_archive, exit_codes, printable, reading_codes
from jobs.heads.post import POST_SECONDS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from jobs.context import OpenArchive
    from jobs.heads.writing import HeadReport

_WRITING = (ExitCode.DISK_FULL, ExitCode.NOT_TOLD, ExitCode.NO_ARCHIVE, ExitCode.STORE_REFUSED, ExitCode.DAMAGE)
_LISTED = 20


@click.group()
def heads() -> None:
    """Write down the ends of all logs, have them stamped and sent to second places; list what was written."""


@heads.command("write", epilog=exit_codes(*_WRITING))
@archive_options
def write(invocation: Invocation) -> int:
    """Write a head if a log has grown since the last one, and send what second places have not got yet.

    The daemon does so once in `heads_seconds`, crawl and job at their end.
    """
    from jobs.heads.writing import keep_heads  # noqa: PLC0415 - not every command pays for it

    with enter_archive(invocation) as archive:
        report = keep_heads(archive)
    invocation.print_result(report.to_json(), show_report(report))
    return tell_failures(report)


@heads.command("list", epilog=reading_codes())
@click.option("--limit", type=click.IntRange(min=1), default=_LISTED, help=f"The newest so many; default {_LISTED}.")
@archive_options
def list_heads(invocation: Invocation, *, limit: int) -> int:
    """List the newest heads, the newest first: time, digest, logs, signatures."""
    damaged = False
    with enter_archive(invocation) as archive:
        newest, _ = find_newest(archive.store)
        for n in range(newest, max(0, newest - limit), -1):
            try:
                head = read_head(archive.store, n)
            except (ArchiveError, DamageFound) as error:
                click.echo(f"ofrecord: {error}", err=True)
                damaged = True
                continue
            keys = [one.key_id for one in head.document.signatures]
            by = f"signed by {', '.join(key[:16] + '…' for key in keys)}" if keys else "unsigned"
            data = {
                "n": n,
                "created": head.created,
                "sha256": head.document.digest,
                "signed_by": keys,
                "heads": encode_ends(head.ends),
            }
            text = f"{n}  {format_time(head.created)}  {head.document.digest}  {count(len(head.ends), 'log')}, {by}"
            invocation.print_result(data, text)
    return ExitCode.DAMAGE if damaged else ExitCode.DONE


def show_report(report: HeadReport) -> str:
    """Return what came of a round, for people."""
    if not report.n or report.created is None:
        return "no head: there is no log yet"
    lines = [
        f"head {report.n} of {format_time(report.created)}, {report.sha256}"
        + (f": the ends of {count(report.sources, 'log')}" if report.wrote else ": no log has grown since")
    ]
    if report.stamped is not None:
        lines.append(f"  stamped: it existed by {format_time(report.stamped)}")
    lines += [f"  {printable(place)} has it" for place, n in report.sent.items() if n >= report.n]
    return "\n".join(lines)


def tell_failures(report: HeadReport) -> ExitCode:
    """Say on standard error what second places did not take; return the exit code of it."""
    for place, reason in report.failed.items():
        told = reason if reason.startswith(place) else f"{place}: {reason}"
        click.echo(f"ofrecord: head {report.n}: {printable(told)}; tried again next time", err=True)
    return ExitCode.NOT_TOLD if report.failed else ExitCode.DONE


def write_after(archive: OpenArchive, sources: Iterable[str], seconds: float = POST_SECONDS) -> ExitCode:
    """Write a head at the end of a command that has committed to *sources*; return the exit code of what failed.

    *seconds*: what posting may take. The ends of other logs are as in the last head, unless that is old. Raises nothing
    of the archive's: what was fetched is committed.
    """
    from jobs.heads.writing import keep_heads  # noqa: PLC0415 - not every command pays for it

    if not archive.settings.heads_seconds:
        return ExitCode.DONE
    fresh = {source: LogEnd(*head) for source in sources if (head := archive.catalog.head(source))[0]}
    try:
        report = keep_heads(archive, fresh=fresh, seconds=seconds)
    except (ArchiveError, OSError) as error:
        click.echo(f"ofrecord: no head was written: {error}; the next command tries again", err=True)
        return ExitCode.NOT_TOLD
    return tell_failures(report)
