"""The times that a page states, as fields have them: whether two are one, and whether one went back."""

from __future__ import annotations

from datetime import datetime

_DAY_CHARS = len("2026-01-31")


def is_day(value: object) -> bool:
    """Whether *value* is a date alone."""
    return len(str(value)) <= _DAY_CHARS


def is_same_time(old: object, new: object) -> bool:
    """Whether *old* and *new* are one instant, in whatever zone; one day, where either is a date alone."""
    if is_day(old) or is_day(new):
        return str(old)[:_DAY_CHARS] == str(new)[:_DAY_CHARS]
    one, other = _read_time(old), _read_time(new)
    return old == new if one is None or other is None else one == other


def went_back(old: object, new: object) -> bool:
    """Whether *new* is an earlier instant, or day, than *old*; not where it cannot be told."""
    one, other = _read_time(old), _read_time(new)
    if one is None or other is None or is_day(old) != is_day(new) or (one.tzinfo is None) != (other.tzinfo is None):
        return False
    return other < one


def _read_time(value: object) -> datetime | None:
    try:
        return value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
    except ValueError:
        return None
