"""What is asked of rechecks, and an article's facts → where it stands in its plan. No clock, no catalog."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from enum import IntEnum
from functools import cached_property
from typing import TYPE_CHECKING

from jobs.rechecks.sections import find_section, find_site

if TYPE_CHECKING:
    from collections.abc import Iterable

    from config.settings import Settings
    from config.sources import Source

STEPS = 4
"""So many steps lie between two ages: a section that edits very often is looked at on each of them."""
SECOND = 1_000_000
"""Instants and spans are microseconds, as exact as the catalog's."""
_DAY = 86_400 * SECOND
_LONGEST_GONE = 365 * _DAY


class Kind(IntEnum):
    """Why an article is looked at again, in the order of its turn."""

    SUSPECTED = 0
    """A second look must confirm that it is gone."""
    UNREAD = 1
    """It was only recorded: its text is still to be read. No recheck, so no budget holds it back."""
    GONE = 2
    """It may be back."""
    AGE = 3
    """An age of its plan has come."""


@dataclass(frozen=True)
class RecheckPolicy:
    """What is asked of the rechecks of one source."""

    ages: tuple[int, ...]
    """Seconds after first sight, growing."""
    per_day: int | None = None
    """Rechecks of one host in any 24 hours; `None`: as many as are due."""
    second_look_seconds: float = 3_600.0
    """From evidence of deletion to the look that confirms it."""
    raw_only: bool = False
    """Whether what was only recorded is looked at by its age, too."""
    adapts: bool = True
    """Whether ages lie closer or wider by what edits taught."""

    @classmethod
    def of(cls, source: Source, settings: Settings, *, raw_only: bool | None = None) -> RecheckPolicy:
        """Return the policy that a source and the settings ask for."""
        return cls(
            tuple(source.recheck),
            source.politeness.recheck_budget,
            settings.second_look_seconds,
            source.is_raw_only(settings.raw_only) if raw_only is None else raw_only,
        )

    @cached_property
    def grid(self) -> tuple[int, ...]:
        """The ages and what lies between them: `STEPS` steps from one to the next, the first from 0; ages grow alike.

        Between two ages each step is longer than the one before by the same factor.
        """
        points = [0]
        for age in sorted(set(self.ages)):
            before = points[-1] // SECOND
            for number in range(1, STEPS):
                share = number / STEPS
                between = age * share if not before else before * (age / before) ** share
                points.append(max(points[-1], round(between) * SECOND))
            points.append(age * SECOND)
        return tuple(points)

    @property
    def last(self) -> int:
        """The step of the last age."""
        return len(self.grid) - 1

    def find_step(self, age: int) -> int:
        """Return the last step that *age* has come to."""
        return bisect_right(self.grid, age) - 1


@dataclass(frozen=True, slots=True)
class ArticleFacts:
    """What thin facts say of an article. Instants in microseconds since 1970."""

    url: str
    first_seen: int
    last_captured: int
    last_good: int | None
    """Of one that is gone; `None` where nobody asks."""
    state: str
    unread: bool
    edited: tuple[int, ...] = ()
    """When each text but the first was first seen."""
    suspected: int | None = None
    """Of one that is suspected to be gone: when it was first; `None` where nobody asks."""
    taken_in: int | None = None
    """When the last capture was taken in, if it was imported or backfilled: no look that was due before is owed."""

    @property
    def looked(self) -> int:
        """When nothing of what had been due any more was."""
        return max(self.last_captured, self.taken_in or 0)


@dataclass(frozen=True, slots=True)
class Standing:
    """Where an article stands: what a section learns from it, and when it is due, whatever the section's weights."""

    site: str
    """Its host."""
    section: int
    step: int
    """To which its last look came."""
    edits: tuple[int, ...]
    """The steps during which it got another text, each once."""
    kind: Kind | None
    """`None`: it is not looked at any more."""
    at: int | None
    """When it was first seen, of `AGE`: the steps count from there; else when it is due."""
    looked_hour: int | None
    """The hour, since 1970, of its last look; `None`: there was only the first."""


def stand(facts: ArticleFacts, policy: RecheckPolicy) -> Standing | None:
    """Return where an article stands under *policy*; `None` for one that never had a text and is not to be read."""
    if facts.state == "none" and not facts.unread:
        return None
    step = policy.find_step(facts.looked - facts.first_seen)
    kind, at = _find_turn(facts, policy, step)
    fetched = facts.taken_in is None
    return Standing(
        find_site(facts.url),
        find_section(facts.url),
        step,
        _find_edits(facts, policy),
        kind,
        at,
        facts.last_captured // (3_600 * SECOND) if facts.last_captured > facts.first_seen and fetched else None,
    )


def _find_turn(facts: ArticleFacts, policy: RecheckPolicy, step: int) -> tuple[Kind | None, int | None]:
    if facts.unread and not policy.raw_only:
        return Kind.UNREAD, facts.last_captured
    if facts.state == "suspected":
        return _find_second_look(facts, round(policy.second_look_seconds * SECOND))
    if facts.state == "gone":
        return _find_return(facts)
    return (Kind.AGE, facts.first_seen) if step < policy.last else (None, None)


def _find_second_look(facts: ArticleFacts, delay: int) -> tuple[Kind | None, int | None]:
    """Look again after *delay*; where a look told nothing (an error, a wall), each time after twice as long, a year."""
    waited = facts.looked - (facts.looked if facts.suspected is None else facts.suspected)
    if waited > _LONGEST_GONE:
        return None, None
    return Kind.SUSPECTED, facts.last_captured + max(waited, delay)


def _find_return(facts: ArticleFacts) -> tuple[Kind | None, int | None]:
    """Look again after a day, then each time when it has been away twice as long, up to a year."""
    away = facts.looked - (facts.last_good or facts.first_seen)
    if away > _LONGEST_GONE:
        return None, None
    return Kind.GONE, facts.last_captured + max(away, _DAY)


def _find_edits(facts: ArticleFacts, policy: RecheckPolicy) -> tuple[int, ...]:
    """Take an edit for one of the step before the look that showed it: looks come soon after a step's end."""
    return tuple(sorted(set(_steps_before(facts.edited, facts.first_seen, policy)))) if policy.last else ()


def _steps_before(instants: Iterable[int], first_seen: int, policy: RecheckPolicy) -> Iterable[int]:
    return (max(0, policy.find_step(max(0, instant - first_seen)) - 1) for instant in instants)
