"""Candidates on the pages at hand: what each would have taken out, and which take more than they may. Pure."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from crawler.model import Outline
    from jobs.learning.candidates import Candidate
    from jobs.learning.evidence import Evidence

MOST_OWN_SHARE = 0.05
"""Of an article's own text: what takes more of it, or brings so much in, is refused, whatever speaks for it."""

Place = tuple[int, int]
"""Number of the sample, number of its capture."""


@dataclass(slots=True)
class Effect:
    """What a rule took out of the pages at hand."""

    lines: int = 0
    articles: set[int] = field(default_factory=set)
    refused: str | None = None
    """Why the rule is not learned."""


@dataclass(frozen=True, slots=True)
class Harm:
    """A page that the rules did more to than they may."""

    place: Place
    reason: str


def judge_pages(
    evidence: Evidence, rules: Sequence[Candidate], texts: Mapping[Place, list[str] | None]
) -> tuple[dict[Candidate, Effect], list[Harm]]:
    """Return what each of *rules* takes out, and the pages that lost or gained what no rule says.

    *texts*: the lines that each page has under all of *rules*; `None` where it has no text.
    """
    effects = {rule: Effect() for rule in rules}
    harms = []
    for place, text in sorted(texts.items()):
        outline = evidence.samples[place[0]].outlines[place[1]]
        gone = Counter(outline.text) - Counter(text or ())
        for rule, lines in find_taken(outline, rules).items():
            # a short line stays within a text: only the text itself tells
            number = min(len(lines), gone[rule.value]) if rule.kind == "line" else len(lines)
            if number:
                effects[rule].lines += number
                effects[rule].articles.add(place[0])
        reason = find_harm(evidence, place, rules, text, rules)
        if reason:
            harms.append(Harm(place, reason))
    return effects, harms


def find_taken(outline: Outline, rules: Sequence[Candidate]) -> dict[Candidate, list[str]]:
    """Return rule → the lines of the text that it takes out of the page, of those rules that take any."""
    found: dict[Candidate, list[str]] = {}
    for rule in rules:
        lines = [one.line for one in outline.lines if one.kept and rule.takes(one, outline.names)]
        if lines:
            found[rule] = lines
    return found


def find_harm(
    evidence: Evidence, place: Place, rules: Sequence[Candidate], text: list[str] | None, boxes: Sequence[Candidate]
) -> str | None:
    """Return what is wrong with *text*, which the page at *place* has under *rules*, or `None`.

    *boxes*: rules that may yet be learned; what they take out is no text that came in the place of other.
    """
    outline = evidence.samples[place[0]].outlines[place[1]]
    if text is None:
        return "the page has no text left"
    before, after = Counter(outline.text), Counter(text)
    lost, come = set(before - after), set(after - before) - set(before)
    same = {(old, new) for old in lost for new in come if old in new or new in old}  # a line with more words, or fewer
    lost, come = lost - {old for old, _ in same}, come - {new for _, new in same}
    if any(one.head and one.line in lost for one in outline.lines):
        return "the title or the lead went with it"
    own = {one.line: one.chars for one in outline.lines if one.kept and evidence.is_own(place[0], one)}
    whole = evidence.own_chars(place[0])
    expected = {line for lines in find_taken(outline, rules).values() for line in lines}
    gone = sum(chars for line, chars in own.items() if line in expected or line in lost)
    if gone > MOST_OWN_SHARE * whole:
        return f"{gone / whole:.0%} of the article's own text went with it"
    boxed = {one.line for one in outline.lines if any(rule.takes(one, outline.names) for rule in boxes)}
    strange = sum(len(line) for line in come - boxed)
    if strange > MOST_OWN_SHARE * whole:
        return (
            f"other text came in its place, {strange / whole:.0%} of the article's own" if whole else "other text came"
        )
    return None


def count_moved(samples: Sequence[Sequence[list[str] | None]]) -> int:
    """Return how many captures have another text than the one before them. *samples*: the texts of each article."""
    return sum(
        1 for texts in samples for at in range(1, len(texts)) if texts[at] is not None and texts[at] != texts[at - 1]
    )
