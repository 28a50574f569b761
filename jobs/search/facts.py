"""What is asked of the index, and what it answers. Pure shapes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING

from jobs.changes import What

if TYPE_CHECKING:
    from jobs.feeds.items import FeedItem

NEW = "new"
ARTICLE_EVENTS = (NEW, *(what.value for what in What))
"""What may have happened to an article: it was seen with a text for the first time, or what `What` tells."""


class Order(StrEnum):
    """By what hits are ordered."""

    RELEVANCE = "relevance"
    DATE = "date"
    """The newest first."""


@dataclass(frozen=True, slots=True)
class Query:
    """A search. All that is given must hold; times are of capture, both bounds inclusive."""

    words: str = ""
    """As a person types them: words, `"a phrase"`, `prefix*`, `-without`, `title:word`; empty: all texts."""
    sources: tuple[str, ...] = ()
    language: str = ""
    """A language tag; `en` takes in `en-GB`."""
    section: str = ""
    author: str = ""
    kinds: tuple[str, ...] = ()
    """Kinds of edits (jobs.edits.EditKind) any of which made that text."""
    silent: bool = False
    """Only texts that came by an edit which the page does not own up to."""
    deleted: bool = False
    """Only articles that are gone, or suspected to be."""
    since: datetime | None = None
    until: datetime | None = None
    newest: bool = False
    """By date, however rare the words are."""


@dataclass(frozen=True, slots=True)
class Run:
    """A piece of a text: found words are marked."""

    text: str
    marked: bool = False


@dataclass(frozen=True, slots=True)
class Hit:
    """A text that was found."""

    source: str
    url: str
    number: int
    """Of the revision."""
    latest: int
    """Number of the article's latest revision."""
    captured_at: datetime
    """First capture of that text."""
    published: str | None
    """As the page states it."""
    title: tuple[Run, ...]
    snippet: tuple[Run, ...]
    language: str
    section: str
    authors: tuple[str, ...]
    state: str
    """Of the article: live, suspected, gone."""
    kinds: tuple[str, ...]
    """Of the edit that led to this text."""
    silent: bool
    text_digest: str


@dataclass(frozen=True, slots=True)
class Hits:
    """A page of hits."""

    hits: tuple[Hit, ...]
    total: int
    exact: bool
    """Otherwise there are more than `total`."""
    order: Order
    """By date where the words are in more than a fiftieth of all texts."""
    after: str | None
    """Where the next page begins; `None`: this is the last."""


@dataclass(frozen=True, slots=True)
class Found:
    """A text that was found, without its words."""

    source: str
    url: str
    number: int
    """Of the revision."""
    latest: int
    """Number of the article's latest revision."""
    captured_at: datetime
    """First capture of that text."""
    segment: str
    n: int
    """That capture."""
    state: str
    """Of the article: live, suspected, gone."""
    kinds: tuple[str, ...]
    """Of the edit that led to this text."""
    silent: bool


@dataclass(frozen=True, slots=True)
class EventFilter:
    """Which events are asked for; empty fields ask for all."""

    sources: tuple[str, ...] = ()
    url: str = ""
    whats: tuple[str, ...] = ()
    """Of ARTICLE_EVENTS."""
    kinds: tuple[str, ...] = ()
    silent: bool = False
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened to an article."""

    source: str
    url: str
    what: str
    """One of ARTICLE_EVENTS."""
    at: datetime
    title: str | None
    before: int | None
    """Number of the text before; `after` alike."""
    after: int | None
    kinds: tuple[str, ...]
    silent: bool | None
    backdated: bool
    evidence: str | None
    target: str | None
    """Of a move: the article that it leads to."""
    run: str
    segment: str
    n: int
    """The capture that shows it."""
    item: FeedItem | None
    """As an entry of a feed; `None` where no feed can link to that URL."""


@dataclass(frozen=True, slots=True)
class Events:
    """A page of events, the newest first."""

    events: tuple[Event, ...]
    after: str | None
    """Where the next page begins; `None`: this is the last."""
