"""The command preview: what a run of a source would fetch and make of it. Nothing is stored."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from config.errors import ArchiveMissing, ConfigError, ExitCode, StoreError
from crawler.preview.facts import decode_preview
from crawler.urls import normalise_url
from crawler.visit import VisitLimits
from jobs.catalog import SourceVersions
from jobs.cli.options import Invocation, archive_options, encode_value, enter_archive, exit_codes, printable
from jobs.cli.progress import show_line
from jobs.cli.sources import check_source_rules
from jobs.cli.stopping import stop_on_signals
from jobs.previews import describe_preview, list_lines, mark_known, render_preview
from jobs.rechecks import RecheckPolicy
from jobs.visits import VisitStep, make_visit

if TYPE_CHECKING:
    import threading

    from config.sources import Source
    from crawler.preview.facts import Preview

_CODES = exit_codes(ExitCode.CRAWL_FAILED, ExitCode.DAMAGE)


@click.command(epilog=_CODES)
@click.argument("source")
@click.argument("url", required=False)
@click.option("--pages", type=click.IntRange(0, 50), default=3, help="How many pages are read as a sample; default: 3.")
@click.option(
    "--links",
    type=click.IntRange(0),
    default=40,
    help="How many links are shown; default: 40. --json shows all.",
)
@click.option(
    "--html",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write a page there: what was served on the left, what is made of it on the right.",
)
@click.option("--max-requests", type=click.IntRange(1, 10_000), default=40, help="At most so many; default: 40.")
@click.option("--max-seconds", type=click.FloatRange(1, 86_400), default=300, help="At most so long; default: 300.")
@archive_options
def preview(
    invocation: Invocation,
    *,
    source: str,
    url: str | None,
    pages: int,
    links: int,
    html: Path | None,
    max_requests: int,
    max_seconds: float,
) -> int:
    """Show what a run of SOURCE would fetch now, what not, and why; then some pages as it would keep them.

    Reads the source's listings and a few pages, as politely as a run, and stores nothing. With URL, that page alone:
    whether a run would follow a link to it, and what would be made of it.
    """
    (one,) = invocation.pick_sources((source,))
    check_source_rules(invocation, one)
    asked = None if url is None else _check_url(url)
    if html is not None and not os.access(html if html.exists() else html.parent, os.W_OK):
        raise ConfigError(f"--html {html}: nothing can be written there")
    limits = VisitLimits(max_requests, max_seconds, invocation.settings.max_body_bytes)
    parameters = {"url": asked, "pages": pages, "still": html is not None}
    with stop_on_signals() as stop:
        found = _look(invocation, one, parameters, limits, stop)
    found, due, notes = _compare(invocation, one, found)
    if one.is_raw_only(invocation.settings.raw_only):
        notes.append("a run only records the pages (raw_only); this is what one that reads them would make of them")
    if html is not None:
        _write(html, render_preview(found, source=one.id, name=one.name))
    if invocation.as_json:
        for data in describe_preview(one, found, due, notes):
            click.echo(json.dumps(data, ensure_ascii=False, default=encode_value))
    else:
        for line in list_lines(one, found, due, notes, links=links):
            click.echo(printable(line))
    if stop.interrupted:
        return ExitCode.INTERRUPTED
    return ExitCode.DONE if is_of_use(found) else ExitCode.CRAWL_FAILED


def is_of_use(found: Preview) -> bool:
    """Whether anything answered: a listing with links, or a page."""
    return any(one.links or one.listings for one in found.listings) or any(page.status for page in found.pages)


def _check_url(url: str) -> str:
    try:
        normalise_url(url)
    except ValueError as error:
        raise ConfigError(
            f"found {printable(url[:200])!r}, expected a URL with http:// or https://: {error}"
        ) from error
    return url


def _look(
    invocation: Invocation, source: Source, parameters: dict[str, Any], limits: VisitLimits, stop: threading.Event
) -> Preview:
    with show_line(wanted=True) as line:

        def tell(step: VisitStep) -> None:
            if line is not None:
                told = f"{source.id} · request {step.requests} of at most {limits.requests} · {printable(step.url)}"
                line.show(lambda columns: told[:columns])

        found = make_visit("preview", parameters, source, invocation.settings, limits, stop=stop, tell=tell)
    return decode_preview(found)


def _compare(invocation: Invocation, source: Source, found: Preview) -> tuple[Preview, int | None, list[str]]:
    """Return *found* beside what the archive knows, how many known articles are due, and what hinders to say that."""
    if not found.links:
        return found, None, []
    now, policy = datetime.now(UTC), RecheckPolicy.of(source, invocation.settings)
    raw_only = source.is_raw_only(invocation.settings.raw_only)
    try:
        with enter_archive(invocation) as archive:
            archive.prepare(source.id)
            versions = SourceVersions(archive.catalog, source.id)
            due = sum(1 for _ in archive.catalog.list_due(source.id, policy, now))
            return mark_known(found, source, versions, now=now, raw_only=raw_only), due, []
    except (ArchiveMissing, StoreError) as error:
        return found, None, [f"what the archive has is not considered: {error}"]
    except ConfigError as error:
        if invocation.settings.archive:
            raise
        return found, None, [f"what the archive has is not considered: {error}"]


def _write(path: Path, page: str) -> None:
    try:
        path.write_text(page, "utf-8", "replace")
    except OSError as error:
        raise ConfigError(f"--html {path}: cannot be written: {error.strerror}") from error
