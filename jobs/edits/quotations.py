"""Where in a line somebody is quoted, whatever quotation marks the language has."""

from __future__ import annotations

import re
from bisect import bisect_right

_PAIRS = {
    '"': '"',
    "“": "”",
    "„": "“”",
    "‟": "”",
    "«": "»",
    "»": "«",
    "「": "」",
    "『": "』",
    "‹": "›",
    "‚": "‘’",
    "‘": "’",
}
"""Opening mark → what may close it."""
_SINGLE = frozenset("‘‚")
"""May be an apostrophe too."""
_MARK = re.compile("[" + "".join({*_PAIRS, *"".join(_PAIRS.values())}) + "]")
_STRAIGHT = str.maketrans(dict.fromkeys("“”„«»「」『』‟", '"') | dict.fromkeys("‘’‚‹›", "'"))
_MAX_QUOTED = 5_000

Span = tuple[int, int]
"""Start and end in a line."""


def find_quotations(line: str) -> list[Span]:
    """Return where *line* quotes, the marks left out; in order, and none within another. Takes linear time."""
    marks = [(found.start(), found[0]) for found in _MARK.finditer(line)]
    next_end = dict.fromkeys(_PAIRS, 0)  # place in marks, and only ever forward
    found: list[Span] = []
    done = 0
    for place, (at, sign) in enumerate(marks):
        if place < done or sign not in _PAIRS or (sign in _SINGLE and not _opens(line, at)):
            continue
        end = max(next_end[sign], place + 1)
        while end < len(marks) and not _closes(line, marks[end], sign):
            end += 1
        next_end[sign] = end
        if end < len(marks) and marks[end][0] - at <= _MAX_QUOTED:
            found.append((at + 1, marks[end][0]))
            done = end + 1
    return found


def straighten(text: str) -> str:
    """Return *text* with plain quotation marks."""
    return text.translate(_STRAIGHT)


def find_around(start: int, end: int, quotations: list[Span]) -> Span | None:
    """Return the one of *quotations* in which *start* to *end* lies, if any."""
    place = bisect_right(quotations, (start, len(quotations) and quotations[-1][1])) - 1
    return quotations[place] if place >= 0 and end <= quotations[place][1] else None


def _opens(line: str, at: int) -> bool:
    return (at == 0 or not _is_word(line[at - 1])) and at + 1 < len(line) and not line[at + 1].isspace()


def _closes(line: str, mark: tuple[int, str], opening: str) -> bool:
    at, sign = mark
    return sign in _PAIRS[opening] and not (opening in _SINGLE and _is_word(line[at + 1 : at + 2]))


def _is_word(sign: str) -> bool:
    return sign.isalnum() or sign == "_"
