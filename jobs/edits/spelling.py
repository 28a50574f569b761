"""Whether two words are one word, spelled otherwise."""

from __future__ import annotations

import unicodedata

_LEAST_LETTERS = 4
_MOST_LETTERS = 60
"""Longer words are compared with nothing but themselves."""
_MOST_EDITS = 2
_LOOSE = str.maketrans({"\u0629": "\u0647", "\u0649": "\u064a", "\u0640": None, "\u0450": "\u0435", "\u0451": "\u0435"})
"""Arabic ta marbuta, alif maqsura and the stroke that stretches a word; Russian ё."""
_ENDING = 3
"""Letters at a word's end that tell forms of it apart, at most."""


def bare(text: str) -> str:
    """Return letters and digits of *text* alone, without case."""
    return "".join(sign for sign in unicodedata.normalize("NFKC", text).casefold() if sign.isalnum())


def count_edits(one: str, other: str) -> int:
    """Return how many letters differ: put in, left out, replaced, or two neighbours in each other's place."""
    before_last: list[int] = []
    last = list(range(len(other) + 1))
    for i, sign in enumerate(one, 1):
        row = [i]
        for j, goal in enumerate(other, 1):
            cost = min(last[j] + 1, row[j - 1] + 1, last[j - 1] + (sign != goal))
            if i > 1 and j > 1 and sign == other[j - 2] and one[i - 2] == goal:
                cost = min(cost, before_last[j - 2] + 1)
            row.append(cost)
        before_last, last = last, row
    return last[-1]


def is_respelled(one: str, other: str) -> bool:
    """Whether the words *one* and *other* differ by a slip: in few letters, and not in the ending alone."""
    one, other = one.casefold(), other.casefold()
    if fold(one) == fold(other):
        return True
    if not _are_comparable(one, other):
        return False
    most = 1 if max(len(one), len(other)) < 2 * _LEAST_LETTERS else _MOST_EDITS
    return count_edits(one, other) <= most and (one[-1] == other[-1] or sorted(one) == sorted(other))


def is_slip(one: str, other: str) -> bool:
    """Whether *one* and *other* differ in a single letter, or in marks above and below letters alone."""
    one, other = one.casefold(), other.casefold()
    return fold(one) == fold(other) or (_are_comparable(one, other) and count_edits(one, other) == 1)


def fold(word: str) -> str:
    """Return *word* without the marks and forms of letters that are left out in haste."""
    plain = unicodedata.normalize("NFD", word.translate(_LOOSE))
    return unicodedata.normalize("NFC", "".join(sign for sign in plain if unicodedata.category(sign) != "Mn"))


def is_form(one: str, other: str) -> bool:
    """Whether *one* and *other* may be two forms of one word: they begin alike, and few letters follow."""
    one, other = one.casefold(), other.casefold()
    head = next((at for at, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))
    return head >= _LEAST_LETTERS and max(len(one), len(other)) - head <= _ENDING


def _are_comparable(one: str, other: str) -> bool:
    short, long = sorted((len(one), len(other)))
    return short >= _LEAST_LETTERS and long <= _MOST_LETTERS and long - short <= _MOST_EDITS
