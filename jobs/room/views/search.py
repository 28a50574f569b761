"""Full text of all that is kept, chosen by words and by what is known of a text."""

from __future__ import annotations

import re
from datetime import datetime
from typing import TYPE_CHECKING, Annotated

from pydantic import Field, StringConstraints

from crawler.urls import normalise_url
from jobs.articles import list_variants
from jobs.edits import EditKind
from jobs.room.asking import Begin, End, Flag, Text, Texts
from jobs.room.endpoints import Asked, BadRequest, Page, Told
from jobs.search import Order, Query, QueryError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from jobs.room.desk import Desk
    from jobs.search import Hit, Run

HITS = 20
"""On one page."""
MAX_WORDS_CHARS = 500
_ADDRESS = re.compile(r"https?://\S+", re.IGNORECASE)


class SearchAsked(Asked):
    """A search. All that is given must hold."""

    words: Annotated[str, StringConstraints(max_length=MAX_WORDS_CHARS)] = ""
    """Words that all must be there, "a phrase", prefix*, -without, title:word."""
    source: Texts = ()
    language: Text = ""
    """A tag: en takes in en-GB."""
    section: Text = ""
    author: Text = ""
    kind: Texts = ()
    """Kinds of edits, any of which made that text."""
    silent: Flag = False
    """Only texts that came by an edit which the page does not own up to."""
    deleted: Flag = False
    """Only articles that are gone, or perhaps gone."""
    since: Begin = None
    """First captured then or later."""
    until: End = None
    after: str | None = Field(default=None, max_length=40)
    """Where a page begins, as the one before says."""


class Piece(Told):
    """A piece of a text."""

    text: str
    marked: bool
    """Whether it is what was searched for."""


class FoundText(Told):
    """A text that was found."""

    source: str
    url: str
    number: int
    """Of the text among those of its article."""
    latest: int
    """Number of its article's latest text."""
    captured_at: datetime
    published: str | None
    title: tuple[Piece, ...]
    snippet: tuple[Piece, ...]
    language: str
    section: str
    authors: tuple[str, ...]
    state: str
    kinds: tuple[str, ...]
    silent: bool
    text_digest: str


class Choices(Told):
    """What there is to choose by; of sections and authors those of most texts."""

    sources: tuple[tuple[str, str], ...]
    """Id and name."""
    languages: tuple[str, ...]
    sections: tuple[str, ...]
    authors: tuple[str, ...]
    kinds: tuple[str, ...]


class SearchTold(Told):
    """What was found."""

    asked: SearchAsked
    problem: str | None
    """What is wrong with the words, and where."""
    total: int
    exact: bool
    """Otherwise there are more."""
    order: Order
    hits: tuple[FoundText, ...]
    named: tuple[FoundText, ...]
    """Where an address was typed: the latest texts of the articles that have it."""
    after: str | None
    """Where the next page begins."""
    choices: Choices


def view_search(desk: Desk, asked: SearchAsked) -> SearchTold:
    """Return what is found. Raises BadRequest."""
    if unknown := set(asked.kind) - {kind.value for kind in EditKind}:
        raise BadRequest(f"kind: found {min(unknown)[:40]!a}, expected some of {', '.join(EditKind)}")
    problem, found = None, None
    try:
        found = desk.index.search(to_query(asked), desk.catalog, limit=HITS, after=asked.after or None)
    except QueryError as error:
        problem = str(error)
    return SearchTold(
        asked=asked,
        problem=problem,
        total=found.total if found else 0,
        exact=found is None or found.exact,
        order=found.order if found else Order.DATE,
        hits=_tell_hits(found.hits if found else ()),
        named=() if asked.after else _tell_hits(_find_named(desk, asked.words)),
        after=found.after if found else None,
        choices=_list_choices(desk),
    )


def to_query(asked: SearchAsked) -> Query:
    """Return the search that is asked for."""
    return Query(
        words=asked.words,
        sources=asked.source,
        language=asked.language,
        section=asked.section,
        author=asked.author,
        kinds=asked.kind,
        silent=asked.silent,
        deleted=asked.deleted,
        since=asked.since,
        until=asked.until,
    )


def list_asked(asked: SearchAsked) -> dict[str, object]:
    """Return what is asked for as parameters of a path, but for the page."""
    told = asked.model_dump(exclude={"after"}, exclude_defaults=True)
    return {name: value.isoformat() if isinstance(value, datetime) else value for name, value in told.items()}


def _find_named(desk: Desk, words: str) -> tuple[Hit, ...]:
    if not _ADDRESS.fullmatch(words.strip()):
        return ()
    try:
        url = normalise_url(words.strip())
    except ValueError:
        return ()
    return desk.index.find_address([url, *list_variants(url)], desk.catalog)


def _tell_hits(hits: Iterable[Hit]) -> tuple[FoundText, ...]:
    return tuple(map(_tell_hit, hits))


def _tell_hit(hit: Hit) -> FoundText:
    return FoundText(
        source=hit.source,
        url=hit.url,
        number=hit.number,
        latest=hit.latest,
        captured_at=hit.captured_at,
        published=hit.published,
        title=_tell_runs(hit.title),
        snippet=_tell_runs(hit.snippet),
        language=hit.language,
        section=hit.section,
        authors=hit.authors,
        state=hit.state,
        kinds=hit.kinds,
        silent=hit.silent,
        text_digest=hit.text_digest,
    )


def _tell_runs(runs: Iterable[Run]) -> tuple[Piece, ...]:
    return tuple(Piece(text=run.text, marked=run.marked) for run in runs)


def _list_choices(desk: Desk) -> Choices:
    names = {name: source.name for name, source in desk.sources.items()}
    return Choices(
        sources=tuple((source, names.get(source) or source) for source in desk.catalog.list_logs()),
        languages=desk.index.list_values("language"),
        sections=desk.index.list_values("section"),
        authors=desk.index.list_values("author"),
        kinds=tuple(kind.value for kind in EditKind),
    )


ENDPOINTS = (Page("search", "/search", SearchAsked, SearchTold, view_search, "Full text of all that is kept"),)
