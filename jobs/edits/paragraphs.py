"""What was done to title, lead and lines of an article: which came and went, and what changed within the others."""

from __future__ import annotations

from collections import Counter
from itertools import groupby
from typing import TYPE_CHECKING

from jobs.diff import Change, diff_texts
from jobs.edits.kinds import Edit, EditKind
from jobs.edits.notes import is_note
from jobs.edits.passages import judge_line
from jobs.edits.spelling import bare
from jobs.edits.walls import has_wall, is_cut

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from jobs.diff import Line
    from jobs.edits.lives import LivePage
    from jobs.edits.names import Names
    from jobs.edits.states import State

MAX_CHARS = 100_000
"""Of lines that are not the same, on either side; what is longer is said to have other words, and no more."""
MAX_HEAD_CHARS = 5_000
"""Of a title or lead of which more is said than that it is another."""
MAX_STEPS = 250_000
"""Of the search for what both texts have: a quarter of what is done where a person waits for one diff."""
MAX_WORDS = 4_000
"""Runs of words that are the same, came or went, over all lines that changed; of more, they have other words."""


def judge_head(before: State, after: State, names: Names) -> Iterator[Edit]:
    """Yield what was done to title and lead."""
    pairs = ((EditKind.HEADLINE, "title", before.title, after.title), (EditKind.LEAD, "lead", before.lead, after.lead))
    for kind, place, old, new in pairs:
        if old == new:
            continue
        yield Edit(kind, place, old, new)
        if not old or not new or max(len(old), len(new)) > MAX_HEAD_CHARS:
            continue
        for line in diff_texts(old, new, steps=MAX_STEPS).lines:
            if line.change is Change.CHANGED:
                yield from (edit for edit in judge_line(line, place, names) if edit.kind is not EditKind.WORDING)


def judge_lines(before: State, after: State, names: Names, live: LivePage) -> Iterator[Edit]:
    """Yield what was done to the lines of the body; of a *live* page, to those alone that lie in no post."""
    if before.paragraphs == after.paragraphs:
        return  # the first paragraph is read as the lead now, or no longer
    old, new = live.list_frames(before.lines, after.lines)
    if _measure_difference(old, new) > MAX_CHARS:
        yield Edit(EditKind.WORDING, "text", None, None)
        return
    lines = diff_texts("\n".join(old), "\n".join(new), steps=MAX_STEPS).lines
    moved = _count_lines(lines, Change.REMOVED) & _count_lines(lines, Change.ADDED)
    walled = has_wall(before) != has_wall(after)
    closely = sum(len(line.words) for line in lines) <= MAX_WORDS
    for stretch in _list_stretches(lines):
        if _is_layout(stretch):
            yield from _judge_layout(stretch)
            continue
        for line in stretch:
            if line.change is Change.CHANGED:
                if not (walled and is_cut(line.before or "", line.after or "")):
                    yield from judge_line(line, _place_of(line), names) if closely else [_tell_wording(line)]
            elif _text_of(line) not in moved:
                yield from _judge_whole(line, walled=walled)


def _judge_whole(line: Line, *, walled: bool) -> Iterator[Edit]:
    """Yield what it is that *line* came or went; what a wall hides or shows did neither."""
    if is_note(_text_of(line)):
        yield Edit(EditKind.CORRECTION_NOTE, _place_of(line), line.before, line.after)
    elif not walled:
        kind = EditKind.PARAGRAPH_REMOVED if line.change is Change.REMOVED else EditKind.PARAGRAPH_ADDED
        yield Edit(kind, _place_of(line), line.before, line.after)


def _tell_wording(line: Line) -> Edit:
    return Edit(EditKind.WORDING, _place_of(line), line.before, line.after)


def _place_of(line: Line) -> str:
    return f"line {line.after_number or line.before_number}"


def _text_of(line: Line) -> str:
    return (line.before if line.change is Change.REMOVED else line.after) or ""


def _count_lines(lines: tuple[Line, ...], change: Change) -> Counter[str]:
    return Counter(_text_of(line) for line in lines if line.change is change)


def _measure_difference(old: Sequence[str], new: Sequence[str]) -> int:
    """Return the characters between the lines that both begin and both end with, on the longer side."""
    room = min(len(old), len(new))
    head = next((at for at in range(room) if old[at] != new[at]), room)
    tail = next((at for at in range(room - head) if old[-at - 1] != new[-at - 1]), room - head)
    return max(sum(len(line) for line in lines[head : len(lines) - tail]) for lines in (old, new))


def _list_stretches(lines: tuple[Line, ...]) -> Iterator[list[Line]]:
    """Yield the lines that differ, those that stand together in one list."""
    for same, stretch in groupby(lines, key=lambda line: line.change is Change.SAME):
        if not same:
            yield list(stretch)


def _is_layout(stretch: list[Line]) -> bool:
    """Whether the same words stand in other paragraphs."""
    old, new = _list_sides(stretch)
    return len(old) != len(new) and bare("".join(old)) == bare("".join(new))


def _judge_layout(stretch: list[Line]) -> Iterator[Edit]:
    """Yield that marks changed, where they did."""
    old, new = ("\n".join(side) for side in _list_sides(stretch))
    if "".join(old.split()) != "".join(new.split()):
        yield Edit(EditKind.TYPO, _place_of(stretch[-1]), old, new)


def _list_sides(stretch: list[Line]) -> tuple[list[str], list[str]]:
    old = [line.before for line in stretch if line.before is not None]
    new = [line.after for line in stretch if line.after is not None]
    return old, new
