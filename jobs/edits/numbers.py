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
_SCALES = {"万": 10**4, "萬": 10**4, "亿": 10**8, "億": 10**8}
_SPACED = re.compile(r"(?<![\d.,])(\d{1,3})((?:[ \u00a0\u202f]\d{3})+)(?![\d.,])")
_PER_CENT = re.compile(f"百分之([{HAN_NUMERALS}]+)")
_HAN_DIGITS = {sign: value for value, sign in enumerate("〇一二三四五六七八九")} | {"零": 0, "两": 2, "兩": 2}
_HAN_UNITS = {"十": 10, "百": 100, "千": 1_000}
_LEAST_SCALE = 1_000
_COMPOUND_LANGUAGES = frozenset({"de", "nl"})
_MAX_COMPOUND = 60


def list_values(text: str, language: str) -> Counter[str]:
    """Return the values in *text*, each as often as it stands there."""
    words = read_numbers(language)
    text = _SPACED.sub(lambda found: re.sub(r"\s", "", found[0]), text)
    text = _PER_CENT.sub(lambda found: f"{_read_han(found[1]) or found[1]}%", text)
    values: list[tuple[int, int, str]] = []
    for match in _DIGITS.finditer(text):
        end, value = match.end(), _value_of(match[0])
        if (scale := _SCALES.get(text[end : end + 1])) is not None:
            end, value = end + 1, _multiply(value, scale)
        elif (scaled := _read_scale(text, end, words)) is not None:
            value = _multiply(value, scaled[1])
            end = scaled[0]
        values.append((match.start(), end, value))
    taken = [(start, end) for start, end, _ in values]
    for match in _HAN.finditer(text):
        if not any(start <= match.start() < end for start, end in taken):
            values.append((match.start(), match.end(), _read_han(match[0]) or match[0]))
    for match in _WORD.finditer(text):
        if any(start <= match.start() < end for start, end in taken):
            continue
        word = match[0].lower()
        value = words.get(word) or (_take_apart(word, words) if language in _COMPOUND_LANGUAGES else None)
        if value is not None:
            values.append((match.start(), match.end(), value))
    return Counter(value for _, _, value in values)


def list_moments(text: str, language: str) -> Counter[str]:
    """Return the days of the week and the months that *text* names."""
    days = read_days(language)
    found: Counter[str] = Counter()
    for match in _WORD.finditer(text):
        word = match[0].lower()
        if word in days:
            found[f"day {days[word]}"] += 1
        elif month := read_month(word):
            found[f"month {month}"] += 1
    return found


def _value_of(digits: str) -> str:
    """Return the plain form of a number or of a time: `1,000`, `1.000` and `١٠٠٠` are one value, `3.5` and `3,5` are."""
    plain = "".join(str(unicodedata.digit(sign)) if sign.isdigit() else sign for sign in digits)
    if _GROUPS.fullmatch(plain):
        return re.sub(r"\D", "", plain)
    parts = _PARTED.split(plain)
    return ".".join(part.lstrip("0") or "0" for part in parts)


def _read_scale(text: str, at: int, words: dict[str, str]) -> tuple[int, int] | None:
    """Return the end and the value of *thousand* and the like behind a number that ends at *at*."""
    match = _WORD.match(text, at + 1) if text[at : at + 1].isspace() else None
    value = words.get(match[0].lower(), "") if match else ""
    return (match.end(), int(value)) if match and value.isdigit() and int(value) >= _LEAST_SCALE else None


def _multiply(value: str, scale: int) -> str:
    try:
        product = float(value) * scale
    except ValueError:
        return f"{value}*{scale}"
    return str(int(product)) if product == int(product) else str(product)


def _read_han(numeral: str) -> str | None:
    """Return the value of a Han numeral in digits, or `None`."""
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
            return None
    return str(total + section + digit)


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
