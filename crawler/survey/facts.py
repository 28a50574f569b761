"""What a survey saw of a site: frozen values that go from the process that fetches to the one that asks, as JSON."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from crawler.discover.page_facts import PageFacts  # noqa: TC001 - pydantic reads the annotations

ListingKind = Literal["feed", "sitemap", "section"]


@dataclass(frozen=True, slots=True)
class AnnouncedLink:
    """A link in a feed, a sitemap or a section."""

    url: str
    title: str | None = None
    published: datetime | None = None
    modified: datetime | None = None


@dataclass(frozen=True, slots=True)
class ListingFacts:
    """A document that announces articles, or was thought to."""

    url: str
    """Where it answered, redirects followed."""
    kind: ListingKind
    status: int | None = None
    error: str | None = None
    """Why it is of no use, or what is wrong with it."""
    links: tuple[AnnouncedLink, ...] = ()
    """The first 2,000 that may be articles, in its order."""
    total: int = 0
    """How many there were."""
    listings: tuple[str, ...] = ()
    """Of a sitemap index: its members; of a section: its further pages, which are no articles."""
    asked: str | None = None
    """URL that was asked for, where that led to another."""


@dataclass(frozen=True, slots=True)
class SampleFacts:
    """A page that was fetched to see what it is."""

    url: str
    status: int | None
    page_class: str
    """A word of PageClass."""
    class_reason: str
    title: str | None = None
    lead: str | None = None
    text: str = ""
    """The clean text, at most 20,000 characters."""
    chars: int = 0
    """Of the whole text."""
    fields: dict[str, Any] = field(default_factory=dict)
    """As in a snapshot row: name → `{"value", "from", …}`."""
    confidence: float = 0.0
    directives: tuple[str, ...] = ()
    tdm_reservation: bool | None = None


@dataclass(frozen=True, slots=True)
class RobotsFacts:
    """What robots.txt of an origin says to us."""

    url: str
    status: int | None = None
    error: str | None = None
    sitemaps: tuple[str, ...] = ()
    crawl_delay: float | None = None
    forbids_all: bool = False


@dataclass(frozen=True, slots=True)
class Problem:
    """What stood in the way, for a person."""

    kind: str
    """`unreachable`, `robots_refuses`, `login_wall`, `redirect_loop`, `private_address`, `endless_calendar`, …"""
    text: str
    """Where, what was found, what to do."""
    url: str | None = None


@dataclass(frozen=True, slots=True)
class Survey:
    """All that one look at a site saw."""

    asked: str
    """The URL that a person gave."""
    home: str
    """Where that led to."""
    looked_at: datetime
    requests: int
    """Sent, those for robots.txt among them."""
    robots: tuple[RobotsFacts, ...] = ()
    pages: tuple[PageFacts, ...] = ()
    """The home page first, then sections and samples."""
    listings: tuple[ListingFacts, ...] = ()
    samples: tuple[SampleFacts, ...] = ()
    problems: tuple[Problem, ...] = ()
    complete: bool = True
    """Whether the budget sufficed for all that was to be looked at."""
