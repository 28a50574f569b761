"""Two texts → the words that changed, in short: a few lines with a little of what stands round them. Pure, bounded."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jobs.diff import Change as Kind
from jobs.diff import Line, TextDiff, Words, diff_texts, render_diff

if TYPE_CHECKING:
    from collections.abc import Iterable

MAX_LINES, MAX_CHARS, ROUND_CHARS = 5, 240, 30
"""Lines that are told, characters of a changed run of words, and characters beside it that are the same."""
_CUT = "…"

ShortLine = list[tuple[str, str]]
"""Runs of words of one line: `same`, `removed` or `added`, and the text."""


def shorten_diff(before: str, after: str) -> tuple[list[ShortLine], int]:
    """Return the first lines that changed, in short, and how many more there are. Texts in normal form."""
    changed = [line for line in diff_texts(before, after).lines if line.change is not Kind.SAME]
    return [_shorten_line(line) for line in changed[:MAX_LINES]], max(0, len(changed) - MAX_LINES)


def render_words(lines: Iterable[ShortLine], *, colour: bool) -> str:
    """Return *lines* for people, as jobs.diff does: safe for terminals."""
    return render_diff(TextDiff(tuple(_to_line(runs) for runs in lines)), colour=colour, context=0)


def _shorten_line(line: Line) -> ShortLine:
    if not line.words:
        kind = Kind.REMOVED if line.after is None else Kind.ADDED
        return [(kind.value, _cut(line.before if line.after is None else line.after))]
    runs: ShortLine = []
    budget = MAX_CHARS
    for at, words in enumerate(line.words):
        if words.change is Kind.SAME:
            runs.append((words.change.value, _cut_middle(words.text, first=at == 0, last=at == len(line.words) - 1)))
        elif budget <= 0:
            runs.append((Kind.SAME.value, _CUT))
            break
        else:
            runs.append((words.change.value, _cut(words.text)))
            budget -= len(words.text)
    return runs


def _cut(text: str | None) -> str:
    text = text or ""
    return text if len(text) <= MAX_CHARS else text[: MAX_CHARS - 1] + _CUT


def _cut_middle(text: str, *, first: bool, last: bool) -> str:
    """Return what of a run that is the same stands beside a change."""
    if len(text) <= (ROUND_CHARS if first or last else 2 * ROUND_CHARS) + 1:
        return text
    head = "" if first else _cut_head(text[: ROUND_CHARS + 1])
    tail = "" if last else _cut_head(text[: -ROUND_CHARS - 2 : -1])[::-1]
    return f"{head}{_CUT}{tail}"


def _cut_head(text: str) -> str:
    """Return *text* without its last character, and without what is left of the word that this was in.

    Where there is no space, as between Chinese words, it is cut in the middle.
    """
    end = text.rfind(" ") + 1
    return text[: end or -1]


def _to_line(runs: ShortLine) -> Line:
    words = tuple(Words(Kind(kind), text) for kind, text in runs)
    kinds = {one.change for one in words}
    before = "".join(one.text for one in words if one.change is not Kind.ADDED)
    after = "".join(one.text for one in words if one.change is not Kind.REMOVED)
    if kinds == {Kind.REMOVED}:
        return Line(Kind.REMOVED, before, None, 1, None)
    if kinds == {Kind.ADDED}:
        return Line(Kind.ADDED, None, after, None, 1)
    return Line(Kind.CHANGED, before, after, 1, 1, words)
