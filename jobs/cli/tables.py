"""Commands about the tables for readers: build, list, check."""

from __future__ import annotations

from collections import defaultdict
from contextlib import nullcontext
from datetime import date
from typing import TYPE_CHECKING, Any

import click

from config.errors import ConfigError, ExitCode
from config.units import count
from jobs.archive.identity import read_info
from jobs.cli.options import Invocation, archive_options, exit_codes, iterate_json, reading_codes
from jobs.cli.progress import show_size
from jobs.context import open_archive
from jobs.diff import make_safe
from jobs.store import open_store

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from config.settings import Settings
    from jobs.store import ObjectStore
    from jobs.tables import BuildReport, CheckedTables, Manifest
    from jobs.tables.plan import Runner

TABLE_NAMES = ("captures", "links", "revisions", "snapshots")
_BUILDING = (ExitCode.DISK_FULL, ExitCode.NO_ARCHIVE, ExitCode.STORE_REFUSED, ExitCode.DAMAGE)


@click.group()
def tables() -> None:
    """Make, list and check the daily Parquet tables for DuckDB, pandas, Spark and the like."""


@tables.command("build", epilog=exit_codes(*_BUILDING))
@click.option("--since", metavar="DAY", help="Make the days from DAY (yyyy-mm-dd) on anew, whatever files they have.")
@click.option("--cluster", metavar="ADDRESS", help="Do the work on a Dask cluster: its scheduler's tcp://HOST:PORT.")
@archive_options
def build(invocation: Invocation, *, since: str | None, cluster: str | None) -> int:
    """Bring the tables up to the ends of the logs; safe to repeat, and to stop at any point.

    Only days of which there are new facts are made, late facts included. On a cluster each day is a task of its own;
    the workers need this version of ofrecord and the store's credentials in their own environment.
    """
    from jobs.tables import build_tables  # noqa: PLC0415 - pyarrow takes a third of a second

    start = parse_day(since) if since is not None else None
    with choose_runner(cluster, invocation.settings) as runner, open_archive(invocation.settings) as archive:
        report = build_tables(archive, runner, since=start)
    invocation.print_result(report_to_json(report), describe_build(report))
    for source, reason in report.stuck.items():
        click.echo(f"ofrecord: {source}: later facts are left out: {make_safe(reason)}", err=True)
    return ExitCode.DAMAGE if report.stuck else ExitCode.DONE


@tables.command("list", epilog=reading_codes())
@click.option("--files", "show_files", is_flag=True, help="The files themselves, each with its whole path or URL.")
@click.option("--table", type=click.Choice(TABLE_NAMES), help="Of that table only.")
@click.option("--since", metavar="DAY", help="From that day on (yyyy-mm-dd).")
@click.option("--until", metavar="DAY", help="Up to that day, itself included.")
@archive_options
def list_tables(
    invocation: Invocation, *, show_files: bool, table: str | None, since: str | None, until: str | None
) -> None:
    """List the tables by the newest manifest: days, rows, bytes; nothing where none were built."""
    first, last = parse_day(since or date.min.isoformat()), parse_day(until or date.max.isoformat())
    store = open_place(invocation.settings)
    manifest = read_manifest(store)
    files = [
        {"place": f"{store.url}/{file.key}", **{n: getattr(file, n) for n in file.__slots__}}
        for file in (manifest.files if manifest else ())
        if table in {None, file.table} and first <= file.day <= last
    ]
    if show_files:
        lines = iterate_json(iter(files)) if invocation.as_json else (file["place"] for file in files)
        for line in lines:
            click.echo(line)
        return
    for data in sum_up(files):
        text = f"{data['table']:<10} {count(data['days'], 'day'):>10} {data['first']} to {data['last']}"
        size = show_size(data["size_bytes"])
        invocation.print_result(
            data, f"{text} {count(data['files'], 'file'):>10} {count(data['rows'], 'row'):>16} {size:>10}"
        )


@tables.command("check", epilog=reading_codes())
@click.option("--full", is_flag=True, help="Also make every day anew from the log and compare it byte for byte.")
@archive_options
def check(invocation: Invocation, *, full: bool) -> int:
    """Check the tables: the chain of manifests, and that each listed file is there with its digest and rows."""
    from jobs.tables import check_tables  # noqa: PLC0415 - pyarrow takes a third of a second

    faults: list[dict[str, str]] = []
    store = open_place(invocation.settings)
    checked = check_tables(store, lambda key, fault: faults.append({"key": key, "message": fault}), full=full)
    data = {"full": full, "damaged": bool(faults), **{n: getattr(checked, n) for n in checked.__slots__}}
    invocation.print_result({**data, "findings": faults}, describe_check(checked, faults, full=full))
    return ExitCode.DAMAGE if faults else ExitCode.DONE


def choose_runner(cluster: str | None, settings: Settings) -> AbstractContextManager[Runner | None]:
    """Return the context in which the work is done on a *cluster*; in this process if there is none."""
    if cluster is None:
        return nullcontext()
    from jobs.tables.cluster import open_cluster  # noqa: PLC0415 - an extra

    return open_cluster(cluster, settings)


def open_place(settings: Settings) -> ObjectStore:
    """Return the store that *settings* name. Raises ConfigError."""
    if not settings.archive:
        raise ConfigError("no archive named: give --archive PATH or s3://BUCKET/PREFIX, or set OFRECORD_ARCHIVE")
    return open_store(settings.archive, settings)


def read_manifest(store: ObjectStore) -> Manifest | None:
    """Return the newest manifest, `None` if no tables were built."""
    from jobs.tables.manifest import read_newest  # noqa: PLC0415 - the package imports pyarrow

    stored = read_newest(store, read_info(store))
    return stored.manifest if stored else None


def parse_day(text: str) -> str:
    """Return a day as it stands in keys. Raises ConfigError."""
    try:
        day = date.fromisoformat(text)
    except ValueError:
        day = None
    if day is None or day.isoformat() != text:
        raise ConfigError(f"found the day {text!r}, expected yyyy-mm-dd")
    return text


def sum_up(files: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return for each table how much of it there is."""
    tables_found: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for file in files:
        tables_found[file["table"]].append(file)
    return [
        {
            "table": name,
            "days": len({file["day"] for file in found}),
            "first": min(file["day"] for file in found),
            "last": max(file["day"] for file in found),
            "files": len(found),
            "rows": sum(file["rows"] for file in found),
            "size_bytes": sum(file["size_bytes"] for file in found),
        }
        for name, found in sorted(tables_found.items())
    ]


def report_to_json(report: BuildReport) -> dict[str, Any]:
    """Return what a build did as JSON data."""
    return {name: getattr(report, name) for name in report.__slots__}


def describe_build(report: BuildReport) -> str:
    """Return what a build did, for people."""
    if not report.wrote:
        return f"nothing new: manifest {report.manifest}" if report.manifest else "no facts: no tables"
    made = f"{count(len(report.days), 'day')} made of {count(report.segments, 'segment')}"
    changed = f"{count(report.files, 'new file')}, {report.dropped} dropped"
    lines = [f"manifest {report.manifest} · {made} · {changed}"]
    lines += [f"  note: {number} × {column}: the value did not fit" for column, number in sorted(report.nulled.items())]
    return "\n".join(lines)


def describe_check(checked: CheckedTables, faults: list[dict[str, str]], *, full: bool) -> str:
    """Return what a check found, for people."""
    lines = [f"damage: {make_safe(fault['key'])}: {make_safe(fault['message'])}" for fault in faults]
    depth = f"{count(checked.days, 'day')} made anew from the log" if full else "--full compares with the log"
    lines.append(("DAMAGED" if faults else "clean") + f" ({depth})")
    lines.append(
        f"  {count(checked.manifests, 'manifest')} · {count(checked.files, 'file')} · {checked.rows} rows"
        f" · {show_size(checked.bytes)}"
    )
    return "\n".join(lines)
