"""Dates as pages write them → RFC 3339 with an offset. Assumes a zone only where none is stated, and says so."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone
from typing import TYPE_CHECKING, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from crawler.extract.times.months import read_month

if TYPE_CHECKING:
    from collections.abc import Iterator

_YEAR = r"(?P<year>(?:19|20)\d\d)"
_DAY = r"(?P<day>\d{1,2})(?:st|nd|rd|th|er|º|°|ª|(?P<ordinal>\.))?"
_OF = r"(?:,?\s+|[-/]|(?<=\.))(?:(?:de|of)\s+|d['’])?"
_NAME = r"(?P<name>[^\W\d_][^\s\d.,;:|/()<>\-]{1,15}(?: الثاني| الأول| الاول)?)"
"""Whatever may be the name of a month; `read_month` knows."""
_CLOCK = r"\s\d\d:\d\d(?::\d\d)?\s(?:19|20)\d\d"
_TIME = (
    r"(?:(?P<gap>\D{0,12}?)(?<!\d)(?P<hour>\d{1,2})(?::|[.h時시点](?=\s?\d)|시\s)\s?(?P<minute>\d{2})(?::(?P<second>\d{2}))?"
    r"(?:\s*(?P<half>[ap])\.?\s?m\b)?)?"
)
_ISO = re.compile(
    r"(?<!\d)(?P<year>(?:19|20)\d\d)-?(?P<month>[01]\d)-?(?P<day>[0-3]\d)(?:[T ]\s*(?P<hour>\d{2}):?(?P<minute>\d{2})"
    r"(?::?(?P<second>\d{2})(?:[.,]\d+)?)?\s*(?P<zone>Z|UTC|GMT|[+-]\d{2}:?\d{2}|[+-]\d{2})?)?(?!\d)",
    re.IGNORECASE,
)
# what must stand in a line beside digits, and the pattern
_PATTERNS = (
    ("", _ISO),
    *(
        (mark, re.compile(pattern, re.IGNORECASE))
        for mark, pattern in (
            # 6 Nov 2023, 6th of November 2023, 6. März 2023, 6 de noviembre del 2023, 06-Nov-2023
            ("", rf"(?<!\d){_DAY}{_OF}{_NAME}\.?,?(?:\s+|[-/]|(?<=[.,]))(?:(?:de|del)\s+)?{_YEAR}{_TIME}"),
            # November 6, 2023
            ("", rf"(?<![^\W\d_]){_NAME}\.?\s+(?P<day>\d{{1,2}})(?:st|nd|rd|th)?\.?(?:,\s*|\s+){_YEAR}{_TIME}"),
            # Mon Nov 6 14:21:00 2023
            (
                "",
                rf"(?<![^\W\d_]){_NAME}\s+(?P<day>\d{{1,2}})\s(?P<hour>\d{{1,2}}):(?P<minute>\d\d)(?::(?P<second>\d\d))?\s{_YEAR}",
            ),
            # 2023. november 6., 2023 m. lapkričio 6 d., 2023 November 6
            (
                "",
                rf"(?<!\d){_YEAR}(?:\.|\s?m\.|\s?г\.|ko)?,?\s+{_NAME}\.?\s+(?P<day>\d{{1,2}})(?!\d|:|{_CLOCK}){_TIME}",
            ),
            # 2023. gada 6. novembrī
            ("gada", rf"(?<!\d){_YEAR}\.?\s?gada\s(?P<day>\d{{1,2}})\.\s?{_NAME}{_TIME}"),
            # 2023年11月6日, 2023년 11월 6일
            ("月", rf"(?<!\d){_YEAR}\s?年\s?(?P<month>\d{{1,2}})\s?月\s?(?P<day>\d{{1,2}})(?!\d)\s?日?{_TIME}"),
            ("월", rf"(?<!\d){_YEAR}\s?년\s?(?P<month>\d{{1,2}})\s?월\s?(?P<day>\d{{1,2}})(?!\d)\s?일?{_TIME}"),
            # 6 tháng 11, 2023; 6 tháng 11 năm 2023
            ("háng", rf"(?<!\d)(?P<day>\d{{1,2}})\s+tháng\s+(?P<month>\d{{1,2}})(?:,\s*|\s+)(?:năm\s+)?{_YEAR}{_TIME}"),
            # 2023/11/6, 2023. 11. 6.
            ("", rf"(?<!\d){_YEAR}(?P<same>[/-]|\.\s?)(?P<month>\d{{1,2}})(?P=same)(?P<day>\d{{1,2}})(?!\d){_TIME}"),
            # 06.11.2023, 6. 11. 2023, 06/11/2023
            (
                "",
                rf"(?<!\d)(?P<day>\d{{1,2}})(?P<mark>[/-]|\.\s?|\s\|\s)(?P<month>\d{{1,2}})(?P=mark){_YEAR}(?!\d|:\d){_TIME}",
            ),
        )
    ),
)
_HINT = re.compile(r"19\d\d|20\d\d")
_MAX_TRIES = 20
_OTHER_DIGITS = "٠١٢٣٤٥٦٧٨٩۰۱۲۳۴۵۶۷۸۹०१२३४५६७८९০১২৩৪৫৬৭৮৯０１２３４５６７８９"
_OTHER_DIGIT = re.compile(f"[{_OTHER_DIGITS}]")
_DIGITS = {ord(digit): str(number % 10) for number, digit in enumerate(_OTHER_DIGITS)}
_AFTERNOON = re.compile("오후|下午|午後|晚上|مساء")
_RFC822 = re.compile(r"(?<![^\W\d_])(?P<zone>[+-]\d{4}|GMT|UTC|Z)\s*$")
_MAX_EXACT_CHARS = 40
_MINUTE = timedelta(minutes=1)
_FUTURE = timedelta(days=1)
"""A clock or zone may be wrong by so much; a later date is no date of publication."""
MAX_DATE_CHARS = 200


@dataclass(frozen=True, slots=True)
class FoundDate:
    """A date on a page."""

    value: str
    """RFC 3339 with offset; the bare day (`2023-11-06`) where the page gives no time."""
    assumed_zone: str | None = None
    """The zone that was assumed for a time without one."""


@dataclass(frozen=True, slots=True)
class DateRules:
    """How the dates of a page are to be read."""

    captured_at: datetime
    """Aware. Dates after it are not believed."""
    zone: str | None
    """IANA name, assumed for times that state none (UTC if that is `None`)."""
    month_first: bool | None = False
    """Whether 03/04/2023 is a day of March; `None`: nobody knows, and such dates are passed over."""
    doubts: list[str] = field(default_factory=list, compare=False)
    """What the time of capture decided: the same page may be read otherwise later. No more than one is kept."""

    def is_past(self, value: str) -> bool:
        """Return whether the date *value* may be that of something published by then."""
        moment = datetime.fromisoformat(value)
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=self.captured_at.tzinfo)
        return moment <= self.captured_at + _FUTURE or self.doubt(value)

    def doubt(self, reason: str) -> Literal[False]:
        """Note that later this may be read otherwise; return `False`."""
        if not self.doubts:
            self.doubts.append(reason)
        return False


def parse_date(text: str, rules: DateRules) -> FoundDate | None:
    """Return the first date in *text*, or `None`."""
    found = _read_exact(text) if len(text) <= _MAX_EXACT_CHARS else None
    if found is not None:
        return found if rules.is_past(found.value) else None
    return next((found for found, _, _ in find_dates(text, rules)), None)


def _read_exact(text: str) -> FoundDate | None:
    """Return what *text* says if it is all a date, a time and its zone as metadata have them: the quick way."""
    if text[:2] not in {"19", "20"} or text[10:11] not in {"T", " "}:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return FoundDate(_write(moment.replace(microsecond=0))) if moment.tzinfo is not None else None


def find_dates(text: str, rules: DateRules) -> Iterator[tuple[FoundDate, int, int]]:
    """Yield the dates in *text*, with their start and end in `one_line(text)`."""
    text = one_line(text)
    at = 0
    for _ in range(_MAX_TRIES):
        if not _HINT.search(text, at):
            return
        stated = _ISO.match(text, at)
        matches = [stated] if stated else list(_search(text, at))
        if not matches:
            return
        matches.sort(key=re.Match.start)
        at = matches[0].start() + 1
        for match in matches:
            found = _from_parts(match.groupdict(), text, rules)
            if found is not None and rules.is_past(found.value):
                yield found, match.start(), match.end()
                at = match.end()
                break


def _search(text: str, at: int) -> Iterator[re.Match[str]]:
    for mark, pattern in _PATTERNS:
        if mark in text and (match := pattern.search(text, at)):
            yield match


def one_line(text: str) -> str:
    """Return *text* as it is searched: no longer than a line with a date is, with plain digits and single spaces."""
    text = " ".join(text[:MAX_DATE_CHARS].split())
    return text if text.isascii() or not _OTHER_DIGIT.search(text) else text.translate(_DIGITS)


def _from_parts(parts: dict[str, str | None], text: str, rules: DateRules) -> FoundDate | None:
    name = parts.get("name")
    month = read_month(name, ordinal=bool(parts.get("ordinal"))) if name else int(parts.get("month") or 0)
    day = int(parts["day"] or 0)
    if parts.get("mark") in {"/", "-"} and day <= 12:
        if month > 12 or (rules.month_first and month != day):
            month, day = day, month
        elif rules.month_first is None and month != day:
            return None
    hour = int(parts.get("hour") or 0)
    if parts.get("half"):
        hour = hour % 12 + (12 if (parts["half"] or "").lower() == "p" else 0)
    elif 0 < hour < 12 and _AFTERNOON.search(parts.get("gap") or ""):
        hour += 12
    try:
        moment = datetime(  # noqa: DTZ001 - the zone is added below
            int(parts["year"] or 0), month, day, hour, int(parts.get("minute") or 0), int(parts.get("second") or 0)
        )
    except ValueError:
        return None
    if not parts.get("hour"):
        return FoundDate(moment.date().isoformat())
    stated = parts.get("zone") or (match[1] if (match := _RFC822.search(text)) else None)
    if stated:
        offset = _offset(stated)
        return FoundDate(moment.replace(tzinfo=offset).isoformat()) if offset is not None else None
    assumed = rules.zone or "UTC"
    try:
        return FoundDate(_write(moment.replace(tzinfo=ZoneInfo(assumed))), assumed)
    except (ZoneInfoNotFoundError, ValueError, OverflowError):
        return FoundDate(moment.replace(tzinfo=UTC).isoformat(), "UTC")


def _write(moment: datetime) -> str:
    """Return *moment* (aware) as RFC 3339 has it, whose offsets have no seconds; those of old local times do."""
    offset = moment.utcoffset()
    if offset is not None and offset % _MINUTE:
        moment = moment.replace(tzinfo=timezone(round(offset / _MINUTE) * _MINUTE))
    return moment.isoformat()


def _offset(stated: str) -> timezone | None:
    if stated.upper() in {"Z", "UTC", "GMT"}:
        return UTC
    sign = -1 if stated[0] == "-" else 1
    digits = stated[1:].replace(":", "").ljust(4, "0")
    delta = timedelta(hours=int(digits[:2]), minutes=int(digits[2:4]))
    return timezone(sign * delta) if delta < timedelta(hours=24) else None
