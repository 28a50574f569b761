"""A TextDiff → both texts beside each other for a terminal, in colour or with marks. Nothing leaves its column."""

from __future__ import annotations

import unicodedata
from itertools import zip_longest
from typing import TYPE_CHECKING

from jobs.diff.cells import measure_sign, runs_to_left, split_signs
from jobs.diff.render import (
    CONTEXT_LINES,
    GREEN,
    PLAIN,
    RED,
    find_near,
    make_safe,
    make_visible,
    tell_skipped,
    tell_uncompared,
)
from jobs.diff.texts import Change, Words

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from jobs.diff.texts import Line, TextDiff

LEAST_COLUMNS = 60
_BETWEEN = " │ "
_TO_RIGHT, _TO_LEFT, _END = "\u2066", "\u2067", "\u2069"

_Sign = tuple[str, str]
"""What is seen as one character, and how it is painted: an escape sequence, or nothing."""


def render_side(
    diff: TextDiff, *, columns: int, colour: bool, titles: tuple[str, str] = ("", ""), context: int = CONTEXT_LINES
) -> str:
    """Return *diff* with the earlier text left and the later one right, in *columns* (at least 60) of a terminal.

    *titles* stand above them. Changed words are `[-removed-]` and `{+added+}`, or red and green if *colour*; *context*
    unchanged lines stand round the changes, the others are counted. A line that moved has `<` where it was and `>`
    where it is.
    """
    width = (max(columns, LEAST_COLUMNS) - len(_BETWEEN)) // 2 - 2
    moved = diff.moved
    shown: list[str] = []
    if any(titles):
        shown += _join_sides(
            *(_wrap([(title, "")], width) for title in map(make_safe, titles)), signs="  ", width=width
        )
        shown.append("─" * (width + 2) + "─┼─" + "─" * (width + 2))
    skipped = 0
    for line, wanted in zip(diff.lines, find_near(diff.lines, context), strict=True):
        if not wanted:
            skipped += 1
            continue
        shown += tell_skipped(skipped, colour=colour)
        skipped = 0
        shown += _render_line(line, width, colour=colour, moved=line.whole in moved)
    shown += tell_skipped(skipped, colour=colour)
    return "\n".join([*shown, *tell_uncompared(diff.uncompared)])


def _render_line(line: Line, width: int, *, colour: bool, moved: bool) -> Iterator[str]:
    if line.change is Change.SAME:
        text = _wrap([(make_safe(line.before or ""), "")], width)
        yield from _join_sides(text, text, signs="  ", width=width)
        return
    signs = ("<" if moved else "-") if line.before is not None else " "
    signs += (">" if moved else "+") if line.after is not None else " "
    words = line.words or (Words(Change.REMOVED, line.before or ""), Words(Change.ADDED, line.after or ""))
    marked = bool(line.words)
    old, new = (
        _wrap(list(_paint(words, side, marked=marked, colour=colour and not moved)), width)
        for side in (Change.REMOVED, Change.ADDED)
    )
    yield from _join_sides(old, new, signs=signs, width=width)


def _paint(words: Sequence[Words], side: Change, *, marked: bool, colour: bool) -> Iterator[tuple[str, str]]:
    """Yield text and paint of what one side has of *words*; without *colour* changes stand in marks, if *marked*."""
    left, right = ("[-", "-]") if side is Change.REMOVED else ("{+", "+}")
    for one in words:
        if one.change is Change.SAME:
            yield make_safe(one.text), ""
        elif one.change is side and colour:
            yield make_visible(one.text), RED if side is Change.REMOVED else GREEN
        elif one.change is side:
            yield (f"{left}{make_visible(one.text)}{right}" if marked else make_safe(one.text)), ""


def _wrap(parts: list[tuple[str, str]], width: int) -> list[str]:
    """Return painted *parts* of one line in pieces of *width* columns each, broken between words if it has several."""
    to_left = runs_to_left("".join(text for text, _ in parts))
    signs = [(sign, paint) for text, paint in parts for sign in split_signs(text)]
    return [_fill(piece, width, to_left=to_left) for piece in _break(signs, width)] or [" " * width]


def _break(signs: list[_Sign], width: int) -> Iterator[list[_Sign]]:
    start = size = 0
    gap = -1  # the last place where a space ends, or a sign that stands alone
    for place, (sign, _) in enumerate(signs):
        taken = measure_sign(sign)
        if size + taken > width and not sign.isspace():
            end = gap if gap > start else place
            yield signs[start:end]
            start = end
            size = sum(measure_sign(one) for one, _ in signs[start:place])
        size += taken
        if sign.isspace() or taken == 2:
            gap = place + 1
    if start < len(signs):
        yield signs[start:]


def _fill(piece: list[_Sign], width: int, *, to_left: bool) -> str:
    while piece and piece[-1][0].isspace() and not piece[-1][1]:
        piece = piece[:-1]
    size = 0
    kept: list[_Sign] = []
    for sign, paint in piece:
        taken = measure_sign(sign)
        if size + taken <= width:  # but for spaces at the end none is wider
            kept.append((sign, paint))
            size += taken
    text = _join_painted(kept)
    room = " " * (width - size)
    if to_left:
        return f"{room}{_TO_LEFT}{text}{_END}"
    if any(unicodedata.bidirectional(character) in {"R", "AL", "AN"} for sign, _ in kept for character in sign):
        text = f"{_TO_RIGHT}{text}{_END}"
    return text + room


def _join_painted(signs: list[_Sign]) -> str:
    parts: list[str] = []
    last = ""
    for sign, paint in signs:
        if paint != last:
            parts.append((PLAIN if last else "") + paint)
            last = paint
        parts.append(sign)
    return "".join(parts) + (PLAIN if last else "")


def _join_sides(old: list[str], new: list[str], *, signs: str, width: int) -> Iterator[str]:
    for number, (left, right) in enumerate(zip_longest(old, new, fillvalue=" " * width)):
        one, other = (sign if number == 0 else " " for sign in signs)
        yield f"{one} {left}{_BETWEEN}{other} {right}".rstrip()
