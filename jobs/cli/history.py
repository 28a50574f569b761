"""The command `history`: every capture of an article with its verdict, and what proves, changed or moved it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from config.rules import readable_url
from config.units import count
from crawler.model import PageClass
from crawler.rows import format_time
from jobs.articles import GOOD_VERDICTS, list_metadata_changes
from jobs.cli.options import Invocation, archive_options, enter_archive, iterate_json, printable, reading_codes
from jobs.cli.reading import find_article
from jobs.fold import NOT_MODIFIED, Verdict
from jobs.moves import find_move, list_origins
from jobs.withdrawal import Withdrawals

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from jobs.catalog import Catalog, StoredCapture


@click.command(epilog=reading_codes())
@click.argument("url")
@click.option("--source", help="Where two sources have that URL.")
@archive_options
def history(invocation: Invocation, *, url: str, source: str | None) -> None:
    """Show every capture of an article with its verdict, and where it moved."""
    with enter_archive(invocation) as archive:
        owner, article = find_article(archive, url, source)
        catalog = archive.catalog
        captures = catalog.list_captures(owner, article)
        withdrawn = Withdrawals(catalog, archive.store)
        target, origins = find_move(catalog, owner, article), list_origins(catalog, owner, article)
        rows = describe_captures(catalog, captures, withdrawn, target=target, origins=origins)
        if invocation.as_json:
            for line in iterate_json(rows):
                click.echo(line)
            return
        click.echo(f"{readable_url(article)}\n{count(len(captures), 'capture')} of {owner}")
        for origin in origins:
            click.echo(f"moved here from {readable_url(origin)}")
        for number, (capture, row) in enumerate(zip(captures, rows, strict=True), 1):
            click.echo(f"{number:>4}  {describe_line(capture, row, captures, withdrawn)}")
        if target is not None:
            click.echo(f"moved to {readable_url(target)}")


def describe_line(
    capture: StoredCapture, row: dict[str, Any], captures: Sequence[StoredCapture], withdrawn: Withdrawals
) -> str:
    """Return a capture as a line for people."""
    text = f"text {capture.revision}" if capture.revision else "no text"
    status = capture.status if capture.status is not None else "—"
    when = f"{capture.captured_at:%Y-%m-%d %H:%M:%S}Z"
    found = withdrawn.find(capture)
    reason = printable(str(found)) if found else f"{capture.page_class}: {printable(capture.class_reason)}"
    number = next((n for n, one in enumerate(captures, 1) if one.place == capture.read_at), None)
    if number is not None:
        reason = f"not modified: as capture {number}"
    line = f"{when}  {capture.verdict or '':<10} {text:<8} {status} {reason}"
    if row["partial"]:
        line += "; in part: older posts are held back"
    if row["metadata"]:
        line += f"; changed: {', '.join(one['name'] for one in row['metadata'])}"
    if capture.origin is not None:
        line += f"; {capture.origin['kind']} from {printable(readable_url(capture.origin['where'] or ''))}"
    return line + (f"; evidence of deletion: {row['evidence']}" if row["evidence"] else "")


def describe_captures(
    catalog: Catalog,
    captures: Sequence[StoredCapture],
    withdrawn: Withdrawals,
    *,
    target: str | None,
    origins: list[str],
) -> Iterator[dict[str, Any]]:
    """Yield the captures of an article as JSON data. *target*: where it moved to; *origins*: from where."""
    first = next((one for one in captures if one.verdict == Verdict.NEW), None)
    led_away = next((one for one in reversed(captures) if one.redirect), None)
    earlier: list[StoredCapture] = []
    for capture in captures:
        changes = list_metadata_changes(catalog, capture, earlier) if capture.metadata else []
        if capture.verdict in GOOD_VERDICTS:
            earlier.append(capture)
        yield {
            **describe_capture(capture),
            "redacted": None if (found := withdrawn.find(capture)) is None else found.to_json(),
            "partial": is_partial(catalog, capture),
            "metadata": changes,
            "rules": [describe_record(one) for one in list_proofs(catalog, capture)],
            "moved_from": origins if capture is first else [],
            "moved_to": target if capture is led_away else None,
        }


def is_partial(catalog: Catalog, capture: StoredCapture) -> bool:
    """Whether a live page held older posts back."""
    if capture.read_class != PageClass.LIVE:
        return False
    fields = next((one for _, one in catalog.read_fields(capture.read_at or capture.place)), {})
    told = fields.get("partial")
    return isinstance(told, dict) and told.get("value") is True


def list_proofs(catalog: Catalog, capture: StoredCapture) -> list[StoredCapture]:
    """Return the answers that say why a page was not requested: the robots.txt of that run, redirects first."""
    return catalog.list_rules(capture) if capture.page_class == PageClass.BLOCKED else []


def describe_capture(capture: StoredCapture) -> dict[str, Any]:
    """Return what a capture says by itself as JSON data."""
    return {
        "url": capture.url,
        "source": capture.source,
        "captured_at": format_time(capture.captured_at),
        "verdict": capture.verdict,
        "revision": capture.revision,
        "status": capture.status,
        "class": capture.page_class,
        "class_reason": capture.class_reason,
        "error": capture.error,
        "redirect": capture.redirect,
        "evidence": capture.evidence,
        "not_modified": capture.status == NOT_MODIFIED and capture.read_at is not None,
        "run": capture.run,
        "origin": capture.origin,
        "warc": describe_record(capture)["warc"],
    }


def describe_record(capture: StoredCapture) -> dict[str, Any]:
    """Return where an answer is recorded."""
    place = {"key": capture.warc_key, "offset": capture.response_offset, "length": capture.response_length}
    return {"url": capture.url, "captured_at": format_time(capture.captured_at), "warc": place}
