"""Which text of an article a request is about: by its number, by its digest for good, or the one seen last."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field, StringConstraints

from config.units import count
from crawler.urls import normalise_url
from jobs.articles import find_latest, find_reading, list_variants
from jobs.room.endpoints import Asked, BadRequest, NotThere

if TYPE_CHECKING:
    from jobs.catalog import StoredCapture, StoredRevision
    from jobs.fold import Place
    from jobs.room.desk import Desk

MAX_URL_CHARS = 8_192
Digest = Annotated[str, StringConstraints(pattern=r"^sha256:[0-9a-f]{64}$")]


class TextAsked(Asked):
    """Which article, and which of its texts: the one seen last if nothing is said."""

    source: str
    url: str = Field(max_length=MAX_URL_CHARS)
    revision: int | None = Field(default=None, ge=1, le=10**9)
    """Its number."""
    digest: Digest | None = None
    """Of the text, in place of its number."""


@dataclass(frozen=True, slots=True)
class ChosenArticle:
    """An article that is in the archive."""

    source: str
    url: str
    """In normal form."""
    captures: list[StoredCapture]
    """By time; one at least."""
    revisions: list[StoredRevision]


@dataclass(frozen=True, slots=True)
class ChosenText:
    """One of its texts."""

    revision: int | None
    """`None`: a text that does not count among the article's."""
    capture: StoredCapture
    """The one that was read."""
    snapshot: dict[str, Any]
    """As `Catalog.read_snapshot` returns it."""

    @property
    def captured_at(self) -> datetime:
        """When the page was captured that was read."""
        return self.capture.captured_at


def find_article(desk: Desk, source: str, url: str) -> ChosenArticle:
    """Return an article. Raises BadRequest, NotThere, which says what may have been meant."""
    try:
        wanted = normalise_url(url)
    except ValueError as error:
        raise BadRequest(f"url: found {url[:200]!a}, expected the URL of an article: {error}") from error
    captures = desk.catalog.list_captures(source, wanted)
    if captures:
        return ChosenArticle(source, wanted, captures, desk.catalog.list_revisions(source, wanted))
    others = desk.catalog.find_sources(wanted)
    near = next((other for other in list_variants(wanted) if desk.catalog.find_sources(other)), None)
    hint = f"; {', '.join(others)} has it" if others else f"; did you mean {near}?" if near else ""
    raise NotThere(f"{wanted}: no capture of it from {source} in this archive{hint}")


def choose_text(desk: Desk, article: ChosenArticle, asked: TextAsked) -> ChosenText | None:
    """Return the text that is asked for; `None`: nothing is said, and it never had one. Raises BadRequest, NotThere."""
    if asked.revision is not None and asked.digest is not None:
        raise BadRequest("revision: found beside digest, expected one of them")
    if asked.digest is not None:
        return _find_by_digest(desk, article, asked.digest)
    number = asked.revision or find_latest(article.captures)
    if number is None:
        return None
    if number > len(article.revisions):
        raise NotThere(f"{article.url}: there is no text {number}; it has {count(len(article.revisions), 'text')}")
    found = find_reading(desk.catalog, article.revisions[number - 1], article.captures)
    if found is None:
        raise NotThere(f"{article.url}: text {number} is not at hand here")
    place, snapshot = found
    return ChosenText(number, _find_capture(article, place), snapshot)


def _find_by_digest(desk: Desk, article: ChosenArticle, digest: str) -> ChosenText:
    found = desk.catalog.find_text(article.source, article.url, digest)
    if found is None:
        raise NotThere(f"{article.url}: no text of the digest {digest} in this archive")
    place, derivation = found
    snapshot = desk.catalog.read_snapshot(*place, derivation)
    if snapshot is None:
        raise NotThere(f"{article.url}: the text of the digest {digest} is not at hand here")
    capture = _find_capture(article, place)
    return ChosenText(capture.revision, capture, snapshot)


def _find_capture(article: ChosenArticle, place: Place) -> StoredCapture:
    found = next((one for one in article.captures if one.place == place), None)
    if found is None:
        raise NotThere(f"{article.url}: the capture of that text is not at hand here")
    return found
