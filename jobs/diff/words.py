"""A line → its words, for comparing; joined again they are the line. Knows scripts that put no spaces between words."""

from __future__ import annotations

import unicodedata

_JOINERS = frozenset("'\u2019.,:-\u2010\u2011\u00b7\u05f3\u05f4")
"""Between two letters or digits they do not part a word: don't, 3.5, 1,000, 12:30, well-known."""


def split_words(line: str) -> list[str]:
    """Split *line* into words, runs of white space and single other characters; joined, they are *line* again.

    Letters of scripts that put no spaces between words (Chinese, Japanese, Thai, …) stand alone, with their marks.
    """
    words: list[str] = []
    kind_before = ""
    for place, character in enumerate(line):
        kind = _kind_of(character)
        following = line[place + 1 : place + 2]
        if character in _JOINERS and kind_before == "word" and following and _kind_of(following) == "word":
            kind = "word"
        if words and (kind == "mark" or (kind == kind_before and kind in {"word", "space"})):
            words[-1] += character
            kind = kind_before
        else:
            words.append(character)
        kind_before = kind
    return words


def _kind_of(character: str) -> str:
    if character.isspace():
        return "space"
    category = unicodedata.category(character)
    if category[0] == "M" or character in "\u200c\u200d":
        return "mark"
    if category[0] in "LN":
        return "letter" if _stands_alone(ord(character)) else "word"
    return "other"


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
