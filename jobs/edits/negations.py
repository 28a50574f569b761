"""Whether a *not* came or went."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from jobs.edits.vocabulary.negations import HAN_NEGATIONS, blank_phrases, read_negations

if TYPE_CHECKING:
    from jobs.edits.hunks import Hunk, Part

_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*")
_CONTRACTED = re.compile(r"n['’]t$", re.IGNORECASE)
_PREFIXES = {
    "en": ("un", "in", "im", "il", "ir", "dis", "non"),
    "de": ("un", "miss"),
    "es": ("in", "im", "i", "des"),
    "fr": ("in", "im", "il", "ir", "dé"),
    "it": ("in", "im", "il", "ir", "s"),
    "pt": ("in", "im", "il", "ir", "des"),
    "ru": ("не", "без", "бес"),
    "uk": ("не", "без"),
}
_LEAST_STEM = 4
_MOST_WORDS = 5
"""More words that came or went are a clause, whatever it says."""
_NUMBERED = re.compile(r"No\.? ?\d", re.IGNORECASE)
_HAN_DENIES = re.compile(f"[{HAN_NEGATIONS}]")
_MARGIN = 24
"""Letters on either side by which words are told from longer ones and from phrases."""
_HAN_LANGUAGES = frozenset({"zh", "ja"})
_STOPS = ".!?:…–—"
_OPENINGS = "\"“„«' "


def changes_negation(hunk: Hunk, language: str) -> bool:
    """Whether *hunk* puts in or takes out a negation."""
    if max(len(_WORD.findall(part.text)) for part in (hunk.old, hunk.new)) > _MOST_WORDS:
        return False
    return _denies(hunk.old, language) != _denies(hunk.new, language) or _is_opposite(hunk, language)


def _denies(part: Part, language: str) -> bool:
    first = max(0, part.start - _MARGIN)
    start, end = part.start - first, part.end - first
    if language in _HAN_LANGUAGES or _HAN_DENIES.search(part.text):
        return _HAN_DENIES.search(blank_phrases(part.line[first : part.end + _MARGIN], "zh"), start, end) is not None
    around = blank_phrases(part.line[first : part.end + _MARGIN], language)
    return any(_is_negation(around, word, language) for word in _WORD.finditer(around, start, end))


def _is_negation(line: str, word: re.Match[str], language: str) -> bool:
    if _CONTRACTED.search(word[0]):
        return True
    if word[0].lower() not in read_negations(language) or _NUMBERED.match(line, word.start()):
        return False
    return not (word[0][0].isupper() and not word[0].isupper() and _is_named(line, word.start()))


def _is_named(line: str, at: int) -> bool:
    """Whether a word with a capital letter, in the middle of a sentence, is part of a name (*Dr No*, *No Doubt*)."""
    head = line[max(0, at - _MARGIN) : at].rstrip(_OPENINGS)
    return bool(head) and head[-1] not in _STOPS


def _is_opposite(hunk: Hunk, language: str) -> bool:
    """Whether one word is the other with a prefix that turns it round (*unlikely*)."""
    short, long = sorted((hunk.before.casefold(), hunk.after.casefold()), key=len)
    if len(short) < _LEAST_STEM or " " in long:
        return False
    return any(long == prefix + short for prefix in _PREFIXES.get(language, ()))
