"""Which captures of an article a bundle is made of: all, or those that tell its text at one time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from config.errors import ConfigError
from jobs.evidence.manifest import MAX_CAPTURES

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from jobs.catalog import Catalog, StoredCapture
    from jobs.catalog.replays import StoredExchange

REDACTED = "redacted"
"""Class of captures whose records and texts were taken out of the archive on request."""
_MAX_STEPS = 4
"""From a capture to one that it refers to, and on."""


@dataclass(frozen=True, slots=True)
class Chosen:
    """A capture that goes into the bundle."""

    exchange: StoredExchange
    is_article: bool
    """Whether it was chosen itself, and not for what another refers to."""
    text_of: tuple[str, int] | None
    """The capture whose text it has: itself or, of a 304, the one that it stands for; `None`: it has none."""

    @property
    def capture(self) -> StoredCapture:
        """What the catalog says of it."""
        return self.exchange.capture


def choose_captures(
    catalog: Catalog, captures: Sequence[StoredCapture], at: datetime | None
) -> tuple[list[Chosen], int]:
    """Return what is to be in a bundle of an article in the order of time, and how many captures of it are not.

    *captures*: all of the article, in the order of the fold. *at*: only what tells its text then. Raises ConfigError.
    """
    if not captures:
        raise ConfigError("no capture of this article")
    wanted = list(captures) if at is None else _choose_around(captures, at)
    if len(wanted) > MAX_CAPTURES:
        raise ConfigError(f"{captures[0].url}: {len(wanted)} captures; a bundle has {MAX_CAPTURES} at most: give --at")
    redacted = next((one for one in wanted if one.page_class == REDACTED), None)
    if redacted is not None:
        raise ConfigError(
            f"{redacted.url}: was {redacted.class_reason}: the archive holds neither its records nor its text, so there"
            " is nothing to cite"
        )
    found = _close_over(catalog, wanted)
    here = {one.capture.place for one in found}
    return found, sum(one.place not in here for one in captures)


def _choose_around(captures: Sequence[StoredCapture], at: datetime) -> list[StoredCapture]:
    """Return the capture that tells the text then, those where it was seen first, and the next text's."""
    telling = [one for one in captures if one.revision]
    before = [one for one in telling if one.captured_at <= at]
    if not telling:
        raise ConfigError(f"{captures[0].url}: captured, but never with a text: leave --at out to cite its captures")
    if not before:
        raise ConfigError(
            f"{captures[0].url}: no text of it was captured by {at:%Y-%m-%d %H:%M:%S}Z; the first is of"
            f" {telling[0].captured_at:%Y-%m-%d %H:%M:%S}Z"
        )
    shown = before[-1]
    number = telling.index(shown)
    begin = number
    while begin > 0 and telling[begin - 1].revision == shown.revision:
        begin -= 1
    first = next(one for one in telling if one.revision == shown.revision)
    following = telling[number + 1 : number + 2]
    until = following[0].captured_at if following else None
    gone = [one for one in captures if one.captured_at > shown.captured_at and one.evidence]
    chosen = [
        first,
        telling[begin],
        shown,
        *following,
        *[one for one in gone[:1] if not until or one.captured_at < until],
    ]
    places = {one.place for one in chosen}
    return [one for one in captures if one.place in places]


def _close_over(catalog: Catalog, wanted: Iterable[StoredCapture]) -> list[Chosen]:
    """Return *wanted* with what they refer to, in the order of time."""
    found: dict[tuple[str, int], Chosen] = {}
    left = [(one.place, True, 0) for one in wanted]
    for place, is_article, steps in left:
        if place in found or steps > _MAX_STEPS:
            continue
        exchange = catalog.find_exchange(*place)
        if exchange is None:
            continue
        capture = exchange.capture
        text_of = (capture.read_at or capture.place) if capture.revision else None
        found[place] = Chosen(exchange, is_article, text_of)
        left += [(one, False, steps + 1) for one in (exchange.revisit_of, capture.read_at) if one is not None]
    return sorted(found.values(), key=lambda one: (one.capture.captured_at, one.capture.place))
