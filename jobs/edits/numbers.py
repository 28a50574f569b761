"""The values that words name: digits of any script, number words, days and months. To compare, not to compute with."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter

from crawler.extract.times.months import read_month
from jobs.edits.vocabulary.days import read_days
from jobs.edits.vocabulary.numbers import HAN_NUMERALS, read_numbers

_DIGITS = re.compile(r"\d+(?:[.,:'’\u00a0\u202f\u066b\u066c/-]\d+)*")
_GROUPS = re.compile(r"\d{1,3}(?:([.,'’\u00a0\u202f\u066c])\d{3})(?:\1\d{3})*")
_SPACED = re.compile(r"(?<![\d.,])(\d{1,3})((?:[ \u00a0\u202f]\d{3})+)(?![\d.,])")
_PARTED = re.compile(r"[^\d]+")
_RANGED = re.compile("([/-])")
_RANGE_SIGNS = frozenset("/-")
_WORD = re.compile(r"[^\W\d_]+")
_HAN = re.compile(f"[{HAN_NUMERALS}]+")
_PER_CENT = re.compile(f"百分之([{HAN_NUMERALS}]+)")
_PER_CENT_SIGNS = "百分之"
_HAN_DIGITS = {sign: value for value, sign in enumerate("〇一二三四五六七八九")} | {"零": 0, "两": 2, "兩": 2}
_HAN_UNITS = {"十": 10, "百": 100, "千": 1_000}
_SCALES = {"万": 10**4, "萬": 10**4, "亿": 10**8, "億": 10**8}
_LEAST_SCALE = 1_000
_MOST_DIGITS = 30
"""Longer ones are serial numbers and the like, compared as they stand."""
_COMPOUND_LANGUAGES = frozenset({"de", "nl"})
_LEAST_PART = 3
_MOST_COMPOUND = 60


def list_values(text: str, language: str) -> Counter[str]:
    """Return the values in *text*, each as often as it stands there."""
    words = read_numbers(language)
    text = _SPACED.sub(lambda found: re.sub(r"\s", "", found[0]), text)
    text = _PER_CENT.sub(lambda found: f"{_read_han(found[1])}%", text)
    values, rest = _take_digits(text, words)
    values += [_read_han(found) for found in _HAN.findall(rest)]
    for word in _WORD.findall(rest.lower()):
        value = words.get(word) or (_take_apart(word, words) if language in _COMPOUND_LANGUAGES else None)
        if value is not None:
            values.append(value)
    return Counter(values)


def list_moments(text: str, language: str) -> Counter[str]:
    """Return the days of the week and the months that *text* names."""
    days = read_days(language)
    found: Counter[str] = Counter()
    for word in _WORD.findall(text.lower()):
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


def _take_digits(text: str, words: dict[str, str]) -> tuple[list[str], str]:
    """Return the values that *text* writes in digits, and the text without them."""
    values: list[str] = []
    rest: list[str] = []
    done = 0
    for match in _DIGITS.finditer(text):
        end, value = match.end(), _value_of(match[0])
        if (scale := _SCALES.get(text[end : end + 1])) is not None:
            end, value = end + 1, _multiply(value, scale)
        elif (scaled := _read_scale(text, end, words)) is not None:
            end, value = scaled[0], _multiply(value, scaled[1])
        values.append(value)
        rest.append(text[done : match.start()])
        done = end
    return values, " ".join([*rest, text[done:]])


def _value_of(digits: str) -> str:
    """Return the plain form of a number, a time, a date or a range: `1,000`, `1.000` and `١٠٠٠` are one value."""
    plain = "".join(str(unicodedata.digit(sign)) if sign.isdigit() else sign for sign in digits)
    return "".join(piece if piece in _RANGE_SIGNS else _read_plain(piece) for piece in _RANGED.split(plain))


def _read_plain(number: str) -> str:
    if _GROUPS.fullmatch(number):
        return re.sub(r"\D", "", number)
    whole, *parts = _PARTED.split(number)
    is_date = len(parts) > 1
    parts = [part.lstrip("0") or "0" if is_date else part.rstrip("0") for part in parts]
    return ".".join([whole.lstrip("0") or "0", *parts]).rstrip(".")


def _read_scale(text: str, at: int, words: dict[str, str]) -> tuple[int, int] | None:
    """Return the end and the value of *thousand* and the like behind a number that ends at *at*."""
    match = _WORD.match(text, at + 1) if text[at : at + 1].isspace() else None
    value = words.get(match[0].lower(), "") if match else ""
    return (match.end(), int(value)) if match and value.isdigit() and int(value) >= _LEAST_SCALE else None


def _multiply(value: str, scale: int) -> str:
    whole, _, fraction = value.partition(".")
    if len(value) > _MOST_DIGITS or "." in fraction:
        return f"{value}*{scale}"
    product, left = divmod(int(whole + fraction) * scale, 10 ** len(fraction))
    return f"{product}.{left:0{len(fraction)}}".rstrip("0") if left else str(product)


def _read_han(numeral: str) -> str:
    """Return the value of a Han numeral in digits; itself, if it says none."""
    total = section = digit = 0
    for sign in numeral:
        if sign in _HAN_DIGITS:
            digit = _HAN_DIGITS[sign]
        elif sign in _HAN_UNITS:
            section += (digit or 1) * _HAN_UNITS[sign]
            digit = 0
        elif sign in _SCALES:
            total += (section + digit or 1) * _SCALES[sign]
            section = digit = 0
        else:
            return numeral
    return str(total + section + digit)


def _take_apart(word: str, words: dict[str, str]) -> str | None:
    """Return the values of a number word that is made of others (*einundzwanzig*), or `None`."""
    values: list[str] = []
    rest = word if len(word) <= _MOST_COMPOUND else ""
    while rest:
        if values and rest.startswith("und") and len(rest) > len("und"):
            rest = rest.removeprefix("und")
        end = next((size for size in range(len(rest), _LEAST_PART - 1, -1) if rest[:size] in words), 0)
        if not end:
            return None
        values.append(words[rest[:end]])
        rest = rest[end:]
    return "+".join(values) if len(values) > 1 else None
