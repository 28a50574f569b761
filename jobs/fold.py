"""Facts to histories and verdicts: the one place where they are decided. FORMAT.md § 7 in code.

A pure function of a set of facts: reads no store, no clock, and gives the same for every order of commits.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING

from crawler.model import GOOD_CLASSES

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

FOLD = 1
"""The version of these rules, as FORMAT.md § 7 counts them."""
_DELETED_STATUS = frozenset({404, 410, 451})


class Verdict(StrEnum):
    """What a capture means for its article."""

    NEW = "new"
    """The first good capture."""
    REVISED = "revised"
    """A text that the article never had."""
    REVERTED = "reverted"
    """A text that it had before the last one."""
    UNCHANGED = "unchanged"
    RETURNED = "returned"
    """The last text is back after evidence of deletion."""
    UNCOMPARED = "uncompared"
    """No derivation in common with the last revision: no statement."""
    SUSPECTED = "suspected"
    """First evidence of deletion."""
    GONE = "gone"
    """Evidence of deletion in a second run."""
    BAD = "bad"
    """Neither text nor evidence: challenge, consent, error, truncated, …"""


class State(StrEnum):
    """How an article stands after its last telling capture."""

    NONE = "none"
    """It never had a good capture."""
    LIVE = "live"
    SUSPECTED = "suspected"
    GONE = "gone"


@dataclass(frozen=True, slots=True)
class CaptureFact:
    """One committed capture of an article, with the digests of its snapshots."""

    captured_at: datetime
    segment: str
    n: int
    run: str
    status: int | None
    page_class: str
    native: str | None
    """Derivation of the snapshot made when it was captured; `None`: there was none."""
    texts: Mapping[str, str]
    """Derivation → text digest, re-derived ones included."""

    @property
    def good(self) -> bool:
        """Whether it may make a revision."""
        return self.page_class in GOOD_CLASSES and self.native is not None

    @property
    def deleted(self) -> bool:
        """Whether it is evidence of deletion."""
        return self.status in _DELETED_STATUS or self.page_class == "soft-404"


@dataclass(slots=True)
class Revision:
    """A distinct text in an article's history."""

    number: int
    """From 1."""
    first: CaptureFact
    texts: dict[str, str] = field(default_factory=dict)
    """Derivation → text digest, of the first capture that has it."""
    captures: int = 1


@dataclass(frozen=True, slots=True)
class Judged:
    """A capture with its verdict."""

    fact: CaptureFact
    verdict: Verdict
    revision: int | None
    """The revision whose text it had; `None` where it had none or could not be compared."""


@dataclass(frozen=True, slots=True)
class History:
    """All that the facts say of one article."""

    captures: tuple[Judged, ...]
    revisions: tuple[Revision, ...]
    state: State


def fold_article(facts: Iterable[CaptureFact]) -> History:
    """Judge the captures of one article, in any order given."""
    ordered = sorted(facts, key=lambda fact: (fact.captured_at, fact.segment, fact.n))
    judged: list[Judged] = []
    revisions: list[Revision] = []
    last: Revision | None = None
    state = State.NONE
    evidence_run = ""
    for fact in ordered:
        verdict, revision = Verdict.BAD, None
        if fact.good:
            verdict, revision = _judge_text(fact, revisions, last, deleted=state in (State.SUSPECTED, State.GONE))
            last = revision or last
            state = State.LIVE
        elif fact.deleted and last is not None:
            if state is State.LIVE:
                verdict, state, evidence_run = Verdict.SUSPECTED, State.SUSPECTED, fact.run
            elif state is State.GONE or fact.run != evidence_run:
                verdict, state = Verdict.GONE, State.GONE
            else:
                verdict = Verdict.SUSPECTED
        judged.append(Judged(fact, verdict, revision.number if revision else None))
    return History(tuple(judged), tuple(revisions), state)


def _judge_text(
    fact: CaptureFact, revisions: list[Revision], last: Revision | None, *, deleted: bool
) -> tuple[Verdict, Revision | None]:
    if last is None:
        return Verdict.NEW, _add_revision(fact, revisions)
    derivation = _common_derivation(fact, last)
    if derivation is None:
        return Verdict.UNCOMPARED, None
    text = fact.texts[derivation]
    if last.texts[derivation] == text:
        _see_again(fact, last)
        return (Verdict.RETURNED if deleted else Verdict.UNCHANGED), last
    for earlier in revisions:
        if earlier.texts.get(derivation) == text:
            _see_again(fact, earlier)
            return Verdict.REVERTED, earlier
    return Verdict.REVISED, _add_revision(fact, revisions)


def _common_derivation(fact: CaptureFact, last: Revision) -> str | None:
    if fact.native in last.texts:
        return fact.native
    return min(fact.texts.keys() & last.texts.keys(), default=None)


def _add_revision(fact: CaptureFact, revisions: list[Revision]) -> Revision:
    revision = Revision(len(revisions) + 1, fact, dict(fact.texts))
    revisions.append(revision)
    return revision


def _see_again(fact: CaptureFact, revision: Revision) -> None:
    revision.captures += 1
    for derivation, text in fact.texts.items():
        revision.texts.setdefault(derivation, text)
