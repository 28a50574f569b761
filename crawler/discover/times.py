"""Times as feeds and sitemaps write them → aware UTC datetimes."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

MAX_TIME_CHARACTERS = 100

_MONTHS = {
    name: f"{number:02}"
    for number, name in enumerate(
        ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"), start=1
    )
}
_PLAIN_RFC_5322 = re.compile(
    r"(?:[A-Za-z]{3}, ?)?(\d{1,2}) ([A-Za-z]{3}) (\d{4}) (\d\d:\d\d:\d\d) (?:([+-]\d\d):?(\d\d)|GMT|UTC?|Z)", re.ASCII
)
"""What nearly every RSS feed writes; the standard library's reader takes five times as long."""
_SPACED_ZONE = re.compile(r"(?<=\d)\s+(?:(?=[+-]\d\d:?\d\d\Z)|(?:UTC|GMT|Z)\Z)")


def parse_time(text: str | None) -> datetime | None:
    """Return the instant of an RFC 3339 or RFC 5322 time, UTC where it states no zone; `None` for anything else."""
    if not text or len(text) > MAX_TIME_CHARACTERS:
        return None
    cleaned = text.strip()
    match = _PLAIN_RFC_5322.fullmatch(cleaned)
    try:
        return _in_utc(datetime.fromisoformat(_rewrite(match) if match else cleaned))
    except (ValueError, OverflowError):
        pass
    for parse, form in ((parsedate_to_datetime, cleaned), (datetime.fromisoformat, _SPACED_ZONE.sub("", cleaned))):
        try:
            return _in_utc(parse(form))
        except (ValueError, OverflowError, IndexError, TypeError):
            continue
    return None


def _rewrite(match: re.Match[str]) -> str:
    """Return a time of RFC 5322 as RFC 3339 writes it, for the faster reader."""
    day, month, year, clock, zone_hours, zone_minutes = match.groups()
    return f"{year}-{_MONTHS.get(month.lower())}-{day:0>2}T{clock}{zone_hours or '+00'}:{zone_minutes or '00'}"


def _in_utc(value: datetime) -> datetime:
    return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
