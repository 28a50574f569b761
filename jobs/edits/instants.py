"""The times that a page states, as fields have them: whether two are one, and whether one went back."""

from __future__ import annotations

from datetime import datetime


def is_same_time(old: object, new: object) -> bool:
    """Whether *old* and *new* are one instant, in whatever zone; what is no time is compared as it stands."""
    one, other = _read_time(old), _read_time(new)
    return old == new if one is None or other is None else one == other


def went_back(old: object, new: object) -> bool:
    """Whether *new* is an earlier instant than *old*; not where it cannot be told."""
    one, other = _read_time(old), _read_time(new)
    return one is not None and other is not None and (one.tzinfo is None) == (other.tzinfo is None) and other < one


def _read_time(value: object) -> datetime | None:
    try:
        return value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
    except ValueError:
        return None
