"""The values that a text names, in digits of any script or words, and days and months. To compare, not to compute."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from functools import lru_cache

from crawler.extract.times.months import read_month
from jobs.edits.numerals import HAN_NUMERAL, WORD, list_word_values, multiply, read_han, read_per_cents, read_scale
from jobs.edits.vocabulary.days import read_days
from jobs.edits.vocabulary.numbers import read_numbers

_DIGITS = re.compile(r"(?:(?<![\w)%°])[-−](?=\d))?\d+(?:[.,:'’\u00a0\u202f\u066b\u066c/-]\d+)*")
_MINUS = "−"
_GROUPS = re.compile(r"\d{1,3}(?:([.,'’\u00a0\u202f\u066c])\d{3})(?:\1\d{3})*")
_SPACED = re.compile(r"(?<![\d.,])(\d{1,3})((?:[ \u00a0\u202f]\d{3})+)(?![\d.,])")
_PARTED = re.compile(r"[^\d]+")
_RANGED = re.compile("([/-])")
_RANGE_SIGNS = frozenset("/-")
_PER_CENT_SIGNS = "百分之"


@lru_cache(maxsize=8)  # the rules of an edit ask one after another what its two sides say
def list_values(text: str, language: str) -> Counter[str]:
    """Return the values in *text*, each as often as it stands there. Not to be changed."""
    text = _SPACED.sub(lambda found: re.sub(r"\s", "", found[0]), text)
    values, rest = _take_digits(read_per_cents(text), language)
    values += [read_han(found) for found in HAN_NUMERAL.findall(rest)]
    return Counter(values + list_word_values(rest, language))


def names_value(values: Counter[str]) -> bool:
    """Whether *values* are some by themselves: an ordinal, and *one*, may be but a manner of speaking."""
    return any(value != "1" and not value.endswith(".") for value in values)


def list_moments(text: str, language: str) -> Counter[str]:
    """Return the days of the week and the months that *text* names."""
    days = read_days(language)
    found: Counter[str] = Counter()
    for word in WORD.findall(text.lower()):
        if word in days:
            found[f"day {days[word]}"] += 1
        elif month := read_month(word):
            found[f"month {month}"] += 1
    return found


def is_number(text: str, language: str) -> bool:
    """Whether *text* is a number, in digits or words, and nothing else."""
    known = read_numbers(language)
    words = [word.strip(".,").casefold() for word in text.split()]
    return all(word in known or not _has_letters(word.strip(_PER_CENT_SIGNS)) for word in words)


def _has_letters(word: str) -> bool:
    return any(sign.isalpha() and not sign.isnumeric() for sign in word)


def _take_digits(text: str, language: str) -> tuple[list[str], str]:
    """Return the values that *text* writes in digits, and the text without them."""
    values: list[str] = []
    rest: list[str] = []
    done = 0
    for match in _DIGITS.finditer(text):
        end, value = match.end(), _value_of(match[0])
        if (scaled := read_scale(text, end, language)) is not None:
            end, value = scaled[0], multiply(value, scaled[1])
        values.append(value)
        rest.append(text[done : match.start()])
        done = end
    return values, " \0 ".join([*rest, text[done:]])


def _value_of(digits: str) -> str:
    """Return the plain form of a number, a time, a date or a range: `1,000`, `1.000` and `١٠٠٠` are one value."""
    plain = "".join(str(unicodedata.digit(sign)) if sign.isdigit() else sign for sign in digits)
    if plain[0] in "-−":
        return _MINUS + _value_of(plain[1:])
    return "".join(piece if piece in _RANGE_SIGNS else _read_plain(piece) for piece in _RANGED.split(plain))


def _read_plain(number: str) -> str:
    if _GROUPS.fullmatch(number):
        return re.sub(r"\D", "", number)
    whole, *parts = _PARTED.split(number)
    is_date = len(parts) > 1
    parts = [part.lstrip("0") or "0" if is_date else part.rstrip("0") for part in parts]
    return ".".join([whole.lstrip("0") or "0", *parts]).rstrip(".")
