"""Durations, sizes and schedules as people write them: `1 hour`, `64 MiB`, `every 30 minutes`. Text in, numbers out.

And numbers as people read them: `1 page`, `2 pages`.
"""

from __future__ import annotations

import re
import zoneinfo
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

_SECONDS = {
    "second": 1,
    "minute": 60,
    "hour": 3_600,
    "day": 86_400,
    "week": 604_800,
    "year": 31_536_000,
}
_SHORT = {"s": "second", "m": "minute", "min": "minute", "h": "hour", "d": "day", "w": "week", "y": "year"}
_BYTES = {"b": 1, "byte": 1, "bytes": 1, "kib": 1 << 10, "mib": 1 << 20, "gib": 1 << 30, "tib": 1 << 40}
_AMOUNT = re.compile(r"(\d{1,9}(?:\.\d{1,3})?)\s*([A-Za-z]+)", re.ASCII)

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_CRON_FIELDS: tuple[tuple[str, int, int, tuple[str, ...]], ...] = (
    ("minute", 0, 59, ()),
    ("hour", 0, 23, ()),
    ("day of the month", 1, 31, ()),
    ("month", 1, 12, _MONTHS),
    ("day of the week", 1, 0, _WEEKDAYS),
)
_MOST_DAYS = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


@dataclass(frozen=True, slots=True)
class Schedule:
    """When a source is crawled: exactly one of the two is set."""

    interval_seconds: int | None = None
    """Slots stand on whole multiples of this since 1970-01-01T00:00:00Z."""
    cron: str | None = None
    """Five cron fields: minute, hour, day of the month, month, day of the week (by name: `mon`). All must fit."""
    zone: str | None = None
    """IANA name of the time zone whose clock cron's fields are read on; `None`: UTC."""


def parse_duration(text: str) -> float:
    """Return the seconds that *text* (`90 seconds`, `1.5 hours`, `7 days`) means. Raises ValueError."""
    amount, unit = _split_amount(text, "a duration, as in 90 seconds, 1 hour, 7 days")
    unit = _SHORT.get(unit, unit.removesuffix("s"))
    if unit not in _SECONDS:
        raise ValueError(f"a duration in {', '.join(f'{name}s' for name in _SECONDS)}")
    return amount * _SECONDS[unit]


def parse_size(text: str) -> int:
    """Return the bytes that *text* (`64 MiB`, `512 KiB`) means. Raises ValueError."""
    amount, unit = _split_amount(text, "a size, as in 512 KiB, 64 MiB, 1 GiB")
    if unit not in _BYTES:
        raise ValueError("a size in bytes, KiB, MiB, GiB or TiB")
    return int(amount * _BYTES[unit])


def parse_schedule(text: str) -> Schedule:
    """Return the schedule that *text* means. Raises ValueError.

    As in `every 30 minutes`, `cron */15 * * * *` (UTC) or `cron 30 6 * * * Europe/Berlin`.
    """
    words = text.split()
    if len(words) in {2, 3} and words[0] == "every":
        seconds = parse_duration(" ".join(words[1:]) if len(words) == 3 else f"1 {words[1]}")
        if seconds < 1 or seconds != int(seconds):
            raise ValueError("whole seconds, at least 1, between two runs")
        return Schedule(interval_seconds=int(seconds))
    if len(words) in {6, 7} and words[0] == "cron":
        fields = [value.lower() for value in words[1:6]]
        days, months = [read_cron_field(number, value) for number, value in enumerate(fields)][2:4]
        if min(days) > max(_MOST_DAYS[month - 1] for month in months):
            raise ValueError(f"a day that there is, not day {fields[2]} of month {fields[3]}")
        return Schedule(cron=" ".join(fields), zone=_check_zone(words[6]) if words[6:] else None)
    raise ValueError("`every 30 minutes`, or `cron` and five fields, as in `cron */15 * * * *`")


def read_cron_field(number: int, value: str) -> frozenset[int]:
    """Return what cron field *number* (0: minute) lets through, weekdays from 1 (Monday). Raises ValueError."""
    _, lowest, highest, names = field = _CRON_FIELDS[number]
    _check_cron_field(field, value)
    found: set[int] = set()
    for part in value.split(","):
        span, _, step = part.partition("/")
        ends = [_cron_number(end, lowest, names) for end in span.split("-")]
        first, last = (lowest, max(highest, len(names))) if span == "*" else (ends[0], ends[-1])
        found.update(range(first, last + 1, int(step or 1)))
    return frozenset(found)


def count(number: int, noun: str) -> str:
    """Return *number* with *noun*, which is given in the singular, in the plural where it must be."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def count_named(counts: Mapping[str, int]) -> str:
    """Return *counts*, whose names are plurals as in `commits`, in one line: `1 commit · 2 files`."""
    return " · ".join(f"{number} {name.removesuffix('s') if number == 1 else name}" for name, number in counts.items())


def _split_amount(text: str, expected: str) -> tuple[float, str]:
    match = _AMOUNT.fullmatch(text.strip())
    if match is None:
        raise ValueError(expected)
    return float(match[1]), match[2].lower()


def _check_cron_field(field: tuple[str, int, int, tuple[str, ...]], value: str) -> None:
    name, lowest, highest, names = field
    choices = [f"{lowest}-{highest}"] if highest >= lowest else []
    expected = " or ".join(choices + ([f"names ({names[0]}-{names[-1]})"] if names else []))
    for part in value.split(","):
        span, slash, step = part.partition("/")
        if slash and (not re.fullmatch(r"[1-9]\d{0,3}", step) or (span != "*" and "-" not in span)):
            raise ValueError(f"cron {name}: `*/N` or `A-B/N` for a step, not `{part}`")
        if span == "*":
            continue
        ends = [_cron_number(end, lowest, names) for end in span.split("-")]
        if len(ends) > 2 or any(not lowest <= end <= max(highest, len(names)) for end in ends):
            raise ValueError(f"cron {name}: {expected}, not `{part}`")
        if ends != sorted(ends):
            raise ValueError(f"cron {name}: the smaller end first, not `{part}`")


def _check_zone(name: str) -> str:
    if name not in zoneinfo.available_timezones():
        raise ValueError(f"an IANA time zone after the five fields, as in Europe/Berlin, not `{name}`")
    return name


def _cron_number(text: str, lowest: int, names: tuple[str, ...]) -> int:
    if text in names:
        return names.index(text) + max(lowest, 1)
    if re.fullmatch(r"\d{1,2}", text, re.ASCII) and names != _WEEKDAYS:
        return int(text)
    return -1
