"""Dates as pages write them → RFC 3339 with an offset. Assumes a zone only where none is stated, and says so."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

_MONTHS = (
    (
        "jan|january|janvier|janv|enero|ene|januar|jänner|jän|gennaio|gen|janeiro|januari|stycznia|sty|ocak"
        "|января|янв|يناير|كانون الثاني"
    ),
    (
        "feb|february|février|févr|fév|fevrier|febrero|februar|febbraio|fevereiro|fev|februari|lutego|lut"
        "|şubat|февраля|фев|فبراير|شباط"
    ),
    "mar|march|mars|marzo|märz|mär|mrz|março|maart|mrt|marca|mart|марта|мар|مارس|آذار",
    "apr|april|avril|avr|abril|abr|aprile|kwietnia|kwi|nisan|апреля|апр|أبريل|ابريل|نيسان",
    "may|mai|mayo|maggio|mag|maio|mei|maj|maja|mayıs|мая|май|مايو|أيار",
    "jun|june|juin|junio|juni|giugno|giu|junho|czerwca|cze|haziran|июня|июн|يونيو|حزيران",
    "jul|july|juillet|juil|julio|juli|luglio|lug|julho|lipca|lip|temmuz|июля|июл|يوليو|تموز",
    "aug|august|août|aout|agosto|ago|augustus|augusti|sierpnia|sie|ağustos|августа|авг|أغسطس|آب",
    ("sep|sept|september|septembre|septiembre|settembre|set|setembro|września|wrz|eylül|сентября|сен|سبتمبر|أيلول"),
    (
        "oct|october|octobre|octubre|oktober|okt|ottobre|ott|outubro|out|października|paź|ekim|октября|окт"
        "|أكتوبر|تشرين الأول"
    ),
    "nov|november|novembre|noviembre|novembro|listopada|lis|kasım|ноября|ноя|نوفمبر|تشرين الثاني",
    (
        "dec|december|décembre|déc|diciembre|dic|dezember|dez|dicembre|dezembro|grudnia|gru|aralık|декабря"
        "|дек|ديسمبر|كانون الأول"
    ),
)
_MONTH_NUMBER = {name: number for number, names in enumerate(_MONTHS, 1) for name in names.split("|")}
_NAME = "(?P<name>" + "|".join(sorted(_MONTH_NUMBER, key=len, reverse=True)) + r")\.?"
_TIME = r"(?:\D{0,12}?\b(?P<hour>\d{1,2})[:.h](?P<minute>\d{2})(?::(?P<second>\d{2}))?(?:\s*(?P<half>[ap])\.?m\b)?)?"
_ISO = re.compile(
    r"(?<!\d)(?P<year>(?:19|20)\d\d)-?(?P<month>[01]\d)-?(?P<day>[0-3]\d)(?:[T ]\s*(?P<hour>\d{2}):?(?P<minute>\d{2})"
    r"(?::?(?P<second>\d{2})(?:[.,]\d+)?)?\s*(?P<zone>Z|UTC|GMT|[+-]\d{2}:?\d{2}|[+-]\d{2})?)?(?!\d)",
    re.IGNORECASE,
)
_SLASHED = re.compile(r"(?<!\d)(?P<year>(?:19|20)\d\d)[/.](?P<month>\d{1,2})[/.](?P<day>\d{1,2})(?!\d)" + _TIME)
_DAY_FIRST = re.compile(
    rf"(?<!\d)(?P<day>\d{{1,2}})(?:st|nd|rd|th|er|º|°|\.)?,?\s+(?:de\s+)?{_NAME}\s*,?\s+(?:de\s+|del\s+)?(?P<year>(?:19|20)\d\d){_TIME}",
    re.IGNORECASE,
)
_MONTH_FIRST = re.compile(
    rf"\b{_NAME}\s+(?P<day>\d{{1,2}})(?:st|nd|rd|th)?,?\s+(?P<year>(?:19|20)\d\d){_TIME}", re.IGNORECASE
)
_NUMERIC = re.compile(
    r"(?<!\d)(?P<day>\d{1,2})(?P<mark>[./-])(?P<month>\d{1,2})(?P=mark)(?P<year>(?:19|20)\d\d)(?!\d)" + _TIME
)
_RFC822 = re.compile(r"(?P<zone>[+-]\d{4}|GMT|UTC|Z)\s*$")
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


def parse_date(text: str, *, zone: str | None, captured_at: datetime) -> FoundDate | None:
    """Return the first date in *text*, or `None`; dates after *captured_at* are not believed.

    *zone*: IANA name, assumed for times that state none (UTC if that is `None`).
    """
    text = " ".join(text[:MAX_DATE_CHARS].split())
    for pattern in (_ISO, _DAY_FIRST, _MONTH_FIRST, _SLASHED, _NUMERIC):
        match = pattern.search(text)
        if match is None:
            continue
        found = _from_parts(match.groupdict(), text, zone)
        if found is not None and _is_past(found.value, captured_at):
            return found
    return None


def _from_parts(parts: dict[str, str | None], text: str, zone: str | None) -> FoundDate | None:
    name = (parts.get("name") or "").lower()
    month = _MONTH_NUMBER[name] if name else int(parts.get("month") or 0)
    day = int(parts["day"] or 0)
    if not name and parts.get("mark") == "/" and month > 12 >= day:
        month, day = day, month
    hour = int(parts.get("hour") or 0)
    if parts.get("half"):
        hour = hour % 12 + (12 if (parts["half"] or "").lower() == "p" else 0)
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
    assumed = zone or "UTC"
    try:
        return FoundDate(moment.replace(tzinfo=ZoneInfo(assumed)).isoformat(), assumed)
    except (ZoneInfoNotFoundError, ValueError, OverflowError):
        return FoundDate(moment.replace(tzinfo=UTC).isoformat(), "UTC")


def _offset(stated: str) -> timezone | None:
    if stated.upper() in {"Z", "UTC", "GMT"}:
        return UTC
    sign = -1 if stated[0] == "-" else 1
    digits = stated[1:].replace(":", "").ljust(4, "0")
    delta = timedelta(hours=int(digits[:2]), minutes=int(digits[2:4]))
    return timezone(sign * delta) if delta < timedelta(hours=24) else None


def _is_past(value: str, captured_at: datetime) -> bool:
    moment = datetime.fromisoformat(value)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=captured_at.tzinfo)
    return moment <= captured_at + _FUTURE
