"""Which captures of an article the fold cannot do without when later ones are added. Pure functions of facts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from jobs.fold import Verdict, fold_article

if TYPE_CHECKING:
    from collections.abc import Iterable

    from jobs.fold import CaptureFact, Judged

Place = tuple[str, int]
"""Segment and number of a capture."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A capture as one looks for the record of a payload."""

    place: Place
    target_uri: str
    captured_at: str
    status: int | None
    whole: bool
    """Whether it has a response record that is neither a revisit nor cut."""
    recorded: bool
    """Whether it has a response record at all."""
    revisit_of: Place | None


def list_needed(facts: Iterable[CaptureFact]) -> set[Place]:
    """Return the captures of one article that must be kept: with them alone the fold judges later captures alike.

    Left out are captures that only said again, in their own derivation, what the last revision was; bad ones; and
    evidence of deletion, but for the first of each kind since the last good capture, or before a text that returned.
    So every capture that is kept meets the same last revision, with the same texts, as it does among all facts.
    """
    history = fold_article(facts)
    if not history.captures:
        return set()
    kept = {_place(history.captures[0]), _place(history.captures[-1])}
    texts: dict[int, set[str]] = {}
    last: int | None = None
    evidence: dict[Verdict, Place] = {}
    last_good: Place | None = None
    ended: list[Place] = []
    for judged in history.captures:
        if judged.fact.good:
            ended = [evidence[Verdict.SUSPECTED]] if judged.verdict is Verdict.RETURNED else []
            evidence.clear()
            last_good = _place(judged)
            if judged.revision is None or judged.revision != last or judged.fact.texts.keys() - texts[judged.revision]:
                kept.update([last_good, *ended])
            if judged.revision is not None:
                last = judged.revision
                texts.setdefault(last, set()).update(judged.fact.texts)
        elif judged.verdict in {Verdict.SUSPECTED, Verdict.GONE}:
            evidence.setdefault(judged.verdict, _place(judged))
    if last_good is not None:
        kept.update([last_good, *ended])
    return kept | set(evidence.values())


def list_records(answers: Iterable[Answer]) -> set[Place]:
    """Return the captures by which payloads are found again.

    Of each URL: the last answer, the last with status 200, the last whole record, and the records that those stand for.
    """
    ordered = sorted(answers, key=lambda one: (one.captured_at, one.place))
    last = {one.target_uri: one for one in ordered if one.recorded}
    full = {one.target_uri: one for one in ordered if one.recorded and one.status == 200}
    whole = {one.target_uri: one for one in ordered if one.whole}
    chosen = [*last.values(), *full.values(), *whole.values()]
    return {one.place for one in chosen} | {one.revisit_of for one in chosen if one.revisit_of is not None}


def _place(judged: Judged) -> Place:
    return judged.fact.segment, judged.fact.n
