"""The command redact: takes what was captured of articles out of an archive, on request, and says so for good."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click

from config.errors import ConfigError, ExitCode
from config.units import count, parse_duration
from crawler.rows import format_time
from crawler.urls import find_normal
from jobs.archive.identity import list_sources
from jobs.cli.clearing import Cleared, clear_places
from jobs.cli.excluding import describe_wanted, find_wanted
from jobs.cli.options import Invocation, archive_options, enter_archive, exit_codes
from jobs.deletion import FinishReport, find_retention, finish_redactions
from jobs.diff import make_safe
from jobs.redaction.redacting import RedactReport, RedactRequest, redact_articles
from jobs.redaction.tombstones import clean_reason

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from jobs.context import OpenArchive

MAX_URLS = 1_000


@click.command(epilog=exit_codes(ExitCode.DISK_FULL, ExitCode.NO_ARCHIVE, ExitCode.STORE_REFUSED, ExitCode.DAMAGE))
@click.argument("urls", nargs=-1)
@click.option("--reason", help="Why, in one line. It stands in the log for good, so it names nobody.")
@click.option("--source", help="Of this source only; default: of every source that has the article.")
@click.option("--from", "from_file", type=click.Path(path_type=Path, exists=True), help="File with a URL a line.")
@click.option("--grace", help="Keep the objects before for that long (30 days); default: redact_grace_seconds.")
@click.option("--mentions", is_flag=True, help="Take out captures of other pages, too, that have words of the article.")
@click.option("--dry-run", is_flag=True, help="Say what would go, and change nothing.")
@click.option("--finish", is_flag=True, help="Delete what earlier redactions let go, as far as it may be deleted now.")
@archive_options
def redact(
    invocation: Invocation,
    *,
    urls: tuple[str, ...],
    reason: str | None,
    source: str | None,
    from_file: Path | None,
    grace: str | None,
    mentions: bool,
    dry_run: bool,
    finish: bool,
) -> int:
    """Take all captures of the articles at URLS out of the archive: pages, texts, titles, in every segment.

    Feeds and listings that told of them go with them. The URL stays in the rows, and the log says that, when and why
    something was taken out, but not what. First with --dry-run: it lists other pages that quote the article, which
    stay unless --mentions is given. The objects before are deleted by `--finish`, once the grace period is over.
    Where the source would fetch the article again, lines for `articles.exclude` of its file are printed: paste them in.
    """
    if finish:
        if urls or from_file:
            raise ConfigError("--finish takes no URLs: it ends all redactions whose time has come")
        return _finish(invocation, source, dry_run=dry_run)
    wanted = _read_urls(urls, from_file)
    try:
        told = clean_reason(reason or "")
    except ValueError as error:
        raise ConfigError(f"--reason: found {(reason or '')[:100]!r}, expected {error}") from error
    with enter_archive(invocation) as archive:
        seconds = _read_grace(grace) if grace else archive.settings.redact_grace_seconds
        reports = [
            redact_articles(
                archive,
                RedactRequest(one, frozenset(found), told, timedelta(seconds=seconds), mentions, dry_run),
            )
            for one, found in _find_sources(archive, wanted, source).items()
        ]
        held = {report.source: _find_last_retention(archive, report) for report in reports}
        cleared = Cleared() if dry_run else clear_places(archive, [one.source for one in reports])
    exclude = find_wanted(invocation, {one.source: one.urls for one in reports})
    lines = [line for one in reports for line in _describe(one, held[one.source], dry_run=dry_run)]
    invocation.print_result(
        {
            "redacted": [{**one.to_json(), "retained_until": _stamp(held[one.source])} for one in reports],
            "cleared": cleared.to_json(),
            "exclude": exclude,
        },
        "\n".join([*lines, *cleared.describe(), *describe_wanted(exclude)]),
    )
    return ExitCode.STORE_REFUSED if cleared.kept else ExitCode.DONE


def _finish(invocation: Invocation, source: str | None, *, dry_run: bool) -> int:
    with enter_archive(invocation) as archive:
        chosen = [source] if source else list_sources(archive.store)
        reports = [finish_redactions(archive, one, dry_run=dry_run) for one in chosen]
        # Once more: who did not know of the redaction yet may have written meanwhile.
        redacted = [one for one in chosen if archive.catalog.list_redacted(one)]
        cleared = clear_places(archive, redacted) if redacted and not dry_run else Cleared()
    lines = [line for one in reports for line in _describe_finish(one, dry_run=dry_run)]
    invocation.print_result(
        {"finished": [one.to_json() for one in reports], "cleared": cleared.to_json()},
        "\n".join([*(lines or ["nothing to delete"]), *cleared.describe()]),
    )
    return ExitCode.STORE_REFUSED if cleared.kept or any(one.kept for one in reports) else ExitCode.DONE


def _read_urls(urls: Iterable[str], from_file: Path | None) -> set[str]:
    listed = from_file.read_text(encoding="utf-8").split() if from_file else []
    wanted = set()
    for url in (*urls, *listed):
        normal = find_normal(url)
        if normal is None:
            raise ConfigError(f"{url[:200]!r}: not an http(s) URL")
        wanted.add(normal)
    if not 0 < len(wanted) <= MAX_URLS:
        raise ConfigError(f"found {len(wanted)} URLs, expected 1 to {MAX_URLS}")
    return wanted


def _read_grace(text: str) -> float:
    try:
        return parse_duration(text)
    except ValueError as error:
        raise ConfigError(f"--grace: {error}") from error


def _find_sources(archive: OpenArchive, urls: set[str], source: str | None) -> dict[str, set[str]]:
    """Return source → those of *urls* that it has captures of. Raises ConfigError if one is nobody's."""
    archive.refresh(source)
    found: dict[str, set[str]] = {}
    for name in [source] if source else list_sources(archive.store):
        if own := {url for url in urls if archive.catalog.list_touching(name, url)}:
            found[name] = own
    unknown = urls - {url for own in found.values() for url in own}
    if unknown:
        raise ConfigError(f"{min(unknown)}: no capture of that URL{f' in {source}' if source else ''}")
    return found


def _find_last_retention(archive: OpenArchive, report: RedactReport) -> datetime | None:
    held = [until for key in report.replaced if (until := find_retention(archive, key)) is not None]
    return max(held, default=None)


def _describe(report: RedactReport, held: datetime | None, *, dry_run: bool) -> list[str]:
    verb = "would take out" if dry_run else "took out"
    found = [
        f"{count(report.captures, 'capture')} of articles",
        f"{count(report.listings, 'capture')} of listings",
        f"{count(report.snapshots, 'text')}",
        f"{count(report.titles, 'title')} of links",
    ]
    lines = [f"{report.source}: {verb} {', '.join(found)}, in {count(len(report.segments), 'segment')}"]
    lines += [
        f"  stays: {make_safe(url)}: quotes it, {count(times, 'capture')}" for url, times in report.mentions.items()
    ]
    if report.commits:
        lines.append(f"  commits {', '.join(map(str, report.commits))}")
    if report.delete_after is not None:
        last = max(report.delete_after, held) if held else report.delete_after
        lines.append(f"  the objects before may be deleted from {format_time(last)} on: ofrecord redact --finish")
    return lines


def _describe_finish(report: FinishReport, *, dry_run: bool) -> list[str]:
    verb = "would delete" if dry_run else "deleted"
    lines = [f"{report.source}: {verb} {count(len(report.deleted), 'object')}"] if report.deleted else []
    if report.waiting:
        first = min(report.waiting.values())
        lines.append(f"{report.source}: {count(len(report.waiting), 'object')} may not go before {format_time(first)}")
    return lines + [f"{report.source}: kept {key}: {make_safe(why)}" for key, why in sorted(report.kept.items())]


def _stamp(time: datetime | None) -> str | None:
    return format_time(time) if time else None
