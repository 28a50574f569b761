"""Commands about the archive as a whole: init, verify, index."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import click

from config.errors import ConfigError, ExitCode
from jobs.archive import create_archive
from jobs.cli.options import Invocation, archive_options, enter_archive, exit_codes, reading_codes
from jobs.diff import make_safe
from jobs.store import open_store
from jobs.store.probe import probe_store
from jobs.verify import VerifyReport, verify_archive


@click.command(epilog=exit_codes(ExitCode.STORE_REFUSED))
@click.option("--single-writer", is_flag=True, help="Accept a store without create-only puts; one process writes.")
@archive_options
def init(invocation: Invocation, *, single_writer: bool) -> None:
    """Make an archive, after a probe of the store. Safe to run twice."""
    place = invocation.settings.archive
    if not place:
        raise ConfigError("no archive named: give --archive PATH or s3://BUCKET/PREFIX, or set OFRECORD_ARCHIVE")
    if "://" not in place and place != "memory:":
        Path(place).mkdir(parents=True, exist_ok=True)
    store = open_store(place, invocation.settings)
    probe_store(store, single_writer=single_writer)
    info = create_archive(store, single_writer=single_writer, now=datetime.now(UTC))
    data = {"archive": info.archive, "place": store.url, "format": info.format, "created": info.created}
    invocation.print_result(data, f"archive {info.archive} at {store.url}")


@click.command(epilog=reading_codes())
@click.option("--full", is_flag=True, help="Read every byte back; else sizes, digests the store proves, and the chain.")
@click.argument("source", nargs=-1)
@archive_options
def verify(invocation: Invocation, *, full: bool, source: tuple[str, ...]) -> int:
    """Check what is stored against what was committed, of all sources or some."""
    place = invocation.settings.archive
    if not place:
        raise ConfigError("no archive named: give --archive PATH or s3://BUCKET/PREFIX, or set OFRECORD_ARCHIVE")
    store = open_store(place, invocation.settings)
    report = verify_archive(store, full=full, sources=list(source) or None)
    invocation.print_result(report.to_json(), describe_report(report))
    return ExitCode.DAMAGE if report.damaged else ExitCode.DONE


def describe_report(report: VerifyReport) -> str:
    """Return what a check found, for people: damage first, then notices, then what was looked at."""
    lines = [f"damage: {finding}" for finding in report.findings if finding.severity == "damage"]
    lines += [f"uncommitted, which is no damage: {make_safe(key)}" for key in report.uncommitted]
    depth = "every byte read back" if report.full else "sizes and the chain; --full reads every byte back"
    lines.append(("DAMAGED" if report.damaged else "clean") + f" ({depth})")
    counts = report.to_json()["counts"]
    lines.append("  " + " · ".join(f"{number} {name}" for name, number in counts.items()))
    lines += [f"  {source}: the log ends at commit {head.seq}, {head.digest}" for source, head in report.heads.items()]
    lines += [f"  note: {finding}" for finding in report.findings if finding.severity == "notice"]
    return "\n".join(lines)


@click.command(epilog=reading_codes())
@click.option("--rebuild", is_flag=True, help="Forget the catalog and fold it anew from the whole log.")
@archive_options
def index(invocation: Invocation, *, rebuild: bool) -> None:
    """Bring the local catalog up to the log's end."""
    with enter_archive(invocation) as archive:
        if rebuild:
            archive.catalog.clear()
        archive.refresh()
        counts = archive.catalog.count_all()
    text = " · ".join(f"{number} {name}" for name, number in counts.items())
    invocation.print_result(counts, text)
