"""What can be said of a source's health. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum


class State(StrEnum):
    """How a source stands, the gravest last."""

    OK = "ok"
    DEGRADED = "degraded"
    """It is crawled, but something is worse than it was."""
    SILENT = "silent"
    """Nothing new, for longer than it ever is at this time of the week."""
    FAILING = "failing"
    """Its last runs brought nothing that can be used."""
    BLOCKED = "blocked"
    """Its publisher refuses us: robots.txt, challenge pages, 401, 403, 451."""

    @property
    def gravity(self) -> int:
        """0 for `ok`, and more for what is graver."""
        return list(State).index(self)


@dataclass(frozen=True, slots=True)
class Reason:
    """One thing that is wrong."""

    kind: str
    """A word for machines, such as `certificate_ends`."""
    text: str
    """For people: what was found, what was expected."""
    state: State
    """How grave that is taken by itself."""
    since: datetime | None = None
    """From when on it was so, as far as that is known."""


@dataclass(frozen=True, slots=True)
class Figures:
    """What a source's state was judged by; `None` where it is not known here."""

    last_run: datetime | None = None
    """When its last run began."""
    last_success: datetime | None = None
    """When the last run ended that could read at least one of its listings, or a page."""
    last_new: datetime | None = None
    """When its newest article was first seen."""
    new_articles: int | None = None
    """First seen in the last seven days."""
    expected_articles: float | None = None
    """In seven days, by what was learned; `None` while it is learned."""
    lag: timedelta | None = None
    """From publication to the first capture: the middle one of the last seven days."""
    usual_lag: timedelta | None = None
    """Of the weeks before."""
    extraction: float | None = None
    """Share of pages that a text came of, lately."""
    usual_extraction: float | None = None
    spool_segments: int | None = None
    """Waiting on this disk."""
    spool_bytes: int | None = None
    spool_since: datetime | None = None
    """When the oldest one of them was begun."""


@dataclass(frozen=True, slots=True)
class SourceHealth:
    """How one source stands at one time."""

    source: str
    state: State
    reasons: tuple[Reason, ...]
    """The gravest first; none: all is well."""
    judged_at: datetime
    since: datetime | None = None
    """From when on it stands so, as far as the gravest reasons tell; `None`: not known, or all is well."""
    figures: Figures = Figures()
    learning: str | None = None
    """What cannot be judged yet, and why; `None`: nothing."""
