"""Commands that read the archive: list and show."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from config.errors import ConfigError, DamageFound, ObjectMissing, RecordError
from config.rules import readable_url
from config.units import count
from crawler.encoding import inflate
from crawler.model import PageClass
from crawler.urls import normalise_url
from crawler.warc import NOT_MODIFIED, inflate_member, read_member, read_response
from jobs.archive.ranges import fetch_range
from jobs.articles import find_latest, list_variants, read_revision
from jobs.cli.options import (
    Invocation,
    archive_options,
    enter_archive,
    iterate_json,
    printable,
    reading_codes,
)
from jobs.segments.pages import CapturePlaces, RecordPlace, fetch_member, read_capture
from jobs.withdrawal import Withdrawals

if TYPE_CHECKING:
    from jobs.catalog import StoredCapture, StoredRevision
    from jobs.context import OpenArchive

MAX_PAGE_BYTES = 256 * 1024 * 1024
_STATES = ("live", "suspected", "gone", "none")


@click.command("list", epilog=reading_codes())
@click.option("--source", help="Only of this source.")
@click.option("--status", type=click.Choice(_STATES), help="Only articles that stand so.")
@archive_options
def list_articles(invocation: Invocation, *, source: str | None, status: str | None) -> None:
    """List the articles in the archive."""
    with enter_archive(invocation) as archive:
        archive.refresh(source)
        articles = archive.catalog.list_articles(source, status)
        if invocation.as_json:
            for line in iterate_json(articles):
                click.echo(line)
            return
        for row in articles:
            texts = count(row["revisions"], "text")
            state = "redacted" if row["redacted"] and not row["revisions"] else row["state"]
            click.echo(f"{row['last_captured'][:16]}Z  {state:<9} {texts:<8} {readable_url(row['url'])}")
            if row["title"]:
                click.echo(f"{'':<19}{printable(row['title'])}")


@click.command(epilog=reading_codes())
@click.argument("url")
@click.option("--source", help="Where two sources have that URL.")
@click.option("--revision", type=click.IntRange(min=1), help="Which text; default: the latest.")
@click.option("--capture", type=click.IntRange(min=1), help="The page of that line of history, with html or raw.")
@click.option(
    "--format", "form", type=click.Choice(["text", "json", "html", "raw"]), default="text", help="What of it."
)
@archive_options
def show(
    invocation: Invocation, *, url: str, source: str | None, revision: int | None, capture: int | None, form: str
) -> None:
    """Show an article: its clean text, its fields (json), the page (html), or its WARC record (raw).

    The page is shown as it was served or, where the source has its pages rendered, as rendered.
    """
    if capture is not None and form not in {"html", "raw"}:
        raise ConfigError("--capture goes with --format html or raw: a clean text is a revision's")
    with enter_archive(invocation) as archive:
        owner, article = find_article(archive, url, source)
        if form in {"html", "raw"}:
            page = pick_capture(archive, owner, article, capture=capture, revision=revision)
            sys.stdout.buffer.write(read_page(archive, page, decoded=form == "html"))
            return
        chosen = pick_revision(archive, owner, article, revision)
        captures = archive.catalog.list_captures(owner, article)
        snapshot = read_revision(archive.catalog, chosen, captures) or {}
        if form == "json" or invocation.as_json:
            data = {"url": article, "source": owner, "revision": chosen.number, "captured_at": chosen.captured_at}
            click.echo(next(iterate_json(iter([data | snapshot]))))
        else:
            click.echo(snapshot.get("text", ""))


def find_article(archive: OpenArchive, url: str, source: str | None) -> tuple[str, str]:
    """Return source and normalised URL of an article, after a look at the log. Raises ConfigError if there is none."""
    try:
        article = normalise_url(url)
    except ValueError as error:
        raise ConfigError(f"{url}: not a URL: {error}") from error
    archive.refresh(source)
    owners = [one for one in archive.catalog.find_sources(article) if source in {None, one}]
    if not owners:
        near = next((other for other in list_variants(article) if archive.catalog.find_sources(other)), None)
        hint = f"; did you mean {near}?" if near else ""
        raise ConfigError(f"{article}: no capture in this archive" + (f" of source {source}" if source else "") + hint)
    if len(owners) > 1:
        raise ConfigError(f"{article}: {', '.join(owners)} have it; say which with --source")
    return owners[0], article


def pick_revision(archive: OpenArchive, source: str, url: str, number: int | None) -> StoredRevision:
    """Return a revision of an article, the latest seen by default. Raises ConfigError if there is none such."""
    revisions = archive.catalog.list_revisions(source, url)
    if not revisions or (number or 0) > len(revisions):
        raise ConfigError(tell_missing(archive, source, url, number, len(revisions)))
    if number is None:
        number = find_latest(archive.catalog.list_captures(source, url)) or 1
    return revisions[number - 1]


def tell_missing(archive: OpenArchive, source: str, url: str, number: int | None, texts: int) -> str:
    """Return why an article has no text, or no text *number* of its so many *texts*."""
    found = Withdrawals(archive.catalog, archive.store).find_latest(archive.catalog.list_captures(source, url))
    if texts == 0 and found is None:
        return f"{url}: captured, but never with a text; ofrecord history shows why"
    if texts == 0:
        return f"{url}: no text is left of it: {printable(str(found))}; ofrecord history shows when it was captured"
    more = f"; others were {printable(str(found))}" if found else ""
    return f"{url}: there is no text {number}: it has {count(texts, 'text')}{more}"


def pick_capture(
    archive: OpenArchive, source: str, url: str, *, capture: int | None, revision: int | None
) -> StoredCapture:
    """Return the capture of that line of the history, or the first of a revision. Raises ConfigError."""
    captures = archive.catalog.list_captures(source, url)
    if capture is None:
        chosen = pick_revision(archive, source, url, revision)
        return next(one for one in captures if (one.segment, one.n) == (chosen.segment, chosen.n))
    if capture > len(captures):
        raise ConfigError(f"{url}: there is no capture {capture}: it has {count(len(captures), 'capture')}")
    return captures[capture - 1]


def read_page(archive: OpenArchive, capture: StoredCapture, *, decoded: bool) -> bytes:
    """Return a capture's page: its body without content coding, or its whole WARC record. Raises DamageFound.

    The first is, of a page that was rendered, the document as rendered. Of a page that robots.txt disallows, both are
    of the robots.txt.
    """
    if capture.page_class == PageClass.BLOCKED:
        capture = next(reversed(archive.catalog.list_rules(capture)), capture)
    places = CapturePlaces.of(capture)
    if places is None and (found := Withdrawals(archive.catalog, archive.store).find(capture)) is not None:
        raise ConfigError(f"{capture.url}: there is no record of this capture any more: {printable(str(found))}")
    if places is None:
        raise ConfigError(f"{capture.url}: this capture got no answer ({capture.error}): there is no record")
    record = places.record

    def fetch(place: RecordPlace) -> bytes:
        return fetch_range(archive.store, place.key, place.offset, place.length)

    try:
        if not decoded:
            member = fetch_member(fetch, record)
            if faults := read_member(member, where=str(record)).find_faults():
                raise RecordError(faults[0])
            return inflate_member(member, where=str(record))
        if capture.status == NOT_MODIFIED and places.body is not None:
            exchange = read_response(fetch_member(fetch, places.body), where=str(places.body)).exchange()
        else:
            exchange = read_capture(fetch, places).as_rendered()
    except (ObjectMissing, RecordError) as error:
        where = f"{archive.store.url}/{record}"
        raise DamageFound(f"{where}: not as it was committed: {error}; run ofrecord verify --full") from error
    return inflate(exchange.body, exchange.header_values("Content-Encoding"), limit=MAX_PAGE_BYTES)
