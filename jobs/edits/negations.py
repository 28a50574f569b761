"""Whether a *not* came or went."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING

from jobs.edits.vocabulary import HAN_NEGATIONS, HAN_NO_NEGATIONS, read_negations

if TYPE_CHECKING:
    from jobs.edits.hunks import Hunk

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
_STILL = re.compile(r"\b(?:و|ف)?لا (?:يزال|تزال|يزالون|زال|زالت|بد|سيما|شك)\b")
"""Arabic for *still*, *must*, *especially*, *doubtless*: none of them denies."""
_NO_NUMBER = re.compile(r"\b[Nn]o\.? ?\d")
_CONTEXT = 3


def changes_negation(hunk: Hunk, language: str) -> bool:
    """Whether *hunk* puts in or takes out a negation."""
    if max(len(_WORD.findall(hunk.before)), len(_WORD.findall(hunk.after))) > _MOST_WORDS:
        return False
    old = _count(hunk.line, hunk.start, hunk.end, language)
    new = _count(hunk.new_line, hunk.new_start, hunk.new_end, language)
    return bool(old) != bool(new) or _is_opposite(hunk.before, hunk.after, language)


def _count(line: str, start: int, end: int, language: str) -> Counter[str]:
    text = line[start:end]
    if language in {"zh", "ja"} or any(sign in HAN_NEGATIONS for sign in text):
        return _count_han(line, start, end)
    known = read_negations(language)
    found: Counter[str] = Counter()
    plain = _STILL.sub(" ", line[max(0, start - 8) : end + 8]) if language == "ar" else None
    for match in _WORD.finditer(line, start, end):
        word = match[0]
        if _CONTRACTED.search(word):
            found["n't"] += 1
            continue
        if word.lower() not in known or _NO_NUMBER.match(line, match.start()):
            continue
        if plain is not None and word not in _WORD.findall(plain):
            continue
        if word[0].isupper() and match.start() and not word.isupper() and _is_named(line, match):
            continue
        found[word.lower()] += 1
    return found


def _is_named(line: str, match: re.Match[str]) -> bool:
    """Whether a word with a capital letter, in the middle of a sentence, is part of a name (*Dr No*, *No Doubt*)."""
    head = line[: match.start()].rstrip("\"“„«' ")
    return bool(head) and head[-1] not in ".!?:…–—"


def _count_han(line: str, start: int, end: int) -> Counter[str]:
    plain = line
    for word in HAN_NO_NEGATIONS:
        plain = plain.replace(word, "\0" * len(word))
    return Counter(sign for sign in plain[start:end] if sign in HAN_NEGATIONS)


def _is_opposite(before: str, after: str, language: str) -> bool:
    old, new = before.strip().casefold(), after.strip().casefold()
    short, long = sorted((old, new), key=len)
    if len(short) < _LEAST_STEM or not long.endswith(short[1:]) or " " in long:
        return False
    return any(long == prefix + short for prefix in _PREFIXES.get(language, ()))
