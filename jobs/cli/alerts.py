"""Commands about alerts: what is open, whether they arrive, and a look for those who run no daemon."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from config.errors import ConfigError, ExitCode
from config.units import count
from crawler.rows import format_time
from jobs.alerts.delivery import Sender, list_addresses
from jobs.alerts.messages import write_test
from jobs.alerts.rounds import Teller
from jobs.alerts.told import Memory, open_told
from jobs.alerts.watch import SPOOLS
from jobs.archive.identity import list_sources
from jobs.cli.options import Invocation, archive_options, enter_archive, exit_codes, printable
from jobs.health import State, read_health
from jobs.store import open_store

if TYPE_CHECKING:
    from config.addresses import SecretAddress
    from jobs.context import OpenArchive
    from jobs.store import ObjectStore

_PLACE = click.option(
    "--told", metavar="PLACE", help="Where it is kept what was told: a folder or s3://BUCKET/PREFIX; else in --state."
)
_READING = (ExitCode.DISK_FULL, ExitCode.NO_ARCHIVE, ExitCode.STORE_REFUSED, ExitCode.DAMAGE)


class _Listing(click.Group):
    """A group that lists if it is asked for nothing else."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if not args or (args[0].startswith("-") and args[0] not in ctx.help_option_names):
            args = ["list", *args]
        return super().parse_args(ctx, args)


@click.group(cls=_Listing)
def alerts() -> None:
    """List what is open now (as `list`), try the addresses out, or look and tell without a daemon."""


@alerts.command("list", epilog=exit_codes(*_READING))
@_PLACE
@archive_options
def list_open(invocation: Invocation, *, told: str | None) -> None:
    """List the sources that somebody was told of and that are not well again, by what the daemon last kept."""
    with enter_archive(invocation) as archive:
        known = Memory(find_memory(invocation, archive, told)).read()[1]
    for name, one in sorted(known.standings.items()):
        if one.state is State.OK:
            continue
        better = f" · {one.better} since {format_time(one.better_since)}" if one.better and one.better_since else ""
        data = {
            "source": name,
            "state": one.state,
            "told": one.since,
            "reasons": [{"kind": reason.kind, "text": reason.text, "state": reason.state} for reason in one.reasons],
            "better": one.better,
            "better_since": one.better_since,
        }
        lines = [f"{name}  {one.state}  told {format_time(one.since)}{better}"]
        lines += [f"  - {printable(reason.text)} [{reason.kind}]" for reason in one.reasons]
        invocation.print_result(data, "\n".join(lines))
    waiting = sum(len(one.changes) for one in known.waiting.values())
    if waiting:
        click.echo(f"ofrecord: not delivered yet: {count(waiting, 'change')}", err=True)


@alerts.command("test", epilog=exit_codes(ExitCode.NOT_TOLD))
@archive_options
def test(invocation: Invocation) -> int:
    """Send a message to each address and say which took it. Needs no archive."""
    addresses = require_addresses(invocation)
    message = write_test(invocation.settings.archive or "none named")
    reasons = Sender().send([(address, message) for address in addresses])
    for number, (address, reason) in enumerate(zip(addresses, reasons, strict=True), 1):
        data = {"address": str(address), "number": number, "sent": reason is None, "reason": reason}
        shown = "sent" if reason is None else f"not sent: {printable(reason)}"
        invocation.print_result(data, f"{number}. {address}  {shown}")
    return ExitCode.NOT_TOLD if any(reasons) else ExitCode.DONE


@alerts.command("check", epilog=exit_codes(*_READING, ExitCode.NOT_TOLD))
@click.option("--full", is_flag=True, help="Read all facts of the archive first, where this machine has only some.")
@_PLACE
@archive_options
def check(invocation: Invocation, *, told: str | None, full: bool) -> int:
    """Look at all sources once and tell what changed since the last look, as the daemon does: for cron and cloud jobs.

    What was told must outlast the machine: where --state does not, give --told. A machine without state judges by its
    newest runs and by first sights; with --full by all, which is as much to read as the archive has facts.
    """
    require_addresses(invocation)
    sources = invocation.pick_sources((), all_active=True)
    with enter_archive(invocation) as archive:
        for name in list_sources(archive.store):
            if full:
                archive.refresh(name)
            else:
                archive.prepare(name)
        now = datetime.now(UTC)
        healths = read_health(archive.catalog, sources, invocation.settings, now, spools=archive.state / SPOOLS)
        memory = Memory(find_memory(invocation, archive, told))
        report = Teller(memory, invocation.settings, place=archive.store.place).tell(healths, now)
    for change in report.changes:
        data = {"source": change.source, "before": change.before, "after": change.after, "at": change.at}
        invocation.print_result(data, f"{change.source}: {change.after} (was {change.before})")
    for address, reason in report.failed.items():
        click.echo(f"ofrecord: not told: {address}: {printable(reason)}; it is tried again at the next look", err=True)
    return ExitCode.NOT_TOLD if report.failed else ExitCode.DONE


def require_addresses(invocation: Invocation) -> list[SecretAddress]:
    """Return where alerts go. Raises ConfigError if it is nowhere."""
    addresses = list_addresses(invocation.settings)
    if not addresses:
        raise ConfigError("no address: set OFRECORD_ALERTS, as in OFRECORD_ALERTS='mailtos://user:password@host'")
    return addresses


def find_memory(invocation: Invocation, archive: OpenArchive, told: str | None) -> ObjectStore:
    """Return the store in which it is kept what was told of *archive*. Raises ConfigError."""
    if told is None:
        return open_told(archive.state)
    if "://" not in told and not Path(told).is_dir():
        raise ConfigError(f"--told: found no folder {told}; make it first (or is it a volume that is not mounted?)")
    return open_store(told, invocation.settings)
