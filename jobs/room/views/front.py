"""The front page: what is new, what was changed, what was taken down, and how each source fares."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from pydantic import Field

from jobs.health import recall_tally
from jobs.room import addresses
from jobs.room.addresses import MORE
from jobs.room.endpoints import BadRequest, Page, Told
from jobs.room.views.events import GROUPS, EventsAsked, EventTold, find_group, spell_out, tell_event, to_filter
from jobs.room.views.glances import Glance, name_of, rank_sources, tell_glance
from jobs.search import QueryError

if TYPE_CHECKING:
    from jobs.room.desk import Desk

OVERVIEW = {"changed": 8, "removed": 6, "new": 8}
"""Groups that are shown together, and so many events of each."""
MAX_GLANCES = 16
"""Sources on this page."""


class FrontAsked(EventsAsked):
    """Which events, and which page of them. Without what, kind and silent: the last ones of each group."""

    after: str | None = Field(default=None, max_length=40)
    """Where a page begins, as the one before says."""


class EventGroup(Told):
    """Events that are shown together, the newest first."""

    key: str
    """Of `events.GROUPS`; empty: another choice."""
    what: tuple[str, ...]
    """Which events."""
    events: tuple[EventTold, ...]
    after: str | None
    """Where the next page begins; `null`: these are all."""


class FrontTold(Told):
    """What happened lately, and how sources fare."""

    asked: FrontAsked
    overview: bool
    """Whether these are the last of each group, or a page of one."""
    groups: tuple[EventGroup, ...]
    last_capture: datetime | None
    """Of all sources."""
    sources: tuple[Glance, ...]
    """The worst first, and no more than fit here."""
    source_count: int
    choices: tuple[tuple[str, str], ...]
    """Sources to choose by: id and name."""

    @property
    def here(self) -> dict[str, Any]:
        """What is asked for, as parameters of a path, but for the page."""
        return list_asked(self.asked)

    @property
    def whats(self) -> tuple[str, ...]:
        """Events that are asked for, groups spelled out."""
        return spell_out(self.asked.what)

    @property
    def ways(self) -> dict[str, str]:
        """Group → its path, narrowed as this page is; first the last ones of each."""
        narrow = list_asked(self.asked, what=())
        plain = list_asked(self.asked, what=(), kind=(), silent=False)
        return {"latest": addresses.front(**plain)} | {
            key: addresses.front(**(narrow | {"what": key})) for key in GROUPS
        }


def view_front(desk: Desk, asked: FrontAsked) -> FrontTold:
    """Return the front page. Raises BadRequest."""
    overview = not (asked.what or asked.kind or asked.silent or asked.after)
    if overview:
        groups = [_tell_group(desk, key, asked.model_copy(update={"what": (key,)}), OVERVIEW[key]) for key in OVERVIEW]
    else:
        groups = [_tell_group(desk, find_group(asked.what), asked, MORE)]
    ranked = rank_sources(desk)
    tallies = [recall_tally(desk.health, one.source) for one in ranked]
    names = sorted(((one.source, name_of(desk, one.source)) for one in ranked), key=lambda pair: pair[1].casefold())
    return FrontTold(
        asked=asked,
        overview=overview,
        groups=tuple(groups),
        last_capture=max((one.last_capture for one in tallies if one and one.last_capture), default=None),
        sources=tuple(tell_glance(desk, one) for one in ranked[:MAX_GLANCES]),
        source_count=len(ranked),
        choices=tuple(names),
    )


def list_asked(asked: EventsAsked, **instead: Any) -> dict[str, Any]:  # noqa: ANN401 - of a path
    """Return what is asked for as parameters of a path, but for the page; *instead*: of these what is given here."""
    told = asked.model_dump(exclude={"after"}, exclude_defaults=True) | instead
    return {name: value.isoformat() if isinstance(value, datetime) else value for name, value in told.items()}


def _tell_group(desk: Desk, key: str, asked: FrontAsked, limit: int) -> EventGroup:
    try:
        found = desk.index.list_events(to_filter(asked), limit=limit, after=asked.after)
    except QueryError as error:
        raise BadRequest(str(error)) from error
    events = tuple(tell_event(desk, event) for event in found.events)
    return EventGroup(key=key, what=spell_out(asked.what), events=events, after=found.after)


ENDPOINTS = (Page("front", "/", FrontAsked, FrontTold, view_front, "What is new, was changed, was taken down"),)
