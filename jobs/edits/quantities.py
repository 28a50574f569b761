"""Whether a hunk changes a quantity: its value, its sign, its unit; or a day."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jobs.edits.numbers import list_moments, list_values, names_value
from jobs.edits.vocabulary.units import read_unit

if TYPE_CHECKING:
    from jobs.edits.hunks import Hunk

_SHORT = 3
"""Words beside a number that do not make a clause of their own."""
_MINUS_SIGNS = frozenset({"-", "−"})


def changes_value(hunk: Hunk, language: str) -> bool:
    """Whether *hunk* puts another number in a number's place, or in that of a few words."""
    old, new = (list_values(part.text, language) for part in (hunk.old, hunk.new))
    if old and new:
        return old != new
    if not hunk.before or not hunk.after or not names_value(old or new):
        return False
    return max(len(hunk.before.split()), len(hunk.after.split())) <= _SHORT


def changes_sign(hunk: Hunk) -> bool:
    """Whether a minus before a number came or went."""
    after_word = hunk.new.head[-1:].isalnum()
    return hunk.before + hunk.after in _MINUS_SIGNS and hunk.new.tail[:1].isdigit() and not after_word


def changes_unit(hunk: Hunk, language: str) -> bool:
    """Whether *hunk* puts another unit behind a number."""
    old, new = (read_unit(text.casefold(), language) for text in (hunk.before, hunk.after))
    if old is None or new is None or old == new:
        return False
    words = hunk.new.head.split()[-1:]
    return bool(words and list_values(words[0], language))


def changes_moment(hunk: Hunk, language: str) -> bool:
    """Whether *hunk* puts another day of the week, or another month, in one's place."""
    old, new = (list_moments(part.text, language) for part in (hunk.old, hunk.new))
    return bool(old and new and old != new)
