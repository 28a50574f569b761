"""What an HTML page says of itself and leads to: frozen values, which a worker reads and a survey asks for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

LinkPlace = Literal["main", "nav", "header", "footer", "aside"]


@dataclass(frozen=True, slots=True)
class SeenLink:
    """A link of an HTML page and where on the page it stands."""

    url: str
    """Absolute, as found (not normalised)."""
    text: str
    """Its words on one line, at most 200 characters."""
    place: LinkPlace
    """The nearest element around it that says what it is for; `main` where none does."""
    headline: bool = False
    """Whether it stands in a heading (h1 to h4), or one in it."""


@dataclass(frozen=True, slots=True)
class Alternate:
    """A `<link rel=alternate>` of a page."""

    url: str
    media_type: str | None = None
    hreflang: str | None = None
    title: str | None = None


@dataclass(frozen=True, slots=True)
class PageFacts:
    """What an HTML page says of itself and leads to."""

    url: str
    """As fetched."""
    title: str | None = None
    site_name: str | None = None
    language: str | None = None
    """As the page declares it."""
    canonical: str | None = None
    alternates: tuple[Alternate, ...] = ()
    links: tuple[SeenLink, ...] = ()
    next_url: str | None = None
    """`rel=next`."""
    directives: tuple[str, ...] = ()
    """What it says to robots, in lower case: `noarchive`, `noai`, …"""
    tdm_reservation: bool | None = None
    """Whether it reserves text and data mining (header or meta); `None`: it does not say."""
    scripted: bool = False
    """Whether the page is a shell that scripts fill: hardly any text or links, and scripts."""
    asks_password: bool = False
    """Whether it has a field for a password."""
