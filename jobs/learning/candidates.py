"""Evidence → the rules that it speaks for, the fewest that take the boxes out. Pure; the trial has the last word."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass
from itertools import chain, compress
from typing import TYPE_CHECKING, Literal

from config.rules import is_line
from jobs.learning.evidence import list_pairs, moved_lines, runs_under

if TYPE_CHECKING:
    from collections.abc import Container

    from config.learned import Basis
    from crawler.model import Outline, OutlineLine
    from jobs.learning.evidence import Evidence, Held, Sample

MAX_RULES = 200
LEAST_STORIES = 3
"""What fewer articles have in common is chance."""
LEAST_CHANGED = 2
"""Articles in which a box must be seen to change; of one that holds but links, times in one article."""
_SHARE = 0.15
"""Of the articles: what fewer have may be a phrase of the house, or the background of one story."""
_MOST_SHARE = 0.5
"""Short lines, headings, and lines in the midst of the text recur in honest articles too: those must be in so many."""
_MANY = 8
_CHANGES = 0.5
"""Of the articles in which a box can be compared, so many must have it changed."""
_OWN = 0.25
"""Of them, so many may have text of their own in it: a box that had not yet changed."""
_SHORT = 20
_EDGE = 4
"""Lines at either end of a text, where boilerplate stands."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A rule, and in how many articles the evidence for it was seen."""

    kind: Literal["selector", "links", "line", "label"]
    value: str
    basis: Basis
    articles: int

    def takes(self, line: OutlineLine, names: tuple[str, ...]) -> bool:
        """Whether the rule takes out *line* of a page with these *names*, unless that is short and within the text."""
        if self.kind in {"selector", "links"}:
            return (line.linked or self.kind == "selector") and any(names[name] == self.value for name in line.names)
        return self.value == (line.line if self.kind == "line" else line.label)


def find_candidates(evidence: Evidence, refused: Container[Candidate] = ()) -> list[Candidate]:
    """Return the rules that the evidence speaks for, without those *refused*; none where there are too few articles."""
    boxes = [*_find_recurring(evidence), *_find_changing(evidence)]
    selectors = _choose(evidence, [one for one in boxes if one not in refused])
    labels = _find_labels(evidence, selectors)
    covered = _find_covered(evidence, selectors)
    lines = [one for one in _find_lines(evidence) if one.value not in covered]
    return [*selectors, *(one for one in [*lines, *labels] if one not in refused)][:MAX_RULES]


def least_stories(count: int) -> int:
    """Return how many of *count* articles must have what is called recurring."""
    return max(LEAST_STORIES, math.ceil(_SHARE * count))


def _find_lines(evidence: Evidence) -> list[Candidate]:
    """Return lines that many texts have, at an end of them or in most, and that come and go with no edit."""
    headings: set[str] = set()
    edges: Counter[str] = Counter()
    seen: Counter[str] = Counter()
    for sample in evidence.samples:
        for outline in sample.outlines:
            kept = [one for one in outline.lines if one.kept and not one.head and one.chars == len(one.line)]
            headings |= {one.line for one in kept if one.heading}
            at_edge = {one.line for one in (*kept[:_EDGE], *kept[-_EDGE:])}
            for line in {one.line for one in kept}:
                seen[line] += 1
                edges[line] += line in at_edge
    edits = _find_edit_marks(evidence)
    found = []
    for line, stories in evidence.spread.items():
        share = len(stories) / evidence.count
        if (
            len(stories) < least_stories(evidence.count)
            or line in evidence.heads
            or not seen[line]
            or line in edits
            or not is_line(line)
        ):
            continue
        weak = line in headings or len(line) < _SHORT or edges[line] < 0.8 * seen[line]
        if weak and (share < _MOST_SHARE or evidence.count < _MANY):
            continue
        found.append(Candidate("line", line, "recurring", len(stories)))
    return sorted(found, key=lambda one: (-one.articles, one.value))


def _find_edit_marks(evidence: Evidence) -> set[str]:
    """Return lines that came or went when an article's own words changed: what tells of a correction is no box."""
    plausible = {selector for selector, held in evidence.selectors.items() if _may_change(held)}
    found: Counter[str] = Counter()
    alone: Counter[str] = Counter()
    for sample in evidence.samples:
        for before, after in list_pairs(sample):
            moved = moved_lines(before, after)
            edited = _is_edited(evidence, moved, _find_loose(before, plausible) | _find_loose(after, plausible))
            for line in moved:
                if len(evidence.spread[line]) > 1:
                    found[line] += edited
                    alone[line] += not edited
    return {line for line, times in found.items() if times >= alone[line]}


def _find_recurring(evidence: Evidence) -> list[Candidate]:
    """Return selectors whose elements hold, of texts, only lines that other articles have too."""
    marks = _find_edit_marks(evidence)
    return [
        Candidate("selector", selector, "recurring", len(held.stories))
        for selector, held in evidence.selectors.items()
        if len(held.stories) >= least_stories(evidence.count)
        and not (held.head or _is_path(selector))
        and all(len(evidence.spread[line]) > 1 and line not in marks for line in held.kept)
        and (not held.headings or len(held.stories) >= _MOST_SHARE * evidence.count)
    ]


def _find_changing(evidence: Evidence) -> list[Candidate]:
    """Return selectors whose elements say something else in each capture of an article that was not edited.

    Those that hold but links there go by links, wherever else they hold text.
    """
    plausible = {selector for selector, held in evidence.selectors.items() if _may_change(held)}
    changed: dict[tuple[str, bool], Counter[int]] = {}
    stayed: dict[str, set[int]] = {}
    for sample, story in zip(evidence.samples, evidence.stories, strict=True):
        shown = _find_shown(sample)
        for before, after in list_pairs(sample):
            loose = _find_loose(before, plausible) | _find_loose(after, plausible)
            if _is_edited(evidence, moved_lines(before, after), loose):
                continue
            first, second = runs_under(before), runs_under(after)
            for selector in first.keys() & second.keys() & shown:
                sides = first[selector], second[selector]
                links = all(one.linked for side in sides for run in side for one in run)
                if links or selector in plausible:
                    moved = _has_changed(*sides, links=links)
                    if moved:
                        changed.setdefault((selector, links), Counter())[story] += 1
                    elif links and moved is not None:
                        stayed.setdefault(selector, set()).add(story)
    found = []
    for (selector, links), times in changed.items():
        if links:
            enough = max(len(times), *times.values()) >= LEAST_CHANGED
            enough &= len(times) >= len(stayed.get(selector, set()) - times.keys())
        else:
            enough = len(times) >= LEAST_CHANGED and not _is_path(selector)
        if enough and not evidence.selectors[selector].head:
            found.append(Candidate("links" if links else "selector", selector, "changing", len(times)))
    return found


def _find_shown(sample: Sample) -> set[str]:
    """Return the selectors whose elements hold lines of the text in any capture of *sample*."""
    return {
        outline.names[name] for outline in sample.outlines for one in outline.lines if one.kept for name in one.names
    }


def _has_changed(before: list[list[OutlineLine]], after: list[list[OutlineLine]], *, links: bool) -> bool | None:
    """Return whether the runs of a selector say something else in two captures; `None`: that tells nothing.

    Of links only runs of which a text has a line count, since a menu may have the same name as a list of the article's
    own; where neither text has any, all lines must be others.
    """
    pairs = zip(before, after, strict=True) if len(before) == len(after) else [(run, run) for run in (*before, *after)]
    told = [_is_kept(first) or _is_kept(second) for first, second in pairs]
    if not any(told):
        return (links and {one.line for one in chain(*before)}.isdisjoint(one.line for one in chain(*after))) or None
    if links and len(before) == len(after):
        before, after = list(compress(before, told)), list(compress(after, told))
    elif links:
        before, after = list(filter(_is_kept, before)), list(filter(_is_kept, after))
    return [one.line for one in chain(*before)] != [one.line for one in chain(*after)]


def _is_kept(run: list[OutlineLine]) -> bool:
    return any(one.kept for one in run)


def _is_path(selector: str) -> bool:
    """Whether *selector* is of an element without a name: that may be anything, so only links go by it."""
    return ">" in selector


def _may_change(held: Held) -> bool:
    compared = len(held.compared)
    own = sum(1 for story in held.compared if held.own[story])
    return not held.head and len(held.changed) >= max(1, math.ceil(_CHANGES * compared)) and own <= _OWN * compared


def _find_boxes(outline: Outline, selectors: set[str]) -> set[str]:
    """Return the lines of *outline* that an element of one of *selectors* holds."""
    wanted = {number for number, name in enumerate(outline.names) if name in selectors}
    return {one.line for one in outline.lines if not wanted.isdisjoint(one.names)}


def _find_loose(outline: Outline, selectors: set[str]) -> set[str]:
    """Return the lines of *outline* that may change without an edit: those in such elements, and links."""
    return _find_boxes(outline, selectors) | {one.line for one in outline.lines if one.linked}


def _is_edited(evidence: Evidence, moved: set[str], loose: set[str]) -> bool:
    """Whether a line that only one of two texts has is the article's own, and none of those that come and go."""
    return any(len(evidence.spread[line]) == 1 and line not in loose for line in moved)


def _find_labels(evidence: Evidence, selectors: list[Candidate]) -> list[Candidate]:
    """Return words before a link, where the link is another in each capture of an article and the text has it once."""
    chosen = {one.value for one in selectors}
    changed: dict[str, Counter[int]] = {}
    for sample, story in zip(evidence.samples, evidence.stories, strict=True):
        boxes = [_find_boxes(outline, chosen) for outline in sample.outlines]
        shown = {
            one.label
            for outline, boxed in zip(sample.outlines, boxes, strict=True)
            for one in outline.lines
            if one.kept and one.line not in boxed
        }
        for before, after in list_pairs(sample):
            moved = moved_lines(before, after)
            if _is_edited(evidence, moved, _find_loose(before, chosen) | _find_loose(after, chosen)):
                continue
            sides = [_find_labelled(outline) for outline in (before, after)]
            boxed = _find_boxes(before, chosen) | _find_boxes(after, chosen)
            for label in sides[0].keys() & sides[1].keys() & shown:
                old, new = sides[0][label], sides[1][label]
                if old != new and (moved & (old | new) - boxed or old.isdisjoint(new)):
                    changed.setdefault(label, Counter())[story] += 1
    return [
        Candidate("label", label, "changing", len(times))
        for label, times in sorted(changed.items())
        if len(times) >= LEAST_CHANGED or max(times.values()) >= LEAST_CHANGED
    ]


def _find_labelled(outline: Outline) -> dict[str, set[str]]:
    """Return label → the lines that begin with it and are a link for the rest."""
    found: dict[str, set[str]] = {}
    for one in outline.lines:
        if is_line(one.label):
            found.setdefault(one.label, set()).add(one.line)
    return found


def _choose(evidence: Evidence, candidates: list[Candidate]) -> list[Candidate]:
    """Return the fewest of *candidates* that take out what all do; of equals the narrowest selector."""
    by_value: dict[str, list[Candidate]] = {}
    for one in candidates:
        by_value.setdefault(one.value, []).append(one)
    covers: dict[Candidate, set[tuple[int, int, int]]] = {}
    for number, sample in enumerate(evidence.samples):
        for turn, outline in enumerate(sample.outlines):
            for place, line in enumerate(outline.lines):
                for name in line.names if line.kept else ():
                    for one in by_value.get(outline.names[name], ()):
                        if line.linked or one.kind == "selector":
                            covers.setdefault(one, set()).add((number, turn, place))
    chosen: list[Candidate] = []
    done: set[tuple[int, int, int]] = set()
    for one in sorted(covers, key=lambda one: (-len(covers[one]), -len(one.value), one.value, one.kind)):
        if covers[one] - done:
            chosen.append(one)
            done |= covers[one]
    return chosen


def _find_covered(evidence: Evidence, selectors: list[Candidate]) -> set[str]:
    """Return the lines that *selectors* take out wherever they stand in a text."""
    chosen = {one.value for one in selectors if one.kind == "selector"}
    inside, outside = set(), set()
    for sample in evidence.samples:
        for outline in sample.outlines:
            boxed = _find_boxes(outline, chosen)
            kept = {one.line for one in outline.lines if one.kept}
            inside |= kept & boxed
            outside |= set(outline.text) - boxed
    return inside - outside
