"""Times as the index has them: microseconds, and rows of texts in the order of their captures."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

ROWS_A_SECOND = 1_024
"""So many texts of one second have rows in it; what is beyond goes on into the next."""
LAST_ROW = 2**62
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def to_micros(at: datetime) -> int:
    """Return microseconds since 1970."""
    span = at - _EPOCH
    return (span.days * 86_400 + span.seconds) * 1_000_000 + span.microseconds


def from_micros(micros: int) -> datetime:
    """Return the time of so many microseconds since 1970."""
    return _EPOCH + timedelta(microseconds=micros)


def row_of(at: datetime) -> int:
    """Return the row of a text that was first captured then, if it is free."""
    return max(0, to_micros(at)) * ROWS_A_SECOND // 1_000_000


def first_row(since: datetime | None) -> int:
    """Return the first row of the second of *since*."""
    return 0 if since is None else row_of(since.replace(microsecond=0))


def last_row(until: datetime | None) -> int:
    """Return the last row of the second of *until*."""
    return LAST_ROW if until is None else row_of(until.replace(microsecond=0)) + ROWS_A_SECOND - 1
