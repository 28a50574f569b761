"""Times as options take them: a duration before now, or a time of its own."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from config.errors import ConfigError
from config.units import parse_duration

A_TIME = "a duration such as 6 hours or 1 day, or a time such as 2026-11-22 or 2026-11-22T12:00Z (UTC)"
_ISO = re.compile(r"\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d{1,6})?)?(?:Z|[+-]\d{2}:\d{2})?)?", re.ASCII)


def read_time(option: str, text: str | None, now: datetime) -> datetime | None:
    """Return the time that *text* means, a duration before *now* or a time of its own. Raises ConfigError."""
    if text is None:
        return None
    try:
        if _ISO.fullmatch(text.strip()):
            found = datetime.fromisoformat(text.strip())
            return (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC)
        return now - timedelta(seconds=parse_duration(text))
    except OverflowError:
        return datetime(1, 1, 1, tzinfo=UTC)
    except ValueError as error:
        raise ConfigError(f"{option}: found {text[:80]!r}, expected {A_TIME}") from error
