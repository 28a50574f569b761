"""What can be said of a source's health. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
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


@dataclass(frozen=True, slots=True)
class Reason:
    """One thing that is wrong."""

    kind: str
    """A word for machines, such as `certificate_ends`."""
    text: str
    """For people: what was found, what was expected."""
    state: State
    """How grave that is taken by itself."""


@dataclass(frozen=True, slots=True)
class SourceHealth:
    """How one source stands at one time."""

    source: str
    state: State
    reasons: tuple[Reason, ...]
    """The gravest first; none: all is well."""
    judged_at: datetime
