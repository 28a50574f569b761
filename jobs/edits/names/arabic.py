"""Names in Arabic letters: behind a title or a first name, or such as the article lists."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from jobs.edits.vocabulary.arabic import is_function_word, is_given_name
from jobs.edits.vocabulary.titles import read_titles

if TYPE_CHECKING:
    from jobs.edits.hunks import Hunk
    from jobs.edits.names.known import Names

_WORD = re.compile("[\u0621-\u064a\u066e-\u06d3]+")
_MOST_WORDS = 3
"""A name, a father's, a family's."""


def has_arabic(text: str) -> bool:
    """Whether *text* has Arabic letters."""
    return _WORD.search(text) is not None


def changes_arabic_name(hunk: Hunk, names: Names) -> bool:
    """Whether *hunk* puts one name in another's place."""
    old, new = (_WORD.findall(part) for part in (hunk.before, hunk.after))
    if not old or not new or max(len(old), len(new)) > _MOST_WORDS or any(map(is_function_word, [*old, *new])):
        return False
    if any(word in names.listed for word in (*old, *new)):
        return True
    if len(old) > 1 and len(new) > 1 and is_given_name(old[0]) and is_given_name(new[0]):
        return True
    before = _WORD.findall(hunk.old.head)[-_MOST_WORDS:]
    titles = read_titles("ar")
    return any(word in titles or word[1:] in titles for word in before) or any(map(is_given_name, before[-1:]))
