"""A survey → what to write into the file of a source, each part with its reason."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from crawler.survey.facts import ListingKind

if TYPE_CHECKING:
    from crawler.survey.patterns import LearnedPatterns


@dataclass(frozen=True, slots=True)
class Choice:
    """A feed, sitemap or section that was looked at: kept or left, and why."""

    kind: ListingKind
    url: str
    kept: bool
    why: str
    """For a person, on one line: what it has, or what is wrong with it."""
    articles: int = 0
    """Links in it that are articles by the patterns."""
    newest: datetime | None = None
    """Of its articles' times, where it tells them."""
    per_day: float | None = None
    """Articles that it announces a day; `None`: its times do not tell."""


@dataclass(frozen=True, slots=True)
class Reasoned:
    """A value and where it comes from, on one line for a person."""

    value: str
    why: str


@dataclass(frozen=True, slots=True)
class Proposal:
    """What to write into the file of a source."""

    name: str
    home: str
    discover: tuple[Choice, ...]
    """Those to keep, in the order in which they are to stand: what is new first, what is complete last."""
    left: tuple[Choice, ...]
    """Those that were looked at and are not kept."""
    patterns: LearnedPatterns
    languages: tuple[str, ...]
    """BCP 47, the commonest first; those of at least a tenth of the samples."""
    language: Reasoned | None
    """For pages that do not say."""
    timezone: Reasoned | None
    """IANA name; a guess."""
    articles_per_day: float | None
    schedule: Reasoned
    delay_seconds: float
    delay_why: str
    samples: tuple[str, ...]
    """URLs of up to three samples that show best what would be archived."""
    hints: tuple[str, ...]
    """What a person should know before saying yes, a line each: terms, walls, what could not be looked at."""
    sound: bool
    """Whether a source can be made of it: something announces articles, and patterns tell them from the rest."""
