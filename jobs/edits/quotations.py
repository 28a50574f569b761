"""Where in a line somebody is quoted, whatever quotation marks the language has."""

from __future__ import annotations

import re

_PAIRS = {"“": "”", "„": "“”", "«": "»", "»": "«", "「": "」", "『": "』", "‹": "›", "‟": "”", "‚": "‘’", "‘": "’"}
_SINGLE = frozenset("‘‚'")
MARKS = frozenset('“”„«»「」『』‹›‟"')
_STRAIGHT = str.maketrans(dict.fromkeys("“”„«»「」『』‟", '"') | dict.fromkeys("‘’‚‹›", "'"))
_MAX_QUOTED = 5_000
_LETTER = re.compile(r"\w")


def find_quotations(line: str) -> list[tuple[int, int]]:
    """Return start and end of what is quoted in *line*, the marks left out."""
    found = []
    at = 0
    while at < len(line):
        sign = line[at]
        closing = '"' if sign == '"' else _PAIRS.get(sign)
        if closing is None or (sign in _SINGLE and not _opens(line, at)):
            at += 1
            continue
        end = _find_end(line, at + 1, closing, single=sign in _SINGLE)
        if end is None:
            at += 1
            continue
        found.append((at + 1, end))
        at = end + 1
    return found


def straighten(text: str) -> str:
    """Return *text* with plain quotation marks."""
    return text.translate(_STRAIGHT)


def lies_within(start: int, end: int, quotations: list[tuple[int, int]]) -> bool:
    """Whether *start* to *end* lies in one of *quotations*."""
    return any(first <= start and end <= last for first, last in quotations)


def _opens(line: str, at: int) -> bool:
    return (at == 0 or not _LETTER.match(line[at - 1])) and at + 1 < len(line) and not line[at + 1].isspace()


def _find_end(line: str, start: int, closing: str, *, single: bool) -> int | None:
    for at in range(start, min(len(line), start + _MAX_QUOTED)):
        if line[at] in closing and not (single and at + 1 < len(line) and _LETTER.match(line[at + 1])):
            return at
    return None
