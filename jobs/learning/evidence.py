"""Outlines of many articles → what recurs across them, what changes between captures of one, what is an article's own.

Pure. Articles that share most of their lines (a story under two addresses, a print version) count as one story.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING

from crawler.model import PageClass

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from crawler.model import Outline, OutlineLine

_SAME_STORY = 0.5
"""Articles that have this share of their characters in common are one story."""
_WIDESPREAD = 10
"""A line of more articles than this makes no two of them the same story."""

_COMPARED = frozenset({PageClass.ARTICLE, PageClass.TRUNCATED})


@dataclass(frozen=True, slots=True)
class Sample:
    """An article and its captures, the oldest first."""

    url: str
    outlines: tuple[Outline, ...]


@dataclass(slots=True)
class Held:
    """What an element of a selector holds, over all pages."""

    stories: set[int] = field(default_factory=set)
    """In which it holds lines of the text."""
    chars: int = 0
    """Of lines of the text that it holds."""
    kept: Counter[str] = field(default_factory=Counter)
    """Lines of the text that it holds → in how many captures."""
    headings: int = 0
    head: bool = False
    """Whether it ever holds the title or the lead."""
    own: Counter[int] = field(default_factory=Counter)
    """Story → characters in it that are the story's own."""
    compared: set[int] = field(default_factory=set)
    """Stories of which two captures have it, and one has it in the text."""
    changed: set[int] = field(default_factory=set)
    """Those of them in which it held another text each time."""


class Evidence:
    """What the pages say, by line and by selector."""

    def __init__(self, samples: Sequence[Sample]) -> None:
        self.samples = samples
        self.stories = group_stories(samples)
        """Of each sample."""
        self.count = len(set(self.stories))
        self.spread = self._read_spread()
        """Line of a text → the stories that have it."""
        self.heads = {one.line for outline in self._outlines() for one in outline.lines if one.head}
        """Lines that are a title or a lead somewhere."""
        self._own = [self._find_own(number) for number in range(len(samples))]
        self.selectors = self._read_selectors()

    def is_own(self, number: int, line: OutlineLine) -> bool:
        """Whether *line* is the own text of sample *number*: no other story has it, and each capture does."""
        return not line.linked and line.line in self._own[number]

    def own_lines(self, number: int) -> frozenset[str]:
        """Return the lines that each capture of sample *number* has, and no other story."""
        return frozenset(self._own[number])

    def own_chars(self, number: int) -> int:
        """Return how many characters of its own text the newest capture of sample *number* has."""
        lines = self.samples[number].outlines[-1].lines
        return sum(one.chars for one in lines if one.kept and (one.head or self.is_own(number, one)))

    def _outlines(self) -> Iterator[Outline]:
        for sample in self.samples:
            yield from sample.outlines

    def _read_spread(self) -> dict[str, set[int]]:
        spread: dict[str, set[int]] = {}
        for sample, story in zip(self.samples, self.stories, strict=True):
            for outline in sample.outlines:
                for line in outline.text:
                    spread.setdefault(line, set()).add(story)
        return spread

    def _find_own(self, number: int) -> set[str]:
        captures = self.samples[number].outlines
        common = set(captures[0].text).intersection(*(outline.text for outline in captures[1:]))
        return {line for line in common if len(self.spread[line]) == 1}

    def _read_selectors(self) -> dict[str, Held]:
        found: dict[str, Held] = {}
        for number, (sample, story) in enumerate(zip(self.samples, self.stories, strict=True)):
            own: dict[str, int] = {}
            for outline in sample.outlines:
                for line in outline.lines:
                    for name in line.names:
                        held = found.setdefault(outline.names[name], Held())
                        held.head = held.head or line.head
                        if not line.kept:
                            continue
                        held.stories.add(story)
                        held.chars += line.chars
                        held.kept[line.line] += 1
                        held.headings += line.heading
                        if self.is_own(number, line):
                            own[outline.names[name]] = own.get(outline.names[name], 0) + line.chars
            for selector, chars in own.items():
                found[selector].own[story] += chars
            for before, after in list_pairs(sample):
                _compare(found, story, before, after)
        return found


def group_stories(samples: Sequence[Sample]) -> list[int]:
    """Return for each sample the number of its story: that of the first one with most of the same lines."""
    texts = [
        {one.line: one.chars for one in sample.outlines[-1].lines if one.kept and not one.head} for sample in samples
    ]
    holders: dict[str, list[int]] = {}
    for number, text in enumerate(texts):
        for line in text:
            holders.setdefault(line, []).append(number)
    shared: Counter[tuple[int, int]] = Counter()
    for line, having in holders.items():
        if len(having) <= _WIDESPREAD:
            for at, first in enumerate(having):
                for second in having[at + 1 :]:
                    shared[first, second] += texts[first][line]
    stories = list(range(len(samples)))
    for (first, second), chars in sorted(shared.items()):
        if chars > _SAME_STORY * min(sum(texts[first].values()), sum(texts[second].values())):
            old, new = stories[second], stories[first]
            stories = [new if story == old else story for story in stories]
    return stories


def list_pairs(sample: Sample) -> list[tuple[Outline, Outline]]:
    """Return the captures that follow each other as articles: a live page or a gallery grows by itself."""
    pairs = pairwise(sample.outlines)
    return [pair for pair in pairs if all(one.page_class in _COMPARED for one in pair)]


def lines_under(outline: Outline) -> dict[str, list[OutlineLine]]:
    """Return selector → the lines that its elements hold, in order."""
    found: dict[str, list[OutlineLine]] = {}
    for line in outline.lines:
        for name in line.names:
            found.setdefault(outline.names[name], []).append(line)
    return found


def runs_under(outline: Outline) -> dict[str, list[list[OutlineLine]]]:
    """Return selector → the lines that its elements hold, in order, those apart on the page apart."""
    found: dict[str, list[list[OutlineLine]]] = {}
    last: dict[int, int] = {}
    for at, line in enumerate(outline.lines):
        for name in line.names:
            runs = found.setdefault(outline.names[name], [])
            if last.get(name) != at - 1:
                runs.append([])
            runs[-1].append(line)
            last[name] = at
    return found


def moved_lines(before: Outline, after: Outline) -> set[str]:
    """Return the lines that only one of two texts has."""
    return set(before.text) ^ set(after.text)


def _compare(found: dict[str, Held], story: int, before: Outline, after: Outline) -> None:
    first, second = lines_under(before), lines_under(after)
    for selector in first.keys() & second.keys():
        lines = first[selector], second[selector]
        if not any(one.kept for side in lines for one in side):
            continue
        found[selector].compared.add(story)
        if [one.line for one in lines[0]] != [one.line for one in lines[1]]:
            found[selector].changed.add(story)
