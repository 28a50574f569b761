"""One lesson: read outlines, find candidates, try them on the same pages, drop what does harm, say what is left.

Knows no archive: whoever asks hands in how pages are outlined and read. See `jobs.learning.sampling` for the archive.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

from config.learned import LearnedFile, LearnedLabel, LearnedLine, LearnedSelector
from config.rules import LearnedRules
from jobs.learning.candidates import find_candidates
from jobs.learning.evidence import Evidence
from jobs.learning.trial import Effect, count_moved, find_harm, judge_pages

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from jobs.learning.candidates import Candidate
    from jobs.learning.evidence import Sample
    from jobs.learning.trial import Harm, Place

_ROUNDS = 8
_KINDS = ("selector", "links", "line", "label")
_TRIED_AGAIN = 40
"""So many pages are read again with more and more of the rules, to find the one that does harm."""


TextReader: TypeAlias = "Callable[[Sequence[tuple[Place, LearnedRules]]], list[list[str] | None]]"
"""Reads pages of the sample anew, each under rules: their lines as an outline has them; `None`: no text."""


@dataclass(slots=True)
class Lesson:
    """What the pages taught."""

    articles: int = 0
    captures: int = 0
    rules: dict[Candidate, Effect] = field(default_factory=dict)
    refused: dict[Candidate, str] = field(default_factory=dict)
    """Candidate → why it is not learned."""
    lines: int = 0
    """That the rules took out of the pages at hand."""
    touched: int = 0
    """Articles that lost a line."""
    moved_before: int = 0
    """Captures with another text than the capture before, without the rules."""
    moved_after: int = 0

    @property
    def learned(self) -> LearnedRules:
        """The rules alone."""
        return make_rules(list(self.rules))

    def to_file(self, *, archive: str, now: datetime) -> LearnedFile:
        """Return what is to be written, as version 1."""
        ordered = sorted(self.rules.items(), key=lambda item: (-item[0].articles, item[0].value))
        of_kind = {kind: [item for item in ordered if item[0].kind == kind] for kind in _KINDS}
        remove, links = (
            [
                LearnedSelector(selector=one.value, basis=one.basis, articles=one.articles, lines=effect.lines)
                for one, effect in of_kind[kind]
            ]
            for kind in ("selector", "links")
        )
        return LearnedFile(
            version=1,
            learned=now,
            archive=archive,
            articles=self.articles,
            captures=self.captures,
            remove=remove,
            links=links,
            lines=[LearnedLine(line=one.value, articles=one.articles) for one, _ in of_kind["line"]],
            labels=[LearnedLabel(label=one.value, articles=one.articles) for one, _ in of_kind["label"]],
        )


def learn_rules(samples: Sequence[Sample], read: TextReader) -> Lesson:
    """Return the rules that *samples* speak for and that did no harm to them."""
    evidence = Evidence(samples)
    places = [(number, turn) for number, sample in enumerate(samples) for turn in range(len(sample.outlines))]
    lesson = Lesson(articles=len(samples), captures=len(places))
    before = [[list(outline.text) for outline in sample.outlines] for sample in samples]
    lesson.moved_before = lesson.moved_after = count_moved(before)
    for _ in range(_ROUNDS):
        rules = sorted(find_candidates(evidence, lesson.refused), key=lambda rule: (-rule.articles, rule.value))
        if not rules:
            return lesson
        learned = make_rules(rules)
        texts = dict(zip(places, read([(place, learned) for place in places]), strict=True))
        effects, harms = judge_pages(evidence, rules, texts)
        guilty = _find_guilty(evidence, rules, harms, read)
        lesson.refused |= guilty
        if not guilty:
            _conclude(lesson, effects, texts)
            return lesson
    lesson.refused |= dict.fromkeys(
        find_candidates(evidence, lesson.refused), f"others still did harm after {_ROUNDS} rounds; run it again"
    )
    return lesson


def make_rules(candidates: Sequence[Candidate]) -> LearnedRules:
    """Return *candidates* as the extractor takes them."""
    values = {kind: [one.value for one in candidates if one.kind == kind] for kind in _KINDS}
    return LearnedRules(remove=values["selector"], links=values["links"], lines=values["line"], labels=values["label"])


def _find_guilty(
    evidence: Evidence, rules: list[Candidate], harms: list[Harm], read: TextReader
) -> dict[Candidate, str]:
    """Return of each harmed page the rule that does it, with the reason.

    Of *rules*, in the order of their evidence, it is the last one of the fewest that harm the page, found by halving.
    """
    bounds = {harm.place: (0, len(rules)) for harm in harms[:_TRIED_AGAIN]}
    reasons = {harm.place: harm.reason for harm in harms}
    while parts := [(place, (low + high) // 2) for place, (low, high) in bounds.items() if high - low > 1]:
        texts = read([(place, make_rules(rules[:middle])) for place, middle in parts])
        for (place, middle), text in zip(parts, texts, strict=True):
            reason = find_harm(evidence, place, rules[:middle], text, rules)
            low, high = bounds[place]
            bounds[place] = (low, middle) if reason else (middle, high)
            reasons[place] = reason or reasons[place]
    return {rules[high - 1]: reasons[place] for place, (_, high) in bounds.items()}


def _conclude(lesson: Lesson, effects: dict[Candidate, Effect], texts: dict[Place, list[str] | None]) -> None:
    lesson.rules = {rule: effect for rule, effect in effects.items() if effect.lines}
    lesson.lines = sum(effect.lines for effect in effects.values())
    lesson.touched = len({number for effect in effects.values() for number in effect.articles})
    samples: dict[int, list[list[str] | None]] = {}
    for place in sorted(texts):
        samples.setdefault(place[0], []).append(texts[place])
    lesson.moved_after = count_moved(list(samples.values()))
