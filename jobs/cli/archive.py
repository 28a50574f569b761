"""Commands about the archive as a whole: init, verify, index."""

from __future__ import annotations

import os
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict, Unpack

import click

from config.errors import ArchiveError, ConfigError, ExitCode
from config.units import count, count_named
from crawler.rows import format_time
from jobs.archive.identity import INFO_KEY, create_archive, list_sources, read_info
from jobs.archive.keys import Standing
from jobs.catalog import Catalog
from jobs.checkpoint.checking import check_layers
from jobs.cli.options import Invocation, archive_options, exit_codes, read_trusted, reading_codes
from jobs.cli.progress import show_progress, show_sources
from jobs.cli.repairing import describe_repair, mend_archive
from jobs.cli.times import read_time
from jobs.context import CATALOG_FILE, find_state, open_archive, require_source
from jobs.diff import make_safe
from jobs.rechecks import RecheckPolicy
from jobs.segments.pages import DerivingLimits
from jobs.store import open_store
from jobs.store.probe import is_left, probe_store
from jobs.verify import (
    Depth,
    Plan,
    VerifyReport,
    check_anchors,
    check_heads,
    check_retention,
    parse_part,
    verify_archive,
)

if TYPE_CHECKING:
    from config.settings import Settings
    from jobs.store import ObjectStore


_MOST_WORKERS = 8
"""What one process can take in of what others read."""


@click.command(epilog=exit_codes(ExitCode.DISK_FULL, ExitCode.STORE_REFUSED))
@click.option("--single-writer", is_flag=True, help="Accept a store without create-only puts; one process writes.")
@archive_options
def init(invocation: Invocation, *, single_writer: bool) -> None:
    """Make an archive, after a probe of the store. Safe to run twice."""
    place = invocation.settings.archive
    if not place:
        raise ConfigError("no archive named: give --archive PATH or s3://BUCKET/PREFIX, or set OFRECORD_ARCHIVE")
    if "://" not in place:
        make_folder(Path(place))
    store = open_store(place, invocation.settings)
    probe_store(store, single_writer=single_writer, locked=invocation.settings.object_lock != "none")
    info = create_archive(store, single_writer=single_writer, now=datetime.now(UTC))
    data = {"archive": info.archive, "place": store.url, "format": info.format, "created": info.created}
    invocation.print_result(data, f"archive {info.archive} at {store.url}")


class PlanOptions(TypedDict, total=False):
    """The options of `verify` that say how deep it goes, and with what."""

    quick: bool
    full: bool
    part: str | None
    since: str | None
    workers: int | None
    resume: Path | None


@click.command(epilog=reading_codes())
@click.option("--quick", is_flag=True, help="Only the logs, and that what they name is listed with its size.")
@click.option(
    "--read-data",
    "--full",
    "full",
    is_flag=True,
    help="Read every byte back (--full is the same); else sizes, digests the store proves, and the chain.",
)
@click.option(
    "--read-data-subset",
    "part",
    metavar="PART",
    help="Read some of it back: n/t, the n-th of t parts that make up all, or 5%, by chance (5%:SEED: the same again).",
)
@click.option("--since", metavar="TIME", help="Beside the logs, only what was committed since: a time, or an age.")
@click.option("--source", "more", multiple=True, metavar="SOURCE", help="Only that source; may be given again.")
@click.option("--workers", type=click.IntRange(1, 64), help="Processes that read; default: one for each processor.")
@click.option(
    "--resume",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="FOLDER",
    help="Keep there what was found sound, so that a check that was killed goes on; removed at its end.",
)
@click.option(
    "--expect",
    multiple=True,
    metavar="SOURCE=SEQ:DIGEST",
    help="A log's end that you noted earlier, as verify prints it; may be given again.",
)
@click.option(
    "--rederive", is_flag=True, help="Also make each text anew from its raw page, where this program made it; full."
)
@click.option(
    "--trusted-key",
    multiple=True,
    metavar="FINGERPRINT",
    help="Of a key that the log must be signed by, from elsewhere; else trusted_keys; may be given again.",
)
@click.option(
    "--heads",
    "places",
    multiple=True,
    metavar="PLACE",
    help="Outside heads: a folder, s3://BUCKET/PREFIX or a file; beside those of heads_to; may be given again.",
)
@click.option(
    "--repair-from",
    metavar="ARCHIVE",
    help="Then put back what is damaged, from a copy (a path or s3://…): only what the log demands, bit for bit.",
)
@click.option("--dry-run", is_flag=True, help="With --repair-from: say what would be put back, and change nothing.")
@click.argument("source", nargs=-1)
@archive_options
def verify(
    invocation: Invocation,
    *,
    expect: tuple[str, ...],
    rederive: bool,
    trusted_key: tuple[str, ...],
    places: tuple[str, ...],
    source: tuple[str, ...],
    more: tuple[str, ...],
    repair_from: str | None,
    dry_run: bool,
    **how: Unpack[PlanOptions],
) -> int:
    """Check what is stored against what was committed, of all sources or some, and who signed it.

    Commits that this machine's catalog has seen at this place must still be there; so must those named by --expect.
    What cannot be read counts as damage, unless the store fails as a whole.

    With --repair-from it is checked again after that, and code 0 means that nothing is damaged any more. What a
    redaction took out is never brought back. Needs the right to remove objects and to put commits.
    """
    names = tuple(dict.fromkeys((*source, *more)))
    if dry_run and repair_from is None:
        raise ConfigError("--dry-run: only with --repair-from; a check alone changes nothing")
    trusted = read_trusted(trusted_key)

    def check() -> VerifyReport:
        plan = make_plan(**how, rederive=rederive)
        return check_archive(
            invocation, plan=plan, expect=expect, rederive=rederive, names=names, trusted=trusted, places=places
        )

    report = check()
    if repair_from is None:
        invocation.print_result(report.to_json(), describe_report(report))
        return ExitCode.DAMAGE if report.damaged else ExitCode.DONE
    heads = [parse_head(text) for text in expect]
    repaired = mend_archive(invocation, repair_from, report, names=names, heads=heads, dry_run=dry_run)
    after = check() if repaired.mended and not dry_run else report
    data = {**report.to_json(), "repair": {**repaired.to_json(), "after": after.to_json()}}
    text = f"{describe_report(report)}\n{describe_repair(repaired)}"
    invocation.print_result(data, text if after is report else f"{text}\nchecked again: {describe_report(after)}")
    return ExitCode.DAMAGE if after.damaged or repaired.left else ExitCode.DONE


def make_plan(*, rederive: bool = False, **how: Unpack[PlanOptions]) -> Plan:
    """Return what the options of `verify` ask for. Raises ConfigError where two of them contradict each other."""
    quick, full, part = how.get("quick", False), how.get("full", False), how.get("part")
    resume = how.get("resume")
    reading = [
        name
        for name, given in (("--read-data", full), ("--read-data-subset", part is not None), ("--rederive", rederive))
        if given
    ]
    if quick and reading:
        raise ConfigError(f"--quick reads nothing back, and {reading[0]} does: give one of them")
    if part is not None and (full or rederive):
        raise ConfigError("--read-data-subset reads some, --read-data and --rederive all: give one of them")
    if resume is not None and (not reading or rederive):
        raise ConfigError("--resume: only for --read-data and --read-data-subset, which take their time")
    return Plan(
        depth=Depth.READ if reading else Depth.QUICK if quick else Depth.STANDARD,
        part=None if part is None else parse_part(part),
        since=read_time("--since", how.get("since"), datetime.now(UTC)),
        workers=how.get("workers") or min(_MOST_WORKERS, len(os.sched_getaffinity(0))),
        resume=resume,
    )


def check_archive(
    invocation: Invocation,
    *,
    plan: Plan,
    expect: tuple[str, ...] = (),
    rederive: bool = False,
    names: tuple[str, ...] = (),
    trusted: tuple[str, ...] = (),
    places: tuple[str, ...] = (),
) -> VerifyReport:
    """Return what a check of the archive finds, of all sources or those of *names*; options as `verify` has them."""
    place = invocation.settings.archive
    if not place:
        raise ConfigError("no archive named: give --archive PATH or s3://BUCKET/PREFIX, or set OFRECORD_ARCHIVE")
    store = open_store(place, invocation.settings)
    heads = [parse_head(text) for text in expect]
    known = list_sources(store)
    for name in names:
        require_source(name, sorted({*known, *(head[0] for head in heads)}))
    with show_progress(wanted=not invocation.as_json) as progress:
        report = verify_archive(
            store,
            plan=plan,
            sources=list(names) or None,
            progress=progress,
            rederive=DerivingLimits.of(invocation.settings) if rederive else None,
            trusted=trusted or tuple(invocation.settings.trusted_keys),
        )
    check_layers(store, report, sources=[one for one in names if one in known] if names else None)
    check_anchors(store, report, invocation.settings, places=places, sources=names or None)
    check_heads(store, report, [*heads, *read_seen_heads(invocation.settings, store)])
    if plan.full and not names and next(iter(store.list("tables/manifest-")), None) is not None:
        from jobs.tables import note_tables  # noqa: PLC0415 - pyarrow takes a third of a second

        note_tables(store, report)
    if plan.depth is not Depth.QUICK:
        check_retention(store, report, every=plan.full, sources=names or None)
    return report


def make_folder(path: Path) -> None:
    """Make the folder of a new archive. Raises ConfigError if it cannot be, or if other things lie there."""
    try:
        path.mkdir(parents=True, exist_ok=True)
    except FileExistsError as error:
        raise ConfigError(f"{path}: found a file, expected a folder or a place for a new one") from error
    except OSError as error:
        raise ConfigError(f"{path}: no archive can be made here: {error.strerror}") from error
    require_free(path)


def require_free(path: Path) -> None:
    """Raise ConfigError if *path* is no folder, cannot be read, or has other things in it than an archive."""
    try:
        found = next((entry.name for entry in path.iterdir() if not _is_ours(entry)), None)
    except NotADirectoryError as error:
        raise ConfigError(f"{path}: found a file, expected a folder or a place for a new one") from error
    except OSError as error:
        raise ConfigError(f"{path}: no archive can be made here: {error.strerror}") from error
    if found is not None and not (path / INFO_KEY).exists():
        raise ConfigError(f"{path}: found other files ({make_safe(found)}), expected an empty folder or a new one")


def _is_ours(entry: Path) -> bool:
    """Whether *entry* is no file of other people's: hidden, or what the trial of a place leaves where it is killed."""
    left = entry.name == "probe" and entry.is_dir() and all(is_left(one.name) for one in entry.iterdir())
    return left or entry.name.startswith(".")


def parse_head(text: str) -> tuple[str, int, str]:
    """Return source, number and digest of `SOURCE=SEQ:DIGEST`. Raises ConfigError."""
    match = re.fullmatch(r"([a-z0-9-]{1,64})=(\d{1,12}):(sha256:[0-9a-f]{64})", text)
    if match is None:
        raise ConfigError(f"--expect: found {text!r}, expected SOURCE=SEQ:sha256:… as verify prints the end of a log")
    return match[1], int(match[2]), match[3]


def read_seen_heads(settings: Settings, store: ObjectStore) -> list[tuple[str, int, str]]:
    """Return the ends of logs that this machine's catalog has seen at this place; none where there is no catalog."""
    try:
        path = find_state(settings, store, read_info(store).archive) / CATALOG_FILE
        if not path.exists():
            return []
        with Catalog.open(path, read_only=True) as catalog:
            return [(source, seq, head) for source, seq, head in catalog.list_heads() if seq]
    except (ArchiveError, OSError):
        return []  # the archive is what is checked, and verify has its own word for a broken ofrecord.json


def describe_plan(report: VerifyReport) -> str:
    """Return how deep a check went."""
    plan = report.plan
    if plan.depth is Depth.READ:
        said = "every byte read back" if plan.part is None else f"part {plan.part.text} read back"
    elif plan.depth is Depth.QUICK:
        said = "the logs, and that what they name is listed with its size; --full reads every byte back"
    else:
        said = "sizes and the chain; --full reads every byte back"
    if plan.since is not None:
        said += f"; of what was committed since {format_time(plan.since)}"
    if report.resumed and report.resumed_since is not None:
        said += f"; {count(report.resumed, 'segment')} by an earlier try, from {format_time(report.resumed_since)} on"
    return said


def describe_report(report: VerifyReport) -> str:
    """Return what a check found, for people: damage first, then notices, then what was looked at."""
    lines = [f"damage: {finding}" for finding in report.findings if finding.severity == "damage"]
    lines += [f"uncommitted: {make_safe(key)}" for key in report.uncommitted]
    lines.append(("DAMAGED" if report.damaged else "clean") + f" ({describe_plan(report)})")
    counts = report.to_json()["counts"]
    often_none = {"records", "rows", "packs", "rederived", "tables"}
    shown = {name: number for name, number in counts.items() if number or name not in often_none}
    lines.append(f"  {count_named(shown)}")
    if report.signatures.keys:
        found = {one.value: report.signatures.counts[one] for one in Standing if report.signatures.counts[one]}
        lines.append(
            f"  signatures of commits: {', '.join(f'{number} {name}' for name, number in found.items()) or 'none'}"
        )
    if report.lock is not None:
        lines.append(f"  kept by Object Lock: {report.lock}")
    if report.uncommitted:
        lines.append("  note: no commit names the uncommitted files: a run left them, or their commit was taken away")
    lines += [
        f"  outside head {one.n} of {one.at:%Y-%m-%d %H:%M:%S} UTC: {one.where}" for one in report.anchors.outside
    ]
    lines += [f"  {source}: the log ends at commit {head.seq}, {head.digest}" for source, head in report.heads.items()]
    lines += [f"  redacted: {finding}" for finding in report.findings if finding.severity == "redacted"]
    lines += [f"  note: {finding}" for finding in report.findings if finding.severity == "notice"]
    return "\n".join(lines)


@click.command(epilog=reading_codes())
@click.option("--rebuild", is_flag=True, help="Forget the catalog and make it anew.")
@click.option("--no-checkpoints", is_flag=True, help="Read every commit and segment instead of their checkpoints.")
@click.option("--verify", "also_verify", is_flag=True, help="Then read every byte back, as verify --full does.")
@archive_options
def index(invocation: Invocation, *, rebuild: bool, no_checkpoints: bool, also_verify: bool) -> int:
    """Bring the local catalog up to the log's end: on a new machine, everything from the archive alone."""
    with (
        open_archive(invocation.settings, fresh_catalog=rebuild) as archive,
        show_sources(wanted=not invocation.as_json) as tell,
    ):
        archive.refresh(checkpoints=not no_checkpoints, tell=tell)
        plan_rechecks(invocation, archive.catalog)
        counts = archive.catalog.count_all()
    invocation.print_result(counts, count_named(counts))
    if not also_verify:
        return ExitCode.DONE
    report = check_archive(invocation, plan=make_plan(full=True))
    invocation.print_result(report.to_json(), describe_report(report))
    return ExitCode.DAMAGE if report.damaged else ExitCode.DONE


def plan_rechecks(invocation: Invocation, catalog: Catalog) -> None:
    """Work out when articles are due, which the first crawl after a rebuild would else wait for."""
    try:
        sources = invocation.load_sources()
    except ConfigError:
        return  # a crawl will say so; the catalog does not hang on it
    for name, seq, _ in catalog.list_heads():
        if seq and (source := sources.get(name)) is not None:
            catalog.plan_rechecks(name, RecheckPolicy.of(source, invocation.settings))
