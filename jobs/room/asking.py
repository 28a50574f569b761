"""Types of parameters as forms send them: empty fields ask for nothing, a day stands for its first or last instant."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Any

from pydantic import BeforeValidator, StringConstraints

MAX_VALUES = 50
"""Of a parameter that may be repeated."""
_DAY_CHARS = len("2026-11-27")
_DAY = timedelta(days=1, microseconds=-1)
_EARLIEST, _LATEST = date(1990, 1, 1), date(9000, 1, 1)
"""There was no web before, and calendars end somewhere."""


def _drop_empty(value: Any) -> Any:  # noqa: ANN401 - of a request
    values = value if isinstance(value, (list, tuple)) else [value]
    kept = tuple(one for one in values if one != "")
    if len(kept) > MAX_VALUES:
        raise ValueError(f"found {len(kept)} values, expected at most {MAX_VALUES}")
    return kept


def _read_day(value: Any) -> date | None:  # noqa: ANN401 - of a request
    if value is None or value == "":
        return None
    try:
        found = date.fromisoformat(str(value)[: _DAY_CHARS + 1])
    except ValueError:
        found = date.min
    if not _EARLIEST <= found <= _LATEST:
        raise ValueError(f"found {str(value)[:40]!a}, expected a day as 2026-11-27")
    return found


def _read_begin(value: Any) -> datetime | None:  # noqa: ANN401 - of a request
    return _read_time(value, timedelta())


def _read_end(value: Any) -> datetime | None:  # noqa: ANN401 - of a request
    return _read_time(value, _DAY)


def _read_time(value: object, later: timedelta) -> datetime | None:
    if value is None or value == "":
        return None
    text = str(value)
    try:
        found = datetime.fromisoformat(text[:11] + text[11:].replace(" ", "+"))  # as a + of a query is decoded
        found = found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
        return found + later if len(text) == _DAY_CHARS else found
    except (OverflowError, ValueError):
        raise ValueError(f"found {text[:40]!a}, expected a day or a time as 2026-11-27T09:30:00Z") from None


def _read_flag(value: Any) -> Any:  # noqa: ANN401 - of a request
    return False if value == "" else value


Flag = Annotated[bool, BeforeValidator(_read_flag)]
Text = Annotated[str, StringConstraints(strip_whitespace=True, max_length=200)]
Texts = Annotated[tuple[Text, ...], BeforeValidator(_drop_empty)]
"""A parameter that may be repeated."""
Begin = Annotated[datetime | None, BeforeValidator(_read_begin)]
"""A time; a day: its first instant."""
End = Annotated[datetime | None, BeforeValidator(_read_end)]
"""A time; a day: its last instant."""
Day = Annotated[date | None, BeforeValidator(_read_day)]
"""A day of UTC."""
