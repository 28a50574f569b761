"""The command search: full text of all versions of all articles, through the index that the reading room uses too."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from config.errors import ConfigError, ExitCode
from config.rules import readable_url
from config.units import count
from crawler.rows import format_time
from jobs.cli.changes import check_words
from jobs.cli.options import (
    Invocation,
    archive_options,
    enter_archive,
    iterate_json,
    printable,
    reading_codes,
    want_colour,
)
from jobs.cli.progress import show_line
from jobs.cli.times import A_TIME, read_time
from jobs.context import require_source
from jobs.edits import EditKind
from jobs.search import Order, Query, QueryError
from jobs.search.index import INDEX_FILE, SearchIndex

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from jobs.context import OpenArchive
    from jobs.search import Hit, Hits, Run

DEFAULT_LIMIT, MAX_LIMIT = 20, 10_000
_PAGE = 200
_MARK, _PLAIN = "\x1b[1m", "\x1b[0m"


@click.command(epilog=reading_codes())
@click.argument("words", nargs=-1)
@click.option("--source", "sources", multiple=True, help="Only of this source. May be repeated.")
@click.option("--language", default="", help="Only texts in this language: en takes in en-GB.")
@click.option("--section", default="", help="Only of this section, as pages name it.")
@click.option("--author", default="", help="Only of this author, as pages name them.")
@click.option(
    "--class", "kinds", multiple=True, metavar="KIND", help="Only texts that such an edit made. May be repeated."
)
@click.option("--silent", is_flag=True, help="Only texts that came by an edit which the page does not own up to.")
@click.option("--deleted", is_flag=True, help="Only articles that are gone, or perhaps gone.")
@click.option("--since", help=f"First captured from then on: {A_TIME}.")
@click.option("--until", help="First captured up to then, in the same forms.")
@click.option("--limit", type=click.IntRange(1, MAX_LIMIT), default=DEFAULT_LIMIT, show_default=True, help="So many.")
@archive_options
def search(
    invocation: Invocation,
    *,
    words: tuple[str, ...],
    sources: tuple[str, ...],
    language: str,
    section: str,
    author: str,
    kinds: tuple[str, ...],
    silent: bool,
    deleted: bool,
    since: str | None,
    until: str | None,
    limit: int,
) -> int:
    """Search titles and texts of all versions of all articles, those that are gone too.

    All WORDS must be there. '"a phrase"', 'begin*', title:word; after --, -without. Accents do not count, nor do forms
    of Arabic letters. The best come first; of words that more than one text in fifty has, the newest.
    """
    now = datetime.now(UTC)
    query = Query(
        words=" ".join(words),
        sources=sources,
        language=language,
        section=section,
        author=author,
        kinds=tuple(sorted(check_words("--class", kinds, list(EditKind)))),
        silent=silent,
        deleted=deleted,
        since=read_time("--since", since, now),
        until=read_time("--until", until, now),
    )
    with ExitStack() as stack:
        archive = stack.enter_context(enter_archive(invocation))
        archive.refresh()  # which may take the index away
        index = stack.enter_context(SearchIndex.open(archive.state / INDEX_FILE))
        known = archive.catalog.list_logs()
        for name in sources:
            require_source(name, known)
        _fold(index, archive, wanted=not invocation.as_json)
        try:
            _tell(invocation, _find(index, archive, query, limit))
        except QueryError as error:
            raise ConfigError(str(error)) from error
    return ExitCode.DONE


def _fold(index: SearchIndex, archive: OpenArchive, *, wanted: bool) -> None:
    with show_line(wanted=wanted) as line:
        tell = None if line is None else lambda number: line.show(lambda _: f"indexing · {count(number, 'article')}")
        index.fold(archive.catalog, archive.info.archive, tell=tell)


def _find(index: SearchIndex, archive: OpenArchive, query: Query, limit: int) -> Iterator[Hits]:
    after: str | None = None
    while limit > 0:
        found = index.search(query, archive.catalog, limit=min(limit, _PAGE), after=after)
        yield found
        limit, after = limit - _PAGE, found.after
        if after is None:
            return


def _tell(invocation: Invocation, pages: Iterator[Hits]) -> None:
    shown = 0
    for page in pages:
        if invocation.as_json:
            for text in iterate_json(_describe(hit) for hit in page.hits):
                click.echo(text)
            continue
        for hit in page.hits:
            click.echo("\n".join(_render(hit)))
        shown += len(page.hits)
        last = page
    if not invocation.as_json:
        order = "the newest first" if last.order is Order.DATE else "the best first"
        total = count(last.total, "text") + ("" if last.exact else " and more")
        click.echo(f"ofrecord: {total}, {order}" + (f"; {shown} shown" if shown < last.total else ""), err=True)


def _describe(hit: Hit) -> dict[str, object]:
    told = asdict(hit)
    for name in ("title", "snippet"):
        told[name] = [{"text": run["text"], "marked": run["marked"]} for run in told[name]]
    return told | {"captured_at": format_time(hit.captured_at)}


def _render(hit: Hit) -> Iterator[str]:
    texts = f"text {hit.number} of {hit.latest}" if hit.latest > 1 else ""
    flags = [*hit.kinds, *(["silent"] if hit.silent else [])]
    state = hit.state if hit.state != "live" else ""
    told = " · ".join(part for part in (hit.source, texts, state, ", ".join(flags)) if part)
    yield f"{hit.captured_at:%Y-%m-%d %H:%M}Z  {told}"
    if hit.title:
        yield f"{'':<19}{_mark(hit.title)}"
    yield f"{'':<19}{readable_url(hit.url)}"
    if hit.snippet:
        yield f"{'':<19}{_mark(hit.snippet)}"


def _mark(runs: Iterable[Run]) -> str:
    coloured = want_colour()
    return "".join(
        f"{_MARK}{printable(run.text)}{_PLAIN}" if run.marked and coloured else printable(run.text) for run in runs
    )
