"""What happened to articles, as pages ask for it and tell it."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Literal

from jobs.changes import What
from jobs.edits import EditKind
from jobs.room.asking import Begin, End, Texts
from jobs.room.endpoints import Asked, BadRequest, Told
from jobs.search import ARTICLE_EVENTS, EventFilter
from jobs.search.facts import NEW

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from jobs.room.desk import Desk
    from jobs.search import Event

GROUPS: Mapping[str, tuple[str, ...]] = {
    "changed": (What.REVISED, What.REVERTED, What.ALTERNATING),
    "removed": (What.SUSPECTED, What.GONE, What.RETURNED),
    "new": (NEW,),
    "moved": (What.MOVED,),
    "details": (What.METADATA,),
    "all": ARTICLE_EVENTS,
}
"""What readers ask for together → events. These names may stand where those of events do."""


class EventsAsked(Asked):
    """Which events; all that is given must hold."""

    source: Texts = ()
    what: Texts = ()
    """What happened: new, revised, reverted, alternating, suspected, gone, returned, metadata, moved; or several of
    these as changed, removed, details, all."""
    kind: Texts = ()
    """Kinds of edits, any of which it was."""
    silent: bool = False
    """Only edits that left the page's own time of change as it was."""
    since: Begin = None
    until: End = None


class EventTold(Told):
    """Something that happened to an article."""

    source: str
    source_name: str
    url: str
    what: str
    at: datetime
    """When the capture was made that shows it."""
    title: str | None
    language: str
    """Of the source, as configured; empty: not known."""
    before: int | None
    """Number of the text before; `after` alike."""
    after: int | None
    kinds: tuple[str, ...]
    silent: bool | None
    """`None`: not known."""
    backdated: bool
    evidence: str | None
    target: str | None
    """Of a move: the article that it leads to."""
    words: tuple[tuple[tuple[Literal["same", "removed", "added"], str], ...], ...]
    """The first lines that changed, in short."""
    more: int
    """Further ones."""
    segment: str
    n: int
    """The capture that shows it."""


def to_filter(asked: EventsAsked) -> EventFilter:
    """Return the events that are asked for. Raises BadRequest."""
    _require("what", asked.what, (*ARTICLE_EVENTS, *(key for key in GROUPS if key not in ARTICLE_EVENTS)))
    _require("kind", asked.kind, tuple(EditKind))
    return EventFilter(
        sources=asked.source,
        whats=spell_out(asked.what),
        kinds=asked.kind,
        silent=asked.silent,
        since=asked.since,
        until=asked.until,
    )


def spell_out(what: Iterable[str]) -> tuple[str, ...]:
    """Return *what* with the events of groups in place of their names."""
    return tuple(dict.fromkeys(event for one in what for event in GROUPS.get(one, (one,))))


def find_group(what: tuple[str, ...]) -> str:
    """Return the key of the group that has just these events, of none: of all; empty if no group has."""
    wanted = set(spell_out(what) or ARTICLE_EVENTS)
    return next((key for key, whats in GROUPS.items() if set(whats) == wanted), "")


def tell_event(desk: Desk, event: Event) -> EventTold:
    """Return *event* as pages tell it."""
    source = desk.sources.get(event.source)
    item = None if event.item is None else event.item.told
    return EventTold(
        source=event.source,
        source_name=event.source if source is None else source.name,
        url=event.url,
        what=event.what,
        at=event.at,
        title=event.title,
        language="" if source is None else source.language or "",
        before=event.before,
        after=event.after,
        kinds=event.kinds,
        silent=event.silent,
        backdated=event.backdated,
        evidence=event.evidence,
        target=event.target,
        words=() if item is None else item.words,
        more=0 if item is None else item.more,
        segment=event.segment,
        n=event.n,
    )


def _require(name: str, found: tuple[str, ...], expected: tuple[str, ...]) -> None:
    if unknown := set(found) - set(expected):
        raise BadRequest(f"{name}: found {min(unknown)[:40]!a}, expected some of {', '.join(expected)}")
