"""Whatever a source's pages hold, what is learned of it takes no text that one article alone has."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from config.rules import LearnedRules
from jobs.learning import learn_rules
from jobs.learning.candidates import least_stories
from jobs.learning.evidence import Evidence, Sample
from jobs.learning.trial import MOST_OWN_SHARE
from tests.outlines import Line, outline

if TYPE_CHECKING:
    from collections.abc import Sequence

    from crawler.model import Outline
    from jobs.learning.trial import Place

NAMES = ("p.text", "div.box", "div.aside", "ul.list", "div.box.wide")
COMMON = tuple(f"A line number {at} that pages of this source share" for at in range(6))


def make_site(rnd: random.Random) -> list[Sample]:
    """A site with any habits: shared lines, boxes that change, edits, paragraphs in boxes, boxes without names."""
    share, change, edit = rnd.random(), rnd.random(), rnd.random() ** 3
    samples = []
    for number in range(rnd.randint(1, 12)):
        base: list[tuple[str, tuple[str, ...], bool]] = []
        for at in range(rnd.randint(1, 10)):
            names = tuple(rnd.sample(NAMES, rnd.randint(0, 2)))
            common = rnd.random() < share
            base.append((rnd.choice(COMMON) if common else f"Own line {number}.{at}", names, rnd.random() < 0.3))
        captures = []
        for turn in range(rnd.randint(1, 3)):
            lines = [Line(f"Title {number}", head=True)]
            for text, names, linked in base:
                moves = rnd.random() < (change if "div.box" in names else edit / 4)
                lines.append(Line(f"{text} as of {turn}" if moves else text, names, linked=linked))
            captures.append(outline(lines))
        samples.append(Sample(f"https://gazette.example/{number}", tuple(captures)))
    return samples


def extract(page: Outline, rules: LearnedRules) -> list[str]:
    return [
        one.line
        for one in page.lines
        if one.line not in rules.lines
        and not any(page.names[name] in (rules.remove + rules.links * one.linked) for name in one.names)
    ]


@given(st.integers(0, 2**32))
def test_no_rule_takes_a_line_that_stands_in_one_article_alone(seed: int) -> None:
    samples = make_site(random.Random(seed))

    def read(jobs: Sequence[tuple[Place, LearnedRules]]) -> list[list[str] | None]:
        return [extract(samples[place[0]].outlines[place[1]], rules) for place, rules in jobs]

    lesson = learn_rules(samples, read)
    evidence = Evidence(samples)
    for rule in lesson.rules:
        for number, sample in enumerate(samples):
            taken = [
                (turn, one)
                for turn, page in enumerate(sample.outlines)
                for one in page.lines
                if rule.takes(one, page.names)
            ]
            assert not any(one.head for _, one in taken)
            for _, one in taken:
                alone = len(evidence.spread[one.line]) == 1
                if rule.basis == "recurring":
                    assert not alone
                elif alone and not one.linked and all(one.line in page.text for page in sample.outlines):
                    # a box that was seen to change elsewhere, and had not yet changed here: only a small part
                    own = sum(len(line) for line in evidence.own_lines(number) if line in {o.line for _, o in taken})
                    assert own <= MOST_OWN_SHARE * evidence.own_chars(number)
        if rule.basis == "recurring":
            assert rule.articles >= least_stories(evidence.count)


@given(st.integers(0, 2**32))
def test_the_same_pages_teach_the_same_whatever_their_order(seed: int) -> None:
    samples = make_site(random.Random(seed))

    def learn(given: list[Sample]) -> LearnedRules:
        def read(jobs: Sequence[tuple[Place, LearnedRules]]) -> list[list[str] | None]:
            return [extract(given[place[0]].outlines[place[1]], rules) for place, rules in jobs]

        rules = learn_rules(given, read).learned
        return LearnedRules(
            remove=sorted(rules.remove),
            links=sorted(rules.links),
            lines=sorted(rules.lines),
            labels=sorted(rules.labels),
        )

    assert learn(samples) == learn(samples[::-1])
