"""Which source a page speaks of: one that is configured, or that the archive has."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jobs.room.endpoints import Asked, NotThere, Told

if TYPE_CHECKING:
    from jobs.room.desk import Desk


class SourceAsked(Asked):
    """Which source."""

    source: str


class Naming(Told):
    """A source."""

    source: str
    name: str
    """As configured; else its id."""
    configured: bool
    captured: bool
    """Whether the archive has a log of it, as far as is known here."""


def name_source(desk: Desk, source: str) -> Naming:
    """Return what *source* is. Raises NotThere."""
    known = desk.sources.get(source)
    captured = desk.catalog.head(source)[0] > 0
    if known is None and not captured:
        raise NotThere(f"no source {source[:100]!a}, neither configured nor in this archive; /sources lists them")
    return Naming(
        source=source,
        name=source if known is None else known.name,
        configured=known is not None,
        captured=captured,
    )
