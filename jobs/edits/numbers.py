"""The values that words name: digits of any script, number words, days and months. To compare, not to compute with."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter

from crawler.extract.times.months import read_month
from jobs.edits.vocabulary import HAN_NUMERALS, read_days, read_numbers

_DIGITS = re.compile(r"\d+(?:[.,:'’\u00a0\u202f\u066b\u066c/-]\d+)*")
_GROUPS = re.compile(r"\d{1,3}(?:([.,'’\u00a0\u202f\u066c])\d{3})(?:\1\d{3})*")
_PARTED = re.compile(r"[^\d]+")
_WORD = re.compile(r"[^\W\d_]+", re.UNICODE)
_HAN = re.compile(f"[{HAN_NUMERALS}]+")
_HAN_LARGE = frozenset("十百千万萬亿億")
_COMPOUND_LANGUAGES = frozenset({"de", "nl"})
_MAX_COMPOUND = 60


def list_values(text: str, language: str) -> Counter[str]:
    """Return the values in *text*, each as often as it stands there."""
    found: Counter[str] = Counter()
    for match in _DIGITS.finditer(text):
        found[_value_of(match[0])] += 1
    if language == "zh" or _HAN.search(text):
        for match in _HAN.finditer(text):
            found[match[0]] += 1
    words = read_numbers(language)
    for match in _WORD.finditer(text):
        word = match[0].lower()
        value = words.get(word) or (_take_apart(word, words) if language in _COMPOUND_LANGUAGES else None)
        if value is not None:
            found[value] += 1
    return found


def list_moments(text: str, language: str) -> Counter[str]:
    """Return the days of the week and the months that *text* names."""
    days = read_days(language)
    found: Counter[str] = Counter()
    for match in _WORD.finditer(text):
        word = match[0].lower()
        if word in days:
            found[f"day {days[word]}"] += 1
        elif (month := read_month(word)):
            found[f"month {month}"] += 1
    return found


def is_telling(values: Counter[str]) -> bool:
    """Whether *values* are more than a small Han numeral, which most often is part of another word."""
    return any(value[0].isascii() or len(value) > 1 or value in _HAN_LARGE or not _HAN.match(value) for value in values)


def _value_of(digits: str) -> str:
    """Return the plain form of a number or of a time: `1,000`, `1.000` and `١٠٠٠` are one value, `3.5` and `3,5` are."""
    plain = "".join(str(unicodedata.digit(sign)) if sign.isdigit() else sign for sign in digits)
    if _GROUPS.fullmatch(plain):
        return re.sub(r"\D", "", plain)
    parts = _PARTED.split(plain)
    return ".".join(part.lstrip("0") or "0" for part in parts)


def _take_apart(word: str, words: dict[str, str]) -> str | None:
    """Return the values of a number word that is made of others (*einundzwanzig*), or `None`."""
    values = []
    rest = word if len(word) <= _MAX_COMPOUND else ""
    while rest:
        if values and rest.startswith("und") and len(rest) > len("und"):
            rest = rest.removeprefix("und")
        end = next((size for size in range(len(rest), 2, -1) if rest[:size] in words), 0)
        if not end:
            return None
        values.append(words[rest[:end]])
        rest = rest[end:]
    return "+".join(values) if len(values) > 1 else None
