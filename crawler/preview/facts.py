"""What a preview found: frozen values that go from the process that fetches to the one that asks, as JSON."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from pydantic import TypeAdapter, ValidationError

from config.errors import ExtractError
from crawler.explanation import Explanation  # noqa: TC001 - pydantic reads it at run time


@dataclass(frozen=True, slots=True)
class ListingSeen:
    """A feed, a sitemap or a section that a run would read."""

    url: str
    purpose: str
    """A word of Purpose."""
    via: str | None = None
    """The listing that names it; `None`: the source itself."""
    status: int | None = None
    links: int = 0
    """To pages, in it."""
    articles: int = 0
    """Of these, those to articles that the source wants, as far as they tell."""
    first: int = 0
    """Of these, those that no listing before it has."""
    listings: int = 0
    """That it names, such as the members of a sitemap index."""
    error: str | None = None
    """Why it is of no use, or what is wrong with it."""
    unread: str | None = None
    """Why it was not looked at here; a run would."""


@dataclass(frozen=True, slots=True)
class LinkSeen:
    """A link to a page, once, and whether it would be followed."""

    url: str
    """Normalised; as found where that cannot be."""
    target: str
    """As found."""
    via: str
    wanted: bool
    reason: str
    """Why it is wanted, or why not, in words."""
    title: str | None = None
    published: datetime | None = None
    modified: datetime | None = None


@dataclass(frozen=True, slots=True)
class PageSeen:
    """A page that was fetched and read as a run would."""

    url: str
    """Normalised."""
    wanted: bool
    """Whether a run would follow a link to it."""
    reason: str
    way: tuple[str, ...] = ()
    """The URLs that redirects led to, the last one that of the answer."""
    status: int | None = None
    page_class: str = "error"
    class_reason: str = ""
    title: str | None = None
    lead: str | None = None
    text: str | None = None
    """As a snapshot has it; `None`: no text would be kept."""
    fields: dict[str, Any] = field(default_factory=dict)
    """As in a snapshot row: name → `{"value", "from", …}`."""
    confidence: float = 0.0
    directives: tuple[str, ...] = ()
    error: str | None = None
    """Why there is no answer, or no text."""
    explanation: Explanation | None = None
    """Of the whole page, block by block."""
    still: str | None = None
    """The page as served, made harmless: `crawler.extract.page.still`."""


@dataclass(frozen=True, slots=True)
class Preview:
    """All that one preview found."""

    looked_at: datetime
    requests: int
    """Sent, those for robots.txt among them."""
    listings: tuple[ListingSeen, ...] = ()
    links: tuple[LinkSeen, ...] = ()
    """In the order in which they were found, as many as may be held."""
    links_found: int = 0
    links_wanted: int = 0
    pages: tuple[PageSeen, ...] = ()
    over: str | None = None
    """Why it ended before all that it was to look at was seen."""


_PREVIEWS: TypeAdapter[Preview] = TypeAdapter(Preview)


def encode_preview(preview: Preview) -> dict[str, Any]:
    """Return *preview* as JSON data."""
    data: dict[str, Any] = _PREVIEWS.dump_python(preview, mode="json")
    return data


def decode_preview(data: object) -> Preview:
    """Undo `encode_preview`. Raises ExtractError if *data* is none."""
    try:
        return _PREVIEWS.validate_python(data)
    except ValidationError as error:
        raise ExtractError(f"this is no preview: {error}"[:500]) from error
