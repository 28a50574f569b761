"""Number words and Han numerals → the values that they say, several words together if they say one."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from jobs.edits.vocabulary.numbers import HAN_NUMERALS, JOINERS, read_numbers

if TYPE_CHECKING:
    from collections.abc import Iterator

WORD = re.compile(r"[^\W\d_]+")
HAN_NUMERAL = re.compile(f"[{HAN_NUMERALS}]+")
_PER_CENT = re.compile(f"百分之([{HAN_NUMERALS}]+)")
_HAN_DIGITS = {sign: value for value, sign in enumerate("〇一二三四五六七八九")} | {"零": 0, "两": 2, "兩": 2}
_HAN_UNITS = {"十": 10, "百": 100, "千": 1_000}
_SCALES = {"万": 10**4, "萬": 10**4, "亿": 10**8, "億": 10**8}
_HAN_SCALE = re.compile("[十百千万萬亿億]{1,4}")
_LEAST_SCALE = 1_000
_MOST_DIGITS = 30
"""Longer ones are serial numbers and the like, compared as they stand."""
_COMPOUND_LANGUAGES = frozenset({"de", "nl"})
_LEAST_PART = 3
_MOST_COMPOUND = 60
_HUNDRED, _TEN = 100, 10


def list_word_values(text: str, language: str) -> list[str]:
    """Return the values that the words of *text* say: `25` for *twenty-five*, `3.` for *third*, `½` for *half*."""
    values: list[str] = []
    run: list[int] = []
    done = 0
    for start, end, value in _list_number_words(text, language):
        near = text[done:start].strip(" -\u00a0").casefold() in JOINERS and done > 0
        number = int(value) if value.isdigit() else 0
        if run and near and number and _goes_on(run[-1], number):
            run.append(number)
        elif not run and near and number >= _LEAST_SCALE:  # one and a half million
            values[-1] = multiply(values[-1], number)
        else:
            values += _finish(run)
            run = [number] if value.isdigit() else []
            values += [] if run else [value]
        done = end
    return values + _finish(run)


def read_scale(text: str, at: int, language: str) -> tuple[int, int] | None:
    """Return end and value of *thousand*, 万 and the like behind digits that end at *at*."""
    if (han := _HAN_SCALE.match(text, at)) is not None:
        return han.end(), int(read_han(han[0]))
    match = WORD.match(text, at + 1) if text[at : at + 1].isspace() else None
    value = read_numbers(language).get(match[0].lower(), "") if match else ""
    return (match.end(), int(value)) if match and value.isdigit() and int(value) >= _LEAST_SCALE else None


def multiply(value: str, scale: int) -> str:
    """Return *value*, as digits and perhaps a fraction, times *scale*."""
    whole, _, fraction = value.partition(".")
    if len(value) > _MOST_DIGITS or not (whole + fraction).isdecimal():
        return f"{value}*{scale}"
    product, left = divmod(int(whole + fraction) * scale, 10 ** len(fraction))
    return f"{product}.{left:0{len(fraction)}}".rstrip("0") if left else str(product)


def read_per_cents(text: str) -> str:
    """Return *text* with `百分之三十` as `30%`."""
    return _PER_CENT.sub(lambda found: f"{read_han(found[1])}%", text)


def read_han(numeral: str) -> str:
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


def _list_number_words(text: str, language: str) -> Iterator[tuple[int, int, str]]:
    words = read_numbers(language)
    for match in WORD.finditer(text) if words else ():
        word = match[0].lower()
        value = words.get(word) or (_take_apart(word, words) if language in _COMPOUND_LANGUAGES else None)
        if value is not None:
            yield match.start(), match.end(), value


def _goes_on(last: int, value: int) -> bool:
    """Whether a number word of *value* goes on with the number that one of *last* began: *five* after twenty."""
    if value >= _HUNDRED:
        return last < value
    return last >= _HUNDRED or (last > _TEN and not last % _TEN and value < _TEN)


def _finish(run: list[int]) -> list[str]:
    """Return the value of number words that stand together, in a list; none for none."""
    total = section = 0
    for value in run:
        if value >= _LEAST_SCALE:
            total, section = total + (section or 1) * value, 0
        elif value == _HUNDRED and 0 < section < _TEN:
            section *= value
        else:
            section += value
    return [str(total + section)] if run else []


def _take_apart(word: str, words: dict[str, str]) -> str | None:
    """Return the value of a number word that is made of others (*einundzwanzig*), or `None`."""
    values: list[int] = []
    rest = word if len(word) <= _MOST_COMPOUND else ""
    while rest:
        if values and rest.startswith("und") and len(rest) > len("und"):
            rest = rest.removeprefix("und")
        end = next((size for size in range(len(rest), _LEAST_PART - 1, -1) if rest[:size] in words), 0)
        value = words.get(rest[:end], "")
        if not end or not value.isdigit():
            return None
        values.append(int(value))
        rest = rest[end:]
    return _finish(values)[0] if len(values) > 1 else None
