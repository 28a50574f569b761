"""The command sync: an archive into another place."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from config.errors import ConfigError, ExitCode
from config.loading import load_settings
from config.units import count
from jobs.archive.identity import read_info
from jobs.cli.archive import make_folder, require_free
from jobs.cli.options import Invocation, common_options, exit_codes
from jobs.cli.progress import show_progress, show_size
from jobs.diff import make_safe
from jobs.store import open_store
from jobs.store.local import LocalStore
from jobs.sync import SourceState, sync_archive

if TYPE_CHECKING:
    from jobs.store import ObjectStore
    from jobs.sync import SourceReport, SyncReport

_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)


@click.command(epilog=exit_codes(ExitCode.DISK_FULL, ExitCode.NO_ARCHIVE, ExitCode.STORE_REFUSED, ExitCode.DAMAGE))
@click.argument("from_place", metavar="FROM")
@click.argument("to_place", metavar="TO")
@click.argument("source", nargs=-1)
@click.option("--dry-run", is_flag=True, help="Say what would be copied and write nothing.")
@click.option("--full", is_flag=True, help="Also compare the digest of every object that is there already.")
@click.option("--from-config", type=_FOLDER, help="Folder whose settings.yaml says how to reach FROM.")
@click.option("--to-config", type=_FOLDER, help="Folder whose settings.yaml says how to reach TO.")
@common_options
def sync(
    invocation: Invocation,
    *,
    from_place: str,
    to_place: str,
    source: tuple[str, ...],
    dry_run: bool,
    full: bool,
    from_config: Path | None,
    to_config: Path | None,
) -> int:
    """Copy an archive into a folder or a bucket, or bring such a copy up to date; all sources or some.

    FROM and TO are paths or s3://BUCKET/PREFIX. FROM may be live: each log is copied up to where it ended when it was
    listed, and each commit after all that it names, so that TO is a whole archive at every instant, whatever ends the
    sync; run it again and it goes on. Every object is checked against its digest before it is put. Left out are leases,
    feeds, files that no commit names, and raw/ and clean/. Nothing is deleted but what
    redactions and replacements let go: that is purged in TO with all its versions, once its commit allows it, or never
    copied; what cannot be purged is named, and the exit code is 12. Objects above 4 MiB go through
    TMPDIR, 1 GiB of them at a time. Where TO has commits that FROM lacks, nothing of that source is copied and the
    exit code is 2: the two may be swapped.

    Two S3 servers or accounts need settings of their own: make a folder for each with a settings.yaml that has its
    s3_endpoint_url, s3_path_style, s3_region and s3_profile (the credentials' name in ~/.aws/credentials), and name
    them by --from-config and --to-config. OFRECORD_S3_… variables must then not be set: they go before both files.
    """
    origin = open_store(from_place, load_settings(from_config) if from_config else invocation.settings)
    target = open_store(to_place, load_settings(to_config) if to_config else invocation.settings)
    read_info(origin)
    if isinstance(target, LocalStore):
        _require_another(target, origin)
        if not dry_run:
            make_folder(Path(target.url))
        elif Path(target.url).exists():
            require_free(Path(target.url))
    with show_progress(wanted=not invocation.as_json) as progress:
        report = sync_archive(origin, target, sources=source or None, full=full, dry_run=dry_run, progress=progress)
    invocation.print_result(report.to_json(), describe_sync(report))
    if report.damaged:
        return ExitCode.DAMAGE
    if report.kept:
        return ExitCode.STORE_REFUSED
    return ExitCode.USAGE if report.ahead else ExitCode.DONE


def describe_sync(report: SyncReport) -> str:
    """Return what a sync did, for people: problems first."""
    lines = [f"problem: {make_safe(str(problem))}" for problem in report.problems]
    verb = "would copy" if report.dry_run else "copied"
    what = f"{verb} {count(report.objects_copied, 'object')} ({show_size(report.bytes_copied)})"
    what += f" · {report.objects_there} there already"
    if report.uncommitted:
        what += f" · left out {count(report.uncommitted, 'object')} that no commit names"
    if report.withheld:
        what += f" · withheld {count(report.withheld, 'object')} that later commits let go"
    lines.append(what)
    removed = "would be purged" if report.dry_run else "purged"
    lines += [f"  {removed}: {make_safe(key)}" for key in report.purged]
    lines += [f"  not purged: {make_safe(str(one))}" for one in report.kept]
    lines += [f"  {_describe_source(one, dry_run=report.dry_run)}" for one in report.sources.values()]
    lines += [f"  note: {make_safe(note)}" for note in report.notes]
    return "\n".join(lines)


def _describe_source(one: SourceReport, *, dry_run: bool) -> str:
    ends = [f"commit {head.seq}, {head.digest}" if head else "no commit" for head in (one.origin, one.copy)]
    if one.state is SourceState.WHOLE and ends[0] == ends[1]:
        return f"{one.source}: both logs {'would end' if dry_run else 'end'} at {ends[0]}"
    words = {
        SourceState.WHOLE: "would be copied" if dry_run else "copied",
        SourceState.AHEAD: f"TO has {_count_ahead(one)} that FROM lacks, nothing was copied: are FROM and TO swapped?",
        SourceState.DIVERGED: "the logs part, nothing was done",
        SourceState.STOPPED: "stopped at damage",
    }
    return f"{one.source}: {words[one.state]}\n    FROM ends at {ends[0]}\n    TO   ends at {ends[1]}"


def _count_ahead(one: SourceReport) -> str:
    ends = [head.seq if head else 0 for head in (one.origin, one.copy)]
    return count(ends[1] - ends[0], "commit")


def _require_another(target: LocalStore, origin: ObjectStore) -> None:
    if isinstance(origin, LocalStore) and Path(origin.url).resolve() == Path(target.url).resolve():
        raise ConfigError(f"{target.url}: FROM and TO are one place")
