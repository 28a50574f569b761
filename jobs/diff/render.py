"""A TextDiff → lines for a terminal, in colour or with marks. Safe for right-to-left text and for hostile text."""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING

from jobs.diff.texts import Change, Words

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from jobs.diff.texts import Line, TextDiff

CONTEXT_LINES = 1

_UNSAFE = re.compile(
    "\U0001f3f4[\U000e0020-\U000e007e]{1,8}\U000e007f|"  # the flag of a region: the one rightful use of tag characters
    "[\x00-\x1f\x7f-\x9f\u2028\u2029"  # control characters: terminal escapes, line ends
    "\u202a-\u202e\u2066-\u2069"  # embeddings, overrides, isolates: they could reorder what is shown
    "\U000e0000-\U000e007f"  # tag characters: they spell words that nobody sees
    "\ud800-\udfff]"  # halves of characters
)
RED, GREEN, DIM, PLAIN = "\x1b[31m", "\x1b[32m", "\x1b[2m", "\x1b[0m"
_ISOLATE, _END_ISOLATE = "\u2068", "\u2069"


def make_safe(text: str) -> str:
    """Return *text* with all that could steer a terminal, reorder a line or hide words in it written as an escape."""
    return _UNSAFE.sub(lambda found: found[0] if len(found[0]) > 1 else _escape(found[0]), text)


def render_diff(diff: TextDiff, *, colour: bool, context: int = CONTEXT_LINES) -> str:
    """Return *diff* for people: removed lines after `-`, added ones after `+`, *context* unchanged lines round them.

    Changed words are `[-removed-]` and `{+added+}`, or red and green if *colour*. Hostile text cannot leave its line.
    """
    near = find_near(diff.lines, context)
    shown: list[str] = []
    skipped = 0
    for line, wanted in zip(diff.lines, near, strict=True):
        if not wanted:
            skipped += 1
            continue
        shown += tell_skipped(skipped, colour=colour)
        skipped = 0
        shown += _render_line(line, colour=colour)
    shown += tell_skipped(skipped, colour=colour)
    return "\n".join([*shown, *tell_uncompared(diff.uncompared)])


def find_near(lines: tuple[Line, ...], context: int) -> list[bool]:
    """Return of each line whether it changed, or stands within *context* lines of one that did."""
    near = [False] * len(lines)
    for place, line in enumerate(lines):
        if line.change is not Change.SAME:
            for k in range(max(0, place - context), min(len(lines), place + context + 1)):
                near[k] = True
    return near


def tell_skipped(count: int, *, colour: bool) -> list[str]:
    """Return the line that stands for *count* unchanged ones; none for none."""
    if not count:
        return []
    text = f"  … {count} line{'s' if count > 1 else ''} unchanged"
    return [f"{DIM}{text}{PLAIN}" if colour else text]


def tell_uncompared(count: int) -> list[str]:
    """Return the line that says of how many lines the words were not compared; none for none."""
    many = "1 line that came or went was" if count == 1 else f"{count} lines that came or went were"
    return [f"The words within {many} not compared: that is too much for one comparison."] if count else []


def _render_line(line: Line, *, colour: bool) -> Iterator[str]:
    if line.change is Change.SAME:
        yield "  " + _isolate(make_safe(line.before or ""))
    if line.before is not None and line.change is not Change.SAME:
        words = line.words or (Words(Change.REMOVED, line.before),)
        yield _render_side("-", words, Change.REMOVED, whole=not line.words, colour=colour)
    if line.after is not None and line.change is not Change.SAME:
        words = line.words or (Words(Change.ADDED, line.after),)
        yield _render_side("+", words, Change.ADDED, whole=not line.words, colour=colour)


def _render_side(sign: str, words: Sequence[Words], side: Change, *, whole: bool, colour: bool) -> str:
    paint = RED if side is Change.REMOVED else GREEN
    left, right = ("[-", "-]") if side is Change.REMOVED else ("{+", "+}")
    if colour or whole:
        left, right = (paint, PLAIN) if colour else ("", "")
    parts = []
    for one in words:
        if one.change is side:
            parts.append(f"{left}{make_visible(one.text)}{right}")
        elif one.change is Change.SAME:
            parts.append(make_safe(one.text))
    start = f"{paint}{sign}{PLAIN}" if colour else sign
    return f"{start} {_isolate(''.join(parts))}"


def make_visible(text: str) -> str:
    """Return changed words so that they can be seen: what shows nothing is written as an escape."""
    safe = make_safe(text)
    if any(not character.isspace() and unicodedata.category(character) != "Cf" for character in safe):
        return safe
    return "".join(character if character == " " else _escape(character) for character in safe)


def _escape(character: str) -> str:
    code = ord(character)
    if code <= 0xFF:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"


def _isolate(text: str) -> str:
    """Return *text* in an isolate of its own if it has right-to-left letters, so that they move nothing round it."""
    if any(unicodedata.bidirectional(character) in {"R", "AL", "AN"} for character in text):
        return f"{_ISOLATE}{text}{_END_ISOLATE}"
    return text
