"""The command search: full text of all versions of all articles, through the index that the reading room uses too."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from config.errors import ExitCode
from config.rules import readable_url
from config.units import count
from crawler.rows import format_time
from jobs.cli.options import Invocation, archive_options, iterate_json, printable, reading_codes, want_colour
from jobs.cli.selecting import enter_index, make_query, query_options
from jobs.search import Order

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from jobs.context import OpenArchive
    from jobs.search import Hit, Hits, Query, Run
    from jobs.search.index import SearchIndex

DEFAULT_LIMIT, MAX_LIMIT = 20, 10_000
_PAGE = 200
_MARK, _PLAIN = "\x1b[1m", "\x1b[0m"


@click.command(epilog=reading_codes())
@query_options
@click.option("--limit", type=click.IntRange(1, MAX_LIMIT), default=DEFAULT_LIMIT, show_default=True, help="So many.")
@archive_options
def search(invocation: Invocation, *, limit: int, **asked: Any) -> int:  # noqa: ANN401 - the shared options
    """Search titles and texts of all versions of all articles, those that are gone too.

    All WORDS must be there. '"a phrase"', 'begin*', title:word; after --, -without. Accents do not count, nor do forms
    of Arabic letters. The best come first; of words that more than one text in fifty has, the newest.
    """
    query = make_query(asked)
    with enter_index(invocation, query, wanted=not invocation.as_json) as (archive, index):
        _tell(invocation, _find(index, archive, query, limit))
    return ExitCode.DONE


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
