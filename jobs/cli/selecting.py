"""Options by which texts are chosen, alike in every command that asks the index, and the index as it then is."""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

from config.errors import ConfigError
from config.units import count
from jobs.cli.changes import check_words
from jobs.cli.options import Invocation, enter_archive
from jobs.cli.progress import show_line
from jobs.cli.times import A_TIME, read_time
from jobs.context import require_source
from jobs.edits import EditKind
from jobs.search import Query, QueryError
from jobs.search.index import INDEX_FILE, SearchIndex

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from jobs.context import OpenArchive


def query_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add WORDS and the filters of a search to a command; `make_query` makes a query of what it gets by them."""
    for decorate in reversed(
        [
            click.argument("words", nargs=-1),
            click.option("--source", "sources", multiple=True, help="Only of this source. May be repeated."),
            click.option("--language", default="", help="Only texts in this language: en takes in en-GB."),
            click.option("--section", default="", help="Only of this section, as pages name it."),
            click.option("--author", default="", help="Only of this author, as pages name them."),
            click.option(
                "--class",
                "kinds",
                multiple=True,
                metavar="KIND",
                help="Only texts that such an edit made. May be repeated.",
            ),
            click.option(
                "--silent", is_flag=True, help="Only texts that came by an edit which the page does not own up to."
            ),
            click.option("--deleted", is_flag=True, help="Only articles that are gone, or perhaps gone."),
            click.option("--since", help=f"First captured from then on: {A_TIME}."),
            click.option("--until", help="First captured up to then, in the same forms."),
        ]
    ):
        function = decorate(function)
    return function


def make_query(asked: dict[str, Any]) -> Query:
    """Return the query of what `query_options` brought. Raises ConfigError."""
    now = datetime.now(UTC)
    return Query(
        words=" ".join(asked["words"]),
        sources=asked["sources"],
        language=asked["language"],
        section=asked["section"],
        author=asked["author"],
        kinds=tuple(sorted(check_words("--class", asked["kinds"], list(EditKind)))),
        silent=asked["silent"],
        deleted=asked["deleted"],
        since=read_time("--since", asked["since"], now),
        until=read_time("--until", asked["until"], now),
    )


@contextmanager
def enter_index(invocation: Invocation, query: Query, *, wanted: bool) -> Iterator[tuple[OpenArchive, SearchIndex]]:
    """Open archive and index, both brought up to the ends of the logs. *wanted*: show how far that is.

    What makes no sense in *query* raises ConfigError, within the block too.
    """
    with ExitStack() as stack:
        archive = stack.enter_context(enter_archive(invocation))
        archive.refresh()  # which may take the index away
        index = stack.enter_context(SearchIndex.open(archive.state / INDEX_FILE))
        known = archive.catalog.list_logs()
        for name in query.sources:
            require_source(name, known)
        with show_line(wanted=wanted) as line:
            tell = (
                None if line is None else lambda number: line.show(lambda _: f"indexing · {count(number, 'article')}")
            )
            index.fold(archive.catalog, archive.info.archive, tell=tell)
        try:
            yield archive, index
        except QueryError as error:
            raise ConfigError(str(error)) from error
