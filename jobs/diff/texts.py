"""Two texts → the lines that are the same, removed, added or changed, and the words that changed in the last."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from jobs.diff.budget import Budget
from jobs.diff.matching import MAX_STEPS, Matcher, measure_ends
from jobs.diff.words import split_words

if TYPE_CHECKING:
    from collections.abc import Iterator

    from jobs.diff.matching import Block

MIN_LIKENESS = 0.4
"""Share of words that two lines must have in common to be shown as one line that was changed."""
MAX_PAIRINGS = 2_500
"""Pairs of lines up to which the likest are looked for; beyond, the first goes with the first, and so on."""


class Change(StrEnum):
    """What became of a line or of some words."""

    SAME = "same"
    REMOVED = "removed"
    ADDED = "added"
    CHANGED = "changed"
    """A line that is still there with other words."""


@dataclass(frozen=True, slots=True)
class Words:
    """A run of words within a changed line; white space counts."""

    change: Change
    text: str


@dataclass(frozen=True, slots=True)
class Line:
    """A line of either text or, if it is the same or changed, of both."""

    change: Change
    before: str | None
    after: str | None
    before_number: int | None
    """From 1."""
    after_number: int | None
    """From 1."""
    words: tuple[Words, ...] = ()
    """Of a changed line: same, removed and added, in order."""

    @property
    def whole(self) -> str | None:
        """The text of a line that came or went; `None` of others."""
        if self.change is Change.REMOVED:
            return self.before
        return self.after if self.change is Change.ADDED else None


@dataclass(frozen=True, slots=True)
class TextDiff:
    """All lines of both texts, in order."""

    lines: tuple[Line, ...]
    uncompared: int = 0
    """Lines that are told as removed and added whole, since comparing the words within them was too much work."""

    @property
    def changed(self) -> bool:
        """Whether the texts differ."""
        return any(line.change is not Change.SAME for line in self.lines)

    @property
    def moved(self) -> frozenset[str]:
        """What of the removed and added lines (`Line.whole`) stands elsewhere in the other text, word for word."""
        gone = {line.before for line in self.lines if line.change is Change.REMOVED and line.before}
        return frozenset(gone.intersection(line.after for line in self.lines if line.change is Change.ADDED))


def diff_texts(before: str, after: str, *, steps: int = MAX_STEPS, budget: Budget | None = None) -> TextDiff:
    """Return what changed from *before* to *after*, texts in normal form (lines joined by one newline).

    *steps* bound the search; of texts that have too little in common for it, more is shown as replaced. *budget*
    bounds the reading: lines beyond it are told as removed and added whole.
    """
    pairing = _Pairing(Matcher(steps), budget or Budget())
    old, new = (text.split("\n") if text else [] for text in (before, after))
    lines: list[Line] = []
    i = j = 0
    for start, other, size in [*pairing.matcher.match(old, new), (len(old), len(new), 0)]:
        lines += pairing.pair(old[i:start], new[j:other], i, j)
        lines += [Line(Change.SAME, old[start + k], new[other + k], start + k + 1, other + k + 1) for k in range(size)]
        i, j = start + size, other + size
    return TextDiff(tuple(lines), pairing.uncompared)


def diff_words(before: str, after: str, *, steps: int = MAX_STEPS) -> tuple[Words, ...]:
    """Return the words that are the same, removed and added between two texts, their line ends taken for white space.

    Texts with too little in common are told as one that went and one that came.
    """
    old, new = split_words(before), split_words(after)
    if before != after and _measure(_count_words(old), _count_words(new)) < MIN_LIKENESS:
        return tuple(Words(change, text) for change, text in ((Change.REMOVED, before), (Change.ADDED, after)) if text)
    return tuple(_diff_words(Matcher(steps), old, new))


def diff_to_json(diff: TextDiff) -> dict[str, Any]:
    """Return *diff* as JSON data, the unchanged lines left out; `uncompared` only where such lines are."""
    changes = [
        {
            "change": line.change.value,
            "before": line.before,
            "after": line.after,
            "before_line": line.before_number,
            "after_line": line.after_number,
            "words": [{"change": words.change.value, "text": words.text} for words in line.words],
        }
        for line in diff.lines
        if line.change is not Change.SAME
    ]
    told = {"changed": diff.changed, "changes": changes}
    return told | {"uncompared": diff.uncompared} if diff.uncompared else told


class _Pairing:
    """Finds which lines of a stretch became which, and what changed in them, within its budget."""

    def __init__(self, matcher: Matcher, budget: Budget) -> None:
        self.matcher = matcher
        self._budget = budget
        self.uncompared = 0

    def pair(self, old: list[str], new: list[str], before: int, after: int) -> Iterator[Line]:
        """Yield the lines of a stretch that has none in common; those that are alike as one changed line."""
        pairs: list[tuple[int, int]] = []
        old_words: list[list[str]] = []
        new_words: list[list[str]] = []
        if old and new and self._budget.take_lines(old, new):
            old_words, new_words = ([split_words(line) for line in lines] for lines in (old, new))
            pairs = _find_alike(old_words, new_words, self._budget)
        elif old and new:
            self.uncompared += len(old) + len(new)
        i = j = 0
        for i_like, j_like in [*pairs, (len(old), len(new))]:
            yield from _tell_whole(old[i:i_like], new[j:j_like], before + i, after + j)
            if i_like < len(old):
                words = tuple(_diff_words(self.matcher, old_words[i_like], new_words[j_like]))
                yield from self._tell_changed(old[i_like], new[j_like], before + i_like, after + j_like, words)
            i, j = i_like + 1, j_like + 1

    def _tell_changed(self, old: str, new: str, before: int, after: int, words: tuple[Words, ...]) -> Iterator[Line]:
        if self._budget.take_runs(len(words)):
            yield Line(Change.CHANGED, old, new, before + 1, after + 1, words)
            return
        self.uncompared += 2
        yield from _tell_whole([old], [new], before, after)


def _tell_whole(old: list[str], new: list[str], before: int, after: int) -> Iterator[Line]:
    for k, line in enumerate(old, before + 1):
        yield Line(Change.REMOVED, line, None, k, None)
    for k, line in enumerate(new, after + 1):
        yield Line(Change.ADDED, None, line, None, k)


def _find_alike(old: list[list[str]], new: list[list[str]], budget: Budget) -> list[tuple[int, int]]:
    """Return pairs of lines, in order in both, whose likeness adds up to the most."""
    bags = [[_count_words(line) for line in lines] for lines in (old, new)]
    if len(old) * len(new) > MAX_PAIRINGS or not budget.take_pairs(*([len(bag) for bag in side] for side in bags)):
        pairs = zip(range(len(old)), range(len(new)), strict=False)
        return [(i, j) for i, j in pairs if _measure(bags[0][i], bags[1][j]) >= MIN_LIKENESS]
    totals = [[bag.total() for bag in side] for side in bags]
    likeness = [
        [_liken(one, other, total + rest) for other, rest in zip(bags[1], totals[1], strict=True)]
        for one, total in zip(bags[0], totals[0], strict=True)
    ]
    best = [[0.0] * (len(new) + 1) for _ in range(len(old) + 1)]
    for i in range(len(old) - 1, -1, -1):
        for j in range(len(new) - 1, -1, -1):
            paired = likeness[i][j] + best[i + 1][j + 1] if likeness[i][j] >= MIN_LIKENESS else 0.0
            best[i][j] = max(paired, best[i + 1][j], best[i][j + 1])
    found = []
    i = j = 0
    while i < len(old) and j < len(new):
        if best[i][j] == best[i + 1][j]:
            i += 1
        elif best[i][j] == best[i][j + 1]:
            j += 1
        else:
            found.append((i, j))
            i, j = i + 1, j + 1
    return found


def _count_words(words: list[str]) -> Counter[str]:
    return Counter(word for word in words if not word.isspace())


def _measure(one: Counter[str], other: Counter[str]) -> float:
    return _liken(one, other, one.total() + other.total())


def _liken(one: Counter[str], other: Counter[str], total: int) -> float:
    """Return the share of words, of *total* in both, that both have."""
    if not total:
        return 1.0
    return 2 * sum(min(one[word], other[word]) for word in one.keys() & other.keys()) / total


def _diff_words(matcher: Matcher, old: list[str], new: list[str]) -> Iterator[Words]:
    i = j = 0
    same: list[str] = []
    for start, other, size in [*_join_islands(matcher.match(old, new), old), (len(old), len(new), 0)]:
        head, tail = measure_ends(old[i:start], new[j:other])  # a change keeps no space that both sides have
        same += old[i : i + head]
        removed, added = old[i + head : start - tail], new[j + head : other - tail]
        if removed or added:
            yield from _say(Change.SAME, same)
            yield from _say(Change.REMOVED, removed)
            yield from _say(Change.ADDED, added)
            same = []
        same += old[start - tail : start + size]
        i, j = start + size, other + size
    yield from _say(Change.SAME, same)


def _say(change: Change, words: list[str]) -> Iterator[Words]:
    if words:
        yield Words(change, "".join(words))


def _join_islands(blocks: list[Block], words: list[str]) -> Iterator[Block]:
    """Merge touching blocks, and drop those of mere white space between two changes: they only break up the change."""
    merged: list[Block] = []
    for i, j, size in blocks:
        if merged and merged[-1][0] + merged[-1][2] == i and merged[-1][1] + merged[-1][2] == j:
            merged[-1] = (merged[-1][0], merged[-1][1], merged[-1][2] + size)
        else:
            merged.append((i, j, size))
    for place, (i, j, size) in enumerate(merged):
        if 0 < place < len(merged) - 1 and not "".join(words[i : i + size]).strip():
            continue
        yield i, j, size
