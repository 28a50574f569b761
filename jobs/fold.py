"""Facts to histories and verdicts: the one place where they are decided. FORMAT.md § 7 in code.

A pure function of a set of facts: reads no store, no clock, and gives the same for every order of commits.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING

from crawler.model import GOOD_CLASSES, PageClass

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

FOLD = 4
"""The version of these rules, as FORMAT.md § 7 counts them."""
NOT_MODIFIED = 304
_DELETED_STATUS = {404: "404", 410: "410", 451: "451 legal"}
_DELETED_CLASSES = frozenset({PageClass.SOFT_404, PageClass.BLOCKED})
_OF_THE_ANSWER = ("captured_at", "segment", "n", "run", "status", "revisit_of")
"""What of an answer of status 304 stays its own."""

Place = tuple[str, int]
"""Segment and number of a capture."""


class Verdict(StrEnum):
    """What a capture means for its article."""

    NEW = "new"
    """The first capture with a text that counts."""
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
    """Neither a text that counts nor evidence: challenge, consent, error, truncated where the whole was had, …"""


class State(StrEnum):
    """How an article stands after its last telling capture."""

    NONE = "none"
    """It never had a text that counts."""
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
    """As it was captured; once it is decided by an adopted derivation, that of its snapshot."""
    native: str | None
    """Derivation of the snapshot made when it was captured; `None`: there was none."""
    texts: Mapping[str, str]
    """Derivation → text digest, re-derived ones included."""
    metadata: Mapping[str, str] = field(default_factory=dict)
    """Derivation → digest of the metadata (jobs.metadata), re-derived ones included."""
    revisit_of: Place | None = None
    """The capture whose record holds this answer's payload."""
    classes: Mapping[str, str] = field(default_factory=dict)
    """Derivation → class of that snapshot; where one is missing, it is that of the capture."""
    adopted: str | None = None
    """The adopted derivation that decides; the fold finds it."""

    @property
    def own(self) -> str | None:
        """The derivation whose text is the capture's text, where others have one too; `None`: it has none."""
        return self.native if self.adopted is None else self.adopted

    @property
    def place(self) -> Place:
        """Segment and number."""
        return self.segment, self.n

    @property
    def good(self) -> bool:
        """Whether it has the article's whole text."""
        return self.page_class in GOOD_CLASSES and self.own is not None

    @property
    def excerpt(self) -> bool:
        """Whether it has the text that a pay wall leaves, which counts only as long as the whole was never had."""
        return self.page_class == PageClass.TRUNCATED and self.own is not None

    @property
    def deleted(self) -> bool:
        """Whether it is evidence of deletion."""
        return self.status in _DELETED_STATUS or self.page_class in _DELETED_CLASSES


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
    """With class, texts and metadata of the capture that it was read at."""
    verdict: Verdict
    revision: int | None
    """The revision whose text it had; `None` where it had none or could not be compared."""
    metadata: bool = False
    """Whether it tells, and its metadata differs from that of the last telling capture, within one derivation."""
    read_at: Place | None = None
    """The earlier capture that an answer of status 304 stands for; `None`: it stands for itself."""
    tells: bool = False
    """Whether its text counts: it is good, or an excerpt of an article whose whole text no capture before it had."""


@dataclass(frozen=True, slots=True)
class History:
    """All that the facts say of one article."""

    captures: tuple[Judged, ...]
    revisions: tuple[Revision, ...]
    state: State


def fold_article(facts: Iterable[CaptureFact], adopted: Sequence[str] = ()) -> History:
    """Judge the captures of one article, in any order given.

    *adopted*: the derivations that its source's log has adopted, the newest first.
    """
    decided = (_decide(fact, adopted) for fact in facts)
    ordered = sorted(decided, key=lambda fact: (fact.captured_at, fact.segment, fact.n))
    earlier: dict[Place, CaptureFact] = {}
    judged: list[Judged] = []
    revisions: list[Revision] = []
    last: Revision | None = None
    metadata: Mapping[str, str] = {}
    state = State.NONE
    evidence_run = ""
    whole = False
    for found in ordered:
        fact, read_at = _read_at(found, earlier)
        earlier[found.place] = found
        verdict, revision, moved = Verdict.BAD, None, False
        whole |= fact.good
        tells = fact.good or (fact.excerpt and not whole)
        if tells:
            gone = state in (State.SUSPECTED, State.GONE)
            verdict, revision = _judge_text(fact, revisions, last, deleted=gone, own=read_at is None)
            moved, metadata = _compare_metadata(fact, metadata)
            last = revision or last
            state = State.LIVE
        elif fact.deleted and last is not None:
            if state is State.LIVE:
                verdict, state, evidence_run = Verdict.SUSPECTED, State.SUSPECTED, fact.run
            elif state is State.GONE or fact.run != evidence_run:
                verdict, state = Verdict.GONE, State.GONE
            else:
                verdict = Verdict.SUSPECTED
        judged.append(Judged(fact, verdict, revision.number if revision else None, moved, read_at, tells))
    return History(tuple(judged), tuple(revisions), state)


def describe_evidence(status: int | None, page_class: str) -> str | None:
    """Return which kind of evidence of deletion a capture is, in words; `None` if it is none.

    Asked of captures that do not tell.
    """
    if page_class == PageClass.BLOCKED:
        return "blocked by robots.txt"
    if page_class == PageClass.SOFT_404:
        away = status is not None and status // 100 == 3 and status != NOT_MODIFIED
        return "redirect to home or section" if away else "soft 404"
    return None if status is None else _DELETED_STATUS.get(status)


def _decide(fact: CaptureFact, adopted: Sequence[str]) -> CaptureFact:
    """Return *fact* as the newest adopted derivation has it that it has a text in."""
    found = next((one for one in adopted if one in fact.texts), None)
    if found is None:
        return fact
    if found == fact.native:
        return replace(fact, adopted=found)  # the capture's class was told with this very text
    return replace(fact, adopted=found, page_class=fact.classes.get(found, fact.page_class))


def _read_at(fact: CaptureFact, earlier: Mapping[Place, CaptureFact]) -> tuple[CaptureFact, Place | None]:
    """Return *fact* as the capture that it refers to was read, and which that is, if it only says: not modified."""
    if fact.status != NOT_MODIFIED or fact.own is not None or fact.revisit_of is None:
        return fact, None
    found = earlier.get(fact.revisit_of)
    if found is None or found.status == NOT_MODIFIED:
        return fact, None
    return replace(found, **{name: getattr(fact, name) for name in _OF_THE_ANSWER}), found.place


def _judge_text(
    fact: CaptureFact, revisions: list[Revision], last: Revision | None, *, deleted: bool, own: bool
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
    if not own:  # a text that was uncompared when it was there: whoever reads it needs a capture that has it
        return Verdict.UNCOMPARED, None
    return Verdict.REVISED, _add_revision(fact, revisions)


def _compare_metadata(fact: CaptureFact, last: Mapping[str, str]) -> tuple[bool, Mapping[str, str]]:
    """Return whether the metadata changed, and what the next good capture is to be compared with."""
    common = fact.metadata.keys() & last.keys()
    if not common:
        return False, fact.metadata
    derivation = fact.own if fact.own in common else min(common)
    if fact.metadata[derivation] != last[derivation]:
        return True, fact.metadata
    return False, last if len(common) == len(fact.metadata) else {**fact.metadata, **last}


def _common_derivation(fact: CaptureFact, last: Revision) -> str | None:
    if fact.own in last.texts:
        return fact.own
    return min(fact.texts.keys() & last.texts.keys(), default=None)


def _add_revision(fact: CaptureFact, revisions: list[Revision]) -> Revision:
    revision = Revision(len(revisions) + 1, fact, dict(fact.texts))
    revisions.append(revision)
    return revision


def _see_again(fact: CaptureFact, revision: Revision) -> None:
    revision.captures += 1
    for derivation, text in fact.texts.items():
        revision.texts.setdefault(derivation, text)
