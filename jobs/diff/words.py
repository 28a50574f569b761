"""A line → its words, for comparing; joined again they are the line. Knows scripts that put no spaces between words."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from itertools import pairwise, zip_longest

_PIECES = re.compile(
    r"[^\W_\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]+"
    r"|\s+|.",
    re.DOTALL,
)
"""Letters and digits that do not stand alone, or white space, as many as come; else one character."""
_JOINERS = frozenset("'\u2019.,:-\u2010\u2011\u00b7\u05f3\u05f4")
"""Between two letters or digits they do not part a word: don't, 3.5, 1,000, 12:30, well-known."""
_ZWJ = "\u200d"
_LEADING = frozenset("\u0e40\u0e41\u0e42\u0e43\u0e44\u0ec0\u0ec1\u0ec2\u0ec3\u0ec4")
"""Thai and Lao vowels that are written before the consonant after which they are spoken."""
_TRAILING = frozenset("\u0e30\u0e32\u0e33\u0e45\u0eb0\u0eb2\u0eb3")
"""Thai and Lao vowels that are letters of their own to Unicode, and stand behind their consonant."""


def split_words(line: str) -> list[str]:
    """Split *line* into words, runs of white space and single other characters; joined, they are *line* again.

    Letters of scripts that put no spaces between words (Chinese, Japanese, Thai, …) stand alone, with their marks and
    vowels. Nothing is split that is seen as one sign: an emoji of several, a flag, a letter and its marks.
    """
    starts: list[int] = []
    kind_before = ""
    at = 0
    pieces = _PIECES.findall(line)
    for piece, following in zip_longest(pieces, pieces[1:], fillvalue=""):
        kind = _kind_of(piece[0])
        if piece in _JOINERS and kind_before == "word" and following and _kind_of(following[0]) == "word":
            kind = "word"
        if starts and (kind == "mark" or (kind == kind_before and kind in {"word", "space"})):
            kind = kind_before
        elif not starts or not _goes_on(line, starts[-1], at, kind):
            starts.append(at)
        kind_before = kind
        at += len(piece)
    return [line[start:end] for start, end in pairwise([*starts, at])]


def _goes_on(line: str, start: int, end: int, kind: str) -> bool:
    """Whether a character of that *kind* is part of the sign that the word of *line* from *start* to *end* is."""
    if kind == "flag":
        return end - start == 1 and _kind_of(line[start]) == "flag"
    if kind == "letter":
        return end - start == 1 and line[start] in _LEADING
    return kind == "other" and end - start > 1 and line[end - 1] == _ZWJ and _kind_of(line[start]) == "other"


@lru_cache(maxsize=4_096)
def _kind_of(character: str) -> str:
    if character.isspace():
        return "space"
    code = ord(character)
    category = unicodedata.category(character)
    if category[0] == "M" or character in "\u200c\u200d" or character in _TRAILING or _modifies(code):
        return "mark"
    if category[0] in "LN":
        return "letter" if _stands_alone(code) else "word"
    return "flag" if 0x1F1E6 <= code <= 0x1F1FF else "other"


def _modifies(code: int) -> bool:
    """Whether it gives the emoji before it a skin's colour, or spells out what flag it is."""
    return 0x1F3FB <= code <= 0x1F3FF or 0xE0020 <= code <= 0xE007F


def _stands_alone(code: int) -> bool:
    return (
        0x0E00 <= code <= 0x0EFF  # Thai, Lao
        or 0x1000 <= code <= 0x109F  # Burmese
        or 0x1780 <= code <= 0x17FF  # Khmer
        or 0x3040 <= code <= 0x30FF  # kana
        or 0x3400 <= code <= 0x9FFF
        or 0xF900 <= code <= 0xFAFF
        or 0x20000 <= code <= 0x3FFFF
    )
