"""Text → what is seen of it: signs, each with the columns that a terminal gives it, and which way they run."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_JOINER = "\u200d"
_AS_EMOJI = "\ufe0f"
_NOTHING = frozenset({"Mn", "Me", "Cf"})
_WIDE = frozenset("WF")
_RIGHT_TO_LEFT = frozenset({"R", "AL"})


def split_signs(text: str) -> Iterator[str]:
    """Yield what is seen as one sign each: a character with its marks, an emoji of several, a flag. Joined: *text*."""
    sign = ""
    for character in text:
        if sign and _goes_on(sign, character):
            sign += character
            continue
        if sign:
            yield sign
        sign = character
    if sign:
        yield sign


def measure_sign(sign: str) -> int:
    """Return the columns that one sign takes: 0, 1 or 2."""
    first = sign[0]
    if unicodedata.category(first) in _NOTHING:
        return 0
    wide = unicodedata.east_asian_width(first) in _WIDE or (_is_flag(first) and len(sign) > 1)
    return 2 if wide or (_AS_EMOJI in sign and not first.isspace()) else 1


def runs_to_left(text: str) -> bool:
    """Whether most letters of *text* that have a direction are of scripts that are written from right to left."""
    found = [unicodedata.bidirectional(character) for character in text]
    return sum(kind in _RIGHT_TO_LEFT for kind in found) > found.count("L")


def _goes_on(sign: str, character: str) -> bool:
    """Whether *character* is seen as a part of *sign*."""
    if unicodedata.category(character) in _NOTHING:
        return True
    code = ord(character)
    if 0x1160 <= code <= 0x11FF:  # vowels and tails of Hangul that is written in its parts
        return 0x1100 <= ord(sign[0]) <= 0x11FF
    if _is_flag(character):
        return len(sign) == 1 and _is_flag(sign)
    return unicodedata.category(sign[0]) == "So" and (sign[-1] == _JOINER or 0x1F3FB <= code <= 0x1F3FF)


def _is_flag(character: str) -> bool:
    return 0x1F1E6 <= ord(character) <= 0x1F1FF
